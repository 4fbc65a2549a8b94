//! /etc/environment: reading, and editing that touches one variable only.

use super::text;
use seaworthy::formats::environment::{assignments, set, unset, value, values};

const NAME: &str = "DOCKER_CONTENT_TRUST";

/// Values that need quotes, and some that no file can express.
const VALUES: [&str; 8] = ["1", "", "a b", "\"q", "q\"", "x\\", " lead", "a#b"];

fn others(text: &str) -> Vec<(String, String)> {
    assignments(text)
        .into_iter()
        .filter(|one| one.name != NAME)
        .map(|one| (one.name, one.value))
        .collect()
}

/// Reads and edits.
pub fn environment(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let all = assignments(text);
    let effective = values(text);
    let lines = text.split_inclusive('\n').count();
    for one in &all {
        assert!(one.line >= 1 && one.line <= lines && !one.name.is_empty());
        assert!(!one.value.contains('#'));
        let last = value(text, &one.name);
        let known = last.as_ref().map(|last| &last.value);
        assert_eq!(known, effective.get(&one.name));
        if let Some(last) = last {
            assert_eq!(
                all.iter().rfind(|other| other.name == one.name),
                Some(&last)
            );
        }
    }
    let without = unset(text, NAME);
    assert_eq!(value(&without, NAME), None);
    assert!(assignments(&without).iter().all(|one| one.name != NAME));
    assert_eq!(others(&without), others(text));
    assert_eq!(unset(&without, NAME), without);
    for wanted in VALUES {
        let edited = set(text, NAME, wanted);
        let now = value(&edited, NAME).map(|one| one.value);
        if now.as_deref() != Some(wanted) {
            assert_eq!(edited, text);
            assert!(wanted != "1", "{now:?} in {edited:?}");
            continue;
        }
        assert_eq!(set(&edited, NAME, wanted), edited);
        assert_eq!(others(&edited), others(text));
        // Every line that is not about the variable is still there, in its order and byte for byte.
        let mut there = edited.split('\n');
        for line in without.split_terminator('\n') {
            assert!(
                there.any(|other| other == line),
                "{line:?} is gone from {edited:?}"
            );
        }
        let own = assignments(&edited)
            .into_iter()
            .filter(|one| one.name == NAME);
        assert!(own.count() == 1 || edited == text);
    }
}
