//! What is on the disk before the first change: everything that an undo may need, and then `begin`.

use super::boot::boot_id;
use super::derived;
use super::journal::{Begin, Journal};
use super::kernel;
use super::settings::{Mutation, Settings};
use super::store::Store;
use super::transaction::Transaction;
use crate::change::{Activation, State};
use crate::checks::parent;
use crate::facts::Bytes;
use crate::host::{Host, HostError, ReadHost};
use std::io;

/// Everything that an undo may need, on the disk, and then the first record.
pub(super) fn prepare(
    host: &mut dyn Host,
    store: &Store,
    id: &str,
    transaction: &Transaction,
    settings: &Settings,
) -> Result<Journal, HostError> {
    for name in store.names(host)? {
        if !store.has_journal(host, &name)? {
            // A crash left it before its transaction began.
            store.forget(host, &name);
        }
    }
    store.make(host, id)?;
    if let Some(earlier) = latest_journal(host, store, id)? {
        // Its process may have died before its last record was on the disk. We build on that
        // record, so it must not be lost while ours is kept.
        host.sync(&earlier)?;
        host.sync_folder(parent(&earlier))?;
    }
    let (derived, states) = derived::before(host, &transaction.derived)?;
    for content in contents(transaction, &states) {
        store.keep(host, content)?;
    }
    store.kept(host)?;
    store.reserve(host, id);
    let loads = [Activation::LoadAuditRules, Activation::RestartAuditd];
    let kernel = if host.is_live()
        && transaction
            .activations
            .iter()
            .any(|activation| loads.contains(activation))
    {
        Some(kernel::list(host)?)
    } else {
        None
    };
    let begin = Begin::of(id, transaction, derived, kernel, boot_id(host));
    refuse_short_files(host, store, &begin)?;
    let held = settings.mutation == Mutation::NoBegin;
    Journal::begin(host, store, begin, held)
}

/// More than the records of a step take, its undo and what is left of it included, in bytes.
const STEP_RECORDS: u64 = 1 << 10;
/// More than all other records take.
const OTHER_RECORDS: u64 = 64 << 10;

/// Refuses a limit of the process that its journal may meet half-way.
fn refuse_short_files(host: &dyn Host, store: &Store, begin: &Begin) -> Result<(), HostError> {
    let Some(most) = host.largest_file() else {
        return Ok(());
    };
    let path = store.journal(&begin.id);
    let first = serde_json::to_string(begin)
        .map_err(|error| HostError::file(&path, "write", io::Error::other(error)))?;
    let steps = begin.steps.len() as u64;
    let needed = first.len() as u64 + steps * STEP_RECORDS + OTHER_RECORDS;
    if needed <= most {
        return Ok(());
    }
    Err(HostError::Refused {
        path,
        reason: format!(
            "it may need {needed} bytes, and a file of this process may have {most} (see `ulimit -f`)"
        ),
    })
}

fn latest_journal(
    host: &dyn ReadHost,
    store: &Store,
    id: &str,
) -> Result<Option<String>, HostError> {
    for name in store.names(host)?.into_iter().rev() {
        if name != id && store.has_journal(host, &name)? {
            return Ok(Some(store.journal(&name)));
        }
    }
    Ok(None)
}

fn contents<'a>(transaction: &'a Transaction, derived: &'a [State]) -> Vec<&'a Bytes> {
    let steps = transaction
        .all_steps()
        .chain(&transaction.undo_live_restore)
        .flat_map(|step| [&step.action.before, &step.action.after]);
    let settle = transaction.settle.iter().map(|settle| &settle.to);
    let mut contents: Vec<&Bytes> = steps
        .chain(settle)
        .chain(derived)
        .filter_map(State::content)
        .collect();
    contents.sort_by_key(|content| &*content.0);
    contents.dedup();
    contents
}
