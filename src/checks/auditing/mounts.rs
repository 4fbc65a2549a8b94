//! Folders that are mounted after the rules are loaded. The rule loads on the bare mount point then, is listed, and sees
//! nothing of what is mounted over it (seen on Linux 6.1 and 6.12); the same where the mount is below a watched folder.

use super::listed;
use crate::facts::{Facts, Look, Requests};
use crate::formats::fstab;

pub(super) const FSTAB: &str = "/etc/fstab";
const UNIT_FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// What is mounted late on the way to a path: the folder, why, and where that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Late {
    /// The mount point.
    pub folder: String,
    /// The option or the unit that makes it late.
    pub why: String,
    /// File, with a line where there is one.
    pub source: String,
}

/// What is mounted late on the way to a path.
pub(crate) fn late(facts: &Facts, path: &str) -> Option<Late> {
    let covers = |folder: &str| {
        path == folder
            || (folder != "/"
                && path
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/')))
    };
    // Where it could not be read no watch passes: see `conditions::unread`.
    let mounted = fstab::parse(&facts.table(FSTAB));
    let known = mounted
        .iter()
        .filter(|one| covers(&facts.real_path(&one.folder)))
        .max_by_key(|one| one.folder.len());
    if let Some(one) = known
        && let Some(why) = one.late
    {
        return Some(Late {
            folder: one.folder.clone(),
            why: why.to_owned(),
            source: format!("{FSTAB}:{}", one.line),
        });
    }
    for folder in UNIT_FOLDERS {
        for ending in [".automount", ".mount"] {
            for name in listed(facts, folder, ending) {
                let Some(at) = mount_point(&name) else {
                    continue;
                };
                // A mount of fstab that is not late stands for its unit as well.
                let in_fstab = mounted.iter().any(|one| one.folder == at);
                if at != "/" && covers(&facts.real_path(&at)) && !(in_fstab && ending == ".mount") {
                    return Some(Late {
                        folder: at,
                        why: name.clone(),
                        source: format!("{folder}/{name}"),
                    });
                }
            }
        }
    }
    None
}

/// The folder that a unit is named after (systemd-escape(1), `--path`).
fn mount_point(unit: &str) -> Option<String> {
    let (name, _) = unit.rsplit_once('.')?;
    if name == "-" {
        return Some("/".to_owned());
    }
    let mut bytes = vec![b'/'];
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'-', _) => bytes.push(b'/'),
            (b'\\', [b'x', one, other, ..]) => {
                let digits = [*one, *other];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[3..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

pub(super) fn requests(_: &Facts) -> Requests {
    let mut requests = Requests::from([(FSTAB.to_owned(), Look::Content)]);
    for folder in UNIT_FOLDERS {
        requests.insert(folder.to_owned(), Look::Entries);
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_units() {
        for (unit, folder) in [
            ("var-lib-docker.mount", "/var/lib/docker"),
            ("srv-my\\x2ddata.automount", "/srv/my-data"),
            ("-.mount", "/"),
        ] {
            assert_eq!(mount_point(unit).as_deref(), Some(folder));
        }
    }
}
