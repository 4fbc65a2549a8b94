//! The Docker daemon and its client.

use super::files::Files;
use super::process::Trace;
use super::units::Manager;
use super::{process, reason, unseen};
use crate::facts::{
    Cause, Container, DaemonProcess, Docker, Facts, Look, Node, Seen, UnitState, Unseen, Usage,
};
use crate::formats::{command_line, packages};
use crate::host::{HostError, ReadHost};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where docker.socket listens in every distribution, unless its unit says something else.
const DEFAULT_SOCKET: &str = "/run/docker.sock";

/// What dpkg and apk have installed.
const PACKAGES: [&str; 2] = ["/var/lib/dpkg/status", "/lib/apk/db/installed"];

const NOT_RUN: &str = "nothing is run in a folder";

/// What the daemon says of itself. `docker_host` is the path of a socket that the user named.
///
/// That it does not run is said only where that is seen: its manager says so, or nothing of it is
/// there. One that cannot be reached, or does not answer, may run.
pub(super) fn daemon(
    files: &mut Files<'_>,
    units: &BTreeMap<String, UnitState>,
    manager: &Manager,
    docker_host: Option<&str>,
) -> Seen<Docker> {
    if !files.host().is_live() {
        return Seen::Unseen(
            Unseen::new("no daemon runs in a folder", "").because(Cause::NotRunning),
        );
    }
    let own = own_socket(units);
    let socket = docker_host.unwrap_or(own);
    let is_own = same_path(socket, own);
    // Only what names its socket counts: the user may have named another daemon.
    let named = if is_own {
        sockets(units, None)
    } else {
        sockets(units, docker_host)
    };
    let service = units.get("docker.service").filter(|_| is_own);
    match (manager, service) {
        // A daemon that the unit does not start (the user named another socket, there is no such
        // unit, or no systemd at all) cannot be started by a connection either.
        (Manager::None, _) | (_, None) => {}
        (Manager::Told, Some(unit)) if unit.is_active() => {}
        (Manager::Told, Some(_)) => {
            // With docker.socket it is systemd that listens.
            let by_systemd = units.get("docker.socket").is_some_and(UnitState::is_active);
            let named = if by_systemd { BTreeSet::new() } else { named };
            return Seen::Unseen(match process::trace(files, &named) {
                Trace::Nothing => {
                    Unseen::new("docker.service is not running", "systemctl start docker")
                        .because(Cause::NotRunning)
                }
                Trace::Runs(trace) | Trace::Unclear(trace) => Unseen::new(
                    format!("docker.service is not running, but {trace}"),
                    "ss -xlp",
                )
                .because(Cause::NotAsked),
            });
        }
        // A connection would start it, unless it runs.
        (Manager::Silent(why), Some(_)) => {
            if !matches!(process::trace(files, &BTreeSet::new()), Trace::Runs(_)) {
                return Seen::Unseen(
                    Unseen::new(
                        format!(
                            "whether docker.service runs could not be seen: {}",
                            why.unseen
                        ),
                        "systemctl status docker.service",
                    )
                    .because(Cause::NotAsked),
                );
            }
        }
    }
    let at = files.followed(socket).unwrap_or_else(|| socket.to_owned());
    let unreached = if files.is_absent(&at) {
        Unseen::new(format!("there is no Docker socket at {socket}"), "").because(Cause::NotThere)
    } else {
        match files.host().docker(socket) {
            Ok(answers) => {
                let mut docker = answers.facts();
                mark_stopped(files.host(), &mut docker);
                return Seen::Known(docker);
            }
            Err(error) => reason(&error),
        }
    };
    let nobody_is_there = matches!(unreached.cause, Cause::NotThere | Cause::Refused);
    let is_said_to_run = service.is_some_and(UnitState::is_active);
    if !nobody_is_there || is_said_to_run || !is_own {
        return Seen::Unseen(unreached);
    }
    Seen::Unseen(match process::trace(files, &named) {
        Trace::Nothing => unreached.because(Cause::NotRunning),
        Trace::Runs(trace) | Trace::Unclear(trace) => Unseen {
            unseen: format!("{}, but {trace}", unreached.unseen),
            ..unreached
        },
    })
}

/// Notes which running containers `unless-stopped` will not bring back, from the daemon's own record
/// of each: `containers/ID/config.v2.json` below its root (moby, container/container.go,
/// `HasBeenManuallyStopped`).
fn mark_stopped(host: &dyn ReadHost, docker: &mut Docker) {
    let root = docker.root_dir.clone();
    let concerned = |container: &&mut Container| {
        container.running
            && container.restart_policy == "unless-stopped"
            && container.id.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    for container in docker.containers.iter_mut().filter(concerned) {
        let path = format!("{root}/containers/{}/config.v2.json", container.id);
        container.marked_stopped = match host.node(&path, Look::Content) {
            Ok(node) => match noted_stop(&node) {
                Some(marked) => Seen::Known(marked),
                None => Seen::unseen(format!("{path} does not say it"), format!("ls -l {path}")),
            },
            Err(error) => unseen(&error),
        };
    }
}

/// What the daemon's own record of a container says of that; `None` where there is none, or no such word.
fn noted_stop(record: &Node) -> Option<bool> {
    let record: Value = serde_json::from_slice(&record.content.as_ref()?.0).ok()?;
    record.get("HasBeenManuallyStopped")?.as_bool()
}

/// The names that the daemon's API socket may have been given. `docker_host` is the path of a socket that the user
/// named; nothing else counts then.
pub(super) fn sockets(
    units: &BTreeMap<String, UnitState>,
    docker_host: Option<&str>,
) -> BTreeSet<String> {
    let mut named: Vec<String> = Vec::new();
    if let Some(socket) = docker_host {
        named.push(socket.to_owned());
    } else {
        let listens = units
            .get("docker.socket")
            .and_then(|unit| unit.listen.clone());
        named.push(listens.unwrap_or_else(|| DEFAULT_SOCKET.to_owned()));
        let argv = units
            .get("docker.service")
            .map_or(&[][..], |unit| &unit.argv);
        let flags = command_line::parse(argv);
        let hosts = flags.all("host").into_iter();
        named.extend(hosts.filter_map(|host| Some(host.strip_prefix("unix://")?.to_owned())));
    }
    let also = |path: &String| match path.strip_prefix("/var/run/") {
        Some(rest) => Some(format!("/run/{rest}")),
        None => path
            .strip_prefix("/run/")
            .map(|rest| format!("/var/run/{rest}")),
    };
    let others: Vec<String> = named.iter().filter_map(also).collect();
    named.into_iter().chain(others).collect()
}

/// The socket that the user named, where it is not one of docker.service's.
pub(super) fn other_socket(
    files: &mut Files<'_>,
    units: &BTreeMap<String, UnitState>,
    docker_host: Option<&str>,
    process: &Seen<DaemonProcess>,
) -> Option<String> {
    let named = docker_host?;
    let own = sockets(units, None);
    let at = files.followed(named);
    let is_own = own.contains(named) || at.is_some_and(|at| own.contains(&at));
    // The daemon of docker.service may serve others than its unit says.
    let main_pid = units.get("docker.service").map_or(0, |unit| unit.main_pid);
    let is_served = process
        .known()
        .is_some_and(|process| main_pid != 0 && process.pid == main_pid);
    (!is_own && !is_served && files.host().is_live()).then(|| named.to_owned())
}

fn own_socket(units: &BTreeMap<String, UnitState>) -> &str {
    units
        .get("docker.socket")
        .and_then(|unit| unit.listen.as_deref())
        .unwrap_or(DEFAULT_SOCKET)
}

/// What the daemon's images, containers and volumes take, of a daemon that was seen.
pub(super) fn usage(host: &dyn ReadHost, facts: &Facts, docker_host: Option<&str>) -> Seen<Usage> {
    if let Seen::Unseen(unseen) = &facts.docker {
        return Seen::Unseen(unseen.clone());
    }
    let socket = docker_host.unwrap_or_else(|| own_socket(&facts.units));
    match host.docker_usage(socket) {
        Ok(usage) => Seen::Known(usage),
        Err(HostError::Docker { reason, .. }) => Seen::unseen(reason, "docker system df"),
        Err(error) => unseen(&error),
    }
}

/// `/var/run` is a link to `/run` wherever there is systemd.
fn same_path(a: &str, b: &str) -> bool {
    let plain = |path: &str| path.strip_prefix("/var").unwrap_or(path).to_owned();
    plain(a) == plain(b)
}

/// The version of the command-line client, `None` when there is none.
pub(super) fn client(host: &dyn ReadHost) -> Seen<Option<String>> {
    if !host.is_live() {
        return Seen::unseen(NOT_RUN, "");
    }
    match version_of(host, "docker") {
        Ok(version) => Seen::Known(Some(version)),
        Err(HostError::NotInstalled { .. }) => Seen::Known(None),
        Err(error) => unseen(&error),
    }
}

/// The version of the daemon: its own word, or else that of its binary.
pub(super) fn version(files: &mut Files<'_>, facts: &Facts) -> Seen<String> {
    if let Some(docker) = facts.docker.known() {
        return Seen::Known(docker.version.clone());
    }
    let program = facts
        .units
        .get("docker.service")
        .and_then(|unit| unit.argv.first())
        .filter(|program| program.starts_with('/'));
    let host = files.host();
    if !host.is_live() {
        return match packaged(files, program.map(String::as_str)) {
            Some(version) => Seen::Known(version),
            None => Seen::unseen(NOT_RUN, ""),
        };
    }
    match version_of(host, program.map_or("dockerd", String::as_str)) {
        Ok(version) => Seen::Known(version),
        Err(error) => unseen(&error),
    }
}

/// The version in `Docker version 26.1.5+dfsg1, build a72d7cd`.
/// The version by the package that `program`, the daemon's, comes from: a copy elsewhere has a version of its own.
fn packaged(files: &mut Files<'_>, program: Option<&str>) -> Option<String> {
    let folder = program.and_then(|program| program.strip_suffix("/dockerd"));
    if !matches!(
        folder,
        None | Some("/usr/bin" | "/usr/sbin" | "/bin" | "/sbin")
    ) {
        return None;
    }
    PACKAGES
        .iter()
        .find_map(|path| packages::dockerd(&files.text(path)?))
}

fn version_of(host: &dyn ReadHost, program: &str) -> Result<String, HostError> {
    let output = host.report(program, &["--version"])?;
    output
        .stdout
        .trim()
        .strip_prefix("Docker version ")
        .and_then(|rest| rest.split(',').next())
        .filter(|_| output.status == Some(0))
        .map(str::to_owned)
        .ok_or_else(|| HostError::Command {
            command: format!("{program} --version"),
            how: "did not print a version of Docker".to_owned(),
            stderr: output.stderr,
        })
}
