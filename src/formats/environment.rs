//! `/etc/environment`, read as pam_env(8) reads it.
//!
//! The grammar is that of Linux-PAM's `modules/pam_env/pam_env.c`: `NAME=value`, optionally after `export `; a
//! `#` begins a comment anywhere, quotes included; a value that begins with a quote loses it, and its last
//! character if that is a quote too; blanks around `=` make the line void; a trailing backslash joins the next
//! line; a bare `NAME` takes the variable back; the last assignment wins. A carriage return is part of the
//! value. Compared with pam_env 1.5.2 itself on thousands of generated files.

use crate::facts::steps;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An assignment that pam_env makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The 1-based line, the first one of joined lines.
    pub line: usize,
    /// The variable.
    pub name: String,
    /// The value as a session gets it.
    pub value: String,
}

/// One statement of the file, with the physical lines (0-based) that make it up.
struct Statement {
    lines: Vec<usize>,
    name: String,
    /// `None` takes the variable back.
    value: Option<String>,
    exported: bool,
    indent: String,
    /// The comment behind the value, with its `#`.
    comment: Option<String>,
}

/// What pam_env reads, and the first line (0-based) of an unfinished join at the end, which it drops.
struct File {
    statements: Vec<Statement>,
    unfinished: Option<usize>,
}

/// Every assignment in order, overridden ones included.
pub fn assignments(text: &str) -> Vec<Assignment> {
    let assignment = |statement: Statement| {
        let line = statement.lines.first()? + 1;
        Some(Assignment {
            line,
            name: statement.name,
            value: statement.value?,
        })
    };
    read(text)
        .statements
        .into_iter()
        .filter_map(assignment)
        .collect()
}

/// The effective assignment of a variable: the last one, unless it is taken back later.
pub fn value(text: &str, name: &str) -> Option<Assignment> {
    let statement = read(text)
        .statements
        .into_iter()
        .rfind(|statement| statement.name == name)?;
    let line = statement.lines.first()? + 1;
    Some(Assignment {
        line,
        name: statement.name,
        value: statement.value?,
    })
}

/// The effective values of all variables, as [`value`] has them, in one pass.
pub fn values(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for statement in read(text).statements {
        match statement.value {
            Some(value) => values.insert(statement.name, value),
            None => values.remove(&statement.name),
        };
    }
    values
}

/// The text with the variable set. The last assignment is replaced in its place, other ones of the same name go,
/// everything else stays byte for byte; without one, a line is added at the end. A text where the variable
/// already has the value is left alone.
///
/// No file can express a value with a `#` or a line break, or a name beyond letters, digits and underscores:
/// the text then comes back unchanged, and [`value`] says so.
pub fn set(text: &str, name: &str, value: &str) -> String {
    let file = read(text);
    let ours = || {
        file.statements
            .iter()
            .filter(|statement| statement.name == name)
    };
    let settled = ours()
        .next_back()
        .is_some_and(|last| last.value.as_deref() == Some(value));
    if settled || !is_name(name) || name.is_empty() || value.contains(['#', '\n', '\0']) {
        return text.to_owned();
    }
    let assigned =
        |indent: &str, export: &str| format!("{indent}{export}{name}={}\n", quoted(value));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(last) = ours().rfind(|statement| statement.value.is_some()) else {
        // A join that the file's end cuts off would swallow a line after it.
        let end = file.unfinished.unwrap_or(lines.len());
        let gone: Vec<usize> = ours()
            .flat_map(|statement| statement.lines.clone())
            .collect();
        let mut result = kept(&lines[..end], 0, &gone);
        if !result.is_empty() && !result.ends_with('\n') {
            result.push('\n');
        }
        result.push_str(&assigned("", ""));
        result.push_str(&kept(&lines[end..], end, &gone));
        return result;
    };
    let gone: Vec<usize> = ours()
        .flat_map(|statement| statement.lines.clone())
        .collect();
    let at = last.lines.first().copied().unwrap_or_default();
    let mut result = kept(&lines[..at], 0, &gone);
    if let Some(comment) = &last.comment {
        // Behind the value a blank before the comment would become part of the value.
        result.extend([&last.indent, comment.trim_end(), "\n"]);
    }
    result.push_str(&assigned(
        &last.indent,
        if last.exported { "export " } else { "" },
    ));
    result.push_str(&kept(&lines[at..], at, &gone));
    let ended = text.ends_with('\n');
    if !ended && result.ends_with('\n') {
        result.pop();
    }
    result
}

/// The text without any line that sets the variable or takes it back; everything else stays byte for byte.
pub fn unset(text: &str, name: &str) -> String {
    let statements = read(text).statements;
    let ours = statements.iter().filter(|statement| statement.name == name);
    let gone: Vec<usize> = ours.flat_map(|statement| statement.lines.clone()).collect();
    kept(&text.split_inclusive('\n').collect::<Vec<_>>(), 0, &gone)
}

/// The lines, of which the first has the number `from`, without those in `gone`, which is in order.
fn kept(lines: &[&str], from: usize, gone: &[usize]) -> String {
    let numbered = lines
        .iter()
        .enumerate()
        .filter(|(index, _)| gone.binary_search(&(from + index)).is_err());
    numbered.map(|(_, line)| *line).collect()
}

/// Only a leading quote needs more: pam_env would take it off.
fn quoted(value: &str) -> String {
    let plain = !value.starts_with(['"', '\'']) && !value.ends_with(['\\', ' ', '\t', '\r']);
    if plain {
        value.to_owned()
    } else {
        format!("\"{value}\"")
    }
}

fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

const BLANKS: [char; 3] = [' ', '\t', '\n'];

fn read(text: &str) -> File {
    steps::count(text.len());
    let mut file = File {
        statements: Vec::new(),
        unfinished: None,
    };
    let mut joined = String::new();
    let mut members: Vec<usize> = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim_start_matches(BLANKS);
        // Blank lines and comments are passed over even between joined lines.
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        members.push(number);
        let (before, comment) = content.find('#').map_or((line, None), |at| {
            let at = at + line.len() - content.len();
            (&line[..at], Some(line[at..].to_owned()))
        });
        // A comment ends the statement; only without one a backslash can join.
        let joins = before
            .trim_end_matches(BLANKS)
            .strip_suffix('\\')
            .filter(|_| comment.is_none());
        if let Some(start) = joins {
            joined.push_str(start);
            continue;
        }
        joined.push_str(before);
        let lines = std::mem::take(&mut members);
        file.statements
            .extend(statement(&std::mem::take(&mut joined), lines, comment));
    }
    file.unfinished = members.first().copied();
    file
}

fn statement(joined: &str, lines: Vec<usize>, comment: Option<String>) -> Option<Statement> {
    let content = joined.trim_start_matches(BLANKS);
    let indent = joined[..joined.len() - content.len()].to_owned();
    let (exported, content) = content
        .strip_prefix("export ")
        .map_or((false, content), |rest| (true, rest));
    let content = content.strip_suffix('\n').unwrap_or(content);
    let (name, value) = content
        .split_once('=')
        .map_or((content, None), |(name, value)| (name, Some(value)));
    if name.is_empty() || !is_name(name) {
        return None;
    }
    let value = value.map(|value| match value.strip_prefix(['"', '\'']) {
        Some(open) => open.strip_suffix(['"', '\'']).unwrap_or(open).to_owned(),
        None => value.to_owned(),
    });
    Some(Statement {
        lines,
        name: name.to_owned(),
        value,
        exported,
        indent,
        comment,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Anything quadratic would not come to an end here that somebody waits for.
    #[test]
    fn the_largest_file_is_edited() {
        let text = "A=1\n".repeat(1 << 18);
        assert_eq!(set(&text, "A", "2"), "A=2\n");
        assert_eq!(unset(&text, "A"), "");
    }

    #[test]
    fn reading() {
        let cases: &[(&str, Option<&str>)] = &[
            ("X=1\n", Some("1")),
            ("X=1", Some("1")),
            ("  \texport X=1\n", Some("1")),
            ("export  X=1\n", None),
            ("X=\"a b\"\n", Some("a b")),
            ("X='a'\n", Some("a")),
            ("X=\"a\n", Some("a")),
            ("X=a\"\n", Some("a\"")),
            ("X=\"a'\n", Some("a")),
            ("X=\"a\"b\"\n", Some("a\"b")),
            ("X=\"\"\n", Some("")),
            ("X=\n", Some("")),
            ("X = 1\n", None),
            ("X= 1\n", Some(" 1")),
            ("X=1 # one\n", Some("1 ")),
            ("X=\"1\" # one\n", Some("1\" ")),
            ("X=1#2\n", Some("1")),
            ("#X=1\n", None),
            ("X=1\nX=2\n", Some("2")),
            ("X=1\nX\n", None),
            ("X=1\r\n", Some("1\r")),
            ("X=a\\\nb\n", Some("ab")),
            ("X=a\\\n# c\n\n b\n", Some("a b")),
            ("X=a\\\r\nb\n", Some("a\\\r")),
            ("X=a\\ # c\nb\n", Some("a\\ ")),
            ("X=a\\\n", None),
            ("X=$HOME\n", Some("$HOME")),
            ("A-B=1\nX=1\n", Some("1")),
            ("XY=1\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                value(text, "X").map(|found| found.value).as_deref(),
                *expected,
                "{text:?}"
            );
            assert_eq!(
                values(text).get("X").map(String::as_str),
                *expected,
                "{text:?}"
            );
        }
        let lines: Vec<_> = assignments("A=1\n\n# c\nB=\\\n2\nA=3\n")
            .into_iter()
            .map(|one| (one.line, one.name))
            .collect();
        assert_eq!(
            lines,
            [
                (1, "A".to_owned()),
                (4, "B".to_owned()),
                (6, "A".to_owned())
            ]
        );
    }

    #[test]
    fn setting() {
        let cases = [
            ("", "X=1\n"),
            ("A=2\n", "A=2\nX=1\n"),
            ("A=2", "A=2\nX=1\n"),
            ("A=2\r\nB=3", "A=2\r\nB=3\nX=1\n"),
            ("A=2\nX=0\nB=3\n", "A=2\nX=1\nB=3\n"),
            ("X=0", "X=1"),
            ("export X=0\n", "export X=1\n"),
            ("X=0\nA=2\n X=\"2\"\n", "A=2\n X=1\n"),
            ("X=0\r\nA=2\r\n", "X=1\nA=2\r\n"),
            ("X=1\r\n", "X=1\n"),
            ("X=\"1\"\n", "X=\"1\"\n"),
            ("X=0 # why\n", "# why\nX=1\n"),
            ("X=1\nX\nA=2\n", "X=1\nA=2\n"),
            ("X=a\\\n# c\nb\nA=2\n", "X=1\n# c\nA=2\n"),
            ("A=2\\\n", "X=1\nA=2\\\n"),
            ("A=2\nX\n", "A=2\nX=1\n"),
        ];
        for (before, after) in cases {
            assert_eq!(set(before, "X", "1"), after, "{before:?}");
        }
        for (value, line) in [
            ("\"a\"", "X=\"\"a\"\"\n"),
            ("a b", "X=a b\n"),
            ("a\\", "X=\"a\\\"\n"),
            ("", "X=\n"),
        ] {
            assert_eq!(set("", "X", value), line);
        }
        assert_eq!(set("A=1", "X", "a#b"), "A=1");
        assert_eq!(set("A=1", "A-B", "1"), "A=1");
    }

    #[test]
    fn unsetting() {
        let cases = [
            ("X=1\nA=2\r\nX=3", "A=2\r\n"),
            ("XY=1\n", "XY=1\n"),
            ("X=a\\\n# c\nb\nA=1", "# c\nA=1"),
            ("X\n", ""),
        ];
        for (before, after) in cases {
            assert_eq!(unset(before, "X"), after, "{before:?}");
        }
    }

    fn files() -> impl Strategy<Value = String> {
        "((export )?( )?[XA](=| = )?[a\"' \\\\]{0,3}( ?#c)?\r?\n?|\n|#c\n){0,6}"
    }

    proptest! {
        #[test]
        fn set_reads_back_and_settles(text in files(), wanted in "[a-z\"' \\\\\r\t=$]{0,5}") {
            let new = set(&text, "X", &wanted);
            prop_assert_eq!(value(&new, "X").map(|found| found.value), Some(wanted.clone()), "{:?}", new);
            prop_assert_eq!(set(&new, "X", &wanted), new.clone());
            let others = |text: &str| -> Vec<_> {
                assignments(text).into_iter().filter(|one| one.name != "X").map(|one| (one.name, one.value)).collect()
            };
            prop_assert_eq!(others(&new), others(&text), "{:?}", new);
        }

        #[test]
        fn unset_is_complete(text in files()) {
            let new = unset(&text, "X");
            prop_assert_eq!(value(&new, "X"), None);
            prop_assert_eq!(unset(&new, "X"), new);
        }
    }
}
