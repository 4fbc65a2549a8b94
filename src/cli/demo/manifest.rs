//! Everything below a folder: what the demonstration compares at its end. It reads the disk itself
//! and shares nothing with the code that it judges.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What is at each path below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest(BTreeMap<PathBuf, Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    what: What,
    mode: u32,
    owner: (u32, u32),
    xattrs: BTreeMap<OsString, Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    File(Vec<u8>),
    Folder,
    Link(PathBuf),
}

impl Manifest {
    /// Takes stock of everything below `root`, without what is at or below `leave_out`.
    pub(super) fn of(root: &Path, leave_out: &Path) -> io::Result<Self> {
        let mut entries = BTreeMap::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path == leave_out {
                    continue;
                }
                let entry = look(&path)?;
                if entry.what == What::Folder {
                    folders.push(path.clone());
                }
                entries.insert(path, entry);
            }
        }
        Ok(Self(entries))
    }

    /// How many files, folders and links it holds.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// A sentence for each path that is not the same in both.
    pub(super) fn differences(&self, later: &Self, root: &Path) -> Vec<String> {
        let mut paths: Vec<&PathBuf> = self.0.keys().chain(later.0.keys()).collect();
        paths.sort();
        paths.dedup();
        paths
            .into_iter()
            .filter_map(|path| {
                let how = match (self.0.get(path), later.0.get(path)) {
                    (Some(_), None) => "is gone",
                    (None, Some(_)) => "is new",
                    (Some(old), Some(new)) if old.what != new.what => "has another content",
                    (Some(old), Some(new)) if old != new => "has another mode or owner",
                    _ => return None,
                };
                let shown = path.strip_prefix(root).unwrap_or(path);
                Some(format!("/{} {how}", shown.display()))
            })
            .collect()
    }
}

fn look(path: &Path) -> io::Result<Entry> {
    let metadata = fs::symlink_metadata(path)?;
    let what = if metadata.is_dir() {
        What::Folder
    } else if metadata.is_symlink() {
        What::Link(fs::read_link(path)?)
    } else {
        What::File(fs::read(path)?)
    };
    Ok(Entry {
        xattrs: if metadata.is_symlink() {
            BTreeMap::new()
        } else {
            xattrs(path)
        },
        what,
        mode: metadata.permissions().mode(),
        owner: (metadata.uid(), metadata.gid()),
    })
}

/// None where the file system has none.
fn xattrs(path: &Path) -> BTreeMap<OsString, Vec<u8>> {
    xattr::list(path)
        .into_iter()
        .flatten()
        .filter_map(|name| {
            let value = xattr::get(path, &name).ok()??;
            Some((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    #[test]
    fn every_kind_of_difference_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("etc")).unwrap();
        for name in ["same", "etc/text", "mode", "gone"] {
            fs::write(root.join(name), "a").unwrap();
        }
        std::os::unix::fs::symlink("same", root.join("link")).unwrap();
        let left_out = root.join("state");
        let before = Manifest::of(root, &left_out).unwrap();
        assert_eq!(before.count(), 6);
        assert_eq!(before.differences(&before, root), [""; 0]);

        fs::write(root.join("etc/text"), "b").unwrap();
        fs::set_permissions(root.join("mode"), Permissions::from_mode(0o600)).unwrap();
        fs::remove_file(root.join("gone")).unwrap();
        fs::write(root.join("new"), "").unwrap();
        fs::create_dir(&left_out).unwrap();
        fs::remove_file(root.join("link")).unwrap();
        std::os::unix::fs::symlink("mode", root.join("link")).unwrap();
        let after = Manifest::of(root, &left_out).unwrap();
        assert_eq!(
            before.differences(&after, root),
            [
                "/etc/text has another content",
                "/gone is gone",
                "/link has another content",
                "/mode has another mode or owner",
                "/new is new",
            ]
        );
    }
}
