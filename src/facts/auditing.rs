//! The kernel's audit rules, and who loads them at boot.

use super::Seen;
use serde::{Deserialize, Serialize};

/// State of the audit system.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auditing {
    /// `auditctl` as found on the host, `None` when the audit tools are not installed.
    pub auditctl: Option<String>,
    /// `augenrules` as found on the host.
    pub augenrules: Option<String>,
    /// Who brings rules from files into the kernel at boot.
    pub loader: RuleLoader,
    /// The rules in the kernel, as `auditctl -l` prints them, one line each.
    pub kernel_rules: Seen<Vec<String>>,
    /// `enabled` of `auditctl -s`: 0 off, 1 on, 2 locked until the next boot (auditctl(8), -e).
    pub enabled: Seen<u8>,
    /// `rate_limit` of `auditctl -s`: records in a second, 0 without a limit; `None` where it was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u64>,
    /// The release of auditctl, as `auditctl -v` says it: `3.0.9`. `None` where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The machine, as `uname -m` says it: `x86_64`. `None` where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
}

impl Auditing {
    /// Nothing can change in the kernel until the next boot.
    pub fn is_locked(&self) -> bool {
        self.enabled == Seen::Known(2)
    }
}

/// Who loads audit rules at boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleLoader {
    /// augenrules(8) from `/etc/audit/rules.d`.
    Augenrules,
    /// `auditctl -R /etc/audit/audit.rules`.
    RulesFile,
    /// No audit daemon is installed.
    #[default]
    None,
}
