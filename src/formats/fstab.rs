//! fstab(5), as far as it says when something is mounted.

/// One file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// Where, without a slash at its end.
    pub folder: String,
    /// Why it may be mounted later than the other local file systems, or not at all; `None` where systemd waits for
    /// it before it starts anything that needs them (systemd.mount(5)).
    pub late: Option<&'static str>,
    /// The line, counted from 1.
    pub line: usize,
}

/// Types that need the network, which comes late (systemd.mount(5)).
const NETWORK: [&str; 9] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "ceph",
    "glusterfs",
    "sshfs",
    "fuse.sshfs",
    "9p",
];

/// Options that make it late.
const LATE: [&str; 5] = [
    "nofail",
    "_netdev",
    "noauto",
    "x-systemd.automount",
    "comment=systemd.automount",
];

/// The file systems that are mounted on a folder.
pub fn parse(text: &str) -> Vec<Mounted> {
    let read = |(index, line): (usize, &str)| {
        let mut words = line.split_whitespace();
        let source = words.next()?;
        if source.starts_with('#') {
            return None;
        }
        let folder = unescaped(words.next()?);
        if !folder.starts_with('/') {
            return None;
        }
        let kind = words.next().unwrap_or_default();
        let options = words.next().unwrap_or_default();
        let late = LATE
            .iter()
            .find(|late| options.split(',').any(|option| option == **late))
            .copied()
            .or_else(|| NETWORK.iter().find(|network| **network == kind).copied());
        let trimmed = folder.trim_end_matches('/');
        Some(Mounted {
            folder: if trimmed.is_empty() { "/" } else { trimmed }.to_owned(),
            late,
            line: index + 1,
        })
    };
    text.lines().enumerate().filter_map(read).collect()
}

/// Blanks and backslashes stand there as octal numbers.
fn unescaped(word: &str) -> String {
    word.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_ones() {
        let text = "# c\nUUID=1 / ext4 defaults 0 1\n/dev/b /srv/ ext4 defaults,nofail 0 2\nhost:/x /mnt nfs defaults 0 0\n/dev/c none swap sw 0 0\n/dev/d /my\\040data xfs noauto\n/dev/e /var/lib/docker ext4 x-systemd.automount\n";
        let found: Vec<(String, Option<&str>, usize)> = parse(text)
            .into_iter()
            .map(|one| (one.folder, one.late, one.line))
            .collect();
        let expected = [
            ("/", None, 2),
            ("/srv", Some("nofail"), 3),
            ("/mnt", Some("nfs"), 4),
            ("/my data", Some("noauto"), 6),
            ("/var/lib/docker", Some("x-systemd.automount"), 7),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(folder, late, line)| (folder.to_owned(), late, line))
            .collect();
        assert_eq!(found, expected);
    }
}
