//! The command lines of `ExecStart=` (systemd.service(5), "Command lines").

use super::BLANKS;
use crate::facts::steps;
use std::ops::Range;

/// One word of a command or of a variable's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedWord {
    /// Where it stands in the text, its quotes included.
    pub at: Range<usize>,
    /// The word, with quotes and escapes resolved.
    pub value: String,
}

/// A command of `ExecStart=`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The words as they were typed, those that only prepare the call included.
    pub typed: Vec<TypedWord>,
    /// What the program is called with: for each word its place in `typed`, and its value with
    /// variables as they are.
    pub words: Vec<(usize, String)>,
    /// Variables are left as they are (the prefix `:`).
    pub literal: bool,
    /// More commands follow behind a lone `;`.
    pub more: bool,
}

/// Reads a command. Quotes and C escapes are resolved, the prefixes `@ - : + ! |` are taken off the program,
/// with `@` also the word that only renames the process. Of several commands separated by `;` the first counts.
pub fn command_line(line: &str) -> CommandLine {
    let mut typed = split(line, true);
    let end = typed.iter().position(|word| &line[word.at.clone()] == ";");
    let more = end.is_some_and(|end| end + 1 < typed.len());
    typed.truncate(end.unwrap_or(typed.len()));
    let mut words: Vec<(usize, String)> = typed
        .iter()
        .enumerate()
        .map(|(index, word)| {
            let escaped = &line[word.at.clone()] == "\\;";
            let value = if escaped { ";" } else { &word.value };
            (index, value.to_owned())
        })
        .collect();
    let mut literal = false;
    if let Some((_, program)) = words.first_mut() {
        let path = program.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let prefixes = &program[..program.len() - path.len()];
        literal = prefixes.contains(':');
        let renamed = prefixes.contains('@');
        *program = path.to_owned();
        if renamed && words.len() > 1 {
            words.remove(1);
        }
    }
    CommandLine {
        typed,
        words,
        literal,
        more,
    }
}

/// The words of a command with variables as they are.
pub fn split_command(line: &str) -> Vec<String> {
    let words = command_line(line).words.into_iter();
    words.map(|(_, word)| word).collect()
}

/// The words of a setting that is a list of them, such as `Environment=`: quotes and C escapes resolved.
pub fn words(line: &str) -> Vec<String> {
    split(line, true)
        .into_iter()
        .map(|word| word.value)
        .collect()
}

/// The words of a variable's value, as `$NAME` puts them into a command.
pub fn variable_words(value: &str) -> Vec<TypedWord> {
    split(value, false)
}

/// What systemd makes of a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expanded<'a> {
    /// One word.
    Word(String),
    /// The words of the value of this variable, none where it is unset or empty.
    Variable(&'a str),
}

/// Replaces the variables of a word as systemd does: a word `$NAME` becomes the words of the value; `${NAME}`
/// becomes the value as it is, also within a word; `$$` becomes `$`.
pub(super) fn expand<'a>(word: &'a str, env: &dyn Fn(&str) -> Option<&'a str>) -> Expanded<'a> {
    match word.strip_prefix('$') {
        Some(name) if !name.starts_with(['{', '$']) => Expanded::Variable(name),
        _ => Expanded::Word(replace(word, env)),
    }
}

fn replace<'a>(word: &str, env: &dyn Fn(&str) -> Option<&'a str>) -> String {
    let mut result = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some((name, after)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            result.push_str(env(name).unwrap_or_default());
            rest = after;
        } else {
            // Within a word only the form with braces is a variable.
            result.push('$');
            rest = after;
        }
    }
    result + rest
}

/// Splits at blanks outside quotes. `command`: C escapes are resolved; otherwise a backslash only protects the next
/// character, as in the value of a variable.
fn split(line: &str, command: bool) -> Vec<TypedWord> {
    steps::count(line.len());
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches(BLANKS);
    while !rest.is_empty() {
        let (value, length) = first_word(rest, command);
        let start = line.len() - rest.len();
        words.push(TypedWord {
            at: start..start + length,
            value,
        });
        rest = rest[length..].trim_start_matches(BLANKS);
    }
    words
}

/// The first word, and its length in the text.
fn first_word(text: &str, escapes: bool) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match quote {
            None if BLANKS.contains(&c) => break,
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ if c == '\\' => {
                let after = &text[at + 1..];
                let (value, length) = if escapes {
                    escape(after)
                } else {
                    protected(after)
                };
                word.push_str(&value);
                at += 1 + length;
                continue;
            }
            _ => word.push(c),
        }
        at += c.len_utf8();
    }
    (word, at)
}

fn protected(after: &str) -> (String, usize) {
    after.chars().next().map_or_else(
        || ("\\".to_owned(), 0),
        |next| (next.to_string(), next.len_utf8()),
    )
}

/// What stands behind a backslash, and its length. An escape that systemd does not know stays as it is.
fn escape(after: &str) -> (String, usize) {
    let Some(kind) = after.chars().next() else {
        return ("\\".to_owned(), 0);
    };
    let simple = match kind {
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        's' => Some(' '),
        '\\' | '"' | '\'' => Some(kind),
        _ => None,
    };
    if let Some(simple) = simple {
        return (simple.to_string(), 1);
    }
    // \xxx hexadecimal, \nnn octal, \unnnn and \Unnnnnnnn code points.
    let (skip, digits, radix) = match kind {
        'x' => (1, 2, 16),
        'u' => (1, 4, 16),
        'U' => (1, 8, 16),
        '0'..='7' => (0, 3, 8),
        _ => return ("\\".to_owned(), 0),
    };
    let number = after
        .get(skip..skip + digits)
        .and_then(|digits| u32::from_str_radix(digits, radix).ok());
    match number.and_then(char::from_u32).filter(|c| *c != '\0') {
        Some(c) => (c.to_string(), skip + digits),
        None => ("\\".to_owned(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting() {
        let cases: &[(&str, &[&str])] = &[
            (
                "/usr/bin/dockerd -H fd:// --debug",
                &["/usr/bin/dockerd", "-H", "fd://", "--debug"],
            ),
            ("-/bin/a b", &["/bin/a", "b"]),
            ("@/bin/a name b", &["/bin/a", "b"]),
            ("+!:-/bin/a b", &["/bin/a", "b"]),
            (
                "/bin/a \"b c\" 'd e' f\"g h\"i",
                &["/bin/a", "b c", "d e", "fg hi"],
            ),
            (
                "/bin/a b\\x20c \"d\\te\" \\101 \\u00e9 f\\sg",
                &["/bin/a", "b c", "d\te", "A", "é", "f g"],
            ),
            ("/bin/a \\q \\x1", &["/bin/a", "\\q", "\\x1"]),
            ("/bin/a \"\" ''", &["/bin/a", "", ""]),
            ("/bin/a b ; /bin/c", &["/bin/a", "b"]),
            ("/bin/a b \\; c", &["/bin/a", "b", ";", "c"]),
            ("/bin/a $OPTS ${X}", &["/bin/a", "$OPTS", "${X}"]),
            ("/bin/a \"open", &["/bin/a", "open"]),
            ("/bin/a it\\'s", &["/bin/a", "it's"]),
            ("", &[]),
        ];
        for (line, expected) in cases {
            assert_eq!(split_command(line), *expected, "{line}");
        }
    }

    #[test]
    fn what_is_typed_keeps_its_place() {
        let line = "@-/bin/a  name 'b c'\t\\; $X ; /bin/d";
        let command = command_line(line);
        let typed: Vec<&str> = command
            .typed
            .iter()
            .map(|word| &line[word.at.clone()])
            .collect();
        assert_eq!(typed, ["@-/bin/a", "name", "'b c'", "\\;", "$X"]);
        let words: Vec<(usize, &str)> = command
            .words
            .iter()
            .map(|(at, word)| (*at, word.as_str()))
            .collect();
        assert_eq!(words, [(0, "/bin/a"), (2, "b c"), (3, ";"), (4, "$X")]);
        assert!(command.more && !command.literal);
        assert!(command_line(":/bin/a $X").literal);
        assert!(!command_line("/bin/a ;").more);
    }

    #[test]
    fn expanding() {
        let env = |name: &str| match name {
            "X" => Some("1 2"),
            _ => None,
        };
        let word = |text: &str| Expanded::Word(text.to_owned());
        for (typed, expected) in [
            ("$OPTS", Expanded::Variable("OPTS")),
            ("${X}", word("1 2")),
            ("a${X}b", word("a1 2b")),
            ("${NONE}", word("")),
            ("a$X", word("a$X")),
            ("$$X", word("$X")),
            ("$${X}", word("${X}")),
            ("${X", word("${X")),
        ] {
            assert_eq!(expand(typed, &env), expected, "{typed}");
        }
    }

    #[test]
    fn words_of_a_variable() {
        let value = "--debug --label \"a=b c\" d\\ e";
        let words: Vec<String> = variable_words(value)
            .into_iter()
            .map(|word| word.value)
            .collect();
        assert_eq!(words, ["--debug", "--label", "a=b c", "d e"]);
    }
}
