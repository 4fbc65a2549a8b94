//! Subordinate ids: subuid(5) and subgid(5), as dockerd reads them.

use crate::facts::steps;

/// Ids that a user may map: `count` of them from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub start: u32,
    /// How many.
    pub count: u32,
}

impl Range {
    /// Whether an id is among them.
    pub fn holds(self, id: u32) -> bool {
        id.checked_sub(self.start)
            .is_some_and(|offset| offset < self.count)
    }
}

/// The ranges of a user. Lines with the uid come first, and those with the name count only where
/// there is none with the uid (moby, pkg/idtools/idtools_unix.go).
///
/// # Errors
/// The number of the first line that is none: the daemon does not start with it.
pub fn ranges_of(text: &str, name: &str, uid: Option<u32>) -> Result<Vec<Range>, usize> {
    steps::count(text.len());
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.split(':').collect();
        let [owner, start, count] = parts[..] else {
            return Err(index + 1);
        };
        lines.push((index + 1, owner, start, count));
    }
    let of = |wanted: &str| -> Result<Vec<Range>, usize> {
        lines
            .iter()
            .filter(|(_, owner, _, _)| *owner == wanted)
            .map(|(number, _, start, count)| {
                // The daemon looks at the numbers of the lines that it needs only.
                let parsed = start.parse().ok().zip(count.parse().ok());
                parsed
                    .map(|(start, count)| Range { start, count })
                    .ok_or(*number)
            })
            .collect()
    };
    let by_uid = match uid {
        Some(uid) => of(&uid.to_string())?,
        None => Vec::new(),
    };
    if by_uid.is_empty() {
        of(name)
    } else {
        Ok(by_uid)
    }
}

/// The number of the first line that is no range, whoever it belongs to: who looks for a free range
/// needs all of them.
pub fn first_bad_line(text: &str) -> Option<usize> {
    steps::count(text.len());
    let is_range = |line: &str| {
        let parts: Vec<&str> = line.split(':').collect();
        matches!(parts[..], [_, start, count] if start.parse::<u32>().is_ok() && count.parse::<u32>().is_ok())
    };
    let mut lines = text.lines().map(str::trim).enumerate();
    lines
        .find(|(_, line)| !line.is_empty() && !line.starts_with('#') && !is_range(line))
        .map(|(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading() {
        let range = |start, count| Range { start, count };
        for (text, expected) in [
            ("", Ok(vec![])),
            (
                "# ids\n\nbob:100000:65536\n",
                Ok(vec![range(100_000, 65536)]),
            ),
            ("bobby:1:2\nxbob:3:4\n", Ok(vec![])),
            ("  bob:7:8  ", Ok(vec![range(7, 8)])),
            (
                "bob:1:2\neve:5:6\nbob:3:4",
                Ok(vec![range(1, 2), range(3, 4)]),
            ),
            ("bob:1:2\n1000:3:4\n", Ok(vec![range(3, 4)])),
            ("eve:1:2\nbroken\nbob:1:2\n", Err(2)),
            ("bob:1:2:3\n", Err(1)),
            ("eve:x:y\nbob:1:2\n", Ok(vec![range(1, 2)])),
            ("bob:-1:2\n", Err(1)),
            ("bob:1:\n", Err(1)),
        ] {
            assert_eq!(ranges_of(text, "bob", Some(1000)), expected, "{text:?}");
        }
        assert_eq!(ranges_of("1000:3:4", "bob", None), Ok(vec![]));
    }

    #[test]
    fn all_of_them() {
        for (text, line) in [
            ("", None),
            ("# x\n\nbob:1:2\n", None),
            ("bob:1:2\neve:x:y\n", Some(2)),
            ("bob:1\n", Some(1)),
        ] {
            assert_eq!(first_bad_line(text), line, "{text:?}");
        }
    }

    #[test]
    fn holding() {
        let range = Range {
            start: 100,
            count: 10,
        };
        for (id, held) in [
            (0, false),
            (99, false),
            (100, true),
            (109, true),
            (110, false),
        ] {
            assert_eq!(range.holds(id), held, "{id}");
        }
    }
}
