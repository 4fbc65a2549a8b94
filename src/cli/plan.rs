//! `seaworthy plan`

use super::arguments::{Global, PlanFormat, PlanVerb};
use super::context::Context;
use super::failure::Failure;
use super::{Done, FINDINGS, OK, apply, print};
use crate::formats::shell::quoted;
use crate::plan::Document;
use crate::render;
use std::path::Path;

pub(super) fn run(global: &Global, verb: &PlanVerb) -> Done {
    let context = Context::open(global)?;
    apply::warn_unfinished(&context);
    let facts = context.facts()?;
    let blind = context.refuse_blind("plan", &context.report(&facts));
    let (_, document) = context.plan(&facts, &context.options(verb.allow));
    if let Some(path) = &verb.out {
        save(&document, path)?;
    }
    match verb.format {
        PlanFormat::Human => {
            let mut text = render::plan(&document, &context.paper);
            text.push_str(&next(&document, verb, &context));
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

fn next(document: &Document, verb: &PlanVerb, context: &Context) -> String {
    if document.is_empty() {
        return String::new();
    }
    let command = match &verb.out {
        Some(path) => format!(
            "sudo seaworthy apply{} {}",
            context.place,
            quoted(&path.to_string_lossy())
        ),
        None => format!(
            "sudo seaworthy apply{}{}",
            context.scope,
            verb.allow.words()
        ),
    };
    format!("\nNext:\n  {command}\n")
}

/// Saves the plan so that nobody ever reads half of it.
fn save(document: &Document, path: &Path) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |error: std::io::Error| {
        // It goes on with the name of a temporary file that nobody knows.
        let text = error.to_string();
        let why = text.split(" at path ").next().unwrap_or_default();
        Failure::plain(
            format!("{}: cannot save the plan: {why}", path.display()),
            format!("ls -ld {}", folder.display()),
        )
    };
    let mut text = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::refused(error, "seaworthy --version"))?;
    text.push('\n');
    // Mode 0600 on purpose: a plan tells in which ways a host is weak.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
