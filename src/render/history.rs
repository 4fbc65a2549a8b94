//! Transactions for people: the list, one in full, and what a rollback would put back.

use super::{Paper, clean, coloured_diff, count, dim, heading, outcome_style};
use crate::apply::{Record, RecordOutcome, STATE, Transaction, in_words};
use crate::checks::Outcome;
use crate::plan::unified;
use std::fmt::Write as _;

/// A line for each transaction, or everything about them.
pub fn history(records: &[&Record], in_full: bool, paper: &Paper) -> String {
    if records.is_empty() {
        return "No transactions yet.\n".to_owned();
    }
    let mut out = String::new();
    let width = records
        .iter()
        .map(|record| record.outcome.words().len())
        .max();
    let width = width.unwrap_or_default().max(11);
    for record in records {
        let style = outcome_style(match record.outcome {
            RecordOutcome::Committed => Outcome::Pass,
            RecordOutcome::RolledBack | RecordOutcome::PendingConfirmation => Outcome::Manual,
            RecordOutcome::Stuck | RecordOutcome::Unfinished => Outcome::Fail,
        });
        let mut what = match (&record.reverts, &record.reverted_by) {
            (Some(id), None) if record.outcome == RecordOutcome::Committed => {
                format!("took back {id}")
            }
            (Some(id), None) => format!("was to take back {id}"),
            (None, Some(id)) => format!("taken back by {id}"),
            (Some(id), Some(by)) => format!("took back {id}, taken back by {by}"),
            (None, None) => count(record.controls.len(), "control"),
        };
        if let Some(event) = &record.pending {
            let _ = write!(what, ", pending: {event}");
        }
        if let Some(seconds) = record.seconds_left {
            let _ = write!(what, ", {}", in_words(seconds * 1_000_000));
        }
        let _ = writeln!(
            out,
            "{}  {}  {}",
            clean(&record.id),
            style.apply_to(format!("{:<width$}", record.outcome.words())),
            clean(&what)
        );
        if in_full {
            out.push_str(&full(record, paper));
        }
    }
    out
}

fn full(record: &Record, paper: &Paper) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "  at       {}", record.at);
    let _ = writeln!(out, "  by       {}", clean(&record.by));
    let _ = writeln!(out, "  command  {}", clean(&record.command));
    let _ = writeln!(out, "  tool     {}", clean(&record.tool));
    let _ = writeln!(
        out,
        "  by hand  {STATE}/transactions/{}/RESTORE says how",
        clean(&record.id)
    );
    if !record.controls.is_empty() {
        out.push_str(&paper.wrapped("  ", &format!("controls {}", record.controls.join(", "))));
    }
    for step in &record.steps {
        let _ = writeln!(out, "  - {}", clean(&step.what));
        for (when, state) in [
            ("before", &step.action.before),
            ("after", &step.action.after),
        ] {
            if let Some(digest) = state.digest() {
                let digest = clean(&digest.0);
                let _ = writeln!(out, "{}", dim(&format!("      {when:<6} backups/{digest}")));
            }
        }
    }
    for activation in &record.activations {
        let _ = writeln!(out, "  - {activation}");
    }
    if let Some(why) = &record.why {
        out.push_str(&paper.wrapped("  ", &format!("taken back because: {why}")));
    }
    for left in &record.left {
        out.push_str(&paper.wrapped("  ", &format!("left: {left}")));
    }
    for (unit, lines) in &record.service_logs {
        let _ = writeln!(out, "  last words of {}:", clean(unit));
        for line in lines {
            let _ = writeln!(out, "    {}", clean(line));
        }
    }
    for note in &record.notes {
        out.push_str(&paper.wrapped("  ", &format!("note: {note}")));
    }
    out
}

/// What taking a transaction back would do.
pub fn rollback(id: &str, transaction: &Transaction, impact: &[String], paper: &Paper) -> String {
    let mut out = format!("{}\n\n", heading(&format!("Rollback of {}", clean(id))));
    for (index, step) in transaction.all_steps().enumerate() {
        let _ = writeln!(
            out,
            "{}",
            heading(&format!("{}. {}", index + 1, clean(&step.action.path)))
        );
        out.push_str(&coloured_diff(&unified(&step.action)));
        out.push('\n');
    }
    if !transaction.activations.is_empty() {
        let _ = writeln!(out, "{}", heading("Then, once"));
        for activation in &transaction.activations {
            let _ = writeln!(out, "  - {activation}");
        }
        out.push('\n');
    }
    if !impact.is_empty() {
        let _ = writeln!(out, "{}", heading("Impact on this host"));
        for sentence in impact {
            out.push_str(&paper.wrapped("  ", sentence));
        }
        out.push('\n');
    }
    for note in &transaction.notes {
        out.push_str(&paper.wrapped("", &format!("note: {note}")));
    }
    out
}
