//! `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: String,
    /// The type of its file system, `ext4`.
    pub kind: String,
}

/// The mounts, in order: of two at one point the later one hides the earlier one. Lines that are
/// none are passed over.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    // The fields before the separator vary in number.
    let (front, back) = line.split_once(" - ")?;
    Some(Mount {
        point: unescaped(front.split(' ').nth(4)?),
        kind: back.split(' ').next()?.to_owned(),
    })
}

/// The mount that a path is on.
pub fn at<'a>(mounts: &'a [Mount], path: &str) -> Option<&'a Mount> {
    mounts
        .iter()
        .filter(|mount| is_below(path, &mount.point))
        // The last one of the longest.
        .max_by_key(|mount| mount.point.len())
}

fn is_below(path: &str, folder: &str) -> bool {
    folder == "/"
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The kernel writes space, tab, newline and backslash as `\040`, `\011`, `\012` and `\134`.
fn unescaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code {
            out.push(char::from(code));
            rest = &after[3..];
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /run rw,nosuid shared:5 master:2 - tmpfs tmpfs rw,size=9k
40 22 0:41 / /srv/nfs rw - nfs4 server:/x rw
41 22 0:42 / /srv/a\\040b\\134c rw - fuse.sshfs me@x rw
42 30 0:43 / /run rw - ramfs none rw
nonsense
";

    #[test]
    fn reading() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 5);
        for (path, kind) in [
            ("/", "ext4"),
            ("/etc/docker", "ext4"),
            ("/run/docker.sock", "ramfs"),
            ("/runner", "ext4"),
            ("/srv/nfs", "nfs4"),
            ("/srv/nfs/deep/er", "nfs4"),
            ("/srv/a b\\c/d", "fuse.sshfs"),
        ] {
            let mount = at(&mounts, path).map(|mount| mount.kind.as_str());
            assert_eq!(mount, Some(kind), "{path}");
        }
        assert_eq!(at(&parse(""), "/"), None);
    }
}
