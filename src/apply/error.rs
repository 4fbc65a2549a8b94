//! Refusals: the host was not touched. What goes wrong later is an [`super::Outcome`].

use crate::host::HostError;
use thiserror::Error;

/// Why nothing was begun.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// An earlier transaction was interrupted.
    #[error("transaction {id} is unfinished")]
    Unfinished {
        /// Which.
        id: String,
    },
    /// The host is not what the plan was made for.
    #[error("changed since the plan was made: {}", .paths.join(", "))]
    Stale {
        /// Every path that differs.
        paths: Vec<String>,
    },
    /// There is already a transaction of this name, or the name cannot be one.
    #[error("`{id}` cannot name a new transaction: {reason}")]
    Name {
        /// The name.
        id: String,
        /// Why, as a clause.
        reason: &'static str,
    },
    /// There is nothing to recover.
    #[error("transaction {id} is complete ({outcome}): there is nothing to recover")]
    Complete {
        /// Which.
        id: String,
        /// What became of it.
        outcome: &'static str,
    },
    /// The undo has begun, so the way forward is closed.
    #[error("transaction {id} is already being taken back and cannot be finished")]
    BeingUndone {
        /// Which.
        id: String,
    },
    /// The daemon would not start with the configuration that it would get.
    #[error("{path}: dockerd refuses what would be written there, so nothing was changed: {words}")]
    Daemon {
        /// The file.
        path: String,
        /// Its own words.
        words: String,
    },
    /// The preparations failed.
    #[error("nothing was changed: {0}")]
    Host(#[from] HostError),
    /// A journal or a backup cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Why a journal or a backup cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// There is no such transaction.
    #[error("there is no transaction {id}")]
    Missing {
        /// The name.
        id: String,
    },
    /// A record other than the last is not what was written.
    #[error("{path}: line {line} is damaged: {reason}")]
    Damaged {
        /// The journal.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A backup is not what its name says.
    #[error("{path}: the backup is damaged: it no longer has the content that its name tells")]
    Backup {
        /// The file.
        path: String,
    },
    /// Only what was committed can be taken back.
    #[error("transaction {id} is not in effect ({outcome}): there is nothing to take back")]
    NotCommitted {
        /// Which.
        id: String,
        /// What became of it.
        outcome: &'static str,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    Host(#[from] HostError),
}
