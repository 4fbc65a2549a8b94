//! Changing names, contents and attributes: each function is one step of [`super::Host`].

use super::HostError;
use super::look::{kind_of, xattrs};
use super::tree::{NAME_ONLY, Tree, by_handle, chown, reopen};
use crate::facts::{Attributes, Bytes, Kind};
use rustix::fs::{AtFlags, Mode, OFlags};
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;

pub(super) fn create(
    tree: &Tree,
    path: &str,
    content: &Bytes,
    attributes: &Attributes,
) -> Result<(), HostError> {
    let spot = tree.find_trusted(path, "create")?;
    (|| {
        let mut file = File::from(rustix::fs::openat(
            &spot.folder,
            spot.name.as_os_str(),
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            // Nobody else reads it before it has the attributes that it shall have.
            Mode::RUSR | Mode::WUSR,
        )?);
        file.write_all(&content.0)?;
        apply(tree, &file.into(), attributes)
    })()
    .map_err(|source| HostError::file(path, "create", source))
}

pub(super) fn append(tree: &Tree, path: &str, bytes: &[u8]) -> Result<(), HostError> {
    let spot = tree.find_trusted(path, "append to")?;
    let file = spot
        .open(OFlags::WRONLY | OFlags::APPEND | OFlags::NONBLOCK)
        .map_err(|source| HostError::file(path, "append to", source))?;
    refuse_kind_but(&[Kind::File], &file, path)?;
    File::from(file)
        .write_all(bytes)
        .map_err(|source| HostError::file(path, "append to", source))
}

pub(super) fn rename(tree: &Tree, from: &str, to: &str) -> Result<(), HostError> {
    let source = tree.find_trusted(from, "rename")?;
    let target = tree.find_trusted(to, "replace")?;
    if source.real.parent() != target.real.parent() {
        return Err(refused(
            to,
            format!("it is not in the same folder as {from}"),
        ));
    }
    match target.open(NAME_ONLY) {
        Ok(there) => refuse_kind_but(&[Kind::File], &there, to)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(HostError::file(to, "replace", error)),
    }
    rustix::fs::renameat(
        &source.folder,
        source.name.as_os_str(),
        &target.folder,
        target.name.as_os_str(),
    )
    .map_err(|error| HostError::file(to, "replace", error.into()))
}

pub(super) fn remove(tree: &Tree, path: &str) -> Result<(), HostError> {
    let spot = tree.find_trusted(path, "remove")?;
    rustix::fs::unlinkat(&spot.folder, spot.name.as_os_str(), AtFlags::empty())
        .map_err(|error| HostError::file(path, "remove", error.into()))
}

pub(super) fn make_folder(
    tree: &Tree,
    path: &str,
    attributes: &Attributes,
) -> Result<(), HostError> {
    let spot = tree.find_trusted(path, "make the folder")?;
    (|| {
        rustix::fs::mkdirat(&spot.folder, spot.name.as_os_str(), Mode::RWXU)?;
        apply(tree, &spot.open(NAME_ONLY | OFlags::DIRECTORY)?, attributes)
    })()
    .map_err(|source| HostError::file(path, "make the folder", source))
}

pub(super) fn remove_folder(tree: &Tree, path: &str) -> Result<(), HostError> {
    let spot = tree.find_trusted(path, "remove the folder")?;
    rustix::fs::unlinkat(&spot.folder, spot.name.as_os_str(), AtFlags::REMOVEDIR)
        .map_err(|error| HostError::file(path, "remove the folder", error.into()))
}

pub(super) fn set_attributes(
    tree: &Tree,
    path: &str,
    attributes: &Attributes,
) -> Result<(), HostError> {
    const VERB: &str = "set the attributes";
    let spot = tree.find_trusted(path, VERB)?;
    // A name is enough: nothing is opened, so this works for sockets and needs no write access.
    let handle = spot
        .open(NAME_ONLY)
        .map_err(|source| HostError::file(path, VERB, source))?;
    refuse_kind_but(&[Kind::File, Kind::Folder, Kind::Socket], &handle, path)?;
    apply(tree, &handle, attributes).map_err(|source| HostError::file(path, VERB, source))
}

pub(super) fn sync(tree: &Tree, path: &str) -> Result<(), HostError> {
    let spot = tree.find_trusted(path, "sync")?;
    (|| {
        let handle = spot.open(NAME_ONLY)?;
        match kind_of(rustix::fs::fstat(&handle)?.st_mode) {
            Kind::File => fsync(&reopen(&handle, OFlags::RDONLY | OFlags::NONBLOCK)?),
            Kind::Folder => fsync(&reopen(&handle, OFlags::RDONLY | OFlags::DIRECTORY)?),
            // A socket cannot be opened. Its attributes are synced with all of its file system.
            _ => {
                let folder = reopen(&spot.folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
                Ok(rustix::fs::syncfs(folder)?)
            }
        }
    })()
    .map_err(|source| HostError::file(path, "sync", source))
}

fn fsync(handle: &OwnedFd) -> io::Result<()> {
    match rustix::fs::fsync(handle) {
        // fsync(2): "does not support synchronization", there is no disk behind it.
        Ok(()) | Err(rustix::io::Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Owner, then extended attributes, then mode. A change of owner clears setuid and capabilities,
/// and an access ACL rewrites the group bits, so the mode comes last and always wins.
/// What is right already is left alone: a needless chown fails where a needed one would not.
fn apply(tree: &Tree, handle: &OwnedFd, wanted: &Attributes) -> io::Result<()> {
    let stat = rustix::fs::fstat(handle)?;
    let uid = tree
        .uid_on_disk(wanted.uid)
        .filter(|uid| *uid != stat.st_uid);
    let gid = tree
        .gid_on_disk(wanted.gid)
        .filter(|gid| *gid != stat.st_gid);
    if uid.is_some() || gid.is_some() {
        chown(handle, uid, gid)?;
    }
    let path = by_handle(handle);
    let there = xattrs(handle)?;
    for name in there.keys() {
        if !wanted.xattrs.contains_key(name) && !Attributes::is_given_by_kernel(name) {
            xattr::remove_deref(&path, name)?;
        }
    }
    for (name, value) in &wanted.xattrs {
        if there.get(name) != Some(value) {
            xattr::set_deref(&path, name, &value.0)?;
        }
    }
    if rustix::fs::fstat(handle)?.st_mode & 0o7777 != wanted.mode.0 {
        std::fs::set_permissions(&path, Permissions::from_mode(wanted.mode.0))?;
    }
    Ok(())
}

fn refuse_kind_but(wanted: &[Kind], handle: &OwnedFd, path: &str) -> Result<(), HostError> {
    let stat =
        rustix::fs::fstat(handle).map_err(|error| HostError::file(path, "read", error.into()))?;
    let kind = kind_of(stat.st_mode);
    if wanted.contains(&kind) {
        return Ok(());
    }
    let what = match kind {
        Kind::Link => "it is a symbolic link, and none is followed or replaced",
        Kind::Folder => "it is a folder",
        Kind::Socket => "it is a socket",
        _ => "it is neither a file nor a folder",
    };
    Err(refused(path, what.to_owned()))
}

fn refused(path: &str, reason: String) -> HostError {
    HostError::Refused {
        path: path.to_owned(),
        reason,
    }
}
