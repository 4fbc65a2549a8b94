//! The files of `EnvironmentFile=` (systemd.exec(5)).

use std::collections::BTreeMap;

/// Where the reader is; the states of systemd's `src/basic/env-file.c`.
enum State {
    BeforeKey,
    Key,
    BeforeValue,
    Value,
    Quoted(char),
    Comment,
}

/// The assignments; of duplicates the last.
///
/// Unquoted values end with their line and lose blanks around them, a backslash protects the next character or
/// joins the next line; quoted values keep everything, in double quotes a backslash escapes `"`, `\`, the
/// backtick and `$`. `#` and `;` begin a comment only where a name would begin. A name that is no valid variable
/// (also `export NAME`) is passed over.
pub fn environment_file(text: &str) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut state = State::BeforeKey;
    let mut key = String::new();
    let mut value = String::new();
    // The length up to which the value is kept although it ends in blanks: quoted or escaped ones.
    let mut solid = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let newline = matches!(c, '\n' | '\r');
        match state {
            State::BeforeKey if matches!(c, '#' | ';') => state = State::Comment,
            State::BeforeKey if c.is_whitespace() => {}
            State::BeforeKey => {
                key.clear();
                key.push(c);
                state = State::Key;
            }
            State::Key | State::Comment if newline => state = State::BeforeKey,
            State::Key if c == '=' => {
                value.clear();
                solid = 0;
                state = State::BeforeValue;
            }
            State::Key => key.push(c),
            State::BeforeValue | State::Value if newline => {
                insert(&mut variables, &key, &value, solid);
                state = State::BeforeKey;
            }
            State::BeforeValue if matches!(c, '"' | '\'') => state = State::Quoted(c),
            State::BeforeValue if c.is_whitespace() => {}
            State::BeforeValue | State::Value if c == '\\' => {
                if let Some(next) = chars.next().filter(|next| *next != '\n') {
                    value.push(next);
                    solid = value.len();
                }
                state = State::Value;
            }
            State::BeforeValue | State::Value => {
                value.push(c);
                state = State::Value;
            }
            State::Quoted(open) if c == open => {
                solid = value.len();
                state = State::BeforeValue;
            }
            State::Quoted('"') if c == '\\' => match chars.next() {
                Some(next @ ('"' | '\\' | '`' | '$')) => value.push(next),
                Some('\n') | None => {}
                Some(next) => value.extend(['\\', next]),
            },
            State::Quoted(_) => value.push(c),
            State::Comment => {}
        }
    }
    if matches!(state, State::BeforeValue | State::Value | State::Quoted(_)) {
        insert(&mut variables, &key, &value, solid);
    }
    variables
}

fn insert(variables: &mut BTreeMap<String, String>, key: &str, value: &str, solid: usize) {
    let key = key.trim_end();
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) || !key.bytes().all(valid) {
        return;
    }
    let (kept, rest) = value.split_at(solid);
    variables.insert(key.to_owned(), format!("{kept}{}", rest.trim_end()));
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
