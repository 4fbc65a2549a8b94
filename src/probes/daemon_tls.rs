//! Whether a daemon that listens on TCP asks its clients for certificates.
//!
//! Whoever can talk to the API is root on the host (docs.docker.com, "Protect the Docker daemon
//! socket"). `tlsverify` asks for a client certificate; `tls` alone only encrypts.

use crate::checks::{DaemonJson, Evidence, Judgement, Layout, Outcome, unit_text};
use crate::facts::{Facts, Look, Requests, UnitState};
use crate::policy::Policy;
use serde_json::Value;

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

pub(super) fn judge(facts: &Facts, _policy: &Policy) -> Judgement {
    let layout = Layout::of(facts);
    let (sockets, open) = handed_over(facts);
    let mut addresses = by_flag_or_file(&layout);
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
            DaemonJson::Unreadable(why, _) => unknown(why, layout.config),
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
fn handed_over(facts: &Facts) -> (Vec<Address>, Vec<Address>) {
    let (mut known, mut open) = (Vec::new(), Vec::new());
    if !Layout::of(facts).is_started_by_systemd() {
        return (known, open);
    }
    for (name, unit) in facts.units.iter().filter(|(name, _)| is_socket(name)) {
        if !is_used(name, unit, facts) {
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

/// Whether a socket unit is there when the daemon starts: one that is switched off and that nothing names is not.
fn is_used(name: &str, unit: &UnitState, facts: &Facts) -> bool {
    if unit.is_active() || name == "docker.socket" {
        return unit.enabled != "masked" || unit.is_active();
    }
    match unit.enabled.as_str() {
        "masked" | "masked-runtime" => false,
        "disabled" => {
            let service = facts.units.get("docker.service");
            let text = service.and_then(|service| unit_text(facts, service));
            text.is_none_or(|(_, text)| {
                [
                    ("Unit", "Requires"),
                    ("Unit", "Wants"),
                    ("Unit", "BindsTo"),
                    ("Service", "Sockets"),
                ]
                .iter()
                .flat_map(|(section, key)| text.values(section, key))
                .any(|line| line.split_whitespace().any(|other| other == name))
            })
        }
        _ => true,
    }
}
