//! Services of OpenRC: `/etc/init.d`, `/etc/conf.d`, `/etc/runlevels` (openrc-run(8), rc-update(8)).
//!
//! They go by the names that systemd has for them, so that everything else need not know.

use super::files::Files;
use crate::facts::{Kind, Look, UnitState};
use crate::formats::unit::{environment_file, split_command};
use std::collections::BTreeMap;

/// OpenRC's service and systemd's name of it.
const SERVICES: [(&str, &str); 3] = [
    ("docker", "docker.service"),
    ("containerd", "containerd.service"),
    ("auditd", "auditd.service"),
];

/// Where a host that systemd has booted shows it (sd_booted(3)).
const BOOTED_BY_SYSTEMD: &str = "/run/systemd/system";

/// The services, `None` where OpenRC does not run them.
pub(super) fn collect(files: &mut Files<'_>) -> Option<BTreeMap<String, UnitState>> {
    if files.kind(BOOTED_BY_SYSTEMD) != Kind::Absent
        // In an image of systemd there may be scripts of both kinds.
        || (!files.host().is_live() && files.kind("/usr/lib/systemd/systemd") != Kind::Absent)
    {
        return None;
    }
    let services: BTreeMap<String, UnitState> = SERVICES
        .into_iter()
        .filter_map(|(name, unit)| Some((unit.to_owned(), service(files, name)?)))
        .collect();
    (!services.is_empty()).then_some(services)
}

fn service(files: &mut Files<'_>, name: &str) -> Option<UnitState> {
    let script = format!("/etc/init.d/{name}");
    let text = files.text(&script)?;
    // Scripts of System V are there on many hosts.
    if !text.lines().next()?.contains("openrc-run") {
        return None;
    }
    let settings = format!("/etc/conf.d/{name}");
    let variables = files.text(&settings).map(|text| environment_file(&text));
    let enabled = files
        .look("/etc/runlevels", Look::Entries)
        .and_then(|node| node.entries.clone())
        .unwrap_or_default()
        .iter()
        .any(|level| files.kind(&format!("/etc/runlevels/{level}/{name}")) != Kind::Absent);
    Some(UnitState {
        argv: argv(name, &text, &variables.clone().unwrap_or_default()),
        environment_files: variables.map(|_| settings).into_iter().collect(),
        active: state(files, name),
        enabled: if enabled { "enabled" } else { "disabled" }.to_owned(),
        fragment: script,
        ..UnitState::default()
    })
}

/// The command line, as far as a script in shell says it in words (moby
/// `contrib/init/openrc/docker.{initd,confd}`, and Alpine's and Gentoo's of the same names).
fn argv(name: &str, script: &str, variables: &BTreeMap<String, String>) -> Vec<String> {
    if name != "docker" {
        return Vec::new();
    }
    let value = |name: &str| variables.get(name).map(String::as_str);
    let program = value("DOCKERD_BINARY").unwrap_or("/usr/bin/dockerd");
    let options = value("DOCKER_OPTS").unwrap_or_default();
    let mut argv = split_command(&format!("{program} {options}"));
    // The script names the file of the process id itself, where it does.
    let commands = script
        .lines()
        .filter(|line| line.trim_start().starts_with("command_args="));
    if commands.into_iter().any(|line| line.contains("-p ")) {
        let file = value("DOCKER_PIDFILE").unwrap_or("/run/docker.pid");
        argv.splice(1..1, ["-p".to_owned(), file.to_owned()]);
    }
    argv
}

/// What `rc-service` says of it, in the words of systemd; empty where it cannot be asked.
fn state(files: &Files<'_>, name: &str) -> String {
    if !files.host().is_live() {
        return String::new();
    }
    let output = files.host().report("rc-service", &[name, "status"]);
    // openrc-run(8): 3 for one that is stopped; 32 for one that has crashed.
    match output.ok().and_then(|output| output.status) {
        Some(0) => "active",
        Some(3) => "inactive",
        Some(32) => "failed",
        _ => "",
    }
    .to_owned()
}
