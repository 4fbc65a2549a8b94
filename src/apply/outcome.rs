//! How it went, and how it is going.

use crate::change::Activation;
use std::time::Duration;

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as planned.
    Committed,
    /// There was nothing to do, and nothing was written.
    NothingToDo,
    /// Everything is as it was before.
    RolledBack {
        /// What went wrong.
        why: String,
    },
    /// A person is needed.
    Stuck {
        /// What went wrong first.
        why: String,
        /// What is not as it was, with where its former content is.
        left: Vec<String>,
    },
}

/// The end of an apply, a rollback or a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The transaction.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it is not effective yet although it is committed.
    pub pending: Option<String>,
    /// The moment after which it is taken back unless it is confirmed, in microseconds since 1970.
    pub confirm_until: Option<i64>,
    /// The own words of services that failed.
    pub service_logs: Vec<ServiceLog>,
    /// Things worth knowing that are no failure: a folder that was kept because it is in use.
    pub notes: Vec<String>,
}

/// The last lines of a service's own log when it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLog {
    /// The service.
    pub unit: String,
    /// Its lines, oldest first.
    pub lines: Vec<String>,
}

/// Progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// All backups and the journal's first record are on the disk.
    Begun {
        /// The transaction.
        id: String,
    },
    /// A step starts.
    Step {
        /// Counted from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The step as a person would say it.
        what: String,
    },
    /// A service is told.
    Activating {
        /// What it is told.
        activation: Activation,
        /// Whether that is part of an undo.
        undo: bool,
    },
    /// Waiting for the services to be as expected.
    Checking,
    /// Looking whether the services stay up.
    Watching {
        /// For how long.
        time: Duration,
    },
    /// A container that a restart had stopped runs again.
    Started {
        /// Its name.
        container: String,
    },
    /// Everything is as planned.
    Committed,
    /// Everything begun is taken back.
    UndoBegun {
        /// Why.
        why: String,
    },
    /// A file is brought back.
    Restoring {
        /// Which.
        path: String,
    },
    /// Worth knowing, and no failure.
    Note {
        /// A sentence.
        text: String,
    },
    /// Something could not be brought back.
    Left {
        /// A sentence.
        text: String,
    },
    /// Everything is as it was before.
    RolledBack,
    /// A person is needed.
    Stuck,
}

/// Somebody who watches, and who may ask to stop.
pub trait Watcher {
    /// Something happened.
    fn event(&mut self, event: Event);

    /// A signal arrived: what was begun is taken back at the next boundary between two steps. It
    /// is not asked during an undo.
    fn interrupted(&self) -> bool;
}
