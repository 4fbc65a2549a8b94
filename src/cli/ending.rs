//! How a change of a host ended, in words.

use crate::apply::{self, Applied, Outcome, STATE};
use crate::audit::Report;
use crate::plan::Document;
use crate::render::{self, Paper, clean};
use std::fmt::Write as _;

/// That there is nothing to do, and what is left out, comes later or is not known.
pub(super) fn nothing_to_do(document: &Document, paper: &Paper) -> String {
    let how_far = if document.unknown.is_empty() {
        "this may be changed"
    } else {
        "it could be seen"
    };
    let mut text = format!("Nothing to do: the host is as it should be, as far as {how_far}.\n");
    for (event, controls) in document.pending_by_event() {
        let line = format!("takes effect at {event}: {}", controls.join(", "));
        text.push_str(&paper.wrapped("  ", &line));
    }
    if !paper.quiet {
        for back in &document.held_back {
            let _ = writeln!(text, "  held back: {} ({})", back.control, back.release);
        }
        for unknown in &document.unknown {
            let reason = clean(&unknown.reason);
            let _ = writeln!(text, "  not known: {} ({reason})", unknown.control);
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
    after: &Report,
) -> String {
    let id = &applied.id;
    let mut text = last_words(applied);
    let _ = match &applied.outcome {
        Outcome::Committed => {
            let _ = writeln!(text, "\nDone: transaction {id} is committed.");
            if let Some(event) = &applied.pending {
                let _ = writeln!(text, "Pending: some of it takes effect at {event}.");
            }
            text.push_str(&render::changes(before, after, paper));
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
        let _ = writeln!(text, "\nThe last words of {}:", log.unit);
        for line in &log.lines {
            let _ = writeln!(text, "  {}", clean(line));
        }
    }
    for note in &applied.notes {
        let _ = writeln!(text, "note: {}", clean(note));
    }
    text
}
