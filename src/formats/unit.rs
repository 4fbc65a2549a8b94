//! systemd: unit files (systemd.syntax(7)), command lines (systemd.service(5)), environment files
//! (systemd.exec(5)) and the output of `systemctl show`.

mod command;
mod env_file;
mod fault;
mod openrc;
mod placed;
mod show;
mod start;

use crate::facts::{is_understood, steps};
use fault::CommandFault;
use serde::{Deserialize, Serialize};

pub use command::{CommandLine, TypedWord, command_line, split_command, variable_words, words};
pub use env_file::{environment_file, flaw_of_environment, without_words};
pub use fault::{Fault, Refused, refused};
pub use openrc::openrc_start;
pub use show::{show_environment_files, show_exec_argv, show_properties};
pub use start::{Start, StartWord, Variable, start, variables_used};

/// Where systemd looks for the files of units; the first folder wins (systemd.unit(5), "Unit File Load
/// Path").
pub const FOLDERS: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// A unit with its drop-ins: the assignments in the order in which systemd reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    assignments: Vec<Assignment>,
    /// Where systemd stops reading one of the texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// One assignment of a unit, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    section: String,
    key: String,
    /// The value; lines that a backslash joins are one.
    pub value: String,
    /// In which of the texts, counted from 0.
    pub text: usize,
    /// On which line of it, counted from 1, it begins.
    pub line: usize,
}

/// What systemd takes for blanks (`WHITESPACE`, systemd `src/basic/string-util.h`).
pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Reads and merges the texts of a unit: the fragment first, then its drop-ins in the order of their file names.
/// Lines that are no assignment are passed over, as systemd does. At a line that it cannot read at all it gives the
/// text up: what stands before it counts, and the fault is kept in [`Unit::faults`].
pub fn parse(texts: &[&str]) -> Unit {
    let mut unit = Unit::default();
    for (index, text) in texts.iter().enumerate() {
        steps::count(text.len());
        let mut section = String::new();
        for (number, line) in logical_lines(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            let mut give_up = |what: String| {
                unit.faults.push(Fault {
                    text: index,
                    line: number,
                    what,
                });
            };
            if !is_understood(&line) {
                give_up("it has a byte that is not UTF-8".to_owned());
                break;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let Some(name) = rest.strip_suffix(']') else {
                    give_up(format!("`{line}` is no section header"));
                    break;
                };
                name.clone_into(&mut section);
                continue;
            }
            let Some((key, value)) = line.split_once('=').filter(|_| !section.is_empty()) else {
                continue;
            };
            let (key, value) = (key.trim_matches(BLANKS), value.trim_matches(BLANKS));
            match fault::of_command(&section, key, value) {
                Some(CommandFault::GivesUp(what)) => {
                    give_up(what);
                    break;
                }
                Some(CommandFault::PassedOver) => continue,
                None => {}
            }
            unit.assignments.push(Assignment {
                section: section.clone(),
                key: key.to_owned(),
                value: value.to_owned(),
                text: index,
                line: number,
            });
        }
    }
    unit
}

/// Lines without comments and blank ones. A backslash at a line's end becomes a space and joins the next line;
/// comments in between are left out. With each line the number of its first one, counted from 1.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    let mut first = None;
    for (index, line) in lines_of(text).enumerate() {
        if line.trim_start_matches(BLANKS).starts_with(['#', ';']) {
            continue;
        }
        let number = *first.get_or_insert(index + 1);
        // Two backslashes are an escaped one, which joins nothing.
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            joined.push_str(&line[..line.len() - 1]);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        lines.push((
            number,
            std::mem::take(&mut joined).trim_matches(BLANKS).to_owned(),
        ));
        first = None;
    }
    lines.push((first.unwrap_or(1), joined.trim_matches(BLANKS).to_owned()));
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

/// Lines end with a line feed, a carriage return, both in either order, or a zero byte (systemd
/// `src/basic/fileio.c`, `read_line_full`).
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r', '\0']) else {
            rest = None;
            return Some(text);
        };
        let behind = &text[end..];
        let pair = behind.starts_with("\r\n") || behind.starts_with("\n\r");
        rest = Some(&behind[1 + usize::from(pair)..]);
        Some(&text[..end])
    })
}

impl Unit {
    /// Every assignment of a key since the last empty one, which resets it.
    pub fn assignments(&self, section: &str, key: &str) -> Vec<&Assignment> {
        let mut found = Vec::new();
        for assignment in steps::counted(&self.assignments) {
            if assignment.section != section || assignment.key != key {
                continue;
            }
            if assignment.value.is_empty() {
                found.clear();
            } else {
                found.push(assignment);
            }
        }
        found
    }

    /// Every value of a key since the last empty assignment, which resets it.
    pub fn values(&self, section: &str, key: &str) -> Vec<String> {
        self.assignments(section, key)
            .into_iter()
            .map(|assignment| assignment.value.clone())
            .collect()
    }

    /// The effective value of a key that takes one value.
    pub fn last(&self, section: &str, key: &str) -> Option<String> {
        self.values(section, key).pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = "[Unit]\nDescription=Docker\nAfter=a.service\n\
        [Service]\n# comment\nType=notify\nExecStart=/usr/bin/dockerd -H fd:// \\\n# between\n  ; and this\n    --debug\n\
        Environment=A=1\nEnvironment=B=2\n Key = spaced value \nEmpty=\n";

    #[test]
    fn merging() {
        let one = parse(&[DOCKER]);
        assert_eq!(
            one.last("Service", "ExecStart").as_deref(),
            Some("/usr/bin/dockerd -H fd://      --debug")
        );
        assert_eq!(one.values("Service", "Environment"), ["A=1", "B=2"]);
        assert_eq!(one.last("Service", "Key").as_deref(), Some("spaced value"));
        assert_eq!(one.last("Service", "Empty"), None);
        assert_eq!(one.last("Unit", "ExecStart"), None);
        let drop_in =
            "[Service]\r\nExecStart=\r\nExecStart=/usr/bin/dockerd\r\nEnvironment=C=3\r\n";
        let merged = parse(&[DOCKER, drop_in]);
        assert_eq!(merged.values("Service", "ExecStart"), ["/usr/bin/dockerd"]);
        assert_eq!(
            merged.values("Service", "Environment"),
            ["A=1", "B=2", "C=3"]
        );
        let reset = parse(&[DOCKER, "[Service]\nEnvironment=\n"]);
        assert!(reset.values("Service", "Environment").is_empty());
    }

    #[test]
    fn assignments_know_their_lines() {
        let drop_in = "# why\n\n[Service]\nExecStart=\nExecStart=/usr/bin/dockerd \\\n  -D\n";
        let unit = parse(&[DOCKER, drop_in]);
        let places = |key: &str| -> Vec<(usize, usize)> {
            unit.assignments("Service", key)
                .iter()
                .map(|assignment| (assignment.text, assignment.line))
                .collect()
        };
        assert_eq!(places("ExecStart"), [(1, 5)]);
        assert_eq!(places("Environment"), [(0, 11), (0, 12)]);
        let first = parse(&[DOCKER]);
        assert_eq!(first.assignments("Service", "ExecStart")[0].line, 7);
    }

    #[test]
    fn oddities() {
        let cases = [
            ("Key=1\n[S]\n", None),
            ("[S]\nKey=a\\\\\nKey=b", Some("b")),
            ("[S]\nKey=a \\", Some("a")),
            ("[S]\nrubbish\nKey=1", Some("1")),
            ("\u{feff}[S]\nKey=1", Some("1")),
            ("[S]\nKey=a=b # no comment", Some("a=b # no comment")),
            ("[S]\n[T]\nKey=1\n[S]\nKey=2", Some("2")),
            ("[S]\n# hidden\rKey=1", Some("1")),
            ("[S]\n# hidden\0Key=1", Some("1")),
            ("[S]\nKey=1\r\n", Some("1")),
            ("[S]\nKey=\u{a0}1", Some("\u{a0}1")),
            ("[S]\n# \u{fffd}\nKey=1", Some("1")),
            ("[S]\nKey=1\nOther=\u{fffd}\nKey=2", Some("1")),
            ("[S]\nKey=1\n[S\nKey=2", Some("1")),
        ];
        for (text, expected) in cases {
            assert_eq!(
                parse(&[text]).last("S", "Key").as_deref(),
                expected,
                "{text:?}"
            );
        }
    }
}
