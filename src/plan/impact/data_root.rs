//! Whether remapped users can pass through to the data root.
//!
//! The daemon does not start when a folder above it is closed to them
//! (moby, daemon/daemon_unix.go, setupDaemonRoot).

use super::Turn;
use crate::checks::Layout;
use crate::facts::{Facts, Kind, Look, Requests};

/// The paths that lead to the data root, links on the way among them.
fn way(facts: &Facts) -> Vec<String> {
    facts.way_to(&Layout::of(facts).data_root())
}

/// What must be seen of them. The root itself may be a link: the daemon says where it leads
/// (moby, daemon/daemon_unix.go, `ReadSymlinkedDirectory`).
pub(super) fn requests(facts: &Facts) -> Requests {
    way(facts)
        .into_iter()
        .map(|path| (path, Look::Attributes))
        .collect()
}

/// Why the daemon would not start, and what helps.
pub(super) fn obstacle(turn: &Turn<'_>) -> Option<(String, String)> {
    turn.remaps()?;
    let root = turn.facts.real_path(&Layout::of(turn.facts).data_root());
    let closed: Vec<String> = way(turn.facts)
        .into_iter()
        .filter(|folder| *folder != root)
        .filter(|folder| {
            // What was not seen is noted.
            turn.exists(folder)
                && turn
                    .facts
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
