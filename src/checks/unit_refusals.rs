//! Whether systemd would start docker.service again as its files stand.
//!
//! A unit that it refuses may lie there unnoticed for months, with a daemon that runs from the time
//! before: it shows when somebody restarts it, or at the next boot.

use super::Layout;
use super::installation::Installation;
use super::start::unit_text;
use crate::facts::Facts;
use crate::formats::unit::{Unit, refused, start};

/// Something with which systemd does not start docker.service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRefusal {
    /// As a clause: "systemd refuses docker.service: it has no ExecStart=".
    pub reason: String,
    /// What is wanted instead.
    pub wanted: String,
    /// File and line, or the file.
    pub source: String,
    /// The command that helps.
    pub cure: String,
}

/// All of it, as far as the unit's files were seen; nothing where systemd does not start the daemon.
pub fn unit_refusals(facts: &Facts) -> Vec<UnitRefusal> {
    let mut found = Vec::new();
    if Layout::of(facts).installation != Installation::Systemd {
        return found;
    }
    let Some((paths, text)) = refusals_of("docker.service", facts, &mut found) else {
        return found;
    };
    let needs_socket = ["Requires", "Requisite", "BindsTo"].iter().any(|key| {
        let values = text.values("Unit", key);
        values
            .iter()
            .any(|line| line.split_whitespace().any(|unit| unit == "docker.socket"))
    });
    if needs_socket {
        refusals_of("docker.socket", facts, &mut found);
    }
    let started = start(&text, &paths, &facts.inherited, &mut |path| {
        facts.reading(path).into_owned()
    });
    for origin in started.missing {
        let file = origin.variable.unwrap_or_default();
        found.push(UnitRefusal {
            reason: format!(
                "systemd does not start docker.service: its environment file {file} does not exist, and no `-` in front of it says that it need not"
            ),
            wanted: "a file that exists".to_owned(),
            source: format!("{}:{}", origin.file, origin.line),
            cure: format!("ls -l {file}"),
        });
    }
    found
}

/// What systemd refuses of one unit; its paths and text where they were seen.
fn refusals_of<'a>(
    name: &str,
    facts: &'a Facts,
    found: &mut Vec<UnitRefusal>,
) -> Option<(Vec<&'a str>, Unit)> {
    let unit = facts.units.get(name)?;
    let cure = format!("systemctl cat {name}; systemd-analyze verify {name}");
    if matches!(unit.not_loaded.as_str(), "bad-setting" | "error") {
        found.push(UnitRefusal {
            reason: format!(
                "systemd has refused {name} when it read it ({})",
                unit.not_loaded
            ),
            wanted: "a unit that it loads".to_owned(),
            source: unit.fragment.clone(),
            cure: cure.clone(),
        });
    }
    if unit.enabled == "masked" || unit.fragment.is_empty() {
        return None;
    }
    let (paths, text) = unit_text(facts, unit)?;
    if let Some(refused) = refused(name, &text) {
        let source = match refused.at {
            Some((text, line)) => {
                format!("{}:{line}", paths.get(text).copied().unwrap_or_default())
            }
            None => unit.fragment.clone(),
        };
        found.push(UnitRefusal {
            reason: format!("systemd refuses {name}: it {}", refused.why),
            wanted: "a unit that it loads".to_owned(),
            source,
            cure,
        });
    }
    Some((paths, text))
}
