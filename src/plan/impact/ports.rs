//! `userland-proxy = false`: published ports on the host's own addresses
//! (docs.docker.com, "Packet filtering and firewalls"; dockerd(8)).

use super::{Impact, Turn, words};
use crate::facts::{Container, Docker};

/// Why that disrupts something here: what is published on `::1` cannot be reached at all then.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let docker = turn
        .docker()
        .filter(|_| turn.switches_off("userland-proxy"))?;
    let lost: Vec<&Container> = docker
        .running()
        .filter(|it| it.ports.iter().any(|port| port.host_ip == "::1"))
        .collect();
    (!lost.is_empty()).then(|| {
        format!(
            "ports published on ::1 could no longer be reached: {}",
            words::names(lost)
        )
    })
}

/// Who publishes ports.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let Some(docker) = turn
        .docker()
        .filter(|_| turn.switches_off("userland-proxy"))
    else {
        return Vec::new();
    };
    let who = words::containers(publishing(docker));
    if who.is_empty() {
        return Vec::new();
    }
    vec![Impact {
        what: "their published ports are served by the kernel alone: on this host itself they answer on 127.0.0.1 and no longer on ::1, and containers reach them through the host by hairpin NAT"
            .to_owned(),
        who,
        why: "userland-proxy = false".to_owned(),
        size: None,
    }]
}

/// Whose ports are published: containers in the host's network have none.
fn publishing(docker: &Docker) -> impl Iterator<Item = &Container> {
    docker.running().filter(|it| !it.ports.is_empty())
}
