//! What is there when rules are loaded at boot: `/run` is empty then but for what systemd itself and tmpfiles.d(5) make.

use super::listed;
use crate::facts::{Facts, Kind, Look, Node, Requests, Seen};
use crate::formats::audit_rules::around::Place;
use crate::formats::tmpfiles;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Our own file of folders to make at boot (tmpfiles.d(5)).
pub(crate) const TMPFILES: &str = "/etc/tmpfiles.d/seaworthy.conf";
/// Where packages and sites name such folders; of files with one name that of the first folder counts.
const TMPFILES_FOLDERS: [&str; 3] = [
    "/etc/tmpfiles.d",
    "/usr/local/lib/tmpfiles.d",
    "/usr/lib/tmpfiles.d",
];
/// What systemd makes before anything else (file-hierarchy(7)).
const FROM_THE_START: [&str; 5] = [
    "/run/systemd",
    "/run/udev",
    "/run/lock",
    "/run/log",
    "/run/user",
];

/// Below `/run` at boot.
pub(super) struct AtBoot {
    folders: BTreeSet<String>,
    others: BTreeSet<String>,
    /// Some file that may name folders could not be read.
    unread: bool,
}

impl AtBoot {
    pub(super) fn of(facts: &Facts) -> Self {
        let mut at_boot = Self {
            folders: FROM_THE_START.iter().map(ToString::to_string).collect(),
            others: BTreeSet::new(),
            unread: false,
        };
        for file in files(facts) {
            let content = facts.reading(&facts.real_path(&file));
            let Some(text) = content.text() else {
                let is_there = !matches!(
                    facts.node(&file),
                    Seen::Known(Node {
                        kind: Kind::Absent,
                        ..
                    })
                );
                at_boot.unread |= is_there && facts.resolved(&file) != "/dev/null";
                continue;
            };
            for line in tmpfiles::parse(text) {
                if !line.path.starts_with("/run/") || !line.makes() {
                    continue;
                }
                let mut above = line.path.as_str();
                while let Some((folder, _)) = above.rsplit_once('/')
                    && folder != "/run"
                    && !folder.is_empty()
                {
                    at_boot.folders.insert(folder.to_owned());
                    above = folder;
                }
                if line.makes_folder() {
                    at_boot.folders.insert(line.path);
                } else {
                    at_boot.others.insert(line.path);
                }
            }
        }
        at_boot
    }

    /// What is at a path below `/run` when rules are loaded.
    pub(super) fn place(&self, path: &str) -> Place {
        let from_the_start = |start: &&str| path.starts_with(&format!("{start}/"));
        if self.folders.contains(path) {
            Place::Folder
        } else if self.others.contains(path) {
            Place::Other
        } else if self.unread || FROM_THE_START.iter().any(from_the_start) {
            Place::Unseen
        } else {
            Place::Missing
        }
    }
}

/// The files of tmpfiles.d that count.
fn files(facts: &Facts) -> Vec<String> {
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    for folder in TMPFILES_FOLDERS {
        for name in listed(facts, folder, ".conf") {
            let path = format!("{folder}/{name}");
            by_name.entry(name).or_insert(path);
        }
    }
    let mut files: Vec<String> = by_name.into_values().collect();
    if facts.exists(TMPFILES) && !files.iter().any(|file| file == TMPFILES) {
        files.push(TMPFILES.to_owned());
    }
    files
}

/// Whether something makes this folder at boot.
pub(crate) fn makes_folder(facts: &Facts, folder: &str) -> bool {
    AtBoot::of(facts).folders.contains(folder)
}

pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    for folder in TMPFILES_FOLDERS {
        requests.insert(folder.to_owned(), Look::Entries);
    }
    requests.insert(TMPFILES.to_owned(), Look::Content);
    for file in files(facts) {
        requests.insert(facts.resolved(&file), Look::Content);
        requests.insert(file, Look::Content);
    }
    requests
}

/// Where a path really is; `/var/run` is `/run` (file-hierarchy(7)), also where the link was not looked at.
pub(super) fn real(facts: &Facts, path: &str) -> String {
    let real = facts.real_path(path);
    match real.strip_prefix("/var/run") {
        Some("") => "/run".to_owned(),
        Some(rest) if rest.starts_with('/') => format!("/run{rest}"),
        _ => real,
    }
}

/// Whether something is known to be below a path.
pub(super) fn has_children(facts: &Facts, path: &str) -> bool {
    let from = format!("{path}/");
    let below = (Bound::Excluded(from.clone()), Bound::Unbounded);
    facts
        .files
        .range::<String, _>(below)
        .take_while(|(other, _)| other.starts_with(&from))
        .any(|(_, node)| matches!(node, Seen::Known(node) if node.kind != Kind::Absent))
}
