//! Who loses access to a file: inode(7), and path_resolution(7) for the folders above it.

use super::Impact;
use super::turn::{Access, AccessChange, Turn};
use crate::checks::parent;
use crate::facts::{Facts, Kind};
use crate::formats::accounts;

/// Everybody who can do less than before, a file each.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    turn.access
        .iter()
        .flat_map(|change| losses(turn.facts, change))
        .collect()
}

/// A number that owns nothing: (uid_t) -1 is never a user's (chown(2)).
const NOT_OWNER: u32 = u32::MAX;

const READ: u32 = 0o4;
const WRITE: u32 = 0o2;
const PASS: u32 = 0o1;

fn losses(facts: &Facts, change: &AccessChange) -> Vec<Impact> {
    let text = |path: &str| facts.text(path).unwrap_or_default();
    let (group, passwd) = (text("/etc/group"), text("/etc/passwd"));
    let (before, after) = (change.before, change.after);
    // For those who are neither owner nor in the group.
    let others = (before.mode.0 & !after.mode.0 & 0o7) & reachable(facts, change, |_| false);
    let mut all = Vec::new();
    all.extend(loss(
        facts,
        change,
        others,
        vec!["everybody else".to_owned()],
    ));
    let owner = before.uid;
    // Root passes through all of it.
    if owner != 0 {
        let lost = lost_by(before, after, owner, &[])
            & !others
            & reachable(facts, change, |access| access.uid == owner);
        let name = accounts::name_of(passwd, owner).unwrap_or_else(|| owner.to_string());
        all.extend(loss(facts, change, lost, vec![format!("user {name}")]));
    }
    let gid = before.gid;
    if gid != 0 {
        let lost = lost_by(before, after, NOT_OWNER, &[gid])
            & !others
            & reachable(facts, change, |access| access.gid == gid);
        let name = accounts::name_of(group, gid).unwrap_or_else(|| gid.to_string());
        let mut who = vec![format!("group {name}")];
        let members = accounts::members_of(group, passwd, gid);
        who.extend(members.into_iter().filter_map(|member| {
            let uid = accounts::id_of(passwd, &member);
            (uid != Some(0) && uid != Some(owner)).then(|| format!("user {member}"))
        }));
        all.extend(loss(facts, change, lost, who));
    }
    all
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
fn loss(facts: &Facts, change: &AccessChange, lost: u32, who: Vec<String>) -> Option<Impact> {
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
        accounts::name_of(facts.text(file).unwrap_or_default(), id)
            .unwrap_or_else(|| id.to_string())
    };
    if before.uid != after.uid {
        let [from, to] = [before.uid, after.uid].map(|id| name("/etc/passwd", id));
        why.push(format!("its owner {from} becomes {to}"));
    }
    if before.gid != after.gid {
        let [from, to] = [before.gid, after.gid].map(|id| name("/etc/group", id));
        why.push(format!("its group {from} becomes {to}"));
    }
    Some(Impact {
        what: format!("can no longer {} {}", verbs.join(" or "), change.path),
        who,
        why: why.join(", "),
        size: None,
    })
}
