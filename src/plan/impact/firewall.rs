//! `iptables` and `ip6tables` back on: who was closed off by the host's own firewall.
//!
//! With its firewall switched off Docker publishes a port by a process of the host's, which the
//! host's firewall guards like any other. With it on, traffic to a published port is redirected
//! before that firewall is asked, and accepted by Docker's own rules for forwarded traffic
//! (docs.docker.com, "Packet filtering and firewalls", "Docker and ufw").

use super::{Impact, Turn, words};
use crate::facts::{Container, Facts, Look, Port, Requests};
use crate::formats::settings;

/// The switches, and the first major version in which each is on where nothing sets it
/// (moby, cmd/dockerd/config_unix.go; release notes of 27.0).
const SWITCHES: [(&str, u32); 2] = [("iptables", 0), ("ip6tables", 27)];

/// How a firewall shows that it is in use.
enum Sign {
    /// A setting in a file of assignments.
    Setting(&'static str, &'static str, &'static str),
    /// One of these services starts at boot.
    Service(&'static [&'static str]),
    /// A file that is there while it runs.
    Running(&'static str),
}

/// Firewalls of hosts, and what shows that they are in use: their packages' units and files.
const FIREWALLS: [(&str, &[Sign]); 8] = [
    (
        "ufw",
        &[Sign::Setting("/etc/ufw/ufw.conf", "ENABLED", "yes")],
    ),
    (
        "firewalld",
        &[
            Sign::Service(&["firewalld"]),
            Sign::Running("/run/firewalld.pid"),
        ],
    ),
    ("nftables", &[Sign::Service(&["nftables"])]),
    (
        "iptables",
        &[Sign::Service(&[
            "netfilter-persistent",
            "iptables",
            "ip6tables",
        ])],
    ),
    ("shorewall", &[Sign::Service(&["shorewall", "shorewall6"])]),
    ("ferm", &[Sign::Service(&["ferm"])]),
    ("firehol", &[Sign::Service(&["firehol"])]),
    ("csf", &[Sign::Setting("/etc/csf/csf.conf", "TESTING", "0")]),
];

/// The targets in which their units are installed (systemd.unit(5), `WantedBy=`).
const TARGETS: [&str; 5] = [
    "multi-user.target.wants",
    "sysinit.target.wants",
    "basic.target.wants",
    "network-pre.target.wants",
    "network.target.wants",
];

/// Runlevels of OpenRC.
const RUNLEVELS: [&str; 3] = ["default", "boot", "sysinit"];

/// Where links show that a service starts at boot.
fn links(service: &str) -> impl Iterator<Item = String> {
    let units = TARGETS
        .iter()
        .map(move |target| format!("/etc/systemd/system/{target}/{service}.service"));
    units.chain(
        RUNLEVELS
            .iter()
            .map(move |level| format!("/etc/runlevels/{level}/{service}")),
    )
}

/// The file whose link to `/dev/null` masks a unit.
fn mask(service: &str) -> String {
    format!("/etc/systemd/system/{service}.service")
}

/// The files that must be seen. They are looked at only where one of the switches is off.
pub(super) fn requests(facts: &Facts) -> Requests {
    let layout = crate::checks::Layout::of(facts);
    let is_set =
        |key: &str| layout.configured(key).is_some() || layout.by_running_flag(key).is_some();
    let mut requests = Requests::new();
    if !SWITCHES.iter().any(|(key, _)| is_set(key)) {
        return requests;
    }
    for sign in FIREWALLS.iter().flat_map(|(_, signs)| *signs) {
        match sign {
            Sign::Setting(path, ..) => {
                requests.insert((*path).to_owned(), Look::Content);
            }
            Sign::Service(services) => {
                for service in *services {
                    let paths = links(service).chain([mask(service)]);
                    requests.extend(paths.map(|path| (path, Look::Attributes)));
                }
            }
            Sign::Running(path) => {
                requests.insert((*path).to_owned(), Look::Attributes);
            }
        }
    }
    requests
}

/// The firewalls that are in use here, each with what shows it.
fn in_use(turn: &Turn<'_>) -> Vec<(&'static str, String)> {
    FIREWALLS
        .iter()
        .filter_map(|(name, signs)| Some((*name, signs.iter().find_map(|sign| shows(turn, sign))?)))
        .collect()
}

fn shows(turn: &Turn<'_>, sign: &Sign) -> Option<String> {
    match sign {
        Sign::Setting(path, name, value) => {
            let text = turn.table(path);
            let set = settings::value(&text, name)?;
            set.eq_ignore_ascii_case(value)
                .then(|| format!("{path}: {name}={set}"))
        }
        Sign::Service(services) => services.iter().find_map(|service| {
            let is_masked = turn
                .facts
                .node(&mask(service))
                .known()
                .is_some_and(|node| node.target.as_deref() == Some("/dev/null"));
            links(service)
                .filter(|_| !is_masked)
                .find(|path| turn.exists(path))
        }),
        Sign::Running(path) => turn.exists(path).then(|| (*path).to_owned()),
    }
}

/// The switches that go on.
fn opened(turn: &Turn<'_>) -> Vec<&'static str> {
    let version = turn.facts.docker_version.known();
    let major = version.and_then(|version| crate::facts::major(version));
    SWITCHES
        .iter()
        .filter(|(key, since)| {
            // Of an unknown version more is feared.
            turn.switches_on(key, major.is_none_or(|major| major >= *since))
        })
        .map(|(key, _)| *key)
        .collect()
}

/// The ports that others than this host itself can reach, as `0.0.0.0:8080`; of both protocols where
/// both switches go on.
fn reachable(container: &Container, switches: &[&str]) -> Vec<String> {
    let is_open = |port: &&Port| {
        let is_v6 = port.host_ip.contains(':');
        !port.host_port.is_empty()
            && port.host_ip != "::1"
            && !port.host_ip.starts_with("127.")
            && (port.host_ip.is_empty()
                || switches.contains(&if is_v6 { "ip6tables" } else { "iptables" })
                // The proxy carries from IPv6 to IPv4.
                || is_v6 && switches.contains(&"iptables"))
    };
    let mut all: Vec<String> = container
        .ports
        .iter()
        .filter(is_open)
        .map(address)
        .collect();
    all.sort();
    all.dedup();
    all
}

fn address(port: &Port) -> String {
    let ip = match port.host_ip.as_str() {
        "" => "0.0.0.0".to_owned(),
        ip if ip.contains(':') => format!("[{ip}]"),
        ip => ip.to_owned(),
    };
    match port.container.split_once('/') {
        Some((_, protocol)) if protocol != "tcp" => format!("{ip}:{}/{protocol}", port.host_port),
        _ => format!("{ip}:{}", port.host_port),
    }
}

/// Whose ports, those that run first: `(container, ports)`.
fn publishers<'a>(turn: &Turn<'a>, switches: &[&str]) -> Vec<(&'a Container, Vec<String>)> {
    let Some(docker) = turn.docker() else {
        return Vec::new();
    };
    let mut all: Vec<_> = docker
        .containers
        .iter()
        .map(|container| (container, reachable(container, switches)))
        .filter(|(_, ports)| !ports.is_empty())
        .collect();
    all.sort_by_key(|(container, _)| !container.running);
    all
}

fn listed(firewalls: &[(&str, String)], word: fn(&(&str, String)) -> String) -> String {
    words::listed(&firewalls.iter().map(word).collect::<Vec<_>>())
}

/// Why that disrupts something here: the host has a firewall of its own, or ports are published.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let switches = opened(turn);
    if switches.is_empty() {
        return None;
    }
    let ports: Vec<String> = publishers(turn, &switches)
        .into_iter()
        .filter(|(container, _)| container.running)
        .map(|(container, ports)| format!("{} {}", words::plain(&container.name), ports.join(" ")))
        .collect();
    let firewalls = in_use(turn);
    let whose = if firewalls.is_empty() {
        if ports.is_empty() {
            return None;
        }
        "any other rule of this host".to_owned()
    } else {
        format!(
            "this host's own firewall, {},",
            listed(&firewalls, |(name, sign)| format!("{name} ({sign})"))
        )
    };
    let ports = match &ports[..] {
        [] => String::new(),
        ports => format!(": {}", ports.join(", ")),
    };
    Some(format!(
        "Docker would accept traffic to published ports before {whose} is asked{ports}"
    ))
}

/// Whose ports are open then.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let switches = opened(turn);
    if switches.is_empty() {
        return Vec::new();
    }
    let who: Vec<String> = publishers(turn, &switches)
        .iter()
        .flat_map(|(container, ports)| {
            let name = words::container(container);
            ports.iter().map(move |port| format!("{name} {port}"))
        })
        .collect();
    let firewalls = in_use(turn);
    let switches = words::listed(
        &switches
            .iter()
            .map(|it| (*it).to_owned())
            .collect::<Vec<_>>(),
    );
    let seen = turn.docker().is_some();
    let what = match (firewalls.is_empty(), who.is_empty()) {
        (true, false) => {
            "Docker accepts traffic to their published ports, before any other rule is asked"
                .to_owned()
        }
        (true, true) if seen => {
            "Docker sets up firewall rules again; no container publishes a port now".to_owned()
        }
        (true, true) => {
            "Docker accepts traffic to published ports, before any other rule is asked".to_owned()
        }
        (false, nobody) => {
            let of_whom = if nobody { "" } else { "their " };
            let now = if nobody && seen {
                "; no container publishes one now"
            } else {
                ""
            };
            format!(
                "Docker accepts traffic to {of_whom}published ports before this host's own firewall, {}, is asked{now}",
                listed(&firewalls, |(name, _)| (*name).to_owned())
            )
        }
    };
    let why = match &firewalls[..] {
        [] => format!("{switches} = false is taken away"),
        firewalls => format!(
            "{switches} = false is taken away; the firewall is in use: {}",
            listed(firewalls, |(_, sign)| sign.clone())
        ),
    };
    vec![Impact {
        what,
        who,
        why,
        size: None,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let port = |host_ip: &str, container: &str| Port {
            host_ip: host_ip.to_owned(),
            host_port: "53".to_owned(),
            container: container.to_owned(),
        };
        for (ip, container, expected) in [
            ("", "53/tcp", "0.0.0.0:53"),
            ("0.0.0.0", "53/udp", "0.0.0.0:53/udp"),
            ("::", "53/tcp", "[::]:53"),
            ("192.0.2.1", "53", "192.0.2.1:53"),
        ] {
            assert_eq!(address(&port(ip, container)), expected);
        }
    }
}
