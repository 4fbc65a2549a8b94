//! `seaworthy history [ID]` and `seaworthy history prune`

use super::apply::{begin, settings, warn_unfinished};
use super::arguments::{Format, Global, HistoryAction, HistoryVerb, PruneVerb};
use super::context::Context;
use super::failure::Failure;
use super::{Done, OK, print};
use crate::apply::{self, Keep, Record};
use crate::render;
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
struct History<'a> {
    format: u32,
    transactions: Vec<&'a Record>,
}

#[derive(Serialize)]
struct Prune<'a> {
    format: u32,
    removed: &'a [String],
    backups: usize,
    bytes: u64,
}

pub(super) fn run(global: &Global, verb: &HistoryVerb) -> Done {
    if let Some(HistoryAction::Prune(verb)) = &verb.action {
        return prune(global, verb);
    }
    let context = Context::open(global)?;
    let records = apply::history(&context.host, &settings(&context))
        .map_err(|error| context.journal_failure(error))?;
    warn_unfinished(&context);
    let chosen: Vec<&Record> = match &verb.id {
        None => records.iter().collect(),
        Some(id) => match records.iter().find(|record| record.id == *id) {
            Some(record) => vec![record],
            None => {
                return Err(Failure::plain(
                    format!("there is no transaction {id}"),
                    format!("seaworthy history{}", context.place),
                ));
            }
        },
    };
    match verb.format {
        Format::Json => print::json(&History {
            format: 1,
            transactions: chosen,
        })?,
        Format::Human => print::out(&render::history(&chosen, verb.id.is_some(), &context.paper))?,
    }
    Ok(OK)
}

fn prune(global: &Global, verb: &PruneVerb) -> Done {
    let mut context = Context::open(global)?;
    let _lock = begin(&context, "history prune")?;
    let keep = Keep {
        newest: verb.keep,
        younger_than: verb.older_than,
    };
    let settings = settings(&context);
    let pruned = apply::prune(&mut context.host, &settings, &keep)
        .map_err(|error| context.journal_failure(error))?;
    match verb.format {
        Format::Json => print::json(&Prune {
            format: 1,
            removed: &pruned.transactions,
            backups: pruned.backups,
            bytes: pruned.bytes,
        })?,
        Format::Human => {
            let mut text = String::new();
            for id in &pruned.transactions {
                let _ = writeln!(text, "removed {id}");
            }
            let _ = writeln!(
                text,
                "{} and {} ({} bytes) removed; {} kept.",
                render::count(pruned.transactions.len(), "transaction"),
                render::count(pruned.backups, "backup"),
                pruned.bytes,
                render::count(pruned.kept, "transaction"),
            );
            print::out(&text)?;
        }
    }
    Ok(OK)
}
