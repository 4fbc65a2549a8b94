//! `seaworthy recover`

use super::apply::{begin, settings, status, unfinished, watched};
use super::arguments::{Format, Global, RecoverVerb};
use super::context::Context;
use super::{Done, OK, apply as result, print};
use crate::apply;

pub(super) fn run(global: &Global, verb: &RecoverVerb) -> Done {
    let mut context = Context::open(global)?;
    let _lock = begin(&context, "recover")?;
    let before = context.report(&context.facts_of_any_host()?);
    let Some(id) = unfinished(&context)? else {
        match verb.format {
            Format::Human => print::out("Nothing to recover: every transaction is complete.\n")?,
            Format::Json => {
                print::json(&result::ResultDocument::nothing(&before, None))?;
            }
        }
        return Ok(OK);
    };
    if verb.format == Format::Human {
        print::out(&format!(
            "Transaction {id} was interrupted. What it changed will be taken back.\n"
        ))?;
    }
    if !verb.yes
        && !print::confirm(
            "Take it back?",
            &format!("seaworthy recover{} --yes", context.place),
        )?
    {
        print::note("Nothing was changed.");
        return Ok(OK);
    }
    let settings = settings(&context);
    let applied = watched(&mut context, |host, watcher| {
        apply::recover(host, &id, &settings, watcher)
    })?;
    let after = context.report(&context.facts()?);
    print::told(match verb.format {
        Format::Human => print::out(&super::ending::ending(
            &context.paper,
            &context.place,
            &applied,
            &before,
            &after,
        )),
        Format::Json => print::json(&result::ResultDocument::new(
            &applied,
            &apply::Transaction::default(),
            &before,
            &after,
        )),
    });
    Ok(match applied.outcome {
        // This is what was asked for.
        apply::Outcome::RolledBack { .. } => OK,
        _ => status(&applied),
    })
}
