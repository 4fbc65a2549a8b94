//! One line of a rule file, carried out as auditctl carries it out: option by option, each with its effect, until
//! one is refused. See `setopt` in auditctl.c of audit 3.0.9 to 4.2.1.

use super::around::{Around, Place};
use super::bad::{Bad, Doubt};
use super::entry::{Calls, Entry, Field, List, Operator, Value};
use super::options::{Given, Options, Word, words};
use super::tables::{Known, Machine, Release};
use super::{MAX_KEY_LENGTH, Perms, call, field};

/// Longest path, and longest name in it (linux/limits.h).
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;
/// linux/audit.h `AUDIT_MAX_FIELDS` is 64; auditctl keeps one free.
pub(super) const MOST_FIELDS: usize = 63;

/// What a line makes auditctl do besides rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `-e`: 0 off, 1 on, 2 locked.
    Enable(u8),
    /// `-f`: what happens when a record is lost.
    Failure(u8),
    /// `-r`: records in a second, 0 without a limit.
    Rate(u32),
    /// `-b`: records that may wait, 0 without a limit.
    Backlog(u32),
    /// `-i`: what is refused from here on is passed over.
    Ignore,
    /// `-c`: the same, and the exit status says so.
    Continue,
    /// `-D`, with the key that it is limited to.
    Delete(Option<String>),
    /// Others, which change nothing about rules: as they were written.
    Other(String),
}

/// What is done with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `-a`, `-w`: at the end of its list.
    Append,
    /// `-A`: at the beginning.
    Prepend,
    /// `-d`, `-W`: out of it.
    Delete,
}

/// What a line comes to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Carried out, in order, before the line ended or was refused.
    pub commands: Vec<Command>,
    /// The rule, where the line has one and auditctl takes it.
    pub rule: Option<(Change, Entry)>,
    /// Why the line is refused.
    pub bad: Option<Bad>,
    /// What is not known, so that it may be refused.
    pub doubt: Option<Doubt>,
}

/// Carries out a line that is neither blank nor a comment.
pub fn run(line: &str, around: &dyn Around) -> Outcome {
    let mut outcome = run_words(&words(line), around);
    if let Some(bad) = &mut outcome.bad {
        if line.contains('\r') {
            *bad = Bad::CarriageReturn;
        } else if line.contains('\t') {
            *bad = Bad::Tab;
        }
    }
    outcome
}

/// Carries out the words of a line.
pub(super) fn run_words(words: &[Word<'_>], around: &dyn Around) -> Outcome {
    let mut reader = Reader::new(around);
    let ended = reader.options(words);
    let mut outcome = Outcome {
        commands: std::mem::take(&mut reader.commands),
        ..Outcome::default()
    };
    match ended.and_then(|end| match end {
        End::Done => Ok(None),
        End::Request => reader.request(),
    }) {
        Ok(rule) => outcome.rule = rule,
        Err(bad) => outcome.bad = Some(bad),
    }
    outcome.doubt = reader.doubt;
    outcome
}

enum End {
    /// All was said and done.
    Done,
    /// There may be a rule.
    Request,
}

/// What auditctl keeps while it reads the options of one line.
#[allow(clippy::struct_excessive_bools)] // its own switches, each for itself
pub(super) struct Reader<'a> {
    pub(super) around: &'a dyn Around,
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
    pub(super) calls: Calls,
    pub(super) fields: Vec<Field>,
    keys: Vec<Box<str>>,
    commands: Vec<Command>,
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

impl<'a> Reader<'a> {
    fn new(around: &'a dyn Around) -> Self {
        Self {
            around,
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
            calls: Calls::default(),
            fields: Vec::new(),
            keys: Vec::new(),
            commands: Vec::new(),
            doubt: None,
        }
    }

    pub(super) fn doubts(&mut self, doubt: impl FnOnce() -> Doubt) {
        if self.doubt.is_none() {
            self.doubt = Some(doubt());
        }
    }

    /// Whether a release has what came between the oldest and the newer one that are known; `what` names it where
    /// that cannot be said.
    pub(super) fn since(&mut self, new: Release, what: &str) -> Option<bool> {
        match self.around.release() {
            Some(release) if release >= new => Some(true),
            Some(release) if release <= Release::OLDEST => Some(false),
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

    fn options(&mut self, words: &[Word<'_>]) -> Result<End, Bad> {
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
                'w' | 'W' => self.watch(letter, &value)?,
                'S' => self.call(&value)?,
                'F' => {
                    if self.list().is_none()
                        && !(value.contains("arch=") && options.following() == Some("-t"))
                    {
                        return Err(Bad::NoList("-F".to_owned()));
                    }
                    match value.strip_prefix("key=") {
                        Some(key) => self.key(key)?,
                        None => field::add(self, &value)?,
                    }
                }
                'C' => field::compare(self, &value)?,
                'p' => self.perms(&value)?,
                'k' => {
                    if self.list().is_none() || !self.takes_key() {
                        return Err(Bad::KeyTooEarly);
                    }
                    self.key(&value)?;
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

    fn other(&mut self, text: String) {
        self.commands.push(Command::Other(text));
    }

    /// `-D`, `-D -k KEY`: told apart by the number of words.
    fn delete_all(&mut self, words: &[Word<'_>]) -> Result<End, Bad> {
        match words {
            [_] => self.commands.push(Command::Delete(None)),
            [_, option, key] if option == "-k" => {
                self.commands.push(Command::Delete(Some(key.to_string())));
            }
            _ => return Err(Bad::DeletesOnly),
        }
        Ok(End::Done)
    }

    fn equivalent(&mut self, value: &str) -> Result<End, Bad> {
        let good = value
            .split_once(',')
            .is_some_and(|(_, folder)| !folder.is_empty() && !folder.contains(','));
        if !good || self.calls_added {
            return Err(Bad::Equivalent(value.to_owned()));
        }
        if let Some((mount, folder)) = value.split_once(',') {
            for path in [mount, folder] {
                match self.around.place(path) {
                    Place::Missing => return Err(Bad::NoFolder(path.to_owned())),
                    Place::Unseen => self.doubts(|| Doubt::Path(path.to_owned())),
                    Place::Folder | Place::Other => {}
                }
            }
        }
        self.other(format!("-q {value}"));
        Ok(End::Done)
    }

    fn switch(&mut self, letter: char, value: &str) -> Result<(), Bad> {
        let number = match value {
            "0" => 0,
            "1" => 1,
            "2" => 2,
            _ => return Err(Bad::NotASwitch(letter)),
        };
        self.commands.push(if letter == 'e' {
            Command::Enable(number)
        } else {
            Command::Failure(number)
        });
        Ok(())
    }

    fn watch(&mut self, letter: char, value: &str) -> Result<(), Bad> {
        if letter == 'w' {
            if self.list().is_some() {
                return Err(Bad::WatchAfterRule);
            }
            self.add = Some((List::Exit, false));
        } else {
            self.delete = Some(List::Exit);
        }
        self.always = Some(true);
        self.calls_added = true;
        if value.len() >= PATH_MAX
            || value
                .rsplit('/')
                .find(|part| !part.is_empty())
                .unwrap_or_default()
                .len()
                > NAME_MAX
        {
            return Err(Bad::PathTooLong);
        }
        if !value.starts_with('/') {
            return Err(Bad::Relative(value.to_owned()));
        }
        if !self.fields.is_empty() {
            return Err(Bad::TwoPlaces);
        }
        let path = if value.len() > 2 {
            let trimmed = value.trim_end_matches('/');
            if trimmed.is_empty() { "/" } else { trimmed }
        } else {
            value
        };
        let name = match self.around.place(path) {
            _ if path == "/" => "dir",
            Place::Folder => "dir",
            // What cannot be seen may be either, which counts only where the same rule is there twice.
            Place::Other | Place::Missing | Place::Unseen => "path",
        };
        self.calls.all = true;
        self.fields.reserve_exact(2);
        self.fields.push(Field {
            name,
            operator: Operator::Equal,
            value: Value::Text(path.into()),
            text: Box::default(),
        });
        self.fields.push(field::perm(Perms::ALL));
        self.perms_added = true;
        Ok(())
    }

    fn call(&mut self, value: &str) -> Result<(), Bad> {
        let of = |list: Option<List>| match list {
            Some(list @ (List::Task | List::User | List::Filesystem)) => Some(list.name()),
            _ => None,
        };
        if let Some(list) = of(self.add.map(|(list, _)| list)).or(of(self.delete)) {
            return Err(Bad::CallsOfOtherList(list));
        }
        if self.list() == Some(List::IoUring) {
            return call::operations(self, value);
        }
        if self.exclude {
            return Err(Bad::CallsOfOtherList("exclude"));
        }
        if self.machine.is_none() {
            self.machine = Some(self.around.machine().map_or(Arch::Unseen, Arch::Named));
        }
        call::calls(self, value)?;
        self.calls_added = true;
        Ok(())
    }

    fn perms(&mut self, value: &str) -> Result<(), Bad> {
        if self.list().is_none() {
            return Err(Bad::PermsTooEarly);
        }
        let perms: Perms = value.parse().map_err(|_| Bad::Perms(value.to_owned()))?;
        if self.fields.is_empty() {
            return Err(Bad::PermsTooEarly);
        }
        let mut earlier = self
            .fields
            .iter_mut()
            .filter(|field| field.name == "perm")
            .peekable();
        if earlier.peek().is_some() {
            earlier.for_each(|earlier| *earlier = field::perm(perms));
        } else if self.fields.len() >= MOST_FIELDS {
            return Err(Bad::TooManyFields);
        } else {
            self.fields.push(field::perm(perms));
        }
        self.perms_added = true;
        Ok(())
    }

    fn takes_key(&self) -> bool {
        self.calls_added || self.perms_added || self.exe_added || self.file_system_added
    }

    fn key(&mut self, key: &str) -> Result<(), Bad> {
        let before: usize = self.keys.iter().map(|key| key.len() + 1).sum();
        if before + key.len() > MAX_KEY_LENGTH {
            return Err(Bad::KeyTooLong);
        }
        // An empty key is no key: the kernel does not get it, and a listing does not show it.
        if !key.is_empty() {
            self.keys.push(key.into());
        }
        Ok(())
    }

    /// All keys become one field at the end of the line, which is looked at only then.
    fn end_keys(&mut self) -> Result<(), Bad> {
        if self.keys.is_empty() {
            return Ok(());
        }
        if self.fields.len() >= MOST_FIELDS {
            return Err(Bad::TooManyFields);
        }
        if self.list() == Some(List::Exclude)
            && self.since(Release(4, 0, 2), "a key in the list exclude") == Some(false)
        {
            return Err(Bad::KeyUnsupported);
        }
        if !self.takes_key() {
            return Err(Bad::KeyTooEarly);
        }
        Ok(())
    }

    /// The rule of the line, if it has one, after the kernel has looked at it.
    fn request(&mut self) -> Result<Option<(Change, Entry)>, Bad> {
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
        if list != List::Task && !self.calls_added {
            self.calls.all = true;
        }
        self.calls.numbers.sort_unstable();
        self.calls.numbers.dedup();
        self.calls.names.sort_unstable();
        self.calls.names.dedup();
        let entry = Entry {
            list,
            always,
            fields: std::mem::take(&mut self.fields),
            calls: std::mem::take(&mut self.calls),
            keys: std::mem::take(&mut self.keys),
            machine: self.machine.and_then(Arch::machine),
        };
        if let Some(doubt) = super::kernel::check(&entry, change, self.around)? {
            self.doubts(|| doubt);
        }
        Ok(Some((change, entry)))
    }
}

/// As strtoul(3) with base 0 reads it where the first character is a digit; what follows the number is not looked at.
pub(super) fn number(text: &str) -> Option<u32> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x' | b'X', next, ..] if next.is_ascii_hexdigit() => (&text[2..], 16),
        [b'0', ..] => (text, 8),
        _ => (text, 10),
    };
    let end = digits
        .find(|c: char| !c.is_digit(base))
        .unwrap_or(digits.len());
    // More than 64 bits are the greatest number, of which 32 bits are kept.
    let value = u64::from_str_radix(&digits[..end], base).unwrap_or(u64::MAX);
    #[allow(clippy::cast_possible_truncation)] // as the assignment to a 32-bit field does
    Some(value as u32)
}

/// Whether a name is known, or why it is not said.
pub(super) fn known(
    reader: &mut Reader<'_>,
    found: Known<u32>,
    bad: impl FnOnce() -> Bad,
    doubt: impl FnOnce() -> Doubt,
) -> Result<Option<u32>, Bad> {
    match found {
        Known::Yes(number) => Ok(Some(number)),
        Known::No => Err(bad()),
        Known::Perhaps => {
            reader.doubts(doubt);
            Ok(None)
        }
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
