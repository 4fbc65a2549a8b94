//! What a journal's records say together.

use super::entry::{Begin, Entry};
use super::line;
use crate::apply::confirm::is_guard;
use crate::apply::error::JournalError;
use crate::apply::outcome::ServiceLog;
use crate::change::{Activation, StateRecord};
use std::collections::{BTreeMap, BTreeSet};

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::apply) enum End {
    Committed,
    RolledBack,
    Stuck { why: String, left: Vec<String> },
}

/// The progress of one transaction.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::apply) struct Log {
    pub(in crate::apply) begin: Begin,
    /// When it began.
    pub(in crate::apply) at: i64,
    /// Steps that may have been made.
    pub(in crate::apply) begun: BTreeSet<usize>,
    /// Steps that were made, and whether there was nothing to make.
    pub(in crate::apply) done: BTreeMap<usize, bool>,
    /// What services may have been told on the way forward.
    pub(in crate::apply) activating: Vec<Activation>,
    /// What they have certainly taken notice of on the way forward.
    pub(in crate::apply) activated: Vec<Activation>,
    pub(in crate::apply) derived_after: Option<Vec<Option<StateRecord>>>,
    pub(in crate::apply) kernel_after: Option<Vec<String>>,
    /// Why the undo began, and which derived things are ours.
    pub(in crate::apply) undo: Option<(String, Vec<bool>)>,
    /// Steps that may have been taken back.
    pub(in crate::apply) undoing: BTreeSet<usize>,
    pub(in crate::apply) service_logs: Vec<ServiceLog>,
    pub(in crate::apply) notes: Vec<String>,
    pub(in crate::apply) end: Option<End>,
    /// The moment after which it is taken back unless it is confirmed.
    pub(in crate::apply) confirm_until: Option<i64>,
    /// The boot in which that was written.
    pub(in crate::apply) confirm_boot: Option<String>,
    pub(in crate::apply) confirmed: bool,
}

impl Log {
    /// Nothing but the beginning.
    pub(super) fn new(at: i64, begin: Begin) -> Self {
        Self {
            at,
            notes: begin.notes.clone(),
            begin,
            begun: BTreeSet::new(),
            done: BTreeMap::new(),
            activating: Vec::new(),
            activated: Vec::new(),
            derived_after: None,
            kernel_after: None,
            undo: None,
            undoing: BTreeSet::new(),
            service_logs: Vec::new(),
            end: None,
            confirm_until: None,
            confirm_boot: None,
            confirmed: false,
        }
    }

    /// Adds what one record says.
    pub(super) fn fold(&mut self, entry: &Entry) {
        match entry {
            Entry::Intent { step } => {
                self.begun.insert(*step);
            }
            Entry::Done { step, skipped } => {
                self.done.insert(*step, *skipped);
            }
            Entry::Activating {
                activation,
                undo: false,
            } => self.activating.push(*activation),
            Entry::Activated {
                activation,
                undo: false,
            } => self.activated.push(*activation),
            Entry::Failed { unit, log, .. } => {
                if !log.is_empty() {
                    self.service_logs.push(ServiceLog {
                        unit: unit.clone(),
                        lines: log.clone(),
                    });
                }
            }
            Entry::Note { text } => self.notes.push(text.clone()),
            Entry::DerivedAfter { files, kernel } => {
                self.derived_after = Some(files.clone());
                self.kernel_after.clone_from(kernel);
            }
            Entry::ConfirmUntil { until, boot } => {
                self.confirm_until = Some(*until);
                self.confirm_boot.clone_from(boot);
            }
            Entry::Confirmed { .. } => self.confirmed = true,
            Entry::Commit => self.end = Some(End::Committed),
            Entry::UndoBegin { why, ours } => self.undo = Some((why.clone(), ours.clone())),
            Entry::Undoing { step } => {
                self.undoing.insert(*step);
            }
            Entry::RolledBack => self.end = Some(End::RolledBack),
            Entry::Stuck { why, left } => {
                self.end = Some(End::Stuck {
                    why: why.clone(),
                    left: left.clone(),
                });
            }
            // These are there for people, or only precede something that is looked at anyway.
            Entry::Begin(_)
            | Entry::Activating { .. }
            | Entry::Activated { .. }
            | Entry::KernelRules { .. }
            | Entry::Writing { .. }
            | Entry::Undone { .. } => {}
        }
    }

    /// Whether a step may have been taken back that a service reads: what only rolls back at a boot
    /// is read by systemd at a boot.
    pub(in crate::apply) fn undoes_what_services_read(&self) -> bool {
        self.undoing
            .iter()
            .filter_map(|&index| self.begin.steps.get(index))
            .any(|step| !is_guard(&step.action.path))
    }

    /// Whether anything on the host can have been changed.
    pub(in crate::apply) fn touched(&self) -> bool {
        !self.begun.is_empty() || !self.activating.is_empty()
    }
}

/// A journal that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) log: Log,
    /// How many of its bytes are complete records.
    pub(super) complete: usize,
    /// How many records there are.
    pub(super) records: u64,
}

/// Reads a journal. What follows the last complete record is what a crash left of an append and is
/// ignored; anything else that cannot be read is an error, as nothing may be undone on a guess.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Read, JournalError> {
    let damaged = |line: usize, reason: String| JournalError::Damaged {
        path: path.to_owned(),
        line,
        reason,
    };
    let mut log: Option<Log> = None;
    let mut complete = 0;
    let mut records = 0;
    for (index, raw) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let number = index + 1;
        let last = complete + raw.len() == bytes.len();
        let Some(text) = raw.strip_suffix(b"\n") else {
            break;
        };
        let head = match line::head(text) {
            Ok(head) => head,
            Err(_) if last => break,
            Err(reason) => return Err(damaged(number, reason)),
        };
        // No crash leaves a whole line behind that says nothing: a newer version wrote it.
        let line = line::decode(head).map_err(|reason| damaged(number, reason))?;
        if line.seq != records {
            return Err(damaged(
                number,
                format!("it is record {}, not {records}", line.seq),
            ));
        }
        match (&mut log, line.entry) {
            (None, Entry::Begin(begin)) if begin.format == 1 => {
                log = Some(Log::new(line.at, *begin));
            }
            (None, Entry::Begin(begin)) => {
                return Err(damaged(
                    number,
                    format!(
                        "it has format {}, which this version cannot read",
                        begin.format
                    ),
                ));
            }
            (None, _) => return Err(damaged(number, "it is not a beginning".to_owned())),
            (Some(_), Entry::Begin(_)) => {
                return Err(damaged(number, "it is a second beginning".to_owned()));
            }
            (Some(log), entry) => log.fold(&entry),
        }
        complete += raw.len();
        records += 1;
    }
    let log = log.ok_or_else(|| damaged(1, "there is no beginning".to_owned()))?;
    Ok(Read {
        log,
        complete,
        records,
    })
}
