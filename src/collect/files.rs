//! Looking at paths, each once.

use super::unseen;
use crate::facts::{Cause, Facts, Kind, Look, MOST_CONTENT, Node, Reading, Seen, Unseen, too_much};
use crate::host::ReadHost;
use std::collections::BTreeMap;

type Nodes = BTreeMap<String, Seen<Node>>;

/// The folder that a path is in.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A file beyond what is kept of all files together.
fn beyond(path: &str) -> Seen<Node> {
    let unseen = Unseen::new(too_much(), format!("ls -l {path}"));
    Seen::Unseen(unseen.because(Cause::TooBig))
}

/// What was seen so far, and how closely it was looked at.
pub(super) struct Files<'a> {
    host: &'a dyn ReadHost,
    looked: BTreeMap<String, Look>,
    facts: Facts,
    /// How many bytes of contents may still be kept.
    left: u64,
    /// How many bytes were read in each folder that could not be kept.
    in_vain: BTreeMap<String, u64>,
}

impl<'a> Files<'a> {
    pub(super) fn new(host: &'a dyn ReadHost) -> Self {
        Self {
            host,
            looked: BTreeMap::new(),
            facts: Facts::default(),
            left: MOST_CONTENT,
            in_vain: BTreeMap::new(),
        }
    }

    pub(super) fn host(&self) -> &'a dyn ReadHost {
        self.host
    }

    /// Hands out what was seen until now; it is still not looked at again.
    pub(super) fn take(&mut self) -> Nodes {
        std::mem::take(&mut self.facts.files)
    }

    /// Looks at a path unless that was done as closely before; returns whether it was.
    pub(super) fn look_into(&mut self, nodes: &mut Nodes, path: &str, look: Look) -> bool {
        // Each closer look shows what the others show, too.
        if self.looked.get(path).is_some_and(|done| *done >= look) {
            return false;
        }
        self.looked.insert(path.to_owned(), look);
        let in_vain = self.in_vain.get(folder(path)).copied();
        let node = if look == Look::Content && in_vain.unwrap_or_default() > MOST_CONTENT {
            // A folder with a thousand large files is not read to its end only to be dropped.
            beyond(path)
        } else {
            match self.host.node(path, look) {
                Ok(node) => self.within(path, node),
                Err(error) => unseen(&error),
            }
        };
        nodes.insert(path.to_owned(), node);
        true
    }

    /// The node, where its content is no more than may still be kept.
    fn within(&mut self, path: &str, node: Node) -> Seen<Node> {
        let size = node.content.as_ref().map_or(0, |content| content.0.len());
        let size = size as u64;
        if let Some(left) = self.left.checked_sub(size) {
            self.left = left;
            Seen::Known(node)
        } else {
            *self.in_vain.entry(folder(path).to_owned()).or_default() += size;
            beyond(path)
        }
    }

    /// What is at a path.
    pub(super) fn look(&mut self, path: &str, look: Look) -> Option<&Node> {
        let mut nodes = self.take();
        self.look_into(&mut nodes, path, look);
        self.facts.files = nodes;
        self.facts.files.get(path)?.known()
    }

    /// What is at a path, or why it could not be seen.
    pub(super) fn seen(&mut self, path: &str, look: Look) -> &Seen<Node> {
        self.look(path, look);
        // It was put there just now.
        self.facts.files.entry(path.to_owned()).or_default()
    }

    /// Whether it was seen that nothing is at a path.
    pub(super) fn is_absent(&mut self, path: &str) -> bool {
        !self.may_exist(path)
    }

    /// Whether something may be at a path: what could not be seen is not absent.
    pub(super) fn may_exist(&mut self, path: &str) -> bool {
        match self.seen(path, Look::Attributes) {
            Seen::Known(node) => node.kind != Kind::Absent,
            Seen::Unseen(_) => true,
        }
    }

    /// What a file holds, following links.
    pub(super) fn reading(&mut self, path: &str) -> Reading<'_> {
        match self.followed(path) {
            Some(_) => self.facts.reading(path),
            None => Reading::Unread(Unseen::new(
                "it is a symbolic link that leads to itself",
                format!("ls -l {path}"),
            )),
        }
    }

    /// The text of a file for people to read, `None` when there is none or it cannot be read.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        self.reading(path).text().map(str::to_owned)
    }

    /// Where a chain of links ends; each of them is looked at. `None` for a loop.
    pub(super) fn followed(&mut self, path: &str) -> Option<String> {
        let mut at = path.to_owned();
        for _ in 0..16 {
            // Content, so that a file is not opened a second time for it.
            self.look(&at, Look::Content);
            let next = self.facts.resolved(&at);
            if next == at {
                return Some(at);
            }
            at = next;
        }
        None
    }
}
