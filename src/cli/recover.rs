//! `seaworthy recover`

use super::apply::{begin, judged_after, settings, unfinished, watched};
use super::arguments::{Format, Global, RecoverVerb};
use super::context::Context;
use super::ending::{ending, taken_back};
use super::failure::Failure;
use super::result::{self, status};
use super::{Done, OK, print};
use crate::apply::{self, ApplyError, Remaining};
use crate::render::clean;
use std::fmt::Write as _;

pub(super) fn run(global: &Global, verb: &RecoverVerb) -> Done {
    let mut context = Context::open(global)?;
    let mut lock = begin(&context, "recover")?;
    let before = context.report(&context.facts_of_any_host()?);
    let Some((id, was_stuck)) = recoverable(&context)? else {
        match verb.format {
            Format::Human => print::out("Nothing to recover: every transaction is complete.\n")?,
            Format::Json => {
                print::json(&result::ResultDocument::nothing(&before, None))?;
            }
        }
        return Ok(OK);
    };
    let forward = verb
        .forward
        .then(|| look_forward(&context, &id))
        .transpose()?;
    if verb.format == Format::Human {
        print::out(&match &forward {
            Some(remaining) => to_be_done(&id, remaining),
            None if was_stuck => format!(
                "Transaction {id} could not be taken back as a whole. It will be tried again.\n"
            ),
            None => {
                format!("Transaction {id} was interrupted. What it changed will be taken back.\n")
            }
        })?;
    }
    let (question, flag) = if forward.is_some() {
        ("Finish it?", " --forward")
    } else {
        ("Take it back?", "")
    };
    if !verb.yes {
        // As in a rollback: nobody waits for our answer.
        drop(lock);
        if !print::confirm(
            question,
            &format!("seaworthy recover{}{flag} --yes", context.place),
        )? {
            print::note("Nothing was changed.");
            return Ok(OK);
        }
        lock = begin(&context, "recover")?;
        if recoverable(&context)? != Some((id.clone(), was_stuck)) {
            return Err(Failure::plain(
                format!("somebody has recovered transaction {id} meanwhile"),
                format!("seaworthy history{}", context.place),
            ));
        }
    }
    let settings = settings(&context);
    let applied = watched(&mut context, |host, watcher| match &forward {
        Some(_) => apply::resume(host, &id, &settings, watcher),
        None => apply::recover(host, &id, &settings, watcher),
    })?;
    drop(lock);
    let transaction = forward
        .map(|remaining| remaining.transaction)
        .unwrap_or_default();
    let after = judged_after(&context);
    // This is what was asked for.
    let back = !verb.forward && matches!(applied.outcome, apply::Outcome::RolledBack { .. });
    print::told(match verb.format {
        Format::Human if back => print::out(&taken_back(&applied)),
        Format::Human => print::out(&ending(
            &context.paper,
            &context.place,
            &applied,
            &before,
            after.as_ref(),
        )),
        Format::Json => print::json(&result::ResultDocument::new(
            &applied,
            &transaction,
            &before,
            after.as_ref(),
        )),
    });
    Ok(if back { OK } else { status(&applied) })
}

/// What can be recovered, and whether that was tried before and a person was needed.
fn recoverable(context: &Context) -> Result<Option<(String, bool)>, Failure> {
    if let Some(id) = unfinished(context)? {
        return Ok(Some((id, false)));
    }
    let stuck = apply::stuck(&context.host, &settings(context))
        .map_err(|error| context.journal_failure(error))?;
    Ok(stuck.map(|id| (id, true)))
}

/// What is left to be done, or why the way forward is closed.
fn look_forward(context: &Context, id: &str) -> Result<Remaining, Failure> {
    apply::remaining(&context.host, id, &settings(context)).map_err(|error| {
        let back = format!("sudo seaworthy recover{}", context.place);
        match error {
            ApplyError::Stale { paths } => Failure::plain(
                format!(
                    "transaction {id} cannot be finished, as these are not what it would start \
                     from: {}",
                    paths.join(", ")
                ),
                back,
            ),
            error => Failure::refused(error, back),
        }
    })
}

fn to_be_done(id: &str, remaining: &Remaining) -> String {
    let mut text = format!("Transaction {id} was interrupted. It will be finished:\n");
    for step in &remaining.steps {
        let _ = writeln!(text, "  - {}", clean(step));
    }
    for activation in &remaining.transaction.activations {
        let _ = writeln!(text, "  - {activation}");
    }
    if remaining.steps.is_empty() && remaining.transaction.activations.is_empty() {
        text.push_str("  - nothing but the last record is missing\n");
    }
    text
}
