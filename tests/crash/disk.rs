//! A disk with a cache in front of it. What was not synced may or may not survive a loss of power,
//! each change for itself, and a write may survive in part.

use seaworthy::facts::Attributes;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::{Hash, Hasher};

type Ino = u32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inode {
    pub folder: bool,
    pub attributes: Attributes,
    pub data: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Tree {
    names: BTreeMap<String, Ino>,
    inodes: BTreeMap<Ino, Inode>,
}

impl Hash for Inode {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.folder.hash(hasher);
        self.data.hash(hasher);
        hash_attributes(&self.attributes, hasher);
    }
}

fn hash_attributes(attributes: &Attributes, hasher: &mut impl Hasher) {
    (attributes.mode, attributes.uid, attributes.gid).hash(hasher);
    for (name, value) in &attributes.xattrs {
        (name, &*value.0).hash(hasher);
    }
}

impl Hash for Change {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        std::mem::discriminant(self).hash(hasher);
        match self {
            Self::Set(path, ino, inode) => (path, ino, inode).hash(hasher),
            Self::Unset(path) => path.hash(hasher),
            Self::Move(from, to, ino) => (from, to, ino).hash(hasher),
            Self::Meta(ino, attributes) => {
                ino.hash(hasher);
                hash_attributes(attributes, hasher);
            }
            Self::Truncate(ino) => ino.hash(hasher),
            Self::Write(ino, bytes) => (ino, bytes).hash(hasher),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Set(String, Ino, Inode),
    Unset(String),
    Move(String, String, Ino),
    Meta(Ino, Attributes),
    Truncate(Ino),
    Write(Ino, Vec<u8>),
}

impl Change {
    fn folder(&self) -> Option<&str> {
        match self {
            Self::Set(path, ..) | Self::Unset(path) | Self::Move(path, ..) => Some(parent(path)),
            _ => None,
        }
    }

    fn inode(&self) -> Option<Ino> {
        match self {
            Self::Meta(ino, _) | Self::Truncate(ino) | Self::Write(ino, _) => Some(*ino),
            _ => None,
        }
    }
}

pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

impl Tree {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Set(path, ino, inode) => {
                self.names.insert(path.clone(), *ino);
                self.inodes.entry(*ino).or_insert_with(|| inode.clone());
            }
            Change::Unset(path) => {
                self.names.remove(path);
            }
            Change::Move(from, to, ino) => {
                self.names.remove(from);
                self.names.insert(to.clone(), *ino);
            }
            Change::Meta(ino, attributes) => {
                if let Some(inode) = self.inodes.get_mut(ino) {
                    inode.attributes = attributes.clone();
                }
            }
            Change::Truncate(ino) => {
                if let Some(inode) = self.inodes.get_mut(ino) {
                    inode.data.clear();
                }
            }
            Change::Write(ino, bytes) => {
                if let Some(inode) = self.inodes.get_mut(ino) {
                    inode.data.extend_from_slice(bytes);
                }
            }
        }
    }
}

/// What becomes of everything that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    Lost,
    Kept,
    Random(u64),
}

/// xorshift64*: enough to choose subsets, and the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

#[derive(Debug, Clone, Default)]
pub struct Disk {
    now: Tree,
    durable: Tree,
    pending: Vec<Change>,
    next: Ino,
}

impl Disk {
    fn change(&mut self, change: Change) {
        self.now.apply(&change);
        self.pending.push(change);
    }

    pub fn get(&self, path: &str) -> Option<&Inode> {
        self.now.inodes.get(self.now.names.get(path)?)
    }

    pub fn entries(&self, path: &str) -> Vec<String> {
        self.now
            .names
            .keys()
            .filter(|name| *name != "/" && parent(name) == path)
            .filter_map(|name| name.rsplit_once('/'))
            .map(|(_, name)| name.to_owned())
            .collect()
    }

    pub fn paths(&self) -> impl Iterator<Item = (&String, &Inode)> {
        self.now
            .names
            .iter()
            .map(|(name, ino)| (name, &self.now.inodes[ino]))
    }

    /// A new, empty, private file or folder.
    pub fn make(&mut self, path: &str, folder: bool) {
        self.next += 1;
        let inode = Inode {
            folder,
            attributes: Attributes {
                mode: seaworthy::facts::Mode(if folder { 0o700 } else { 0o600 }),
                ..Attributes::default()
            },
            data: Vec::new(),
        };
        self.change(Change::Set(path.to_owned(), self.next, inode));
    }

    pub fn set(&mut self, path: &str, attributes: Attributes) {
        let ino = self.now.names[path];
        self.change(Change::Meta(ino, attributes));
    }

    pub fn truncate(&mut self, path: &str) {
        let ino = self.now.names[path];
        self.change(Change::Truncate(ino));
    }

    pub fn write(&mut self, path: &str, bytes: &[u8]) {
        let ino = self.now.names[path];
        self.change(Change::Write(ino, bytes.to_vec()));
    }

    pub fn rename(&mut self, from: &str, to: &str) {
        let ino = self.now.names[from];
        self.change(Change::Move(from.to_owned(), to.to_owned(), ino));
    }

    pub fn unset(&mut self, path: &str) {
        self.change(Change::Unset(path.to_owned()));
    }

    pub fn sync(&mut self, path: &str) {
        let ino = self.now.names.get(path).copied();
        self.flush(
            |change| change.inode().is_some() && change.inode() == ino,
            ino,
        );
    }

    pub fn sync_folder(&mut self, path: &str) {
        let ino = self.now.names.get(path).copied();
        self.flush(
            |change| change.folder() == Some(path) || (ino.is_some() && change.inode() == ino),
            ino,
        );
    }

    pub fn sync_all(&mut self) {
        self.durable = self.now.clone();
        self.pending.clear();
    }

    fn flush(&mut self, is_meant: impl Fn(&Change) -> bool, ino: Option<Ino>) {
        // A file that is synced has its data on the disk even while its name is not there yet.
        if let Some(ino) = ino
            && !self.durable.inodes.contains_key(&ino)
            && let Some(Change::Set(_, _, inode)) = self
                .pending
                .iter()
                .find(|change| matches!(change, Change::Set(_, set, _) if *set == ino))
        {
            self.durable.inodes.insert(ino, inode.clone());
        }
        let (meant, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(is_meant);
        for change in &meant {
            // A name that becomes durable brings an inode with it, though not its data.
            if let Change::Move(_, _, ino) = change {
                self.bring(*ino, &rest);
            }
            self.durable.apply(change);
        }
        self.pending = rest;
    }

    fn bring(&mut self, ino: Ino, pending: &[Change]) {
        if let Entry::Vacant(entry) = self.durable.inodes.entry(ino) {
            let set = pending.iter().find_map(|change| match change {
                Change::Set(_, set, inode) if *set == ino => Some(inode.clone()),
                _ => None,
            });
            if let Some(inode) = set {
                entry.insert(inode);
            }
        }
    }

    /// Loses power.
    pub fn power_loss(&mut self, unsynced: Unsynced) {
        let pending = std::mem::take(&mut self.pending);
        let mut random = Random::new(match unsynced {
            Unsynced::Random(seed) => seed,
            _ => 0,
        });
        let mut cut: Vec<Ino> = Vec::new();
        for change in &pending {
            // Data of one file reaches the disk in order; everything else as it likes.
            if change.inode().is_some_and(|ino| cut.contains(&ino)) {
                continue;
            }
            let keep = match unsynced {
                Unsynced::Lost => false,
                Unsynced::Kept => true,
                Unsynced::Random(_) => random.below(2) == 0,
            };
            if keep {
                if let Change::Move(_, _, ino) = change {
                    self.bring(*ino, &pending);
                }
                self.durable.apply(change);
                continue;
            }
            if let Some(ino) = change.inode() {
                cut.push(ino);
            }
            if let (Change::Write(ino, bytes), Unsynced::Random(_)) = (change, unsynced) {
                let torn = usize::try_from(random.below(bytes.len() as u64 + 1)).unwrap();
                self.durable
                    .apply(&Change::Write(*ino, bytes[..torn].to_vec()));
            }
        }
        // What was in a folder that did not survive did not either.
        let names = self.durable.names.clone();
        self.durable.names.retain(|path, _| {
            let mut at = path.as_str();
            while at != "/" {
                at = parent(at);
                if !names.contains_key(at) {
                    return false;
                }
            }
            true
        });
        self.now = self.durable.clone();
    }

    /// Everything that can matter later.
    pub fn fingerprint(&self, hasher: &mut impl Hasher) {
        for (path, inode) in self.paths() {
            path.hash(hasher);
            inode.hash(hasher);
        }
        self.pending.hash(hasher);
    }
}
