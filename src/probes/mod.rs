//! Bespoke checks: `kind = "probe"`, one file each, for what no other control shares.

mod content_trust;
mod daemon_json;
mod daemon_tls;
mod daemon_unit;

use crate::checks::{Judgement, Layout};
use crate::facts::Requests;
use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// A bespoke check, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    /// Which one.
    pub name: ProbeName,
}

/// The names of the bespoke checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeName {
    /// `DOCKER_CONTENT_TRUST` for everybody who logs in.
    ContentTrust,
    /// The daemon's configuration file says what it seems to say.
    DaemonJson,
    /// A daemon that listens on TCP asks for certificates.
    DaemonTls,
    /// systemd would start docker.service as its files stand.
    DaemonUnit,
}

impl Probe {
    /// Judges the facts.
    pub fn judge(&self, layout: &Layout<'_>, policy: &Policy) -> Judgement {
        match self.name {
            ProbeName::ContentTrust => content_trust::judge(layout.facts()),
            ProbeName::DaemonJson => daemon_json::judge(layout),
            ProbeName::DaemonTls => daemon_tls::judge(layout, policy),
            ProbeName::DaemonUnit => daemon_unit::judge(layout),
        }
    }

    /// What it needs to see.
    pub fn requests(&self, layout: &Layout<'_>) -> Requests {
        match self.name {
            ProbeName::ContentTrust => content_trust::requests(),
            ProbeName::DaemonUnit => daemon_unit::requests(layout.facts()),
            ProbeName::DaemonJson => layout.requests(),
            ProbeName::DaemonTls => {
                let mut requests = layout.requests();
                requests.extend(daemon_tls::requests(layout.facts()));
                requests
            }
        }
    }
}
