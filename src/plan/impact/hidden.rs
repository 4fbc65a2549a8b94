//! Whether those who depend on a setting can be seen at all.
//!
//! Only a daemon that runs knows its containers. In an image, and where it could not be asked, nobody
//! can be named, which is not the same as that there is nobody.

use super::Turn;
use crate::change::Edit;
use crate::checks::Layout;
use crate::facts::{Facts, Kind, Look, Reading, Requests, Seen};
use crate::options::{self, Depends};

/// Where an image says what is mounted when it boots (fstab(5)).
const FSTAB: &str = "/etc/fstab";

/// The files that must be seen: what the data root holds, where the daemon does not say it.
pub(super) fn requests(facts: &Facts) -> Requests {
    if facts.docker.known().is_some() {
        return Requests::new();
    }
    let mut requests: Requests = roots(facts)
        .into_iter()
        .map(|root| (format!("{root}/containers"), Look::Entries))
        .collect();
    if !facts.host.live {
        requests.insert(FSTAB.to_owned(), Look::Content);
    }
    requests
}

/// Why nobody who depends on what these edits change could be named; `None` where everybody can be
/// seen, or nobody can depend on it.
pub(super) fn reason(turn: &Turn<'_>, edits: &[Edit]) -> Option<String> {
    let facts = turn.facts;
    let unseen = match &facts.docker {
        Seen::Known(docker) => match docker.hidden_containers().next() {
            None => return None,
            // It exists, whatever the disk shows.
            Some(hidden) => &hidden.why,
        },
        Seen::Unseen(unseen) => unseen,
    };
    let keys: Vec<&str> = turn
        .keys
        .iter()
        .map(String::as_str)
        .filter(|key| options::depends(key).is_some_and(Depends::is_of_docker))
        .collect();
    let by_mount = super::access::containers_may_use(turn);
    let by_log = super::watched::can_stop_the_host(turn).is_some();
    if keys.is_empty() && !by_mount && !by_log {
        return None;
    }
    let what = if facts.host.live {
        format!(
            "the containers that depend on it could not be seen: {}",
            unseen.unseen
        )
    } else {
        "in an image the containers that depend on it cannot be seen".to_owned()
    };
    if let Seen::Known(docker) = &facts.docker {
        let hidden: Vec<String> = docker
            .hidden_containers()
            .map(|hidden| super::words::plain(&hidden.to_string()))
            .collect();
        return Some(format!(
            "the containers that depend on it could not all be seen: {}",
            hidden.join(", ")
        ));
    }
    if let Some(why) = may_hold_containers(facts) {
        return Some(format!("{what}, and {why}"));
    }
    // What somebody has chosen for an image was chosen for the containers that it will have.
    let layout = Layout::of(facts);
    let chosen: Vec<&str> = keys
        .into_iter()
        .filter(|key| edits_change(edits, key) && layout.configured(key).is_some())
        .collect();
    (!facts.host.live && !chosen.is_empty()).then(|| {
        format!(
            "{what}, and somebody has set {} for them",
            chosen.join(" and ")
        )
    })
}

fn edits_change(edits: &[Edit], key: &str) -> bool {
    edits.iter().any(|edit| {
        matches!(edit, Edit::DaemonKey { key: edited, .. } | Edit::DaemonFlag { key: edited } if edited == key)
    })
}

/// Why there may be containers: what shows them on the disk, or that nothing shows that there are
/// none.
pub(super) fn may_hold_containers(facts: &Facts) -> Option<String> {
    let root = facts.real_path(&Layout::of(facts).data_root());
    match facts.node(&root) {
        Seen::Unseen(unseen) => return Some(format!("{root}: {}", unseen.unseen)),
        Seen::Known(node) => match (node.kind, &node.entries) {
            (Kind::Absent, _) | (Kind::Folder, Some(_)) => {}
            (Kind::Folder, None) => return Some(format!("{root} was not listed")),
            _ => return Some(format!("{root} is not a folder")),
        },
    }
    for root in roots(facts) {
        let folder = format!("{root}/containers");
        match facts.node(&folder) {
            Seen::Unseen(unseen) => return Some(format!("{folder}: {}", unseen.unseen)),
            Seen::Known(node) if node.kind == Kind::Absent => {}
            Seen::Known(node) => {
                if !node.is_empty_folder() {
                    return Some(format!("{folder} holds some"));
                }
            }
        }
    }
    if facts.host.live {
        return None;
    }
    match facts.reading(FSTAB) {
        Reading::Absent => None,
        Reading::Unread(unseen) => Some(format!(
            "what is mounted at boot is not known: {FSTAB}: {}",
            unseen.unseen
        )),
        Reading::Text(text) => {
            let point = mounted_at_boot(&text, &root)?;
            Some(format!("{point} is mounted at boot, by {FSTAB}"))
        }
    }
}

/// The data root, and the folders of mappings in it (docs.docker.com, "Isolate containers with a user
/// namespace").
fn roots(facts: &Facts) -> Vec<String> {
    let root = facts.real_path(&Layout::of(facts).data_root());
    let is_mapping = |name: &&String| {
        name.split_once('.')
            .is_some_and(|(uid, gid)| [uid, gid].iter().all(|id| id.parse::<u32>().is_ok()))
    };
    let entries = match facts.node(&root) {
        Seen::Known(node) => node.entries.clone().unwrap_or_default(),
        Seen::Unseen(_) => Vec::new(),
    };
    if entries.is_empty() {
        return Vec::new();
    }
    let mapped = entries.iter().filter(is_mapping);
    std::iter::once(root.clone())
        .chain(mapped.map(|name| format!("{root}/{name}")))
        .collect()
}

/// The mount point, other than `/`, that an image's fstab has for a path or a folder above it.
fn mounted_at_boot(text: &str, path: &str) -> Option<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_ascii_whitespace().nth(1))
        .map(|point| point.trim_end_matches('/'))
        .find(|point| {
            !point.is_empty() && (path == *point || path.starts_with(&format!("{point}/")))
        })
        .map(str::to_owned)
}
