//! One row of the table: everything that is known of a key of daemon.json.

use super::depends::Depends;
use super::shape::Shape;
use super::version::{OLDEST, Version, v};
use crate::facts::Docker;
use serde_json::{Value, json};

/// Everything that is known of one key of daemon.json. What is not said of it is unknown, and stands
/// at the careful word: not reloaded, not shown, not a site's decision, perhaps secret.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The key.
    pub name: &'static str,
    /// What its value has to look like.
    pub shape: Shape,
    /// The first version that knows it.
    pub since: Version,
    /// The first version that accepts it without any effect.
    pub ignored_from: Option<Version>,
    /// The first version that refuses to start with it.
    pub gone_from: Option<Version>,
    /// The long flag that sets it, without dashes; `None` where none does.
    pub flag: Option<&'static str>,
    /// The first version that takes the object at this key as one value. The names inside of any
    /// other object stand for options themselves (moby `daemon/config/config.go`, `flatOptions`).
    pub whole_since: Option<Version>,
    /// What dockerd does when the key is not set.
    pub default: Preset,
    /// What a reload (SIGHUP) makes of it.
    pub reload: Reload,
    /// Whether a site may decide its value in its policy.
    pub decided: bool,
    /// Where the API shows the value in effect.
    pub shown: Option<Shown>,
    /// What can rely on its value; `None` where nobody has said.
    pub depends: Option<Depends>,
    /// Whether its value can be shown to anybody as it is. Where it cannot, it may hold passwords or
    /// tokens somewhere.
    pub public: bool,
}

/// What a daemon lists of the host itself, as it does in `/info`.
///
/// Up to 29.9 these are trusted without a certificate whatever `insecure-registries` says. From
/// [`LOOPBACK_SINCE`] on they are trusted only where it says nothing (release notes of 29.10.0; moby
/// pull request 53868).
pub const LOOPBACK: [&str; 2] = ["::1/128", "127.0.0.0/8"];

/// The first version that can do without [`LOOPBACK`].
pub const LOOPBACK_SINCE: Version = v(29, 10);

/// What dockerd does when a key is not set (dockerd(8)).
#[derive(Debug, Clone, Copy)]
pub enum Preset {
    /// Nothing, or it depends on the host: there is no value that stands for it.
    Unset,
    /// `false`.
    Off,
    /// `true`.
    On,
    /// A text.
    Text(&'static str),
    /// A number.
    Number(i64),
    /// An empty list.
    Nothing,
    /// The addresses of the host itself: `127.0.0.0/8` and `::1/128`.
    Loopback,
    /// The one before a version, the other from it on.
    Since(Version, &'static Self, &'static Self),
}

impl Preset {
    /// The value that stands for it, `null` for [`Preset::Unset`]; `None` where it depends on the
    /// version, and the version is not known.
    pub fn value(&self, version: Option<Version>) -> Option<Value> {
        Some(match self {
            Self::Unset => Value::Null,
            Self::Off => json!(false),
            Self::On => json!(true),
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Nothing => json!([]),
            Self::Loopback => json!(LOOPBACK),
            Self::Since(first, before, from) => {
                return if version? < *first { before } else { from }.value(version);
            }
        })
    }
}

/// What a reload of the daemon makes of a key (moby `daemon/reload.go`). Whatever it is, taking a key
/// out of the file reverts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// Nothing: only a restart reads it.
    Never,
    /// It comes into effect.
    Read,
    /// It comes into effect, the API shows it, and it is worth it: where nothing else is to change
    /// the daemon is reloaded and not restarted.
    Enough,
}

/// Where the API shows the value in effect.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The call and the field: `/info LiveRestoreEnabled`.
    pub at: &'static str,
    /// Reads it; `None` where this daemon does not say.
    pub read: fn(&Docker) -> Option<Value>,
    /// What a restart with this value, the default where none is set, makes of what is shown; `None`
    /// where that is not known beforehand.
    pub restart: Option<fn(&mut Docker, &Value)>,
    /// It belongs to the default bridge, which a restart leaves as it is while containers run.
    pub of_bridge: bool,
}

impl Row {
    /// A key that every version knows, with a flag of the same name.
    pub(super) const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            shape,
            since: OLDEST,
            ignored_from: None,
            gone_from: None,
            flag: Some(name),
            whole_since: None,
            default: Preset::Unset,
            reload: Reload::Never,
            decided: true,
            shown: None,
            depends: None,
            public: true,
        }
    }

    pub(super) const fn switch(name: &'static str, default: Preset) -> Self {
        Self::new(name, Shape::Switch).preset(default)
    }

    pub(super) const fn text(name: &'static str) -> Self {
        Self::new(name, Shape::Text)
    }

    pub(super) const fn number(name: &'static str, default: Preset) -> Self {
        Self::new(name, Shape::Integer).preset(default)
    }

    /// A list of texts, whose flag is called differently and given once for each item.
    pub(super) const fn texts(name: &'static str, flag: &'static str) -> Self {
        Self::new(name, Shape::Texts)
            .preset(Preset::Nothing)
            .by_flag(flag)
    }

    pub(super) const fn preset(mut self, default: Preset) -> Self {
        self.default = default;
        self
    }

    pub(super) const fn since(mut self, version: Version) -> Self {
        self.since = version;
        self
    }

    pub(super) const fn gone(mut self, version: Version) -> Self {
        self.gone_from = Some(version);
        self
    }

    pub(super) const fn ignored(mut self, version: Version) -> Self {
        self.ignored_from = Some(version);
        self
    }

    pub(super) const fn by_flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    pub(super) const fn no_flag(mut self) -> Self {
        self.flag = None;
        self
    }

    pub(super) const fn whole(mut self, version: Version) -> Self {
        self.whole_since = Some(version);
        self
    }

    pub(super) const fn reloaded(mut self) -> Self {
        self.reload = Reload::Read;
        self
    }

    pub(super) const fn reload_is_enough(mut self) -> Self {
        self.reload = Reload::Enough;
        self
    }

    /// No decision of a policy: a control of this program knows what is right, or the key belongs to
    /// how the package wires the daemon up.
    pub(super) const fn fixed(mut self) -> Self {
        self.decided = false;
        self
    }

    pub(super) const fn shown(
        mut self,
        at: &'static str,
        read: fn(&Docker) -> Option<Value>,
        restart: Option<fn(&mut Docker, &Value)>,
    ) -> Self {
        self.shown = Some(Shown {
            at,
            read,
            restart,
            of_bridge: false,
        });
        self
    }

    pub(super) const fn of_bridge(mut self) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.of_bridge = true;
        }
        self
    }

    /// What can rely on its value.
    pub(super) const fn serves(mut self, depends: Depends) -> Self {
        self.depends = Some(depends);
        self
    }

    /// Its value may hold a password or a token.
    pub(super) const fn private(mut self) -> Self {
        self.public = false;
        self
    }
}
