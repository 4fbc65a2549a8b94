//! What rules record of a path: the first rule of a list that matches decides (audit.rules(7)), in the kernel by the
//! priority that each rule gets when it is added (`audit_add_rule`), whatever else it is sorted by.

use super::Perms;
use super::entry::{Entry, Field, List, Operator, Value};
use super::tables;
use std::collections::HashMap;

/// Rules, arranged so that a path need not be held against each of them.
#[derive(Debug)]
pub struct Index<'a> {
    rules: Vec<(&'a Entry, i64)>,
    /// The last watch of each path, and for each rule the watch of its path before it.
    watches: HashMap<&'a str, usize>,
    earlier: Vec<Option<usize>>,
    /// `never,exit`.
    never: Vec<usize>,
    task: Vec<usize>,
    /// The lists exclude and filesystem.
    exclude: Vec<usize>,
}

/// What takes away the records of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken<'a> {
    /// `never` before it, for everything that it is about.
    All,
    /// `never` before it, for some of it: some users, programs, system calls.
    Some,
    /// `never` before it, for what is below this path.
    Below(&'a str),
    /// `never,task`: new processes are not looked at at all.
    Processes,
    /// The list exclude or filesystem leaves out records that it needs.
    Records,
}

/// What is recorded of a path. Rules are named by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage<'a> {
    /// No watch is about it.
    Missing,
    /// This watch records it.
    By(usize),
    /// This watch would, and a rule takes its records away.
    Taken {
        /// The watch.
        watch: usize,
        /// The rule.
        by: usize,
        /// How much of it.
        how: Taken<'a>,
    },
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The path, links resolved.
    pub path: &'a str,
    /// Its other names, by folders that are links to those that it is in.
    pub names: &'a [String],
    /// Whether it is a folder, of which everything below is meant.
    pub folder: bool,
    /// The kinds of access.
    pub perms: Perms,
    /// Whether programs of a second, 32-bit architecture run on the host, so that a watch for one architecture needs its
    /// twin.
    pub twins: bool,
}

impl<'a> Index<'a> {
    /// Arranges rules; each with its place in its list.
    pub fn new(rules: impl IntoIterator<Item = (&'a Entry, i64)>) -> Self {
        let mut index = Self {
            rules: Vec::new(),
            watches: HashMap::new(),
            earlier: Vec::new(),
            never: Vec::new(),
            task: Vec::new(),
            exclude: Vec::new(),
        };
        for (at, (entry, order)) in rules.into_iter().enumerate() {
            index.rules.push((entry, order));
            index.earlier.push(None);
            match (entry.list, entry.always) {
                (List::Exit, true) => {
                    if let Some((path, _)) = entry.place() {
                        index.earlier[at] = index.watches.insert(path, at);
                    }
                }
                (List::Exit, false) => index.never.push(at),
                (List::Task, _) => index.task.push(at),
                (List::Exclude | List::Filesystem, _) => index.exclude.push(at),
                (List::User | List::IoUring, _) => {}
            }
        }
        let rules = &index.rules;
        index.task.sort_by_key(|at| rules[*at].1);
        index
    }

    /// What is recorded of a path. `counts` says of a watch of a folder above it whether that counts.
    pub fn coverage(&self, asked: &Asked<'_>, counts: impl Fn(usize) -> bool) -> Coverage<'a> {
        let Some((watch, order)) = self.watch(asked, counts) else {
            return Coverage::Missing;
        };
        match self.taken(asked, order) {
            Some((by, how)) => Coverage::Taken { watch, by, how },
            None => Coverage::By(watch),
        }
    }

    /// What would take away the records of a watch at this place in its list; `i64::MAX` is the end.
    pub fn taken(&self, asked: &Asked<'_>, order: i64) -> Option<(usize, Taken<'a>)> {
        for at in &self.task {
            let entry = self.rules[*at].0;
            match (entry.always, entry.fields.is_empty()) {
                (true, true) => break,
                (true, false) => {}
                (false, _) => return Some((*at, Taken::Processes)),
            }
        }
        if let Some(at) = self.exclude.iter().find(|at| excludes(self.rules[**at].0)) {
            return Some((*at, Taken::Records));
        }
        let before = self.never.iter().filter(|at| self.rules[**at].1 < order);
        let mut below = None;
        for at in before {
            match takes(self.rules[*at].0, asked) {
                None => {}
                Some(how @ Taken::Below(_)) => below = below.or(Some((*at, how))),
                Some(how) => return Some((*at, how)),
            }
        }
        below
    }

    /// The first watch that records it, and its place in the list.
    fn watch(&self, asked: &Asked<'_>, counts: impl Fn(usize) -> bool) -> Option<(usize, i64)> {
        let mut found: Vec<(i64, usize, Option<&Field>)> = Vec::new();
        let names = std::iter::once(asked.path).chain(asked.names.iter().map(String::as_str));
        for (path, is_above) in names.flat_map(up) {
            let mut next = self.watches.get(path).copied();
            while let Some(at) = next {
                next = self.earlier[at];
                let (entry, order) = self.rules[at];
                let is_folder = entry.place().is_some_and(|(_, folder)| folder);
                // `path=` of a folder is about the folder itself, not about what is in it.
                let fits = if is_above {
                    is_folder && counts(at)
                } else {
                    is_folder || !asked.folder
                };
                if fits && records(entry, asked.perms) {
                    found.push((order, at, entry.field("arch")));
                }
            }
        }
        found.sort_unstable_by_key(|(order, ..)| *order);
        let plain = found
            .iter()
            .find(|(.., arch)| arch.is_none())
            .map(|(order, at, _)| (*at, *order));
        // Where there is a twin, the later one of the two completes the watch.
        let mut narrow = None;
        let mut wide = None;
        for (order, at, arch) in &found {
            match arch.map(|field| (is_wide(field), field.operator)) {
                Some((true, Operator::Equal)) => wide = wide.or(Some((*at, *order))),
                Some((false, Operator::Equal)) => narrow = narrow.or(Some((*at, *order))),
                _ => {}
            }
        }
        let pair = match (wide, narrow, asked.twins) {
            (Some(one), Some(other), _) => Some(if one.1 > other.1 { one } else { other }),
            (Some(one), None, false) => Some(one),
            _ => None,
        };
        [plain, pair]
            .into_iter()
            .flatten()
            .min_by_key(|(_, order)| *order)
    }
}

/// A path and the folders that it is in.
fn up(path: &str) -> impl Iterator<Item = (&str, bool)> {
    std::iter::successors(Some(path), |&path| {
        (path != "/").then(|| super::kernel::parent(path))
    })
    .enumerate()
    .map(|(at, path)| (path, at > 0))
}

fn is_wide(field: &Field) -> bool {
    match &field.value {
        Value::Number(number) => number & 0x8000_0000 != 0,
        Value::Text(text) => **text == *"b64",
    }
}

/// Whether a watch records all of these kinds of access, whoever and whatever makes it.
fn records(entry: &Entry, perms: Perms) -> bool {
    entry
        .fields
        .iter()
        .all(|field| matches!(field.name, "path" | "dir" | "perm" | "arch"))
        && entry.perms().contains(perms)
        && entry.is_about_all_calls_of(perms)
}

/// What a `never` takes away of what is asked for.
fn takes<'a>(entry: &'a Entry, asked: &Asked<'_>) -> Option<Taken<'a>> {
    if !entry.perms().meets(asked.perms) || !is_about_calls_of(entry, asked.perms) {
        return None;
    }
    let place = entry.place();
    let below = match place {
        None => None,
        Some((path, folder)) => {
            let names =
                || std::iter::once(asked.path).chain(asked.names.iter().map(String::as_str));
            let is_it = names().any(|name| path == name);
            if is_it && (folder || !asked.folder) {
                None
            } else if is_it || names().any(|name| is_below(path, name)) {
                Some(path)
            } else if folder && names().any(|name| is_below(name, path)) {
                None
            } else {
                return None;
            }
        }
    };
    if let Some(path) = below {
        return Some(Taken::Below(path));
    }
    let is_condition = |field: &Field| !matches!(field.name, "path" | "dir" | "perm" | "key");
    let whole = entry.calls.all
        && !entry.fields.iter().any(is_condition)
        && entry.perms().contains(asked.perms);
    Some(if whole { Taken::All } else { Taken::Some })
}

fn is_below(path: &str, folder: &str) -> bool {
    folder == "/"
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a rule is about some system call that touches files in these ways. A call by number may be any.
fn is_about_calls_of(entry: &Entry, perms: Perms) -> bool {
    let is_number = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
    entry.calls.all
        || entry.calls.names.iter().any(|name| {
            is_number(name)
                || "rwxa".chars().any(|letter| {
                    letter
                        .to_string()
                        .parse()
                        .is_ok_and(|one| perms.contains(one))
                        && tables::calls_of(letter)
                            .split(',')
                            .any(|call| *call == **name)
                })
        })
}

/// The records that a watch needs: of the system call, which has the key, and of the path (linux/audit.h).
const NEEDED: [u32; 2] = [1300, 1302];

/// Whether a rule of the lists exclude or filesystem leaves out records that watches need. The action makes no
/// difference there.
fn excludes(entry: &Entry) -> bool {
    if entry.list == List::Filesystem {
        // Others than those that hold no files of anybody.
        return !entry.fields.iter().any(|field| {
            field.name == "fstype"
                && field.operator == Operator::Equal
                && matches!(
                    field.value,
                    Value::Number(0x7472_6163 | 0x6462_6720) | Value::Text(_)
                )
        });
    }
    NEEDED.iter().any(|kind| {
        entry
            .fields
            .iter()
            .filter(|field| field.name == "msgtype")
            .all(|field| match field.value {
                Value::Number(number) => match field.operator {
                    Operator::Equal => *kind == number,
                    Operator::NotEqual => *kind != number,
                    Operator::Greater => *kind > number,
                    Operator::GreaterOrEqual => *kind >= number,
                    Operator::Less => *kind < number,
                    Operator::LessOrEqual => *kind <= number,
                    Operator::Mask | Operator::Bits => true,
                },
                // A type that we have no number for is none of these.
                Value::Text(_) => field.operator != Operator::Equal,
            })
    })
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
