//! What is known of the content of a file.
//!
//! A file that is not there, one that could not be read and one with bytes that are no text are three
//! different things: only the first says that nothing is set in it.

use super::{Bytes, Facts, Kind, LARGEST_FILE, MOST_CONTENT, Node, Seen, Unseen, steps};
use std::borrow::Cow;

/// Stands for each run of bytes that is not UTF-8. Whoever finds it within a value knows that the
/// value is another one; a comment may hold it.
pub const NOT_UTF8: char = char::REPLACEMENT_CHARACTER;

/// The content of a path, or why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<'a> {
    /// Nothing is there.
    Absent,
    /// It was read. What is not UTF-8 in it reads as [`NOT_UTF8`], so that one byte in a comment hides
    /// nothing else.
    Text(Cow<'a, str>),
    /// Something is there or may be, and what it holds is not known.
    Unread(Unseen),
}

impl Reading<'_> {
    /// The text, `None` where nothing is there or it could not be read. For words that people read;
    /// what decides must tell the two apart.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Unread(_) => None,
        }
    }

    /// The same, borrowed from nowhere.
    pub fn into_owned(self) -> Reading<'static> {
        match self {
            Self::Absent => Reading::Absent,
            Self::Text(text) => Reading::Text(Cow::Owned(text.into_owned())),
            Self::Unread(unseen) => Reading::Unread(unseen),
        }
    }

    /// Why it is not known what is there.
    pub fn unread(&self) -> Option<&Unseen> {
        match self {
            Self::Unread(unseen) => Some(unseen),
            Self::Absent | Self::Text(_) => None,
        }
    }
}

impl Bytes {
    /// The content as text, with [`NOT_UTF8`] for what is none.
    pub fn lossy(&self) -> Cow<'_, str> {
        steps::count(self.0.len());
        String::from_utf8_lossy(&self.0)
    }
}

/// Whether all of a value was understood: whether it has no byte that is not UTF-8.
pub fn is_understood(value: &str) -> bool {
    !value.contains(NOT_UTF8)
}

impl Node {
    /// What it holds, as the one at `path`; a link is not followed.
    pub fn reading(&self, path: &str) -> Reading<'_> {
        let look = |why: &str| Reading::Unread(Unseen::new(why, format!("ls -ld {path}")));
        match (self.kind, &self.content) {
            (Kind::Absent, _) => Reading::Absent,
            (Kind::File, Some(content)) => Reading::Text(content.lossy()),
            (Kind::File, None) => look(&too_large()),
            (Kind::Folder, _) => look("it is a folder"),
            (Kind::Link, _) => look("it is a symbolic link that leads to itself or too far"),
            (Kind::Socket | Kind::Other, _) => look("it is not a regular file"),
        }
    }
}

impl Facts {
    /// What the file at `path` holds, links followed as far as they were seen, as open(2) does.
    pub fn reading(&self, path: &str) -> Reading<'_> {
        let at = self.resolved(path);
        if at == "/dev/null" {
            return Reading::Text(Cow::Borrowed(""));
        }
        match self.files.get(&at) {
            Some(Seen::Known(node)) => node.reading(&at),
            Some(Seen::Unseen(unseen)) => Reading::Unread(unseen.clone()),
            None => Reading::Unread(Unseen::new("it was not looked at", "")),
        }
    }

    /// The text of a table in which each line stands for itself, such as passwd(5): lines that are not
    /// UTF-8 are those of names that nobody asks for. Empty where it could not be read, so only for
    /// verdicts that a missing line does not make better.
    pub fn table(&self, path: &str) -> Cow<'_, str> {
        match self.reading(path) {
            Reading::Text(text) => text,
            Reading::Absent | Reading::Unread(_) => Cow::Borrowed(""),
        }
    }

    /// Whether it is known that nothing is at `path`, links followed: what was not seen may be there.
    pub fn is_absent(&self, path: &str) -> bool {
        self.node(&self.resolved(path))
            .known()
            .is_some_and(|node| node.kind == Kind::Absent)
    }
}

/// Why a regular file has no content that is known.
pub fn too_large() -> String {
    format!("it is larger than {} MiB", LARGEST_FILE >> 20)
}

/// Why a file that is not too large was not kept: too much was read before it.
pub fn too_much() -> String {
    format!(
        "with it, more than {} MiB of files would be read in one run",
        MOST_CONTENT >> 20
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_not_unread() {
        let node = |kind| Node {
            kind,
            ..Node::default()
        };
        let link = |target: &str| Node {
            target: Some(target.to_owned()),
            ..node(Kind::Link)
        };
        let latin = Node {
            content: Some(Bytes::new(b"# f\xfcr\nA=1\n".to_vec())),
            ..Node::default()
        };
        let mut facts = Facts::default();
        for (path, node) in [
            ("/absent", node(Kind::Absent)),
            ("/large", node(Kind::File)),
            ("/folder", node(Kind::Folder)),
            ("/device", node(Kind::Other)),
            ("/text", Node::file("A=1")),
            ("/latin", latin),
            ("/to-text", link("text")),
            ("/to-nothing", link("absent")),
            ("/to-null", link("/dev/null")),
            ("/loop", link("loop")),
        ] {
            facts.files.insert(path.to_owned(), Seen::Known(node));
        }
        let hidden = Seen::unseen("permission denied", "");
        facts.files.insert("/hidden".to_owned(), hidden);
        for (path, expected) in [
            ("/absent", "absent"),
            ("/to-nothing", "absent"),
            ("/text", "A=1"),
            ("/to-text", "A=1"),
            ("/to-null", ""),
            ("/latin", "# f\u{fffd}r\nA=1\n"),
            ("/large", "unread"),
            ("/folder", "unread"),
            ("/device", "unread"),
            ("/loop", "unread"),
            ("/hidden", "unread"),
            ("/not-looked-at", "unread"),
        ] {
            let told = match facts.reading(path) {
                Reading::Absent => "absent".to_owned(),
                Reading::Text(text) => text.into_owned(),
                Reading::Unread(unseen) => {
                    assert!(!unseen.unseen.is_empty());
                    "unread".to_owned()
                }
            };
            assert_eq!(told, expected, "{path}");
            assert_eq!(facts.is_absent(path), expected == "absent", "{path}");
        }
    }
}
