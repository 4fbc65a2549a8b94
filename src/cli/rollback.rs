//! `seaworthy rollback [ID]`

use super::apply::{asked_by, begin, carry_out, command_line, journal_failure, settings};
use super::arguments::{Format, Global, RollbackVerb};
use super::context::Context;
use super::failure::Failure;
use super::{Done, OK, apply as result, print};
use crate::apply::{self, Record, RecordOutcome, Transaction};
use crate::audit::TOOL;
use crate::change::Activation;
use crate::render;

pub(super) fn run(global: &Global, verb: &RollbackVerb) -> Done {
    let mut context = Context::open(global)?;
    let _lock = begin(&context, "rollback")?;
    let records = apply::history(&context.host, &settings(&context)).map_err(journal_failure)?;
    let Some(record) = choose(&records, verb.id.as_deref())? else {
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
    let mut transaction = inverse(&context, &id)?;
    let facts = context.facts_of_any_host()?;
    transaction.fit_to_today(&facts);
    if facts.auditing.is_locked()
        && transaction
            .activations
            .contains(&Activation::LoadAuditRules)
    {
        // Nothing can leave the kernel before the next boot; the files are put back all the same.
        transaction.pending = Some("the next boot".to_owned());
    }
    let before = context.report(&facts);
    if verb.format == Format::Human {
        print::out(&render::rollback(
            &id,
            &transaction,
            &transaction.impact_today(&facts),
            &context.paper,
        ))?;
    }
    if !verb.yes
        && !print::confirm(
            "Put this back?",
            &format!("seaworthy rollback{} --yes {id}", context.place),
        )?
    {
        print::note("Nothing was changed.");
        return Ok(OK);
    }
    let (applied, after) = carry_out(&mut context, &transaction)?;
    let document = result::ResultDocument::new(&applied, &transaction, &before, &after);
    Ok(result::finish(
        &context,
        verb.format,
        &document,
        &applied,
        &before,
        &after,
    ))
}

/// The transaction that takes this one back.
pub(super) fn inverse(context: &Context, id: &str) -> Result<Transaction, Failure> {
    let mut transaction =
        apply::inverse(&context.host, &settings(context), id).map_err(journal_failure)?;
    transaction.by = asked_by();
    transaction.command = command_line();
    TOOL.clone_into(&mut transaction.tool);
    Ok(transaction)
}

/// The transaction that is meant: the named one, or the last one in effect that is not a rollback
/// itself.
fn choose<'a>(records: &'a [Record], id: Option<&str>) -> Result<Option<&'a Record>, Failure> {
    let Some(id) = id else {
        return Ok(records.iter().rev().find(|record| {
            record.outcome == RecordOutcome::Committed
                && record.reverts.is_none()
                && record.reverted_by.is_none()
        }));
    };
    let Some(record) = records.iter().find(|record| record.id == id) else {
        return Err(Failure::plain(
            format!("there is no transaction {id}"),
            "seaworthy history",
        ));
    };
    if let Some(by) = &record.reverted_by {
        return Err(Failure::plain(
            format!("transaction {id} was taken back already, by {by}"),
            format!("seaworthy rollback {by}"),
        ));
    }
    if record.outcome != RecordOutcome::Committed {
        return Err(Failure::plain(
            format!(
                "transaction {id} is not in effect: it is {}",
                record.outcome.words()
            ),
            "seaworthy history",
        ));
    }
    Ok(Some(record))
}
