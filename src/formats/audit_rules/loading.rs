//! Loading rule files as `auditctl -R` does it at boot, when the kernel has no rules yet: line by line, until one is
//! refused.

use super::around::Around;
use super::bad::{Bad, Doubt};
use super::entry::Entry;
use super::joined::{Placed, Spot};
use super::line::{self, Change, Command};
use std::collections::HashMap;

/// A rule that is in the kernel after loading.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Where it stands.
    pub spot: Spot,
    /// How many lines were carried out before it.
    pub step: usize,
    /// The rule.
    pub entry: Entry,
    /// Its place in its list: the smallest is looked at first.
    pub order: i64,
    /// Why it is not certain that it is there.
    pub doubt: Option<Doubt>,
}

/// The settings that the files make, each with the line that made it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `-e`.
    pub enabled: Option<(Spot, u8)>,
    /// `-f`.
    pub failure: Option<(Spot, u8)>,
    /// `-r`.
    pub rate: Option<(Spot, u32)>,
    /// `-b`.
    pub backlog: Option<(Spot, u32)>,
}

/// What loading comes to.
#[derive(Debug, Default)]
pub struct Loading {
    /// The rules that are in the kernel then, in the order of the files.
    pub rules: Vec<Loaded>,
    /// The settings.
    pub settings: Settings,
    /// The line at which it ends before the end, and why.
    pub ended: Option<(Spot, Bad)>,
    /// The first line of which it is not known whether loading ends there. Whatever is loaded behind it may be
    /// missing.
    pub doubt: Option<(Spot, Doubt)>,
    /// How many lines were carried out before that one.
    pub doubt_step: usize,
    /// Lines that are refused, and passed over because of `-i` or `-c`.
    pub passed: Vec<(Spot, Bad)>,
    /// Whether a `-D` without a key is there, so that loading again does not end at the first rule.
    pub begins_anew: bool,
    /// Rules in the lines that were not reached.
    pub unreached: Vec<(Spot, Entry)>,
    /// How many lines were carried out: the steps of this work.
    pub steps: usize,
}

/// Loads lines.
///
/// After the end only watches are still read, so that a watch that is never reached can be named.
pub fn load<'a>(lines: impl IntoIterator<Item = Placed<'a>>, around: &dyn Around) -> Loading {
    let mut program = Program {
        loading: Loading::default(),
        alive: Vec::new(),
        known: HashMap::new(),
        first: 0,
        ignores: false,
        locked: false,
    };
    for placed in lines {
        program.step(&placed, around);
    }
    let mut loading = program.loading;
    let mut alive = program.alive.into_iter();
    loading.rules.retain(|_| alive.next().unwrap_or(false));
    loading
}

struct Program {
    loading: Loading,
    /// For each rule whether it is still there.
    alive: Vec<bool>,
    /// Rules by what makes them the same.
    known: HashMap<u128, usize>,
    first: i64,
    ignores: bool,
    locked: bool,
}

impl Program {
    fn step(&mut self, placed: &Placed<'_>, around: &dyn Around) {
        if let Some(doubt) = &placed.doubt
            && self.loading.ended.is_none()
        {
            self.doubts(placed.spot, doubt.clone());
        }
        let text = placed.text.trim_start_matches(' ');
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        self.loading.steps += 1;
        let outcome = line::run(text, around);
        if self.loading.ended.is_some() {
            if let Some((Change::Append | Change::Prepend, entry)) = outcome.rule
                && entry.place().is_some()
            {
                self.loading.unreached.push((placed.spot, entry));
            }
            return;
        }
        for command in outcome.commands {
            if let Err(bad) = self.command(placed.spot, command) {
                return self.refused(placed.spot, bad);
            }
        }
        if let Some(bad) = outcome.bad {
            return self.refused(placed.spot, bad);
        }
        let rule_doubt = outcome.doubt.clone();
        if let Some(doubt) = outcome.doubt
            && !self.ignores
        {
            self.doubts(placed.spot, doubt);
        }
        if let Some((change, entry)) = outcome.rule
            && let Err(bad) = self.change(placed.spot, change, entry, rule_doubt)
        {
            self.refused(placed.spot, bad);
        }
    }

    fn doubts(&mut self, spot: Spot, doubt: Doubt) {
        if self.loading.doubt.is_none() {
            self.loading.doubt = Some((spot, doubt));
            self.loading.doubt_step = self.loading.steps;
        }
    }

    fn refused(&mut self, spot: Spot, bad: Bad) {
        if self.ignores {
            self.loading.passed.push((spot, bad));
        } else {
            self.loading.ended = Some((spot, bad));
        }
    }

    fn command(&mut self, spot: Spot, command: Command) -> Result<(), Bad> {
        let settings = &mut self.loading.settings;
        match command {
            Command::Ignore | Command::Continue => {
                self.ignores = true;
                return Ok(());
            }
            Command::Other(_) => return Ok(()),
            _ if self.locked => return Err(Bad::Locked),
            Command::Enable(value) => {
                settings.enabled = Some((spot, value));
                self.locked = value == 2;
            }
            Command::Failure(value) => settings.failure = Some((spot, value)),
            Command::Rate(value) => settings.rate = Some((spot, value)),
            Command::Backlog(value) => settings.backlog = Some((spot, value)),
            Command::Delete(None) => {
                self.loading.rules.clear();
                self.alive.clear();
                self.known.clear();
                self.loading.begins_anew = true;
            }
            Command::Delete(Some(key)) => {
                let rules = &self.loading.rules;
                let has_key = |index: &usize| {
                    let keys: Vec<&str> =
                        rules[*index].entry.keys.iter().map(AsRef::as_ref).collect();
                    // Keys are one text to the kernel.
                    keys.join("\u{1}").contains(key.as_str())
                };
                let alive = &mut self.alive;
                self.known.retain(|_, index| {
                    let goes = has_key(index);
                    alive[*index] &= !goes;
                    !goes
                });
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        spot: Spot,
        change: Change,
        entry: Entry,
        doubt: Option<Doubt>,
    ) -> Result<(), Bad> {
        if self.locked {
            return Err(Bad::Locked);
        }
        let identity = entry.identity();
        let earlier = self.known.get(&identity).copied();
        match (change, earlier) {
            (Change::Delete, None) => Err(Bad::NotThere),
            (Change::Delete, Some(index)) => {
                self.known.remove(&identity);
                self.alive[index] = false;
                Ok(())
            }
            (Change::Append, Some(_)) => Err(Bad::Exists),
            // The kernel compares the wish to be first, too, which no rule in a list has: it is never there already.
            (Change::Append, None) | (Change::Prepend, _) => {
                let index = self.loading.rules.len();
                let order = if change == Change::Prepend {
                    self.first -= 1;
                    self.first
                } else {
                    i64::try_from(index).unwrap_or(i64::MAX)
                };
                self.known.insert(identity, index);
                self.loading.rules.push(Loaded {
                    spot,
                    step: self.loading.steps,
                    entry,
                    order,
                    doubt,
                });
                self.alive.push(true);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
#[path = "loading_tests.rs"]
mod tests;
