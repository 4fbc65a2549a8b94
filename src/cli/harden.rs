//! `seaworthy harden`: the administrator of a fresh host at a terminal. Audit, choose, look at each
//! change, confirm once, apply.
//!
//! Until the confirmation nothing is touched, not even a lock: whoever leaves leaves no trace. So
//! the host is looked at and planned for a second time under the lock, and the plan must be the
//! one that was shown.

mod choices;
mod picker;

use super::apply::{Prepared, begin, carry_out, refuse_ordinary_users, refuse_unfinished};
use super::arguments::{Global, HardenVerb};
use super::context::Context;
use super::ending::ending;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::result::status;
use super::{Done, OK, confirm, print};
use crate::audit::Report;
use crate::catalog::Selection;
use crate::plan::{Document, Options};
use crate::render;
use choices::Choices;
use console::Key;

pub(super) fn run(global: &Global, verb: &HardenVerb) -> Done {
    if !print::can_ask() {
        return Err(Failure::plain(
            "`harden` asks questions, and there is no terminal to ask at",
            "sudo seaworthy plan; sudo seaworthy apply --yes",
        ));
    }
    // From now on a signal is noted, and means leaving until there is something to take back.
    let interrupt =
        Interrupt::listen().map_err(|error| Failure::refused(error, "seaworthy --help"))?;
    let mut context = Context::open(global)?;
    context.interrupt = Some(interrupt.clone());
    refuse_ordinary_users(&context, "harden")?;
    refuse_unfinished(&context)?;
    let guard = match verb.confirm_within {
        None => None,
        Some(within) => Some((within, confirm::program(&context)?)),
    };
    let chosen = choose(&context, &interrupt);
    // A terminal that went away cannot be written to either; that is leaving, too.
    if interrupt.arrived() {
        return Ok(left());
    }
    match chosen? {
        Ended::Left => Ok(left()),
        Ended::NothingToDo => Ok(OK),
        Ended::Confirmed(options, shown) => apply(&mut context, &options, &shown, guard),
    }
}

fn left() -> u8 {
    print::note("Nothing was changed.");
    OK
}

/// How the questions ended.
enum Ended {
    Left,
    NothingToDo,
    Confirmed(Options, Box<Document>),
}

/// Everything up to the confirmation: reads, and asks.
fn choose(context: &Context, interrupt: &Interrupt) -> Result<Ended, Failure> {
    let facts = context.facts()?;
    if interrupt.arrived() {
        return Ok(Ended::Left);
    }
    let report = context.report(&facts);
    let choices = Choices::new(context, &facts, &report);
    print::out(&overview(context, &report, &choices))?;
    if choices.offered.is_empty() {
        return Ok(Ended::NothingToDo);
    }
    // A signal between two questions has nobody who waits for it: each stage asks.
    if interrupt.arrived()
        || print::key("Enter: choose what to change   q: leave ", &[Key::Enter]).is_none()
    {
        return Ok(Ended::Left);
    }
    let only = picker::pick(&choices.offered);
    if only.is_empty() || interrupt.arrived() {
        return Ok(Ended::Left);
    }
    // Exact ids, so that what disrupts is released by having been chosen.
    let options = Options {
        selection: Selection {
            only,
            ..Selection::default()
        },
        ..Options::default()
    };
    let (_, document) = context.plan(&facts, &options);
    if document.is_empty() {
        print::out(&render::plan(&document, &context.paper))?;
        return Ok(Ended::NothingToDo);
    }
    if !review(context, &document)? || interrupt.arrived() {
        return Ok(Ended::Left);
    }
    let question = format!("Apply {}?", render::count(document.steps.len(), "change"));
    Ok(
        if print::confirm(&question, "sudo seaworthy apply --yes")? {
            Ended::Confirmed(options, Box::new(document))
        } else {
            Ended::Left
        },
    )
}

/// The verdicts by area, and what can be done about them here.
fn overview(context: &Context, report: &Report, choices: &Choices) -> String {
    let mut out = render::areas(report);
    out.push('\n');
    for line in choices.in_words() {
        out.push_str(&context.paper.wrapped("", &line));
    }
    out.push('\n');
    out
}

/// Shows change by change; false for whoever left.
fn review(context: &Context, document: &Document) -> Result<bool, Failure> {
    let of = document.steps.len();
    let mut at_once = false;
    for (index, step) in document.steps.iter().enumerate() {
        print::out(&format!(
            "{}\n",
            render::step(index + 1, step, &context.paper)
        ))?;
        if at_once || index + 1 == of {
            continue;
        }
        let keys = format!(
            "{} of {of}   Enter: next change   a: all   q: leave ",
            index + 1
        );
        match print::key(&keys, &[Key::Enter, Key::Char(' '), Key::Char('a')]) {
            None => return Ok(false),
            Some(key) => at_once = key == Key::Char('a'),
        }
    }
    print::out(&render::consequences(document, &context.paper))?;
    Ok(true)
}

/// Applies what was shown and confirmed, or refuses when it is no longer what would be done.
/// `guard` is the time in which it must be confirmed, in seconds, and the program that takes it
/// back otherwise.
fn apply(
    context: &mut Context,
    options: &Options,
    shown: &Document,
    guard: Option<(u64, String)>,
) -> Done {
    let _lock = begin(context, "harden")?;
    let prepared = Prepared::new(context, options)?;
    prepared.hold_shown(shown, "harden", &context.place)?;
    let mut transaction = prepared.transaction();
    if let Some((within, program)) = guard {
        transaction = confirm::guard(context, transaction, within, program)?;
    }
    let (applied, after) = carry_out(context, &transaction)?;
    print::told(print::out(&ending(
        &context.paper,
        &context.place,
        &applied,
        &prepared.before,
        after.as_ref(),
    )));
    Ok(status(&applied))
}
