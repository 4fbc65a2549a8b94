//! The controls: loading, validation, selection.
//!
//! Controls are TOML files in `remediations/AREA/ID.toml`, embedded at build time. A site adds its
//! own in `/etc/seaworthy/remediations.d/*.toml`.

mod control;
mod selection;

pub use control::{Applicability, Control, Example, Remediation, Severity};
pub use selection::{Selection, SelectionError};

use crate::checks::{Check, Layout, audit_requests};
use crate::facts::{Facts, Requests};
use std::collections::BTreeMap;

include!(concat!(env!("OUT_DIR"), "/embedded_controls.rs"));

/// Where a site keeps controls of its own.
pub const SITE_CONTROLS: &str = "/etc/seaworthy/remediations.d";

/// The areas in the order in which they are shown, with what people call them.
pub const AREAS: [(&str, &str); 9] = [
    ("host", "Host"),
    ("audit", "Audit rules"),
    ("daemon", "Docker daemon"),
    ("files", "Ownership and permissions"),
    ("content-trust", "Content trust"),
    ("images", "Images"),
    ("containers", "Containers"),
    ("operations", "Operations"),
    ("swarm", "Swarm"),
];

/// A control file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct CatalogError {
    /// Which file.
    pub file: String,
    /// What is wrong, with the position where there is one.
    pub reason: String,
}

/// All controls, in the order of the benchmark.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    controls: Vec<Control>,
}

impl Catalog {
    /// The controls that this program carries.
    ///
    /// # Errors
    /// Never for a program that passed its tests: one of them loads every control.
    pub fn embedded() -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        for (area, stem, text) in EMBEDDED_CONTROLS {
            catalog.add(
                area,
                stem,
                &format!("remediations/{area}/{stem}.toml"),
                text,
            )?;
        }
        Ok(catalog)
    }

    /// Adds the control that a file holds.
    ///
    /// # Errors
    /// When it is not TOML, has unknown or missing keys, an id that is not the file's stem, is taken
    /// or could not be typed as a word, or says something that cannot be.
    pub fn add(
        &mut self,
        area: &str,
        stem: &str,
        file: &str,
        text: &str,
    ) -> Result<(), CatalogError> {
        let wrong = |reason: String| CatalogError {
            file: file.to_owned(),
            reason,
        };
        let mut control: Control =
            toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        area.clone_into(&mut control.area);
        if control.id != stem {
            return Err(wrong(format!(
                "its id is `{}`, and must be the file's name, `{stem}`",
                control.id
            )));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if control.id.is_empty() || !control.id.chars().all(plain) {
            return Err(wrong(format!(
                "`{}` is not an id: letters, digits, `-`, `_` and `.` make one",
                control.id
            )));
        }
        if self.get(&control.id).is_some() {
            return Err(wrong(format!(
                "there is a control `{}` already",
                control.id
            )));
        }
        if !AREAS.iter().any(|(known, _)| *known == area) {
            return Err(wrong(format!("`{area}` is not an area")));
        }
        if !matches!(control.level, 1 | 2) {
            return Err(wrong("`level` is 1 or 2".to_owned()));
        }
        for (name, text) in [
            ("title", &control.title),
            ("rationale", &control.rationale),
            ("remediation.impact", &control.remediation.impact),
        ] {
            if text.trim().is_empty() {
                return Err(wrong(format!("`{name}` is empty")));
            }
        }
        if let Check::AuditWatch(watch) = &control.check {
            watch.perms().map_err(wrong)?;
        }
        let at = self
            .controls
            .partition_point(|other| order(other) <= order(&control));
        self.controls.insert(at, control);
        Ok(())
    }

    /// The control with this id.
    pub fn get(&self, id: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.id == id)
    }

    /// All controls.
    pub fn iter(&self) -> impl Iterator<Item = &Control> {
        self.controls.iter()
    }

    /// What the controls need to see, given what is known so far.
    pub fn requests<'a>(
        controls: impl IntoIterator<Item = &'a Control>,
        facts: &Facts,
    ) -> Requests {
        let mut requests = Requests::new();
        let mut want = |more: Requests| {
            for (path, look) in more {
                let wanted = requests.entry(path).or_insert(look);
                *wanted = look.max(*wanted);
            }
        };
        let layout = Layout::of(facts);
        let mut watches = false;
        for control in controls {
            watches |= matches!(control.check, Check::AuditWatch(_));
            want(control.check.requests(&layout));
        }
        if watches {
            // Once for all of them: rule files may be large.
            want(audit_requests(facts));
        }
        requests
    }
}

impl Control {
    /// Its number in the newest benchmark that has it: `(version, number)`.
    pub fn newest_number(&self) -> Option<(&str, &str)> {
        newest(&self.cis)
    }
}

/// The newest version of the benchmark and the number there, of numbers by version. `1.10.0` is
/// newer than `1.8.0`.
pub fn newest(cis: &BTreeMap<String, String>) -> Option<(&str, &str)> {
    cis.iter()
        .max_by_key(|(version, _)| numbers(version))
        .map(|(version, number)| (version.as_str(), number.as_str()))
}

fn numbers(dotted: &str) -> Vec<u32> {
    dotted
        .split('.')
        .map(|part| part.parse().unwrap_or(u32::MAX))
        .collect()
}

/// By area, then by benchmark number, our own controls last.
fn order(control: &Control) -> (usize, Vec<u32>, &str) {
    let area = AREAS
        .iter()
        .position(|(area, _)| *area == control.area)
        .unwrap_or(usize::MAX);
    let number = control
        .newest_number()
        .map_or_else(|| vec![u32::MAX], |(_, number)| numbers(number));
    (area, number, &control.id)
}

/// How many controls each area has, in the order of [`AREAS`].
pub fn by_area<'a, T>(
    items: impl IntoIterator<Item = T>,
    area_of: impl Fn(&T) -> &'a str,
) -> Vec<(&'static str, &'static str, Vec<T>)> {
    let mut areas: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    for item in items {
        areas.entry(area_of(&item)).or_default().push(item);
    }
    AREAS
        .iter()
        .filter_map(|(area, title)| areas.remove(*area).map(|items| (*area, *title, items)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_benchmark_is_so_by_number_and_not_by_text() {
        let cis = |versions: &[&str]| -> BTreeMap<String, String> {
            let number = |version: &&str| ((*version).to_owned(), format!("of {version}"));
            versions.iter().map(number).collect()
        };
        for (versions, newest_of_them) in [
            (&["1.8.0", "1.10.0"][..], Some(("1.10.0", "of 1.10.0"))),
            (&["1.6.0", "1.8.0"], Some(("1.8.0", "of 1.8.0"))),
            (&["2.0", "1.13.0"], Some(("2.0", "of 2.0"))),
            (&[], None),
        ] {
            assert_eq!(newest(&cis(versions)), newest_of_them);
        }
    }

    #[test]
    fn an_id_is_a_word_that_can_be_typed() {
        let text = include_str!("../../remediations/daemon/daemon-icc.toml");
        for id in ["", "a b", "a,b", "a\u{1b}[2Jb", "\u{202e}x", "a/b", "a`b"] {
            let named = text.replace("\"daemon-icc\"", &serde_json::json!(id).to_string());
            let error = Catalog::default().add("daemon", id, "x.toml", &named);
            let error = error.unwrap_err().to_string();
            assert!(error.contains("is not an id"), "{id:?}: {error}");
        }
    }
}
