//! The files of `EnvironmentFile=` (systemd.exec(5)): reading, and taking words out of a value.

use super::BLANKS;
use super::command::{TypedWord, variable_words};
use super::placed::Placed;
use crate::facts::{is_understood, steps};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Where the reader is; the states of systemd's `src/basic/env-file.c`.
enum State {
    BeforeKey,
    Key,
    BeforeValue,
    Value,
    Quoted(char),
    Comment,
}

/// One assignment, and where its value stands in the text.
pub(super) struct Assigned {
    pub(super) name: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// The name is that of a variable; systemd passes over others.
    valid: bool,
    value: Placed,
}

impl Assigned {
    pub(super) fn value(&self) -> &str {
        self.value.text()
    }

    pub(super) fn into_value(self) -> String {
        self.value.into_text()
    }
}

/// The assignments; of duplicates the last.
///
/// Unquoted values end with their line and lose blanks around them, a backslash protects the next character or
/// joins the next line; quoted values keep everything, in double quotes a backslash escapes `"`, `\`, the
/// backtick and `$`. `#` and `;` begin a comment only where a name would begin. A name that is no valid variable
/// (also `export NAME`) is passed over.
pub fn environment_file(text: &str) -> BTreeMap<String, String> {
    assigned(text)
        .into_iter()
        .map(|one| (one.name.clone(), one.into_value()))
        .collect()
}

/// Every assignment in order, overridden ones included.
pub(super) fn assigned(text: &str) -> Vec<Assigned> {
    let mut found = all(text);
    found.retain(|one| one.valid);
    found
}

/// Every assignment in order, and the line with which systemd gives the whole file up, if there is one: it takes no
/// value that is not UTF-8 and no file with a zero byte (systemd `src/basic/env-file.c`, `check_utf8ness_and_warn`,
/// and `src/basic/fileio.c`).
pub(super) fn understood(text: &str) -> (Vec<Assigned>, Option<(usize, &'static str)>) {
    let mut found = all(text);
    let spoiled = |one: &&Assigned| !is_understood(&one.name) || !is_understood(one.value());
    let flaw = match text.find('\0') {
        Some(at) => Some((1 + text[..at].matches('\n').count(), "it has a zero byte")),
        None => found
            .iter()
            .find(spoiled)
            .map(|one| (one.line, "it is not UTF-8")),
    };
    found.retain(|one| one.valid);
    (found, flaw)
}

/// The line with which such a file cannot be understood as a whole, and why.
pub fn flaw_of_environment(text: &str) -> Option<(usize, &'static str)> {
    understood(text).1
}

fn all(text: &str) -> Vec<Assigned> {
    steps::count(text.len());
    let mut found = Vec::new();
    let mut state = State::BeforeKey;
    let mut one = Reading::default();
    let mut line = 1;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let newline = matches!(c, '\n' | '\r');
        let here = at..at + c.len_utf8();
        line += usize::from(c == '\n');
        match state {
            State::BeforeKey if matches!(c, '#' | ';') => state = State::Comment,
            State::BeforeKey if BLANKS.contains(&c) => {}
            State::BeforeKey => {
                one = Reading {
                    name: c.to_string(),
                    line,
                    ..Reading::default()
                };
                state = State::Key;
            }
            State::Key | State::Comment if newline => state = State::BeforeKey,
            State::Key if c == '=' => state = State::BeforeValue,
            State::Key => one.name.push(c),
            State::BeforeValue | State::Value if newline => {
                found.push(std::mem::take(&mut one).end());
                state = State::BeforeKey;
            }
            State::BeforeValue if matches!(c, '"' | '\'') => state = State::Quoted(c),
            State::BeforeValue if BLANKS.contains(&c) => {}
            State::BeforeValue | State::Value if c == '\\' => {
                match chars.next() {
                    Some((_, '\n')) => line += 1,
                    Some((next_at, next)) => {
                        one.value.push(next, at..next_at + next.len_utf8());
                        one.solid = one.value.text().len();
                    }
                    None => {}
                }
                state = State::Value;
            }
            State::BeforeValue | State::Value => {
                one.value.push(c, here);
                state = State::Value;
            }
            State::Quoted(open) if c == open => {
                one.solid = one.value.text().len();
                state = State::BeforeValue;
            }
            State::Quoted('"') if c == '\\' => match chars.next() {
                Some((next_at, next @ ('"' | '\\' | '`' | '$'))) => {
                    one.value.push(next, at..next_at + 1);
                }
                Some((_, '\n')) => line += 1,
                Some((next_at, next)) => {
                    one.value.push(c, here);
                    one.value.push(next, next_at..next_at + next.len_utf8());
                }
                None => {}
            },
            State::Quoted(_) => one.value.push(c, here),
            State::Comment => {}
        }
    }
    if matches!(state, State::BeforeValue | State::Value | State::Quoted(_)) {
        found.push(one.end());
    }
    found
}

/// An assignment that is being read.
#[derive(Default)]
struct Reading {
    name: String,
    line: usize,
    value: Placed,
    /// The length up to which the value is kept although it ends in blanks: quoted or escaped ones.
    solid: usize,
}

impl Reading {
    fn end(mut self) -> Assigned {
        let name = self.name.trim_end_matches(BLANKS);
        let may_be = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let valid = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(may_be);
        let kept = self.value.text().trim_end_matches(BLANKS).len();
        self.value.truncate(kept.max(self.solid));
        Assigned {
            name: name.to_owned(),
            line: self.line,
            valid,
            value: self.value,
        }
    }
}

/// The text with words taken out of the value of a variable, by their places in it; everything else stays byte for
/// byte. With a word goes the blank before it (with the first one the blank behind it), joined lines included.
///
/// # Errors
/// Why that cannot be done, as a clause: there is no such word, or it shares its quotes with others.
pub fn without_words(text: &str, name: &str, words: &BTreeSet<usize>) -> Result<String, String> {
    let before = assigned(text);
    let Some(one) = before.iter().rfind(|one| one.name == name) else {
        return Err(format!("{name} is not set there"));
    };
    let found = variable_words(one.value());
    if words.iter().any(|word| *word >= found.len()) {
        return Err(format!("{name} has not that many words"));
    }
    let mut edited = String::with_capacity(text.len());
    let mut from = 0;
    for cut in cuts(&found, words) {
        let joins = |between: &str| between.replace("\\\n", "").is_empty();
        let Some(place) = one.value.place(&cut, |gap| joins(&text[gap])) else {
            return Err(format!("{name} has quotes of its own around them"));
        };
        edited.push_str(&text[from..place.start]);
        from = place.end;
    }
    edited.push_str(&text[from..]);
    if meant(&before, name, words) == meant(&assigned(&edited), name, &BTreeSet::new()) {
        Ok(edited)
    } else {
        Err(format!(
            "{name} is written so that they cannot be taken out without touching others"
        ))
    }
}

/// What to cut out of a value: each run of words that go, with the blank before it; with the one behind it where it
/// is the first, and without any where nothing is left.
fn cuts(found: &[TypedWord], words: &BTreeSet<usize>) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut index = 0;
    while index < found.len() {
        if !words.contains(&index) {
            index += 1;
            continue;
        }
        let first = index;
        while words.contains(&index) && index < found.len() {
            index += 1;
        }
        let (start, end) = (found[first].at.start, found[index - 1].at.end);
        cuts.push(match (first.checked_sub(1), found.get(index)) {
            (Some(before), _) => found[before].at.end..end,
            (None, Some(behind)) => start..behind.at.start,
            (None, None) => start..end,
        });
    }
    cuts
}

/// Every assignment, that of `name` in words and without some of them.
fn meant(all: &[Assigned], name: &str, without: &BTreeSet<usize>) -> Vec<(String, Vec<String>)> {
    let last = all.iter().rposition(|one| one.name == name);
    all.iter()
        .enumerate()
        .map(|(index, one)| {
            let words = if Some(index) == last {
                variable_words(one.value())
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| !without.contains(index))
                    .map(|(_, word)| word.value)
                    .collect()
            } else {
                vec![one.value().to_owned()]
            };
            (one.name.clone(), words)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grammar() {
        let cases: &[(&str, Option<&str>)] = &[
            ("A=1", Some("1")),
            ("A=1\r\n", Some("1")),
            (" A = 1 2  \n", Some("1 2")),
            ("A=\"1 2 \"  \n", Some("1 2 ")),
            ("A='a\\b\n c'\n", Some("a\\b\n c")),
            ("A=\"a\\\"b\\$\\n\\\nc\"\n", Some("a\"b$\\nc")),
            ("A=a\\\nb\n", Some("ab")),
            ("A=a\\ b\\ \n", Some("a b ")),
            ("A=a\"b\"\n", Some("a\"b\"")),
            ("A=\"a\" 'b'\n", Some("ab")),
            ("A=a # no comment\n", Some("a # no comment")),
            ("# A=1\n; A=2\n", None),
            ("A\nB=1\n", None),
            ("export A=1\n", None),
            ("A=\n", Some("")),
            ("A=1\nA=2\n", Some("2")),
            ("A=\"open", Some("open")),
            ("OPTIONS=\"x\"\nA=--log-opt a=b\n", Some("--log-opt a=b")),
        ];
        for (text, expected) in cases {
            assert_eq!(
                environment_file(text).get("A").map(String::as_str),
                *expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn words_are_taken_out() {
        const FEDORA: &str = "# Modify these\nOPTIONS=\"--selinux-enabled \\\n  --log-driver=journald \\\n  --live-restore \\\n  --default-ulimit nofile=1024:1024 \\\n\"\n# end\n";
        let cases: &[(&str, &[usize], Option<&str>)] = &[
            ("A=--x", &[0], Some("A=")),
            ("A=--x --y\n", &[0], Some("A=--y\n")),
            ("A=--x  --y\n", &[1], Some("A=--x\n")),
            ("A=a b c d e\n", &[0, 2, 4], Some("A=b d\n")),
            ("A=a b c d e\n", &[1, 2], Some("A=a d e\n")),
            (
                "B=1 \r\nA = \"--x --y\"  \r\n# --x\n",
                &[1],
                Some("B=1 \r\nA = \"--x\"  \r\n# --x\n"),
            ),
            ("A='--x'", &[0], Some("A=''")),
            ("A=\" --x \"", &[0], Some("A=\"  \"")),
            ("A=1\nA=--x --y\n", &[0], Some("A=1\nA=--y\n")),
            (
                "A='--label \"a b\" --icc=true --z'\n",
                &[2],
                Some("A='--label \"a b\" --z'\n"),
            ),
            ("A='--label \"a b\" --z'\n", &[0, 1], Some("A='--z'\n")),
            ("A=\"--l \\\"a b\\\" c\"", &[1], Some("A=\"--l c\"")),
            (
                FEDORA,
                &[2],
                Some(
                    "# Modify these\nOPTIONS=\"--selinux-enabled \\\n  --log-driver=journald \\\n  --default-ulimit nofile=1024:1024 \\\n\"\n# end\n",
                ),
            ),
            (
                FEDORA,
                &[0, 3, 4],
                Some(
                    "# Modify these\nOPTIONS=\"--log-driver=journald \\\n  --live-restore \\\n\"\n# end\n",
                ),
            ),
            // The quotes end within a word.
            ("A=\"a b\" 'c d'", &[1], None),
            ("A=\"a \\\"\\\" b\"", &[3], None),
            ("B=1", &[0], None),
        ];
        for (text, words, expected) in cases {
            let name = if text.contains("OPTIONS") {
                "OPTIONS"
            } else {
                "A"
            };
            let edited = without_words(text, name, &words.iter().copied().collect());
            assert_eq!(edited.ok().as_deref(), *expected, "{text:?} {words:?}");
        }
    }

    /// Anything quadratic would not come to an end here that somebody waits for.
    #[test]
    fn the_largest_file_is_edited() {
        let text = format!("A=\"{}\"\n", "--x ".repeat(1 << 17));
        let every = (0..1 << 17).filter(|index| index % 2 == 0).collect();
        let edited = without_words(&text, "A", &every).unwrap();
        assert_eq!(edited.matches("--x").count(), 1 << 16);
    }

    proptest! {
        #[test]
        fn what_goes_is_exactly_the_words(
            text in "(#c\n)?(B=x y\n)?A=?[\"']?(--[a-c]( |  |\\\\\n ?|=|\"|')|\\\\.|\r?\n){0,8}[\"']?\n?(C=z)?",
            words in proptest::collection::btree_set(0_usize..6, 0..4),
        ) {
            let before = environment_file(&text);
            match without_words(&text, "A", &words) {
                Ok(edited) => {
                    let after = environment_file(&edited);
                    let value = |from: &BTreeMap<String, String>| -> Vec<String> {
                        variable_words(&from["A"]).into_iter().map(|word| word.value).collect()
                    };
                    let kept: Vec<String> = value(&before)
                        .into_iter()
                        .enumerate()
                        .filter(|(index, _)| !words.contains(index))
                        .map(|(_, word)| word)
                        .collect();
                    prop_assert_eq!(value(&after), kept, "{:?} {:?}", text, edited);
                    for name in ["B", "C"] {
                        prop_assert_eq!(after.get(name), before.get(name));
                    }
                    // Only bytes went, none came.
                    let mut left = text.bytes();
                    for byte in edited.bytes() {
                        prop_assert!(left.any(|other| other == byte), "{:?} {:?}", text, edited);
                    }
                    if words.is_empty() {
                        prop_assert_eq!(edited, text);
                    }
                }
                Err(reason) => prop_assert!(!reason.is_empty()),
            }
        }
    }
}
