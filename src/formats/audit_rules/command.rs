//! What a line makes auditctl do.

use std::fmt;

/// What a line makes auditctl do besides rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `-e`: 0 off, 1 on, 2 locked.
    Enable(u8),
    /// `-f`: what happens when a record is lost.
    Failure(u8),
    /// `-r`: records in a second, 0 without a limit.
    Rate(u32),
    /// `-b`: records that may wait, 0 without a limit.
    Backlog(u32),
    /// `-i`: what is refused from here on is passed over.
    Ignore,
    /// `-c`: the same, and the exit status says so.
    Continue,
    /// `-D`, with the key that it is limited to.
    Delete(Option<String>),
    /// Others, which change nothing about rules: as they were written.
    Other(String),
}

/// What is done with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `-a`, `-w`: at the end of its list.
    Append,
    /// `-A`: at the beginning.
    Prepend,
    /// `-d`, `-W`: out of it.
    Delete,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable(value) => write!(f, "-e {value}"),
            Self::Failure(value) => write!(f, "-f {value}"),
            Self::Rate(value) => write!(f, "-r {value}"),
            Self::Backlog(value) => write!(f, "-b {value}"),
            Self::Ignore => f.write_str("-i"),
            Self::Continue => f.write_str("-c"),
            Self::Delete(None) => f.write_str("-D"),
            Self::Delete(Some(key)) => write!(f, "-D -k {key}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
