//! What a rollback writes to a path that somebody changed since: the transaction's own change is
//! taken out of what is there, and every later edit stays. Pure.
//!
//! * an untouched path goes back as a whole;
//! * daemon.json is merged key by key, by [`keys`];
//! * /etc/environment, environment files of services, and the files below /etc/audit,
//!   /etc/tmpfiles.d and /etc/systemd line by line, by [`lines`];
//! * mode, owner and labels each by itself, by [`attributes`];
//! * anything else, and what cannot be merged, is refused with the three-way difference.

mod attributes;
mod keys;
mod lines;

use super::same::same;
use crate::change::{Action, State};
use crate::facts::{Attributes, Bytes};
use crate::formats::daemon_json::Document;
use crate::formats::{environment, secrets, unit};
use crate::plan::{OWN_FILE_HEADER, describe_state, unified};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const BOM: &[u8] = b"\xEF\xBB\xBF";
const ENVIRONMENT: &str = "/etc/environment";

/// Where distributions keep the environment files of services: Debian, Fedora and SUSE, Arch.
const ENVIRONMENT_FILES: [&str; 3] = ["/etc/default/", "/etc/sysconfig/", "/etc/conf.d/"];

/// What an environment file sets; pam_env(8) and systemd.exec(5) do not read alike.
fn variables_of(path: &str, text: &str) -> Option<BTreeMap<String, String>> {
    if path == ENVIRONMENT {
        return Some(environment::values(text));
    }
    ENVIRONMENT_FILES
        .iter()
        .any(|folder| path.starts_with(folder))
        .then(|| unit::environment_file(text))
}

/// More later edits than these are only counted.
const MOST_TOLD: usize = 5;

/// What becomes of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// It is what the transaction left, and becomes what it was.
    Exact,
    /// It was edited since.
    Edited {
        /// What is to be there; what is there now when there is nothing to take back.
        to: State,
        /// A sentence for each edit that stays.
        stays: Vec<String>,
    },
    /// A person must decide.
    Refused(Refusal),
}

/// Why a path cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub path: String,
    /// Why, as a clause.
    pub reason: String,
    /// What the transaction changed and what was changed since, secrets masked.
    pub difference: String,
}

/// What a rollback makes of `path`, which was `before` until a transaction made it `after`, and is
/// `now` (`None` for a link or a special file).
pub fn merge(path: &str, before: &State, after: &State, now: Option<&State>) -> Merged {
    let refused = |reason: String| {
        Merged::Refused(Refusal {
            path: path.to_owned(),
            reason,
            difference: difference(path, before, after, now),
        })
    };
    let Some(now) = now else {
        return refused("it is a symbolic link or a special file now".to_owned());
    };
    let unchanged = |stays: Vec<String>| Merged::Edited {
        to: now.clone(),
        stays,
    };
    if same(&now.record(), &after.record()) {
        return Merged::Exact;
    }
    if same(&now.record(), &before.record()) {
        return unchanged(Vec::new());
    }
    match (before, after, now) {
        (
            State::Folder { attributes: was },
            State::Folder { attributes: ours },
            State::Folder { attributes: is },
        ) => {
            let (attributes, stays) = attributes::merge(was, ours, is);
            Merged::Edited {
                to: State::Folder { attributes },
                stays,
            }
        }
        (
            State::Opaque { attributes: was },
            State::Opaque { attributes: ours },
            State::Opaque { attributes: is },
        ) => {
            let (attributes, stays) = attributes::merge(was, ours, is);
            Merged::Edited {
                to: State::Opaque { attributes },
                stays,
            }
        }
        // Only its attributes were changed: with it they are gone.
        (State::Opaque { .. }, State::Opaque { .. }, State::Absent) => {
            unchanged(vec!["it is gone since".to_owned()])
        }
        (State::Absent, State::Folder { .. }, State::Folder { .. }) => unchanged(vec![
            "mode or owner of the folder were set since, and it stays".to_owned(),
        ]),
        (
            State::Absent | State::File { .. },
            State::Absent | State::File { .. },
            State::File {
                attributes,
                content: bytes,
            },
        ) => match content(path, before.content(), after.content(), bytes) {
            Ok((None, stays)) => Merged::Edited {
                to: State::Absent,
                stays,
            },
            Ok((Some(content), mut stays)) => {
                let (attributes, more) = of_file(before, after, attributes);
                stays.extend(more);
                Merged::Edited {
                    to: State::File {
                        attributes,
                        content,
                    },
                    stays,
                }
            }
            Err(reason) => refused(reason),
        },
        (_, _, State::Absent) => refused("it was removed since".to_owned()),
        _ => refused(format!("it is something else now: {}", describe_state(now))),
    }
}

/// A file that one of the states does not have keeps its attributes.
fn of_file(before: &State, after: &State, now: &Attributes) -> (Attributes, Vec<String>) {
    match (before.attributes(), after.attributes()) {
        (Some(before), Some(after)) => attributes::merge(before, after, now),
        _ => (now.clone(), Vec::new()),
    }
}

type Content = (Option<Bytes>, Vec<String>);

fn content(
    path: &str,
    before: Option<&Bytes>,
    after: Option<&Bytes>,
    now: &Bytes,
) -> Result<Content, String> {
    if before == after {
        return Ok((
            Some(now.clone()),
            vec!["its content was changed since and stays".to_owned()],
        ));
    }
    if let (Some(was), Some(ours)) = (object(before), object(after))
        && !(was.keys().is_empty() && ours.keys().is_empty())
    {
        return by_keys(before, &was, &ours, now);
    }
    let by_line = ["/etc/audit/", "/etc/tmpfiles.d/", "/etc/systemd/"];
    if variables_of(path, "").is_none() && !by_line.iter().any(|folder| path.starts_with(folder)) {
        return Err("it was edited since, and its format is not one that can be merged".to_owned());
    }
    by_lines(path, before, after, now)
}

/// A JSON object, or nothing at all.
fn object(content: Option<&Bytes>) -> Option<Document> {
    match content {
        None => Some(Document::empty()),
        Some(content) => Document::parse(&content.0).ok(),
    }
}

fn by_keys(
    before: Option<&Bytes>,
    was: &Document,
    ours: &Document,
    now: &Bytes,
) -> Result<Content, String> {
    let is = Document::parse(&now.0).map_err(|error| format!("it cannot be read now: {error}"))?;
    let (text, stays) = keys::merge(was, ours, &is)?;
    let empty = Document::parse(text.as_bytes()).is_ok_and(|to| to.keys().is_empty());
    if empty && was.keys().is_empty() {
        // Only ours was in it, so it is again what it was: absent, or without any key.
        return Ok((before.cloned(), stays));
    }
    let mut bytes = Vec::new();
    if now.0.starts_with(BOM) {
        bytes.extend_from_slice(BOM);
    }
    bytes.extend_from_slice(text.as_bytes());
    Ok((Some(Bytes::new(bytes)), stays))
}

fn by_lines(
    path: &str,
    before: Option<&Bytes>,
    after: Option<&Bytes>,
    now: &Bytes,
) -> Result<Content, String> {
    let binary = || "it is not text".to_owned();
    let text = |content: Option<&Bytes>| match content {
        None => Some(String::new()),
        Some(content) => content.as_str().map(str::to_owned),
    };
    let was = text(before).ok_or_else(binary)?;
    let ours = text(after).ok_or_else(binary)?;
    let is = now.as_str().ok_or_else(binary)?;
    let own = is.starts_with(OWN_FILE_HEADER);
    let merged =
        lines::merge(&was, &ours, is, if own { carries } else { |_| false }).map_err(|line| {
            format!(
                "line {line} of what the transaction wrote was changed again, or its place is gone"
            )
        })?;
    let variables = [&was, &ours, is, &merged.text].map(|text| variables_of(path, text));
    if let [Some(was), Some(ours), Some(is), Some(to)] = variables {
        same_meaning([was, ours, is, to])?;
    }
    // As a whole, since a line can go on with the secret of the one before it.
    let masked = secrets::mask(path, is);
    let shown: HashMap<&str, &str> = is.lines().zip(masked.lines()).collect();
    let mut stays: Vec<String> = merged
        .added
        .iter()
        .take(MOST_TOLD)
        .map(|line| {
            let line = line.trim_end_matches('\r');
            format!("the line `{}` stays", shown.get(line).unwrap_or(&"***"))
        })
        .collect();
    if merged.added.len() > MOST_TOLD {
        let more = merged.added.len() - MOST_TOLD;
        stays.push(format!("{more} more lines that came since stay"));
    }
    if merged.gone > 0 {
        stays.push(format!(
            "{} that went since stays away",
            if merged.gone == 1 {
                "a line".to_owned()
            } else {
                format!("each of {} lines", merged.gone)
            }
        ));
    }
    let gone = merged.text.is_empty() && before.is_none() || own && merged.hollow;
    if gone && before.is_none_or(|before| *before.0 != merged.text.as_bytes()) {
        return Ok((None, stays));
    }
    Ok((Some(Bytes::new(merged.text.into_bytes())), stays))
}

/// Lines of our own files that are of no use alone.
fn carries(line: &str) -> bool {
    line == OWN_FILE_HEADER.trim_end()
        || line == "-D"
        || (line.starts_with('[') && line.ends_with(']'))
}

/// Lines of an environment file can depend on each other (a backslash joins them, the last
/// assignment wins): no variable but those that the transaction changed may get another value.
fn same_meaning(variables: [BTreeMap<String, String>; 4]) -> Result<(), String> {
    let [was, ours, is, to] = variables;
    let names: BTreeSet<&String> = [&was, &ours, &is, &to]
        .into_iter()
        .flat_map(BTreeMap::keys)
        .collect();
    for name in names {
        let (former, left) = (was.get(name), ours.get(name));
        let (today, merged) = (is.get(name), to.get(name));
        let fits = if former == left || (today != left && today != former) {
            merged == today
        } else {
            merged == former
        };
        if !fits {
            return Err(format!(
                "{name} would get a value that nobody gave it, as lines were changed since that it depends on"
            ));
        }
    }
    Ok(())
}

/// The three-way difference.
fn difference(path: &str, before: &State, after: &State, now: Option<&State>) -> String {
    let between = |one: &State, other: &State| {
        unified(&Action {
            path: path.to_owned(),
            before: one.clone(),
            after: other.clone(),
        })
    };
    let mut text = format!(
        "{path}, what the transaction changed:\n{}{path}, what was changed since:\n",
        between(before, after)
    );
    match now {
        Some(now) => text.push_str(&between(after, now)),
        None => text.push_str("a symbolic link or a special file is there now\n"),
    }
    text
}

#[cfg(test)]
mod tests;
