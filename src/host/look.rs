//! Seeing what is at a path.

use super::HostError;
use super::tree::{NAME_ONLY, Spot, Tree, by_handle, read_link, reopen};
use crate::facts::{Bytes, Kind, LARGEST_FILE, Look, Mode, Node, Reading, Unseen, is_understood};
use rustix::fs::{
    AtFlags, Dir, FileType, OFlags, StatVfsMountFlags, Statx, StatxAttributes, StatxFlags,
};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What is at `path`; see [`super::ReadHost::node`].
pub(super) fn node(tree: &Tree, path: &str, look: Look) -> Result<Node, HostError> {
    if !is_understood(path) {
        // Read off a link or a file that is not UTF-8: what is really meant may well be there.
        let why = "its name is not UTF-8, and is not known here";
        let source = io::Error::new(io::ErrorKind::InvalidInput, why);
        return Err(HostError::file(path, "read", source));
    }
    let failed = |source| HostError::file(path, "read", source);
    let spot = match tree.find(path) {
        Ok(spot) => spot,
        Err(error) if is_absence(&error) => return Ok(Node::absent()),
        Err(error) => return Err(failed(error)),
    };
    match spot.open(NAME_ONLY) {
        Ok(handle) => seen(tree, &spot, &handle, look).map_err(failed),
        Err(error) if is_absence(&error) => Ok(Node {
            untrusted: spot.distrust,
            ..Node::absent()
        }),
        Err(error) => Err(failed(error)),
    }
}

/// What the file at `path` holds; a link is not followed.
pub(super) fn reading(tree: &Tree, path: &str) -> Reading<'static> {
    match node(tree, path, Look::Content) {
        Ok(node) => node.reading(path).into_owned(),
        Err(error) => Reading::Unread(Unseen::new(error.to_string(), "").because(error.cause())),
    }
}

/// See [`super::ReadHost::room`]: what is left for root, who may use the reserved blocks.
pub(super) fn room(tree: &Tree, folder: &str) -> Option<u64> {
    let handle = tree
        .find(folder)
        .and_then(|spot| spot.open(NAME_ONLY))
        .ok()?;
    let found = rustix::fs::fstatvfs(handle).ok()?;
    Some(found.f_bfree.saturating_mul(found.f_frsize))
}

/// Nothing is there, or something that is not a folder is on the way, or nothing can be there as
/// no name is so long (ENAMETOOLONG).
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

fn seen(tree: &Tree, spot: &Spot, handle: &OwnedFd, look: Look) -> io::Result<Node> {
    let stat = rustix::fs::fstat(handle)?;
    let (uid, gid) = tree.owner(&stat);
    let extra = rustix::fs::statx(handle, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS).ok();
    let kind = kind_of(stat.st_mode);
    let mut node = Node {
        kind,
        mode: Mode(stat.st_mode & 0o7777),
        uid,
        gid,
        modified: extra.as_ref().map_or(0, |extra| {
            extra.stx_mtime.tv_sec * 1_000_000 + i64::from(extra.stx_mtime.tv_nsec / 1_000)
        }),
        untrusted: spot.distrust.clone(),
        names: match kind {
            Kind::File => stat.st_nlink,
            _ => 0,
        },
        ..Node::default()
    };
    if kind == Kind::Link {
        node.target = Some(text(&read_link(handle)?));
        return Ok(node);
    }
    node.xattrs = xattrs(handle)?;
    if kind != Kind::Other {
        node.fixed = fixed(kind, &spot.real, handle, extra.as_ref())?;
    }
    match kind {
        Kind::File if look >= Look::Content => node.content = content(handle)?,
        Kind::Folder if look >= Look::Entries => {
            let (names, odd) = entries(handle)?;
            node.entries = Some(names);
            node.odd_names = odd;
        }
        _ => {}
    }
    Ok(node)
}

pub(super) fn kind_of(mode: u32) -> Kind {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Socket => Kind::Socket,
        _ => Kind::Other,
    }
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// At most [`LARGEST_FILE`]; `None` for more. The size is not trusted: files in /proc have none.
fn content(handle: &OwnedFd) -> io::Result<Option<Bytes>> {
    // Not blocking: a lease on the file must not hold us up.
    let file = File::from(reopen(handle, OFlags::RDONLY | OFlags::NONBLOCK)?);
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LARGEST_FILE).then_some(Bytes::new(bytes)))
}

/// The names in a folder, and those that are not UTF-8 as far as they can be shown.
fn entries(handle: &OwnedFd) -> io::Result<(Vec<String>, Vec<String>)> {
    let folder = reopen(handle, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let (mut names, mut odd) = (Vec::new(), Vec::new());
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        match std::str::from_utf8(name) {
            Ok("." | "..") => {}
            Ok(name) => names.push(name.to_owned()),
            Err(_) => odd.push(text(OsStr::from_bytes(name))),
        }
    }
    names.sort();
    odd.sort();
    Ok((names, odd))
}

/// All extended attributes that we may see; none where the file system has none.
pub(super) fn xattrs(handle: &OwnedFd) -> io::Result<BTreeMap<String, Bytes>> {
    let path = by_handle(handle);
    let names = match xattr::list_deref(&path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut found = BTreeMap::new();
    for name in names {
        match xattr::get_deref(&path, &name) {
            Ok(Some(value)) => {
                found.insert(text(&name), Bytes::new(value));
            }
            // Gone since, or listed but not for us to read (user.* of a file we cannot read).
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Why even root cannot change it, as a clause that reads after "PATH: ".
fn fixed(
    kind: Kind,
    real: &Path,
    handle: &OwnedFd,
    extra: Option<&Statx>,
) -> io::Result<Option<String>> {
    let has = |attribute| extra.is_some_and(|extra| extra.stx_attributes.contains(attribute));
    if has(StatxAttributes::IMMUTABLE) {
        return Ok(Some("it is immutable (chattr +i)".to_owned()));
    }
    if has(StatxAttributes::APPEND) {
        return Ok(Some("it can only be appended to (chattr +a)".to_owned()));
    }
    if rustix::fs::fstatvfs(handle)?
        .f_flag
        .contains(StatVfsMountFlags::RDONLY)
    {
        return Ok(Some("its file system is mounted read-only".to_owned()));
    }
    // Renaming over a mount point is EBUSY. For folders it does not matter: none is replaced.
    if kind != Kind::File {
        return Ok(None);
    }
    let told = extra.is_some_and(|extra| {
        extra
            .stx_attributes_mask
            .contains(StatxAttributes::MOUNT_ROOT)
    });
    if told && !has(StatxAttributes::MOUNT_ROOT) {
        return Ok(None);
    }
    // The kernel's own name for it: in a mounted image that is not the host's path.
    let at = std::fs::read_link(by_handle(handle)).unwrap_or_else(|_| real.to_owned());
    let mounts = std::fs::read("/proc/self/mountinfo")?;
    Ok(match mounted_at(&String::from_utf8_lossy(&mounts), &at) {
        Some(what) => Some(format!("something is mounted on it ({what})")),
        None if told => Some("something is mounted on it".to_owned()),
        None => None,
    })
}

/// What the last mount on exactly `path` shows, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
fn mounted_at(mountinfo: &str, path: &Path) -> Option<String> {
    mountinfo.lines().rev().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let at = unescaped(fields.get(4)?);
        if at != path.as_os_str().as_bytes() {
            return None;
        }
        let root = String::from_utf8_lossy(&unescaped(fields.get(3)?)).into_owned();
        let after = fields.iter().position(|field| *field == "-")?;
        let source = fields.get(after + 2)?;
        Some(format!("{root} of {source}"))
    })
}

/// Undoes the `\040` escapes of mountinfo.
fn unescaped(field: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = digits {
            bytes.push(byte);
            rest = &tail[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_found_by_their_exact_path() {
        let mountinfo = "\
25 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 25 254:0 /srv/my\\040daemon.json /etc/docker/daemon.json rw,relatime shared:1 - ext4 /dev/vda rw
41 25 0:30 / /tmp/a\\040b rw - tmpfs tmpfs rw
";
        for (path, what) in [
            (
                "/etc/docker/daemon.json",
                Some("/srv/my daemon.json of /dev/vda"),
            ),
            ("/etc/docker", None),
            ("/tmp/a b", Some("/ of tmpfs")),
            ("/tmp/a", None),
        ] {
            assert_eq!(
                mounted_at(mountinfo, Path::new(path)).as_deref(),
                what,
                "{path}"
            );
        }
    }
}
