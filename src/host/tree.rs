//! Names in a tree of folders, resolved without ever leaving it.
//!
//! A path is walked one component at a time, each opened relative to a handle of the one before it
//! and never followed by the kernel; symbolic links on the way are expanded here. That way an
//! absolute link in a mounted image stays inside the image (as with `RESOLVE_IN_ROOT` of
//! openat2(2), but on every kernel and inside every seccomp filter), nobody can swap a folder
//! under us, and each folder that was passed can be judged: can somebody but root put things there?

use super::HostError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// As many links as the kernel follows in one path (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A handle that names a thing without opening it: works for sockets, and needs no read permission.
pub(super) const NAME_ONLY: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The account that stands for root in a demonstration that an ordinary user runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether files can be given to others. If not, that is skipped.
    pub(super) can_give: bool,
}

/// The tree that a host's paths are looked up in.
#[derive(Debug)]
pub(super) struct Tree {
    root: OwnedFd,
    ids: Option<Ids>,
}

/// Where a path leads: a folder, and a name in it that may or may not exist.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) folder: OwnedFd,
    pub(super) name: OsString,
    /// The path with links expanded, as the host sees it.
    pub(super) real: PathBuf,
    /// Why somebody but root could have decided what is there.
    pub(super) distrust: Option<String>,
}

impl Spot {
    /// A handle to what is there; never of what a link there points to.
    pub(super) fn open(&self, flags: OFlags) -> io::Result<OwnedFd> {
        Ok(rustix::fs::openat(
            &self.folder,
            self.name.as_os_str(),
            flags | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?)
    }
}

impl Tree {
    pub(super) fn new(root: &Path, ids: Option<Ids>) -> io::Result<Self> {
        let root = rustix::fs::open(
            root,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Self { root, ids })
    }

    /// The owner and group that a file on the disk has on this host.
    pub(super) fn owner(&self, stat: &Stat) -> (u32, u32) {
        match self.ids {
            Some(ids) => (
                if stat.st_uid == ids.uid {
                    0
                } else {
                    stat.st_uid
                },
                if stat.st_gid == ids.gid {
                    0
                } else {
                    stat.st_gid
                },
            ),
            None => (stat.st_uid, stat.st_gid),
        }
    }

    /// What to write to the disk for an owner on this host; `None` where it must be left alone.
    pub(super) fn uid_on_disk(&self, uid: u32) -> Option<u32> {
        match self.ids {
            Some(ids) if uid == 0 => Some(ids.uid),
            Some(ids) if !ids.can_give => None,
            _ => Some(uid),
        }
    }

    /// As [`Self::uid_on_disk`], for groups.
    pub(super) fn gid_on_disk(&self, gid: u32) -> Option<u32> {
        match self.ids {
            Some(ids) if gid == 0 => Some(ids.gid),
            Some(ids) if !ids.can_give => None,
            _ => Some(gid),
        }
    }

    /// Finds the folder and the name; the final component is not followed.
    pub(super) fn find(&self, path: &str) -> io::Result<Spot> {
        self.walk(path, false)
    }

    /// Finds the folder and the name of what a path leads to, following a final link too.
    pub(super) fn find_followed(&self, path: &str) -> io::Result<Spot> {
        self.walk(path, true)
    }

    /// [`Self::find`] for a change: refused where somebody but root decides what is there.
    pub(super) fn find_trusted(&self, path: &str, verb: &'static str) -> Result<Spot, HostError> {
        let spot = self
            .find(path)
            .map_err(|source| HostError::file(path, verb, source))?;
        match spot.distrust {
            Some(reason) => Err(HostError::Refused {
                path: path.to_owned(),
                reason,
            }),
            None => Ok(spot),
        }
    }

    fn walk(&self, path: &str, follow: bool) -> io::Result<Spot> {
        let Some(inside) = path.strip_prefix('/') else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not an absolute path",
            ));
        };
        let mut way = Way {
            tree: self,
            folders: vec![(OsString::new(), self.root.as_fd().try_clone_to_owned()?)],
            distrust: None,
        };
        way.judge_folder()?;
        let mut pending: VecDeque<OsString> = parts(OsStr::new(inside));
        let mut links = 0;
        while let Some(part) = pending.pop_front() {
            if part == ".." {
                if way.folders.len() > 1 {
                    way.folders.pop();
                }
                continue;
            }
            let last = pending.is_empty();
            if last && !follow {
                return way.end(part);
            }
            let handle = rustix::fs::openat(way.top(), part.as_os_str(), NAME_ONLY, Mode::empty())?;
            let stat = rustix::fs::fstat(&handle)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Symlink => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(rustix::io::Errno::LOOP.into());
                    }
                    let target = read_link(&handle)?;
                    way.judge(&stat, &part);
                    if target.as_bytes().starts_with(b"/") {
                        way.folders.truncate(1);
                    }
                    for part in parts(&target).into_iter().rev() {
                        pending.push_front(part);
                    }
                }
                FileType::Directory => {
                    way.folders.push((part, handle));
                    way.judge_folder()?;
                }
                _ if last => return way.end(part),
                _ => return Err(rustix::io::Errno::NOTDIR.into()),
            }
        }
        way.end(OsString::from("."))
    }
}

/// The folders passed so far.
struct Way<'a> {
    tree: &'a Tree,
    folders: Vec<(OsString, OwnedFd)>,
    distrust: Option<String>,
}

impl Way<'_> {
    fn top(&self) -> &OwnedFd {
        // The root is never popped.
        &self.folders[self.folders.len() - 1].1
    }

    fn path(&self) -> PathBuf {
        let mut path = PathBuf::from("/");
        path.extend(self.folders.iter().map(|(name, _)| name));
        path
    }

    fn judge_folder(&mut self) -> io::Result<()> {
        let stat = rustix::fs::fstat(self.top())?;
        let path = self.path();
        self.judge_as(&stat, &path);
        Ok(())
    }

    fn judge(&mut self, stat: &Stat, name: &OsStr) {
        let path = self.path().join(name);
        self.judge_as(stat, &path);
    }

    /// The sticky bit does not help: in `/tmp` anybody may put a name there before we do.
    fn judge_as(&mut self, stat: &Stat, path: &Path) {
        if self.distrust.is_some() {
            return;
        }
        let path = path.display();
        let (uid, _) = self.tree.owner(stat);
        let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
        if uid != 0 {
            self.distrust = Some(format!(
                "{path} on the way there belongs to uid {uid}, not to root"
            ));
        } else if !is_link && stat.st_mode & 0o022 != 0 {
            self.distrust = Some(format!(
                "the folder {path} on the way there can be written by others than root (mode {:04o})",
                stat.st_mode & 0o7777
            ));
        }
    }

    fn end(mut self, name: OsString) -> io::Result<Spot> {
        let mut real = self.path();
        if name != "." {
            real.push(&name);
        }
        let Some((_, folder)) = self.folders.pop() else {
            return Err(rustix::io::Errno::NOENT.into());
        };
        Ok(Spot {
            folder,
            name,
            real,
            distrust: self.distrust,
        })
    }
}

fn parts(path: &OsStr) -> VecDeque<OsString> {
    path.as_bytes()
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(|part| OsStr::from_bytes(part).to_owned())
        .collect()
}

/// What the link behind a [`NAME_ONLY`] handle points to.
pub(super) fn read_link(handle: &OwnedFd) -> io::Result<OsString> {
    let target = rustix::fs::readlinkat(handle, "", Vec::new())?;
    Ok(OsString::from_vec(target.into_bytes()))
}

/// A path that leads to exactly what a handle holds, whatever happens to its name.
pub(super) fn by_handle(handle: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}

/// Opens what a [`NAME_ONLY`] handle holds.
pub(super) fn reopen(handle: &OwnedFd, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(
        by_handle(handle),
        flags | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

/// Gives what a handle holds to an owner and a group.
pub(super) fn chown(handle: &OwnedFd, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    Ok(rustix::fs::chownat(
        handle,
        "",
        uid.map(rustix::fs::Uid::from_raw),
        gid.map(rustix::fs::Gid::from_raw),
        AtFlags::EMPTY_PATH,
    )?)
}
