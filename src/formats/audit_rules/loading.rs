//! Loading rule files as `auditctl -R` does it at boot, when the kernel has no rules yet: line by line, until one is
//! refused.

use super::around::Around;
use super::bad::{Bad, Doubt};
use super::brief::Brief;
use super::command::{Change, Command};
use super::identity::{ByIdentity, Identities};
use super::joined::{Placed, Spot};
use super::line::{self, Outcome, Reader};
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A rule that is in the kernel after loading.
#[derive(Debug, Clone)]
pub struct Loaded<'t> {
    /// Where it stands.
    pub spot: Spot,
    /// How many lines were carried out before it.
    pub step: u32,
    /// Its line.
    pub text: Cow<'t, str>,
    /// What it is about.
    pub brief: Brief<'t>,
    /// Its place in its list: the smallest is looked at first.
    pub order: i64,
    /// Whether it is not certain that it is there: [`Self::read`] says why.
    pub is_doubtful: bool,
}

impl Loaded<'_> {
    /// The whole rule, read again on the same host.
    pub fn read(&self, around: &dyn Around) -> Outcome<'_> {
        line::run(&self.text, around)
    }
}

/// A rule that is never loaded.
#[derive(Debug, Clone)]
pub struct Unreached<'t> {
    /// Where it stands.
    pub spot: Spot,
    /// What it would be about.
    pub brief: Brief<'t>,
}

/// As many refused lines are kept.
const MOST_PASSED: usize = 4096;

/// As often a key that is to be deleted is held against those that are there: more would be a file that nobody wrote.
const MOST_KEYS: usize = 1 << 22;

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
pub struct Loading<'t> {
    /// The rules that are in the kernel then, in the order of the files.
    pub rules: Vec<Loaded<'t>>,
    /// The settings.
    pub settings: Settings,
    /// The line at which it ends before the end, and why.
    pub ended: Option<(Spot, Bad)>,
    /// The first line of which it is not known whether loading ends there. Whatever is loaded behind it may be
    /// missing.
    pub doubt: Option<(Spot, Doubt)>,
    /// How many lines were carried out before that one.
    pub doubt_step: u32,
    /// Lines that are refused, and passed over because of `-i` or `-c`: the first ones.
    pub passed: Vec<(Spot, Bad)>,
    /// Whether a `-D` without a key is there, so that loading again does not end at the first rule.
    pub begins_anew: bool,
    /// Rules with a path in the lines that were not reached.
    pub unreached: Vec<Unreached<'t>>,
    /// How many lines were carried out, and how many times one thing was held against another: the steps of this work.
    pub steps: usize,
}

/// Loads lines.
///
/// After the end only watches are still read, so that a watch that is never reached can be named.
pub fn load<'t>(lines: impl IntoIterator<Item = Placed<'t>>, around: &dyn Around) -> Loading<'t> {
    let mut program = Program {
        loading: Loading::default(),
        lines: 0,
        alive: Vec::new(),
        known: ByIdentity::default(),
        identities: Identities::default(),
        keys: None,
        first: 0,
        ignores: false,
        locked: false,
    };
    let mut reader = Reader::new(around);
    for placed in lines {
        program.step(placed, &mut reader);
    }
    let mut loading = program.loading;
    let mut alive = program.alive.into_iter();
    if alive.as_slice().contains(&false) {
        loading.rules.retain(|_| alive.next().unwrap_or(false));
    }
    loading
}

struct Program<'t> {
    loading: Loading<'t>,
    /// How many lines were carried out.
    lines: u32,
    /// For each rule whether it is still there.
    alive: Vec<bool>,
    /// Rules by what makes them the same.
    known: ByIdentity<u32>,
    identities: Identities,
    /// Rules by their keys, from the first `-D -k` on.
    keys: Option<HashMap<String, Vec<u32>>>,
    first: i64,
    ignores: bool,
    locked: bool,
}

/// All keys of a rule are one text to the kernel.
fn keys(keys: &[Cow<'_, str>]) -> String {
    keys.join("\u{1}")
}

impl<'t> Program<'t> {
    fn step(&mut self, placed: Placed<'t>, reader: &mut Reader<'_, 't>) {
        let Placed { spot, text, doubt } = placed;
        if let Some(doubt) = doubt
            && self.loading.ended.is_none()
        {
            self.doubts(spot, *doubt);
        }
        let begins = text.trim_start_matches(' ');
        if begins.is_empty() || begins.starts_with('#') {
            return;
        }
        self.loading.steps += 1;
        self.lines += 1;
        match text {
            Cow::Borrowed(text) => {
                if self.loading.ended.is_some() {
                    self.unreached(spot, text, reader, |brief| brief);
                } else {
                    self.line(spot, text, reader, |text, brief| {
                        (Cow::Borrowed(text), brief)
                    });
                }
            }
            Cow::Owned(text) => {
                let mut reader = Reader::new(reader.around);
                if self.loading.ended.is_some() {
                    self.unreached(spot, &text, &mut reader, Brief::into_owned);
                } else {
                    let own = |text: &str, brief: Brief<'_>| {
                        (Cow::Owned(text.to_owned()), brief.into_owned())
                    };
                    self.line(spot, &text, &mut reader, own);
                }
            }
        }
    }

    fn unreached<'r>(
        &mut self,
        spot: Spot,
        text: &'r str,
        reader: &mut Reader<'_, 'r>,
        keep: impl FnOnce(Brief<'r>) -> Brief<'t>,
    ) {
        if text.contains('/')
            && let Ok(Some(Change::Append | Change::Prepend)) = reader.read(text)
        {
            let brief = Brief::of(&reader.entry);
            if brief.place.is_some() {
                let brief = keep(brief);
                self.loading.unreached.push(Unreached { spot, brief });
            }
        }
    }

    fn line<'r>(
        &mut self,
        spot: Spot,
        text: &'r str,
        reader: &mut Reader<'_, 'r>,
        keep: impl FnOnce(&'r str, Brief<'r>) -> (Cow<'t, str>, Brief<'t>),
    ) {
        let read = reader.read(text);
        for command in std::mem::take(&mut reader.commands) {
            if let Err(bad) = self.command(spot, command, reader.around) {
                return self.refused(spot, bad);
            }
        }
        let change = match read {
            Ok(change) => change,
            Err(bad) => return self.refused(spot, bad),
        };
        let is_doubtful = reader.doubt.is_some();
        if let Some(doubt) = reader.doubt.take()
            && !self.ignores
        {
            self.doubts(spot, doubt);
        }
        let Some(change) = change else { return };
        match self.change(change, reader) {
            Ok(None) => {}
            Ok(Some(order)) => {
                let (text, brief) = keep(text, Brief::of(&reader.entry));
                self.loading.rules.push(Loaded {
                    spot,
                    step: self.lines,
                    text,
                    brief,
                    order,
                    is_doubtful,
                });
            }
            Err(bad) => self.refused(spot, bad),
        }
    }

    fn doubts(&mut self, spot: Spot, doubt: Doubt) {
        if self.loading.doubt.is_none() {
            self.loading.doubt = Some((spot, doubt));
            self.loading.doubt_step = self.lines;
        }
    }

    fn refused(&mut self, spot: Spot, bad: Bad) {
        if !self.ignores {
            self.loading.ended = Some((spot, bad));
        } else if self.loading.passed.len() < MOST_PASSED {
            self.loading.passed.push((spot, bad));
        }
    }

    fn command(&mut self, spot: Spot, command: Command, around: &dyn Around) -> Result<(), Bad> {
        let settings = &mut self.loading.settings;
        match command {
            Command::Ignore | Command::Continue => self.ignores = true,
            Command::Other(_) => {}
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
                self.keys = None;
                self.loading.begins_anew = true;
            }
            Command::Delete(Some(key)) => self.delete(spot, &key, around),
        }
        Ok(())
    }

    /// `-D -k`: every rule that has this text in its keys.
    fn delete(&mut self, spot: Spot, key: &str, around: &dyn Around) {
        if self.loading.steps - self.lines as usize > MOST_KEYS {
            return;
        }
        let rules = &self.loading.rules;
        let by_keys = self.keys.get_or_insert_with(|| {
            let mut by_keys: HashMap<String, Vec<u32>> = HashMap::new();
            for (at, rule) in (0..).zip(rules) {
                if self.alive[at as usize]
                    && let Some((_, entry)) = rule.read(around).rule
                {
                    by_keys.entry(keys(&entry.keys)).or_default().push(at);
                }
            }
            by_keys
        });
        self.loading.steps += by_keys.len();
        if self.loading.steps - self.lines as usize > MOST_KEYS {
            self.doubts(spot, Doubt::Keys);
            // What is gone may be any of those before it.
            self.loading.doubt_step = 0;
            return;
        }
        for (_, gone) in by_keys.extract_if(|keys, _| keys.contains(key)) {
            for at in gone {
                let is_alive = &mut self.alive[at as usize];
                if *is_alive && let Some((_, entry)) = rules[at as usize].read(around).rule {
                    *is_alive = false;
                    let identity = self.identities.of(&entry);
                    if self.known.get(&identity) == Some(&at) {
                        self.known.remove(&identity);
                    }
                }
            }
        }
    }

    /// The place of a new rule in its list.
    fn change(&mut self, change: Change, reader: &Reader<'_, '_>) -> Result<Option<i64>, Bad> {
        if self.locked {
            return Err(Bad::Locked);
        }
        let identity = self.identities.of(&reader.entry);
        let at = u32::try_from(self.alive.len()).unwrap_or(u32::MAX);
        let order = match change {
            Change::Delete => {
                let earlier = self.known.remove(&identity).ok_or(Bad::NotThere)?;
                self.alive[earlier as usize] = false;
                return Ok(None);
            }
            Change::Append => match self.known.entry(identity) {
                Entry::Occupied(_) => return Err(Bad::Exists),
                Entry::Vacant(free) => {
                    free.insert(at);
                    i64::from(at)
                }
            },
            // The kernel compares the wish to be first, too, which no rule in a list has: it is never there already.
            Change::Prepend => {
                self.known.insert(identity, at);
                self.first -= 1;
                self.first
            }
        };
        if let Some(by_keys) = &mut self.keys {
            let keys = keys(&reader.entry.keys);
            by_keys.entry(keys).or_default().push(at);
        }
        self.alive.push(true);
        Ok(Some(order))
    }
}

#[cfg(test)]
#[path = "loading_tests.rs"]
mod tests;
