//! Versions of Docker, by which it gains and loses options.

use std::fmt;

/// The first two numbers of a version of Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 20 of `20.10.24+dfsg1`.
    pub major: u32,
    /// 10 of `20.10.24+dfsg1`.
    pub minor: u32,
}

impl Version {
    /// Reads `20.10.24+dfsg1`, `26.1.5`, `v28.5.2-ce`, `29`; `None` for what is no such version.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut numbers = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = numbers.next()?.parse().ok()?;
        let digits = |word: &str| {
            let end = word.find(|c: char| !c.is_ascii_digit());
            end.map_or(word, |end| &word[..end]).parse().ok()
        };
        let minor = numbers.next().map_or(Some(0), digits)?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

pub(super) const fn v(major: u32, minor: u32) -> Version {
    Version { major, minor }
}

/// The oldest version that the table tells of.
pub const OLDEST: Version = v(20, 10);
/// The newest one whose names are known: a later version may know names that are not here.
pub const NEWEST: Version = v(29, 7);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_docker_prints_them() {
        for (text, expected) in [
            ("20.10.24+dfsg1", Some(v(20, 10))),
            ("20.10.5+dfsg1", Some(v(20, 10))),
            ("26.1.5", Some(v(26, 1))),
            ("v28.5.2-ce", Some(v(28, 5))),
            ("24.0.7-ce", Some(v(24, 0))),
            ("25.0.14, build x", Some(v(25, 0))),
            ("29.0-rc1", Some(v(29, 0))),
            ("29", Some(v(29, 0))),
            ("", None),
            ("dev", None),
            ("library-import", None),
            ("26.x", None),
        ] {
            assert_eq!(Version::parse(text), expected, "{text}");
        }
        assert!(v(20, 10) < v(23, 0) && v(28, 2) < v(28, 10));
    }
}
