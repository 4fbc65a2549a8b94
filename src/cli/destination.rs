//! Where a file goes that a verb writes for whoever typed its name: `--out`.
//!
//! What is there is looked at before anything is planned. A regular file is replaced as a whole, so
//! that nobody ever reads half of one. A device, a pipe and a descriptor such as `/dev/stdout` are
//! written in place and never replaced, and nobody who does not read holds us up. Everything else is
//! refused: a folder, a link to elsewhere (whose file may be another one by the time it is written),
//! a disk, a socket.

use super::failure::Failure;
use crate::formats::shell::quoted_os;
use crate::render;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long nobody may read from a pipe, and a device may take nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much is written at once to what cannot be told not to block. A pipe that has room at all has
/// room for this (pipe(7), PIPE_BUF).
const PORTION: usize = 4096;

/// How far links are followed that lead to a descriptor: /dev/stdout, /proc/self/fd/1, and one more.
const MOST_LINKS: usize = 4;

/// Somewhere to write a text to.
#[derive(Debug)]
pub(super) struct Destination {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A regular file, or nothing yet: replaced as a whole.
    File,
    /// Written in place. `waits`: a write to it may block.
    Stream { to: File, waits: bool },
}

impl Destination {
    /// Looks at what is there, and opens what is written in place. Waits at most [`PATIENCE`] for a
    /// reader of a pipe.
    ///
    /// # Errors
    /// When nothing could be written there; nothing was changed.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let kind = if path.as_os_str().as_bytes().ends_with(b"/") {
            return Err(refused(path, "it names a folder", &in_folder(path)));
        } else {
            match path.symlink_metadata() {
                Ok(found) => existing(path, &found)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => new(path)?,
                Err(error) => {
                    let why = format!("cannot look at it: {error}");
                    return Err(refused(path, &why, &list(folder(path))));
                }
            }
        };
        Ok(Self {
            path: path.to_owned(),
            kind,
        })
    }

    /// Whether it can be read again by its name.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File)
    }

    /// Writes the text: all of it, or an error.
    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        match &self.kind {
            Kind::File => replace(&self.path, text.as_bytes()),
            Kind::Stream { to, waits } => pour(to, *waits, text.as_bytes()),
        }
        .map_err(|error| {
            // It goes on with the name of a temporary file that nobody knows.
            let said = error.to_string();
            let why = said.split(" at path ").next().unwrap_or_default();
            let cure = match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::BrokenPipe => reader(&self.path),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    format!("df -h {}", quoted_os(folder(&self.path).as_os_str()))
                }
                _ => list(folder(&self.path)),
            };
            refused(&self.path, &format!("cannot write it: {why}"), &cure)
        })
    }
}

fn existing(path: &Path, found: &Metadata) -> Result<Kind, Failure> {
    let what = found.file_type();
    if what.is_file() {
        return Ok(Kind::File);
    }
    if what.is_symlink() {
        if let Some(number) = descriptor(path) {
            return stream_of(number).map_err(|error| {
                let why = format!("cannot write to this descriptor: {error}");
                refused(path, &why, "ls -l /proc/self/fd")
            });
        }
        let to = fs::read_link(path).map(|to| render::clean(&to.to_string_lossy()));
        let why = format!(
            "it is a link to {}, and none is followed",
            to.as_deref().unwrap_or("an unknown place")
        );
        return Err(refused(path, &why, &list(path)));
    }
    if what.is_char_device() || what.is_fifo() {
        return in_place(path, found).map_err(|error| {
            if error.kind() == io::ErrorKind::TimedOut {
                let why = format!("nobody has read from it for {} s", PATIENCE.as_secs());
                refused(path, &why, &reader(path))
            } else {
                refused(path, &format!("cannot open it: {error}"), &list(path))
            }
        });
    }
    let (why, cure) = if what.is_dir() {
        ("it is a folder", in_folder(path))
    } else if what.is_block_device() {
        (
            "it is a disk, and a plan would destroy what is on it",
            list(path),
        )
    } else {
        ("it is a socket", list(path))
    };
    Err(refused(path, why, &cure))
}

/// Nothing is there yet: is there a folder to put it in?
fn new(path: &Path) -> Result<Kind, Failure> {
    let folder = folder(path);
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(Kind::File),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(refused(
            path,
            &format!("there is no folder {}", shown(folder)),
            &format!("mkdir -p {}", quoted_os(folder.as_os_str())),
        )),
        Ok(_) => Err(refused(
            path,
            &format!("{} is not a folder", shown(folder)),
            &list(folder),
        )),
        Err(error) => Err(refused(
            path,
            &format!("cannot look at {}: {error}", shown(folder)),
            &list(folder),
        )),
    }
}

/// Which descriptor of ours a link leads to: `/dev/stdout`, `/dev/fd/3`, `/proc/self/fd/1`
/// (proc_pid_fd(5)).
fn descriptor(path: &Path) -> Option<u32> {
    let own = Path::new("/proc").join(std::process::id().to_string());
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        let inside = fs::canonicalize(folder(&at)).ok()?;
        if inside.starts_with(&own) && inside.ends_with("fd") {
            return at.file_name()?.to_str()?.parse().ok();
        }
        let to = fs::read_link(&at).ok()?;
        at = inside.join(to);
    }
    None
}

/// A descriptor of ours as something to write to.
fn stream_of(number: u32) -> io::Result<Kind> {
    let path = Path::new("/proc/self/fd").join(number.to_string());
    let found = fs::metadata(&path)?;
    let shared = |waits| -> io::Result<Kind> {
        // The same open file, with the place in it.
        let to = match number {
            1 => io::stdout().as_fd().try_clone_to_owned()?,
            2 => io::stderr().as_fd().try_clone_to_owned()?,
            // One that we were given beside these: at its end.
            _ => OpenOptions::new().append(true).open(&path)?.into(),
        };
        let to = File::from(to);
        Ok(Kind::Stream { to, waits })
    };
    if found.file_type().is_file() {
        return shared(false);
    }
    // Opened anew it is not to block us, and those who share it see nothing of that.
    match open_in_place(&path, false) {
        Ok(to) => Ok(Kind::Stream { to, waits: false }),
        // A socket cannot be opened, and a terminal of somebody else (su(1)) may not be.
        Err(_) if [1, 2].contains(&number) => shared(true),
        Err(error) => Err(error),
    }
}

/// Opens a device or a pipe that was found.
fn in_place(path: &Path, found: &Metadata) -> io::Result<Kind> {
    let begun = Instant::now();
    let to = loop {
        match open_in_place(path, true) {
            // fifo(7): nobody has it open for reading.
            Err(error)
                if error.raw_os_error() == Some(nix::libc::ENXIO)
                    && found.file_type().is_fifo() =>
            {
                if begun.elapsed() >= PATIENCE {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => break opened?,
        }
    };
    let opened = to.metadata()?;
    if (opened.dev(), opened.ino(), opened.mode()) != (found.dev(), found.ino(), found.mode()) {
        return Err(io::Error::other("it was replaced while it was looked at"));
    }
    Ok(Kind::Stream { to, waits: false })
}

fn open_in_place(path: &Path, is_final: bool) -> io::Result<File> {
    let mut flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    if is_final {
        flags |= nix::libc::O_NOFOLLOW;
    }
    OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .open(path)
}

/// Writes all of it, as long as there is progress.
fn pour(mut to: &File, waits: bool, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        if waits {
            ready(to)?;
        }
        match to.write(&bytes[..bytes.len().min(PORTION)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready(to)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until something can be written.
fn ready(to: &File) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        let left = PATIENCE.saturating_sub(begun.elapsed());
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(to.as_fd(), PollFlags::POLLOUT)], left) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("nobody has read from it for {} s", PATIENCE.as_secs()),
                ));
            }
            Err(nix::errno::Errno::EINTR) => {}
            ready => return ready.map(|_| ()).map_err(io::Error::from),
        }
    }
}

/// Puts a new file where the former one is, or none was.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder(path);
    // Mode 0600 on purpose: a plan tells in which ways a host is weak.
    let mut file = tempfile::Builder::new()
        .prefix(".seaworthy-")
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    if path.symlink_metadata().is_ok_and(|now| !now.is_file()) {
        return Err(io::Error::other("something else was put there meanwhile"));
    }
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// The folder that a path is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn refused(path: &Path, why: &str, cure: &str) -> Failure {
    Failure::plain(format!("{}: {why}", shown(path)), cure)
}

fn shown(path: &Path) -> String {
    render::clean(&path.to_string_lossy())
}

fn list(path: &Path) -> String {
    format!("ls -ld {}", quoted_os(path.as_os_str()))
}

fn reader(path: &Path) -> String {
    format!("cat {} &", quoted_os(path.as_os_str()))
}

fn in_folder(path: &Path) -> String {
    let inside = path.join("plan.json");
    format!("seaworthy plan --out {}", quoted_os(inside.as_os_str()))
}
