//! Whether a daemon that listens on TCP asks its clients for certificates.
//!
//! Whoever can talk to the API is root on the host (docs.docker.com, "Protect the Docker daemon
//! socket"). `tlsverify` asks for a client certificate; `tls` alone only encrypts.

use crate::checks::{DaemonJson, Evidence, Judgement, Layout, Outcome, unit_text};
use crate::facts::{Facts, Look, Requests, UnitState};
use crate::policy::Policy;
use serde_json::Value;
use std::collections::BTreeSet;

/// An address on which the API may be reached, and what says so.
struct Address {
    host: String,
    source: String,
}

/// The files of the socket units.
pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    let sockets = facts.units.iter().filter(|(name, _)| is_socket(name));
    for path in sockets.flat_map(|(_, unit)| std::iter::once(&unit.fragment).chain(&unit.drop_ins))
    {
        if path.starts_with('/') {
            requests.insert(path.clone(), Look::Content);
            requests.insert(facts.resolved(path), Look::Content);
        }
    }
    requests
}

pub(super) fn judge(layout: &Layout<'_>, _policy: &Policy) -> Judgement {
    let (sockets, open) = handed_over(layout);
    let mut addresses = by_flag_or_file(layout);
    addresses.extend(sockets);
    let Some(Address { host, source }) = addresses.into_iter().find(|it| !is_local(&it.host))
    else {
        let unknown = |seen: String, source: String| {
            let wanted = "to be known: whether the daemon listens on TCP";
            Judgement::new(Outcome::Unknown, Evidence::new(seen, wanted, source))
        };
        if let Some(Address { host, source }) = open.into_iter().next() {
            return unknown(format!("`{host}` is not followed"), source);
        }
        return match layout.daemon_json() {
            // Without a flag the file decides, and it was not understood.
            DaemonJson::Broken(error) => unknown(
                format!("it does not parse: {}", error.reason),
                format!("{}:{}:{}", layout.config, error.line, error.column),
            ),
            DaemonJson::Unreadable(why, _) => unknown(why, layout.config.clone()),
            DaemonJson::Read(_) => Judgement::not_applicable(
                "the daemon does not listen on TCP",
                "hosts of docker.service",
            ),
        };
    };
    let evidence = Evidence::new(format!("listens on {host}"), "tlsverify = true", source);
    match layout.configured("tlsverify") {
        Some((Value::Bool(true), source)) => Judgement::new(
            Outcome::Pass,
            Evidence::new(
                format!("listens on {host} with tlsverify = true"),
                "",
                source,
            ),
        ),
        _ => Judgement::blocked(
            vec![evidence],
            "certificates must be made and handed out before clients are asked for them",
            "seaworthy explain daemon-tls",
        ),
    }
}

/// A host without a scheme is one of TCP (dockerd(8), -H).
fn is_local(host: &str) -> bool {
    ["unix://", "fd://", "npipe://"]
        .iter()
        .any(|scheme| host.starts_with(scheme))
}

/// The flags, those of the process that runs too, and else the file.
fn by_flag_or_file(layout: &Layout<'_>) -> Vec<Address> {
    let mut all: Vec<Address> = Vec::new();
    let running = layout
        .running
        .as_ref()
        .map(|it| (it, "command line of the daemon"));
    for (flags, source) in [(&layout.flags, "flag of docker.service")]
        .into_iter()
        .chain(running)
    {
        all.extend(flags.all("host").into_iter().map(|host| Address {
            host: host.to_owned(),
            source: source.to_owned(),
        }));
    }
    if all.is_empty()
        && let Some((Value::Array(listed), source)) = layout.configured("hosts")
    {
        all.extend(listed.iter().filter_map(Value::as_str).map(|host| Address {
            host: host.to_owned(),
            source: source.clone(),
        }));
    }
    all
}

fn is_socket(name: &str) -> bool {
    name.ends_with(".socket")
}

/// With fd:// systemd listens, and the daemon serves whatever socket units hand over (systemd.socket(5)): those that
/// are understood, and those that are not.
fn handed_over(layout: &Layout<'_>) -> (Vec<Address>, Vec<Address>) {
    let facts = layout.facts();
    let (mut known, mut open) = (Vec::new(), Vec::new());
    if !layout.is_started_by_systemd() {
        return (known, open);
    }
    let wanted = wanted_by_service(facts);
    for (name, unit) in facts.units.iter().filter(|(name, _)| is_socket(name)) {
        if !is_used(name, unit, wanted.as_ref()) {
            continue;
        }
        let Some((paths, text)) = unit_text(facts, unit) else {
            continue;
        };
        for listen in text.assignments("Socket", "ListenStream") {
            let file = paths.get(listen.text).copied().unwrap_or_default();
            let source = format!("{file}:{}", listen.line);
            let value = listen.value.as_str();
            // Folders have specifiers of their own (systemd.unit(5), "Specifiers").
            let is_folder = ["%t/", "%T/", "%V/", "%S/", "%C/", "%L/", "%E/", "%h/"]
                .iter()
                .any(|folder| value.starts_with(folder));
            if value.starts_with(['/', '@']) || is_folder {
                continue;
            }
            if value.replace("%%", "").contains('%') {
                open.push(Address {
                    host: value.to_owned(),
                    source,
                });
                continue;
            }
            let host = if value.contains(':') && value.starts_with("vsock") {
                value.to_owned()
            } else {
                format!("tcp://{value}")
            };
            known.push(Address { host, source });
        }
    }
    (known, open)
}

/// The units that docker.service names as ones to be there with it; `None` where its files were not seen.
fn wanted_by_service(facts: &Facts) -> Option<BTreeSet<String>> {
    let (_, text) = unit_text(facts, facts.units.get("docker.service")?)?;
    let lines = [
        ("Unit", "Requires"),
        ("Unit", "Wants"),
        ("Unit", "BindsTo"),
        ("Service", "Sockets"),
    ]
    .iter()
    .flat_map(|(section, key)| text.values(section, key));
    let names = lines.flat_map(|line| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    Some(names.collect())
}

/// Whether a socket unit is there when the daemon starts: one that is switched off and that nothing names is not.
/// `wanted` are those that docker.service names.
fn is_used(name: &str, unit: &UnitState, wanted: Option<&BTreeSet<String>>) -> bool {
    if unit.is_active() || name == "docker.socket" {
        return unit.enabled != "masked" || unit.is_active();
    }
    match unit.enabled.as_str() {
        "masked" | "masked-runtime" => false,
        "disabled" => wanted.is_none_or(|wanted| wanted.contains(name)),
        _ => true,
    }
}
