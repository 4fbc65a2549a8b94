//! One control, as its TOML file says it.

use crate::checks::{Check, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How bad it is when a control fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good practice; little is lost without it.
    Low,
    /// One defence less.
    Medium,
    /// A way to the host or to other containers.
    High,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// The least that is always true of a remedy, from least to most trusted: what is found on a host
/// can lower it for one finding, never raise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applicability {
    /// Only a person can do it.
    Manual,
    /// Can be done, and something may stop working: only with `--allow-disruption` or `--only`.
    Disruptive,
    /// Can be done without asking.
    Automatic,
}

impl fmt::Display for Applicability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Manual => "manual",
            Self::Disruptive => "disruptive",
            Self::Automatic => "automatic",
        })
    }
}

/// What the remedy is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Remediation {
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// What may stop working, in words.
    pub impact: String,
    /// What a person does where nothing is derived from the check; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manual: String,
}

/// A host in brief and the verdict on it: documentation for `explain`, and a test.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Example {
    /// What is special about this host.
    pub name: String,
    /// Facts that differ from the sample host.
    #[serde(default)]
    pub facts: serde_json::Value,
    /// `policy.toml` of this host.
    #[serde(default)]
    pub policy: Option<String>,
    /// The verdict.
    pub expect: Outcome,
    /// Files after the remedy was applied.
    #[serde(default)]
    pub after: BTreeMap<String, String>,
}

/// One control: what is checked, why it matters, and what would cure it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Control {
    /// Stable for ever; names the subject, never the number or the cure. The file's stem.
    pub id: String,
    /// True when it passes.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// 1 or 2: the benchmark's profile level.
    pub level: u8,
    /// Recommendation number by benchmark version; empty for our own controls.
    #[serde(default)]
    pub cis: BTreeMap<String, String>,
    /// Why it matters.
    pub rationale: String,
    /// Where to read more.
    #[serde(default)]
    pub references: Vec<String>,
    /// What is checked.
    pub check: Check,
    /// What the cure is like.
    pub remediation: Remediation,
    /// Examples: at least one pass and one fail.
    #[serde(default, rename = "example")]
    pub examples: Vec<Example>,
    /// The folder of the file: `audit`, `daemon`, `files`, …
    #[serde(skip)]
    pub area: String,
}
