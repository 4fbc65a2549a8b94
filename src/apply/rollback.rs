//! The inverse of a transaction on the host as it is now: what somebody edited since stays.

use super::error::JournalError;
use super::inverse::inverse;
use super::merge::{Merged, Refusal, merge};
use super::outlive::{has_live_restore, key_of};
use super::perform::{look_for, now};
use super::settings::Settings;
use super::transaction::{Step, Transaction};
use crate::change::{Activation, State};
use crate::formats::daemon_json::Document;
use crate::host::ReadHost;
use crate::plan::ACCOUNT_FILES;

/// What a rollback does, and what it must leave to a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rollback {
    /// The transaction. Its notes name every later edit that stays.
    pub transaction: Transaction,
    /// Paths that cannot be taken back; the transaction leaves them alone.
    pub refused: Vec<Refusal>,
}

/// The transaction that takes a committed one back on this host as it is now. Like [`inverse`],
/// but each step starts from what is there and ends with the later edits in it.
///
/// # Errors
/// When there is no such transaction, when it is not in effect, when a journal or backup cannot be
/// used, or when a path cannot be seen.
pub fn rollback(
    host: &dyn ReadHost,
    settings: &Settings,
    id: &str,
) -> Result<Rollback, JournalError> {
    let mut transaction = inverse(host, settings, id)?;
    let mut refused = Vec::new();
    let mut steps = Vec::new();
    let mut keep_account = false;
    for step in std::mem::take(&mut transaction.steps) {
        let path = step.action.path.clone();
        // Where live-restore goes off first, the step starts from what that wrote.
        let ours = match &transaction.live_restore_off {
            Some(off) if off.action.path == path => off.action.before.clone(),
            _ => step.action.before.clone(),
        };
        let former = step.action.after.clone();
        let look = look_for(&former.record(), &ours.record());
        let is = now(host, &path, look)?;
        match (merge(&path, &former, &ours, is.as_ref()), is) {
            (Merged::Edited { to, stays }, Some(is)) => {
                transaction
                    .notes
                    .extend(stays.into_iter().map(|edit| format!("{path}: {edit}")));
                // The daemon goes on using the account that it made.
                keep_account |= key_of(&to, "userns-remap").is_some();
                let states = States {
                    former,
                    ours,
                    is,
                    to,
                };
                steps.extend(edited(&mut transaction, step, &states));
            }
            (Merged::Refused(refusal), _) => {
                keep_account |= is_daemon_json(&path, &ours);
                leave(&mut transaction, &path, &ours);
                refused.push(refusal);
            }
            (Merged::Exact | Merged::Edited { .. }, _) => steps.push(step),
        }
    }
    if keep_account {
        let all = steps.len();
        // These steps are found by their files: no control asks for them.
        steps.retain(|step: &Step| {
            !(ACCOUNT_FILES.contains(&step.action.path.as_str()) && step.controls.is_empty())
        });
        if steps.len() < all {
            transaction.notes.push(
                "the account that the daemon made for user namespaces stays, as it is in use"
                    .to_owned(),
            );
        }
    }
    transaction.steps = steps;
    if !refused.is_empty() {
        tell_fewer(&mut transaction, &refused);
    }
    Ok(Rollback {
        transaction,
        refused,
    })
}

/// The states of an edited path.
struct States {
    former: State,
    ours: State,
    is: State,
    to: State,
}

/// The step from what is there to the merge, if they differ.
fn edited(transaction: &mut Transaction, mut step: Step, states: &States) -> Option<Step> {
    let path = step.action.path.clone();
    relax(transaction, &path, states);
    step.action.before = states.is.clone();
    step.action.after = states.to.clone();
    if let Some(mut first) = transaction
        .live_restore_off
        .take_if(|first| first.action.path == path)
        && !has_live_restore(&states.to)
        && let Some(switched) = states.is.with_live_restore(false)
    {
        first.action.before = states.is.clone();
        first.action.after = switched.clone();
        step.action.before = switched;
        transaction.live_restore_off = Some(first);
    }
    if let Some(mut first) = transaction
        .undo_live_restore
        .take_if(|first| first.action.path == path)
        && has_live_restore(&states.to)
        && !has_live_restore(&states.is)
        && let Some(switched) = states.to.with_live_restore(false)
    {
        first.action.before = states.to.clone();
        first.action.after = switched;
        transaction.undo_live_restore = Some(first);
    }
    (step.action.before != step.action.after).then_some(step)
}

/// Nothing is expected of the services that the edited file does not say.
fn relax(transaction: &mut Transaction, path: &str, states: &States) {
    if is_daemon_json(path, &states.ours) || is_daemon_json(path, &states.former) {
        transaction
            .expect
            .daemon
            .retain(|key, _| key_of(&states.to, key) == key_of(&states.former, key));
        transaction
            .expect_undone
            .daemon
            .retain(|key, _| key_of(&states.is, key) == key_of(&states.ours, key));
    }
    if is_of_audit(path) {
        transaction.expect.watches.clear();
        transaction.expect_undone.watches.clear();
        leave_generated(transaction);
    }
}

/// The same for a path that stays as it is.
fn leave(transaction: &mut Transaction, path: &str, ours: &State) {
    if is_daemon_json(path, ours) {
        transaction.expect.daemon.clear();
        transaction.expect_undone.daemon.clear();
        transaction.live_restore_off = None;
        transaction.undo_live_restore = None;
    }
    if is_of_audit(path) {
        transaction.expect.watches.clear();
        transaction.expect_undone.watches.clear();
        // What is loaded is what the files say, and they still have our rules.
        transaction.kernel = None;
        leave_generated(transaction);
    }
}

/// The generated rules file must have what its edited sources say.
fn leave_generated(transaction: &mut Transaction) {
    transaction
        .settle
        .retain(|settle| !is_of_audit(&settle.path));
}

fn is_daemon_json(path: &str, state: &State) -> bool {
    !path.starts_with("/etc/audit")
        && state.content().is_some_and(|content| {
            Document::parse(&content.0).is_ok_and(|document| !document.keys().is_empty())
        })
}

fn is_of_audit(path: &str) -> bool {
    path.starts_with("/etc/audit/")
}

/// Services are not told of what was not written.
fn tell_fewer(transaction: &mut Transaction, refused: &[Refusal]) {
    let about = |path: &str, activation: Activation| match activation {
        Activation::LoadAuditRules | Activation::RestartAuditd => is_of_audit(path),
        Activation::ReloadUnits => path.starts_with("/etc/systemd/"),
        // Wherever it is: nothing else of ours stands in a file of the daemon's.
        Activation::ReloadDocker | Activation::RestartDocker => {
            !is_of_audit(path)
                && !["/etc/systemd/", "/etc/tmpfiles.d", "/etc/environment"]
                    .iter()
                    .any(|other| path.starts_with(other))
                && !ACCOUNT_FILES.contains(&path)
        }
    };
    let steps = &transaction.steps;
    transaction.activations.retain(|&activation| {
        let stays = refused.iter().any(|path| about(&path.path, activation));
        let written = steps.iter().any(|step| {
            step.action.before.content() != step.action.after.content()
                && about(&step.action.path, activation)
        });
        !stays || written
    });
}
