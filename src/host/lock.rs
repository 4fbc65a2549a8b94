//! One of us at a time.

use super::tree::{NAME_ONLY, reopen};
use super::{HostError, LinuxHost, change, look};
use crate::facts::{Attributes, Kind, Look, Mode};
use rustix::fs::{Mode as FileMode, OFlags};
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

/// Holds the lock until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// How long a holder is looked for that has the lock and cannot be named yet.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Takes the lock at `path`, making its folder (0700) and the file (0600) where they are missing.
///
/// The lock is the kernel's (flock(2)) and on the file itself, by whatever name somebody comes to it:
/// it ends with the process that holds it, so what a crash has left in the file never blocks anybody.
/// The file says who holds it.
///
/// # Errors
/// [`HostError::Locked`] when somebody else holds it; others when the file cannot be made.
pub fn lock(host: &LinuxHost, path: &str) -> Result<Lock, HostError> {
    let tree = host.tree();
    if let Some((folder, _)) = path.rsplit_once('/')
        && look::node(tree, folder, Look::Attributes)?.kind == Kind::Absent
    {
        let attributes = Attributes {
            mode: Mode(0o700),
            ..Attributes::default()
        };
        match change::make_folder(tree, folder, &attributes) {
            // Somebody else came first; they may have the lock, too.
            Err(HostError::File { source, .. })
                if source.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    let failed = |source| HostError::file(path, "lock", source);
    let begun = Instant::now();
    loop {
        let spot = tree.find_trusted(path, "lock")?;
        let open = || {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK;
            let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = FileMode::RUSR | FileMode::WUSR;
            rustix::fs::openat(&spot.folder, spot.name.as_os_str(), flags, mode)
        };
        let mut file = File::from(open().map_err(|error| failed(error.into()))?);
        match file.try_lock() {
            Ok(()) => {
                let named = spot.open(NAME_ONLY).map(File::from);
                let is_named = named
                    .and_then(|named| Ok(named.metadata()?.ino() == file.metadata()?.ino()))
                    .unwrap_or(false);
                if !is_named {
                    // Somebody removed it between the two: the next one would lock another file.
                    continue;
                }
                file.set_len(0)
                    .and_then(|()| file.write_all(about_us().as_bytes()))
                    .map_err(failed)?;
                return Ok(Lock { _file: file });
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Whoever cannot be named has just come, and has not written who it is; or has just gone.
        let holder = match holder(&file) {
            Some(holder) => holder,
            None if begun.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
                continue;
            }
            // The kernel leaves out whom our PID namespace does not have (a container): then the file
            // is all that is known.
            None => written(&file).unwrap_or_else(|| {
                "a process that cannot be seen from here, in another container perhaps,".to_owned()
            }),
        };
        return Err(HostError::Locked {
            path: path.to_owned(),
            holder,
        });
    }
}

/// Who holds the lock at `path` now: "process 4711 (seaworthy apply)".
///
/// To take the lock for a moment would tell as well, and could refuse whoever comes for it in that
/// moment; so the kernel's list is read.
pub fn lock_holder(host: &LinuxHost, path: &str) -> Option<String> {
    let spot = host.tree().find(path).ok()?;
    let file = File::from(spot.open(OFlags::RDONLY | OFlags::NONBLOCK).ok()?);
    holder(&file)
}

/// Who holds the lock on a file now.
fn holder(file: &File) -> Option<String> {
    holder_among(&std::fs::read_to_string("/proc/locks").ok()?, file)
}

/// The holder that the kernel lists, in its own words where it has written them already.
fn holder_among(locks: &str, file: &File) -> Option<String> {
    let stat = file.metadata().ok()?;
    let device = (
        nix::sys::stat::major(stat.dev()),
        nix::sys::stat::minor(stat.dev()),
    );
    let process = holding(locks, device, stat.ino())?;
    let own = written(file).filter(|text| text.split(' ').nth(1) == Some(&process));
    own.or_else(|| {
        let command = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
        let words = command.split(|&byte| byte == 0);
        let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
        let command = words.join(" ").trim().to_owned();
        // A process that has ended has none.
        (!command.is_empty()).then(|| format!("process {process} ({command})"))
    })
}

/// The process that holds a lock on this inode (`proc_locks(5)`):
/// `1: FLOCK  ADVISORY  WRITE 708 00:19:1234 0 EOF`.
///
/// The device there is that of the file system, in hexadecimal. A file of btrfs has that of its
/// subvolume, so where no line has the device of the file its inode alone decides.
fn holding(locks: &str, device: (u64, u64), inode: u64) -> Option<String> {
    let held = locks.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (at, of) = words.get(5)?.rsplit_once(':')?;
        let of: u64 = of.parse().ok()?;
        let is_it = words.get(1) == Some(&"FLOCK") && of == inode;
        is_it.then(|| (at == format!("{:02x}:{:02x}", device.0, device.1), words[4]))
    });
    // The first of those that are alike.
    let best = held.reduce(|best, next| if next.0 && !best.0 { next } else { best });
    best.map(|(_, process)| process.to_owned())
}

/// `process 4711 (seaworthy apply --yes)`.
fn about_us() -> String {
    let command: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    // One line, whatever the words are.
    let command = command.join(" ").replace(char::is_control, " ");
    format!("process {} ({command})\n", std::process::id())
}

/// What the holder wrote, once it is whole.
fn written(file: &File) -> Option<String> {
    let mut text = String::new();
    let read = File::from(
        reopen(
            &file.try_clone().ok()?.into(),
            OFlags::RDONLY | OFlags::NONBLOCK,
        )
        .ok()?,
    );
    read.take(4096).read_to_string(&mut text).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_of_locks() {
        let locks = "1: POSIX  ADVISORY  WRITE 4711 00:19:1234 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4713 00:19:1234 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 4712 00:19:1234 0 EOF\n";
        for (inode, process) in [(1234, Some("4712")), (123, None), (4712, None)] {
            for device in [(0, 0x19), (0xfe, 1)] {
                assert_eq!(holding(locks, device, inode).as_deref(), process, "{inode}");
            }
        }
    }

    #[test]
    fn the_same_inode_of_another_file_system_is_another_file() {
        let locks = "1: FLOCK  ADVISORY  WRITE 1 00:1a:1234 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 4712 fe:01:1234 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 2 00:19:1234 0 EOF\n";
        for (device, process) in [((0xfe, 1), "4712"), ((0, 0x19), "2"), ((0, 0x1a), "1")] {
            assert_eq!(holding(locks, device, 1234).as_deref(), Some(process));
        }
        // A subvolume, which the list does not have.
        assert_eq!(holding(locks, (0, 0x2b), 1234).as_deref(), Some("1"));
    }

    #[test]
    fn the_kernel_names_a_holder_that_has_written_nothing_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let open = || {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            options.open(&path).unwrap()
        };
        let held = open();
        held.lock().unwrap();
        let ours = std::process::id();
        for text in ["", "process 1 (of an earlier day)\n"] {
            std::fs::write(&path, text).unwrap();
            let named = holder(&open()).unwrap();
            assert!(named.starts_with(&format!("process {ours} (")), "{named}");
        }
        std::fs::write(&path, about_us()).unwrap();
        assert_eq!(holder(&open()).unwrap(), about_us().trim());
    }
}
