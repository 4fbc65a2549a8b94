//! One name in the file system: what kind of thing it is, who owns it, what it holds.

use super::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// Permission bits including setuid, setgid and sticky: `st_mode & 0o7777`, see inode(7).
///
/// Serialised as an octal string, `"0644"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode(pub u32);

impl Mode {
    /// The sticky bit takes nothing away from security: a stricter mode may have it.
    const STICKY: u32 = 0o1000;

    /// The bits that `most` does not allow. Modes are masks: 0604 exceeds 0660 although it is the
    /// smaller number.
    #[must_use]
    pub fn beyond(self, most: Self) -> Self {
        Self(self.0 & !most.0 & !Self::STICKY)
    }

    /// This mode without `bits`.
    #[must_use]
    pub fn without(self, bits: Self) -> Self {
        Self(self.0 & !bits.0)
    }
}

impl Default for Mode {
    /// 0644: what an example means when it names no mode.
    fn default() -> Self {
        Self(0o644)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match u32::from_str_radix(&text, 8) {
            Ok(mode) if mode <= 0o7777 => Ok(Self(mode)),
            _ => Err(serde::de::Error::custom(format!(
                "`{text}` is not an octal file mode such as \"0644\""
            ))),
        }
    }
}

/// What kind of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    #[default]
    File,
    /// A directory.
    Folder,
    /// A symbolic link; never followed by a change.
    Link,
    /// A socket.
    Socket,
    /// A device, a pipe.
    Other,
    /// Nothing is there.
    Absent,
}

/// Who may do what with a file: everything about it but its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// Permission bits.
    pub mode: Mode,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Extended attributes, POSIX ACLs and security labels included (xattr(7)).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, Bytes>,
}

impl Attributes {
    /// Whether the kernel (or the security module's policy) gives every new file this extended
    /// attribute by itself. Such a label is written where it is wanted and differs, but it is never
    /// taken away: the kernel refuses that, and a file that is new has none to bring back.
    pub fn is_given_by_kernel(xattr: &str) -> bool {
        const LABELS: [&str; 4] = [
            "security.selinux",
            "security.ima",
            "security.evm",
            "security.SMACK64",
        ];
        LABELS.contains(&xattr)
    }
}

/// What was found at one path. The final component is never followed when it is a link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: Mode,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Extended attributes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, Bytes>,
    /// What a regular file holds; `None` when it was not read.
    #[serde(rename = "text", skip_serializing_if = "Option::is_none")]
    pub content: Option<Bytes>,
    /// Where a symbolic link points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The names in a folder, sorted; `None` when it was not listed. Those that are not UTF-8 are not
    /// among them, but in [`Self::odd_names`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<String>>,
    /// The names in a listed folder that are not UTF-8, as far as they can be shown: there is no path
    /// by which they could be looked at, so what they hold is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub odd_names: Vec<String>,
    /// Last change of the content, in microseconds since 1970; 0 when not known.
    pub modified: i64,
    /// Why nothing may be changed here even by root: "it is immutable (chattr +i)", "its file
    /// system is mounted read-only", "something is mounted on it", …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// Why others than root decide what is at this path, whether something is there or not:
    /// "/home/bob on the way there belongs to uid 1000, not to root". Nothing is changed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untrusted: Option<String>,
    /// How many names a regular file has (`st_nlink`, inode(7)); 0 when not known.
    #[serde(skip_serializing_if = "is_zero")]
    pub names: u64,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Node {
    /// Nothing is there.
    pub fn absent() -> Self {
        Self {
            kind: Kind::Absent,
            ..Self::default()
        }
    }

    /// A regular file of root with mode 0644.
    pub fn file(text: &str) -> Self {
        Self {
            content: Some(text.into()),
            ..Self::default()
        }
    }

    /// Whether it is a folder that was listed and holds nothing at all.
    pub fn is_empty_folder(&self) -> bool {
        self.odd_names.is_empty() && self.entries.as_ref().is_some_and(Vec::is_empty)
    }

    /// Everything about it but its content.
    pub fn attributes(&self) -> Attributes {
        Attributes {
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            xattrs: self.xattrs.clone(),
        }
    }

    /// Sets everything about it but its content.
    pub fn set_attributes(&mut self, attributes: &Attributes) {
        self.mode = attributes.mode;
        self.uid = attributes.uid;
        self.gid = attributes.gid;
        self.xattrs = attributes.xattrs.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_masks_not_numbers() {
        for (mode, most, beyond) in [
            (0o644, 0o644, 0),
            (0o600, 0o644, 0),
            (0o622, 0o644, 0o022), // the smaller number, and world-writable
            (0o477, 0o644, 0o033),
            (0o606, 0o660, 0o006),
            (0o1755, 0o755, 0), // sticky takes nothing away
            (0o4755, 0o755, 0o4000),
            (0o2755, 0o755, 0o2000),
        ] {
            assert_eq!(Mode(mode).beyond(Mode(most)), Mode(beyond), "{mode:o}");
            assert_eq!(
                Mode(mode).without(Mode(beyond)).beyond(Mode(most)),
                Mode(0),
                "{mode:o}"
            );
        }
    }

    #[test]
    fn content_that_is_not_text_survives_serialisation() {
        for bytes in [&b"text"[..], b"\xff\xfe\x00", b""] {
            let bytes = Bytes::new(bytes.to_vec());
            let json = serde_json::to_string(&bytes).unwrap();
            assert_eq!(serde_json::from_str::<Bytes>(&json).unwrap(), bytes);
        }
    }
}
