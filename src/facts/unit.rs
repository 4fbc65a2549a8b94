//! systemd units, as far as hardening Docker needs them.

use super::Kept;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One loaded unit, from `systemctl show` on a running host or from its files in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnitState {
    /// The unit's own file (`FragmentPath`), empty when it has none.
    pub fragment: String,
    /// Drop-in files in the order in which they apply.
    pub drop_ins: Vec<String>,
    /// The start command with variables expanded, as far as they are known.
    pub argv: Kept<Vec<String>>,
    /// Where each word of [`Self::argv`] comes from; empty where the unit's files could not be read.
    #[serde(skip_serializing_if = "is_empty")]
    pub origins: Kept<Vec<Origin>>,
    /// All the commands run after start (`ExecStartPost=`), one string each.
    pub start_post: Vec<String>,
    /// Environment files of the unit.
    pub environment_files: Vec<String>,
    /// Files of the unit whose content is not known, environment files included: any of them may
    /// change what it starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// What the unit's files say of its start command that is not followed, as clauses: systemd may make
    /// another command of it than [`Self::argv`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unfollowed: Vec<String>,
    /// `LoadState` of a unit that systemd knows and has not loaded: `bad-setting`, `error`, `masked`; empty
    /// otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub not_loaded: String,
    /// The first `ListenStream=` path of a socket unit.
    pub listen: Option<String>,
    /// `ActiveState`: `active`, `inactive`, `failed`, …; empty where no systemd runs, `unknown` where it
    /// runs and did not say.
    pub active: String,
    /// When the main process started, in microseconds since 1970; 0 when it does not run.
    pub started: i64,
    /// The main process, 0 when there is none.
    pub main_pid: u32,
    /// The unit refuses `systemctl stop` and `restart` (`RefuseManualStop=yes`).
    pub refuses_stop: bool,
    /// Its files changed since systemd read them (`NeedDaemonReload=yes`).
    pub needs_reload: bool,
    /// Whether it starts at boot (`UnitFileState`): `enabled`, `disabled`, …; empty when not known.
    pub enabled: String,
}

/// A variable that the manager gives to every service (`DefaultEnvironment=` of systemd-system.conf(5), and
/// `systemctl set-environment`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inherited {
    /// Its value.
    pub value: String,
    /// The file that sets it, or the command that shows it.
    pub source: String,
    /// The line of that, counted from 1.
    pub line: usize,
}

/// A file of a unit whose content is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// The file, or the folder with a name that cannot be looked at.
    pub path: String,
    /// Why, as a clause: "permission denied".
    pub why: String,
    /// What would help; empty when nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// Where a word of a start command stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The file: the unit's own, a drop-in, or an environment file.
    pub file: String,
    /// The line in it, counted from 1, on which the assignment begins.
    pub line: usize,
    /// The variable that the word comes out of; `None` where it stands in `ExecStart=` itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

impl fmt::Display for Origin {
    /// `in /etc/systemd/system/docker.service.d/10-site.conf:3`, `from OPTIONS in
    /// /etc/sysconfig/docker:2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variable) = &self.variable {
            write!(f, "from {variable} ")?;
        }
        write!(f, "in {}:{}", self.file, self.line)
    }
}

fn is_empty(origins: &Kept<Vec<Origin>>) -> bool {
    origins.is_empty()
}

impl UnitState {
    /// Whether the unit runs now.
    pub fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "activating")
    }

    /// Whether the manager says that the unit does not run. Neither this nor [`Self::is_active`] holds
    /// where nobody says anything.
    pub fn is_down(&self) -> bool {
        matches!(self.active.as_str(), "inactive" | "failed" | "deactivating")
    }

    /// Whether the unit runs or would: one that is `failed` was not stopped by anybody.
    pub fn shall_run(&self) -> bool {
        self.is_active() || self.active == "failed"
    }
}
