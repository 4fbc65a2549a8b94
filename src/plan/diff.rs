//! Showing the difference between two states: a unified diff of the file, or old → new attributes.

use crate::change::{Action, State};
use crate::facts::{Attributes, steps};
use crate::formats::inert::is_inert;
use crate::formats::secrets;
use crate::formats::shell::quoted;
use similar::TextDiff;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The difference that an action makes, secrets masked. A changed content is a unified diff of the
/// file, its lines starting at the first column, as `patch -p0 -d /` takes it; other changes are
/// lines of `what: old -> new`. A path that would break a line is written as a shell reads it.
pub fn unified(action: &Action) -> String {
    let mut out = String::new();
    let path = named(&action.path);
    if let (Some(before), Some(after)) = (action.before.attributes(), action.after.attributes()) {
        attributes(&mut out, &path, before, after);
    }
    match (&action.before, &action.after) {
        (State::Absent, State::Folder { attributes }) => {
            let _ = writeln!(out, "{path}: new folder, {}", described(attributes));
        }
        (State::Folder { .. }, State::Absent) => {
            let _ = writeln!(out, "{path}: the folder is removed if it is empty");
        }
        (State::Absent, State::File { attributes, .. }) => {
            let _ = writeln!(out, "{path}: new file, {}", described(attributes));
        }
        (State::File { .. }, State::Absent) => {
            let _ = writeln!(out, "{path}: the file is removed");
        }
        _ => {}
    }
    if action.before.content() != action.after.content() {
        content(&mut out, action, &path);
    }
    out
}

/// The path on one line.
fn named(path: &str) -> Cow<'_, str> {
    if path.chars().all(is_inert) {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(quoted(path))
    }
}

fn content(out: &mut String, action: &Action, path: &str) {
    let text = |state: &State| -> Option<String> {
        match state.content() {
            None => Some(String::new()),
            Some(content) => content
                .as_str()
                .map(|text| secrets::mask(&action.path, text)),
        }
    };
    let (Some(old), Some(new)) = (text(&action.before), text(&action.after)) else {
        let size = |state: &State| state.content().map_or(0, |bytes| bytes.0.len());
        let _ = writeln!(
            out,
            "{path}: binary content, {} -> {} bytes",
            size(&action.before),
            size(&action.after)
        );
        return;
    };
    let name = |state: &State| {
        if *state == State::Absent {
            "/dev/null"
        } else {
            path
        }
    };
    steps::count(old.len() + new.len());
    let diff = TextDiff::from_lines(&old, &new);
    let _ = write!(
        out,
        "{}",
        diff.unified_diff()
            .context_radius(3)
            .header(name(&action.before), name(&action.after))
    );
}

fn attributes(out: &mut String, path: &str, before: &Attributes, after: &Attributes) {
    if before.mode != after.mode {
        let _ = writeln!(out, "{path}: mode {} -> {}", before.mode, after.mode);
    }
    if before.uid != after.uid {
        let _ = writeln!(out, "{path}: owner uid {} -> {}", before.uid, after.uid);
    }
    if before.gid != after.gid {
        let _ = writeln!(out, "{path}: group gid {} -> {}", before.gid, after.gid);
    }
    for name in before.xattrs.keys().chain(after.xattrs.keys()) {
        if before.xattrs.get(name) != after.xattrs.get(name) {
            let _ = writeln!(out, "{path}: extended attribute {name} changes");
        }
    }
}

fn described(attributes: &Attributes) -> String {
    format!(
        "mode {}, owner {}:{}",
        attributes.mode, attributes.uid, attributes.gid
    )
}

/// A state in a few words: "absent", "file of 120 bytes, mode 0644, owner 0:0".
pub fn describe_state(state: &State) -> String {
    match state {
        State::Absent => "absent".to_owned(),
        State::File {
            attributes,
            content,
        } => format!(
            "file of {} bytes, {}",
            content.0.len(),
            described(attributes)
        ),
        State::Folder { attributes } => format!("folder, {}", described(attributes)),
        State::Opaque { attributes } => described(attributes),
    }
}
