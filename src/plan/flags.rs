//! Taking a flag out of the daemon's start command, where it stands: in `ExecStart=` or a variable of a unit file by
//! a drop-in of ours, in an environment file by an edit in place.
//!
//! dockerd refuses to start where a flag is repeated in its configuration file, even with the same value, so a key
//! can only be written once no flag sets it any more.

use super::drop_in;
use super::workbench::{Obstacle, Workbench, obstacle};
use crate::change::Activation;
use crate::checks::{Layout, reread, start_command};
use crate::facts::{Facts, Mode, Seen};
use crate::formats::command_line::{self, Flag};
use crate::formats::unit::{self, Start, StartWord};
use std::collections::BTreeSet;

const SERVICE: &str = "docker.service";

/// One flag can stand in a few places; each is edited by itself.
const MOST_PLACES: usize = 16;

/// Where one flag stands.
enum Place {
    /// In the command itself: which of the words typed there.
    Command(BTreeSet<usize>),
    /// In the value of a variable: which of its words.
    Variable(String, BTreeSet<usize>),
}

/// Why a flag stays.
enum Stays {
    /// As a clause.
    Because(String),
    /// A file cannot be written.
    Obstacle(Obstacle),
}

impl From<Obstacle> for Stays {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl Workbench<'_> {
    /// Starts the daemon without the flags that set a key.
    pub(super) fn without_flag(&mut self, control: &str, key: &str) -> Result<(), Obstacle> {
        for _ in 0..MOST_PLACES {
            let layout = Layout::of(&self.facts);
            let flags = layout.flags.of_key(key);
            let Some(flag) = flags.last().map(|flag| (*flag).clone()) else {
                return Ok(());
            };
            let said = format!(
                "docker.service passes {}, and the daemon refuses to start when a flag is repeated in {}",
                layout
                    .by_flag(key)
                    .map_or_else(|| flag.name.clone(), |(_, source)| source),
                layout.config
            );
            self.take_out(control, key, &flag)
                .map_err(|stays| match stays {
                    Stays::Because(reason) => obstacle(
                        format!("{said}; it is not taken away: {reason}"),
                        Layout::of(&self.facts).edit_start(),
                    ),
                    Stays::Obstacle(obstacle) => obstacle,
                })?;
        }
        Err(obstacle(
            format!("the flags for {key} stand in too many places"),
            format!("systemctl cat {SERVICE}"),
        ))
    }

    fn take_out(&mut self, control: &str, key: &str, flag: &Flag) -> Result<(), Stays> {
        let start = editable(&self.facts, key).map_err(Stays::Because)?;
        if Layout::of(&self.facts).flags.shares_a_word(flag) {
            let reason = "it shares a word with another flag".to_owned();
            return Err(Stays::Because(reason));
        }
        let place = place(&start, flag).map_err(Stays::Because)?;
        match place {
            Place::Command(words) => self.shorten_command(control, &start, &words),
            Place::Variable(name, words) => self.shorten_variable(control, &start, &name, &words),
        }?;
        self.wants(control, Activation::RestartDocker);
        self.daemon_keys
            .entry(key.to_owned())
            .or_default()
            .insert(control.to_owned());
        reread(&mut self.facts, SERVICE);
        let mut expected = start.argv();
        expected.drain(flag.words.clone());
        let unit = self.facts.units.get(SERVICE);
        if unit.is_some_and(|unit| *unit.argv == expected) {
            Ok(())
        } else {
            let reason = "what systemd reads later sets the command again, or more would change";
            Err(Stays::Because(reason.to_owned()))
        }
    }

    /// A drop-in of ours with the command as it is written, but for these words.
    fn shorten_command(
        &mut self,
        control: &str,
        start: &Start,
        words: &BTreeSet<usize>,
    ) -> Result<(), Stays> {
        let Some(at) = &start.at else {
            return Err(Stays::Because("it has no command".to_owned()));
        };
        let command: Vec<&str> = unit::command_line(&start.command)
            .typed
            .iter()
            .enumerate()
            .filter(|(index, _)| !words.contains(index))
            .map(|(_, word)| &start.command[word.at.clone()])
            .collect();
        let instead_of = format!("{}:{}", at.file, at.line);
        let text = self.text(&drop_in::path(SERVICE));
        let text = drop_in::with_command(&text, &command.join(" "), &instead_of);
        self.write_drop_in(control, &text, &at.file)
    }

    /// The variable without these words of its value, in its own file where that is an environment file.
    fn shorten_variable(
        &mut self,
        control: &str,
        start: &Start,
        name: &str,
        words: &BTreeSet<usize>,
    ) -> Result<(), Stays> {
        let Some(variable) = start.variables.get(name) else {
            return Err(Stays::Because(format!("{name} is not set")));
        };
        if variable.in_environment_file {
            let path = variable.file.clone();
            // Where it is a link, the text is that of its target, and writing is refused.
            let text = self.text(&self.facts.resolved(&path));
            let text = unit::without_words(&text, name, words)
                .map_err(|reason| Stays::Because(format!("{path}: {reason}")))?;
            return Ok(self.write(control, &path, &text, Mode(0o644))?);
        }
        let value = &variable.value;
        let kept: Vec<&str> = unit::variable_words(value)
            .iter()
            .enumerate()
            .filter(|(index, _)| !words.contains(index))
            .map(|(_, word)| &value[word.at.clone()])
            .collect();
        let text = self.text(&drop_in::path(SERVICE));
        match drop_in::with_variable(&text, name, &kept.join(" ")) {
            Some(text) => self.write_drop_in(control, &text, &variable.file),
            None => Err(Stays::Because(format!(
                "the value of {name} has control characters"
            ))),
        }
    }

    /// Writes our drop-in, and has systemd read it. Nobody may read there what they could not read where it was
    /// copied from.
    fn write_drop_in(&mut self, control: &str, text: &str, copied_from: &str) -> Result<(), Stays> {
        let path = drop_in::path(SERVICE);
        let source = self.facts.resolved(copied_from);
        let mode = self
            .facts
            .node(&source)
            .known()
            .map_or(0o600, |node| node.mode.0);
        self.write(control, &path, text, Mode(0o644))?;
        if let Some(Seen::Known(node)) = self.facts.files.get_mut(&path) {
            node.mode = Mode(node.mode.0 & (mode | 0o7600));
        }
        if let Some(unit) = self.facts.units.get_mut(SERVICE) {
            drop_in::list(unit, SERVICE);
        }
        self.wants(control, Activation::ReloadUnits);
        Ok(())
    }
}

/// The start command, where we can edit it.
fn editable(facts: &Facts, key: &str) -> Result<Start, String> {
    if Layout::KEPT_KEYS.contains(&key) {
        return Err("the unit and its files depend on it".to_owned());
    }
    let Some(unit) = facts.units.get(SERVICE) else {
        return Err("no systemd starts the daemon here".to_owned());
    };
    if facts.host.live && unit.active.is_empty() {
        return Err("systemd does not run here".to_owned());
    }
    if ["/run/systemd/generator", "/run/systemd/transient"]
        .iter()
        .any(|folder| unit.fragment.starts_with(folder))
    {
        return Err(format!("{} is generated", unit.fragment));
    }
    let program = unit.argv.first().map_or("", String::as_str);
    if !command_line::is_dockerd(program) {
        return Err(format!("its command is not dockerd, but `{program}`"));
    }
    let Some(start) = start_command(facts, SERVICE) else {
        return Err("the files of docker.service could not be read".to_owned());
    };
    if unit.fragment.starts_with("/etc/init.d/")
        && let Some(what) = start.unfollowed.first()
    {
        return Err(format!("{what} is shell that is not followed"));
    }
    if let Some(unread) = start.unread.first().or_else(|| unit.unread.first()) {
        return Err(format!("{}: {}", unread.path, unread.why));
    }
    if start.commands != 1 {
        return Err(format!(
            "it has more than one ExecStart=, {}",
            start.commands
        ));
    }
    if start.argv() != *unit.argv {
        return Err("its files do not say how this command came about".to_owned());
    }
    Ok(start)
}

/// Where a flag stands; refused where its parts stand in different places.
fn place(start: &Start, flag: &Flag) -> Result<Place, String> {
    let words: &[StartWord] = start
        .words
        .get(flag.words.clone())
        .filter(|words| !words.is_empty())
        .ok_or("it is not in the command")?;
    let variable = words[0].origin.variable.clone();
    if words.iter().any(|word| word.origin.variable != variable) {
        let origins: Vec<String> = words.iter().map(|word| word.origin.to_string()).collect();
        return Err(format!("its parts stand {}", origins.join(" and ")));
    }
    Ok(match variable {
        None => Place::Command(words.iter().map(|word| word.typed).collect()),
        Some(name) => Place::Variable(name, words.iter().map(|word| word.part).collect()),
    })
}
