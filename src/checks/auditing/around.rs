//! The host as auditctl finds it when it loads rules at boot.

use super::super::parent;
use super::boot::{self, AtBoot};
use super::files::release;
use crate::facts::{Facts, Kind, Seen};
use crate::formats::accounts;
use crate::formats::audit_rules::around::{Account, Around, Place};
use crate::formats::audit_rules::{Machine, Release};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// Facts, as auditctl and the kernel look at them.
pub(super) struct Host<'a> {
    facts: &'a Facts,
    machine: Option<Machine>,
    release: Option<Release>,
    users: Names,
    groups: Names,
    boot: AtBoot,
    /// Every path that was looked at, and the folders above those that are there.
    known: HashSet<String>,
    /// Folders that were asked for before, with where they really are.
    folders: RefCell<HashMap<String, (Place, String)>>,
}

/// Accounts by name, or nothing where they were not seen.
struct Names {
    known: Option<HashMap<String, u32>>,
    /// Whether others may come from elsewhere (nsswitch.conf(5)).
    more: bool,
}

impl Names {
    fn of(facts: &Facts, file: &str, database: &str) -> Self {
        let known = facts.text(file).map(|text| {
            let mut known = HashMap::new();
            for account in accounts::accounts(text) {
                // Of duplicates the first, as getpwnam(3) finds it.
                known.entry(account.name).or_insert(account.id);
            }
            known
        });
        let elsewhere = |word: &str| {
            !matches!(word, "files" | "compat" | "systemd" | "altfiles") && !word.starts_with('[')
        };
        let switch = facts.text("/etc/nsswitch.conf").unwrap_or_default();
        let more = switch
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.trim() == database)
            .any(|(_, words)| words.split_whitespace().any(elsewhere));
        Self { known, more }
    }

    fn find(&self, name: &str) -> Account {
        match self.known.as_ref().map(|known| known.get(name)) {
            Some(Some(id)) => Account::Is(*id),
            Some(None) if !self.more => Account::Missing,
            _ => Account::Unseen,
        }
    }
}

fn known(facts: &Facts) -> HashSet<String> {
    let mut known: HashSet<String> = facts.files.keys().cloned().collect();
    for (path, node) in &facts.files {
        if !matches!(node, Seen::Known(node) if node.kind != Kind::Absent) {
            continue;
        }
        let mut above = parent(path);
        while above != "/" {
            known.insert(above.to_owned());
            above = parent(above);
        }
    }
    known
}

impl<'a> Host<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            machine: facts.auditing.machine.as_deref().and_then(Machine::by_name),
            release: release(facts),
            users: Names::of(facts, "/etc/passwd", "passwd"),
            groups: Names::of(facts, "/etc/group", "group"),
            boot: AtBoot::of(facts),
            known: known(facts),
            folders: RefCell::default(),
        }
    }

    /// What is at a path, and where that really is.
    fn look(&self, path: &str) -> (Place, String) {
        let real = boot::real(self.facts, path);
        if real.starts_with("/run/") {
            return (self.boot.place(&real), real);
        }
        if real == "/run" {
            return (Place::Folder, real);
        }
        let place = match self.facts.files.get(&real) {
            Some(Seen::Known(node)) => match node.kind {
                Kind::Folder => Place::Folder,
                // What has something in it is a folder, whether it was looked at or not.
                Kind::Absent if boot::has_children(self.facts, &real) => Place::Folder,
                Kind::Absent => Place::Missing,
                _ => Place::Other,
            },
            _ if real == "/" || boot::has_children(self.facts, &real) => Place::Folder,
            _ => Place::Unseen,
        };
        (place, real)
    }

    fn folder(&self, path: &str) -> (Place, String) {
        if let Some(known) = self.folders.borrow().get(path) {
            return known.clone();
        }
        let found = self.look(path);
        self.folders
            .borrow_mut()
            .insert(path.to_owned(), found.clone());
        found
    }
}

impl Around for Host<'_> {
    fn machine(&self) -> Option<Machine> {
        self.machine
    }

    fn release(&self) -> Option<Release> {
        self.release
    }

    fn user(&self, name: &str) -> Account {
        self.users.find(name)
    }

    fn group(&self, name: &str) -> Account {
        self.groups.find(name)
    }

    fn place(&self, path: &str) -> Place {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Place::Folder;
        }
        if let Some((place, _)) = self.folders.borrow().get(path) {
            return *place;
        }
        // Its own node may not have been looked at: then only the folder above is known.
        let (above, real) = self.folder(parent(path));
        if matches!(above, Place::Missing | Place::Other) {
            return Place::Missing;
        }
        let moved;
        let candidate = if real == parent(path) {
            path
        } else {
            let name = path.rsplit('/').next().unwrap_or_default();
            moved = format!("{}/{name}", real.trim_end_matches('/'));
            &moved
        };
        if candidate.starts_with("/run/") || self.known.contains(candidate) {
            return self.folder(path).0;
        }
        Place::Unseen
    }
}
