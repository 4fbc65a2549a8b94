//! Linux audit rules: rule files (audit.rules(7)), `auditctl -l` and `auditctl -s` (auditctl(8)).
//!
//! What a line means follows auditctl's own reader: words are separated by spaces only, a backslash protects a
//! space or a backslash, quotes protect nothing, and a comment needs a line of its own. [`line`] carries out one
//! line, [`joined`] brings the lines of many files into the order in which they are loaded, [`loading`] loads them.

mod action;
pub mod around;
mod bad;
pub mod brief;
mod call;
pub mod command;
pub mod coverage;
mod effects;
mod entry;
mod field;
mod fields;
mod identity;
pub mod joined;
mod kernel;
pub mod line;
mod listed;
pub mod loading;
mod numbers;
mod options;
pub mod paths;
mod perms;
mod status;
mod tables;

use serde::{Deserialize, Serialize};

pub use bad::{Bad, Doubt};
pub use entry::{Calls, Entry, Field, List, Operator, Value};
pub use perms::{BadPerms, Perms};
pub use status::{Status, parse_status};
pub use tables::{Machine, Release};

/// linux/audit.h, `AUDIT_MAX_KEY_LEN`: all keys of a rule together, with a separator between them.
const MAX_KEY_LENGTH: usize = 256;

/// A watch on a file, or on a folder and everything below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Watch {
    /// The absolute path, without a trailing slash.
    pub path: String,
    /// The kinds of access that are logged.
    pub perms: Perms,
    /// The keys that mark the records, in order.
    pub keys: Vec<String>,
}

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A watch, whether written as `-w` or as `-a always,exit -F path=…`.
    Watch(Watch),
    /// A watch that holds for the system calls of one architecture (`-F arch=…`): another rule to the kernel
    /// than the same watch without.
    ArchWatch {
        /// `b64`, `b32` or the name of a machine.
        arch: String,
        /// The watch.
        watch: Watch,
    },
    /// A command: `-D`, `-b`, `-f`, `-e`, `-c`, `-i`, `-r`, `--backlog_wait_time`, and removals.
    Control(String),
    /// Every other rule, in a normal form: system calls, exclusions, `never`, watches with further conditions.
    Other(String),
}

impl Rule {
    /// The watch, with or without an architecture.
    pub fn watch(&self) -> Option<&Watch> {
        match self {
            Self::Watch(watch) | Self::ArchWatch { watch, .. } => Some(watch),
            Self::Control(_) | Self::Other(_) => None,
        }
    }
}

/// A line of a rule file or of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// 1-based.
    pub number: usize,
    /// The line without its newline.
    pub text: String,
    /// What it asks for, `None` for a blank line or a comment; or why auditctl refuses it, which ends the
    /// loading of the file.
    pub rule: Result<Option<Rule>, Bad>,
}

/// Reads a rule file, or what `auditctl -l` prints (the same grammar; see [`listing`] for the exception). Empty
/// for the text `No rules`.
pub fn parse(text: &str) -> Vec<Line> {
    lines(text, listed::read)
}

/// Reads what `auditctl -l` prints. Other than a rule file, a listing protects neither spaces nor backslashes
/// in paths and keys.
pub fn listing(text: &str) -> Vec<Line> {
    lines(text, listed::read_listed)
}

fn lines(text: &str, read: fn(&str) -> Result<Option<Rule>, Bad>) -> Vec<Line> {
    if text.trim() == "No rules" {
        return Vec::new();
    }
    // Not str::lines(), which would hide the carriage returns that auditctl takes as part of a word.
    let body = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    let line = |(index, text): (usize, &str)| Line {
        number: index + 1,
        text: text.to_owned(),
        rule: read(text),
    };
    body.split('\n').enumerate().map(line).collect()
}

/// The rules of a listing, as far as they can be read, each with its line.
pub fn listed_rules(lines: &[String]) -> Vec<(&str, Entry<'_>)> {
    let read = |line| Some((line, listed::entry(line)?));
    lines.iter().map(String::as_str).filter_map(read).collect()
}

/// The watches in a rule file or listing, in order.
pub fn watches(text: &str) -> Vec<Watch> {
    parse(text)
        .into_iter()
        .filter_map(|line| line.rule.ok()??.watch().cloned())
        .collect()
}

/// The words that make auditctl add a listed rule. A listing does not protect spaces, so a watch is put together
/// from its parts.
pub fn words(line: &Line) -> Vec<String> {
    let Ok(Some(Rule::Watch(watch))) = &line.rule else {
        return line.text.split_whitespace().map(str::to_owned).collect();
    };
    let mut words = vec![
        "-w".to_owned(),
        watch.path.clone(),
        "-p".to_owned(),
        watch.perms.to_string(),
    ];
    for key in &watch.keys {
        words.extend(["-k".to_owned(), key.clone()]);
    }
    words
}

/// Whether the kernel would answer the second of two rules with `Rule exists`, which ends the loading of a file.
pub fn same(a: &Rule, b: &Rule) -> bool {
    // Commands may be given as often as one likes.
    !matches!(a, Rule::Control(_)) && a == b
}

/// The line of a rule file for a watch: `-w PATH -p wa -k docker`.
pub fn render(watch: &Watch) -> String {
    let mut words = vec![
        "-w".to_owned(),
        escape(&watch.path),
        "-p".to_owned(),
        watch.perms.to_string(),
    ];
    for key in &watch.keys {
        words.extend(["-k".to_owned(), escape(key)]);
    }
    words.join(" ")
}

fn escape(word: &str) -> String {
    word.replace('\\', "\\\\").replace(' ', "\\ ")
}

/// A rule file with lines added where they still take effect: before the `-e` that locks or ends the file, else
/// at its end. For hosts where augenrules(8) does not write the file; it moves the `-e` itself.
pub fn append_before_lock(text: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return text.to_owned();
    }
    let parsed = parse(text);
    let is_lock = |line: &&Line, values: &[&str]| matches!(&line.rule, Ok(Some(Rule::Control(text))) if values.contains(&text.as_str()));
    // Nothing after `-e 2` is accepted, wherever it stands.
    let lock = parsed
        .iter()
        .find(|line| is_lock(line, &["-e 2"]))
        .or_else(|| {
            let last = parsed.iter().rfind(|line| line.rule != Ok(None));
            last.filter(|line| is_lock(line, &["-e 0", "-e 1"]))
        });
    let before = lock.map_or(parsed.len(), |line| line.number - 1);
    let mut result: String = text.split_inclusive('\n').take(before).collect();
    if !result.is_empty() && !result.ends_with('\n') {
        result.push('\n');
    }
    for line in lines {
        result.push_str(line);
        result.push('\n');
    }
    result.extend(text.split_inclusive('\n').skip(before));
    result
}

/// Whether a rule file begins anew: it has a `-D` that is not limited to a key.
pub fn has_delete_all(text: &str) -> bool {
    // Only lines that may have it are read.
    text.split('\n')
        .filter(|line| line.trim_start_matches(' ').starts_with("-D"))
        .flat_map(parse)
        .any(|line| matches!(&line.rule, Ok(Some(Rule::Control(text))) if text == "-D"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn watch(path: &str, perms: &str, keys: &[&str]) -> Watch {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Watch {
            path: path.to_owned(),
            perms: perms.parse().unwrap(),
            keys,
        }
    }

    fn rule(text: &str) -> Rule {
        parse(text)[0].rule.clone().unwrap().unwrap()
    }

    #[test]
    fn files_and_listings() {
        let text = "## This file\n\n-D\n-b 8192\n-w /etc/docker/ -p wa -k docker\n-a always,exit -F arch=b64 -S openat -F key=x\n-e 2\n";
        let lines = parse(text);
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[0].rule, Ok(None));
        assert_eq!(lines[1].rule, Ok(None));
        assert_eq!(lines[2].rule, Ok(Some(Rule::Control("-D".to_owned()))));
        assert_eq!(lines[4].number, 5);
        assert_eq!(watches(text), [watch("/etc/docker", "wa", &["docker"])]);
        assert_eq!(parse("No rules\n"), []);
        assert_eq!(parse(""), []);
        let listed = listing("-w /srv/my data -p rwxa -k a b\n-w /a\\b -p r\n");
        assert_eq!(
            listed[0].rule,
            Ok(Some(Rule::Watch(watch("/srv/my data", "rwxa", &["a b"]))))
        );
        assert_eq!(
            listed[1].rule,
            Ok(Some(Rule::Watch(watch("/a\\b", "r", &[]))))
        );
    }

    #[test]
    fn what_the_kernel_takes_as_one_rule() {
        let cases = [
            (
                "-w /f -p wa -k a",
                "-a always,exit -F path=/f -F perm=wa -F key=a",
                true,
            ),
            ("-w /d/ -p wa", "-w /d -p aw", true),
            ("-w /d -p wa -k a", "-w /d -p wa -k b", false),
            ("-w /d -p wa", "-w /d -p w", false),
            (
                "-w /f -p wa -k a",
                "-a always,exit -F arch=b64 -F path=/f -F perm=wa -F key=a",
                false,
            ),
            (
                "-a exit,always -S open -S close -k x",
                "-a always,exit -S close,open -F key=x",
                true,
            ),
            ("-D", "-D", false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(same(&rule(a), &rule(b)), expected, "{a} | {b}");
        }
    }

    #[test]
    fn appending() {
        let cases = [
            ("", "N\n"),
            ("-D", "-D\nN\n"),
            ("-D\n", "-D\nN\n"),
            ("-D\n-e 2\n", "-D\nN\n-e 2\n"),
            ("-D\n-e 1\n# end\n", "-D\nN\n-e 1\n# end\n"),
            ("-D\n-e 2", "-D\nN\n-e 2"),
            ("-e 1\n-w /a -p w\n", "-e 1\n-w /a -p w\nN\n"),
            ("-e 2\n-w /a -p w\n", "N\n-e 2\n-w /a -p w\n"),
            ("# -e 2\n", "# -e 2\nN\n"),
        ];
        for (before, after) in cases {
            assert_eq!(
                append_before_lock(before, &["N".to_owned()]),
                after,
                "{before:?}"
            );
        }
        assert_eq!(append_before_lock("-D", &[]), "-D");
    }

    #[test]
    fn deleting_all() {
        let cases = [
            ("-D\n", true),
            ("  -D  \n", true),
            ("# -D\n", false),
            ("-D -k docker\n", false),
            ("-b 1\n", false),
        ];
        for (text, expected) in cases {
            assert_eq!(has_delete_all(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn rendered_watches_read_back(
            path in "/[a-z \\\\.-]{0,12}[a-z]",
            bits in 1u8..16,
            keys in prop::collection::vec("[a-z_\\\\ ]{0,5}[a-z]", 0..3),
        ) {
            let letters: String =
                "rwxa".chars().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, letter)| letter).collect();
            let watch = Watch { path, perms: letters.parse().unwrap(), keys };
            prop_assert_eq!(watches(&render(&watch)), vec![watch]);
        }

        #[test]
        fn appending_keeps_every_line(text in "((-D|-e [12]|-w /[ab] -p wa|# c|)\n?){0,6}") {
            let new = append_before_lock(&text, &["-w /new -p wa".to_owned()]);
            let mut kept: Vec<_> = new.lines().collect();
            let at = kept.iter().position(|line| *line == "-w /new -p wa").unwrap();
            let locked = kept[..at].contains(&"-e 2");
            kept.remove(at);
            let old: Vec<_> = text.lines().collect();
            prop_assert_eq!(kept, old);
            prop_assert!(!locked);
        }
    }
}
