//! The files of an image, in the folders that overlay2 keeps its layers in.
//!
//! What the upper layers hide, and how, is told in the kernel's documentation, "Overlay
//! Filesystem": the topmost layer that has a name decides, folders of all layers are merged until
//! one of them is opaque, and a device stands for what was deleted.

use super::reason;
use crate::facts::{Bytes, Kind, Look, Node, Unseen};
use crate::host::{HostError, ReadHost};
use std::cell::Cell;
use std::collections::VecDeque;
use std::error::Error as _;

/// As many looks as one image is worth: a large one has a few thousand programs.
const MOST_LOOKS: usize = 20_000;

/// As many parts as a path may have, those of the links on its way included.
const MOST_PARTS: usize = 64;

/// The longest name that a file can have, in bytes (`NAME_MAX`, limits.h(0p)).
const LONGEST_NAME: usize = 255;

/// What is at a path of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Absent,
    /// A folder: its path in the image, links resolved, and where its parts are on the host, the
    /// topmost first.
    Folder { path: String, parts: Vec<String> },
    /// A regular file, and where it is on the host.
    File(String),
    /// Anything else.
    Other,
}

/// The layers of an image.
pub(super) struct Layers<'a> {
    host: &'a dyn ReadHost,
    roots: &'a [String],
    looks: Cell<usize>,
}

impl<'a> Layers<'a> {
    /// The layers in these folders of the host, the topmost first.
    pub(super) fn open(host: &'a dyn ReadHost, roots: &'a [String]) -> Result<Self, Unseen> {
        let layers = Self {
            host,
            roots,
            looks: Cell::new(0),
        };
        for root in roots {
            if layers.look(root, Look::Attributes)?.kind != Kind::Folder {
                // The daemon sees other file systems than we do, or the image is being deleted.
                return Err(Unseen::new("its layers are not where the daemon says", ""));
            }
        }
        Ok(layers)
    }

    /// What is at a path of the host, for which a layer was resolved.
    pub(super) fn look(&self, path: &str, look: Look) -> Result<Node, Unseen> {
        self.looks.set(self.looks.get() + 1);
        if self.looks.get() > MOST_LOOKS {
            return Err(Unseen::new("the image holds too many files", ""));
        }
        self.host.node(path, look).map_err(|error| unread(&error))
    }

    /// What is at an absolute path of the image. Links are resolved inside of the image; what is
    /// reached only through a loop of links, or by a path that nobody would write, is
    /// [`Place::Other`].
    pub(super) fn find(&self, path: &str) -> Result<Place, Unseen> {
        let mut at = self.roots.to_vec();
        let mut way: Vec<String> = Vec::new();
        let mut rest: VecDeque<String> = parts(path);
        let mut passed = 0;
        while let Some(part) = rest.pop_front() {
            passed += 1;
            if passed > MOST_PARTS || rest.len() > MOST_PARTS || part.len() > LONGEST_NAME {
                return Ok(Place::Other);
            }
            if part == ".." {
                // The folder above is found by its name: a layer's own `..` leads out of what is
                // merged.
                way.pop();
                for part in way.drain(..).rev() {
                    rest.push_front(part);
                }
                at = self.roots.to_vec();
                continue;
            }
            match self.merged(&at, &part)? {
                Merged::Absent => return Ok(Place::Absent),
                Merged::Folder(parts) => {
                    at = parts;
                    way.push(part);
                }
                Merged::Link(target) => {
                    if target.starts_with('/') {
                        way.clear();
                        at = self.roots.to_vec();
                    }
                    for part in parts(&target).into_iter().rev() {
                        rest.push_front(part);
                    }
                }
                Merged::File(place) if rest.is_empty() => return Ok(Place::File(place)),
                Merged::File(_) | Merged::Other => return Ok(Place::Other),
            }
        }
        Ok(Place::Folder {
            path: format!("/{}", way.join("/")),
            parts: at,
        })
    }

    /// What a name in a folder with these parts is.
    fn merged(&self, folder: &[String], name: &str) -> Result<Merged, Unseen> {
        let mut parts = Vec::new();
        for part in folder {
            let at = format!("{part}/{name}");
            let node = self.look(&at, Look::Attributes)?;
            match node.kind {
                Kind::Absent => {}
                Kind::Folder => {
                    parts.push(at);
                    if is_opaque(&node) {
                        break;
                    }
                }
                // It is hidden by the folder above it, and hides what is below.
                _ if !parts.is_empty() => break,
                Kind::Link => return Ok(Merged::Link(node.target.unwrap_or_default())),
                Kind::File => return Ok(Merged::File(at)),
                // Deleted: a whiteout is a device.
                Kind::Other => return Ok(Merged::Absent),
                Kind::Socket => return Ok(Merged::Other),
            }
        }
        Ok(if parts.is_empty() {
            Merged::Absent
        } else {
            Merged::Folder(parts)
        })
    }
}

/// Why a path could not be looked at, without the path: that is a stranger's text.
fn unread(error: &HostError) -> Unseen {
    if error.is_permission() {
        return reason(error);
    }
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    Unseen::new(format!("its layers could not be read: {cause}"), "")
}

/// A name in a folder of the image.
enum Merged {
    Absent,
    Folder(Vec<String>),
    Link(String),
    File(String),
    Other,
}

/// The parts of a path that lead somewhere.
fn parts(path: &str) -> VecDeque<String> {
    path.split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .take(MOST_PARTS + 1)
        .map(str::to_owned)
        .collect()
}

/// Whether nothing of the layers below is seen in this folder.
fn is_opaque(folder: &Node) -> bool {
    let mark = folder.xattrs.get("trusted.overlay.opaque");
    mark.and_then(Bytes::as_str) == Some("y")
}
