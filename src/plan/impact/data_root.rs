//! Whether remapped users can pass through to the data root.
//!
//! The daemon does not start when a folder above it is closed to them
//! (moby, daemon/daemon_unix.go, setupDaemonRoot).

use super::Turn;
use crate::checks::{Layout, parent};
use crate::facts::{Facts, Kind, Look, Requests};

/// The folders above the data root, the nearest first, links followed as far as they were seen.
fn above(facts: &Facts) -> Vec<String> {
    let root = Layout::of(facts).data_root();
    let mut folders = Vec::new();
    let mut at = parent(&root).to_owned();
    while at != "/" && folders.len() < 64 {
        let real = facts.resolved(&at);
        let up = parent(&real).to_owned();
        folders.push(at);
        if !folders.contains(&real) {
            folders.push(real);
        }
        at = up;
    }
    folders
}

/// The folders that must be seen.
pub(super) fn requests(facts: &Facts) -> Requests {
    above(facts)
        .into_iter()
        .map(|folder| (folder, Look::Attributes))
        .collect()
}

/// Why the daemon would not start, and what helps.
pub(super) fn obstacle(turn: &Turn<'_>) -> Option<(String, String)> {
    turn.remaps()?;
    let closed: Vec<String> = above(turn.facts)
        .into_iter()
        .filter(|folder| {
            turn.facts
                .node(folder)
                .known()
                .is_some_and(|node| node.kind == Kind::Folder && node.mode.0 & 0o001 == 0)
        })
        .collect();
    (!closed.is_empty()).then(|| {
        let folders = closed.join(" ");
        (
            format!(
                "remapped users must pass through the folders above the data root, and the daemon would not start: {folders} is closed to others"
            ),
            format!("chmod o+x {folders}"),
        )
    })
}
