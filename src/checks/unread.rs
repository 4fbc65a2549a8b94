//! What the running daemon has not read of its configuration file.
//!
//! It reads the file once, when it starts, and a reload brings only some keys into effect
//! (docs.docker.com, "dockerd", "Configuration reload behavior"). What the API does not show is judged
//! by time: a file that was changed since may say what the daemon does not know. Where this program
//! has changed it, it knows which keys those are.

use super::installation::Installation;
use super::layout::{DaemonJson, Layout};
use crate::facts::Facts;
use std::collections::BTreeSet;

/// When the daemon started, in microseconds since 1970; 0 where that is not known.
pub(crate) fn started(facts: &Facts) -> i64 {
    let of_process = facts.daemon_process.known().map(|process| process.started);
    if let Some(started) = of_process.filter(|started| *started != 0) {
        return started;
    }
    let (installation, _) = Installation::of(facts);
    let unit = facts.units.get(installation.service());
    unit.map_or(0, |unit| unit.started)
}

/// The file was written after the daemon started, so the daemon may not know its content.
pub(crate) fn changed_since_start(facts: &Facts, config: &str) -> bool {
    let started = started(facts);
    started > 0
        && facts
            .node(config)
            .known()
            .is_some_and(|node| node.modified > started)
}

/// The same for one key of the file: whether it is set, to what, or that it is not.
pub(crate) fn key_changed_since_start(facts: &Facts, config: &str, key: &str) -> bool {
    let may_be = |keys: &BTreeSet<String>| keys.contains(key);
    changed_since_start(facts, config) && facts.unread_keys.as_ref().is_none_or(may_be)
}

/// Which keys a daemon that goes on running has not read once its file has become that of `after`;
/// `None` where that cannot be known.
pub(crate) fn unread_keys(before: &Facts, after: &Facts) -> Option<BTreeSet<String>> {
    let layouts = [Layout::of(before), Layout::of(after)];
    let mut keys = if changed_since_start(before, &layouts[0].config) {
        before.unread_keys.clone()?
    } else {
        BTreeSet::new()
    };
    if layouts[0].config != layouts[1].config {
        return None;
    }
    let [DaemonJson::Read(old), DaemonJson::Read(new)] = layouts.map(|it| it.daemon_json()) else {
        return None;
    };
    let changed = old.keys().into_iter().chain(new.keys());
    keys.extend(
        changed
            .filter(|key| old.get(key) != new.get(key))
            .map(str::to_owned),
    );
    Some(keys)
}
