//! Which containers cannot run with userns-remap as they are.
//!
//! All of them must be created again under the new root. There the daemon refuses some options
//! without `--userns=host` (docs.docker.com, "Isolate containers with a user namespace", known
//! limitations), and a mapped user is nobody to the files of the host.

use super::{Impact, Turn, words};
use crate::checks::{Layout, Place, parent};
use crate::facts::{Container, Facts, Kind, Look, MountKind, Node, Requests, Seen};
use crate::formats::subordinate_ids::Range;
use crate::formats::{accounts, mount_info};
use std::collections::BTreeMap;

const MOUNTS: &str = "/proc/self/mountinfo";

/// File systems that answer at once. Looking at a path on one whose server is gone never ends, so
/// the others are not looked at.
const LOCAL: [&str; 14] = [
    "bcachefs", "btrfs", "devtmpfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "proc",
    "sysfs", "tmpfs", "xfs", "zfs",
];

/// The files that must be seen: the mounts, and then the paths of the host that are mounted into
/// containers.
pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    let Some(docker) = facts.docker.known() else {
        return requests;
    };
    if docker.is_remapped() {
        return requests;
    }
    let mut paths: Vec<&str> = docker
        .containers
        .iter()
        .filter(|container| is_mapped(container))
        .flat_map(paths)
        .map(|mount| mount.0)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    if paths.is_empty() {
        return requests;
    }
    requests.insert(MOUNTS.to_owned(), Look::Content);
    let mounts = mount_info::parse(&facts.table(MOUNTS));
    for path in paths {
        if let Some(next) = next_look(facts, &mounts, path) {
            requests.insert(next, Look::Attributes);
        }
    }
    requests
}

/// The folders on the way to a path are looked at first, as each of them can be a link to a file
/// system that is not local.
fn next_look(facts: &Facts, mounts: &[mount_info::Mount], path: &str) -> Option<String> {
    let ends = path
        .char_indices()
        .filter(|(at, letter)| *letter == '/' && *at > 0)
        .map(|(at, _)| at)
        .chain([path.len()]);
    for end in ends {
        let part = &path[..end];
        let kind = mount_info::at(mounts, part).map(|mount| mount.kind.as_str());
        if !kind.is_some_and(|kind| LOCAL.contains(&kind)) {
            return None;
        }
        match facts.files.get(part) {
            None => return Some(part.to_owned()),
            Some(Seen::Known(node)) if node.kind == Kind::Folder => {}
            // A link, a file or nothing: here it ends.
            Some(_) => return None,
        }
    }
    None
}

/// Whether userns-remap concerns it.
fn is_mapped(container: &Container) -> bool {
    container.userns_mode != "host"
}

/// The paths of the host in a container, and whether it may write there.
fn paths(container: &Container) -> impl Iterator<Item = (&str, bool)> {
    container
        .mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Bind && mount.source.starts_with('/'))
        .map(|mount| {
            let path = mount.source.trim_end_matches('/');
            (if path.is_empty() { "/" } else { path }, mount.writable)
        })
}

/// Who is refused, who may fail, and who loses which path.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let (Some(user), Some(docker)) = (turn.remaps(), turn.docker()) else {
        return Vec::new();
    };
    let mapped: Vec<&Container> = docker
        .containers
        .iter()
        .filter(|container| is_mapped(container))
        .collect();
    let mut all = refused(&mapped);
    all.extend(suspect(&mapped));
    all.extend(closed(turn.facts, &mapped, &Mapping::of(turn, user)));
    all
}

type Test = fn(&Container) -> bool;

fn refused(mapped: &[&Container]) -> Vec<Impact> {
    let causes: [(Test, &str); 3] = [
        (|it| it.privileged, "they are privileged"),
        (
            |it| it.network_mode == "host",
            "they use the network of the host",
        ),
        (
            |it| it.pid_mode == "host",
            "they see the processes of the host",
        ),
    ];
    let refused = causes.iter().filter_map(|(is, cause)| {
        let who = words::containers(mapped.iter().copied().filter(|it| is(it)));
        (!who.is_empty()).then(|| Impact {
            what: format!("cannot be created again without `--userns=host`, as {cause}"),
            who,
            why: "with userns-remap the daemon refuses that".to_owned(),
            size: None,
        })
    });
    refused.collect()
}

/// What failed at the start in tests with runc, although the daemon does not refuse it.
fn suspect(mapped: &[&Container]) -> Vec<Impact> {
    let who = words::containers(
        mapped
            .iter()
            .copied()
            .filter(|it| !it.privileged && (it.ipc_mode == "host" || !it.devices.is_empty())),
    );
    if who.is_empty() {
        return Vec::new();
    }
    vec![Impact {
        what: "may fail to start remapped: they share the host's IPC or have devices of it"
            .to_owned(),
        who,
        why: "not certain; try one of them with `--userns=host` and without".to_owned(),
        size: None,
    }]
}

/// Whom root in a remapped container is on the host.
struct Mapping {
    uids: Vec<Range>,
    gids: Vec<Range>,
}

impl Mapping {
    /// An account that the daemon has yet to make owns nothing.
    fn of(turn: &Turn<'_>, user: &str) -> Self {
        let user = super::subordinate::account(user);
        let uid = accounts::id_of(&turn.table("/etc/passwd"), user);
        let ranges = |path: &str| {
            super::subordinate::ranges(&turn.table(path), user, uid).unwrap_or_default()
        };
        Self {
            uids: ranges("/etc/subuid"),
            gids: ranges("/etc/subgid"),
        }
    }

    /// Whether the file belongs to a mapped user: root in the container may do everything with it
    /// (user_namespaces(7), capabilities: owner and group must both be mapped).
    fn owns(&self, node: &Node) -> bool {
        let holds = |ranges: &[Range], id| ranges.iter().any(|range| range.holds(id));
        holds(&self.uids, node.uid) && holds(&self.gids, node.gid)
    }
}

/// What becomes of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Socket,
    Closed,
    ReadOnly,
    NotSeen,
}

/// The paths that mapped users cannot use as before, each verdict once.
fn closed(facts: &Facts, mapped: &[&Container], mapping: &Mapping) -> Vec<Impact> {
    let mut found: BTreeMap<Verdict, (Vec<&str>, Vec<String>)> = BTreeMap::new();
    for container in mapped {
        for (path, writable) in paths(container) {
            let verdict = if holds_docker_socket(facts, path) {
                Some(Verdict::Socket)
            } else {
                verdict(facts, path, writable, mapping)
            };
            let Some(verdict) = verdict else {
                continue;
            };
            let (paths, who) = found.entry(verdict).or_default();
            if !paths.contains(&path) {
                paths.push(path);
            }
            let name = words::container(container);
            if !who.contains(&name) {
                who.push(name);
            }
        }
    }
    let impact = |(verdict, (mut paths, who)): (Verdict, (Vec<&str>, Vec<String>))| {
        paths.sort_unstable();
        let paths = words::plain(&paths.join(", "));
        let (what, why) = match verdict {
            Verdict::Socket => (
                format!("lose the Docker socket that is mounted into them ({paths})"),
                "a mapped user is not in its group",
            ),
            Verdict::Closed => (
                format!("cannot read what is mounted into them any more: {paths}"),
                "a mapped user has the rights of others there",
            ),
            Verdict::ReadOnly => (
                format!("can only read what they could write before: {paths}"),
                "a mapped user has the rights of others there; what lies deeper was not looked at",
            ),
            Verdict::NotSeen => (
                format!("may lose access to what is mounted into them: {paths}"),
                "not looked at, as it is a link, or not on a local file system",
            ),
        };
        Impact {
            what,
            who,
            why: why.to_owned(),
            size: None,
        }
    };
    found.into_iter().map(impact).collect()
}

/// The socket itself, or the folder that it is in. Who mounts the whole host is seldom after the
/// socket.
fn holds_docker_socket(facts: &Facts, path: &str) -> bool {
    let layout = Layout::of(facts);
    let plain = |path: &str| {
        // /var/run is a link to /run everywhere that systemd runs (file-hierarchy(7)).
        let path = path
            .strip_prefix("/var/run")
            .map_or_else(|| path.to_owned(), |rest| format!("/run{rest}"));
        path.trim_end_matches('/').to_owned()
    };
    let path = plain(path);
    layout
        .paths(&Place::ApiSocket)
        .iter()
        .map(|socket| plain(socket))
        .any(|socket| socket == path || parent(&socket) == path)
}

fn verdict(facts: &Facts, path: &str, writable: bool, mapping: &Mapping) -> Option<Verdict> {
    let node = match facts.files.get(path) {
        Some(Seen::Known(node)) => node,
        Some(Seen::Unseen(_)) | None => return Some(Verdict::NotSeen),
    };
    let needed = match node.kind {
        // The daemon makes it.
        Kind::Absent => return None,
        Kind::Link => return Some(Verdict::NotSeen),
        Kind::Folder => 0o5,
        Kind::File | Kind::Other => 0o4,
        // connect(2) needs to write.
        Kind::Socket => 0o2,
    };
    if mapping.owns(node) {
        return None;
    }
    let others = node.mode.0 & 0o7;
    if others & needed != needed {
        Some(Verdict::Closed)
    } else if writable && others & 0o2 == 0 {
        Some(Verdict::ReadOnly)
    } else {
        None
    }
}
