//! The host as auditctl finds it when it loads rules at boot.

use super::super::parent;
use super::boot::{self, AtBoot};
use super::files::{MOST_FOLDERS, release};
use crate::facts::{Facts, Kind, Seen};
use crate::formats::accounts;
use crate::formats::audit_rules::around::{Account, Around, Place};
use crate::formats::audit_rules::{Machine, Release};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

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
    /// The folders that have some of them in them.
    above: HashSet<String>,
    /// What was asked for before.
    found: RefCell<HashMap<String, Rc<Found>>>,
    /// The folder that was asked for last, as the next rule is mostly about the same one.
    last: RefCell<(String, Rc<Found>)>,
}

/// What is at a path.
struct Found {
    place: Place,
    /// Where that really is.
    real: String,
    /// Whether something in it was looked at.
    is_above: bool,
}

/// As many paths are remembered: more than were looked at, all of which were named by rules.
const MOST_FOUND: usize = 4 * MOST_FOLDERS;

/// Accounts by name, or nothing where they were not seen.
struct Names {
    known: Option<HashMap<String, u32>>,
    /// Whether others may come from elsewhere (nsswitch.conf(5)).
    more: bool,
}

impl Names {
    fn of(facts: &Facts, file: &str, database: &str) -> Self {
        let known = facts.reading(file).text().map(|text| {
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
        let switch = facts.reading("/etc/nsswitch.conf");
        let more = switch
            .text()
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.trim() == database)
            .any(|(_, words)| words.split_whitespace().any(elsewhere));
        let is_unread = facts.files.contains_key("/etc/nsswitch.conf") && switch.unread().is_some();
        Self {
            known,
            more: more || is_unread,
        }
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
        let known = known(facts);
        let root = Found {
            place: Place::Folder,
            real: "/".to_owned(),
            is_above: true,
        };
        Self {
            facts,
            machine: facts.auditing.machine.as_deref().and_then(Machine::by_name),
            release: release(facts),
            users: Names::of(facts, "/etc/passwd", "passwd"),
            groups: Names::of(facts, "/etc/group", "group"),
            boot: AtBoot::of(facts),
            above: known.iter().map(|path| parent(path).to_owned()).collect(),
            known,
            found: RefCell::default(),
            last: RefCell::new(("/".to_owned(), Rc::new(root))),
        }
    }

    /// What is at a path, and where that really is.
    fn look(&self, path: &str) -> Found {
        let real = boot::real(self.facts, path);
        let place = match self.facts.files.get(&real) {
            _ if real.starts_with("/run/") => self.boot.place(&real),
            _ if real == "/run" => Place::Folder,
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
        Found {
            place,
            is_above: real.starts_with("/run") || self.above.contains(&real),
            real,
        }
    }

    fn find(&self, path: &str) -> Rc<Found> {
        if let Some(known) = self.found.borrow().get(path) {
            return Rc::clone(known);
        }
        if self.found.borrow().len() >= MOST_FOUND {
            // So many were not looked at: see `files::requests`.
            return Rc::new(Found {
                place: Place::Unseen,
                real: path.to_owned(),
                is_above: false,
            });
        }
        let found = Rc::new(self.look(path));
        self.found
            .borrow_mut()
            .insert(path.to_owned(), Rc::clone(&found));
        found
    }

    /// A folder, of which mostly the same one is asked for again.
    fn folder(&self, path: &str) -> Rc<Found> {
        let last = self.last.borrow();
        if last.0 == path {
            return Rc::clone(&last.1);
        }
        self.find(path)
    }

    /// Whether a path in this folder was looked at, or is known without that.
    fn is_seen_in(&self, above: &Found, folder: &str, path: &str) -> bool {
        if !above.is_above {
            return false;
        }
        let is_seen = |path: &str| path.starts_with("/run/") || self.known.contains(path);
        if above.real == folder {
            return is_seen(path);
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        is_seen(&format!("{}/{name}", above.real.trim_end_matches('/')))
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
        let folder = parent(path);
        if self.last.borrow().0 == path {
            return self.last.borrow().1.place;
        }
        // Its own node may not have been looked at: then only the folder above is known.
        let above = self.folder(folder);
        let place = if matches!(above.place, Place::Missing | Place::Other) {
            Place::Missing
        } else if self.is_seen_in(&above, folder, path) {
            self.find(path).place
        } else {
            Place::Unseen
        };
        if self.last.borrow().0 != folder {
            *self.last.borrow_mut() = (folder.to_owned(), above);
        }
        place
    }
}
