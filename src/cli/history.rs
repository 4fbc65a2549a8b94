//! `seaworthy history [ID]`

use super::apply::{journal_failure, settings};
use super::arguments::{Format, Global, HistoryVerb};
use super::context::Context;
use super::failure::Failure;
use super::{Done, OK, print};
use crate::apply::{self, Record};
use crate::render;
use serde::Serialize;

#[derive(Serialize)]
struct History<'a> {
    format: u32,
    transactions: Vec<&'a Record>,
}

pub(super) fn run(global: &Global, verb: &HistoryVerb) -> Done {
    let context = Context::open(global)?;
    let records = apply::history(&context.host, &settings(&context)).map_err(journal_failure)?;
    let chosen: Vec<&Record> = match &verb.id {
        None => records.iter().collect(),
        Some(id) => match records.iter().find(|record| record.id == *id) {
            Some(record) => vec![record],
            None => {
                return Err(Failure::plain(
                    format!("there is no transaction {id}"),
                    "seaworthy history",
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
