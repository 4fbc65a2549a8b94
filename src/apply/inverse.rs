//! The transaction that takes another one back: the same steps backwards with before and after
//! swapped. It goes through the same executor and can be taken back by the same rule.

use super::account;
use super::boot::boot_id;
use super::confirm::is_guard;
use super::derived::state_now;
use super::error::JournalError;
use super::history::transaction;
use super::journal::{DerivedBefore, End, Journal, Log};
use super::kernel;
use super::same::same;
use super::settings::Settings;
use super::store::Store;
use super::transaction::{Derived, KernelChange, Settle, Step, Transaction};
use crate::change::{Action, Expectation, State};
use crate::facts::Look;
use crate::host::ReadHost;

/// The inverse of a committed transaction.
///
/// Steps name the states that the transaction left, so a path that was edited since makes
/// [`super::apply`] refuse it as stale; whoever wants to keep such an edit changes the step first.
/// Which containers must run is for the caller to say, as it is about today; so are `by`,
/// `command`, `tool` and `pending`.
///
/// # Errors
/// When there is no such transaction, when it is not in effect, or when a journal or backup cannot
/// be used.
pub fn inverse(
    host: &dyn ReadHost,
    settings: &Settings,
    id: &str,
) -> Result<Transaction, JournalError> {
    let store = Store::new(&settings.state);
    let log = Journal::read(host, &store, id)?;
    let outcome = match &log.end {
        Some(End::Committed) => None,
        Some(End::RolledBack) => Some("rolled back"),
        Some(End::Stuck { .. }) => Some("stuck"),
        None => Some("unfinished"),
    };
    if let Some(outcome) = outcome {
        return Err(JournalError::NotCommitted {
            id: id.to_owned(),
            outcome,
        });
    }
    let original = transaction(host, &store, &log)?;
    let mut inverse = Transaction {
        controls: original.controls.clone(),
        activations: original.activations.clone(),
        expect: of_today(original.expect_undone.clone()),
        expect_undone: of_today(original.expect.clone()),
        kernel: kernel_change(&log),
        reverts: Some(id.to_owned()),
        // No container outlives a boot, and a clock may be set by one.
        kept_since: (original.live_restore_on.is_some()
            && log.begin.boot.is_some()
            && log.begin.boot == boot_id(host))
        .then_some(log.at),
        ..Transaction::default()
    };
    inverse_steps(&original, &log, &mut inverse);
    for (index, derived) in log.begin.derived.iter().enumerate() {
        inverse_derived(host, &store, &log, index, derived, &mut inverse)?;
    }
    Ok(inverse)
}

/// Whether these containers still exist, and which rules others have brought since, is not known.
fn of_today(mut expected: Expectation) -> Expectation {
    expected.containers.clear();
    expected.kernel_rules = None;
    expected
}

fn inverse_steps(original: &Transaction, log: &Log, inverse: &mut Transaction) {
    // An intermediate content is a means of one direction: in the other it is left out, and the
    // step after it starts where it started.
    let prelude_at = original.prelude().map_or(usize::MAX, |_| original.guards());
    let switched_off = switched_off(original);
    for (index, step) in original.steps.iter().enumerate().rev() {
        // What found nothing to do has nothing to take back.
        let index = index + usize::from(index >= prelude_at);
        if log.done.get(&index) == Some(&true) {
            continue;
        }
        // What rolls back at a boot stays until the rollback is committed: it may be interrupted
        // by one. It goes after that, as it does when the transaction is confirmed.
        if is_guard(&step.action.path) {
            continue;
        }
        let mut step = step.clone();
        if let Some(prelude) = original.prelude()
            && prelude.action.path == step.action.path
        {
            step.action.before = prelude.action.before.clone();
        }
        if let Some(last) = original.afterwards.last()
            && last.action.path == step.action.path
        {
            step.action.after = last.action.after.clone();
            step.what.clone_from(&last.what);
        }
        let mut back = turned(step);
        if let Some(off) = &switched_off
            && off.action.path == back.action.path
        {
            back.action.before = off.action.after.clone();
        }
        inverse.steps.push(back);
    }
    inverse.live_restore_off = switched_off;
    if let Some(off) = &original.live_restore_off {
        // Its inverse switches live-restore on again, from the content that this one started from.
        inverse.undo_live_restore = Some(off.clone());
    }
    if let Some(off) = original.afterwards.first() {
        inverse.undo_live_restore = explicitly_off(original, off);
    }
}

/// The step that switches live-restore off, from the content that the transaction left, before it
/// is taken back; `None` where it was not switched on.
fn switched_off(original: &Transaction) -> Option<Step> {
    let Some(on) = &original.live_restore_on else {
        return original.undo_live_restore.clone();
    };
    let path = &on.action.path;
    let last = original
        .steps
        .iter()
        .rev()
        .find(|step| step.action.path == *path)?;
    off_from(&last.action.after, original.undo_live_restore.as_ref()?)
}

/// The step that switches live-restore off, from the content that a rollback started from: what
/// undoes it switches it on again, and has to switch it off if that is undone.
fn explicitly_off(rollback: &Transaction, off: &Step) -> Option<Step> {
    let path = &off.action.path;
    let first = rollback
        .steps
        .iter()
        .find(|step| step.action.path == *path)?;
    off_from(&first.action.before, off)
}

/// A step like this one, from another content.
fn off_from(before: &State, like: &Step) -> Option<Step> {
    Some(Step {
        action: Action {
            path: like.action.path.clone(),
            before: before.clone(),
            after: before.with_live_restore(false)?,
        },
        ..like.clone()
    })
}

fn turned(step: Step) -> Step {
    let what = match step.what.strip_prefix("take back: ") {
        Some(what) => what.to_owned(),
        None => format!("take back: {}", step.what),
    };
    Step {
        action: step.action.inverse(),
        controls: step.controls,
        what,
    }
}

/// The rules that the load brought go, those that it dropped come back. Where auditing was
/// locked nothing was brought, and what a boot did since is not known.
fn kernel_change(log: &Log) -> Option<KernelChange> {
    if kernel::is_locked(log.begin.pending.as_deref()) {
        return None;
    }
    let before = log.begin.kernel_before.as_ref()?;
    let after = log.kernel_after.as_ref()?;
    Some(KernelChange {
        remove: kernel::without(after, before),
        add: kernel::without(before, after),
    })
}

fn inverse_derived(
    host: &dyn ReadHost,
    store: &Store,
    log: &Log,
    index: usize,
    derived: &DerivedBefore,
    inverse: &mut Transaction,
) -> Result<(), JournalError> {
    match derived {
        DerivedBefore::WholeFile { path, state } => {
            inverse
                .derived
                .push(Derived::WholeFile { path: path.clone() });
            let after = log
                .derived_after
                .as_ref()
                .and_then(|after| after.get(index)?.as_ref());
            let now = state_now(host, derived)?;
            if after.is_some_and(|after| now.is_some_and(|now| same(&now, after))) {
                inverse.settle.push(Settle {
                    path: path.clone(),
                    to: state.restore(|digest| store.load(host, digest))?,
                });
            } else {
                inverse.notes.push(format!(
                    "{path} was changed since and is left to whatever generates it"
                ));
            }
        }
        DerivedBefore::Account { name, had, .. } => {
            for file in had.iter().filter(|(_, had)| !**had).map(|(file, _)| file) {
                inverse.steps.extend(without_account(host, file, name)?);
            }
        }
    }
    Ok(())
}

/// The step that takes an account's lines out of a file, if there are any.
fn without_account(
    host: &dyn ReadHost,
    file: &str,
    name: &str,
) -> Result<Option<Step>, JournalError> {
    let node = host.node(file, Look::Content)?;
    let Some(State::File {
        attributes,
        content,
    }) = State::of(&node)
    else {
        return Ok(None);
    };
    if !account::has(&content, name) {
        return Ok(None);
    }
    let after = State::File {
        attributes: attributes.clone(),
        content: account::without(&content, name),
    };
    Ok(Some(Step {
        action: Action {
            path: file.to_owned(),
            before: State::File {
                attributes,
                content,
            },
            after,
        },
        controls: Vec::new(),
        what: format!("take the account {name} out of {file}"),
    }))
}
