//! Everything that is known of the keys of daemon.json: one row a key.
//!
//! A row says what a value looks like, which versions know the key, which flag sets it, what its
//! default is, what a reload and a restart make of it, where the API shows it, whether a site decides
//! it, what can rely on it, and whether it may be shown to everybody. Who asks anything of these asks
//! here; a test holds the rows to what the other rooms do with them.
//!
//! The room stands beneath `formats`, as command lines are read by the names of the flags and secrets
//! are masked by the keys that they stand in; and above `facts`, as a row reads what the API said.
//! What *values* dockerd refuses is in [`crate::engine`].
//!
//! dockerd knows the names of its flags, the names that some flags have in the file ("named
//! options", as `labels` for `--label`), and a few more; with any other name it refuses to start
//! ("the following directives don't match any configuration option"; moby `daemon/config/config.go`,
//! `findConfigurationConflicts` and `skipValidateOptions`).

mod depends;
mod row;
mod rows;
mod shape;
mod shown;
mod version;

pub use depends::Depends;
pub use row::{LOOPBACK, LOOPBACK_SINCE, Preset, Reload, Row, Shown};
pub use shape::Shape;
pub use shown::remaps;
pub use version::{NEWEST, OLDEST, Version};

use rows::{BOOLEAN_FLAGS, DEAD, Dead, ROWS, SHORT_FLAGS};

/// What is known of a key; `None` where nothing is.
pub fn row(key: &str) -> Option<&'static Row> {
    let at = ROWS.binary_search_by(|row| row.name.cmp(key)).ok()?;
    Some(&ROWS[at])
}

/// What can rely on the value of a key; `None` where nobody has said.
pub fn depends(key: &str) -> Option<Depends> {
    row(key)?.depends
}

/// All rows, by name.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
}

fn dead(name: &str) -> Option<&'static Dead> {
    let at = DEAD.binary_search_by(|dead| dead.name.cmp(name)).ok()?;
    Some(&DEAD[at])
}

/// What a version of dockerd makes of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It takes effect.
    Known,
    /// It is accepted and has no effect.
    Ignored,
    /// The daemon refuses to start with it; the first version that knows it, if one does.
    NotYet(Version),
    /// The daemon refuses to start with it, and did not before this version.
    NoLonger(Version),
    /// The daemon refuses to start with it, as every version does.
    Never,
}

impl Reading {
    /// Whether the daemon refuses to start with the name.
    pub fn refuses(self) -> bool {
        matches!(self, Self::NotYet(_) | Self::NoLonger(_) | Self::Never)
    }
}

/// What a version makes of a key. Without a version, or for one that is newer than this table, only
/// what is true of every version: `None` where that is not known.
pub fn reading(name: &str, version: Option<Version>) -> Option<Reading> {
    let (since, ignored_from, gone_from) = match (row(name), dead(name)) {
        (Some(row), _) => (row.since, row.ignored_from, row.gone_from),
        (None, Some(dead)) => (dead.since, Some(OLDEST), dead.gone_from),
        (None, None) if version.is_some_and(|version| version > NEWEST) => return None,
        (None, None) => return Some(Reading::Never),
    };
    let Some(version) = version else {
        let same = since == OLDEST && gone_from.is_none();
        return match ignored_from {
            None if same => Some(Reading::Known),
            Some(OLDEST) if same => Some(Reading::Ignored),
            _ => None,
        };
    };
    Some(match (ignored_from, gone_from) {
        _ if version < since && since > OLDEST => Reading::NotYet(since),
        (_, Some(gone)) if version >= gone => Reading::NoLonger(gone),
        (Some(from), _) if version >= from || from == OLDEST => Reading::Ignored,
        _ => Reading::Known,
    })
}

/// The key that works instead of a dead one.
pub fn instead_of(name: &str) -> Option<&'static str> {
    dead(name).and_then(|dead| dead.instead)
}

/// What a value of this key has to look like. Where the key is ignored nothing looks at it.
pub fn shape(name: &str, version: Option<Version>) -> Shape {
    match reading(name, version) {
        Some(Reading::Known) | None => row(name).map_or(Shape::Any, |row| row.shape),
        Some(_) => Shape::Any,
    }
}

/// Whether the object at this key is one value. The names inside of any other object stand for
/// options themselves (moby `daemon/config/config.go`, `flatOptions`).
pub fn is_taken_whole(name: &str, version: Option<Version>) -> bool {
    let since = row(name).and_then(|row| row.whole_since);
    since.is_some_and(|since| version.is_none_or(|version| version >= since || since == OLDEST))
}

/// The long flag, without dashes, that sets a key.
pub fn flag_of_key(key: &str) -> &str {
    row(key).and_then(|row| row.flag).unwrap_or(key)
}

/// Whether a name of a flag stands for nothing in the file, as the option has another name there.
pub fn is_renamed_flag(name: &str) -> bool {
    row(name).is_none()
        && dead(name).is_some_and(|dead| {
            let key = dead.instead.and_then(row);
            key.is_some_and(|row| row.flag == Some(name))
        })
}

/// Whether a long name is one of dockerd's boolean flags, of all versions together.
pub fn is_boolean_flag(name: &str) -> bool {
    row(name).is_some_and(|row| row.shape == Shape::Switch) || BOOLEAN_FLAGS.contains(&name)
}

/// The long name of a short flag.
pub fn long_flag(short: char) -> Option<&'static str> {
    let found = SHORT_FLAGS.iter().find(|(known, _)| *known == short);
    found.map(|(_, name)| *name)
}

/// Whether the value of a key, or of an option that stands in another object, can be shown to
/// everybody as it is: `false` for every name that is not known.
pub fn is_public(key: &str) -> bool {
    row(key).is_some_and(|row| row.public)
}

/// The names in this table, those that are accepted and ignored as well.
pub fn names() -> impl Iterator<Item = &'static str> {
    let keys = ROWS.iter().map(|row| row.name);
    keys.chain(DEAD.iter().map(|dead| dead.name))
}

#[cfg(test)]
mod tests;
