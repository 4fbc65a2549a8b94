//! Values for people to read: pure functions of a report, a plan or a journal.
//!
//! Everything fits the given width, needs no colour to be understood, and is inert: what came from
//! the host is escaped (see [`inert`]), names and paths on one line.

mod audit;
mod explain;
mod history;
mod impact;
mod plan;

pub use audit::{areas, changes, findings, report, summary_line};
pub use explain::{control, table};
pub use history::{history, rollback};
pub use plan::{coloured_diff, consequences, plan, step};

use crate::catalog::Severity;
use crate::checks::Outcome;
use crate::formats::inert;
use console::Style;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    /// Columns.
    pub width: usize,
    /// Print the evidence of what passes, too.
    pub verbose: bool,
    /// Leave out everything that needs no action.
    pub quiet: bool,
}

impl Default for Paper {
    fn default() -> Self {
        Self {
            width: 80,
            verbose: false,
            quiet: false,
        }
    }
}

impl Paper {
    /// `text` broken into lines that fit, each with `indent` before it.
    pub fn wrapped(&self, indent: &str, text: &str) -> String {
        let text: String = clean(text);
        let options = textwrap::Options::new(self.width.max(40))
            .initial_indent(indent)
            .subsequent_indent(indent)
            // Ids and paths stay whole, so that they can be copied.
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false);
        let mut out = textwrap::fill(text.trim(), options);
        out.push('\n');
        out
    }
}

/// `text` on one line, for prose: whatever separates words becomes a blank.
pub(crate) fn flat(text: &str) -> String {
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `text` on one line of at most `width` columns, with an ellipsis where it was cut.
pub(crate) fn clipped(text: &str, width: usize) -> String {
    console::truncate_str(&flat(text), width, "…").into_owned()
}

/// A name or another text of one line as it may be shown: names of containers and files are not
/// ours, and one that holds a line break must not begin a line of its own.
pub(crate) fn clean(text: &str) -> String {
    inert::line(text).into_owned()
}

/// The same for a text of several lines, such as where an error is in a file.
pub(crate) fn clean_lines(text: &str) -> String {
    inert::lines(text).into_owned()
}

pub(crate) fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Pass => Style::new().green(),
        Outcome::Fail => Style::new().red().bold(),
        Outcome::Manual => Style::new().yellow(),
        Outcome::Unknown => Style::new().magenta().bold(),
        Outcome::NotApplicable => Style::new().dim(),
    }
}

pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::High => Style::new().red(),
        Severity::Medium => Style::new().yellow(),
        Severity::Low => Style::new(),
    }
}

pub(crate) fn heading(text: &str) -> String {
    Style::new().bold().underlined().apply_to(text).to_string()
}

pub(crate) fn dim(text: &str) -> String {
    Style::new().dim().apply_to(text).to_string()
}

/// When something takes effect. An event is named as a moment ("the next boot") or as what happens
/// ("docker.service restarts").
pub(crate) fn takes_effect(event: &str) -> String {
    let joins = if event.starts_with("the ") {
        "at"
    } else {
        "when"
    };
    format!("takes effect {joins} {event}")
}

/// `1 change`, `2 changes`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
