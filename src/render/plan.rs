//! A plan for people: what changes, whom it concerns, what is held back.

use super::impact::impacts;
use super::{Paper, clean, count, dim, heading};
use crate::plan::{Document, StepDocument};
use console::Style;
use std::fmt::Write as _;

/// The whole plan. Diffs start at the first column, so that they can be cut out and used.
pub fn plan(document: &Document, paper: &Paper) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} {}\n",
        heading(&format!(
            "Plan for {}",
            clean(&document.made_from.host.name)
        )),
        dim(&clean(&document.made_from.host.os))
    );
    if document.is_empty() {
        out.push_str("Nothing to do.\n\n");
    }
    for (index, one) in document.steps.iter().enumerate() {
        out.push_str(&step(index + 1, one, paper));
        out.push('\n');
    }
    out.push_str(&consequences(document, paper));
    out
}

/// One step: which controls it serves, unless that is to be quiet, and its diff.
pub fn step(number: usize, step: &StepDocument, paper: &Paper) -> String {
    let mut out = format!(
        "{} {}\n",
        heading(&format!("{number}. {}", clean(&step.path))),
        dim(&format!("({})", count(step.controls.len(), "control")))
    );
    if !paper.quiet {
        out.push_str(&paper.wrapped("   ", &format!("serves {}", step.controls.join(", "))));
    }
    out.push_str(&coloured_diff(&step.diff));
    out
}

/// Everything but the steps: who is told, whom it concerns, what comes later, what is held back.
pub fn consequences(document: &Document, paper: &Paper) -> String {
    let mut out = String::new();
    if !document.activations.is_empty() {
        let _ = writeln!(out, "{}", heading("Then, once"));
        for planned in &document.activations {
            let _ = writeln!(out, "  - {}", planned.activation);
            if let Some(purpose) = &planned.purpose {
                out.push_str(&paper.wrapped("    ", purpose));
            }
            for written in &planned.writes {
                out.push_str(&paper.wrapped("    ", &format!("writes by itself: {written}")));
            }
        }
        out.push('\n');
    }
    if !document.impact.is_empty() {
        let _ = writeln!(out, "{}", heading("Impact on this host"));
        out.push_str(&impacts(&document.impact, "  ", paper));
        out.push('\n');
    }
    if !document.pending.is_empty() {
        let _ = writeln!(out, "{}", heading("Pending"));
        for (event, controls) in document.pending_by_event() {
            let line = format!("takes effect at {event}: {}", controls.join(", "));
            out.push_str(&paper.wrapped("  ", &line));
        }
        out.push('\n');
    }
    if !document.held_back.is_empty() {
        let _ = writeln!(out, "{}", heading("Held back"));
        for back in &document.held_back {
            let _ = writeln!(
                out,
                "  {}",
                Style::new().bold().apply_to(clean(&back.control))
            );
            out.push_str(&paper.wrapped("    ", &back.reason));
            out.push_str(&paper.wrapped("    ", &format!("release: {}", back.release)));
            if !paper.quiet {
                out.push_str(&impacts(&back.impact, "    ", paper));
                out.push_str(&coloured_diff(&back.diff));
            }
            out.push('\n');
        }
    }
    out.push_str(&unknown(document, paper));
    let _ = write!(
        out,
        "{}, {}, {} held back",
        count(document.steps.len(), "change"),
        count(document.activations.len(), "service action"),
        count(document.held_back.len(), "control"),
    );
    let _ = match document.unknown.len() {
        0 => writeln!(out, "."),
        number => writeln!(out, ", {number} not known."),
    };
    out
}

/// What could not be judged, each reason once.
fn unknown(document: &Document, paper: &Paper) -> String {
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in &document.unknown {
        match by_reason
            .iter_mut()
            .find(|(reason, _)| *reason == one.reason)
        {
            Some((_, controls)) => controls.push(&one.control),
            None => by_reason.push((&one.reason, vec![&one.control])),
        }
    }
    if by_reason.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", heading("Not known, so nothing is planned for it"));
    for (reason, controls) in by_reason {
        out.push_str(&paper.wrapped("  ", &controls.join(", ")));
        out.push_str(&paper.wrapped("    ", reason));
    }
    out.push('\n');
    out
}

/// A diff with added lines green and removed lines red, other text as it is.
pub fn coloured_diff(diff: &str) -> String {
    let mut out = String::with_capacity(diff.len());
    for line in clean(diff).lines() {
        let style = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Style::new().bold(),
            [b'+', ..] => Style::new().green(),
            [b'-', ..] => Style::new().red(),
            [b'@', b'@', ..] => Style::new().cyan(),
            _ => Style::new(),
        };
        let _ = writeln!(out, "{}", style.apply_to(line));
    }
    out
}
