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
    /// An earlier transaction waits to be confirmed.
    #[error("transaction {id} waits to be confirmed ({})", in_words(*.left))]
    Awaiting {
        /// Which.
        id: String,
        /// Microseconds until it is taken back.
        left: i64,
    },
    /// There is nothing to confirm.
    #[error("transaction {id} does not wait to be confirmed")]
    NotAwaiting {
        /// Which.
        id: String,
    },
    /// Nothing on this host would take back what is not confirmed.
    #[error("this host cannot roll back by itself, so nothing was changed: {source}")]
    Unguarded {
        /// Why not.
        source: HostError,
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

/// The time that is left, in words.
pub fn in_words(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => "its time is over".to_owned(),
        (0, 0, s) => format!("{s} s left"),
        (0, m, s) => format!("{m} min {s} s left"),
        (h, m, _) => format!("{h} h {m} min left"),
    }
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
