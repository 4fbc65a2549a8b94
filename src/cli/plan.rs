//! `seaworthy plan`

use super::arguments::{Allow, Global, PlanFormat, PlanVerb};
use super::context::Context;
use super::destination::Destination;
use super::{Done, FINDINGS, OK, apply, print};
use crate::formats::shell::quoted_os;
use crate::plan::Document;
use crate::render;
use std::path::Path;

pub(super) fn run(global: &Global, verb: &PlanVerb) -> Done {
    let out = verb.out.as_deref().map(Destination::open).transpose()?;
    let context = Context::open(global)?;
    apply::warn_unfinished(&context);
    let facts = context.facts()?;
    let blind = context.refuse_blind("plan", &context.report(&facts));
    let (_, document) = context.plan(&facts, &context.options(verb.allow));
    if let Some(out) = &out {
        out.write(&print::json_text(&document)?)?;
    }
    let saved = verb
        .out
        .as_deref()
        .filter(|_| out.as_ref().is_some_and(Destination::is_file));
    match verb.format {
        PlanFormat::Human => {
            let mut text = render::plan(&document, &context.paper);
            text.push_str(&next(&document, saved, verb.allow, &context));
            print::out(&text)?;
        }
        PlanFormat::Json => print::json(&document)?,
        PlanFormat::Diff => {
            let diffs: String = document
                .steps
                .iter()
                .map(|step| render::coloured_diff(&step.diff))
                .collect();
            print::out(&diffs)?;
        }
    }
    blind?;
    Ok(if verb.detailed_exitcode && !document.is_empty() {
        FINDINGS
    } else {
        OK
    })
}

fn next(document: &Document, saved: Option<&Path>, allow: Allow, context: &Context) -> String {
    if document.is_empty() {
        return String::new();
    }
    let command = match saved {
        Some(path) => format!(
            "sudo seaworthy apply{} {}",
            context.place,
            quoted_os(path.as_os_str())
        ),
        None => format!("sudo seaworthy apply{}{}", context.scope, allow.words()),
    };
    format!("\nNext:\n  {command}\n")
}
