//! A rule in brief: what decides about watches, without the line being read again.

use super::Perms;
use super::entry::{Entry, Field, List, Operator, Value};
use super::tables;
use std::borrow::Cow;

/// What a rule takes part in, in as little room as can be: there may be millions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each for itself, and a byte each
pub struct Brief<'t> {
    /// Its list.
    pub list: List,
    /// `always`, else `never`.
    pub always: bool,
    /// The path of `-w`, `path=` or `dir=`, without a slash at its end.
    pub place: Option<Cow<'t, str>>,
    /// Whether that is a folder's.
    pub folder: bool,
    /// The kinds of access it is about: all without `perm=`.
    pub perms: Perms,
    /// Those of which it records all, whoever and whatever makes them.
    pub(super) records: Perms,
    /// Those that some system call of the rule belongs to.
    pub(super) touches: Perms,
    /// Whether nothing but place and kind of access decides whether it matches.
    pub(super) whole: bool,
    /// Whether it compares nothing at all.
    pub(super) bare: bool,
    /// The programs that it is about.
    pub(super) programs: Programs,
    /// In the lists exclude and filesystem: whether it leaves out records that watches need.
    pub(super) excludes: bool,
}

/// Programs by their architecture (`arch=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Programs {
    All,
    /// Of 64 bits.
    Wide,
    /// Of 32 bits.
    Narrow,
    Others,
}

impl<'t> Brief<'t> {
    /// That of a rule.
    pub fn of(entry: &Entry<'t>) -> Self {
        let place = entry.fields.iter().find(|field| is_place(field));
        let perms = entry.perms();
        Self {
            list: entry.list,
            always: entry.always,
            place: place.and_then(path),
            folder: place.is_some_and(|field| field.name == "dir"),
            perms,
            records: records(entry, perms),
            touches: touches(entry),
            whole: entry.calls.all
                && entry
                    .fields
                    .iter()
                    .all(|field| is_place(field) || matches!(field.name, "perm" | "key")),
            bare: entry.fields.is_empty(),
            programs: programs(entry),
            excludes: matches!(entry.list, List::Exclude | List::Filesystem) && excludes(entry),
        }
    }

    /// The same with nothing borrowed.
    pub fn into_owned<'o>(self) -> Brief<'o> {
        Brief {
            place: self.place.map(|place| Cow::Owned(place.into_owned())),
            list: self.list,
            always: self.always,
            folder: self.folder,
            perms: self.perms,
            records: self.records,
            touches: self.touches,
            whole: self.whole,
            bare: self.bare,
            programs: self.programs,
            excludes: self.excludes,
        }
    }
}

fn is_place(field: &Field<'_>) -> bool {
    matches!(field.name, "path" | "dir")
}

fn path<'t>(field: &Field<'t>) -> Option<Cow<'t, str>> {
    let Value::Text(path) = &field.value else {
        return None;
    };
    let trimmed = path.trim_end_matches('/');
    Some(match path {
        _ if trimmed.is_empty() => Cow::Borrowed("/"),
        Cow::Borrowed(path) => Cow::Borrowed(&path[..trimmed.len()]),
        Cow::Owned(_) => Cow::Owned(trimmed.to_owned()),
    })
}

/// The kinds of access of which a watch records every one.
fn records(entry: &Entry<'_>, perms: Perms) -> Perms {
    let is_plain = |field: &Field<'_>| is_place(field) || matches!(field.name, "perm" | "arch");
    if !entry.fields.iter().all(is_plain) {
        return Perms::default();
    }
    if entry.calls.all {
        return perms;
    }
    perms
        .each()
        .map(|(_, one)| one)
        .filter(|one| entry.is_about_all_calls_of(*one))
        .fold(Perms::default(), Perms::union)
}

/// A call by number may be any.
fn touches(entry: &Entry<'_>) -> Perms {
    if entry.calls.all {
        return Perms::ALL;
    }
    let kinds = |name: &str| {
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            Perms::ALL
        } else {
            tables::kinds_of(name)
        }
    };
    let names = entry.calls.names.iter();
    names.fold(Perms::default(), |sum, name| sum.union(kinds(name)))
}

fn programs(entry: &Entry<'_>) -> Programs {
    let Some(field) = entry.field("arch") else {
        return Programs::All;
    };
    let is_wide = match &field.value {
        Value::Number(number) => number & 0x8000_0000 != 0,
        Value::Text(text) => text == "b64",
    };
    match (field.operator, is_wide) {
        (Operator::Equal, true) => Programs::Wide,
        (Operator::Equal, false) => Programs::Narrow,
        _ => Programs::Others,
    }
}

/// The records that a watch needs: of the system call, which has the key, and of the path (linux/audit.h).
const NEEDED: [u32; 2] = [1300, 1302];

/// Whether a rule of the lists exclude or filesystem leaves out records that watches need. The action makes no
/// difference there.
fn excludes(entry: &Entry<'_>) -> bool {
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
