//! The kinds of access that a watch logs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A set of read, write, execute and attribute change (auditctl(8), `-p`), written as in `rwxa`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Perms(u8);

/// A letter that is none of `r`, `w`, `x`, `a`, or too many of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the permissions {0:?} are not made of r, w, x and a")]
pub struct BadPerms(pub String);

/// auditctl lists the letters in this order.
const LETTERS: [(char, u8); 4] = [('r', 1), ('w', 2), ('x', 4), ('a', 8)];

impl Perms {
    /// Every kind: what a watch without `-p` logs.
    pub const ALL: Self = Self(15);
    /// Writing and changing attributes.
    pub const WRITE_ATTRIBUTE: Self = Self(10);

    /// Whether every kind in `other` is in `self`.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some kind is in both.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The kinds in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each kind by itself.
    pub(super) fn each(self) -> impl Iterator<Item = (char, Self)> {
        LETTERS
            .into_iter()
            .filter(move |(_, bit)| self.0 & bit != 0)
            .map(|(letter, bit)| (letter, Self(bit)))
    }

    pub(super) fn bits(self) -> u32 {
        u32::from(self.0)
    }

    /// Other bits mean nothing.
    pub(super) fn from_bits(bits: u32) -> Self {
        Self(bits.to_le_bytes()[0] & Self::ALL.0)
    }

    /// Whether no kind is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for Perms {
    type Err = BadPerms;

    fn from_str(text: &str) -> Result<Self, BadPerms> {
        let bad = || BadPerms(text.to_owned());
        // auditctl refuses a longer text even if letters repeat.
        if text.len() > 4 {
            return Err(bad());
        }
        text.chars().try_fold(Self(0), |sum, letter| {
            let bit = LETTERS
                .iter()
                .find(|(known, _)| *known == letter.to_ascii_lowercase());
            bit.map(|(_, bit)| Self(sum.0 | bit)).ok_or_else(bad)
        })
    }
}

impl fmt::Display for Perms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        LETTERS
            .iter()
            .filter(|(_, bit)| self.0 & bit != 0)
            .try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

impl TryFrom<String> for Perms {
    type Error = BadPerms;

    fn try_from(text: String) -> Result<Self, BadPerms> {
        text.parse()
    }
}

impl From<Perms> for String {
    fn from(perms: Perms) -> Self {
        perms.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters() {
        for (text, shown) in [
            ("wa", "wa"),
            ("axwr", "rwxa"),
            ("W", "w"),
            ("", ""),
            ("ww", "w"),
        ] {
            assert_eq!(text.parse::<Perms>().unwrap().to_string(), shown);
        }
        for text in ["q", "rwxar", "w a"] {
            assert!(text.parse::<Perms>().is_err(), "{text}");
        }
        let perms = |text: &str| text.parse::<Perms>().unwrap();
        assert!(Perms::ALL.contains(perms("wa")));
        assert!(!perms("w").contains(Perms::WRITE_ATTRIBUTE));
        assert_eq!(perms("w").union(perms("a")), Perms::WRITE_ATTRIBUTE);
        assert!(perms("").is_empty());
        assert_eq!(serde_json::to_string(&perms("aw")).unwrap(), "\"wa\"");
        assert_eq!(
            serde_json::from_str::<Perms>("\"aw\"").unwrap(),
            Perms::WRITE_ATTRIBUTE
        );
    }
}
