//! A rule as auditctl hands it to the kernel.

use super::tables::{self, Known, Machine};
use super::{Perms, Rule, Watch};
use std::borrow::Cow;
use std::fmt;

/// The lists of the kernel (auditctl(8), `-a`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    /// When a process is made: decides whether its system calls are looked at at all.
    Task,
    /// When a system call ends; watches are in it.
    Exit,
    /// Messages of programs.
    User,
    /// Records that are not written, whatever the other lists say.
    Exclude,
    /// Whole file systems.
    Filesystem,
    /// Operations of io_uring.
    IoUring,
}

impl List {
    /// Its name in auditctl(8).
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Exit => "exit",
            Self::User => "user",
            Self::Exclude => "exclude",
            Self::Filesystem => "filesystem",
            Self::IoUring => "io_uring",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<Self> {
        [
            Self::Task,
            Self::Exit,
            Self::User,
            Self::Exclude,
            Self::Filesystem,
            Self::IoUring,
        ]
        .into_iter()
        .find(|list| list.name() == name)
    }
}

/// How a field is compared (auditctl(8), `-F`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `&`
    Mask,
    /// `&=`
    Bits,
}

impl Operator {
    /// In the order in which auditctl looks for them.
    pub(super) const ALL: [(&'static str, Self); 8] = [
        ("!=", Self::NotEqual),
        (">=", Self::GreaterOrEqual),
        ("<=", Self::LessOrEqual),
        ("&=", Self::Bits),
        ("=", Self::Equal),
        (">", Self::Greater),
        ("<", Self::Less),
        ("&", Self::Mask),
    ];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, operator)| *operator == self)
            .map_or("", |(sign, _)| sign)
    }

    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value<'t> {
    /// A number, as most are.
    Number(u32),
    /// A path, a key, a label; also a name of which only the name is known.
    Text(Cow<'t, str>),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field<'t> {
    /// The name in auditctl(8), the first one of several; `compare` for `-C`.
    pub name: &'static str,
    /// How.
    pub operator: Operator,
    /// With what.
    pub value: Value<'t>,
    /// As it was written after `-F` or `-C`; empty where name, operator and value say it.
    pub text: Cow<'t, str>,
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.text.is_empty() {
            return f.write_str(&self.text);
        }
        write!(f, "{}{}", self.name, self.operator.sign())?;
        match &self.value {
            Value::Number(bits) if self.name == "perm" => write!(f, "{}", Perms::from_bits(*bits)),
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => f.write_str(text),
        }
    }
}

impl Field<'_> {
    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Number(_) => None,
        }
    }
}

/// Which system calls a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Calls<'t> {
    /// Every one: `-S all`, or no `-S`.
    pub all: bool,
    /// By number, sorted.
    pub numbers: Vec<u32>,
    /// By name as they were written, sorted.
    pub names: Vec<Cow<'t, str>>,
}

/// A rule, as the kernel gets it: parts of the line that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'t> {
    /// Into which list.
    pub list: List,
    /// `always`, else `never`.
    pub always: bool,
    /// The comparisons, in order; keys are in [`Self::keys`].
    pub fields: Vec<Field<'t>>,
    /// System calls.
    pub calls: Calls<'t>,
    /// The keys, in order.
    pub keys: Vec<Cow<'t, str>>,
    /// The machine that `arch=` names, where it is known.
    pub machine: Option<Machine>,
}

impl Default for Entry<'_> {
    /// One that says nothing.
    fn default() -> Self {
        Self {
            list: List::Exit,
            always: true,
            fields: Vec::new(),
            calls: Calls::default(),
            keys: Vec::new(),
            machine: None,
        }
    }
}

impl<'t> Entry<'t> {
    /// The field of this name, the first one.
    pub fn field(&self, name: &str) -> Option<&Field<'t>> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The path of `-w`, `path=` or `dir=`, without a slash at its end, and whether it is a folder's.
    pub fn place(&self) -> Option<(&str, bool)> {
        let field = self
            .fields
            .iter()
            .find(|field| matches!(field.name, "path" | "dir"))?;
        let path = field.as_text()?;
        let trimmed = path.trim_end_matches('/');
        Some((
            if trimmed.is_empty() { "/" } else { trimmed },
            field.name == "dir",
        ))
    }

    /// Makes a watch by `path=` one of a folder.
    pub fn watches_folder(&mut self) {
        for field in self.fields.iter_mut().filter(|field| field.name == "path") {
            field.name = "dir";
            field.text = Cow::default();
        }
    }

    /// The kinds of access it is about: all without `perm=`.
    pub fn perms(&self) -> Perms {
        match self.field("perm").map(|field| &field.value) {
            Some(Value::Number(bits)) => Perms::from_bits(*bits),
            _ => Perms::ALL,
        }
    }

    /// Whether every system call that touches a file in one of these ways is looked at.
    pub fn is_about_all_calls_of(&self, perms: Perms) -> bool {
        if self.calls.all {
            return true;
        }
        // Without `perm=` the calls alone decide, and there are more than the lists name.
        let Some(_) = self.field("perm") else {
            return false;
        };
        let has = |name: &str| {
            let names = &self.calls.names;
            names.binary_search_by(|known| (**known).cmp(name)).is_ok()
                || matches!(tables::call(self.machine, name, None), Known::No)
        };
        perms
            .each()
            .all(|(letter, _)| tables::calls_of(letter).split(',').all(has))
    }

    /// The watch that it is, if it is one.
    pub fn watch(&self) -> Option<Watch> {
        self.rule().watch().cloned()
    }

    /// In the words of this module's readers of files.
    pub fn rule(&self) -> Rule {
        let plain = self.list == List::Exit
            && self.always
            && self.fields.iter().all(|field| {
                matches!(field.name, "path" | "dir" | "perm" | "arch")
                    && field.operator == Operator::Equal
            });
        let count = |name: &str| {
            self.fields
                .iter()
                .filter(|field| field.name == name)
                .count()
        };
        let perms = self.perms();
        if plain
            && count("path") + count("dir") == 1
            && count("arch") <= 1
            && !perms.is_empty()
            && self.is_about_all_calls_of(perms)
            && let Some((path, _)) = self.place()
        {
            let watch = Watch {
                path: path.to_owned(),
                perms,
                keys: self.keys.iter().map(ToString::to_string).collect(),
            };
            return match self.field("arch") {
                None => Rule::Watch(watch),
                Some(arch) => Rule::ArchWatch {
                    arch: arch.text.trim_start_matches("arch=").to_owned(),
                    watch,
                },
            };
        }
        Rule::Other(self.to_string())
    }
}

impl fmt::Display for Entry<'_> {
    /// In a normal form that can be read back: the list, the machine, system calls, other fields, keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = if self.always { "always" } else { "never" };
        write!(f, "-a {action},{}", self.list.name())?;
        let is_arch = |field: &&Field<'_>| field.name == "arch";
        for field in self.fields.iter().filter(is_arch) {
            write!(f, " -F {field}")?;
        }
        if !self.calls.all && self.list != List::Task {
            let names: Vec<&str> = self.calls.names.iter().map(AsRef::as_ref).collect();
            let names = if names.is_empty() {
                ",".to_owned()
            } else {
                names.join(",")
            };
            write!(f, " -S {names}")?;
        }
        for field in self.fields.iter().filter(|field| !is_arch(field)) {
            let option = if field.name == "compare" { 'C' } else { 'F' };
            write!(f, " -{option} {field}")?;
        }
        self.keys
            .iter()
            .try_for_each(|key| write!(f, " -F key={key}"))
    }
}
