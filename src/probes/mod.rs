//! Bespoke checks: `kind = "probe"`, one file each, for what no other control shares.

mod content_trust;
mod daemon_json;
mod daemon_tls;
mod daemon_unit;

use crate::checks::Judgement;
use crate::facts::{Facts, Requests};
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
    pub fn judge(&self, facts: &Facts, policy: &Policy) -> Judgement {
        match self.name {
            ProbeName::ContentTrust => content_trust::judge(facts),
            ProbeName::DaemonJson => daemon_json::judge(facts),
            ProbeName::DaemonTls => daemon_tls::judge(facts, policy),
            ProbeName::DaemonUnit => daemon_unit::judge(facts),
        }
    }

    /// What it needs to see.
    pub fn requests(&self, facts: &Facts) -> Requests {
        match self.name {
            ProbeName::ContentTrust => content_trust::requests(),
            ProbeName::DaemonUnit => daemon_unit::requests(facts),
            ProbeName::DaemonJson => crate::checks::Layout::of(facts).requests(),
            ProbeName::DaemonTls => {
                let mut requests = crate::checks::Layout::of(facts).requests();
                requests.extend(daemon_tls::requests(facts));
                requests
            }
        }
    }
}
