//! Reading a file that a person names: on the command line, or in the environment.

use nix::sys::stat::{SFlag, fstat};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a pipe may take, as in `--config <(…)`. Whoever writes more slowly can write a file.
const PIPE_DEADLINE: Duration = Duration::from_secs(5);

/// Reads a file of at most `most` bytes, whatever it turns out to be: neither a pipe without a writer
/// nor a device without an end holds anybody up. Links are followed.
///
/// # Errors
/// When it cannot be opened, is larger, is neither a regular file nor a pipe, or is a pipe into which
/// nobody writes, or whose writer takes longer than five seconds.
pub fn read_named(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, kind) = open(path)?;
    match kind {
        SFlag::S_IFREG => within(file, most),
        SFlag::S_IFIFO => from_pipe(file, most),
        SFlag::S_IFDIR => Err(nix::errno::Errno::EISDIR.into()),
        _ => Err(not_a_file()),
    }
}

/// The same for what must be a regular file.
///
/// # Errors
/// As for [`read_named`], and for a pipe.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    match open(path)? {
        (file, SFlag::S_IFREG) => within(file, most),
        _ => Err(not_a_file()),
    }
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

fn too_large(most: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("it is larger than {} MiB", most >> 20),
    )
}

/// Not blocking: a pipe without a writer opens at once then (fifo(7)).
fn open(path: &Path) -> io::Result<(File, SFlag)> {
    let flags = nix::fcntl::OFlag::O_NONBLOCK | nix::fcntl::OFlag::O_NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)?;
    let mode = fstat(&file)?.st_mode;
    let kind = SFlag::from_bits_truncate(mode) & SFlag::S_IFMT;
    Ok((file, kind))
}

/// The size is not trusted: files in /proc have none.
fn within(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

fn from_pipe(mut pipe: File, most: u64) -> io::Result<Vec<u8>> {
    let ends = Instant::now() + PIPE_DEADLINE;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        if Instant::now() >= ends {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "it is a pipe, and was not read to its end within {} s",
                    PIPE_DEADLINE.as_secs()
                ),
            ));
        }
        match pipe.read(&mut buffer) {
            // Nobody has it open for writing, or nobody wrote.
            Ok(0) if bytes.is_empty() => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "it is a pipe into which nobody writes",
                ));
            }
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error),
        }
        if bytes.len() as u64 > most {
            return Err(too_large(most));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;
    use std::io::Write as _;

    #[test]
    fn nothing_that_is_not_a_file_holds_anybody_up() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "ahoy").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for path in [at("file"), at("link")] {
            assert_eq!(read_named(&path, 4).unwrap(), b"ahoy");
            assert_eq!(read_regular(&path, 4).unwrap(), b"ahoy");
            let error = read_named(&path, 3).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
        assert!(read_named(&at("pipe"), 4).is_err());
        assert!(read_regular(&at("pipe"), 4).is_err());
        for path in ["/dev/zero", "/dev/null", "/dev/full", "/dev", "/no/such"] {
            assert!(read_named(Path::new(path), 4).is_err(), "{path}");
            assert!(read_regular(Path::new(path), 4).is_err(), "{path}");
        }
        assert!(read_named(&at("socket"), 4).is_err());
    }

    #[test]
    fn a_pipe_with_a_writer_is_read() {
        let (reader, mut writer) = io::pipe().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&reader);
        let path = format!("/proc/self/fd/{number}");
        writer.write_all(b"ahoy").unwrap();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            writer.write_all(b", sailor").unwrap();
        });
        assert_eq!(read_named(Path::new(&path), 64).unwrap(), b"ahoy, sailor");
        thread.join().unwrap();
    }
}
