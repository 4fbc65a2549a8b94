//! The words of a line, split as auditctl splits them, and its options, as getopt_long(3) finds them.

use super::bad::Bad;
use std::borrow::Cow;

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

/// A word of a line.
pub(super) type Word<'a> = Cow<'a, str>;

/// The words of a line: a backslash protects a following space or backslash, and stays before anything else.
pub(super) fn words(line: &str) -> Vec<Word<'_>> {
    if !line.contains('\\') {
        return line
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(Cow::Borrowed)
            .collect();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if matches!(chars.peek(), Some(' ' | '\\')) => word.extend(chars.next()),
            ' ' if word.is_empty() => {}
            ' ' => words.push(Cow::Owned(std::mem::take(&mut word))),
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(Cow::Owned(word));
    }
    words
}

/// An option with its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Given<'a> {
    Short(char, Option<Cow<'a, str>>),
    Long(&'static str, Option<Cow<'a, str>>),
}

/// Finds one option after the other, as getopt_long(3) does: values may be attached, and words that belong to no
/// option are passed over until the end.
pub(super) struct Options<'w> {
    words: &'w [Word<'w>],
    at: usize,
    /// What is left of a word of several letters.
    letters: &'w str,
    /// The first word that belongs to no option.
    pub(super) stray: Option<&'w str>,
    /// Whether there was any option.
    pub(super) any: bool,
}

impl<'w> Options<'w> {
    pub(super) fn new(words: &'w [Word<'w>]) -> Self {
        Self {
            words,
            at: 0,
            letters: "",
            stray: None,
            any: false,
        }
    }

    /// The word after the option that was found last.
    pub(super) fn following(&self) -> Option<&'w str> {
        self.words.get(self.at).map(AsRef::as_ref)
    }

    /// Whether the last option is followed by others in the same word.
    pub(super) fn is_within_word(&self) -> bool {
        !self.letters.is_empty()
    }

    /// What is not read yet, a stray word before it included.
    pub(super) fn rest(&self) -> Option<&'w str> {
        self.stray.or_else(|| {
            if self.letters.is_empty() {
                self.following()
            } else {
                Some(self.letters)
            }
        })
    }

    fn value(&mut self, option: impl FnOnce() -> String) -> Result<Cow<'w, str>, Bad> {
        let Some(value) = self.words.get(self.at) else {
            return Err(Bad::NoValue(option()));
        };
        self.at += 1;
        Ok(Cow::Borrowed(value.as_ref()))
    }

    fn long(&mut self, word: &'w str) -> Result<Given<'w>, Bad> {
        let body = &word[2..];
        let (name, attached) = body
            .split_once('=')
            .map_or((body, None), |(name, value)| (name, Some(value)));
        // An unambiguous beginning is enough for getopt_long(3).
        let mut fitting = LONG.iter().filter(|(known, _)| known.starts_with(name));
        let exact = LONG.iter().find(|(known, _)| *known == name);
        let found = exact.or_else(|| match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        });
        let Some((name, takes_value)) = found else {
            return Err(Bad::UnknownOption(word.to_owned()));
        };
        Ok(Given::Long(
            name,
            match (takes_value, attached) {
                (false, None) => None,
                (false, Some(_)) => return Err(Bad::TakesNoValue(format!("--{name}"))),
                (true, Some(value)) => Some(Cow::Borrowed(value)),
                (true, None) => Some(self.value(|| format!("--{name}"))?),
            },
        ))
    }
}

impl<'w> Iterator for Options<'w> {
    type Item = Result<Given<'w>, Bad>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.letters.is_empty() {
            let word: &'w str = self.words.get(self.at)?.as_ref();
            self.at += 1;
            if word == "--" {
                // What follows belongs to no option.
                self.stray = self.stray.or(self.following());
                self.any = true;
                self.at = self.words.len();
                return None;
            }
            if word.starts_with("--") {
                self.any = true;
                return Some(self.long(word));
            }
            match word.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => self.letters = letters,
                _ => self.stray = self.stray.or(Some(word)),
            }
        }
        self.any = true;
        let mut letters = self.letters.chars();
        let letter = letters.next()?;
        self.letters = letters.as_str();
        if WITHOUT_VALUE.contains(letter) {
            return Some(Ok(Given::Short(letter, None)));
        }
        if !WITH_VALUE.contains(letter) {
            return Some(Err(Bad::UnknownOption(format!("-{letter}"))));
        }
        let attached = std::mem::take(&mut self.letters);
        let value = if attached.is_empty() {
            match self.value(|| format!("-{letter}")) {
                Ok(value) => value,
                Err(bad) => return Some(Err(bad)),
            }
        } else {
            Cow::Borrowed(attached)
        };
        Some(Ok(Given::Short(letter, Some(value))))
    }
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
        let given = |line: &str| -> Vec<String> {
            let words = words(line);
            Options::new(&words).map(|one| format!("{one:?}")).collect()
        };
        for line in ["-D -k x", "-Dkx", "-D -kx"] {
            let expected = ["Ok(Short('D', None))", "Ok(Short('k', Some(\"x\")))"];
            assert_eq!(given(line), expected, "{line}");
        }
        for line in ["--backlog_wait_time 1", "--backlog_wait_time=1", "--back 1"] {
            assert_eq!(
                given(line),
                ["Ok(Long(\"backlog_wait_time\", Some(\"1\")))"],
                "{line}"
            );
        }
        for line in ["--reset-lost=1", "--reset", "--nope", "-z", "-w"] {
            assert!(given(line)[0].starts_with("Err"), "{line}");
        }
        let words = words("-D x -- -y");
        let mut options = Options::new(&words);
        while options.next().is_some() {}
        assert_eq!((options.stray, options.any), (Some("x"), true));
    }
}
