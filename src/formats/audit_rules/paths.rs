//! The paths that rule files name.

use super::joined::{self, Raw};
use super::options::split;
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use std::collections::HashSet;

/// What must be seen of a host to say what loading a rule file comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// Folders that must be there: of `dir=` itself, of all others the one above. More may be among them. Each once, in
    /// the order of the file.
    pub folders: Vec<String>,
    /// What is watched, where its path has one of the words that were asked for in it.
    pub watched: Vec<String>,
    /// Whether there are more than these.
    pub more: bool,
}

impl Paths {
    /// Those of a rule file: not more than `most` folders, and as many watched ones.
    pub fn of(text: &[u8], words: &[&str], most: usize) -> Self {
        let mut scan = Scan {
            found: Self::default(),
            known: HashSet::new(),
            words: words
                .iter()
                .map(Finder::new)
                // Most files have none of them.
                .filter(|word| word.find(text).is_some())
                .collect(),
            most,
        };
        for line in Raw::new(0, 1, text).map(|(_, line)| line) {
            if line.trim_ascii_start().starts_with(b"#") {
                continue;
            }
            if memchr(b'\\', line).is_none() {
                scan.plain(line);
            } else {
                let line = joined::text(line);
                let mut words = Vec::new();
                split(&line, &mut words);
                for word in words {
                    scan.word(word.as_bytes());
                }
            }
            if scan.found.more {
                break;
            }
        }
        scan.found
    }
}

struct Scan<'w> {
    found: Paths,
    known: HashSet<String>,
    words: Vec<Finder<'w>>,
    most: usize,
}

impl Scan<'_> {
    /// The words of a line in which nothing is protected, as far as they have a slash.
    fn plain(&mut self, line: &[u8]) {
        let mut rest = line;
        while let Some(at) = memchr(b'/', rest) {
            let start = memrchr(b' ', &rest[..at]).map_or(0, |blank| blank + 1);
            let end = memchr(b' ', &rest[at..]).map_or(rest.len(), |blank| at + blank);
            self.word(&rest[start..end]);
            rest = &rest[end..];
        }
    }

    fn word(&mut self, word: &[u8]) {
        let Some(at) = memchr(b'/', word) else { return };
        let (before, mut path) = word.split_at(at);
        let is_folder = before.ends_with(b"dir=");
        let is_one = is_folder
            || at == 0
            || before.starts_with(b"-w")
            || before.ends_with(b"path=")
            || before.ends_with(b"exe=");
        if !is_one {
            return;
        }
        while let [rest @ .., b'/'] = path {
            path = rest;
        }
        let folder = if is_folder {
            path
        } else {
            &path[..memrchr(b'/', path).unwrap_or(0)]
        };
        // Most rules share a few folders with those before them.
        let last = self.found.folders.last();
        if !folder.is_empty() && last.is_none_or(|last| last.as_bytes() != folder) {
            self.folder(&joined::text(folder));
        }
        if self.words.iter().any(|word| word.find(path).is_some()) {
            self.watched(&joined::text(path));
        }
    }

    fn folder(&mut self, folder: &str) {
        if self.known.contains(folder) {
            return;
        }
        if self.found.folders.len() >= self.most {
            self.found.more = true;
            return;
        }
        self.known.insert(folder.to_owned());
        self.found.folders.push(folder.to_owned());
    }

    fn watched(&mut self, path: &str) {
        let known = &mut self.found.watched;
        if known.len() >= self.most {
            self.found.more = true;
        } else if known.last().is_none_or(|last| last != path) {
            known.push(path.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str, most: usize) -> (String, String, bool) {
        let found = Paths::of(text.as_bytes(), &["docker"], most);
        (found.folders.join(" "), found.watched.join(" "), found.more)
    }

    #[test]
    fn what_is_named() {
        for (text, folders, watched) in [
            ("-w /etc/passwd -p wa -k x\n", "/etc", ""),
            ("-w/etc/docker/ -p wa\n", "/etc", "/etc/docker"),
            ("-a always,exit -F dir=/a/b/ -F perm=wa\n", "/a/b", ""),
            ("-a always,exit -F path=/a/b -F exe=/c/d/e\n", "/a /c/d", ""),
            ("-w /a/x\n\n-w /a/y\n-w /b/x\n-w /a/z\n", "/a /b", ""),
            ("-w /a/my\\ docker\n", "/a", "/a/my docker"),
            ("  # -w /a/b\n\t# -w /a/b\n-w /x\n-D\n-k a/b\n", "", ""),
        ] {
            let expected = (folders.to_owned(), watched.to_owned(), false);
            assert_eq!(paths(text, 9), expected, "{text}");
        }
    }

    #[test]
    fn no_more_than_that() {
        let text = "-w /a/x\n-w /b/x\n-w /a/y\n-w /c/x\n-w /d/x\n";
        assert_eq!(paths(text, 3), ("/a /b /c".to_owned(), String::new(), true));
        assert!(!paths(text, 4).2);
    }
}
