//! What auditctl knows by name: system calls by machine, operations of io_uring, types of records, errors.
//!
//! Names and numbers are those of the kernel's own headers as audit 3.0.9, 4.0.2 and 4.2.1 list them; the files
//! in `tables/` note which release had a name first.

use super::Perms;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// A machine, as the kernel's audit system tells them apart (linux/audit.h, `AUDIT_ARCH_…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 32-bit x86.
    I386,
    /// 64-bit ARM.
    Aarch64,
    /// Another one by its number: known to auditctl, its system calls not to us.
    Other(u32),
}

/// The numbers of machines whose system calls are not in the tables, and their names in auditctl(8).
const OTHERS: [(&str, u32); 8] = [
    ("arm", 0x4000_0028),
    ("ppc64", 0x8000_0015),
    ("ppc64le", 0xC000_0015),
    ("ppc", 0x14),
    ("s390x", 0x8000_0016),
    ("s390", 0x16),
    ("riscv64", 0xC000_00F3),
    ("riscv32", 0x4000_00F3),
];

impl Machine {
    /// The number in a rule.
    pub fn number(self) -> u32 {
        match self {
            Self::X86_64 => 0xC000_003E,
            Self::I386 => 0x4000_0003,
            Self::Aarch64 => 0xC000_00B7,
            Self::Other(number) => number,
        }
    }

    pub(super) fn by_number(number: u32) -> Option<Self> {
        [Self::X86_64, Self::I386, Self::Aarch64]
            .into_iter()
            .find(|machine| machine.number() == number)
            .or_else(|| {
                let known = OTHERS.iter().any(|(_, other)| *other == number);
                known.then_some(Self::Other(number))
            })
    }

    /// By the name that `uname -m` or auditctl(8) has for it.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "x86_64" => Self::X86_64,
            "i386" | "i486" | "i586" | "i686" => Self::I386,
            "aarch64" | "armv8l" => Self::Aarch64,
            "armeb" | "armv5tejl" | "armv5tel" | "armv6l" | "armv7l" => Self::Other(0x4000_0028),
            name => Self::Other(OTHERS.iter().find(|(other, _)| *other == name)?.1),
        })
    }

    /// Whether it has 64 bits.
    pub fn is_wide(self) -> bool {
        self.number() & 0x8000_0000 != 0
    }

    /// The machine of 32-bit programs on it; itself where it has 32 bits; `None` where there is none.
    pub fn narrow(self) -> Option<Self> {
        match self {
            Self::X86_64 => Some(Self::I386),
            Self::Aarch64 => Some(Self::Other(0x4000_0028)),
            Self::Other(0x8000_0015) => Some(Self::Other(0x14)),
            Self::Other(0x8000_0016) => Some(Self::Other(0x16)),
            Self::Other(0xC000_00F3) => Some(Self::Other(0x4000_00F3)),
            _ => (!self.is_wide()).then_some(self),
        }
    }

    fn calls(self) -> Option<&'static Table> {
        match self {
            Self::X86_64 => Some(&X86_64),
            Self::I386 => Some(&I386),
            Self::Aarch64 => Some(&AARCH64),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::I386 => "i386",
            Self::Aarch64 => "aarch64",
            Self::Other(number) => OTHERS
                .iter()
                .find(|(_, other)| other == number)
                .map_or("this machine", |(name, _)| name),
        })
    }
}

/// A release of audit: `3.0.9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release(pub u16, pub u16, pub u16);

impl Release {
    /// The newest that the tables were read from.
    pub(super) const NEWEST: Self = Self(4, 2, 1);
    /// The oldest that they were read from.
    pub(super) const OLDEST: Self = Self(3, 0, 9);

    /// Reads `3.0.9`, or a text that has it as a word: `auditctl version 3.0.9`.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text
            .split_whitespace()
            .rfind(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        // Without the epoch of a package.
        let word = word.rsplit(':').next()?;
        let mut numbers = word.split('.').map(|part| {
            let digits = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            part[..digits].parse().ok()
        });
        Some(Self(
            numbers.next()??,
            numbers.next().flatten().unwrap_or(0),
            numbers.next().flatten().unwrap_or(0),
        ))
    }
}

/// Whether a name is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known<T> {
    Yes(T),
    No,
    /// It depends on something that is not known.
    Perhaps,
}

struct Row {
    number: u32,
    /// `None` for those that every release has.
    since: Option<Release>,
}

type Table = LazyLock<HashMap<&'static str, Row>>;

fn table(text: &'static str) -> HashMap<&'static str, Row> {
    let row = |line: &'static str| {
        let mut words = line.split(' ');
        let name = words.next()?;
        let mut row = Row {
            number: 0,
            since: None,
        };
        for word in words {
            if word.contains('.') {
                row.since = Release::parse(word);
            } else {
                row.number = word.parse().ok()?;
            }
        }
        Some((name, row))
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(row)
        .collect()
}

static X86_64: Table = LazyLock::new(|| table(include_str!("tables/x86_64")));
static I386: Table = LazyLock::new(|| table(include_str!("tables/i386")));
static AARCH64: Table = LazyLock::new(|| table(include_str!("tables/aarch64")));
static IO_URING: Table = LazyLock::new(|| table(include_str!("tables/io_uring")));
static MESSAGE_TYPES: Table = LazyLock::new(|| table(include_str!("tables/message_types")));
static ERRORS: Table = LazyLock::new(|| table(include_str!("tables/errors")));

fn find(table: &Table, name: &str, release: Option<Release>) -> Known<u32> {
    match table.get(name) {
        Some(row) => match (row.since, release) {
            (None, _) => Known::Yes(row.number),
            (Some(since), Some(release)) if release >= since => Known::Yes(row.number),
            // A name that 4.0.2 has and 3.0.9 has not came somewhere in between.
            (Some(_), Some(release)) if release <= Release::OLDEST => Known::No,
            _ => Known::Perhaps,
        },
        // Newer releases know newer names.
        None if release.is_some_and(|release| release <= Release::NEWEST) => Known::No,
        None => Known::Perhaps,
    }
}

/// The number of a system call. Without a machine a name that all have is known, by the number 0.
pub(super) fn call(machine: Option<Machine>, name: &str, release: Option<Release>) -> Known<u32> {
    let lower;
    let name = if name.contains(|c: char| c.is_ascii_uppercase()) {
        lower = name.to_ascii_lowercase();
        &lower
    } else {
        name
    };
    if let Some(machine) = machine {
        return machine
            .calls()
            .map_or(Known::Perhaps, |table| find(table, name, release));
    }
    let all = [&X86_64, &I386, &AARCH64];
    let known = |table: &&Table| matches!(find(table, name, release), Known::Yes(_));
    if all.iter().all(known) {
        Known::Yes(0)
    } else {
        Known::Perhaps
    }
}

pub(super) fn operation(name: &str, release: Option<Release>) -> Known<u32> {
    find(&IO_URING, name, release)
}

pub(super) fn message_type(name: &str, release: Option<Release>) -> Known<u32> {
    find(&MESSAGE_TYPES, &name.to_ascii_uppercase(), release)
}

pub(super) fn error(name: &str, release: Option<Release>) -> Known<u32> {
    let name = name.strip_prefix('-').unwrap_or(name);
    find(&ERRORS, &name.to_ascii_uppercase(), release)
}

/// The system calls that the kernel counts to each kind of access (include/asm-generic/audit_*.h), as auditctl 4.0
/// to 4.2 writes them out where a rule has `arch=` and `perm=`.
pub(super) fn calls_of(perm: char) -> &'static str {
    match perm {
        'x' => "execve",
        'w' => {
            "rename,mkdir,rmdir,creat,link,unlink,symlink,mknod,mkdirat,mknodat,unlinkat,renameat,linkat,symlinkat,renameat2,acct,swapon,quotactl,truncate,ftruncate,bind,fallocate,open,openat,openat2"
        }
        'r' => {
            "readlink,quotactl,listxattr,llistxattr,flistxattr,getxattr,lgetxattr,fgetxattr,readlinkat,open,openat,openat2"
        }
        _ => {
            "chmod,fchmod,chown,lchown,fchown,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,fchownat,fchmodat,link,linkat"
        }
    }
}

static KINDS: LazyLock<HashMap<&'static str, Perms>> = LazyLock::new(|| {
    let mut kinds: HashMap<&'static str, Perms> = HashMap::new();
    for (letter, perm) in Perms::ALL.each() {
        for call in calls_of(letter).split(',') {
            let known = kinds.entry(call).or_default();
            *known = known.union(perm);
        }
    }
    kinds
});

/// The kinds of access that a system call counts to ([`calls_of`]).
pub(super) fn kinds_of(call: &str) -> Perms {
    KINDS.get(call).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_machine_and_release() {
        let old = Some(Release(3, 0, 9));
        let new = Some(Release(4, 0, 2));
        for (machine, name, release, known) in [
            (Some(Machine::X86_64), "openat", old, Known::Yes(257)),
            (Some(Machine::I386), "openat", old, Known::Yes(295)),
            (Some(Machine::X86_64), "stime", old, Known::No),
            (Some(Machine::I386), "stime", old, Known::Yes(25)),
            (Some(Machine::Aarch64), "open", old, Known::No),
            (Some(Machine::X86_64), "fchmodat2", old, Known::No),
            (Some(Machine::X86_64), "fchmodat2", new, Known::Yes(452)),
            (
                Some(Machine::X86_64),
                "fchmodat2",
                Some(Release(3, 1, 5)),
                Known::Perhaps,
            ),
            (
                Some(Machine::X86_64),
                "brand_new",
                Some(Release(9, 0, 0)),
                Known::Perhaps,
            ),
            (Some(Machine::Other(0x14)), "open", old, Known::Perhaps),
            (None, "openat", old, Known::Yes(0)),
            (None, "open", old, Known::Perhaps),
        ] {
            assert_eq!(
                call(machine, name, release),
                known,
                "{machine:?} {name} {release:?}"
            );
        }
        assert_ne!(error("EPERM", None), Known::No);
        assert_eq!(error("-eacces", old), Known::Yes(13));
        assert_eq!(error("EWHAT", old), Known::No);
        assert_eq!(message_type("cwd", old), Known::Yes(1307));
    }

    #[test]
    fn releases() {
        assert_eq!(
            Release::parse("auditctl version 3.0.9\n"),
            Some(Release(3, 0, 9))
        );
        assert_eq!(Release::parse("4.0"), Some(Release(4, 0, 0)));
        assert_eq!(Release::parse("1:3.1.2-2ubuntu1"), Some(Release(3, 1, 2)));
        assert_eq!(Release::parse("nothing"), None);
    }
}
