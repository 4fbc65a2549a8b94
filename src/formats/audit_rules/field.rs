//! `-F` and `-C`: fields and their values. See `audit_rule_fieldpair_data` and
//! `audit_rule_interfield_comp_data` in libaudit.c of audit 3.0.9 to 4.2.1.

use super::around::Account;
use super::bad::{Bad, Doubt};
use super::entry::{Field, List, Operator, Value};
use super::line::{Arch, MOST_FIELDS, Reader, known, number};
use super::tables::{self, Machine, Release};
use super::{MAX_KEY_LENGTH, Perms, call};

/// What a field is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
    Exit,
    MessageType,
    /// A label, or another text.
    Text,
    Place,
    Key,
    Exe,
    Arch,
    Perm,
    FileType,
    FileSystem,
    Argument,
    Session,
    Family,
    Number,
}

/// Every field: its name, its kind, and whether it goes with the list exit only.
const FIELDS: [(&str, Kind, bool); 43] = [
    ("pid", Kind::Number, false),
    ("uid", Kind::User, false),
    ("euid", Kind::User, false),
    ("suid", Kind::User, false),
    ("fsuid", Kind::User, false),
    ("gid", Kind::Group, false),
    ("egid", Kind::Group, false),
    ("sgid", Kind::Group, false),
    ("fsgid", Kind::Group, false),
    ("auid", Kind::User, false),
    ("loginuid", Kind::User, false),
    ("pers", Kind::Number, false),
    ("arch", Kind::Arch, false),
    ("msgtype", Kind::MessageType, false),
    ("subj_user", Kind::Text, false),
    ("subj_role", Kind::Text, false),
    ("subj_type", Kind::Text, false),
    ("subj_sen", Kind::Text, false),
    ("subj_clr", Kind::Text, false),
    ("ppid", Kind::Number, true),
    ("obj_user", Kind::Text, true),
    ("obj_role", Kind::Text, true),
    ("obj_type", Kind::Text, true),
    ("obj_lev_low", Kind::Text, true),
    ("obj_lev_high", Kind::Text, true),
    ("sessionid", Kind::Session, false),
    ("devmajor", Kind::Number, true),
    ("devminor", Kind::Number, true),
    ("inode", Kind::Number, true),
    ("exit", Kind::Exit, true),
    ("success", Kind::Number, true),
    ("path", Kind::Place, true),
    ("perm", Kind::Perm, false),
    ("dir", Kind::Place, true),
    ("filetype", Kind::FileType, true),
    ("fstype", Kind::FileSystem, false),
    ("obj_uid", Kind::User, false),
    ("obj_gid", Kind::Group, false),
    ("field_compare", Kind::Number, false),
    ("a0", Kind::Argument, false),
    ("a1", Kind::Argument, false),
    ("a2", Kind::Argument, false),
    ("a3", Kind::Argument, false),
];
/// Those that are no comparison of one value like the others.
const MORE: [(&str, Kind, bool); 3] = [
    ("key", Kind::Key, false),
    ("exe", Kind::Exe, false),
    ("saddr_fam", Kind::Family, false),
];

/// Fields that can be compared with each other by `-C`: any two of one group.
const COMPARABLE: [&[&str]; 2] = [
    &["uid", "euid", "suid", "fsuid", "auid", "obj_uid"],
    &["gid", "egid", "sgid", "fsgid", "obj_gid"],
];

/// Families of addresses end here (linux/socket.h, `AF_MAX`).
const FAMILIES: u32 = 46;

fn find(name: &str) -> Option<(&'static str, Kind, bool)> {
    let same = |(known, ..): &&(&'static str, Kind, bool)| known.eq_ignore_ascii_case(name);
    let (name, kind, exit_only) = *FIELDS.iter().chain(&MORE).find(same)?;
    // Two names of one field.
    Some((
        if name == "loginuid" { "auid" } else { name },
        kind,
        exit_only,
    ))
}

/// The field of a set of permissions.
pub(super) fn perm(perms: Perms) -> Field {
    Field {
        name: "perm",
        operator: Operator::Equal,
        value: Value::Number(perms.bits()),
        text: Box::default(),
    }
}

/// `-F FIELD=VALUE`.
pub(super) fn add(reader: &mut Reader<'_>, text: &str) -> Result<(), Bad> {
    if reader.fields.len() >= MOST_FIELDS {
        return Err(Bad::TooManyFields);
    }
    let (name, operator, value) = split(text).ok_or_else(|| Bad::NoOperator(text.to_owned()))?;
    if name.is_empty() {
        return Err(Bad::NoField(text.to_owned()));
    }
    if value.is_empty() {
        return Err(Bad::NothingCompared(text.to_owned()));
    }
    let (name, kind, exit_only) = find(name).ok_or_else(|| Bad::UnknownField(name.to_owned()))?;
    let list = reader.list();
    let other_list = || Bad::FieldOfOtherList {
        field: name.to_owned(),
        list: list.map_or("", List::name),
    };
    let excludable = matches!(
        name,
        "pid"
            | "uid"
            | "gid"
            | "auid"
            | "msgtype"
            | "subj_user"
            | "subj_role"
            | "subj_type"
            | "subj_sen"
            | "subj_clr"
            | "exe"
    );
    if list == Some(List::Exclude)
        && !excludable
        && reader.since(Release(4, 0, 2), "this field in the list exclude") == Some(false)
    {
        return Err(other_list());
    }
    if exit_only && list != Some(List::Exit) {
        return Err(other_list());
    }
    let operator_bad = || Bad::Operator {
        field: name.to_owned(),
        operator: operator.sign().to_owned(),
    };
    let mut shown = text.to_owned();
    let value = match kind {
        Kind::User => user(reader, value)?,
        Kind::Group => group(reader, value)?,
        Kind::Exit => error(reader, value)?,
        Kind::MessageType => {
            if !matches!(list, Some(List::Exclude | List::User)) {
                return Err(other_list());
            }
            message_type(reader, value)?
        }
        Kind::Text => Value::Text(value.into()),
        Kind::Place => {
            reader.perms_added = true;
            if name == "dir" || value == "/" {
                let trimmed = value.trim_end_matches('/');
                shown = format!("{name}={}", if trimmed.is_empty() { "/" } else { trimmed });
            }
            Value::Text(value.into())
        }
        Kind::Exe => {
            if !operator.is_equality() {
                return Err(operator_bad());
            }
            reader.exe_added = true;
            Value::Text(value.into())
        }
        Kind::Key => {
            // Not `key=`, which is read before: `key!=` and the like.
            if value.len() > MAX_KEY_LENGTH {
                return Err(Bad::KeyTooLong);
            }
            if !(reader.calls_added
                || reader.perms_added
                || reader.exe_added
                || reader.file_system_added)
            {
                return Err(Bad::KeyTooEarly);
            }
            Value::Text(value.into())
        }
        Kind::Arch => {
            if reader.calls_added {
                return Err(Bad::ArchTooLate);
            }
            if !operator.is_equality() {
                return Err(operator_bad());
            }
            arch(reader, value)?
        }
        Kind::Perm => {
            match list {
                Some(List::Exit) => {}
                Some(List::Exclude)
                    if reader.since(Release(4, 0, 2), "perm= in the list exclude")
                        != Some(false) => {}
                _ => return Err(other_list()),
            }
            if operator != Operator::Equal {
                return Err(operator_bad());
            }
            let perms: Perms = value.parse().map_err(|_| Bad::Perms(value.to_owned()))?;
            call::calls_of_perms(reader, perms)?;
            reader.perms_added = true;
            shown = format!("perm={perms}");
            Value::Number(perms.bits())
        }
        Kind::FileType => {
            let known = [
                "socket",
                "link",
                "file",
                "block",
                "dir",
                "character",
                "fifo",
            ];
            let found = known
                .iter()
                .position(|known| known.eq_ignore_ascii_case(value));
            let found = found.ok_or_else(|| Bad::UnknownFileType(value.to_owned()))?;
            Value::Text(known[found].into())
        }
        Kind::FileSystem => {
            if list != Some(List::Filesystem) {
                return Err(other_list());
            }
            if !operator.is_equality() {
                return Err(operator_bad());
            }
            let value = file_system(reader, value)?;
            reader.file_system_added = true;
            value
        }
        Kind::Argument => signed(value)
            .map(Value::Number)
            .ok_or_else(|| Bad::ValueNotANumber(name.to_owned()))?,
        Kind::Session => {
            if !matches!(list, Some(List::Exclude | List::User | List::Exit)) {
                return Err(other_list());
            }
            let unset = (value == "unset").then_some(u32::MAX);
            Value::Number(signed(value).or(unset).unwrap_or(0))
        }
        Kind::Family => {
            let family = number(value).unwrap_or(0);
            if family >= FAMILIES {
                return Err(Bad::Value(text.to_owned()));
            }
            Value::Number(family)
        }
        Kind::Number => {
            if name == "inode" && !operator.is_equality() {
                return Err(operator_bad());
            }
            number(value)
                .map(Value::Number)
                .ok_or_else(|| Bad::ValueNotANumber(name.to_owned()))?
        }
    };
    reader.fields.push(Field {
        name,
        operator,
        value,
        text: shown.into(),
    });
    Ok(())
}

fn split(text: &str) -> Option<(&str, Operator, &str)> {
    Operator::ALL.iter().find_map(|(sign, operator)| {
        let (field, value) = text.split_once(sign)?;
        Some((field, *operator, value))
    })
}

/// A number with or without a minus, as strtol(3) reads it.
fn signed(text: &str) -> Option<u32> {
    match text.strip_prefix('-') {
        Some(rest) => number(rest).map(u32::wrapping_neg),
        None => number(text),
    }
}

fn user(reader: &mut Reader<'_>, value: &str) -> Result<Value, Bad> {
    if let Some(number) = signed(value) {
        return Ok(Value::Number(number));
    }
    if value == "unset" {
        return Ok(Value::Number(u32::MAX));
    }
    match reader.around.user(value) {
        Account::Is(number) => Ok(Value::Number(number)),
        Account::Missing => Err(Bad::UnknownUser(value.to_owned())),
        Account::Unseen => {
            reader.doubts(|| Doubt::Account(value.to_owned()));
            Ok(Value::Text(value.into()))
        }
    }
}

fn group(reader: &mut Reader<'_>, value: &str) -> Result<Value, Bad> {
    if let Some(number) = number(value) {
        return Ok(Value::Number(number));
    }
    match reader.around.group(value) {
        Account::Is(number) => Ok(Value::Number(number)),
        Account::Missing => Err(Bad::UnknownGroup(value.to_owned())),
        Account::Unseen => {
            reader.doubts(|| Doubt::Account(value.to_owned()));
            Ok(Value::Text(value.into()))
        }
    }
}

fn error(reader: &mut Reader<'_>, value: &str) -> Result<Value, Bad> {
    if let Some(number) = signed(value) {
        return Ok(Value::Number(number));
    }
    let found = known(
        reader,
        tables::error(value, reader.around.release()),
        || Bad::UnknownError(value.to_owned()),
        || Doubt::Release(format!("whether there is an error {value}")),
    )?;
    Ok(match found {
        Some(number) if value.starts_with('-') => Value::Number(number.wrapping_neg()),
        Some(number) => Value::Number(number),
        None => Value::Text(value.to_ascii_uppercase().into()),
    })
}

fn message_type(reader: &mut Reader<'_>, value: &str) -> Result<Value, Bad> {
    if let Some(number) = number(value) {
        return Ok(Value::Number(number));
    }
    let unknown = value
        .strip_prefix("UNKNOWN[")
        .and_then(|rest| rest.split_once(']'))
        .and_then(|(digits, _)| digits.parse().ok());
    if let Some(number) = unknown.filter(|number| *number > 0) {
        return Ok(Value::Number(number));
    }
    let found = known(
        reader,
        tables::message_type(value, reader.around.release()),
        || Bad::UnknownMessageType(value.to_owned()),
        || Doubt::Release(format!("whether there is a type of record {value}")),
    )?;
    Ok(found.map_or_else(
        || Value::Text(value.to_ascii_uppercase().into()),
        Value::Number,
    ))
}

fn file_system(reader: &mut Reader<'_>, value: &str) -> Result<Value, Bad> {
    if let Some(number) = number(value) {
        return Ok(Value::Number(number));
    }
    let name = value.to_ascii_lowercase();
    match name.as_str() {
        "tracefs" => return Ok(Value::Number(0x7472_6163)),
        "debugfs" => return Ok(Value::Number(0x6462_6720)),
        "cgroup" | "cgroup2" => {
            if reader.since(Release::NEWEST, "the name of this file system") == Some(false)
                || reader.around.release() == Some(Release(4, 0, 2))
            {
                return Err(Bad::UnknownFileSystem(value.to_owned()));
            }
        }
        _ if reader
            .around
            .release()
            .is_some_and(|it| it <= Release::NEWEST) =>
        {
            return Err(Bad::UnknownFileSystem(value.to_owned()));
        }
        _ => reader.doubts(|| Doubt::Release("the name of this file system".to_owned())),
    }
    Ok(Value::Text(name.into()))
}

fn arch(reader: &mut Reader<'_>, value: &str) -> Result<Value, Bad> {
    let bad = || Bad::UnknownArch(value.to_owned());
    let lower = value.to_ascii_lowercase();
    let machine = if let Some(number) = number(value) {
        Machine::by_number(number).ok_or_else(bad)?
    } else if lower == "b64" || lower == "b32" {
        let wide = lower == "b64";
        let Some(machine) = reader.around.machine() else {
            reader.machine = Some(Arch::Unseen);
            reader.doubts_arch(wide);
            return Ok(Value::Text(lower.into()));
        };
        let found = if wide {
            machine.is_wide().then_some(machine)
        } else {
            machine.narrow()
        };
        found.ok_or_else(bad)?
    } else if let Some(machine) = Machine::by_name(&lower) {
        machine
    } else {
        u32::from_str_radix(lower.trim_start_matches("0x"), 16)
            .ok()
            .and_then(Machine::by_number)
            .ok_or_else(bad)?
    };
    if let Machine::Other(_) = machine {
        // Which ones it was built for is not known.
        reader.doubts(|| Doubt::Release(format!("whether {machine} is known")));
    }
    reader.machine = Some(Arch::Named(machine));
    Ok(Value::Number(machine.number()))
}

impl Reader<'_> {
    /// Every machine of today that auditctl runs on has 64 bits; few have no 32-bit programs.
    fn doubts_arch(&mut self, wide: bool) {
        if !wide {
            self.doubts(|| Doubt::Machine);
        }
    }
}

/// `-C FIELD=FIELD`.
pub(super) fn compare(reader: &mut Reader<'_>, text: &str) -> Result<(), Bad> {
    if reader.fields.len() >= MOST_FIELDS {
        return Err(Bad::TooManyFields);
    }
    let bad = || Bad::Compared(text.to_owned());
    let (one, operator, other) = if let Some((one, other)) = text.split_once("!=") {
        (one, Operator::NotEqual, other)
    } else {
        let (one, other) = text.split_once('=').ok_or_else(bad)?;
        (one, Operator::Equal, other)
    };
    let (one, ..) = find(one).ok_or_else(bad)?;
    let (other, ..) = find(other).ok_or_else(bad)?;
    if reader.list() != Some(List::Exit) {
        return Err(Bad::FieldOfOtherList {
            field: text.to_owned(),
            list: reader.list().map_or("", List::name),
        });
    }
    let fit = COMPARABLE
        .iter()
        .any(|group| group.contains(&one) && group.contains(&other));
    if !fit || one == other {
        return Err(bad());
    }
    let (first, second) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    reader.fields.push(Field {
        name: "compare",
        operator,
        value: Value::Text(format!("{first} {second}").into()),
        text: text.into(),
    });
    Ok(())
}
