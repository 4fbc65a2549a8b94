//! The words of a line, split as auditctl splits them, and its options, as getopt_long(3) finds them.

use super::bad::Bad;
use std::borrow::Cow;
use std::slice::SliceIndex;

/// Whether an option of auditctl takes a value (auditctl(8)); `None` for those that it does not have.
fn takes_value(letter: char) -> Option<bool> {
    match letter {
        'C' | 'e' | 'f' | 'r' | 'b' | 'a' | 'A' | 'd' | 'S' | 'F' | 'm' | 'R' | 'w' | 'W' | 'k'
        | 'p' | 'q' => Some(true),
        'h' | 'i' | 'c' | 's' | 'l' | 'D' | 'v' | 't' => Some(false),
        _ => None,
    }
}

/// Long options, and whether they take a value.
const LONG: [(&str, bool); 5] = [
    ("loginuid-immutable", false),
    ("backlog_wait_time", true),
    ("reset-lost", false),
    ("reset_backlog_wait_time_actual", false),
    ("signal", true),
];

/// A word of a line: a part of it, or what it stands for where something is protected in it.
pub(super) type Word<'t> = Cow<'t, str>;

/// A part of a word.
pub(super) fn part<'t>(word: &Word<'t>, range: impl SliceIndex<str, Output = str>) -> Word<'t> {
    match word {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    }
}

/// The words of a line: a backslash protects a following space or backslash, and stays before anything else. The first
/// word is not put right again after that, so what was protected in it is two control characters (`fileopt` in
/// auditctl.c).
pub(super) fn split<'t>(line: &'t str, words: &mut Vec<Word<'t>>) {
    words.clear();
    let mut start = 0;
    let mut protects = false;
    for (at, byte) in line.bytes().enumerate() {
        if byte == b' ' {
            if at > start {
                words.push(Cow::Borrowed(&line[start..at]));
            }
            start = at + 1;
        }
        protects |= byte == b'\\';
    }
    if start < line.len() {
        words.push(Cow::Borrowed(&line[start..]));
    }
    if !protects {
        return;
    }
    words.clear();
    let mut word = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if matches!(chars.peek(), Some(' ' | '\\')) => match chars.next() {
                Some(' ') if words.is_empty() => word.push_str("\u{7}\u{7}"),
                Some(_) if words.is_empty() => word.push_str("\u{4}\u{4}"),
                next => word.extend(next),
            },
            ' ' if word.is_empty() => {}
            ' ' => words.push(Cow::Owned(std::mem::take(&mut word))),
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(Cow::Owned(word));
    }
}

/// An option with its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Given<'t> {
    Short(char, Option<Word<'t>>),
    Long(&'static str, Option<Word<'t>>),
}

/// Finds one option after the other, as getopt_long(3) does: values may be attached, and words that belong to no
/// option are passed over until the end.
pub(super) struct Options<'w, 't> {
    words: &'w [Word<'t>],
    at: usize,
    /// Where the rest of a word of several letters begins in the word before `at`; 0 where there is none.
    within: usize,
    /// The first word that belongs to no option.
    pub(super) stray: Option<&'w str>,
    /// Whether there was any option.
    pub(super) any: bool,
}

impl<'w, 't> Options<'w, 't> {
    pub(super) fn new(words: &'w [Word<'t>]) -> Self {
        Self {
            words,
            at: 0,
            within: 0,
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
        self.within > 0
    }

    /// What is left of the word of the last option.
    fn letters(&self) -> Option<&'w str> {
        (self.within > 0).then(|| &self.words[self.at - 1][self.within..])
    }

    /// What is not read yet, a stray word before it included.
    pub(super) fn rest(&self) -> Option<&'w str> {
        self.stray
            .or_else(|| self.letters())
            .or_else(|| self.following())
    }

    fn value(&mut self, option: impl FnOnce() -> String) -> Result<Word<'t>, Bad> {
        let Some(value) = self.words.get(self.at) else {
            return Err(Bad::NoValue(option()));
        };
        self.at += 1;
        Ok(value.clone())
    }

    fn long(&mut self, word: &'w Word<'t>) -> Result<Given<'t>, Bad> {
        let body = &word[2..];
        let (name, attached) = body
            .split_once('=')
            .map_or((body, None), |(name, _)| (name, Some(name.len() + 3)));
        // An unambiguous beginning is enough for getopt_long(3).
        let mut fitting = LONG.iter().filter(|(known, _)| known.starts_with(name));
        let exact = LONG.iter().find(|(known, _)| *known == name);
        let found = exact.or_else(|| match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        });
        let Some((name, takes_value)) = found else {
            return Err(Bad::UnknownOption(word.to_string()));
        };
        Ok(Given::Long(
            name,
            match (takes_value, attached) {
                (false, None) => None,
                (false, Some(_)) => return Err(Bad::TakesNoValue(format!("--{name}"))),
                (true, Some(from)) => Some(part(word, from..)),
                (true, None) => Some(self.value(|| format!("--{name}"))?),
            },
        ))
    }
}

impl<'t> Iterator for Options<'_, 't> {
    type Item = Result<Given<'t>, Bad>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.within == 0 {
            let word = self.words.get(self.at)?;
            self.at += 1;
            match word.as_bytes() {
                b"--" => {
                    // What follows belongs to no option.
                    self.stray = self.stray.or(self.following());
                    self.any = true;
                    self.at = self.words.len();
                    return None;
                }
                [b'-', b'-', ..] => {
                    self.any = true;
                    return Some(self.long(word));
                }
                [b'-', _, ..] => self.within = 1,
                _ => self.stray = self.stray.or(Some(word)),
            }
        }
        self.any = true;
        let word = &self.words[self.at - 1];
        let letter = word[self.within..].chars().next()?;
        let after = self.within + letter.len_utf8();
        self.within = if after < word.len() { after } else { 0 };
        match takes_value(letter) {
            Some(true) => {}
            Some(false) => return Some(Ok(Given::Short(letter, None))),
            None => return Some(Err(Bad::UnknownOption(format!("-{letter}")))),
        }
        let value = if self.within == 0 {
            match self.value(|| format!("-{letter}")) {
                Ok(value) => value,
                Err(bad) => return Some(Err(bad)),
            }
        } else {
            self.within = 0;
            part(word, after..)
        };
        Some(Ok(Given::Short(letter, Some(value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Word<'_>> {
        let mut words = Vec::new();
        split(line, &mut words);
        words
    }

    #[test]
    fn splitting() {
        let cases: &[(&str, &[&str])] = &[
            (" -w  /a -p wa ", &["-w", "/a", "-p", "wa"]),
            ("-w /a\\ b", &["-w", "/a b"]),
            ("-w /a\\\\ b", &["-w", "/a\\", "b"]),
            ("-w /a\\tb\\", &["-w", "/a\\tb\\"]),
            ("-w/a\\ b -k\\\\ x\\ y", &["-w/a\u{7}\u{7}b", "-k\\", "x y"]),
            ("-w/a\\\\b", &["-w/a\u{4}\u{4}b"]),
            ("", &[]),
            ("  ", &[]),
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
