//! What the journals say about the past.

use super::confirm::{awaiting_among, awaits};
use super::error::JournalError;
use super::journal::{End, Journal, Log, StepRecord};
use super::settings::Settings;
use super::store::Store;
use super::transaction::{Settle, Step, Transaction};
use crate::change::{Action, Activation, Digest};
use crate::host::ReadHost;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeSet;

/// One transaction of the past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// Its name.
    pub id: String,
    /// When it began, RFC 3339.
    pub at: String,
    /// What became of it.
    pub outcome: RecordOutcome,
    /// Why it is not effective yet although it is committed.
    pub pending: Option<String>,
    /// Until when it can be confirmed, RFC 3339, while it waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_until: Option<String>,
    /// The seconds that are left for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<i64>,
    /// It was to be confirmed, and its own journal does not say that it was.
    #[serde(skip)]
    pub(super) unconfirmed: bool,
    /// Ids of the controls that it served.
    pub controls: Vec<String>,
    /// The transaction that it took back.
    pub reverts: Option<String>,
    /// The transaction that took it back and is itself in effect.
    pub reverted_by: Option<String>,
    /// What it changed.
    pub steps: Vec<StepRecord>,
    /// What it told services.
    pub activations: Vec<Activation>,
    /// Who asked for it.
    pub by: String,
    /// The command line.
    pub command: String,
    /// Version of seaworthy.
    pub tool: String,
    /// Why it was taken back, if it was.
    pub why: Option<String>,
    /// What could not be brought back.
    pub left: Vec<String>,
    /// The own words of services that failed: the service, then its lines.
    pub service_logs: Vec<(String, Vec<String>)>,
    /// Things worth knowing.
    pub notes: Vec<String>,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordOutcome {
    /// Everything is as planned.
    Committed,
    /// The same, and it is taken back unless it is confirmed.
    PendingConfirmation,
    /// Everything is as it was before.
    RolledBack,
    /// A person is needed.
    Stuck,
    /// It was interrupted.
    Unfinished,
}

impl RecordOutcome {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::PendingConfirmation => "pending-confirmation",
            Self::RolledBack => "rolled back",
            Self::Stuck => "stuck",
            Self::Unfinished => "unfinished",
        }
    }

    fn of(log: &Log) -> Self {
        match log.end {
            Some(End::Committed) => Self::Committed,
            Some(End::RolledBack) => Self::RolledBack,
            Some(End::Stuck { .. }) => Self::Stuck,
            None => Self::Unfinished,
        }
    }
}

/// All transactions, oldest first.
///
/// # Errors
/// When a journal cannot be read or is damaged.
pub fn history(host: &dyn ReadHost, settings: &Settings) -> Result<Vec<Record>, JournalError> {
    let logs = logs(host, settings)?;
    let waiting = awaiting_among(host, &logs);
    let mut records: Vec<Record> = logs.into_iter().map(record).collect();
    // From the newest back, so that a rollback that was itself taken back counts for nothing.
    for index in (0..records.len()).rev() {
        let record = &records[index];
        if record.outcome != RecordOutcome::Committed || record.reverted_by.is_some() {
            continue;
        }
        let (Some(reverts), by) = (record.reverts.clone(), record.id.clone()) else {
            continue;
        };
        for earlier in records[..index]
            .iter_mut()
            .filter(|record| record.id == reverts)
        {
            earlier.reverted_by = Some(by.clone());
        }
    }
    if let Some(waiting) = waiting
        && let Some(record) = records.iter_mut().find(|record| record.id == waiting.id)
    {
        record.outcome = RecordOutcome::PendingConfirmation;
        record.seconds_left = Some(waiting.left / 1_000_000);
        record.confirm_until = Some(moment(host.now() + waiting.left));
    }
    Ok(records)
}

/// The keys of the daemon's configuration file at `path` that a daemon which started at `since`, in
/// microseconds since 1970, has not read: known where the last transaction that changed the file began
/// after that, was committed, and left `content`.
///
/// # Errors
/// When a journal cannot be read or is damaged.
pub fn unread_keys(
    host: &dyn ReadHost,
    settings: &Settings,
    path: &str,
    content: &[u8],
    since: i64,
) -> Result<Option<BTreeSet<String>>, JournalError> {
    let changes = |record: &&StepRecord| record.action.path == path;
    let last = logs(host, settings)?.into_iter().rev().find_map(|log| {
        let written = log.begin.steps.iter().rev().find(changes)?.clone();
        Some((log, written.action.after))
    });
    let Some((log, after)) = last else {
        return Ok(None);
    };
    let holds = matches!(log.end, Some(End::Committed))
        && log.at > since
        && after.digest() == Some(&Digest::of(content));
    Ok(log.begin.unread_keys.filter(|_| holds))
}

/// What the journals say, oldest first.
pub(super) fn logs(host: &dyn ReadHost, settings: &Settings) -> Result<Vec<Log>, JournalError> {
    let store = Store::new(&settings.state);
    let mut logs = Vec::new();
    for id in store.names(host)? {
        if store.has_journal(host, &id)? {
            logs.push(Journal::read(host, &store, &id)?);
        }
    }
    Ok(logs)
}

/// A moment in RFC 3339, to the second.
pub fn moment(micros: i64) -> String {
    Timestamp::from_second(micros.div_euclid(1_000_000))
        .unwrap_or_default()
        .to_string()
}

/// The transaction that was interrupted, if there is one.
///
/// # Errors
/// When a journal cannot be read or is damaged.
pub fn unfinished(
    host: &dyn ReadHost,
    settings: &Settings,
) -> Result<Option<String>, JournalError> {
    let store = Store::new(&settings.state);
    for id in store.names(host)?.into_iter().rev() {
        if store.has_journal(host, &id)? && Journal::read(host, &store, &id)?.end.is_none() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The last transaction, if a person was needed for it: its undo may be tried again. What came after
/// another one would be overwritten.
///
/// # Errors
/// When a journal cannot be read or is damaged.
pub fn stuck(host: &dyn ReadHost, settings: &Settings) -> Result<Option<String>, JournalError> {
    let store = Store::new(&settings.state);
    for id in store.names(host)?.into_iter().rev() {
        if store.has_journal(host, &id)? {
            let end = Journal::read(host, &store, &id)?.end;
            return Ok(matches!(end, Some(End::Stuck { .. })).then_some(id));
        }
    }
    Ok(None)
}

/// A name for a transaction that begins now. It is later than all there are, also where the clock
/// was set back: their order says what took back what.
///
/// # Errors
/// When the state folder cannot be read.
pub fn next_id(host: &dyn ReadHost, settings: &Settings) -> Result<String, JournalError> {
    let names = Store::new(&settings.state).names(host)?;
    let last = names.iter().filter_map(|name| moment_of(name)).max();
    Ok(new_id(
        last.map_or(host.now(), |last| host.now().max(last + 1)),
    ))
}

/// The moment that a name of ours tells, in microseconds since 1970.
fn moment_of(id: &str) -> Option<i64> {
    let (time, within) = id.split_once('-')?;
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let within = i64::from_str_radix(within, 16).ok()?;
    Some(time.as_microsecond() + within)
}

/// A name for a transaction that begins at this moment; names sort by time.
fn new_id(now_micros: i64) -> String {
    let time = Timestamp::from_microsecond(now_micros).unwrap_or_default();
    let within = now_micros.rem_euclid(1_000_000);
    format!("{}-{within:05x}", time.strftime("%Y%m%dT%H%M%SZ"))
}

fn record(log: Log) -> Record {
    let outcome = RecordOutcome::of(&log);
    let unconfirmed = awaits(&log).is_some();
    let begin = log.begin;
    Record {
        id: begin.id,
        at: Timestamp::from_microsecond(log.at)
            .unwrap_or_default()
            .to_string(),
        outcome,
        pending: begin.pending,
        confirm_until: None,
        seconds_left: None,
        unconfirmed,
        controls: begin.controls,
        reverts: begin.reverts,
        reverted_by: None,
        steps: begin.steps,
        activations: begin.activations,
        by: begin.by,
        command: begin.command,
        tool: begin.tool,
        why: log.undo.map(|(why, _)| why),
        left: match log.end {
            Some(End::Stuck { left, .. }) => left,
            _ => Vec::new(),
        },
        service_logs: log
            .service_logs
            .into_iter()
            .map(|log| (log.unit, log.lines))
            .collect(),
        notes: log.notes,
    }
}

/// A step with its contents from the backups.
pub(super) fn step(
    host: &dyn ReadHost,
    store: &Store,
    record: &StepRecord,
) -> Result<Step, JournalError> {
    let action = &record.action;
    Ok(Step {
        action: Action {
            path: action.path.clone(),
            before: action.before.restore(|digest| store.load(host, digest))?,
            after: action.after.restore(|digest| store.load(host, digest))?,
        },
        controls: record.controls.clone(),
        what: record.what.clone(),
    })
}

/// The transaction as it was begun, with its contents from the backups.
pub(super) fn transaction(
    host: &dyn ReadHost,
    store: &Store,
    log: &Log,
) -> Result<Transaction, JournalError> {
    let begin = log.begin.clone();
    let mut steps = begin
        .steps
        .iter()
        .map(|record| step(host, store, record))
        .collect::<Result<Vec<_>, _>>()?;
    let afterwards = steps.split_off(begin.first_afterwards());
    let prelude =
        (begin.prelude && begin.prelude_at < steps.len()).then(|| steps.remove(begin.prelude_at));
    let (live_restore_on, live_restore_off) = if begin.keeps {
        (prelude, None)
    } else {
        (None, prelude)
    };
    let settle = begin.settle.iter().map(|(path, to)| {
        Ok(Settle {
            path: path.clone(),
            to: to.restore(|digest| store.load(host, digest))?,
        })
    });
    Ok(Transaction {
        controls: begin.controls,
        steps,
        activations: begin.activations,
        derived: begin
            .derived
            .iter()
            .map(super::journal::DerivedBefore::derived)
            .collect(),
        expect: begin.expect,
        expect_undone: begin.expect_undone,
        undo_live_restore: match &begin.undo_live_restore {
            Some(record) => Some(step(host, store, record)?),
            None => None,
        },
        live_restore_off,
        live_restore_on,
        afterwards,
        // What it was good for is in the steps.
        kept_since: None,
        settle: settle.collect::<Result<_, JournalError>>()?,
        kernel: begin.kernel,
        reverts: begin.reverts,
        unread_keys: begin.unread_keys,
        pending: begin.pending,
        by: begin.by,
        command: begin.command,
        tool: begin.tool,
        notes: begin.notes,
        // It was asked before the transaction began.
        daemon: None,
        confirm: begin.confirm,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time() {
        let mut names: Vec<String> = [0, 1, 999_999, 1_000_000, 1_795_342_530_000_001]
            .into_iter()
            .map(new_id)
            .collect();
        assert_eq!(names[4], "20261122T101530Z-00001");
        assert!(names.iter().all(|name| Store::is_name(name)));
        let sorted = names.clone();
        names.sort();
        assert_eq!(names, sorted);
    }

    #[test]
    fn a_name_tells_its_moment() {
        for micros in [0, 1_795_342_530_000_001, 1_795_342_530_999_999] {
            assert_eq!(moment_of(&new_id(micros)), Some(micros));
        }
        for other in ["", "T-1", "20261122T101530Z", "20261122T101530Z-x"] {
            assert_eq!(moment_of(other), None);
        }
    }
}
