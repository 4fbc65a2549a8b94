//! `/etc/seaworthy/policy.toml`: the decisions that only the people of a site can make.
//!
//! ```toml
//! level = 1                      # benchmark profile level: 1 leaves level-2 controls out
//!
//! [daemon]                       # values for options that need a decision
//! log-driver = "journald"
//!
//! [[waiver]]                     # a finding that is accepted
//! control = "daemon-icc"
//! reason = "legacy links on this host, moved by March"
//! until = "2027-03-31"           # optional
//! ```

use crate::options::{row, rows};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where the policy is, unless `--config` names another file.
pub const PATH: &str = "/etc/seaworthy/policy.toml";

/// Whether a policy may give a value for a daemon option: its row says so.
pub fn decides(key: &str) -> bool {
    row(key).is_some_and(|row| row.decided)
}

/// What a site has decided.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Policy {
    /// The highest benchmark level that is looked at; both when absent.
    pub level: Option<u8>,
    /// Values for daemon options, by daemon.json key.
    pub daemon: BTreeMap<String, Value>,
    /// Findings that are accepted.
    #[serde(rename = "waiver")]
    pub waivers: Vec<Waiver>,
}

/// A finding that is accepted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Waiver {
    /// The control's id.
    pub control: String,
    /// Why it is accepted; never empty.
    pub reason: String,
    /// The last day on which it holds, `2027-03-31`; for ever when absent.
    #[serde(default)]
    pub until: Option<String>,
}

/// What is wrong with a policy file.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not TOML, or has a key that means nothing.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// It says something that cannot be meant.
    #[error("{0}")]
    Meaning(String),
}

impl Policy {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    /// With name and position when it is not TOML or has an unknown key; when a waiver has no
    /// reason, a date is none, or a daemon option is not one that a policy decides.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text)?;
        let wrong = |what: String| Err(PolicyError::Meaning(what));
        if let Some(key) = policy.daemon.keys().find(|key| !decides(key)) {
            let others = rows().filter(|row| row.decided).map(|row| row.name);
            return wrong(format!(
                "[daemon] `{key}` is not an option that a policy decides; those are {}",
                others.collect::<Vec<_>>().join(", ")
            ));
        }
        if !matches!(policy.level, None | Some(1 | 2)) {
            return wrong("`level` is 1 or 2".to_owned());
        }
        for waiver in &policy.waivers {
            if waiver.reason.trim().is_empty() {
                return wrong(format!(
                    "the waiver of `{}` gives no reason",
                    waiver.control
                ));
            }
            if let Some(until) = &waiver.until
                && !is_date(until)
            {
                return wrong(format!(
                    "the waiver of `{}` ends on `{until}`, which is not a date such as 2027-03-31",
                    waiver.control
                ));
            }
        }
        Ok(policy)
    }

    /// The waiver that covers a control on `today` (`2026-11-22`), if any.
    pub fn waiver(&self, control: &str, today: &str) -> Option<&Waiver> {
        // ISO dates compare as text.
        self.waivers.iter().find(|waiver| {
            waiver.control == control && waiver.until.as_deref().is_none_or(|until| until >= today)
        })
    }
}

/// Whether it is a date in the one spelling that sorts as text: `20270331` is a date too, and would
/// stand after every day of its year.
fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>()
        .is_ok_and(|date| date.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_what_is_wrong() {
        for (text, part) in [
            ("levle = 1", "levle"),
            ("level = 3", "`level` is 1 or 2"),
            (
                "[daemon]\nicc = true",
                "`icc` is not an option that a policy decides",
            ),
            (
                "[[waiver]]\ncontrol = \"x\"\nreason = \" \"",
                "gives no reason",
            ),
            (
                "[[waiver]]\ncontrol = \"x\"\nreason = \"y\"\nuntil = \"soon\"",
                "not a date",
            ),
            (
                "[[waiver]]\ncontrol = \"x\"\nreason = \"y\"\nuntil = \"20260101\"",
                "not a date",
            ),
            (
                "[[waiver]]\ncontrol = \"x\"\nreason = \"y\"\nuntil = \"2026-01-01T10:00:00\"",
                "not a date",
            ),
            ("level = ", "line 1"),
        ] {
            let error = Policy::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?} gave {error:?}");
        }
    }

    #[test]
    fn a_waiver_ends_after_its_last_day() {
        let policy =
            Policy::parse("[[waiver]]\ncontrol = \"x\"\nreason = \"y\"\nuntil = \"2027-03-31\"")
                .unwrap();
        assert!(policy.waiver("x", "2027-03-31").is_some());
        assert!(policy.waiver("x", "2027-04-01").is_none());
        assert!(policy.waiver("z", "2027-01-01").is_none());
    }
}
