//! The process that is the Docker daemon.
//!
//! By its name nothing can be told: a test, a script or another user's daemon may be called
//! dockerd, too. It is the process that holds the socket on which the API listens: the main process of
//! docker.service, that of the pid file (dockerd(8), `--pidfile`), or any other that is called so.
//! Under socket activation systemd holds the same socket, so the socket alone does not decide, and
//! the main process alone might be a wrapper.

use super::files::Files;
use super::reason;
use super::units::Manager;
use crate::facts::{Cause, DaemonProcess, Kind, Look, Reading, Seen, UnitState, Unseen, too_large};
use crate::host::{HostError, ReadHost};
use std::collections::{BTreeMap, BTreeSet};

/// dockerd's own default (dockerd(8), `--pidfile`); `/var/run` is a link to `/run`.
const PID_FILES: [&str; 2] = ["/run/docker.pid", "/var/run/docker.pid"];

/// Every unix socket of the host (proc_net_unix(5)).
const SOCKETS: &str = "/proc/net/unix";

/// Set in the flags of a socket that listens (`__SO_ACCEPTCON`, include/uapi/linux/net.h): those of
/// the connections that it accepted have the same path.
const LISTENS: u32 = 1 << 16;

/// Ticks of the clock in which the kernel counts (`USER_HZ`, proc_pid_stat(5)), in microseconds each.
const TICK: u64 = 10_000;

/// The services whose main process may be the daemon.
const SERVICES: [&str; 2] = ["docker.service", "snap.docker.dockerd.service"];

/// Finds it. `sockets` are the names of the daemon's API socket.
pub(super) fn daemon(
    files: &mut Files<'_>,
    units: &BTreeMap<String, UnitState>,
    manager: &Manager,
    sockets: &BTreeSet<String>,
) -> Seen<DaemonProcess> {
    let host = files.host();
    if !host.is_live() {
        return Seen::unseen("no daemon runs in a folder", "");
    }
    let of_units = SERVICES
        .iter()
        .filter_map(|name| units.get(*name).filter(|_| *manager == Manager::Told))
        .map(|unit| unit.main_pid);
    let of_files = by_pid_file(files);
    let mut first: Vec<u32> = of_units.chain(of_files).filter(|pid| *pid != 0).collect();
    first.dedup();
    // By its name nothing can be told, but few others need be looked at: those are tried last.
    let mut why = None;
    let mut others = None;
    let mut tried = BTreeSet::new();
    loop {
        let pid = if first.is_empty() {
            let others = others.get_or_insert_with(|| called_dockerd(host).into_iter());
            match others.next() {
                Some(pid) => pid,
                None => break,
            }
        } else {
            first.remove(0)
        };
        if !tried.insert(pid) {
            continue;
        }
        match owner(host, pid, sockets) {
            Ok(Some(process)) => return Seen::Known(process),
            Ok(None) => why.get_or_insert_with(|| {
                let hint = "ss -xlp";
                Unseen::new(
                    format!("process {pid} does not listen on the API socket"),
                    hint,
                )
            }),
            Err(error) => why.get_or_insert_with(|| reason(&error)),
        };
    }
    let stopped = || match units.get(SERVICES[0]).filter(|_| *manager == Manager::Told) {
        Some(_) => Unseen::new("docker.service is not running", "systemctl start docker")
            .because(Cause::NotRunning),
        None => Unseen::new(
            "no process called dockerd, nor that of /run/docker.pid, serves it",
            "",
        ),
    };
    Seen::Unseen(why.unwrap_or_else(stopped))
}

fn by_pid_file(files: &mut Files<'_>) -> Option<u32> {
    PID_FILES
        .iter()
        .find_map(|path| files.text(path)?.trim().parse().ok())
}

/// What shows that a daemon runs although no manager says so.
pub(super) enum Trace {
    /// Nothing.
    Nothing,
    /// The process of the pid file lives and is one of Docker's, or somebody listens on the socket.
    Runs(String),
    /// Where that would show could not be read.
    Unclear(String),
}

/// Looks for it.
pub(super) fn trace(files: &mut Files<'_>, sockets: &BTreeSet<String>) -> Trace {
    for path in PID_FILES {
        if let Reading::Unread(unseen) = files.reading(path) {
            return Trace::Unclear(format!("{path} could not be read: {}", unseen.unseen));
        }
    }
    if let Some(pid) = by_pid_file(files) {
        // The id of one that was killed may be somebody else's by now.
        let name = files.text(&format!("/proc/{pid}/comm"));
        if let Some(name) = name.filter(|name| name.contains("docker")) {
            return Trace::Runs(format!("process {pid} ({}) runs", name.trim()));
        }
    }
    let table = match text(files.host(), SOCKETS) {
        Ok(table) => table,
        Err(error) => {
            return Trace::Unclear(format!(
                "who listens on its socket could not be seen: {error}"
            ));
        }
    };
    if listening(&table, sockets).is_empty() {
        Trace::Nothing
    } else {
        Trace::Runs("somebody listens on its socket".to_owned())
    }
}

/// The processes that are called dockerd (proc_pid_comm(5)).
fn called_dockerd(host: &dyn ReadHost) -> Vec<u32> {
    let names = host.node("/proc", Look::Entries).ok();
    let names = names.and_then(|node| node.entries).unwrap_or_default();
    let mut found: Vec<u32> = names
        .iter()
        .filter_map(|name| name.parse().ok())
        .filter(|pid| {
            // Processes come and go while we look.
            text(host, &format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == "dockerd")
        })
        .collect();
    found.sort_unstable();
    found
}

/// The process, where it is the one that listens.
fn owner(
    host: &dyn ReadHost,
    pid: u32,
    sockets: &BTreeSet<String>,
) -> Result<Option<DaemonProcess>, HostError> {
    let inodes = listening(&text(host, SOCKETS)?, sockets);
    let folder = format!("/proc/{pid}/fd");
    let mut names = host
        .node(&folder, Look::Entries)?
        .entries
        .unwrap_or_default();
    // The sockets that systemd hands over come first.
    names.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    for name in names {
        // Descriptors come and go while we look.
        let target = host
            .node(&format!("{folder}/{name}"), Look::Attributes)?
            .target;
        let inode = target
            .as_deref()
            .and_then(|target| target.strip_prefix("socket:[")?.strip_suffix(']'));
        if inode.is_some_and(|inode| inodes.contains(inode)) {
            let line = text(host, &format!("/proc/{pid}/cmdline"))?;
            let argv: Vec<String> = line.split_terminator('\0').map(str::to_owned).collect();
            let argv = argv.into();
            let started = text(host, &format!("/proc/{pid}/stat"))
                .ok()
                .and_then(|stat| start_ticks(&stat))
                // Rounded up: what was written within the tick came before.
                .map_or(0, |ticks| host.since_boot((ticks + 1) * TICK));
            let process = DaemonProcess { pid, argv, started };
            return Ok((!process.argv.is_empty()).then_some(process));
        }
    }
    Ok(None)
}

/// The 22nd field of `/proc/PID/stat`, ticks since boot. The second one, the name in parentheses, may hold
/// anything.
fn start_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

fn text(host: &dyn ReadHost, path: &str) -> Result<String, HostError> {
    let node = host.node(path, Look::Content)?;
    match node.content {
        Some(content) => Ok(content.lossy().into_owned()),
        None if node.kind == Kind::File => Err(HostError::Refused {
            path: path.to_owned(),
            reason: too_large(),
        }),
        None => Ok(String::new()),
    }
}

/// The inodes of the sockets that listen on one of these paths.
fn listening(table: &str, paths: &BTreeSet<String>) -> BTreeSet<String> {
    let inode = |line: &str| {
        // Num: RefCount Protocol Flags Type St Inode Path
        let mut fields = line.split_whitespace();
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        let inode = fields.nth(2)?;
        let path = fields.next()?;
        (flags & LISTENS != 0 && paths.contains(path)).then(|| inode.to_owned())
    };
    table.lines().filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_listen() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/docker.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 12 /run/docker.sock\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 13 /run/other.sock\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 14 /var/run/docker.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 15\n";
        let paths = ["/run/docker.sock", "/var/run/docker.sock"].map(str::to_owned);
        let found = listening(table, &paths.into());
        assert_eq!(found, ["11", "14"].map(str::to_owned).into());
    }

    #[test]
    fn when_a_process_started() {
        let fields = (4..=30).map(|field| field.to_string()).collect::<Vec<_>>();
        let stat = format!("812 (a) S (b) S {}", fields.join(" "));
        assert_eq!(start_ticks(&stat), Some(22));
        assert_eq!(start_ticks("812 (dockerd) S 1"), None);
        let host = crate::host::LinuxHost::live().unwrap();
        let stat = text(&host, "/proc/self/stat").unwrap();
        let started = host.since_boot(start_ticks(&stat).unwrap() * TICK);
        let ago = host.now() - started;
        assert!((0..3_600_000_000).contains(&ago), "{ago}");
    }

    #[test]
    fn a_process_that_listens_is_known_by_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.sock", "b.sock"].map(|name| folder.path().join(name));
        let _listener = std::os::unix::net::UnixListener::bind(&paths[0]).unwrap();
        let host = crate::host::LinuxHost::live().unwrap();
        let pid = std::process::id();
        let [ours, nobodys] = paths.map(|path| BTreeSet::from([path.to_str().unwrap().to_owned()]));
        let found = owner(&host, pid, &ours).unwrap().unwrap();
        assert_eq!(found.pid, pid);
        assert_eq!(*found.argv, std::env::args().collect::<Vec<_>>());
        assert_eq!(owner(&host, pid, &nobodys).unwrap(), None);
    }
}
