//! How a change of a host ended, in words.

use crate::apply::{self, Applied, Outcome, STATE};
use crate::audit::Report;
use crate::plan::Document;
use crate::render::{self, Paper, clean};
use std::fmt::Write as _;

/// That there is nothing to do, and what is left out, comes later or is not known.
pub(super) fn nothing_to_do(document: &Document, paper: &Paper) -> String {
    let what = if document.unknown.is_empty() {
        "everything this run may change"
    } else {
        "everything this run may change and could see"
    };
    let mut text = format!("Nothing to do: {what} is already correct.\n");
    for (event, controls) in document.pending_by_event() {
        let line = format!("{}: {}", render::takes_effect(event), controls.join(", "));
        text.push_str(&paper.wrapped("  ", &line));
    }
    if !paper.quiet {
        for back in &document.held_back {
            let (control, release) = (clean(&back.control), clean(&back.release));
            let _ = writeln!(text, "  held back: {control} ({release})");
        }
        for unknown in &document.unknown {
            let (control, reason) = (clean(&unknown.control), clean(&unknown.reason));
            let _ = writeln!(text, "  not known: {control} ({reason})");
        }
    }
    text
}

/// How it ended. `place` are the flags that say which host, for the commands that are proposed.
pub(super) fn ending(
    paper: &Paper,
    place: &str,
    applied: &Applied,
    before: &Report,
    after: Option<&Report>,
) -> String {
    let id = &applied.id;
    let mut text = last_words(applied);
    let _ = match &applied.outcome {
        Outcome::Committed => {
            let _ = writeln!(text, "\nDone: transaction {id} is committed.");
            if let Some(event) = &applied.pending {
                let _ = writeln!(
                    text,
                    "Pending: some of it {}.",
                    clean(&render::takes_effect(event))
                );
            }
            if let Some(after) = after {
                text.push_str(&render::changes(before, after, paper));
            }
            if let Some(until) = applied.confirm_until {
                let _ = writeln!(
                    text,
                    "\nIt is rolled back by itself at {}, and at a reboot before that, unless you \
                     keep it:\n  sudo seaworthy confirm {id}",
                    apply::moment(until)
                );
            }
            writeln!(text, "\nTo go back:\n  sudo seaworthy rollback{place} {id}")
        }
        Outcome::NothingToDo => writeln!(text, "Nothing to do."),
        Outcome::RolledBack { why } => writeln!(
            text,
            "\nFailed, and the host is as it was before: {}\n  seaworthy history{place} {id}",
            clean(why)
        ),
        Outcome::Stuck { why, left } => {
            let _ = writeln!(
                text,
                "\nFailed, and not everything could be put back: {}",
                clean(why)
            );
            for left in left {
                let _ = writeln!(text, "  {}", clean(left));
            }
            writeln!(
                text,
                "{STATE}/transactions/{id}/RESTORE says how to put it back by hand; backups are in\n\
                 {STATE}/backups, and `seaworthy history{place} {id}` says which is which.\n\
                 Once the cause is gone, this tries again:\n  sudo seaworthy recover{place}"
            )
        }
    };
    text
}

/// How a recovery ended that did what was asked.
pub(super) fn taken_back(applied: &Applied) -> String {
    format!(
        "{}\nDone: what transaction {} had changed is taken back; the host is as it was before it.\n",
        last_words(applied),
        applied.id
    )
}

/// What services and the executor had to say.
fn last_words(applied: &Applied) -> String {
    let mut text = String::new();
    for log in &applied.service_logs {
        let _ = writeln!(text, "\nThe last words of {}:", clean(&log.unit));
        for line in &log.lines {
            let _ = writeln!(text, "  {}", clean(line));
        }
    }
    for note in &applied.notes {
        let _ = writeln!(text, "note: {}", clean(note));
    }
    text
}
