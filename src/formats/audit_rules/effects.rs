//! What single options do: `-D`, `-q`, `-e`, `-f`, `-w`, `-S`, `-p`, `-k`. See `setopt` in auditctl.c of audit 3.0.9 to
//! 4.2.1.

use super::around::Place;
use super::bad::{Bad, Doubt};
use super::command::Command;
use super::entry::{Field, List, Operator, Value};
use super::line::{Arch, End, MOST_FIELDS, Reader};
use super::options::{Word, part};
use super::tables::Release;
use super::{MAX_KEY_LENGTH, Perms, call, field};

/// Longest path, and longest name in it (linux/limits.h).
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;

impl<'t> Reader<'_, 't> {
    /// `-D`, `-D -k KEY`: told apart by the number of words.
    pub(super) fn delete_all(&mut self, words: &[Word<'_>]) -> Result<End, Bad> {
        match words {
            [_] => self.commands.push(Command::Delete(None)),
            [_, option, key] if option == "-k" => {
                self.commands.push(Command::Delete(Some(key.to_string())));
            }
            _ => return Err(Bad::DeletesOnly),
        }
        Ok(End::Done)
    }

    pub(super) fn equivalent(&mut self, value: &str) -> Result<End, Bad> {
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

    pub(super) fn switch(&mut self, letter: char, value: &str) -> Result<(), Bad> {
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

    pub(super) fn watch(&mut self, letter: char, value: Word<'t>) -> Result<(), Bad> {
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
        let name = |path: &str| path.trim_end_matches('/').rsplit('/').next().map(str::len);
        if value.len() >= PATH_MAX || (value.len() > NAME_MAX && name(&value) > Some(NAME_MAX)) {
            return Err(Bad::PathTooLong);
        }
        if !value.starts_with('/') {
            return Err(Bad::Relative(value.into_owned()));
        }
        if !self.entry.fields.is_empty() {
            return Err(Bad::TwoPlaces);
        }
        let path = if value.len() > 2 && value.ends_with('/') {
            let end = value.trim_end_matches('/').len();
            part(&value, ..end.max(1))
        } else {
            value
        };
        let name = match self.around.place(&path) {
            _ if path == "/" => "dir",
            Place::Folder => "dir",
            // What cannot be seen may be either, which counts only where the same rule is there twice.
            Place::Other | Place::Missing | Place::Unseen => "path",
        };
        self.entry.calls.all = true;
        self.entry.fields.push(Field {
            name,
            operator: Operator::Equal,
            value: Value::Text(path),
            text: Word::default(),
        });
        self.entry.fields.push(field::perm(Perms::ALL));
        self.perms_added = true;
        Ok(())
    }

    pub(super) fn call(&mut self, value: &Word<'t>) -> Result<(), Bad> {
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

    pub(super) fn perms(&mut self, value: &str) -> Result<(), Bad> {
        if self.list().is_none() {
            return Err(Bad::PermsTooEarly);
        }
        let perms: Perms = value.parse().map_err(|_| Bad::Perms(value.to_owned()))?;
        let fields = &mut self.entry.fields;
        if fields.is_empty() {
            return Err(Bad::PermsTooEarly);
        }
        let mut earlier = fields
            .iter_mut()
            .filter(|field| field.name == "perm")
            .peekable();
        if earlier.peek().is_some() {
            earlier.for_each(|earlier| *earlier = field::perm(perms));
        } else if fields.len() >= MOST_FIELDS {
            return Err(Bad::TooManyFields);
        } else {
            fields.push(field::perm(perms));
        }
        self.perms_added = true;
        Ok(())
    }

    pub(super) fn takes_key(&self) -> bool {
        self.calls_added || self.perms_added || self.exe_added || self.file_system_added
    }

    pub(super) fn key(&mut self, key: Word<'t>) -> Result<(), Bad> {
        let keys = &mut self.entry.keys;
        let before: usize = keys.iter().map(|key| key.len() + 1).sum();
        if before + key.len() > MAX_KEY_LENGTH {
            return Err(Bad::KeyTooLong);
        }
        // An empty key is no key: the kernel does not get it, and a listing does not show it.
        if !key.is_empty() {
            keys.push(key);
        }
        Ok(())
    }

    /// All keys become one field at the end of the line, which is looked at only then.
    pub(super) fn end_keys(&mut self) -> Result<(), Bad> {
        if self.entry.keys.is_empty() {
            return Ok(());
        }
        if self.entry.fields.len() >= MOST_FIELDS {
            return Err(Bad::TooManyFields);
        }
        if self.list() == Some(List::Exclude)
            && self.since(
                Release(4, 0, 2),
                Release::OLDEST,
                "a key in the list exclude",
            ) == Some(false)
        {
            return Err(Bad::KeyUnsupported);
        }
        if !self.takes_key() {
            return Err(Bad::KeyTooEarly);
        }
        Ok(())
    }
}
