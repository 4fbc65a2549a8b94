//! What one check asks for. Edits of one path are folded into one [`super::Action`] by the planner.

use crate::facts::Mode;
use crate::formats::audit_rules::Watch;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One wish of one check.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Set (`Some`) or remove (`None`) one top-level key of the daemon's configuration file.
    DaemonKey {
        /// The key, such as `icc`.
        key: String,
        /// The value, or `None` to take the key out.
        value: Option<Value>,
    },
    /// Start the daemon without the flags that set one key of its configuration file, wherever they stand: dockerd
    /// refuses to start with both (moby, `findConfigurationConflicts`).
    DaemonFlag {
        /// The key, such as `icc` or `labels`.
        key: String,
    },
    /// Watch a path, now and after every boot.
    AuditWatch(Watch),
    /// Have a folder under `/run` made at every boot before audit rules are loaded
    /// (tmpfiles.d(5)): a watch below a missing folder aborts loading (auditctl(8)).
    BootFolder {
        /// The folder.
        path: String,
        /// Its permission bits.
        mode: Mode,
    },
    /// Take permission bits away; give a file to another owner or group.
    Access {
        /// The file.
        path: String,
        /// Bits that go.
        clear: Mode,
        /// New owner.
        uid: Option<u32>,
        /// New group.
        gid: Option<u32>,
    },
    /// Set a variable in `/etc/environment` (pam_env(8)).
    EnvironmentVariable {
        /// The file.
        path: String,
        /// The variable.
        name: String,
        /// Its value.
        value: String,
    },
    /// Set one directive in our own drop-in of a unit (systemd.unit(5)).
    DropIn(DropInSetting),
    /// Nothing is to be written: what is configured takes effect when the daemon restarts.
    RestartDocker,
    /// The same, and only when the containers that run now stop for it. Fulfilled only where that
    /// was asked for.
    RestartContainers,
    /// Nothing is to be written: what is configured takes effect when the rules are loaded.
    LoadAuditRules,
}

/// One directive in `/etc/systemd/system/UNIT.d/zz-seaworthy.conf`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DropInSetting {
    /// `docker.socket`.
    pub unit: String,
    /// `Socket`.
    pub section: String,
    /// `SocketMode`.
    pub key: String,
    /// `0660`.
    pub value: String,
}
