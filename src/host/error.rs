//! What can go wrong at the door. Every error names the path, the unit or the command.

use crate::facts::Cause;
use crate::formats::secrets::words;
use std::io;
use thiserror::Error;

/// A failure to see or to change something.
#[derive(Debug, Error)]
pub enum HostError {
    /// A file operation failed.
    #[error("{path}: cannot {verb}: {source}")]
    File {
        /// Where.
        path: String,
        /// What was tried: "read", "replace", …
        verb: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is not safe to touch this.
    #[error("{path}: {reason}")]
    Refused {
        /// Where.
        path: String,
        /// Why, as a clause.
        reason: String,
    },
    /// There is no such program.
    #[error("`{program}` is not installed")]
    NotInstalled {
        /// Its name.
        program: String,
    },
    /// A program failed.
    #[error("`{}` {how}{}", words(.command), tail(.stderr))]
    Command {
        /// The whole command line.
        command: String,
        /// "exited with status 1", "did not finish within 120 s", …
        how: String,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// A program did not end in time, and was ended.
    #[error("`{}` did not finish within {within} s{}", words(.command), tail(.stderr))]
    Late {
        /// The whole command line.
        command: String,
        /// Its deadline, in seconds.
        within: f32,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// Another run holds the lock.
    #[error("{path}: {holder} is at work")]
    Locked {
        /// The lock file.
        path: String,
        /// Who holds it: "process 4711 (seaworthy apply)".
        holder: String,
    },
    /// The Docker daemon did not answer as it should.
    #[error("Docker at {socket}: {}", words(.reason))]
    Docker {
        /// The socket.
        socket: String,
        /// What happened.
        reason: String,
        /// The kind of it.
        cause: Cause,
    },
}

fn tail(stderr: &str) -> String {
    let text = stderr.trim();
    if text.is_empty() {
        String::new()
    } else {
        // dockerd quotes the values that it does not like.
        format!(": {}", words(text))
    }
}

impl HostError {
    /// Wraps an I/O error with where it happened.
    pub fn file(path: &str, verb: &'static str, source: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            verb,
            source,
        }
    }

    /// Whether more rights would have helped.
    pub fn is_permission(&self) -> bool {
        self.cause() == Cause::NotPermitted
    }

    /// What kind of failure to see something this is.
    pub fn cause(&self) -> Cause {
        match self {
            Self::File { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => Cause::NotPermitted,
                _ => Cause::Unsaid,
            },
            Self::Docker { cause, .. } => *cause,
            Self::Late { .. } => Cause::NoAnswer,
            _ => Cause::Unsaid,
        }
    }
}
