//! What a daemon that answers did not show.

use super::{Cause, Facts, Seen, Unseen};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that a daemon which answers did not show, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// What.
    pub part: Part,
    /// Why.
    pub why: Unseen,
}

/// A part of what a daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A field of `/info`, `LiveRestoreEnabled`. The daemon always sends those that are named so.
    Info(String),
    /// The networks.
    Networks,
    /// The list of containers: how many there are is not known.
    Containers,
    /// One container of the list, by its name, or by its id where that is all that is known.
    Container(String),
    /// The images.
    Images,
    /// The volumes.
    Volumes,
}

/// What a run asked for and did not see, because whoever was asked hung, said too much or no sense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotSeen {
    /// What: `container web`, `Docker`, `docker.service`.
    pub what: String,
    /// Why, as a clause.
    pub why: String,
    /// The kind of reason.
    pub cause: Cause,
    /// A command that would say more; empty where none is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

impl NotSeen {
    fn new(what: impl Into<String>, why: &Unseen) -> Self {
        Self {
            what: what.into(),
            why: why.unseen.clone(),
            cause: why.cause,
            hint: why.hint.clone(),
        }
    }
}

impl Facts {
    /// Everything that was asked for and not seen, because whoever was asked hung, said too much or no
    /// sense. What needs more rights, or does not run, is not among it: verdicts say that.
    pub fn not_seen(&self) -> Vec<NotSeen> {
        let broken = |why: &Unseen| {
            matches!(
                why.cause,
                Cause::NoAnswer | Cause::TooBig | Cause::BadAnswer
            )
        };
        let mut all = Vec::new();
        let silent = self
            .units
            .iter()
            .filter(|(_, unit)| unit.active == "unknown");
        all.extend(silent.map(|(name, _)| NotSeen {
            what: name.clone(),
            why: "systemd did not say whether it runs".to_owned(),
            cause: Cause::NoAnswer,
            hint: format!("systemctl status {name}"),
        }));
        match &self.docker {
            Seen::Known(docker) => {
                let hidden = docker.hidden.iter();
                all.extend(hidden.map(|it| NotSeen::new(it.part.to_string(), &it.why)));
            }
            // It was not asked where systemd did not say whether that would start it.
            Seen::Unseen(why) if broken(why) || !all.is_empty() => {
                all.push(NotSeen::new("Docker", why));
            }
            Seen::Unseen(_) => {}
        }
        let others = [
            ("the version of dockerd", unseen(&self.docker_version)),
            ("the version of docker", unseen(&self.docker_client)),
            (
                "the kernel's audit rules",
                unseen(&self.auditing.kernel_rules),
            ),
            ("whether auditing is on", unseen(&self.auditing.enabled)),
        ];
        for (what, why) in others {
            all.extend(
                why.filter(|why| broken(why))
                    .map(|why| NotSeen::new(what, why)),
            );
        }
        all
    }
}

fn unseen<T>(seen: &Seen<T>) -> Option<&Unseen> {
    match seen {
        Seen::Known(_) => None,
        Seen::Unseen(why) => Some(why),
    }
}

impl fmt::Display for Part {
    /// `container web`, `the images`, `/info LiveRestoreEnabled`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Info(field) => write!(f, "/info {field}"),
            Self::Networks => f.write_str("the networks"),
            Self::Containers => f.write_str("the containers"),
            Self::Container(name) => write!(f, "container {name}"),
            Self::Images => f.write_str("the images"),
            Self::Volumes => f.write_str("the volumes"),
        }
    }
}

impl fmt::Display for Hidden {
    /// `container web (no answer within 10 s)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.part, self.why.unseen)
    }
}
