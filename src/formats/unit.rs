//! systemd: unit files (systemd.syntax(7)), command lines (systemd.service(5)), environment files
//! (systemd.exec(5)) and the output of `systemctl show`.

mod command;
mod env_file;
mod openrc;
mod show;
mod start;

use serde::{Deserialize, Serialize};

pub use command::{CommandLine, TypedWord, command_line, split_command, variable_words};
pub use env_file::{environment_file, without_words};
pub use openrc::openrc_start;
pub use show::{show_environment_files, show_exec_argv, show_properties};
pub use start::{Start, StartWord, Variable, start};

/// A unit with its drop-ins: the assignments in the order in which systemd reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    assignments: Vec<Assignment>,
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

/// Reads and merges the texts of a unit: the fragment first, then its drop-ins in the order of their file names.
/// Lines that are no assignment are passed over, as systemd does.
pub fn parse(texts: &[&str]) -> Unit {
    let mut assignments = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let mut section = String::new();
        for (number, line) in logical_lines(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                name.clone_into(&mut section);
            } else if let Some((key, value)) = line.split_once('=')
                && !section.is_empty()
            {
                assignments.push(Assignment {
                    section: section.clone(),
                    key: key.trim().to_owned(),
                    value: value.trim().to_owned(),
                    text: index,
                    line: number,
                });
            }
        }
    }
    Unit { assignments }
}

/// Lines without comments and blank ones. A backslash at a line's end becomes a space and joins the next line;
/// comments in between are left out. With each line the number of its first one, counted from 1.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    let mut first = None;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with(['#', ';']) {
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
        lines.push((number, std::mem::take(&mut joined).trim().to_owned()));
        first = None;
    }
    lines.push((first.unwrap_or(1), joined.trim().to_owned()));
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

impl Unit {
    /// Every assignment of a key since the last empty one, which resets it.
    pub fn assignments(&self, section: &str, key: &str) -> Vec<&Assignment> {
        let mut found = Vec::new();
        for assignment in &self.assignments {
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
