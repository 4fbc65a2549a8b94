//! The state folder: who owns it, and the backups in it.

use super::error::JournalError;
use crate::change::Digest;
use crate::checks::parent;
use crate::facts::{Attributes, Bytes, Kind, Look, Mode, Node};
use crate::host::{Host, HostError, ReadHost};

/// More than the records of an undo take, in bytes: some hundred bytes for each path.
const RESERVE: usize = 64 << 10;

/// The folder with journals and backups.
#[derive(Debug, Clone)]
pub(super) struct Store {
    state: String,
}

impl Store {
    pub(super) fn new(state: &str) -> Self {
        Self {
            state: state.trim_end_matches('/').to_owned(),
        }
    }

    /// Whether `id` can be the name of a transaction: a plain file name of ours, so that nothing
    /// outside the state folder is ever named.
    pub(super) fn is_name(id: &str) -> bool {
        !id.is_empty()
            && id.len() <= 64
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }

    pub(super) fn backups(&self) -> String {
        format!("{}/backups", self.state)
    }

    pub(super) fn backup(&self, digest: &Digest) -> String {
        format!("{}/backups/{digest}", self.state)
    }

    pub(super) fn transactions(&self) -> String {
        format!("{}/transactions", self.state)
    }

    pub(super) fn transaction(&self, id: &str) -> String {
        format!("{}/transactions/{id}", self.state)
    }

    pub(super) fn journal(&self, id: &str) -> String {
        format!("{}/transactions/{id}/journal", self.state)
    }

    /// The file that says how to take a transaction back by hand.
    pub(super) fn listing(&self, id: &str) -> String {
        format!("{}/transactions/{id}/RESTORE", self.state)
    }

    /// Makes the folders that are missing, for transaction `id` too. Safe to repeat.
    pub(super) fn make(&self, host: &mut dyn Host, id: &str) -> Result<(), HostError> {
        self.refuse_untrusted(host)?;
        let mut missing = Vec::new();
        let mut at = self.state.as_str();
        // Only what leads to our folder may be readable to all; /var/lib usually exists.
        while at.len() > 1 && host.node(at, Look::Attributes)?.kind == Kind::Absent {
            missing.push((at, if at == self.state { 0o700 } else { 0o755 }));
            at = parent(at);
        }
        for (path, mode) in missing.into_iter().rev() {
            make_folder(host, path, mode)?;
        }
        for path in [self.backups(), self.transactions(), self.transaction(id)] {
            if host.node(&path, Look::Attributes)?.kind == Kind::Absent {
                make_folder(host, &path, 0o700)?;
            }
            // Made by a process that crashed before it got here, perhaps.
            host.sync_folder(parent(&path))?;
        }
        Ok(())
    }

    /// Takes away what [`Self::make`] and a failed beginning made for a transaction. Nothing
    /// depends on it, so a failure is of no consequence.
    pub(super) fn forget(&self, host: &mut dyn Host, id: &str) {
        for name in ["journal", "journal.new", "RESTORE", "reserve"] {
            let path = format!("{}/{name}", self.transaction(id));
            if matches!(host.node(&path, Look::Attributes), Ok(node) if node.kind != Kind::Absent) {
                let _ = host.remove(&path);
            }
        }
        let _ = host.remove_folder(&self.transaction(id));
        let _ = host.sync_folder(&self.transactions());
    }

    /// Refuses a state folder to which others can write: they could make root "restore" anything.
    pub(super) fn refuse_untrusted(&self, host: &dyn ReadHost) -> Result<(), HostError> {
        for path in [self.state.clone(), self.backups(), self.transactions()] {
            let node = host.node(&path, Look::Attributes)?;
            let reason = match node.kind {
                Kind::Absent => continue,
                Kind::Folder => distrust(host, &node),
                _ => Some("it is not a folder".to_owned()),
            };
            if let Some(reason) = reason {
                return Err(HostError::Refused { path, reason });
            }
        }
        Ok(())
    }

    /// The bytes of a transaction's journal, `None` where there is none. What others than root could
    /// have written is refused: its word decides what root puts where.
    pub(super) fn read_journal(
        &self,
        host: &dyn ReadHost,
        id: &str,
    ) -> Result<Option<Bytes>, HostError> {
        let path = self.journal(id);
        let node = host.node(&path, Look::Content)?;
        let reason = match node.kind {
            Kind::Absent => return Ok(None),
            Kind::File => distrust(host, &node),
            _ => Some("it is not a regular file".to_owned()),
        };
        match (reason, node.content) {
            (None, Some(content)) => Ok(Some(content)),
            (None, None) => Err(HostError::Refused {
                path,
                reason: "it is too big for a journal".to_owned(),
            }),
            (Some(reason), _) => Err(HostError::Refused { path, reason }),
        }
    }

    /// Attributes of our files: 0600, of whoever owns the state folder.
    pub(super) fn file_attributes(&self, host: &dyn ReadHost) -> Result<Attributes, HostError> {
        owned_like(host, &self.state, 0o600)
    }

    /// Stores a content under its digest, on the disk when this returns but for its name: see
    /// [`Self::kept`].
    pub(super) fn keep(&self, host: &mut dyn Host, content: &Bytes) -> Result<(), HostError> {
        let path = self.backup(&Digest::of(&content.0));
        if host.node(&path, Look::Content)?.content.as_ref() == Some(content) {
            return Ok(());
        }
        let new = format!("{}/.new", self.backups());
        if host.node(&new, Look::Attributes)?.kind != Kind::Absent {
            host.remove(&new)?;
        }
        let attributes = self.file_attributes(host)?;
        host.create(&new, content, &attributes)?;
        host.sync(&new)?;
        host.rename(&new, &path)
    }

    /// Writes the file of [`Self::listing`], or leaves nothing of it.
    pub(super) fn write_listing(
        &self,
        host: &mut dyn Host,
        id: &str,
        text: &str,
    ) -> Result<(), HostError> {
        let path = self.listing(id);
        // Left by one that never began.
        if host.node(&path, Look::Attributes)?.kind != Kind::Absent {
            host.remove(&path)?;
        }
        let attributes = self.file_attributes(host)?;
        let written = host
            .create(&path, &text.into(), &attributes)
            .and_then(|()| host.sync(&path))
            .and_then(|()| host.sync_folder(&self.transaction(id)));
        if written.is_err() {
            let _ = host.remove(&path);
        }
        written
    }

    /// Takes room that is given back when an undo has no more for its records: a disk that fills up
    /// on the way must not keep us from saying that everything is as it was. Where there is none to
    /// take, it goes without.
    pub(super) fn reserve(&self, host: &mut dyn Host, id: &str) {
        let path = self.reserved(id);
        let Ok(attributes) = self.file_attributes(host) else {
            return;
        };
        // Not zeros: these take no room on a file system that compresses.
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let bytes = Bytes::new((0..RESERVE).map(|_| next()).collect());
        let taken = host.create(&path, &bytes, &attributes);
        if taken.and_then(|()| host.sync(&path)).is_err() {
            self.release(host, id);
        }
    }

    /// Gives it back. Safe to repeat.
    pub(super) fn release(&self, host: &mut dyn Host, id: &str) {
        let path = self.reserved(id);
        if matches!(host.node(&path, Look::Attributes), Ok(node) if node.kind == Kind::File) {
            // What is left of it is in nobody's way but the room's.
            let _ = host.remove(&path);
        }
    }

    fn reserved(&self, id: &str) -> String {
        format!("{}/reserve", self.transaction(id))
    }

    /// Brings the names of all backups to the disk.
    pub(super) fn kept(&self, host: &mut dyn Host) -> Result<(), HostError> {
        host.sync_folder(&self.backups())
    }

    /// The content with this digest, after checking that it is that.
    pub(super) fn load(&self, host: &dyn ReadHost, digest: &Digest) -> Result<Bytes, JournalError> {
        let path = self.backup(digest);
        match host.node(&path, Look::Content)?.content {
            Some(content) if Digest::of(&content.0) == *digest => Ok(content),
            _ => Err(JournalError::Backup { path }),
        }
    }

    /// Names of all transactions, oldest first.
    pub(super) fn names(&self, host: &dyn ReadHost) -> Result<Vec<String>, HostError> {
        self.refuse_untrusted(host)?;
        let mut names = host
            .node(&self.transactions(), Look::Entries)?
            .entries
            .unwrap_or_default();
        names.retain(|name| Self::is_name(name));
        names.sort();
        Ok(names)
    }

    /// Whether a transaction has a journal: without one it never began.
    pub(super) fn has_journal(&self, host: &dyn ReadHost, id: &str) -> Result<bool, HostError> {
        Ok(host.node(&self.journal(id), Look::Attributes)?.kind != Kind::Absent)
    }
}

/// Why others than root decide what this is. Whoever is not root has nothing to lose to them, and may
/// try us in a folder of their own.
fn distrust(host: &dyn ReadHost, node: &Node) -> Option<String> {
    if node.mode.0 & 0o022 != 0 {
        return Some(format!("others may write to it (mode {})", node.mode));
    }
    if !host.is_root() {
        return None;
    }
    if node.uid != 0 {
        return Some(format!("it belongs to user {}, not to root", node.uid));
    }
    node.untrusted.clone()
}

fn make_folder(host: &mut dyn Host, path: &str, mode: u32) -> Result<(), HostError> {
    let attributes = owned_like(host, parent(path), mode)?;
    host.make_folder(path, &attributes)?;
    host.sync_folder(path)?;
    host.sync_folder(parent(path))
}

/// Everything of ours belongs to whoever owns the folder around it: root on a host, the user where
/// a user tries us in a folder of their own.
fn owned_like(host: &dyn ReadHost, folder: &str, mode: u32) -> Result<Attributes, HostError> {
    let node = host.node(folder, Look::Attributes)?;
    Ok(Attributes {
        mode: Mode(mode),
        uid: node.uid,
        gid: node.gid,
        ..Attributes::default()
    })
}
