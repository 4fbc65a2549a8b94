//! The command lines of `ExecStart=` (systemd.service(5), "Command lines").

use std::collections::BTreeMap;

/// The words of a command. Quotes and C escapes are resolved, the prefixes `@ - : + ! |` are taken off the program,
/// with `@` also the word that only renames the process. Of several commands separated by `;` the first counts.
/// Variables stay as they are, see [`expand`].
pub fn split_command(line: &str) -> Vec<String> {
    let mut words = split(line, true);
    let Some(program) = words.first_mut() else {
        return words;
    };
    let path = program.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    let renamed = program[..program.len() - path.len()].contains('@');
    *program = path.to_owned();
    if renamed && words.len() > 1 {
        words.remove(1);
    }
    words
}

/// The words with variables replaced as systemd does: a word `$NAME` becomes the words of the value, none where it
/// is unset or empty; `${NAME}` becomes the value as it is, also within a word; `$$` becomes `$`.
pub fn expand(argv: &[String], env: &BTreeMap<String, String>) -> Vec<String> {
    let mut words = Vec::new();
    for word in argv {
        match word.strip_prefix('$') {
            Some(name) if !name.starts_with(['{', '$']) => {
                words.extend(
                    env.get(name)
                        .into_iter()
                        .flat_map(|value| split(value, false)),
                );
            }
            _ => words.push(replace(word, env)),
        }
    }
    words
}

fn replace(word: &str, env: &BTreeMap<String, String>) -> String {
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
            result.push_str(env.get(name).map_or("", String::as_str));
            rest = after;
        } else {
            // Within a word only the form with braces is a variable.
            result.push('$');
            rest = after;
        }
    }
    result + rest
}

/// Splits at blanks outside quotes. `command`: C escapes are resolved and a lone `;` ends the command; otherwise
/// a backslash only protects the next character, as in the value of a variable.
fn split(line: &str, command: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, length) = first_word(rest, command);
        let raw = &rest[..length];
        rest = rest[length..].trim_start();
        if command && raw == ";" {
            break;
        }
        words.push(if command && raw == "\\;" {
            ";".to_owned()
        } else {
            word
        });
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
            None if c.is_whitespace() => break,
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
    fn expanding() {
        let env: BTreeMap<_, _> = [
            ("OPTS", "--debug --label \"a=b c\""),
            ("EMPTY", ""),
            ("X", "1 2"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let cases: &[(&str, &[&str])] = &[
            ("/d $OPTS", &["/d", "--debug", "--label", "a=b c"]),
            ("/d $NONE x $EMPTY", &["/d", "x"]),
            ("/d ${X} a${X}b ${NONE}", &["/d", "1 2", "a1 2b", ""]),
            ("/d a$X $$X $${X}", &["/d", "a$X", "$X", "${X}"]),
            ("/d ${X", &["/d", "${X"]),
        ];
        for (line, expected) in cases {
            let argv: Vec<_> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(expand(&argv, &env), *expected, "{line}");
        }
    }
}
