//! One of us at a time.

use super::tree::reopen;
use super::{HostError, LinuxHost, change, look};
use crate::facts::{Attributes, Kind, Look, Mode};
use rustix::fs::{Mode as FileMode, OFlags};
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;

/// Holds the lock until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock at `path`, making its folder (0700) and the file (0600) where they are missing.
///
/// The lock is the kernel's (flock(2)): it ends with the process that holds it, so what a crash
/// has left in the file never blocks anybody. The file says who holds it.
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
    let spot = tree.find_trusted(path, "lock")?;
    let failed = |source| HostError::file(path, "lock", source);
    let mut file = File::from(
        rustix::fs::openat(
            &spot.folder,
            spot.name.as_os_str(),
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
            FileMode::RUSR | FileMode::WUSR,
        )
        .map_err(|error| failed(error.into()))?,
    );
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(HostError::Locked {
                path: path.to_owned(),
                holder: holder(&file).unwrap_or_else(|| "somebody".to_owned()),
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0)
        .and_then(|()| file.write_all(about_us().as_bytes()))
        .map_err(failed)?;
    Ok(Lock { _file: file })
}

/// Who holds the lock at `path` now: "process 4711 (seaworthy apply)".
///
/// To take the lock for a moment would tell as well, and could refuse whoever comes for it in that
/// moment; so the kernel's list is read.
pub fn lock_holder(host: &LinuxHost, path: &str) -> Option<String> {
    let spot = host.tree().find(path).ok()?;
    let file = File::from(spot.open(OFlags::RDONLY | OFlags::NONBLOCK).ok()?);
    let holder = holder(&file)?;
    let inode = file.metadata().ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    is_held(&locks, &holder, inode).then_some(holder)
}

/// Whether this process holds a lock on this inode (`proc_locks(5)`):
/// `1: FLOCK  ADVISORY  WRITE 708 00:19:1234 0 EOF`.
fn is_held(locks: &str, holder: &str, inode: u64) -> bool {
    let process = holder.split(' ').nth(1);
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.get(1) == Some(&"FLOCK")
            && words.get(4).copied() == process
            && words
                .get(5)
                .and_then(|file| file.rsplit(':').next()?.parse().ok())
                == Some(inode)
    })
}

/// `process 4711 (seaworthy apply --yes)`.
fn about_us() -> String {
    let command: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    format!("process {} ({})\n", std::process::id(), command.join(" "))
}

fn holder(file: &File) -> Option<String> {
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
                     2: FLOCK  ADVISORY  WRITE 4712 00:19:1234 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4713 00:19:1234 0 EOF\n";
        for (holder, inode, held) in [
            ("process 4712 (seaworthy apply)", 1234, true),
            ("process 4712 (seaworthy apply)", 123, false),
            ("process 4711 (seaworthy apply)", 1234, false),
            ("process 4713 (seaworthy apply)", 1234, false),
            ("", 1234, false),
        ] {
            assert_eq!(is_held(locks, holder, inode), held, "{holder} {inode}");
        }
    }
}
