//! Who loses access to a file: inode(7), and path_resolution(7) for the folders above it.
//!
//! Accounts are those of the host; a container may use a file that is mounted into it, as the user
//! that its process starts as. Root in a container passes through all of it, as on the host, unless
//! its users are remapped.

use super::turn::{Access, AccessChange, Turn};
use super::{Impact, words};
use crate::checks::parent;
use crate::facts::{Container, Facts, Kind, MountKind, Seen};
use crate::formats::accounts;
use crate::formats::inert;

/// Everybody who can do less than before, a file each.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    turn.access
        .iter()
        .flat_map(|change| losses(turn, change))
        .map(|loss| loss.impact)
        .collect()
}

/// Why that disrupts something here: accounts of this host, or containers that run, can do less.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let reasons: Vec<String> = turn
        .access
        .iter()
        .flat_map(|change| losses(turn, change))
        .filter(|loss| !loss.hit.is_empty())
        .map(|loss| format!("{} {}", words::listed(&loss.hit), loss.impact.what))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Whether a file is one that containers are given to use, a socket or a key, and less is allowed to
/// those who have it.
pub(super) fn containers_may_use(turn: &Turn<'_>) -> bool {
    turn.access.iter().any(|change| {
        let lost = lost_by_others(change) | lost_by_group(change);
        match change.kind {
            Kind::Socket => lost & WRITE != 0,
            Kind::File => lost & READ != 0,
            _ => false,
        }
    })
}

/// The accounts and containers that reach a socket: its owner and group, and those into which it is
/// mounted.
pub(super) fn connects(turn: &Turn<'_>, path: &str) -> Vec<String> {
    let facts = turn.facts;
    let mut who: Vec<String> = turn
        .docker()
        .into_iter()
        .flat_map(|docker| &docker.containers)
        .filter(|container| mounts(container, path).is_some())
        .map(words::container)
        .collect();
    if let Seen::Known(node) = facts.node(path)
        && node.gid != 0
        && node.mode.0 & 0o020 != 0
    {
        let (group, passwd) = (turn.table(GROUP), turn.table(PASSWD));
        who.push(named("group", &group, node.gid));
        let members = accounts::members_of(&group, &passwd, node.gid);
        who.extend(members.into_iter().map(|member| format!("user {member}")));
    }
    who
}

/// Less that somebody can do with a file.
struct Loss {
    impact: Impact,
    /// Those whom it concerns who exist on this host, or run.
    hit: Vec<String>,
}

/// A number that owns nothing: (uid_t) -1 is never a user's (chown(2)).
const NOT_OWNER: u32 = u32::MAX;

const GROUP: &str = "/etc/group";
const PASSWD: &str = "/etc/passwd";

const READ: u32 = 0o4;
const WRITE: u32 = 0o2;
const PASS: u32 = 0o1;

fn losses(turn: &Turn<'_>, change: &AccessChange) -> Vec<Loss> {
    let facts = turn.facts;
    let (group, passwd) = (&*turn.table(GROUP), &*turn.table(PASSWD));
    let (before, after) = (change.before, change.after);
    let mut all = Vec::new();
    // For those who are neither owner nor in the group.
    let others = lost_by_others(change) & reachable(facts, change, |_| false);
    let mut who = vec!["everybody else".to_owned()];
    let mut hit = Vec::new();
    if change.kind == Kind::Socket {
        hit = cut_off(group, passwd, after);
        who.extend(hit.iter().cloned());
    }
    all.extend(loss(turn, change, others, who, hit));
    let owner = before.uid;
    // Root passes through all of it.
    if owner != 0 {
        let lost = lost_by(before, after, owner, &[])
            & !others
            & reachable(facts, change, |access| access.uid == owner);
        let who = named("user", passwd, owner);
        let hit = accounts::name_of(passwd, owner).map(|_| who.clone());
        all.extend(loss(
            turn,
            change,
            lost,
            vec![who],
            hit.into_iter().collect(),
        ));
    }
    let gid = before.gid;
    if gid != 0 {
        let lost =
            lost_by_group(change) & !others & reachable(facts, change, |access| access.gid == gid);
        let name = named("group", group, gid);
        let members: Vec<String> = accounts::members_of(group, passwd, gid)
            .into_iter()
            .filter(|member| {
                let uid = accounts::id_of(passwd, member);
                uid != Some(0) && uid != Some(owner)
            })
            .map(|member| format!("user {member}"))
            .collect();
        let mut who = vec![name];
        who.extend(members.iter().cloned());
        all.extend(loss(turn, change, lost, who, members));
    }
    all.extend(in_containers(turn, change));
    all
}

/// `group ops`, or its number where it has no name.
fn named(kind: &str, text: &str, id: u32) -> String {
    let name = accounts::name_of(text, id).unwrap_or_else(|| id.to_string());
    format!("{kind} {name}")
}

/// The users who log in here and whom a socket lets in no more.
fn cut_off(group: &str, passwd: &str, after: Access) -> Vec<String> {
    let members = accounts::members_of(group, passwd, after.gid);
    accounts::who_can_log_in(passwd)
        .into_iter()
        .filter(|account| {
            let is_member = members.contains(&account.name) && after.mode.0 & 0o020 != 0;
            account.id != 0 && account.id != after.uid && !is_member
        })
        .map(|account| format!("user {}", account.name))
        .collect()
}

/// The containers into which it is mounted, and whose user is not root.
fn in_containers(turn: &Turn<'_>, change: &AccessChange) -> Vec<Loss> {
    let Some(docker) = turn.docker() else {
        return Vec::new();
    };
    let mut all: Vec<(u32, Vec<&Container>)> = Vec::new();
    for container in &docker.containers {
        let Some(writable) = mounts(container, &change.path) else {
            continue;
        };
        let is_mapped = docker.is_remapped() && container.userns_mode != "host";
        let user = container.user.split(':').next().unwrap_or_default();
        let lost = match user {
            "" | "0" | "root" if !is_mapped => 0,
            _ => match user.parse() {
                Ok(uid) if uid == change.before.uid && !is_mapped => {
                    lost_by(change.before, change.after, uid, &[])
                }
                // In which groups of the host it is, is not known.
                _ => lost_by_others(change) | lost_by_group(change),
            },
        };
        // A connection needs no mount for writing.
        let lost = if writable || change.kind == Kind::Socket {
            lost
        } else {
            lost & !WRITE
        };
        match all.iter_mut().find(|(bits, _)| *bits == lost) {
            Some((_, containers)) => containers.push(container),
            None => all.push((lost, vec![container])),
        }
    }
    all.into_iter()
        .filter_map(|(lost, containers)| {
            let running = containers.iter().copied().filter(|it| it.running);
            let hit = words::containers(running);
            loss(turn, change, lost, words::containers(containers), hit)
        })
        .collect()
}

/// Whether a path of the host is mounted into a container, itself or with a folder that it is in, and
/// for writing. Who mounts the whole host, or a large part of it, is seldom after one file.
fn mounts(container: &Container, path: &str) -> Option<bool> {
    // /var/run is a link to /run everywhere that systemd runs (file-hierarchy(7)).
    let plain = |path: &str| -> String {
        let path = path
            .strip_prefix("/var/run")
            .map_or_else(|| path.to_owned(), |rest| format!("/run{rest}"));
        path.trim_end_matches('/').to_owned()
    };
    let path = plain(path);
    let mut writable = None;
    for mount in &container.mounts {
        let source = plain(&mount.source);
        let is_near = parent(&path) == source || source.matches('/').count() > 1;
        let holds = source == path || is_near && path.starts_with(&format!("{source}/"));
        if mount.kind == MountKind::Bind && !source.is_empty() && holds {
            writable = Some(mount.writable || writable == Some(true));
        }
    }
    writable
}

/// What a user with these groups may do.
fn allowed(access: Access, uid: u32, groups: &[u32]) -> u32 {
    let shift = if access.uid == uid {
        6
    } else if groups.contains(&access.gid) {
        3
    } else {
        0
    };
    (access.mode.0 >> shift) & 0o7
}

fn lost_by(before: Access, after: Access, uid: u32, groups: &[u32]) -> u32 {
    allowed(before, uid, groups) & !allowed(after, uid, groups)
}

fn lost_by_others(change: &AccessChange) -> u32 {
    lost_by(change.before, change.after, NOT_OWNER, &[])
}

fn lost_by_group(change: &AccessChange) -> u32 {
    lost_by(change.before, change.after, NOT_OWNER, &[change.before.gid])
}

/// All rights, or none where a folder above is closed to them, so that they lose nothing.
fn reachable(facts: &Facts, change: &AccessChange, is_theirs: impl Fn(Access) -> bool) -> u32 {
    let mut folder = parent(&change.path);
    loop {
        if let Some(node) = facts.node(folder).known()
            && node.kind == Kind::Folder
        {
            let access = Access {
                mode: node.mode,
                uid: node.uid,
                gid: node.gid,
            };
            // Those who have more than the rights of others are not told apart any further.
            let open = if is_theirs(access) { 0o111 } else { 0o001 };
            if node.mode.0 & open == 0 {
                return 0;
            }
        }
        if folder == "/" {
            return 0o7;
        }
        folder = parent(folder);
    }
}

/// `None` where nothing of use is lost.
fn loss(
    turn: &Turn<'_>,
    change: &AccessChange,
    lost: u32,
    who: Vec<String>,
    hit: Vec<String>,
) -> Option<Loss> {
    let verbs: &[(u32, &str)] = match change.kind {
        // connect(2) needs to write; nothing else is asked for.
        Kind::Socket => &[(WRITE, "connect to")],
        Kind::Folder => &[(READ, "list"), (WRITE, "change"), (PASS, "pass through")],
        _ => &[(READ, "read"), (WRITE, "write"), (PASS, "run")],
    };
    let verbs: Vec<&str> = verbs
        .iter()
        .filter(|(bit, _)| lost & bit != 0)
        .map(|(_, verb)| *verb)
        .collect();
    if verbs.is_empty() {
        return None;
    }
    let (before, after) = (change.before, change.after);
    let mut why = Vec::new();
    if before.mode != after.mode {
        why.push(format!("mode {} becomes {}", before.mode, after.mode));
    }
    let name = |file: &str, id: u32| {
        accounts::name_of(&turn.table(file), id).unwrap_or_else(|| id.to_string())
    };
    if before.uid != after.uid {
        let [from, to] = [before.uid, after.uid].map(|id| name(PASSWD, id));
        why.push(format!("its owner {from} becomes {to}"));
    }
    if before.gid != after.gid {
        let [from, to] = [before.gid, after.gid].map(|id| name(GROUP, id));
        why.push(format!("its group {from} becomes {to}"));
    }
    let impact = Impact {
        what: format!(
            "can no longer {} {}",
            verbs.join(" or "),
            inert::line(&change.path)
        ),
        who,
        why: why.join(", "),
        size: None,
    };
    Some(Loss { impact, hit })
}
