//! The demo's sample host in a folder, and proof that it did not change.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a path has: kind and mode, owner, when it was changed, and what is in it.
type Entry = (u32, u32, u32, (i64, i64), Vec<u8>);

pub(super) struct Sample(TempDir);

impl Sample {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/demo");
        copy(&from, root);
        for folder in [
            "etc/tmpfiles.d",
            "etc/systemd/system/multi-user.target.wants",
            "run",
            "var/lib/docker",
        ] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (link, target) in [
            ("bin", "usr/bin"),
            ("lib", "usr/lib"),
            ("sbin", "usr/sbin"),
            (
                "etc/systemd/system/multi-user.target.wants/auditd.service",
                "/usr/lib/systemd/system/auditd.service",
            ),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let too_wide = root.join("etc/docker/daemon.json");
        fs::set_permissions(too_wide, Permissions::from_mode(0o666)).unwrap();
        Self(folder)
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Everything there is, times of change included.
    pub(super) fn manifest(&self) -> BTreeMap<PathBuf, Entry> {
        let mut all = BTreeMap::new();
        let mut folders = vec![self.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::symlink_metadata(&path).unwrap();
                let content = if metadata.is_dir() {
                    folders.push(path.clone());
                    Vec::new()
                } else if metadata.is_symlink() {
                    fs::read_link(&path)
                        .unwrap()
                        .into_os_string()
                        .into_encoded_bytes()
                } else {
                    fs::read(&path).unwrap()
                };
                let entry = (
                    metadata.mode(),
                    metadata.uid(),
                    metadata.gid(),
                    (metadata.mtime(), metadata.ctime_nsec()),
                    content,
                );
                all.insert(path, entry);
            }
        }
        all
    }

    /// As [`Self::manifest`], without times and without our own records.
    pub(super) fn lasting(&self) -> BTreeMap<PathBuf, Entry> {
        let records = self.root().join("var/lib/seaworthy");
        let mut all = self.manifest();
        all.retain(|path, _| !path.starts_with(&records));
        for entry in all.values_mut() {
            entry.3 = (0, 0);
        }
        all
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&source, &target);
        } else {
            fs::write(&target, fs::read(&source).unwrap()).unwrap();
            let is_program = source.parent().unwrap().ends_with("usr/bin")
                || source.parent().unwrap().ends_with("usr/sbin");
            let mode = if is_program { 0o755 } else { 0o644 };
            fs::set_permissions(&target, Permissions::from_mode(mode)).unwrap();
        }
    }
}
