//! The words and options of a line, split as auditctl and getopt_long(3) split them.

/// Options of auditctl that take a value, and those that take none (auditctl(8)).
const WITH_VALUE: &str = "CefrbaAdSFmRwWkpq";
const WITHOUT_VALUE: &str = "hicslDvt";
/// Long options, and whether they take a value.
const LONG: [(&str, bool); 5] = [
    ("loginuid-immutable", false),
    ("backlog_wait_time", true),
    ("reset-lost", false),
    ("reset_backlog_wait_time_actual", false),
    ("signal", true),
];
/// An option as given: `w` or a long name, and its value.
pub(super) type Given = (String, Option<String>);

/// The words of a line: a backslash protects a following space or backslash, and stays before anything else.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if matches!(chars.peek(), Some(' ' | '\\')) => word.extend(chars.next()),
            ' ' if word.is_empty() => {}
            ' ' => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// As getopt_long(3): values may be attached, and words that belong to no option are refused afterwards.
pub(super) fn options(words: &[String]) -> Result<Vec<Given>, String> {
    let mut given = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, attached) = long
                .split_once('=')
                .map_or((long, None), |(name, value)| (name, Some(value)));
            let Some((name, takes_value)) = LONG.iter().find(|(known, _)| *known == name) else {
                return Err(format!("the option {word} is unknown"));
            };
            let value = match (takes_value, attached) {
                (false, None) => None,
                (false, Some(_)) => return Err(format!("the option --{name} takes no value")),
                (true, Some(value)) => Some(value.to_owned()),
                (true, None) => Some(next_value(&format!("--{name}"), &mut words)?),
            };
            given.push(((*name).to_owned(), value));
        } else if word.len() > 1 && word.starts_with('-') {
            let mut letters = word[1..].chars();
            while let Some(letter) = letters.next() {
                if WITHOUT_VALUE.contains(letter) {
                    given.push((letter.to_string(), None));
                } else if WITH_VALUE.contains(letter) {
                    let rest = letters.as_str();
                    let value = if rest.is_empty() {
                        next_value(&format!("-{letter}"), &mut words)?
                    } else {
                        rest.to_owned()
                    };
                    given.push((letter.to_string(), Some(value)));
                    break;
                } else {
                    return Err(format!("the option -{letter} is unknown"));
                }
            }
        } else {
            return Err(stray(word));
        }
    }
    Ok(given)
}

fn next_value<'a>(
    option: &str,
    words: &mut impl Iterator<Item = &'a String>,
) -> Result<String, String> {
    words
        .next()
        .cloned()
        .ok_or_else(|| format!("the option {option} needs a value"))
}

fn stray(word: &str) -> String {
    if word.starts_with('#') {
        return "a comment needs a line of its own".to_owned();
    }
    let quoted = if word.contains(['"', '\'']) {
        "; quotes do not protect spaces, a backslash does"
    } else {
        ""
    };
    format!("the word {word} belongs to no option{quoted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting() {
        let cases: &[(&str, &[&str])] = &[
            (" -w  /a -p wa ", &["-w", "/a", "-p", "wa"]),
            ("-w /a\\ b", &["-w", "/a b"]),
            ("-w /a\\\\ b", &["-w", "/a\\", "b"]),
            ("-w /a\\tb\\", &["-w", "/a\\tb\\"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line), *expected, "{line}");
        }
    }

    #[test]
    fn attached_and_separate_values() {
        for line in ["-D -k x", "-Dkx", "-D -kx"] {
            let given = options(&words(line)).unwrap();
            assert_eq!(
                given,
                [
                    ("D".to_owned(), None),
                    ("k".to_owned(), Some("x".to_owned()))
                ],
                "{line}"
            );
        }
        for line in ["--backlog_wait_time 1", "--backlog_wait_time=1"] {
            let given = options(&words(line)).unwrap();
            assert_eq!(
                given,
                [("backlog_wait_time".to_owned(), Some("1".to_owned()))],
                "{line}"
            );
        }
        assert!(options(&words("--reset-lost=1")).is_err());
    }
}
