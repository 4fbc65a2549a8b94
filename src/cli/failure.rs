//! Why a verb did not do what it was asked: a sentence that names the path or unit, a command that
//! helps, an exit status.

use super::REFUSED;
use anyhow::Error;

/// A failure as it is told to people.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit status.
    pub(super) status: u8,
    /// What happened.
    pub(super) error: Error,
    /// More lines, such as the difference that made a plan stale.
    pub(super) details: String,
    /// A command that helps.
    pub(super) hint: String,
}

impl Failure {
    /// Nothing was touched.
    pub(super) fn refused(error: impl Into<Error>, hint: impl Into<String>) -> Self {
        Self {
            status: REFUSED,
            error: error.into(),
            details: String::new(),
            hint: hint.into(),
        }
    }

    /// Nothing was touched, in plain words.
    pub(super) fn plain(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::refused(Error::msg(message.into()), hint)
    }
}
