//! `seaworthy show FILE`

use super::arguments::{Global, ShowVerb};
use super::context::read;
use super::failure::Failure;
use super::{Done, OK, print};
use crate::formats::shell::quoted_os;
use crate::plan::{Document, DocumentError};
use crate::render;
use std::path::Path;

pub(super) fn run(global: &Global, verb: &ShowVerb) -> Done {
    let document = load(&verb.file, &global.place())?;
    let paper = print::paper(global.quiet, global.verbose);
    print::out(&render::plan(&document, &paper))?;
    Ok(OK)
}

/// Reads a saved plan. `place` are the flags that say which host.
pub(super) fn load(path: &Path, place: &str) -> Result<Document, Failure> {
    Document::parse(&read(path)?).map_err(|error| refuse(path, &error, place))
}

/// Why a saved plan is of no use, and what is.
pub(super) fn refuse(path: &Path, error: &DocumentError, place: &str) -> Failure {
    let mut failure = Failure::plain(
        format!("{}: {error}", render::clean(&path.to_string_lossy())),
        format!(
            "seaworthy plan{place} --out {}",
            quoted_os(path.as_os_str())
        ),
    );
    failure.details = drift(error);
    failure
}

/// What changed on the host since a plan was made, if that is why it is of no use.
pub(super) fn drift(error: &DocumentError) -> String {
    match error {
        DocumentError::Stale(drifts) => drifts
            .iter()
            .map(|drift| render::coloured_diff(&drift.diff))
            .collect(),
        _ => String::new(),
    }
}
