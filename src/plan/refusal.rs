//! Configurations that dockerd refuses at start although each key is fine by itself. A plan never
//! contains one: what would lead there is held back.
//!
//! `dockerd --validate` misses all of these, and needs a version that has it.

use super::workbench::{Controls, Obstacle, Workbench};
use crate::change::Activation;
use crate::checks::{DaemonJson, Layout};
use crate::facts::{Facts, Swarm, major};
use serde_json::json;

/// Keys that a version does not know yet, with the first that does; the daemon refuses to start
/// with a key that it does not know.
const ADDED_IN: [(&str, u32); 2] = [("default-network-opts", 24), ("log-format", 25)];

/// The first reason for which the daemon would not start on the planned configuration, and whose
/// wishes lead there.
pub(super) fn refusal(bench: &Workbench<'_>) -> Option<(Controls, Obstacle)> {
    let facts = &bench.facts;
    let layout = Layout::of(facts);
    let DaemonJson::Read(document) = layout.daemon_json() else {
        return None;
    };
    let of = |keys: &[&str]| -> Controls {
        keys.iter()
            .filter_map(|key| bench.daemon_keys.get(*key))
            .flatten()
            .cloned()
            .collect()
    };
    let is = |key: &str, value: serde_json::Value| {
        layout
            .configured(key)
            .is_some_and(|(configured, _)| configured == value)
    };
    let refused = |keys: &[&str], reason: String, cure: &str| {
        let controls = of(keys);
        (!controls.is_empty()).then(|| {
            (
                controls,
                Obstacle {
                    reason,
                    cure: cure.to_owned(),
                },
            )
        })
    };

    if is("icc", json!(false)) && is("iptables", json!(false)) {
        return refused(
            &["icc"],
            "the daemon refuses to start with icc = false while iptables = false".to_owned(),
            "seaworthy plan --only daemon-iptables,daemon-icc",
        );
    }
    if is("live-restore", json!(true)) && in_swarm(facts) {
        return refused(
            &["live-restore"],
            "the daemon of a swarm member refuses to start with live-restore = true".to_owned(),
            "docker info --format '{{.Swarm.LocalNodeState}}'",
        );
    }
    for key in document.keys() {
        // Whoever restarts the daemon would find out, not only those who write the key.
        let mut controls = of(&[key]);
        controls.extend(bench.who_wants(Activation::RestartDocker));
        if let Some((_, source)) = layout.conflict(key).and(layout.by_flag(key))
            && !controls.is_empty()
        {
            let reason = format!(
                "docker.service passes {source}, and the daemon refuses to start when a flag is repeated in {}",
                layout.config
            );
            let cure = "systemctl edit docker.service".to_owned();
            return Some((controls, Obstacle { reason, cure }));
        }
    }
    if let Some(version) = facts.docker_version.known()
        && let Some(running) = major(version)
    {
        if let Some((key, added)) = ADDED_IN
            .iter()
            .find(|(key, added)| running < *added && bench.daemon_keys.contains_key(*key))
        {
            return refused(
                &[key],
                format!(
                    "dockerd {version} does not know {key} (since {added}.0) and would not start"
                ),
                "dockerd --version",
            );
        }
        let snapshotter = document
            .get("features")
            .is_some_and(|features| features["containerd-snapshotter"] == json!(true));
        if running >= 29 && snapshotter && document.get("userns-remap").is_some() {
            return refused(
                &["userns-remap"],
                "dockerd 29 refuses userns-remap together with the containerd image store"
                    .to_owned(),
                "docker info --format '{{.DriverStatus}}'",
            );
        }
    }
    None
}

fn in_swarm(facts: &Facts) -> bool {
    facts
        .docker
        .known()
        .is_some_and(|docker| docker.swarm == Swarm::Active)
}
