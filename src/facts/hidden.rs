//! What a daemon that answers did not show.

use super::Unseen;
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
