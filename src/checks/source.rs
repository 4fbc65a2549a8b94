//! Where something was seen.

use serde::Serialize;
use std::fmt;

/// Where something was seen: a place in a file as such, so that nobody has to take a sentence apart
/// to find it, or anything else in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a file or folder of the host.
    File(Location),
    /// An API field, a flag and its unit, a unit, `container web`.
    Other(String),
}

/// A place in a file. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Its path on the host.
    pub file: String,
    /// Which line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Which column of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

impl Source {
    /// The file as a whole.
    pub fn file(path: impl Into<String>) -> Self {
        Self::File(Location {
            file: path.into(),
            line: None,
            column: None,
        })
    }

    /// A line of a file, and a column where that is known.
    pub fn at(path: impl Into<String>, line: usize, column: Option<usize>) -> Self {
        Self::File(Location {
            file: path.into(),
            line: Some(line),
            column,
        })
    }

    /// The place in a file, where it is one.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::File(location) => Some(location),
            Self::Other(_) => None,
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Other(words) if words.is_empty())
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

/// As it is printed, and as `source` in JSON: `/etc/docker/daemon.json:3`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(words) => f.write_str(words),
            Self::File(Location { file, line, column }) => {
                f.write_str(file)?;
                for number in [line, column].into_iter().flatten() {
                    write!(f, ":{number}")?;
                }
                Ok(())
            }
        }
    }
}

/// Words that name a place as it is printed: an absolute path without blanks, and what stands behind
/// its colons. Whoever knows the parts says them with [`Source::at`].
impl From<String> for Source {
    fn from(words: String) -> Self {
        if !words.starts_with('/') || words.contains(char::is_whitespace) {
            return Self::Other(words);
        }
        let mut path = words.as_str();
        let mut numbers = Vec::new();
        while let Some((before, number)) = path.rsplit_once(':')
            && let Ok(number) = number.parse::<usize>()
            && numbers.len() < 2
        {
            numbers.push(number);
            path = before;
        }
        let mut numbers = numbers.into_iter().rev();
        Self::File(Location {
            file: path.to_owned(),
            line: numbers.next(),
            column: numbers.next(),
        })
    }
}

impl From<&str> for Source {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl From<&String> for Source {
    fn from(words: &String) -> Self {
        words.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_and_printed_the_same() {
        let file = "/etc/docker/daemon.json";
        for (words, source) in [
            (file.to_owned(), Source::file(file)),
            (format!("{file}:3"), Source::at(file, 3, None)),
            (format!("{file}:3:17"), Source::at(file, 3, Some(17))),
            ("/a:1:2:3".to_owned(), Source::at("/a:1", 2, Some(3))),
            ("/a:b".to_owned(), Source::file("/a:b")),
            (
                "/info LiveRestoreEnabled".to_owned(),
                Source::Other("/info LiveRestoreEnabled".to_owned()),
            ),
            (
                "container web:1".to_owned(),
                Source::Other("container web:1".to_owned()),
            ),
            (String::new(), Source::default()),
        ] {
            assert_eq!(Source::from(&words), source);
            assert_eq!(source.to_string(), words);
        }
    }
}
