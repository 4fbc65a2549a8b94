//! The three ways in: a new transaction, and the two ways out of an interrupted one.

use super::boot::booted;
use super::confirm;
use super::error::ApplyError;
use super::history;
use super::journal::{End, Journal, Log};
use super::outcome::{Applied, Event, Outcome, Watcher};
use super::perform::is;
use super::preflight::preflight;
use super::prepare::prepare;
use super::run::Run;
use super::settings::Settings;
use super::store::Store;
use super::transaction::Transaction;
use crate::change::{Activation, State};
use crate::host::{Host, HostError, LogEntry, ReadHost};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Makes a transaction as a whole, or takes back what was begun.
///
/// # Errors
/// When nothing was begun, and nothing but the state folder was touched.
pub fn apply(
    host: &mut dyn Host,
    id: &str,
    transaction: &Transaction,
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Applied, ApplyError> {
    let store = Store::new(&settings.state);
    let bad_name = |reason| ApplyError::Name {
        id: id.to_owned(),
        reason,
    };
    if !Store::is_name(id) {
        return Err(bad_name("only letters, digits and `-` are possible"));
    }
    if let Some(id) = history::unfinished(host, settings)? {
        return Err(ApplyError::Unfinished { id });
    }
    let waiting = confirm::awaiting(host, settings)?;
    if let Some(waiting) = &waiting
        && transaction.reverts.as_ref() != Some(&waiting.id)
    {
        return Err(ApplyError::Awaiting {
            id: waiting.id.clone(),
            left: waiting.left,
        });
    }
    if transaction.is_empty() {
        return Ok(Applied {
            id: id.to_owned(),
            outcome: Outcome::NothingToDo,
            pending: None,
            confirm_until: None,
            service_logs: Vec::new(),
            notes: transaction.notes.clone(),
        });
    }
    let paths = stale(host, transaction)?;
    if !paths.is_empty() {
        return Err(ApplyError::Stale { paths });
    }
    if store.has_journal(host, id)? {
        return Err(bad_name("it is taken"));
    }
    let unsure = preflight(host, transaction)?;
    if let Some(confirmation) = &transaction.confirm {
        // Before the journal: one that begins is certain to be taken back. Without a journal the
        // timer finds nothing to do.
        confirm::arm(host, id, confirmation)?;
    }
    let journal = match prepare(host, &store, id, transaction, settings) {
        Ok(journal) => journal,
        Err(error) => {
            if transaction.confirm.is_some() {
                let _ = host.disarm(id);
            }
            store.forget(host, id);
            return Err(error.into());
        }
    };
    let mut run = Run {
        host: &mut *host,
        settings,
        watcher,
        store,
        journal,
        id: id.to_owned(),
        commit_tried: false,
        untouched: BTreeSet::new(),
    };
    run.say(Event::Begun { id: id.to_owned() });
    if let Some(text) = unsure {
        run.note(text);
    }
    run.leave_listing();
    let mut applied = go_forward(run, transaction);
    let taken_back = waiting.map(|waiting| waiting.id);
    applied.notes.extend(confirm::after(
        host,
        settings,
        id,
        transaction.confirm.is_some(),
        taken_back.as_deref(),
        &applied.outcome,
    ));
    Ok(applied)
}

/// Takes back what an interrupted transaction had begun. It may itself be interrupted, and repeated.
/// One that was stuck may be tried again too.
///
/// # Errors
/// When there is nothing to recover, or the journal cannot be used.
pub fn recover(
    host: &mut dyn Host,
    id: &str,
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Applied, ApplyError> {
    let mut run = open(&mut *host, id, settings, watcher)?;
    let guarded = run.journal.log().begin.confirm.is_some();
    let outcome = run.undo("seaworthy was interrupted", true);
    let mut applied = applied(run, outcome);
    let notes = confirm::after(host, settings, id, guarded, None, &applied.outcome);
    applied.notes.extend(notes);
    Ok(applied)
}

/// Finishes an interrupted transaction, provided that everything not yet done can still be done.
///
/// # Errors
/// When there is nothing to finish, when the undo has begun, when the host has changed since, or
/// when the journal or a backup cannot be used. Nothing was changed then.
pub fn resume(
    host: &mut dyn Host,
    id: &str,
    settings: &Settings,
    watcher: &mut dyn Watcher,
) -> Result<Applied, ApplyError> {
    let mut run = open(&mut *host, id, settings, watcher)?;
    let log = run.journal.log();
    let transaction = way_forward(run.host, &run.store, id, log)?;
    let guarded = transaction.confirm.is_some();
    if let Some(confirmation) = &transaction.confirm {
        // A boot has taken the timer away.
        confirm::arm(run.host, id, confirmation)?;
    }
    let waiting = confirm::awaiting(run.host, settings)?;
    let taken_back = waiting
        .map(|waiting| waiting.id)
        .filter(|id| transaction.reverts.as_ref() == Some(id));
    run.leave_listing();
    let mut applied = go_forward(run, &transaction);
    applied.notes.extend(confirm::after(
        host,
        settings,
        id,
        guarded,
        taken_back.as_deref(),
        &applied.outcome,
    ));
    Ok(applied)
}

/// What [`resume`] would do, looked at without a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Remaining {
    /// Steps that are not done yet, as a person would say them.
    pub steps: Vec<String>,
    /// The whole transaction. Its activations are made again, as nobody knows what the services have
    /// seen, but for a restart that containers would not outlive by now.
    pub transaction: Transaction,
}

/// What [`resume`] would do, or why it would refuse.
///
/// # Errors
/// As [`resume`].
pub fn remaining(
    host: &dyn ReadHost,
    id: &str,
    settings: &Settings,
) -> Result<Remaining, ApplyError> {
    let store = Store::new(&settings.state);
    let log = Journal::read(host, &store, id)?;
    refuse_complete(id, &log)?;
    let transaction = way_forward(host, &store, id, &log)?;
    let steps = transaction
        .all_steps()
        .enumerate()
        .filter(|(index, _)| !log.done.contains_key(index))
        .map(|(_, step)| step.what.clone())
        .collect();
    Ok(Remaining { steps, transaction })
}

/// The transaction, if it can still be finished.
fn way_forward(
    host: &dyn ReadHost,
    store: &Store,
    id: &str,
    log: &Log,
) -> Result<Transaction, ApplyError> {
    if log.undo.is_some() {
        return Err(ApplyError::BeingUndone { id: id.to_owned() });
    }
    let mut transaction = history::transaction(host, store, log)?;
    if log.begun.contains(&log.begin.first_afterwards()) {
        // The daemon runs on what was restored, and another restart, with live-restore about to go,
        // would cost its containers.
        transaction
            .activations
            .retain(|activation| *activation != Activation::RestartDocker);
    }
    if booted(host, log) {
        // Which containers a boot starts is not for us to promise.
        transaction.expect.containers.clear();
    }
    let paths = stale_rest(host, &transaction, log)?;
    if paths.is_empty() {
        Ok(transaction)
    } else {
        Err(ApplyError::Stale { paths })
    }
}

fn refuse_complete(id: &str, log: &Log) -> Result<(), ApplyError> {
    let outcome = match log.end {
        Some(End::Committed) => "committed",
        Some(End::RolledBack) => "rolled back",
        Some(End::Stuck { .. }) | None => return Ok(()),
    };
    Err(ApplyError::Complete {
        id: id.to_owned(),
        outcome,
    })
}

fn open<'a>(
    host: &'a mut dyn Host,
    id: &str,
    settings: &'a Settings,
    watcher: &'a mut dyn Watcher,
) -> Result<Run<'a>, ApplyError> {
    let store = Store::new(&settings.state);
    refuse_complete(id, &Journal::read(host, &store, id)?)?;
    let journal = Journal::open(host, &store, id)?;
    Ok(Run {
        host,
        settings,
        watcher,
        store,
        journal,
        id: id.to_owned(),
        commit_tried: false,
        untouched: BTreeSet::new(),
    })
}

fn go_forward(mut run: Run<'_>, transaction: &Transaction) -> Applied {
    let result = catch_unwind(AssertUnwindSafe(|| run.forward(transaction)));
    let why = match result {
        Ok(Ok(())) => return applied(run, Outcome::Committed),
        Ok(Err(failure)) => failure.to_string(),
        Err(panic) => format!("an error in seaworthy itself: {}", message(&*panic)),
    };
    let outcome = run.undo(&why, false);
    applied(run, outcome)
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it panicked")
}

fn applied(run: Run<'_>, outcome: Outcome) -> Applied {
    run.store.release(run.host, &run.id);
    let entry = log_entry(run.journal.log(), &outcome);
    run.host.log(&entry);
    let log = run.journal.log();
    Applied {
        id: run.id,
        confirm_until: match outcome {
            Outcome::Committed => log.confirm_until,
            _ => None,
        },
        pending: match outcome {
            Outcome::Committed => log.begin.pending.clone(),
            _ => None,
        },
        outcome,
        service_logs: log.service_logs.clone(),
        notes: log.notes.clone(),
    }
}

/// What the system log shall say.
fn log_entry(log: &Log, outcome: &Outcome) -> LogEntry {
    let id = &log.begin.id;
    let (word, is_warning, ending) = match outcome {
        Outcome::Committed | Outcome::NothingToDo if log.confirm_until.is_some() => (
            "pending-confirmation",
            false,
            "is committed and waits to be confirmed".to_owned(),
        ),
        Outcome::Committed | Outcome::NothingToDo => {
            ("committed", false, "is committed".to_owned())
        }
        Outcome::RolledBack { why } => (
            "rolled-back",
            true,
            format!("failed, and the host is as it was before: {why}"),
        ),
        Outcome::Stuck { why, left } => (
            "stuck",
            true,
            format!(
                "failed, and not everything could be put back: {why}; {}",
                left.join("; ")
            ),
        ),
    };
    let back = match &log.begin.reverts {
        Some(reverts) => format!(", which takes back {reverts},"),
        None => String::new(),
    };
    LogEntry {
        message: format!("transaction {id}{back} {ending}"),
        is_warning,
        transaction: id.clone(),
        outcome: word,
        controls: log.begin.controls.clone(),
        reverts: log.begin.reverts.clone(),
        by: log.begin.by.clone(),
    }
}

/// Every path that is not what the transaction starts from.
fn stale(host: &dyn ReadHost, transaction: &Transaction) -> Result<Vec<String>, HostError> {
    let mut planned: BTreeMap<&str, &State> = BTreeMap::new();
    let mut paths = Vec::new();
    for step in transaction.all_steps() {
        let action = &step.action;
        let fits = match planned.insert(&action.path, &action.after) {
            Some(earlier) => *earlier == action.before,
            None => is(host, &action.path, &action.before)?,
        };
        if !fits {
            paths.push(action.path.clone());
        }
    }
    Ok(paths)
}

/// The same for what is still to be done.
fn stale_rest(
    host: &dyn ReadHost,
    transaction: &Transaction,
    log: &Log,
) -> Result<Vec<String>, HostError> {
    let mut planned: BTreeMap<&str, &State> = BTreeMap::new();
    let mut paths = Vec::new();
    for (index, step) in transaction.all_steps().enumerate() {
        let action = &step.action;
        if log.done.contains_key(&index) {
            continue;
        }
        let fits = match planned.insert(&action.path, &action.after) {
            Some(earlier) => *earlier == action.before,
            None => {
                is(host, &action.path, &action.before)?
                    || (log.begun.contains(&index) && is(host, &action.path, &action.after)?)
            }
        };
        if !fits {
            paths.push(action.path.clone());
        }
    }
    Ok(paths)
}
