//! One line of a rule file, carried out as auditctl carries it out: option by option, each with its effect, until
//! one is refused. See `setopt` in auditctl.c of audit 3.0.9 to 4.2.1.

use super::around::Around;
use super::bad::{Bad, Doubt};
use super::command::{Change, Command};
use super::entry::{Entry, List};
use super::field;
use super::numbers::number;
use super::options::{Given, Options, Word, part, split};
use super::tables::{Machine, Release};
use memchr::memchr;

/// linux/audit.h `AUDIT_MAX_FIELDS` is 64; auditctl keeps one free.
pub(super) const MOST_FIELDS: usize = 63;

/// What a line comes to.
#[derive(Debug)]
pub struct Outcome<'t> {
    /// Carried out, in order, before the line ended or was refused.
    pub commands: Vec<Command>,
    /// The rule, where the line has one and auditctl takes it.
    pub rule: Option<(Change, Entry<'t>)>,
    /// Why the line is refused.
    pub bad: Option<Bad>,
    /// What is not known, so that it may be refused.
    pub doubt: Option<Doubt>,
}

/// Carries out a line that is neither blank nor a comment.
pub fn run<'t>(line: &'t str, around: &dyn Around) -> Outcome<'t> {
    let mut reader = Reader::new(around);
    let read = reader.read(line);
    reader.outcome(read)
}

/// Carries out the words of a line.
pub(super) fn run_words<'t>(words: Vec<Word<'t>>, around: &dyn Around) -> Outcome<'t> {
    let mut reader = Reader::new(around);
    let read = reader.read_words(words);
    reader.outcome(read)
}

pub(super) enum End {
    /// All was said and done.
    Done,
    /// There may be a rule.
    Request,
}

/// What auditctl keeps while it reads the options of one line. Its room is used again for the next one.
#[allow(clippy::struct_excessive_bools)] // its own switches, each for itself
pub(super) struct Reader<'a, 't> {
    pub(super) around: &'a dyn Around,
    words: Vec<Word<'t>>,
    /// The list of `-a`, `-A`, `-w`, and whether `-A` was it.
    pub(super) add: Option<(List, bool)>,
    /// The list of `-d`, `-W`.
    pub(super) delete: Option<List>,
    pub(super) always: Option<bool>,
    /// `-a`, `-A` and `-d` so far.
    pub(super) lists: usize,
    /// The list exclude was named.
    pub(super) exclude: bool,
    pub(super) calls_added: bool,
    pub(super) perms_added: bool,
    pub(super) exe_added: bool,
    pub(super) file_system_added: bool,
    /// What `arch=` has said, or `-S` has assumed.
    pub(super) machine: Option<Arch>,
    /// The rule, as far as it was said.
    pub(super) entry: Entry<'t>,
    /// What the line did besides.
    pub(super) commands: Vec<Command>,
    pub(super) doubt: Option<Doubt>,
}

/// The machine of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arch {
    Named(Machine),
    /// That of the host, which is not known.
    Unseen,
}

impl Arch {
    pub(super) fn machine(self) -> Option<Machine> {
        match self {
            Self::Named(machine) => Some(machine),
            Self::Unseen => None,
        }
    }
}

impl<'a, 't> Reader<'a, 't> {
    pub(super) fn new(around: &'a dyn Around) -> Self {
        Self {
            around,
            words: Vec::new(),
            add: None,
            delete: None,
            always: None,
            lists: 0,
            exclude: false,
            calls_added: false,
            perms_added: false,
            exe_added: false,
            file_system_added: false,
            machine: None,
            entry: Entry::default(),
            commands: Vec::new(),
            doubt: None,
        }
    }

    /// Carries out a line. What it did besides a rule is in [`Self::commands`] then, the rule in [`Self::entry`].
    pub(super) fn read(&mut self, line: &'t str) -> Result<Option<Change>, Bad> {
        let mut words = std::mem::take(&mut self.words);
        split(line, &mut words);
        self.reset();
        self.drop_words(line, &mut words);
        self.finish(words).map_err(|bad| {
            if memchr(b'\r', line.as_bytes()).is_some() {
                Bad::CarriageReturn
            } else if memchr(b'\t', line.as_bytes()).is_some() {
                Bad::Tab
            } else {
                bad
            }
        })
    }

    fn read_words(&mut self, words: Vec<Word<'t>>) -> Result<Option<Change>, Bad> {
        self.reset();
        self.finish(words)
    }

    fn finish(&mut self, words: Vec<Word<'t>>) -> Result<Option<Change>, Bad> {
        let end = self.options(&words);
        self.words = words;
        match end? {
            End::Done => Ok(None),
            End::Request => self.request(),
        }
    }

    fn outcome(mut self, read: Result<Option<Change>, Bad>) -> Outcome<'t> {
        let (rule, bad) = match read {
            Ok(change) => (change.map(|change| (change, self.entry)), None),
            Err(bad) => (None, Some(bad)),
        };
        Outcome {
            commands: std::mem::take(&mut self.commands),
            rule,
            bad,
            doubt: self.doubt,
        }
    }

    fn reset(&mut self) {
        self.add = None;
        self.delete = None;
        self.always = None;
        self.lists = 0;
        self.exclude = false;
        self.calls_added = false;
        self.perms_added = false;
        self.exe_added = false;
        self.file_system_added = false;
        self.machine = None;
        self.commands.clear();
        self.doubt = None;
        let entry = &mut self.entry;
        entry.fields.clear();
        entry.keys.clear();
        entry.calls.all = false;
        entry.calls.numbers.clear();
        entry.calls.names.clear();
    }

    /// Before 4.2 auditctl has room for a third as many words as the line has bytes, and one: others are dropped
    /// (`nf` in `fileopt`).
    fn drop_words(&mut self, line: &str, words: &mut Vec<Word<'t>>) {
        let room = line.len() / 3 + 1;
        if words.len() > room {
            let what = "a line with so many short words";
            if self.since(Release(4, 2, 0), Release(4, 1, 2), what) == Some(false) {
                words.truncate(room);
            }
        }
    }

    pub(super) fn doubts(&mut self, doubt: impl FnOnce() -> Doubt) {
        if self.doubt.is_none() {
            self.doubt = Some(doubt());
        }
    }

    /// Whether a release has what came with `new`, and not yet with `old`; `what` names it where that cannot be said.
    pub(super) fn since(&mut self, new: Release, old: Release, what: &str) -> Option<bool> {
        match self.around.release() {
            Some(release) if release >= new => Some(true),
            Some(release) if release <= old => Some(false),
            _ => {
                self.doubts(|| Doubt::Release(what.to_owned()));
                None
            }
        }
    }

    /// The list that fields go with.
    pub(super) fn list(&self) -> Option<List> {
        self.add.map(|(list, _)| list).or(self.delete)
    }

    fn options(&mut self, words: &[Word<'t>]) -> Result<End, Bad> {
        let mut options = Options::new(words);
        while let Some(given) = options.next() {
            let (letter, value) = match given? {
                Given::Short(letter, value) => (letter, value),
                Given::Long("backlog_wait_time", value) => {
                    let value = value.unwrap_or_default();
                    number(&value)
                        .ok_or_else(|| Bad::NotANumber("--backlog_wait_time".to_owned()))?;
                    self.other(format!("--backlog_wait_time {value}"));
                    continue;
                }
                Given::Long(name, value) => {
                    let value = value.map(|value| format!(" {value}")).unwrap_or_default();
                    self.other(format!("--{name}{value}"));
                    return Ok(End::Done);
                }
            };
            let value = value.unwrap_or_default();
            match letter {
                'i' | 'c' | 'v' | 'l' | 's' => {
                    match letter {
                        'i' => self.commands.push(Command::Ignore),
                        'c' => self.commands.push(Command::Continue),
                        _ => self.other(format!("-{letter}")),
                    }
                    // These end the line; whatever stands beside them is one word too many.
                    return match options.rest() {
                        Some(word) if letter != 'l' && letter != 's' => Err(Bad::Stray {
                            word: word.to_owned(),
                        }),
                        _ => Ok(End::Done),
                    };
                }
                'D' => {
                    let end = self.delete_all(words)?;
                    return if options.is_within_word() {
                        Err(Bad::DeletesOnly)
                    } else {
                        Ok(end)
                    };
                }
                'h' => return Err(Bad::NotARule("-h".to_owned())),
                'R' => return Err(Bad::Nested),
                'm' if words.len() > 2 => return Err(Bad::NotARule("-m".to_owned())),
                'm' => {
                    self.other(format!("-m {value}"));
                    return Ok(End::Done);
                }
                't' => {
                    self.other("-t".to_owned());
                    return Ok(End::Done);
                }
                'q' => return self.equivalent(&value),
                'e' | 'f' => self.switch(letter, &value)?,
                'r' | 'b' => {
                    let number =
                        number(&value).ok_or_else(|| Bad::NotANumber(format!("-{letter}")))?;
                    self.commands.push(if letter == 'r' {
                        Command::Rate(number)
                    } else {
                        Command::Backlog(number)
                    });
                }
                'a' | 'A' | 'd' => {
                    if !self.list_and_action(letter, &value)? {
                        // "possible" is taken and does nothing.
                        return Ok(End::Done);
                    }
                }
                'w' | 'W' => self.watch(letter, value)?,
                'S' => self.call(&value)?,
                'F' => {
                    if self.list().is_none()
                        && !(value.contains("arch=") && options.following() == Some("-t"))
                    {
                        return Err(Bad::NoList("-F".to_owned()));
                    }
                    if value.starts_with("key=") {
                        self.key(part(&value, 4..))?;
                    } else {
                        field::add(self, value)?;
                    }
                }
                'C' => field::compare(self, value)?,
                'p' => self.perms(&value)?,
                'k' => {
                    if self.list().is_none() || !self.takes_key() {
                        return Err(Bad::KeyTooEarly);
                    }
                    self.key(value)?;
                }
                _ => return Err(Bad::UnknownOption(format!("-{letter}"))),
            }
        }
        if let Some(word) = options.stray {
            return Err(Bad::Stray {
                word: word.to_owned(),
            });
        }
        if !options.any {
            return Err(Bad::NotARule("a line without an option".to_owned()));
        }
        self.end_keys()?;
        Ok(End::Request)
    }

    pub(super) fn other(&mut self, text: String) {
        self.commands.push(Command::Other(text));
    }

    /// What to do with the rule of the line, if it has one, after the kernel has looked at it.
    fn request(&mut self) -> Result<Option<Change>, Bad> {
        let Some(always) = self.always else {
            if self.calls_added {
                return Err(Bad::CallsWithoutList);
            }
            return Ok(None);
        };
        let (change, list) = match (self.add, self.delete) {
            (Some((list, true)), _) => (Change::Prepend, list),
            (Some((list, false)), _) => (Change::Append, list),
            (None, Some(list)) => (Change::Delete, list),
            (None, None) => return Ok(None),
        };
        let entry = &mut self.entry;
        if list != List::Task && !self.calls_added {
            entry.calls.all = true;
        }
        entry.calls.numbers.sort_unstable();
        entry.calls.numbers.dedup();
        entry.calls.names.sort_unstable();
        entry.calls.names.dedup();
        entry.list = list;
        entry.always = always;
        entry.machine = self.machine.and_then(Arch::machine);
        if let Some(doubt) = super::kernel::check(entry, change, self.around)? {
            self.doubts(|| doubt);
        }
        Ok(Some(change))
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
