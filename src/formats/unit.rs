//! systemd: unit files (systemd.syntax(7)), command lines (systemd.service(5)), environment files
//! (systemd.exec(5)) and the output of `systemctl show`.

mod command;
mod env_file;
mod show;

use serde::{Deserialize, Serialize};

pub use command::{expand, split_command};
pub use env_file::environment_file;
pub use show::{show_environment_files, show_exec_argv, show_properties};

/// A unit with its drop-ins: the assignments in the order in which systemd reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    assignments: Vec<Assignment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Assignment {
    section: String,
    key: String,
    value: String,
}

/// Reads and merges the texts of a unit: the fragment first, then its drop-ins in the order of their file names.
/// Lines that are no assignment are passed over, as systemd does.
pub fn parse(texts: &[&str]) -> Unit {
    let mut assignments = Vec::new();
    for text in texts {
        let mut section = String::new();
        for line in logical_lines(text.strip_prefix('\u{feff}').unwrap_or(text)) {
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
                });
            }
        }
    }
    Unit { assignments }
}

/// Lines without comments and blank ones. A backslash at a line's end becomes a space and joins the next line;
/// comments in between are left out.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        // Two backslashes are an escaped one, which joins nothing.
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            joined.push_str(&line[..line.len() - 1]);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        lines.push(std::mem::take(&mut joined).trim().to_owned());
    }
    lines.push(joined.trim().to_owned());
    lines.retain(|line| !line.is_empty());
    lines
}

impl Unit {
    /// Every value of a key since the last empty assignment, which resets it.
    pub fn values(&self, section: &str, key: &str) -> Vec<String> {
        let mut values = Vec::new();
        for assignment in &self.assignments {
            if assignment.section != section || assignment.key != key {
                continue;
            }
            if assignment.value.is_empty() {
                values.clear();
            } else {
                values.push(assignment.value.clone());
            }
        }
        values
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
