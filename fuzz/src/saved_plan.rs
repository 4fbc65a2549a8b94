//! Saved plans: files that somebody may have changed since.

use super::{is_printable, text};
use seaworthy::facts::Facts;
use seaworthy::plan::Document;
use seaworthy::render::{Paper, plan as render};

/// Reads a plan, prints it and holds a host to it.
pub fn saved_plan(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let printed = serde_json::to_string(&document).unwrap();
    assert_eq!(Document::parse(&printed).as_ref(), Ok(&document));
    for paper in [false, true].map(|quiet| Paper {
        quiet,
        ..Paper::default()
    }) {
        let shown = render(&document, &paper);
        assert!(is_printable(&shown), "{shown:?}");
    }
    // On a host of which nothing is known.
    let facts = Facts::default();
    assert!(!document.is_done(&facts) || !document.steps.is_empty());
    let mut other = document.clone();
    if document.hold_to(&other, &facts).is_ok() {
        other.steps.pop();
        assert!(other.steps == document.steps || document.hold_to(&other, &facts).is_err());
        assert!(other.steps == document.steps || other.hold_to(&document, &facts).is_err());
    }
}
