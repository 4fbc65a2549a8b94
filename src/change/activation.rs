//! Making services notice what was written.

use crate::formats::audit_rules::Watch;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// One thing told to a service. The order of the variants is the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `systemctl daemon-reload`: unit files or drop-ins changed.
    ReloadUnits,
    /// Bring the audit rules from the files into the kernel, keeping rules that only the kernel
    /// knew (`augenrules --load` drops those).
    LoadAuditRules,
    /// `systemctl restart auditd`, where the unit permits it.
    RestartAuditd,
    /// `SIGHUP`: the daemon reads the reloadable keys again.
    ReloadDocker,
    /// One restart of docker.service, with the start limit's counter cleared before.
    RestartDocker,
}

impl Activation {
    /// The service that is told, as people know it.
    pub fn unit(self) -> &'static str {
        match self {
            Self::ReloadUnits => "systemd",
            Self::LoadAuditRules => "kernel audit rules",
            Self::RestartAuditd => "auditd.service",
            Self::ReloadDocker | Self::RestartDocker => "docker.service",
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReloadUnits => "reload systemd's units",
            Self::LoadAuditRules => "load the audit rules into the kernel",
            Self::RestartAuditd => "restart auditd.service",
            Self::ReloadDocker => "reload docker.service",
            Self::RestartDocker => "restart docker.service",
        })
    }
}

/// What must be true of the running services after an apply or an undo; computed by the planner,
/// checked by the door.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expectation {
    /// docker.service is active and answers on its socket.
    pub docker_runs: bool,
    /// auditd.service is active.
    pub auditd_runs: bool,
    /// daemon.json keys whose effective value the API shows, and the value it must have.
    pub daemon: BTreeMap<String, Value>,
    /// Watches that must be in the kernel. Empty while auditing is locked.
    pub watches: Vec<Watch>,
    /// The whole rule list that the kernel must have, as `auditctl -l` prints it, when an undo
    /// promises exactly that.
    pub kernel_rules: Option<Vec<String>>,
    /// Names of containers that must be running.
    pub containers: Vec<String>,
}
