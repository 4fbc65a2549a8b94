//! Writing a journal so that a record is on the disk, or is known not to be.

use super::entry::{Begin, Entry};
use super::line;
use super::log::{Log, Read, read};
use crate::apply::error::JournalError;
use crate::apply::store::Store;
use crate::checks::parent;
use crate::facts::{Bytes, Kind, Look};
use crate::host::{Host, HostError, ReadHost};
use std::io;

/// A journal that is open for writing, and what it says so far.
#[derive(Debug)]
pub(in crate::apply) struct Journal {
    path: String,
    store: Store,
    log: Log,
    /// All complete records as they stand in the file.
    text: Vec<u8>,
    records: u64,
    /// After a failed append or a crash, what follows the complete records is not known.
    tail_unknown: bool,
    /// Only for a mutation: records are held back.
    held: bool,
}

impl Journal {
    /// Starts the journal of a new transaction: the file appears under its name with its first
    /// record, or not at all.
    pub(in crate::apply) fn begin(
        host: &mut dyn Host,
        store: &Store,
        begin: Begin,
        held: bool,
    ) -> Result<Self, HostError> {
        let at = host.now();
        let path = store.journal(&begin.id);
        let log = Log::new(at, begin.clone());
        let text = encode(&path, 0, at, &Entry::Begin(Box::new(begin)))?;
        let mut journal = Self {
            path,
            store: store.clone(),
            log,
            text,
            records: 1,
            tail_unknown: true,
            held,
        };
        if !held {
            journal.rewrite(host)?;
        }
        Ok(journal)
    }

    /// Opens the journal of a transaction that was interrupted, and brings to the disk what is read
    /// from it: the process that wrote it may have died before it got to that.
    pub(in crate::apply) fn open(
        host: &mut dyn Host,
        store: &Store,
        id: &str,
    ) -> Result<Self, JournalError> {
        let path = store.journal(id);
        let mut text = content(host, store, id)?;
        let read = read_of(store, id, &text)?;
        let tail_unknown = read.complete != text.len();
        text.truncate(read.complete);
        let mut journal = Self {
            path,
            store: store.clone(),
            log: read.log,
            text,
            records: read.records,
            tail_unknown,
            held: false,
        };
        if tail_unknown {
            journal.rewrite(host)?;
        } else {
            host.sync(&journal.path)?;
            host.sync_folder(parent(&journal.path))?;
        }
        Ok(journal)
    }

    /// What the journal of a transaction says.
    pub(in crate::apply) fn read(
        host: &dyn ReadHost,
        store: &Store,
        id: &str,
    ) -> Result<Log, JournalError> {
        let text = content(host, store, id)?;
        Ok(read_of(store, id, &text)?.log)
    }

    /// What was written so far.
    pub(in crate::apply) fn log(&self) -> &Log {
        &self.log
    }

    /// Where it is.
    pub(in crate::apply) fn path(&self) -> &str {
        &self.path
    }

    /// Appends a record and brings it to the disk.
    ///
    /// After an error the record is not part of the journal for us, but what the disk has is
    /// unknown until the next write, which replaces the file.
    pub(in crate::apply) fn write(
        &mut self,
        host: &mut dyn Host,
        entry: &Entry,
    ) -> Result<(), HostError> {
        let line = encode(&self.path, self.records, host.now(), entry)?;
        let before = self.text.len();
        if self.held && *entry == Entry::Commit {
            self.held = false;
        }
        if self.tail_unknown || self.held {
            self.text.extend_from_slice(&line);
            if !self.held
                && let Err(error) = self.rewrite(host)
            {
                self.text.truncate(before);
                return Err(error);
            }
        } else {
            self.tail_unknown = true;
            host.append(&self.path, &line)?;
            host.sync(&self.path)?;
            self.tail_unknown = false;
            self.text.extend_from_slice(&line);
        }
        self.records += 1;
        self.log.fold(entry);
        Ok(())
    }

    /// Replaces the file by its complete records.
    fn rewrite(&mut self, host: &mut dyn Host) -> Result<(), HostError> {
        let new = format!("{}.new", self.path);
        if host.node(&new, Look::Attributes)?.kind != Kind::Absent {
            host.remove(&new)?;
        }
        let attributes = self.store.file_attributes(host)?;
        host.create(&new, &Bytes::new(self.text.clone()), &attributes)?;
        host.sync(&new)?;
        host.rename(&new, &self.path)?;
        host.sync_folder(parent(&self.path))?;
        self.tail_unknown = false;
        Ok(())
    }
}

/// The records of a journal, which must be that of the transaction whose folder it is in.
fn read_of(store: &Store, id: &str, text: &[u8]) -> Result<Read, JournalError> {
    let path = store.journal(id);
    let read = read(&path, text)?;
    if read.log.begin.id == id {
        return Ok(read);
    }
    Err(JournalError::Damaged {
        path,
        line: 1,
        reason: format!("it is the journal of {}", read.log.begin.id),
    })
}

fn content(host: &dyn ReadHost, store: &Store, id: &str) -> Result<Vec<u8>, JournalError> {
    let missing = || JournalError::Missing { id: id.to_owned() };
    if !Store::is_name(id) {
        return Err(missing());
    }
    let content = store.read_journal(host, id)?;
    content.map(Bytes::into_vec).ok_or_else(missing)
}

fn encode(path: &str, seq: u64, at: i64, entry: &Entry) -> Result<Vec<u8>, HostError> {
    line::encode(seq, at, entry)
        .map(String::into_bytes)
        .map_err(|error| HostError::file(path, "write", io::Error::other(error)))
}
