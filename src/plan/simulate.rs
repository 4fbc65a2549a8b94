//! What the services make of new files, as far as it is known: so that a plan can be judged before
//! it is applied, and a forecast compared with what happened.

use super::forecast::Fate;
use super::restart::Restart;
use crate::checks::{Layout, Rules, unread_keys};
use crate::facts::{Facts, Seen};
use crate::options::{self, Shown, Version};
use serde_json::Value;
use std::collections::HashSet;

/// systemd reads its units' files.
pub(super) fn reload_units(facts: &mut Facts) {
    for unit in facts.units.values_mut() {
        unit.needs_reload = false;
    }
}

/// Rules from the files come into the kernel, in their order; what only the kernel knew is added again behind them.
pub(super) fn load_audit_rules(facts: &mut Facts) {
    let from_files = Rules::of(facts).shown(facts);
    if let Seen::Known(rules) = &mut facts.auditing.kernel_rules {
        let known: HashSet<&String> = from_files.iter().collect();
        let mut others = rules.clone();
        others.retain(|rule| !known.contains(rule));
        *rules = from_files;
        rules.append(&mut others);
    }
}

/// The daemon reads what a reload brings into effect, and nothing else. What the API does not show
/// may differ from the file from then on, for the keys that are changed.
pub(super) fn reload_docker(before: &Facts, facts: &mut Facts) {
    facts.unread_keys = unread_keys(before, facts);
    let layout = Layout::of(facts);
    let config = layout.config.clone();
    let live_restore = layout.configured("live-restore").map(|(value, _)| value);
    if let (Seen::Known(docker), Some(Value::Bool(on))) = (&mut facts.docker, live_restore) {
        docker.live_restore = on;
    }
    if let Some(Seen::Known(node)) = facts.files.get_mut(&config) {
        node.modified = i64::MAX;
    }
}

/// The daemon starts anew, on `facts` as they become; what it holds is as it was `before`.
pub(super) fn restart_docker(before: &Facts, facts: &mut Facts, restart: Restart) {
    facts.docker.clone_from(&before.docker);
    let layout = Layout::of(facts);
    let version = facts.docker_version.known();
    let version = version.and_then(|version| Version::parse(version));
    // What the API will show of each option: its value as it is configured, or its default.
    let becomes: Vec<(Shown, Value)> = options::rows()
        .filter_map(|row| {
            let shown = row.shown.filter(|shown| shown.restart.is_some())?;
            let value = match layout.configured(row.name) {
                Some((value, _)) => value,
                None => row.default.value(version)?,
            };
            Some((shown, value))
        })
        .collect();
    if let Seen::Known(docker) = &mut facts.docker {
        let mut containers = std::mem::take(&mut docker.containers);
        containers.retain_mut(|container| {
            let keeps = restart.keeps() && docker.live_restore_keeps(container);
            let (fate, _) = Fate::over_restart(container, keeps);
            container.running = fate.runs();
            fate != Fate::Deleted
        });
        docker.containers = containers;
        let was_remapped = docker.is_remapped();
        for (shown, value) in becomes {
            if let Some(change) = shown.restart
                && !(shown.of_bridge && restart.keeps())
            {
                change(docker, &value);
            }
        }
        if docker.is_remapped() != was_remapped {
            // Another root: nothing of the old one is seen (docs.docker.com, userns-remap).
            docker.containers.clear();
            docker.images.clear();
            docker.volumes.clear();
            docker.networks.clear();
        }
    }
    if let Some(unit) = facts.units.get_mut("docker.service") {
        unit.started = i64::MAX;
        if let Seen::Known(process) = &mut facts.daemon_process {
            process.argv.clone_from(&unit.argv);
            process.started = i64::MAX;
        }
    }
}
