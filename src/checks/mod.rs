//! The kinds of check: each judges facts and names the edits that would satisfy it.
//!
//! A check is data in a control file (`[check]`, [`Check`]); its kind is one file here, a bespoke
//! one is one file in `probes`. Judging is pure. The remedy is derived from the same data as the
//! verdict, so the two cannot disagree.

mod audit_watch;
mod auditing;
mod blind;
mod certificates;
mod companions;
mod daemon;
mod daemon_option;
mod file_access;
mod hands_off;
pub mod installation;
mod layout;
mod not_read;
mod outcome;
mod place;
mod source;
mod start;
pub mod startable;
mod swarm;
mod unit_refusals;
mod unread;

pub use audit_watch::{AuditWatch, GENERATED_RULES};
pub use auditing::Shared;
pub(crate) use auditing::requests as audit_requests;
pub(crate) use auditing::{OWN_RULES_FILE, RULES_FILE, RULES_FOLDER, Rules, TMPFILES, rule_files};
pub use daemon::Daemon;
pub use daemon_option::{BRIDGE_EVENT, DaemonOption, Want};
pub use file_access::FileAccess;
pub use hands_off::hands_off;
pub(crate) use layout::parent;
pub use layout::{DaemonJson, Layout};
pub use outcome::{Evidence, Judgement, Outcome};
pub use place::Place;
pub use source::{Location, Source};
pub(crate) use start::unit_text;
pub use start::{hidden_flag, reread, start_command};
pub use unit_refusals::{UnitRefusal, unit_refusals};
pub(crate) use unread::{changed_since_start, key_changed_since_start, started, unread_keys};

use crate::facts::{Facts, Requests};
use crate::policy::Policy;
use crate::probes::Probe;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;

/// What a control looks at and what it wants to see there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Check {
    /// One option of the daemon: file, flags and running daemon.
    DaemonOption(DaemonOption),
    /// One audit watch: rule files, kernel, and the next boot.
    AuditWatch(AuditWatch),
    /// Owner, group or permission bits of a file.
    FileAccess(FileAccess),
    /// Something that no other control shares.
    Probe(Probe),
}

impl Check {
    /// Judges the facts.
    pub fn judge(&self, facts: &Facts, policy: &Policy) -> Judgement {
        self.judge_with(facts, policy, &Shared::new(facts, &OnceCell::new()))
    }

    /// The same, for many checks of the same facts: what they share is made once.
    pub fn judge_with(&self, facts: &Facts, policy: &Policy, shared: &Shared<'_>) -> Judgement {
        if let Some(judgement) = installation::beyond_reach(self, facts) {
            return judgement;
        }
        let judgement = match self {
            Self::DaemonOption(check) => check.judge(shared.layout(), policy),
            Self::AuditWatch(check) => check.judge(facts, shared),
            Self::FileAccess(check) => check.judge(shared.layout()),
            Self::Probe(probe) => probe.judge(shared.layout(), policy),
        };
        self.doubted(shared.layout(), judgement)
    }

    /// What it needs to see, given what is known so far.
    pub fn requests(&self, layout: &Layout<'_>) -> Requests {
        match self {
            Self::DaemonOption(_) => Requests::new(),
            Self::AuditWatch(check) => check.requests(layout),
            Self::FileAccess(check) => check.requests(layout),
            Self::Probe(probe) => probe.requests(layout),
        }
    }
}
