//! `seaworthy rollback [ID]`

use super::apply::{asked_by, begin, carry_out, command_line, settings};
use super::arguments::{Format, Global, RollbackVerb};
use super::context::Context;
use super::failure::Failure;
use super::{Done, OK, STUCK, print, result};
use crate::apply::{self, Record, RecordOutcome, Refusal, Rollback};
use crate::audit::{Report, TOOL};
use crate::render;
use std::fmt::Write as _;

pub(super) fn run(global: &Global, verb: &RollbackVerb) -> Done {
    if verb.unconfirmed {
        return super::unconfirmed::run(global, verb);
    }
    let mut context = Context::open(global)?;
    let mut lock = begin(&context, "rollback")?;
    let records = apply::history(&context.host, &settings(&context))
        .map_err(|error| context.journal_failure(error))?;
    let Some(record) = choose(&records, verb.id.as_deref(), &context.place)? else {
        match verb.format {
            Format::Human => print::out("Nothing to roll back: no transaction is in effect.\n")?,
            Format::Json => {
                let report = context.report(&context.facts()?);
                print::json(&result::ResultDocument::nothing(&report, None))?;
            }
        }
        return Ok(OK);
    };
    let id = record.id.clone();
    let mut way_back = WayBack::new(&context, &id, verb.partial)?;
    if verb.format == Format::Human {
        print::out(&render::rollback(
            &id,
            &way_back.planned.transaction,
            &way_back.impact,
            &context.paper,
        ))?;
    }
    if !verb.yes {
        // Nobody waits for an answer that may never come: what rolls back unattended least of all.
        drop(lock);
        if !print::confirm(
            "Put this back?",
            &format!(
                "seaworthy rollback{} --yes{} {id}",
                context.place,
                if verb.partial { " --partial" } else { "" }
            ),
        )? {
            print::note("Nothing was changed.");
            return Ok(OK);
        }
        lock = begin(&context, "rollback")?;
        refuse_taken_back(&context, &id)?;
        way_back = way_back.again(&context, &id, verb.partial)?;
    }
    let WayBack {
        planned: Rollback {
            transaction,
            refused,
        },
        before,
        ..
    } = way_back;
    let (applied, after) = carry_out(&mut context, &transaction)?;
    drop(lock);
    let document = result::ResultDocument::new(&applied, &transaction, &before, after.as_ref())
        .with_left(refused.iter().map(stays).collect());
    let status = result::finish(
        &context,
        verb.format,
        &document,
        &applied,
        &before,
        after.as_ref(),
    );
    Ok(tell_left(&context, &id, &refused, status))
}

/// What a rollback would do on this host as it is now.
struct WayBack {
    planned: Rollback,
    /// Whom it concerns, in sentences.
    impact: Vec<String>,
    before: Report,
}

impl WayBack {
    fn new(context: &Context, id: &str, partial: bool) -> Result<Self, Failure> {
        let mut planned = planned(context, id, partial)?;
        let facts = context.facts_of_any_host()?;
        planned.transaction.fit_to_today(&facts);
        Ok(Self {
            impact: planned.transaction.impact_today(&facts),
            planned,
            before: context.report(&facts),
        })
    }

    /// The same after somebody took their time to read it.
    ///
    /// # Errors
    /// When it is no longer what was shown. Nothing was changed then.
    fn again(&self, context: &Context, id: &str, partial: bool) -> Result<Self, Failure> {
        let now = Self::new(context, id, partial)?;
        if now.planned == self.planned && now.impact == self.impact {
            return Ok(now);
        }
        Err(Failure::plain(
            "the host changed while you read, so nothing was put back",
            format!("sudo seaworthy rollback{} {id}", context.place),
        ))
    }
}

/// Refuses when somebody was faster while we asked.
fn refuse_taken_back(context: &Context, id: &str) -> Result<(), Failure> {
    let records = apply::history(&context.host, &settings(context))
        .map_err(|error| context.journal_failure(error))?;
    choose(&records, Some(id), &context.place).map(|_| ())
}

fn stays(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.path, refusal.reason)
}

/// Says what a rollback that did go well has left, and the exit code of that.
pub(super) fn tell_left(context: &Context, id: &str, refused: &[Refusal], status: u8) -> u8 {
    if status != OK || refused.is_empty() {
        return status;
    }
    print::note(&format!(
        "Not everything is back; `seaworthy history{} {id}` says where the former contents are:",
        context.place
    ));
    for refusal in refused {
        print::note(&format!("  {}", render::clean(&stays(refusal))));
    }
    STUCK
}

/// The transaction that takes this one back, as the host is now; where something cannot be merged,
/// only with `partial`, and without that.
pub(super) fn planned(context: &Context, id: &str, partial: bool) -> Result<Rollback, Failure> {
    let mut planned = apply::rollback(&context.host, &settings(context), id)
        .map_err(|error| context.journal_failure(error))?;
    if !planned.refused.is_empty() && (!partial || planned.transaction.steps.is_empty()) {
        return Err(refuse(&planned, id, &context.place));
    }
    let transaction = &mut planned.transaction;
    transaction.by = asked_by();
    transaction.command = command_line();
    TOOL.clone_into(&mut transaction.tool);
    for refusal in &planned.refused {
        let (path, reason) = (&refusal.path, &refusal.reason);
        transaction
            .notes
            .push(format!("{path} stays as it is: {reason}"));
    }
    Ok(planned)
}

/// Nothing is touched as long as somebody must decide first.
fn refuse(planned: &Rollback, id: &str, place: &str) -> Failure {
    let mut details = String::new();
    for refusal in &planned.refused {
        let _ = writeln!(details, "{}", render::clean(&stays(refusal)));
        details.push_str(&render::coloured_diff(&refusal.difference));
    }
    let paths: Vec<&str> = planned
        .refused
        .iter()
        .map(|refusal| refusal.path.as_str())
        .collect();
    let paths = paths.join(", ");
    let (message, hint) = if planned.transaction.steps.is_empty() {
        (
            format!("edited since transaction {id}, and nothing can be put back: {paths}"),
            format!("seaworthy history{place} {id}"),
        )
    } else {
        (
            format!("edited since transaction {id}, and not to be merged: {paths}"),
            format!("seaworthy rollback{place} --partial {id}"),
        )
    };
    Failure {
        details,
        ..Failure::plain(message, hint)
    }
}

/// The transaction that is meant: the named one, or the last one in effect that is not a rollback
/// itself.
fn choose<'a>(
    records: &'a [Record],
    id: Option<&str>,
    place: &str,
) -> Result<Option<&'a Record>, Failure> {
    let Some(id) = id else {
        return Ok(records.iter().rev().find(|record| {
            is_in_effect(record) && record.reverts.is_none() && record.reverted_by.is_none()
        }));
    };
    let Some(record) = records.iter().find(|record| record.id == id) else {
        return Err(Failure::plain(
            format!("there is no transaction {id}"),
            format!("seaworthy history{place}"),
        ));
    };
    if let Some(by) = &record.reverted_by {
        return Err(Failure::plain(
            format!("transaction {id} was taken back already, by {by}"),
            format!("sudo seaworthy rollback{place} {by}"),
        ));
    }
    if !is_in_effect(record) {
        return Err(Failure::plain(
            format!(
                "transaction {id} is not in effect: it is {}",
                record.outcome.words()
            ),
            format!("seaworthy history{place}"),
        ));
    }
    Ok(Some(record))
}

fn is_in_effect(record: &Record) -> bool {
    matches!(
        record.outcome,
        RecordOutcome::Committed | RecordOutcome::PendingConfirmation
    )
}
