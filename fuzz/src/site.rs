//! What a site writes itself: its policy, and controls of its own.

use super::{is_printable, text};
use seaworthy::catalog::Catalog;
use seaworthy::checks::Layout;
use seaworthy::facts::{Facts, Node, Seen};
use seaworthy::policy::{Policy, decides};
use seaworthy::render::{Paper, control as explain};

/// A policy.
pub fn policy(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!(matches!(policy.level, None | Some(1 | 2)));
    for key in policy.daemon.keys() {
        assert!(decides(key));
    }
    for waiver in &policy.waivers {
        assert!(!waiver.reason.trim().is_empty());
        assert!(policy.waiver(&waiver.control, "0000-01-01").is_some());
        let Some(until) = &waiver.until else { continue };
        // Dates are compared as text, which is right only in this very form.
        let is_date = until.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        assert!(is_date && until.len() == 10, "{until:?}");
    }
}

/// A control.
pub fn control(data: &[u8]) {
    let Some(text) = text(data) else { return };
    // The id is to be the file's name.
    let stem = text
        .lines()
        .find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'))
        .unwrap_or("own");
    let mut catalog = Catalog::default();
    if let Err(error) = catalog.add("host", stem, "own.toml", text) {
        assert!(error.to_string().starts_with("own.toml: "));
        assert_eq!(catalog.iter().count(), 0);
        return;
    }
    let control = catalog.get(stem).unwrap();
    assert!(matches!(control.level, 1 | 2));
    assert!(!control.title.trim().is_empty() && !control.rationale.trim().is_empty());
    assert!(is_printable(&explain(control, &Paper::default())));
    // Judged on a host of which nothing is known, and on one where nothing is.
    let mut facts = Facts::default();
    let policy = Policy::default();
    let first = control.check.judge(&facts, &policy);
    assert!(!first.evidence.is_empty());
    for _ in 0..4 {
        for (path, _) in control.check.requests(&Layout::of(&facts)) {
            facts.files.insert(path, Seen::Known(Node::absent()));
        }
        let judged = control.check.judge(&facts, &policy);
        assert!(!judged.evidence.is_empty());
    }
    // A second one of the same name is refused.
    assert!(catalog.add("host", stem, "own.toml", text).is_err());
}
