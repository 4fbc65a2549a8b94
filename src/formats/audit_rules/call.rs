//! `-S`: system calls and operations of io_uring, and those that `perm=` stands for.

use super::Perms;
use super::bad::{Bad, Doubt};
use super::line::{Arch, Reader, known, number};
use super::tables::{self, Known, Release};

/// From 4.0 on `perm=` after `arch=` names the system calls of these kinds of access as well.
pub(super) fn calls_of_perms(reader: &mut Reader<'_>, perms: Perms) -> Result<(), Bad> {
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
                    reader.calls.numbers.push(number);
                    reader.calls.names.push(name.into());
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
pub(super) fn calls(reader: &mut Reader<'_>, text: &str) -> Result<(), Bad> {
    let machine = reader.machine.and_then(Arch::machine);
    for name in text.split(',').filter(|name| !name.is_empty()) {
        if name == "all" {
            reader.calls.all = true;
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
        add_call(reader, name, found, unknown)?;
    }
    Ok(())
}

/// `-S` in the list io_uring.
pub(super) fn operations(reader: &mut Reader<'_>, text: &str) -> Result<(), Bad> {
    for name in text.split(',').filter(|name| !name.is_empty()) {
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
        add_call(reader, name, found, unknown)?;
    }
    reader.calls_added = true;
    Ok(())
}

fn add_call(
    reader: &mut Reader<'_>,
    name: &str,
    found: Option<u32>,
    unknown: impl Fn() -> Bad,
) -> Result<(), Bad> {
    if let Some(number) = found {
        // 64 words of 32 bits (linux/audit.h, `AUDIT_BITMASK_SIZE`).
        if number >= 64 * 32 {
            return Err(unknown());
        }
        reader.calls.numbers.push(number);
    }
    reader.calls.names.push(name.into());
    Ok(())
}
