//! `-F` and `-C`: fields and their values. See `audit_rule_fieldpair_data` and
//! `audit_rule_interfield_comp_data` in libaudit.c of audit 3.0.9 to 4.2.1.

use super::around::Account;
use super::bad::{Bad, Doubt};
use super::entry::{Field, List, Operator, Value};
use super::fields::{COMPARABLE, FAMILIES, Kind, find};
use super::line::{Arch, MOST_FIELDS, Reader};
use super::numbers::{known, number};
use super::options::{Word, part};
use super::tables::{self, Machine, Release};
use super::{MAX_KEY_LENGTH, Perms, call};

/// The field of a set of permissions.
pub(super) fn perm<'t>(perms: Perms) -> Field<'t> {
    Field {
        name: "perm",
        operator: Operator::Equal,
        value: Value::Number(perms.bits()),
        text: Word::default(),
    }
}

/// `-F FIELD=VALUE`.
pub(super) fn add<'t>(reader: &mut Reader<'_, 't>, text: Word<'t>) -> Result<(), Bad> {
    if reader.entry.fields.len() >= MOST_FIELDS {
        return Err(Bad::TooManyFields);
    }
    let Some((end, operator)) = split(&text) else {
        return Err(Bad::NoOperator(text.into_owned()));
    };
    let name = &text[..end];
    // As a part of the line.
    let word = part(&text, end + operator.sign().len()..);
    let value: &str = &word;
    if name.is_empty() {
        return Err(Bad::NoField(text.into_owned()));
    }
    if value.is_empty() {
        return Err(Bad::NothingCompared(text.into_owned()));
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
        && reader.since(
            Release(4, 0, 2),
            Release::OLDEST,
            "this field in the list exclude",
        ) == Some(false)
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
    let mut shown = None;
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
        Kind::Text => Value::Text(word),
        Kind::Place => {
            reader.perms_added = true;
            if name == "dir" && value.ends_with('/') {
                let trimmed = text.trim_end_matches('/').len();
                // The first slash stands after the sign.
                shown = Some(part(&text, ..trimmed.max(end + 2)));
            }
            Value::Text(word)
        }
        Kind::Exe => {
            if !operator.is_equality() {
                return Err(operator_bad());
            }
            reader.exe_added = true;
            Value::Text(word)
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
            Value::Text(word)
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
                    if reader.since(
                        Release(4, 0, 2),
                        Release::OLDEST,
                        "perm= in the list exclude",
                    ) != Some(false) => {}
                _ => return Err(other_list()),
            }
            if operator != Operator::Equal {
                return Err(operator_bad());
            }
            let perms: Perms = value.parse().map_err(|_| Bad::Perms(value.to_owned()))?;
            call::calls_of_perms(reader, perms)?;
            reader.perms_added = true;
            // It is shown in the order of the letters.
            shown = Some(Word::default());
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
                return Err(Bad::Value(text.into_owned()));
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
    reader.entry.fields.push(Field {
        name,
        operator,
        value,
        text: shown.unwrap_or(text),
    });
    Ok(())
}

/// The first operator in the order of [`Operator::ALL`] that is somewhere in a text, and where.
fn split(text: &str) -> Option<(usize, Operator)> {
    // The place of each, 0 being that of the first.
    let mut found: Option<(usize, usize)> = None;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let rank = match (byte, bytes.get(at + 1)) {
            (b'!', Some(b'=')) => 0,
            (b'>', Some(b'=')) => 1,
            (b'<', Some(b'=')) => 2,
            (b'&', Some(b'=')) => 3,
            (b'=', _) => 4,
            (b'>', _) => 5,
            (b'<', _) => 6,
            (b'&', _) => 7,
            _ => continue,
        };
        if found.is_none_or(|(other, _)| rank < other) {
            found = Some((rank, at));
        }
    }
    let (rank, at) = found?;
    Some((at, Operator::ALL[rank].1))
}

/// A number with or without a minus, as strtol(3) reads it.
fn signed(text: &str) -> Option<u32> {
    match text.strip_prefix('-') {
        Some(rest) => number(rest).map(u32::wrapping_neg),
        None => number(text),
    }
}

fn user<'t>(reader: &mut Reader<'_, 't>, value: &str) -> Result<Value<'t>, Bad> {
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
            Ok(Value::Text(value.to_owned().into()))
        }
    }
}

fn group<'t>(reader: &mut Reader<'_, 't>, value: &str) -> Result<Value<'t>, Bad> {
    if let Some(number) = number(value) {
        return Ok(Value::Number(number));
    }
    match reader.around.group(value) {
        Account::Is(number) => Ok(Value::Number(number)),
        Account::Missing => Err(Bad::UnknownGroup(value.to_owned())),
        Account::Unseen => {
            reader.doubts(|| Doubt::Account(value.to_owned()));
            Ok(Value::Text(value.to_owned().into()))
        }
    }
}

fn error<'t>(reader: &mut Reader<'_, 't>, value: &str) -> Result<Value<'t>, Bad> {
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

fn message_type<'t>(reader: &mut Reader<'_, 't>, value: &str) -> Result<Value<'t>, Bad> {
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

fn file_system<'t>(reader: &mut Reader<'_, 't>, value: &str) -> Result<Value<'t>, Bad> {
    if let Some(number) = number(value) {
        return Ok(Value::Number(number));
    }
    let name = value.to_ascii_lowercase();
    match name.as_str() {
        "tracefs" => return Ok(Value::Number(0x7472_6163)),
        "debugfs" => return Ok(Value::Number(0x6462_6720)),
        "cgroup" | "cgroup2" => {
            if reader.since(
                Release::NEWEST,
                Release::OLDEST,
                "the name of this file system",
            ) == Some(false)
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

fn arch<'t>(reader: &mut Reader<'_, 't>, value: &str) -> Result<Value<'t>, Bad> {
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

impl Reader<'_, '_> {
    /// Every machine of today that auditctl runs on has 64 bits; few have no 32-bit programs.
    fn doubts_arch(&mut self, wide: bool) {
        if !wide {
            self.doubts(|| Doubt::Machine);
        }
    }
}

/// `-C FIELD=FIELD`.
pub(super) fn compare<'t>(reader: &mut Reader<'_, 't>, text: Word<'t>) -> Result<(), Bad> {
    if reader.entry.fields.len() >= MOST_FIELDS {
        return Err(Bad::TooManyFields);
    }
    let bad = || Bad::Compared(text.to_string());
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
            field: text.to_string(),
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
    let value = Value::Text(format!("{first} {second}").into());
    reader.entry.fields.push(Field {
        name: "compare",
        operator,
        value,
        text,
    });
    Ok(())
}
