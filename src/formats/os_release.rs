//! os-release(5): `NAME=value` lines that a shell could read.

use std::collections::BTreeMap;

/// The assignments; of duplicates the last. Lines that are none are passed over.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines().filter_map(assignment).collect()
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, value) = line.split_once('=')?;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(valid)).then(|| (name.to_owned(), unquote(value)))
}

/// One shell word: single quotes keep everything, in double quotes a backslash escapes `"`, `\`, `$` and the
/// backtick, outside any character.
fn unquote(text: &str) -> String {
    let mut value = String::new();
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '\\') => value.extend(chars.next()),
            (Some('"'), '\\') if matches!(chars.peek(), Some('"' | '\\' | '$' | '`')) => {
                value.extend(chars.next());
            }
            // Unquoted blanks end the word, as in a shell.
            (None, ' ' | '\t') => break,
            _ => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        let cases = [
            ("ID=debian", "ID", "debian"),
            ("VERSION_ID=\"12\"", "VERSION_ID", "12"),
            (
                "PRETTY_NAME='Debian GNU/Linux 12 (bookworm)'",
                "PRETTY_NAME",
                "Debian GNU/Linux 12 (bookworm)",
            ),
            ("A=\"a \\\"b\\\" \\$c \\n\"", "A", "a \"b\" $c \\n"),
            ("A='a\\b'", "A", "a\\b"),
            ("A=a\\ b", "A", "a b"),
            ("A=", "A", ""),
            ("A=\"\"\r", "A", ""),
            ("A=1\nA=2", "A", "2"),
        ];
        for (text, name, value) in cases {
            assert_eq!(
                parse(text).get(name).map(String::as_str),
                Some(value),
                "{text}"
            );
        }
        assert!(parse("# ID=x\n\nrubbish\nA B=c\n").is_empty());
    }
}
