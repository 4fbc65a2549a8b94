//! What the executor would refuse to change, asked while there is still only a plan.
//!
//! Each refusal of `host::change`, and of the way in which a change is made, has its question here;
//! a plan that gets past these questions fails only by what changes meanwhile, or by the disk.

use super::workbench::{Obstacle, obstacle};
use crate::checks::parent;
use crate::facts::{Facts, Kind, Node, Seen};
use crate::formats::shell::quoted;

/// How a path would be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// It gets a new content: a new file is made beside it, which takes its name.
    Content,
    /// It gets other attributes, and stays the same file.
    Attributes,
}

/// The longest name that a new file beside another one may have (`NAME_MAX`, pathconf(3)).
const LONGEST_NAME: usize = 255;

/// What is added to a name for the new file beside it: `.NAME.seaworthy-ID`, where an id has 22 letters.
const BESIDE: usize = ".".len() + ".seaworthy-".len() + 22;

/// Why nothing may be changed at a path, and the command that shows it. `None` also where it was not
/// seen: the executor looks again before it begins.
pub(super) fn refusal(facts: &Facts, path: &str, touch: Touch) -> Option<Obstacle> {
    let Seen::Known(node) = facts.node(path) else {
        return None;
    };
    at(path, node, touch).or_else(|| match touch {
        Touch::Content => beside(facts, path),
        Touch::Attributes => None,
    })
}

/// What is wrong with the thing itself.
fn at(path: &str, node: &Node, touch: Touch) -> Option<Obstacle> {
    let word = quoted(path);
    if let Some(reason) = &node.untrusted {
        return Some(obstacle(
            format!(
                "{path}: {reason}, and nothing is changed where others than root decide what is there"
            ),
            format!("namei -l {word}"),
        ));
    }
    if let Some(reason) = &node.fixed {
        return Some(obstacle(
            format!("{path}: {reason}"),
            format!("lsattr -d {word}; findmnt -T {word}"),
        ));
    }
    let wrong = match (node.kind, touch) {
        (Kind::Link, _) => "is a symbolic link, and none is followed",
        (Kind::Other, _) => "is a device or a pipe",
        (Kind::Folder | Kind::Socket, Touch::Content) => "is not a regular file",
        (Kind::Absent, Touch::Attributes) => "is not there",
        (Kind::File, Touch::Content) if node.names > 1 => {
            return Some(obstacle(
                format!(
                    "{path} has {} names (hard links), and a new content would part them",
                    node.names
                ),
                format!("find / -xdev -samefile {word}"),
            ));
        }
        _ => return None,
    };
    Some(obstacle(
        format!("{path} {wrong}"),
        format!("ls -ld {word}"),
    ))
}

/// What is wrong with the place for a new file.
fn beside(facts: &Facts, path: &str) -> Option<Obstacle> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.len() + BESIDE > LONGEST_NAME {
        return Some(obstacle(
            format!("{path}: its name is too long for a new file beside it"),
            format!("ls -ld {}", quoted(path)),
        ));
    }
    let mut folder = parent(path);
    loop {
        let Seen::Known(node) = facts.node(folder) else {
            return None;
        };
        let word = quoted(folder);
        if let (Kind::Folder, Some(reason)) = (node.kind, &node.fixed) {
            return Some(obstacle(
                format!("{path} is in {folder}: {reason}"),
                format!("lsattr -d {word}; findmnt -T {word}"),
            ));
        }
        // What is missing is made in the folder above it.
        if node.kind != Kind::Absent || folder == "/" {
            return None;
        }
        folder = parent(folder);
    }
}

#[cfg(test)]
#[path = "touch_tests.rs"]
mod tests;
