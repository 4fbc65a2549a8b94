//! Facts from a host.
//!
//! Everything goes through [`ReadHost`], which can change nothing. What cannot be seen is kept
//! with the reason; collecting itself never fails.

mod auditing;
mod docker;
mod files;
mod layers;
mod manager;
mod openrc;
mod process;
mod setuid;
mod unit_files;
mod units;

use crate::facts::{Docker, Facts, HostIdentity, Requests, Seen, Unseen, Usage};
use crate::formats::os_release;
use crate::host::{HostError, ReadHost};
use files::Files;

/// As many rounds of requests as can be needed: a chain of files that name each other, each by a
/// chain of links. More would be a check that never ends asking.
const MOST_ROUNDS: usize = 32;

/// Collects everything that is known about a host.
///
/// `docker_host` is the value of the user's `DOCKER_HOST`; it counts where it names a unix socket.
/// `wanted` says which paths are to be looked at, given what is known so far; it is asked again
/// until it wants nothing new. No path is looked at twice, unless more of it is wanted than was
/// seen. `progress` is told what is waited for next.
///
/// The Docker daemon is asked only where that cannot start it: a connection to the socket of an
/// inactive docker.service would.
pub fn collect(
    host: &dyn ReadHost,
    docker_host: Option<&str>,
    wanted: &dyn Fn(&Facts) -> Requests,
    progress: &mut dyn FnMut(&str),
) -> Facts {
    host.look_begins();
    let facts = look(host, docker_host, wanted, progress);
    host.look_ends();
    facts
}

fn look(
    host: &dyn ReadHost,
    docker_host: Option<&str>,
    wanted: &dyn Fn(&Facts) -> Requests,
    progress: &mut dyn FnMut(&str),
) -> Facts {
    let mut files = Files::new(host);
    let mut facts = Facts {
        host: identity(&mut files),
        ..Facts::default()
    };
    progress("waiting for systemctl");
    let units::Units {
        by_name,
        inherited,
        manager,
    } = units::collect(&mut files);
    facts.units = by_name;
    facts.inherited = inherited;
    progress("waiting for auditctl");
    facts.auditing = auditing::collect(host, &facts.units);
    progress("waiting for the docker client");
    facts.docker_client = docker::client(host);
    progress("waiting for the Docker daemon");
    let docker_host = socket_of(docker_host);
    facts.docker = docker::daemon(&mut files, &facts.units, &manager, docker_host);
    let sockets = docker::sockets(&facts.units, docker_host);
    facts.daemon_process = process::daemon(&mut files, &facts.units, &manager, &sockets);
    facts.other_socket =
        docker::other_socket(&mut files, &facts.units, docker_host, &facts.daemon_process);
    facts.docker_version = docker::version(&mut files, &facts);
    facts.files = files.take();
    progress("looking at files");
    for _ in 0..MOST_ROUNDS {
        let mut news = false;
        for (path, look) in wanted(&facts) {
            news |= files.look_into(&mut facts.files, &path, look);
        }
        if !news {
            break;
        }
    }
    facts
}

/// Measures what the daemon's images, containers and volumes take on the disk. That takes long and
/// keeps the disk busy, so it is not a part of [`collect`].
pub fn usage(host: &dyn ReadHost, docker_host: Option<&str>, facts: &Facts) -> Seen<Usage> {
    docker::usage(host, facts, socket_of(docker_host))
}

/// Looks for programs that gain rights in the images of containers that may rely on them
/// ([`crate::facts::Container::may_need_setuid`]); what was found is noted at the containers. The
/// daemon is not asked.
pub fn setuid(host: &dyn ReadHost, docker: &mut Docker) {
    setuid::collect(host, docker);
}

/// The socket that `DOCKER_HOST` names, if it names one.
fn socket_of(docker_host: Option<&str>) -> Option<&str> {
    docker_host.and_then(|it| it.strip_prefix("unix://"))
}

fn identity(files: &mut Files<'_>) -> HostIdentity {
    let mut first_line = |paths: &[&str]| {
        paths
            .iter()
            .find_map(|path| files.text(path))
            .and_then(|text| text.lines().next().map(|line| line.trim().to_owned()))
            .unwrap_or_default()
    };
    // /etc/hostname is what the name will be; a running host may have got another one by DHCP.
    let live = "/proc/sys/kernel/hostname";
    let name = first_line(&[live, "/etc/hostname"]);
    let machine_id = first_line(&["/etc/machine-id"]);
    let os = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| files.text(path))
        .and_then(|text| os_release::parse(&text).remove("PRETTY_NAME"))
        .unwrap_or_default();
    HostIdentity {
        name,
        machine_id,
        os,
        live: files.host().is_live(),
        root: files.host().is_root(),
    }
}

/// Keeps the reason of a failure, with what would help.
fn unseen<T>(error: &HostError) -> Seen<T> {
    Seen::Unseen(reason(error))
}

/// The reason of a failure, with what would help.
fn reason(error: &HostError) -> Unseen {
    let unseen = if error.is_permission() {
        Unseen::new("permission denied", "sudo seaworthy audit")
    } else {
        Unseen::new(error.to_string(), "")
    };
    unseen.because(error.cause())
}

#[cfg(test)]
mod tests;
