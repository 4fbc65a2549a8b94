//! Configurations that dockerd refuses at start. A plan never leads to one, and never restarts the
//! daemon on one that was there before: what would do so is held back.

use super::workbench::{Controls, Obstacle, Workbench};
use crate::change::Activation;
use crate::checks::startable::refusals;
use crate::checks::{Layout, unit_refusals};
use std::collections::BTreeMap;

/// The first reason for which the daemon would not start on the planned configuration, and whose
/// wishes lead there: those who asked for one of its keys, or else everybody whose wish needs the
/// daemon to read its configuration again. A plan that takes the reason away may go on.
pub(super) fn refusal(bench: &Workbench<'_>) -> Option<(Controls, Obstacle)> {
    if let Some(refusal) = unit_refusals(&bench.facts).into_iter().next() {
        let restarts = restarts(bench);
        if !restarts.is_empty() {
            return Some((
                restarts,
                Obstacle {
                    reason: format!(
                        "the daemon would not come up again ({}: {})",
                        refusal.source, refusal.reason
                    ),
                    cure: refusal.cure,
                },
            ));
        }
    }
    // Of one that was there before, people look for the line in the file as it is.
    let before: BTreeMap<_, _> = refusals(&Layout::of(bench.before))
        .into_iter()
        .rev()
        .map(|it| ((it.keys, it.reason), it.source))
        .collect();
    let restarts = restarts(bench);
    for refusal in refusals(&Layout::of(&bench.facts)) {
        let asked: Controls = refusal
            .keys
            .iter()
            .filter_map(|key| bench.daemon_keys.get(key))
            .flatten()
            .cloned()
            .collect();
        if !asked.is_empty() {
            return Some((
                asked,
                Obstacle {
                    reason: refusal.reason,
                    cure: refusal.cure,
                },
            ));
        }
        if !restarts.is_empty() {
            let is = (refusal.keys, refusal.reason);
            return Some((
                restarts,
                Obstacle {
                    reason: format!(
                        "the daemon would not come up again as it is configured now ({}: {})",
                        before.get(&is).unwrap_or(&refusal.source),
                        is.1
                    ),
                    cure: refusal.cure,
                },
            ));
        }
    }
    None
}

/// Everybody whose wish needs the daemon to read its configuration again.
fn restarts(bench: &Workbench<'_>) -> Controls {
    let mut restarts: Controls = bench.daemon_keys.values().flatten().cloned().collect();
    for activation in [
        Activation::ReloadUnits,
        Activation::ReloadDocker,
        Activation::RestartDocker,
    ] {
        restarts.extend(bench.wanting(activation));
    }
    restarts
}
