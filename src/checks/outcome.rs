//! Verdicts and the evidence for them.

use super::source::Source;
use crate::change::Edit;
use crate::formats::secrets;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// The verdict of one control on one host.
///
/// The default is [`Outcome::Unknown`]: a branch that somebody forgot can never pass.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Seen, and not as it should be.
    Fail,
    /// Does not concern this host.
    NotApplicable,
    /// A person must look or decide.
    Manual,
    /// Could not be seen.
    #[default]
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "not applicable",
            Self::Manual => "manual",
            Self::Unknown => "unknown",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What was seen: `icc = true`, `mode 0666`, `no watch`.
    pub seen: String,
    /// What is wanted there, empty when nothing is.
    pub wanted: String,
    /// Where: file and line, API field, flag and unit, `container web`.
    pub source: Source,
    /// A command that would say more, or make visible what could not be seen.
    pub hint: Option<String>,
    /// Configured, and takes effect at a named event: "docker.service restarts", "the next boot".
    pub pending: Option<String>,
}

/// `{seen, wanted, source}`, and what there is of `location`, `hint` and `pending`: format 1.
impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let location = self.source.location();
        let more = [
            location.is_some(),
            self.hint.is_some(),
            self.pending.is_some(),
        ];
        let more = more.into_iter().filter(|it| *it).count();
        let mut entry = serializer.serialize_struct("Evidence", 3 + more)?;
        entry.serialize_field("seen", &self.seen)?;
        entry.serialize_field("wanted", &self.wanted)?;
        entry.serialize_field("source", &self.source.to_string())?;
        match location {
            Some(location) => entry.serialize_field("location", location)?,
            None => entry.skip_field("location")?,
        }
        for (name, value) in [("hint", &self.hint), ("pending", &self.pending)] {
            match value {
                Some(value) => entry.serialize_field(name, value)?,
                None => entry.skip_field(name)?,
            }
        }
        entry.end()
    }
}

impl Evidence {
    /// Evidence without a pending event. What was seen, and where, may quote anything; secrets are masked.
    pub fn new(
        seen: impl Into<String>,
        wanted: impl Into<String>,
        source: impl Into<Source>,
    ) -> Self {
        Self {
            seen: secrets::words(&seen.into()),
            wanted: wanted.into(),
            source: match source.into() {
                Source::Other(said) => Source::Other(secrets::words(&said)),
                file @ Source::File(_) => file,
            },
            hint: None,
            pending: None,
        }
    }

    /// The same with a command that helps; an empty one is none.
    #[must_use]
    pub fn hint(mut self, command: impl Into<String>) -> Self {
        self.hint = Some(command.into()).filter(|command| !command.is_empty());
        self
    }

    /// The same, taking effect at `event`.
    #[must_use]
    pub fn pending(mut self, event: impl Into<String>) -> Self {
        self.pending = Some(event.into());
        self
    }
}

/// What a check says of a host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub outcome: Outcome,
    /// Why, at least one entry.
    pub evidence: Vec<Evidence>,
    /// What would satisfy the check; empty when it passes or when only a person can.
    pub edits: Vec<Edit>,
    /// Why nothing can be edited although the check fails, and the command that would help.
    pub blocked: Option<(String, String)>,
}

impl Judgement {
    /// A verdict with one piece of evidence and no remedy.
    pub fn new(outcome: Outcome, evidence: Evidence) -> Self {
        Self {
            outcome,
            evidence: vec![evidence],
            ..Self::default()
        }
    }

    /// Does not concern this host, because `reason`.
    pub fn not_applicable(reason: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::new(Outcome::NotApplicable, Evidence::new(reason, "", source))
    }

    /// Fails, and these edits would cure it.
    pub fn fail(evidence: Vec<Evidence>, edits: Vec<Edit>) -> Self {
        Self {
            outcome: Outcome::Fail,
            evidence,
            edits,
            blocked: None,
        }
    }

    /// Fails, and nothing can be done by editing: why, and what would help.
    pub fn blocked(
        evidence: Vec<Evidence>,
        reason: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            outcome: Outcome::Fail,
            evidence,
            edits: Vec::new(),
            blocked: Some((reason.into(), cure.into())),
        }
    }

    /// Where something was seen that decides, and what.
    pub fn seen(&self) -> String {
        self.evidence.first().map_or_else(String::new, |evidence| {
            if evidence.source.is_empty() {
                evidence.seen.clone()
            } else {
                format!("{}: {}", evidence.source, evidence.seen)
            }
        })
    }

    /// Configured, and waits for an event that no edit brings about, unless containers may stop.
    pub fn is_pending(&self) -> bool {
        let waits = |edit: &Edit| *edit == Edit::RestartContainers;
        self.edits.iter().all(waits)
            && self.blocked.is_none()
            && self
                .evidence
                .iter()
                .any(|evidence| evidence.pending.is_some())
    }
}
