//! Whether a daemon that listens on TCP asks its clients for certificates.
//!
//! Whoever can talk to the API is root on the host (docs.docker.com, "Protect the Docker daemon
//! socket"). `tlsverify` asks for a client certificate; `tls` alone only encrypts.

use crate::checks::{Evidence, Judgement, Layout, Outcome};
use crate::facts::Facts;
use crate::formats::unit;
use crate::policy::Policy;
use serde_json::Value;

pub(super) fn judge(facts: &Facts, _policy: &Policy) -> Judgement {
    let layout = Layout::of(facts);
    let mut hosts: Vec<(String, String)> = layout
        .flags
        .all("host")
        .iter()
        .map(|host| ((*host).to_owned(), "flag of docker.service".to_owned()))
        .collect();
    if hosts.is_empty()
        && let Some((Value::Array(listed), source)) = layout.configured("hosts")
    {
        hosts.extend(
            listed
                .iter()
                .filter_map(Value::as_str)
                .map(|host| (host.to_owned(), source.clone())),
        );
    }
    // With fd:// systemd listens, and a socket unit may name a port (systemd.socket(5)).
    if let Some(socket) = facts.units.get("docker.socket") {
        let texts: Vec<&str> = std::iter::once(&socket.fragment)
            .chain(&socket.drop_ins)
            .filter_map(|path| facts.text(path))
            .collect();
        hosts.extend(
            unit::parse(&texts)
                .values("Socket", "ListenStream")
                .into_iter()
                .filter(|listen| !listen.starts_with(['/', '@', '%']))
                .map(|listen| (format!("tcp://{listen}"), "docker.socket".to_owned())),
        );
    }
    // A host without a scheme is one of TCP (dockerd(8), -H).
    let local = |host: &str| {
        ["unix://", "fd://", "npipe://"]
            .iter()
            .any(|scheme| host.starts_with(scheme))
    };
    let Some((host, source)) = hosts.into_iter().find(|(host, _)| !local(host)) else {
        return Judgement::not_applicable(
            "the daemon does not listen on TCP",
            "hosts of docker.service",
        );
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
