//! Where systemd finds the files of a unit (systemd.unit(5), "Unit File Load Path").

use super::files::Files;
use crate::facts::{Look, Seen, Unread, steps};
use crate::formats::unit::FOLDERS;
use std::collections::{BTreeMap, BTreeSet};

/// What is in the folders, each listed once.
pub(super) struct UnitFiles {
    folders: Vec<Folder>,
}

struct Folder {
    path: &'static str,
    names: BTreeSet<String>,
    /// Those of folders with links by which units are pulled in: `multi-user.target.wants`.
    pulls: Vec<String>,
    /// It may hold more than was listed, and why.
    unlisted: Option<Unread>,
}

/// The names in a folder; what keeps others from being seen is added to `unread`.
pub(super) fn names(files: &mut Files<'_>, folder: &str, unread: &mut Vec<Unread>) -> Vec<String> {
    let at = files.followed(folder).unwrap_or_else(|| folder.to_owned());
    match files.seen(&at, Look::Entries) {
        Seen::Known(node) => {
            unread.extend(node.odd_names.iter().map(|name| Unread {
                path: format!("{folder}/{name}"),
                why: "its name is not UTF-8, and it is not looked at".to_owned(),
                hint: format!("ls -lb {folder}"),
            }));
            node.entries.clone().unwrap_or_default()
        }
        Seen::Unseen(unseen) => {
            unread.push(Unread {
                path: folder.to_owned(),
                why: unseen.unseen.clone(),
                hint: unseen.hint.clone(),
            });
            Vec::new()
        }
    }
}

impl UnitFiles {
    pub(super) fn list(files: &mut Files<'_>) -> Self {
        let folders = FOLDERS.into_iter().map(|path| {
            let mut unread = Vec::new();
            let names = names(files, path, &mut unread);
            // A name in there that is not UTF-8 is that of no unit which concerns us.
            let unlisted = unread.into_iter().find(|it| it.path == path);
            let pulls =
                |dir: &&String| matches!(dir.rsplit_once('.'), Some((_, "wants" | "requires")));
            Folder {
                path,
                pulls: steps::counted(&names).filter(pulls).cloned().collect(),
                names: names.into_iter().collect(),
                unlisted,
            }
        });
        Self {
            folders: folders.collect(),
        }
    }

    /// Every unit of a type that has a file: `socket`.
    pub(super) fn of_type(&self, kind: &str) -> BTreeSet<String> {
        let end = format!(".{kind}");
        let names = self.folders.iter().flat_map(|folder| &folder.names);
        steps::counted(names)
            .filter(|name| name.ends_with(&end))
            .cloned()
            .collect()
    }

    /// The unit's own file, where it has one, and folders before it that may hold another one.
    pub(super) fn fragment(&self, name: &str, unread: &mut Vec<Unread>) -> Option<String> {
        for folder in &self.folders {
            if folder.names.contains(name) {
                return Some(format!("{}/{name}", folder.path));
            }
            unread.extend(folder.unlisted.clone());
        }
        None
    }

    /// The drop-ins in the order in which they apply: by file name, whatever folder they are in. Of several with one
    /// name that of the folder named most closely after the unit counts, and among those the first folder's; a link
    /// to /dev/null hides the others.
    pub(super) fn drop_ins(
        &self,
        files: &mut Files<'_>,
        name: &str,
        unread: &mut Vec<Unread>,
    ) -> Vec<String> {
        let mut by_name: BTreeMap<String, String> = BTreeMap::new();
        for stem in stems(name) {
            let stem = format!("{stem}.d");
            for folder in self.folders.iter().filter(|it| it.names.contains(&stem)) {
                let folder = format!("{}/{stem}", folder.path);
                let mut odd = Vec::new();
                let names = names(files, &folder, &mut odd);
                unread.extend(
                    odd.into_iter()
                        .filter(|it| it.path == folder || is_drop_in(&it.path)),
                );
                for name in names.into_iter().filter(|name| is_drop_in(name)) {
                    let path = format!("{folder}/{name}");
                    by_name.entry(name).or_insert(path);
                }
            }
        }
        by_name.into_values().collect()
    }

    /// Whether a target or another unit pulls this one in, by a link.
    pub(super) fn is_wanted(&self, files: &mut Files<'_>, name: &str) -> bool {
        self.folders.iter().any(|folder| {
            steps::counted(&folder.pulls)
                .any(|dir| files.may_exist(&format!("{}/{dir}/{name}", folder.path)))
        })
    }
}

/// What the folders of drop-ins are named after, the closest name first: the unit, its name up to each dash, its
/// type.
fn stems(name: &str) -> Vec<String> {
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut stems = vec![name.to_owned()];
    let mut dashes: Vec<usize> = stem.match_indices('-').map(|(at, _)| at).collect();
    dashes.reverse();
    stems.extend(
        dashes
            .into_iter()
            .map(|at| format!("{}.{kind}", &stem[..=at])),
    );
    stems.push(kind.to_owned());
    stems
}

/// systemd reads `*.conf` only, and means the case.
fn is_drop_in(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    matches!(name.rsplit_once('.'), Some((stem, "conf")) if !stem.is_empty() && !stem.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_drop_in_folders() {
        assert_eq!(stems("docker.service"), ["docker.service", "service"]);
        assert_eq!(
            stems("a-b-c.socket"),
            ["a-b-c.socket", "a-b-.socket", "a-.socket", "socket"]
        );
    }
}
