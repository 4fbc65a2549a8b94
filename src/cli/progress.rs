//! What an apply, a rollback or a recovery is doing, as lines.

use super::interrupt::Interrupt;
use crate::apply::{Event, Watcher};
use crate::render;
use console::Style;
use indicatif::ProgressBar;

/// Progress as lines, and the running one as a spinner.
pub(super) struct Lines {
    /// The running line.
    pub(super) bar: ProgressBar,
    /// Whether a signal arrived.
    pub(super) interrupt: Interrupt,
    /// Whether lines that are done are left out.
    pub(super) quiet: bool,
    /// Where they go.
    pub(super) say: fn(&str),
}

impl Watcher for Lines {
    fn event(&mut self, event: Event) {
        let ok = Style::new().for_stderr().green();
        let bad = Style::new().for_stderr().red().bold();
        let shown = render::clean;
        let line = match event {
            // They are part of the result, which says each once.
            Event::Note { .. } => return,
            Event::Begun { id } => format!("transaction {}", shown(&id)),
            Event::Step { number, of, what } => format!("[{number}/{of}] {}", shown(&what)),
            Event::Activating {
                activation,
                undo: false,
            } => format!("{activation}"),
            Event::Activating {
                activation,
                undo: true,
            } => format!("undo: {activation}"),
            Event::Watching { time } => format!(
                "looking for {} s whether they stay up (see --settle)",
                time.as_secs()
            ),
            Event::Started { container } => {
                format!("started the container {} again", shown(&container))
            }
            Event::Checking => "checking that the services are healthy".to_owned(),
            Event::Committed => ok.apply_to("committed").to_string(),
            Event::UndoBegun { why } => {
                format!("{} {}", bad.apply_to("taking it back:"), shown(&why))
            }
            Event::Restoring { path } => format!("undo: {}", shown(&path)),
            Event::Left { text } => format!("{} {}", bad.apply_to("left:"), shown(&text)),
            Event::RolledBack => ok.apply_to("everything is as it was before").to_string(),
            Event::Stuck => bad.apply_to("a person is needed").to_string(),
        };
        self.bar.set_message(line.clone());
        if !self.quiet {
            let say = self.say;
            self.bar.suspend(|| say(&format!("  {line}")));
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupt.arrived()
    }
}
