//! The list to choose from: dialoguer's, with rows and a pane of our own.
//!
//! The library draws one line for each item and knows where it drew them, so our theme gives each
//! row its columns, and below the last row of the page a pane with the whole text of the one that
//! the cursor is on.

use super::choices::Choice;
use crate::cli::print;
use crate::render::{self, Paper};
use console::{Style, Term};
use dialoguer::MultiSelect;
use dialoguer::theme::Theme;
use std::cell::Cell;
use std::fmt::{self, Write};

/// Lines of the pane, with the empty one above it.
const PANE: usize = 6;
/// Lines above the rows, and the one below everything in which the cursor waits.
const FRAME: usize = 3;

/// Lets somebody choose; the ids, none for whoever left.
pub(super) fn pick(choices: &[Choice]) -> Vec<String> {
    let term = Term::stderr();
    let rows = usize::from(term.size().0)
        .saturating_sub(PANE + FRAME)
        .max(3);
    let theme = Rows {
        choices,
        most: rows,
        term: term.clone(),
        active: Cell::new(0),
    };
    let answer = MultiSelect::with_theme(&theme)
        .with_prompt("Choose what to change")
        // The library measures its items to know what the terminal wrapped. Rows fit by
        // themselves, so it gets the index only.
        .items_checked((0..choices.len()).map(|index| (index, choices[index].disrupts.is_none())))
        .max_length(rows)
        .report(false)
        .interact_on_opt(&term);
    print::answered(answer)
        .unwrap_or_default()
        .into_iter()
        .map(|index| choices[index].id.clone())
        .collect()
}

struct Rows<'a> {
    choices: &'a [Choice],
    most: usize,
    term: Term,
    /// The row that the cursor is on.
    active: Cell<usize>,
}

impl Rows<'_> {
    fn width(&self) -> usize {
        // One column is kept free: many terminals wrap a line that fills the last one.
        usize::from(self.term.size().1).saturating_sub(1)
    }

    /// Whether a row is the last one on its page; counted as the library counts.
    fn ends_page(&self, index: usize) -> bool {
        let capacity = (self.most + 2).clamp(3, usize::from(self.term.size().0).max(3)) - 2;
        index + 1 == self.choices.len() || (index + 1).is_multiple_of(capacity.max(1))
    }

    fn row(&self, choice: &Choice, checked: bool, active: bool) -> String {
        let plain = Style::new().for_stderr();
        let box_ = if checked { "[x]" } else { "[ ]" };
        let (kind, kind_style) = if choice.disrupts.is_some() {
            ("disruptive", plain.clone().yellow())
        } else {
            ("automatic", plain.clone())
        };
        let severity = render::severity_style(choice.severity).for_stderr();
        let id_style = if active {
            plain.clone().bold()
        } else {
            plain.clone()
        };
        let line = format!(
            "{} {} {} {} {} {}",
            if active { ">" } else { " " },
            plain.clone().green().apply_to(box_),
            id_style.apply_to(format!("{:<29}", choice.id)),
            severity.apply_to(format!("{:<6}", choice.severity)),
            kind_style.apply_to(format!("{kind:<10}")),
            plain
                .dim()
                .apply_to(first_sentence(&render::flat(&choice.impact))),
        );
        console::truncate_str(&line, self.width(), "…").into_owned()
    }

    /// Everything about the row that the cursor is on, always as many lines.
    fn pane(&self) -> String {
        let Some(choice) = self.choices.get(self.active.get()) else {
            return String::new();
        };
        let paper = Paper {
            width: self.width(),
            ..Paper::default()
        };
        let bold = Style::new().for_stderr().bold();
        let mut lines: Vec<String> = paper
            .wrapped("  ", &choice.title)
            .lines()
            .map(|line| bold.apply_to(line).to_string())
            .collect();
        if let Some(reason) = &choice.disrupts
            && !render::flat(&choice.impact).starts_with(reason.as_str())
        {
            lines.extend(
                paper
                    .wrapped("  ", &format!("Here: {reason}."))
                    .lines()
                    .map(str::to_owned),
            );
        }
        lines.extend(
            paper
                .wrapped("  ", &render::flat(&choice.impact))
                .lines()
                .map(str::to_owned),
        );
        if lines.len() > PANE - 1 {
            lines.truncate(PANE - 1);
            if let Some(last) = lines.last_mut() {
                *last = console::truncate_str(&format!("{last} …"), self.width(), "…").into_owned();
            }
        }
        lines.resize(PANE - 1, String::new());
        lines.join("\n")
    }
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first)
}

impl Theme for Rows<'_> {
    fn format_multi_select_prompt(&self, f: &mut dyn Write, prompt: &str) -> fmt::Result {
        let style = Style::new().for_stderr();
        // The library puts the page behind this, so the short line comes last.
        write!(
            f,
            "{}\n{}",
            style
                .clone()
                .dim()
                .apply_to("Space: on, off   a: all, none   arrows: move   Enter: go on   q: leave"),
            style.bold().apply_to(prompt)
        )
    }

    fn format_multi_select_prompt_item(
        &self,
        f: &mut dyn Write,
        text: &str,
        checked: bool,
        active: bool,
    ) -> fmt::Result {
        let index = text.parse().map_err(|_| fmt::Error)?;
        let choice: &Choice = self.choices.get(index).ok_or(fmt::Error)?;
        if active {
            self.active.set(index);
        }
        f.write_str(&print::on_terminal(&self.row(choice, checked, active)))?;
        if self.ends_page(index) {
            write!(f, "\n\n{}", print::on_terminal(&self.pane()))?;
        }
        Ok(())
    }
}
