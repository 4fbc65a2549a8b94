//! `-S`: system calls and operations of io_uring, and those that `perm=` stands for.

use super::Perms;
use super::bad::{Bad, Doubt};
use super::line::{Arch, Reader};
use super::numbers::{known, number};
use super::options::{Word, part};
use super::tables::{self, Known, Release};
use memchr::memchr_iter;

/// From 4.0 on `perm=` after `arch=` names the system calls of these kinds of access as well.
pub(super) fn calls_of_perms(reader: &mut Reader<'_, '_>, perms: Perms) -> Result<(), Bad> {
    let Some(arch) = reader.machine else {
        return Ok(());
    };
    // Where that is not known, calls added here change nothing about what is refused, but for `arch=` after it.
    if reader
        .around
        .release()
        .is_none_or(|release| release < Release(4, 0, 0))
    {
        return Ok(());
    }
    let release = reader.around.release();
    for letter in "rwxa".chars() {
        if !letter
            .to_string()
            .parse()
            .is_ok_and(|one| perms.contains(one))
        {
            continue;
        }
        for name in tables::calls_of(letter).split(',') {
            match tables::call(arch.machine(), name, release) {
                Known::Yes(number) => {
                    reader.entry.calls.numbers.push(number);
                    reader.entry.calls.names.push(name.into());
                }
                // 4.0.2 refuses the rule then, newer ones leave the call out.
                Known::No if release <= Some(Release(4, 0, 2)) => {
                    return Err(Bad::UnknownCall {
                        call: name.to_owned(),
                        machine: arch.machine().map_or_else(String::new, |it| it.to_string()),
                    });
                }
                Known::No | Known::Perhaps => reader.doubts(|| Doubt::Call {
                    call: name.to_owned(),
                    machine: arch.machine().map(|it| it.to_string()),
                }),
            }
        }
    }
    reader.calls_added = true;
    Ok(())
}

/// `-S NAME,NUMBER,all`.
pub(super) fn calls<'t>(reader: &mut Reader<'_, 't>, text: &Word<'t>) -> Result<(), Bad> {
    let machine = reader.machine.and_then(Arch::machine);
    for word in names(text) {
        let name: &str = &word;
        if name == "all" {
            reader.entry.calls.all = true;
            continue;
        }
        let unknown = || Bad::UnknownCall {
            call: name.to_owned(),
            machine: machine.map_or_else(|| "the machine".to_owned(), |it| it.to_string()),
        };
        let found = match number(name) {
            Some(number) => Some(number),
            None => known(
                reader,
                tables::call(machine, name, reader.around.release()),
                unknown,
                || Doubt::Call {
                    call: name.to_owned(),
                    machine: machine.map(|it| it.to_string()),
                },
            )?,
        };
        let found = found
            .map(|number| in_mask(number).ok_or_else(unknown))
            .transpose()?;
        reader.entry.calls.numbers.extend(found);
        reader.entry.calls.names.push(word);
    }
    Ok(())
}

/// `-S` in the list io_uring.
pub(super) fn operations<'t>(reader: &mut Reader<'_, 't>, text: &Word<'t>) -> Result<(), Bad> {
    for word in names(text) {
        let name: &str = &word;
        let unknown = || Bad::UnknownCall {
            call: name.to_owned(),
            machine: "io_uring".to_owned(),
        };
        let found = match number(name) {
            Some(number) => Some(number),
            None if name == "all" => None,
            None => known(
                reader,
                tables::operation(name, reader.around.release()),
                unknown,
                || Doubt::Release(format!("the operation {name} of io_uring")),
            )?,
        };
        let found = found
            .map(|number| in_mask(number).ok_or_else(unknown))
            .transpose()?;
        reader.entry.calls.numbers.extend(found);
        reader.entry.calls.names.push(word);
    }
    reader.calls_added = true;
    Ok(())
}

/// The names of a list with commas.
fn names<'w, 't>(text: &'w Word<'t>) -> impl Iterator<Item = Word<'t>> + use<'w, 't> {
    let mut start = 0;
    let ends = memchr_iter(b',', text.as_bytes()).chain([text.len()]);
    ends.filter_map(move |end| {
        let name = start..end;
        start = end + 1;
        (!name.is_empty()).then(|| part(text, name))
    })
}

/// Rules have room for 64 words of 32 bits (linux/audit.h, `AUDIT_BITMASK_SIZE`).
fn in_mask(number: u32) -> Option<u32> {
    (number < 64 * 32).then_some(number)
}
