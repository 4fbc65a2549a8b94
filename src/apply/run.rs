//! What forward and undo share: the doors, the journal, and how to say and note things.

use super::by_hand::by_hand;
use super::journal::{ActionRecord, Entry, Journal};
use super::outcome::{Event, Watcher};
use super::perform::{look_for, now, perform, settle};
use super::same::same;
use super::settings::Settings;
use super::store::Store;
use super::{JournalError, kernel};
use crate::change::{Action, Activation, StateRecord};
use crate::host::{Host, HostError};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use thiserror::Error;

/// Many times what journals and backups need, in bytes.
const LITTLE_ROOM: u64 = 1 << 20;

/// Why the way forward ended, or why a part of an undo failed.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{path} was changed by somebody else meanwhile")]
    Changed { path: String },
    #[error("{activation} failed: {source}")]
    Activation {
        activation: Activation,
        source: HostError,
    },
    #[error("{}", .0.join("; "))]
    Unhealthy(Vec<String>),
    #[error("the kernel's audit rules are not as they must be: {0}")]
    Kernel(String),
    #[error("it was interrupted")]
    Interrupted,
}

/// A transaction under way.
pub(super) struct Run<'a> {
    pub(super) host: &'a mut dyn Host,
    pub(super) settings: &'a Settings,
    pub(super) watcher: &'a mut dyn Watcher,
    pub(super) store: Store,
    pub(super) journal: Journal,
    pub(super) id: String,
    /// `commit` was sent to the disk; unless the journal is replaced it may be there.
    pub(super) commit_tried: bool,
    /// Steps that were announced, and that the door refused before anything was changed: whatever
    /// is there now, somebody else put it there.
    pub(super) untouched: BTreeSet<usize>,
}

impl Run<'_> {
    /// Tells the watcher. One that panics (a closed terminal, perhaps) must not stop an undo.
    pub(super) fn say(&mut self, event: Event) {
        let watcher = &mut *self.watcher;
        let _ = catch_unwind(AssertUnwindSafe(|| watcher.event(event)));
    }

    /// Appends a record.
    pub(super) fn write(&mut self, entry: &Entry) -> Result<(), HostError> {
        self.journal.write(self.host, entry)
    }

    /// Appends a record, trying twice, during an undo: it goes on without, as a restored host with
    /// an incomplete journal is better than a changed host with an accurate one.
    pub(super) fn write_anyway(&mut self, entry: &Entry) -> bool {
        if self.write(entry).is_ok() {
            return true;
        }
        self.store.release(self.host, &self.id);
        self.write(entry).is_ok()
    }

    /// Says and records something that is no failure.
    pub(super) fn note(&mut self, text: String) {
        self.write_anyway(&Entry::Note { text: text.clone() });
        self.say(Event::Note { text });
    }

    /// Leaves word how to do without us. What room a full disk still has is for the journal of a
    /// rollback, so there it goes without.
    pub(super) fn leave_listing(&mut self) {
        let room = self.host.room(&self.store.transaction(&self.id));
        if room.is_some_and(|room| room < LITTLE_ROOM) {
            self.note("how to restore by hand is not written down: the disk is full".to_owned());
            return;
        }
        let begin = &self.journal.log().begin;
        let text = by_hand(begin, &self.store, self.host.is_live());
        if let Err(error) = self.store.write_listing(self.host, &self.id, &text) {
            self.note(format!(
                "how to restore by hand is not written down: {error}"
            ));
        }
    }

    /// Records the own words of a service that failed.
    pub(super) fn keep_log(&mut self, what: &str, unit: &str) {
        let since = self.host.now() - self.journal.log().at;
        let seconds = u64::try_from(since / 1_000_000).unwrap_or_default() + 1;
        let log = self.host.service_log(unit, seconds);
        self.write_anyway(&Entry::Failed {
            what: what.to_owned(),
            unit: unit.to_owned(),
            log,
        });
    }

    /// Tells a service, recorded before and after.
    pub(super) fn activate(&mut self, activation: Activation, undo: bool) -> Result<(), Failure> {
        let begun = Entry::Activating { activation, undo };
        if undo {
            self.write_anyway(&begun);
        } else {
            self.write(&begun)?;
        }
        self.say(Event::Activating { activation, undo });
        let deadline = if undo {
            self.settings.undo_deadline()
        } else {
            self.settings.deadline
        };
        if let Err(source) = self.host.activate(activation, deadline) {
            self.keep_log(&source.to_string(), activation.unit());
            return Err(Failure::Activation { activation, source });
        }
        let ended = Entry::Activated { activation, undo };
        if undo {
            self.write_anyway(&ended);
        } else {
            self.write(&ended)?;
        }
        Ok(())
    }

    /// Changes a path to a recorded state, whatever it is now; recorded as a write of its own
    /// unless it is part of a step.
    pub(super) fn put(
        &mut self,
        path: &str,
        wanted: &StateRecord,
        announce: bool,
    ) -> Result<bool, Failure> {
        let Some(before) = now(self.host, path, look_for(wanted, wanted))? else {
            return Err(Failure::Changed {
                path: path.to_owned(),
            });
        };
        if same(&before.record(), wanted) {
            settle(self.host, path)?;
            return Ok(true);
        }
        let after = wanted.restore(|digest| self.store.load(self.host, digest))?;
        let action = Action {
            path: path.to_owned(),
            before,
            after,
        };
        if announce {
            self.write_anyway(&Entry::Writing {
                action: ActionRecord::from(&action),
            });
        }
        Ok(perform(
            self.host,
            &self.id,
            &action,
            self.settings.mutation,
        )?)
    }

    /// Makes the kernel's audit rules these, one by one.
    pub(super) fn settle_kernel(&mut self, wanted: &[String]) -> Result<(), Failure> {
        let mut failed = None;
        // Twice, as a rule may only be possible after another one went.
        for _ in 0..2 {
            let now = kernel::list(self.host)?;
            let (delete, add) = kernel::difference(&now, wanted);
            if delete.is_empty() && add.is_empty() {
                return Ok(());
            }
            self.write_anyway(&Entry::KernelRules {
                delete: delete.clone(),
                add: add.clone(),
            });
            let words = delete.iter().map(|rule| kernel::deleting(rule));
            for words in words.chain(add.iter().map(|rule| kernel::adding(rule))) {
                failed = self.host.audit_rule(&words).err().or(failed);
            }
        }
        let now = kernel::list(self.host)?;
        if kernel::same_rules(&now, wanted) {
            return Ok(());
        }
        let mut wrong: Vec<String> = kernel::without(wanted, &now)
            .iter()
            .map(|rule| format!("`{rule}` is missing"))
            .collect();
        wrong.extend(
            kernel::without(&now, wanted)
                .iter()
                .map(|rule| format!("`{rule}` is too much")),
        );
        wrong.extend(failed.map(|error| error.to_string()));
        Err(Failure::Kernel(wrong.join(", ")))
    }
}
