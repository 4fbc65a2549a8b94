//! `experimental` off: checkpoints cannot be made, listed or started from any more
//! (docs.docker.com, "docker checkpoint"); they lie below the container's own folder
//! (moby, daemon/checkpoint.go).

use super::{Impact, Turn, words};
use crate::checks::Layout;
use crate::facts::{Container, Docker, Facts, Kind, Look, Requests, Seen};

fn folder(facts: &Facts, docker: &Docker, container: &Container) -> String {
    let root = if docker.root_dir.is_empty() {
        facts.real_path(&Layout::of(facts).data_root())
    } else {
        docker.root_dir.clone()
    };
    format!("{root}/containers/{}/checkpoints", container.id)
}

/// The folders that must be seen; only a daemon with experimental features makes any.
pub(super) fn requests(facts: &Facts) -> Requests {
    let Some(docker) = facts.docker.known().filter(|docker| docker.experimental) else {
        return Requests::new();
    };
    docker
        .containers
        .iter()
        .map(|container| (folder(facts, docker, container), Look::Entries))
        .collect()
}

/// Who has checkpoints, and who may have some.
fn who<'a>(turn: &Turn<'a>) -> Vec<&'a Container> {
    let is_on = |docker: &&Docker| docker.experimental && turn.starts();
    let Some(docker) = turn.docker().filter(is_on) else {
        return Vec::new();
    };
    if turn.is_on("experimental") {
        return Vec::new();
    }
    docker
        .containers
        .iter()
        .filter(
            |container| match turn.facts.node(&folder(turn.facts, docker, container)) {
                Seen::Known(node) => node.kind != Kind::Absent && !node.is_empty_folder(),
                Seen::Unseen(_) => true,
            },
        )
        .collect()
}

/// Why that disrupts something here.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let who = who(turn);
    (!who.is_empty()).then(|| {
        format!(
            "containers could no longer be started from their checkpoints: {}",
            words::names(who)
        )
    })
}

/// Whose checkpoints are of no use then.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let who = words::containers(who(turn));
    if who.is_empty() {
        return Vec::new();
    }
    vec![Impact {
        what: "can no longer be started from their checkpoints, nor get new ones".to_owned(),
        who,
        why: "checkpoints are an experimental feature".to_owned(),
        size: None,
    }]
}
