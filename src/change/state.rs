//! The whole state of one path: enough to recognise it and to bring it back.

use crate::facts::{Attributes, Bytes, Kind, Node};
use crate::formats::daemon_json::Document;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// SHA-256 of a content, in lower-case hex: `sha256sum` can check it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            // Writing to a String cannot fail.
            let _ = fmt::Write::write_fmt(&mut hex, format_args!("{byte:02x}"));
        }
        Self(hex)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is, was or shall be at a path, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// Mode, owner, group, extended attributes.
        attributes: Attributes,
        /// Its bytes.
        content: Bytes,
    },
    /// A folder; what is in it does not count.
    Folder {
        /// Mode, owner, group, extended attributes.
        attributes: Attributes,
    },
    /// A socket, or a file whose content does not matter here: only its attributes can change.
    Opaque {
        /// Mode, owner, group, extended attributes.
        attributes: Attributes,
    },
}

impl State {
    /// A daemon.json like this one that switches live-restore on or off in so many words: at a
    /// reload a key that is gone changes nothing. Where there is none it is a new file, mode 0644 and
    /// root's. `None` where this cannot be read as a daemon.json.
    pub fn with_live_restore(&self, on: bool) -> Option<Self> {
        let (attributes, document) = match self {
            Self::Absent => (Attributes::default(), Document::empty()),
            Self::File {
                attributes,
                content,
            } => (attributes.clone(), Document::parse(&content.0).ok()?),
            Self::Folder { .. } | Self::Opaque { .. } => return None,
        };
        let set = BTreeMap::from([("live-restore".to_owned(), Some(Value::Bool(on)))]);
        let text = document.with(&set).ok()?;
        Some(Self::File {
            attributes,
            content: text.as_str().into(),
        })
    }

    /// The state of a node, `None` for what is never changed: links, devices, pipes.
    ///
    /// A file whose content was not read is [`State::Opaque`].
    pub fn of(node: &Node) -> Option<Self> {
        let attributes = node.attributes();
        Some(match (node.kind, &node.content) {
            (Kind::Absent, _) => Self::Absent,
            (Kind::Folder, _) => Self::Folder { attributes },
            (Kind::File, Some(content)) => Self::File {
                attributes,
                content: content.clone(),
            },
            (Kind::File, None) | (Kind::Socket, _) => Self::Opaque { attributes },
            (Kind::Link | Kind::Other, _) => return None,
        })
    }

    /// Mode, owner, group and extended attributes, if there is something.
    pub fn attributes(&self) -> Option<&Attributes> {
        match self {
            Self::Absent => None,
            Self::File { attributes, .. }
            | Self::Folder { attributes }
            | Self::Opaque { attributes } => Some(attributes),
        }
    }

    /// The same with other attributes.
    #[must_use]
    pub fn with_attributes(&self, to: &Attributes) -> Self {
        let mut state = self.clone();
        match &mut state {
            Self::Absent => {}
            Self::File { attributes, .. }
            | Self::Folder { attributes }
            | Self::Opaque { attributes } => attributes.clone_from(to),
        }
        state
    }

    /// The bytes of a file.
    pub fn content(&self) -> Option<&Bytes> {
        match self {
            Self::File { content, .. } => Some(content),
            _ => None,
        }
    }

    /// The text of a file, empty for anything else and for what is not UTF-8.
    pub fn text(&self) -> &str {
        self.content().and_then(Bytes::as_str).unwrap_or_default()
    }

    /// The same in a form that holds a digest instead of the content.
    pub fn record(&self) -> StateRecord {
        match self {
            Self::Absent => StateRecord::Absent,
            Self::File {
                attributes,
                content,
            } => StateRecord::File {
                sha256: Digest::of(&content.0),
                size: content.0.len() as u64,
                attributes: attributes.clone(),
            },
            Self::Folder { attributes } => StateRecord::Folder {
                attributes: attributes.clone(),
            },
            Self::Opaque { attributes } => StateRecord::Opaque {
                attributes: attributes.clone(),
            },
        }
    }
}

/// A [`State`] as it stands in saved plans and journals: a digest instead of the content, as
/// contents may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StateRecord {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// Digest of the content.
        sha256: Digest,
        /// Length of the content in bytes.
        size: u64,
        /// Mode, owner, group, extended attributes.
        attributes: Attributes,
    },
    /// A folder.
    Folder {
        /// Mode, owner, group, extended attributes.
        attributes: Attributes,
    },
    /// Something whose attributes only can change.
    Opaque {
        /// Mode, owner, group, extended attributes.
        attributes: Attributes,
    },
}

impl StateRecord {
    /// The digest under which the content is kept, if there is content.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::File { sha256, .. } => Some(sha256),
            _ => None,
        }
    }

    /// Mode, owner, group and extended attributes, if there is something.
    pub fn attributes(&self) -> Option<&Attributes> {
        match self {
            Self::Absent => None,
            Self::File { attributes, .. }
            | Self::Folder { attributes }
            | Self::Opaque { attributes } => Some(attributes),
        }
    }

    /// The full state again, with the content that `load` finds for the digest.
    ///
    /// # Errors
    /// Whatever `load` returns.
    pub fn restore<E>(&self, load: impl FnOnce(&Digest) -> Result<Bytes, E>) -> Result<State, E> {
        Ok(match self {
            Self::Absent => State::Absent,
            Self::File {
                sha256, attributes, ..
            } => State::File {
                attributes: attributes.clone(),
                content: load(sha256)?,
            },
            Self::Folder { attributes } => State::Folder {
                attributes: attributes.clone(),
            },
            Self::Opaque { attributes } => State::Opaque {
                attributes: attributes.clone(),
            },
        })
    }
}
