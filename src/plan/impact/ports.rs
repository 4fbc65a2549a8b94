//! `userland-proxy = false`: published ports on the host's own addresses
//! (docs.docker.com, "Packet filtering and firewalls"; dockerd(8)).

use super::{Impact, Turn, words};
use crate::checks::Layout;
use crate::facts::{Container, Docker, Facts, Look, Requests, Seen};
use crate::formats::if_inet6;
use serde_json::Value;

/// What must be seen to tell whether anybody outside comes over IPv6.
pub(super) fn requests(facts: &Facts) -> Requests {
    if facts.host.live {
        Requests::from([(if_inet6::PATH.to_owned(), Look::Content)])
    } else {
        Requests::new()
    }
}

/// Why that disrupts something here: what then cannot be reached any more.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let docker = turn
        .docker()
        .filter(|_| turn.switches_off("userland-proxy"))?;
    let reasons: Vec<String> = [
        (
            "ports published on ::1",
            on_loopback as fn(&Turn<'_>, &Container) -> bool,
        ),
        ("ports published on an IPv6 address of this host", over_ipv6),
    ]
    .into_iter()
    .filter_map(|(what, is_lost)| {
        let lost: Vec<&Container> = docker
            .running()
            .filter(|container| is_lost(turn, container))
            .collect();
        (!lost.is_empty())
            .then(|| format!("{what} could no longer be reached: {}", words::names(lost)))
    })
    .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Why ports that are published could no longer be reached at all: without its firewall rules the daemon
/// publishes by the proxy alone, and both are off then. `after` is the host as it becomes.
pub(in crate::plan) fn unserved(facts: &Facts, after: &Facts) -> Option<String> {
    let layout = Layout::of(after);
    let is_off = |key: &str| {
        let value = layout.configured(key).map(|(value, _)| value);
        // To dockerd `null` is false where a switch is expected.
        matches!(value, Some(Value::Bool(false) | Value::Null))
    };
    if !is_off("iptables") || !is_off("userland-proxy") {
        return None;
    }
    let what = "with iptables = false only the userland proxy carries to published ports";
    match &facts.docker {
        Seen::Known(docker) => {
            let who: Vec<&Container> = publishing(docker).collect();
            (!who.is_empty()).then(|| {
                format!(
                    "{what}, and nobody could reach those of {}",
                    words::names(who)
                )
            })
        }
        Seen::Unseen(unseen) => Some(if facts.host.live {
            format!(
                "{what}, and who publishes any could not be seen: {}",
                unseen.unseen
            )
        } else {
            format!("{what}, and in an image it cannot be seen who publishes any")
        }),
    }
}

/// The kernel translates no address to or from `::1`.
fn on_loopback(_: &Turn<'_>, container: &Container) -> bool {
    container.ports.iter().any(|port| port.host_ip == "::1")
}

/// The proxy alone carries from an IPv6 address of the host to a container that has none
/// (docs.docker.com, "Port publishing and mapping"). Where the host can be reached over IPv4 only,
/// nobody outside misses it.
fn over_ipv6(turn: &Turn<'_>, container: &Container) -> bool {
    // A kernel without IPv6 has no such file.
    let is_reached = || if_inet6::has_global_address(&turn.table(if_inet6::PATH));
    !container.has_ipv6
        && container
            .ports
            .iter()
            .any(|port| match port.host_ip.as_str() {
                "::1" => false,
                "" | "::" => is_reached(),
                address => address.contains(':'),
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
    let lost: Vec<&Container> = docker
        .running()
        .filter(|container| over_ipv6(turn, container))
        .collect();
    let mut all = vec![Impact {
        what: "their published ports are served by the kernel alone: on this host itself they answer on 127.0.0.1 and no longer on ::1, and containers reach them through the host by hairpin NAT"
            .to_owned(),
        who,
        why: "userland-proxy = false".to_owned(),
        size: None,
    }];
    if !lost.is_empty() {
        all.push(Impact {
            what: "their published ports no longer answer on the IPv6 addresses of this host"
                .to_owned(),
            who: words::containers(lost),
            why: "no network of theirs has IPv6, and only the userland proxy carries from IPv6 to IPv4"
                .to_owned(),
            size: None,
        });
    }
    all
}

/// Whose ports are published: containers in the host's network have none.
fn publishing(docker: &Docker) -> impl Iterator<Item = &Container> {
    docker.running().filter(|it| !it.ports.is_empty())
}
