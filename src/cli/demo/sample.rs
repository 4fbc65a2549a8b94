//! The sample host: a small Debian 12 with Docker and auditd, as files.

use nix::unistd::{Gid, getegid};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/sample_host.rs"));

/// Folders that git does not keep as they are empty, or that are not open to everybody.
const FOLDERS: [(&str, u32); 9] = [
    ("/etc/audit", 0o750),
    ("/etc/audit/rules.d", 0o750),
    ("/etc/systemd/system", 0o755),
    ("/etc/tmpfiles.d", 0o755),
    ("/run", 0o755),
    ("/srv", 0o755),
    ("/usr/lib/tmpfiles.d", 0o755),
    ("/var/lib", 0o755),
    ("/var/lib/docker", 0o710),
];

/// Files that are neither programs nor 0644. The first two are wider than they should be.
const MODES: [(&str, u32); 4] = [
    ("/etc/docker/daemon.json", 0o666),
    ("/usr/lib/systemd/system/docker.service", 0o664),
    ("/etc/audit/audit.rules", 0o640),
    ("/etc/audit/rules.d/audit.rules", 0o640),
];

/// Symbolic links: Debian's merged /usr, where runc is, and that auditd starts at boot.
const LINKS: [(&str, &str); 6] = [
    (
        "/etc/systemd/system/multi-user.target.wants/auditd.service",
        "/usr/lib/systemd/system/auditd.service",
    ),
    ("/bin", "usr/bin"),
    ("/lib", "usr/lib"),
    ("/sbin", "usr/sbin"),
    ("/var/run", "/run"),
    ("/usr/bin/runc", "../sbin/runc"),
];

/// Writes the sample host into an empty folder of ours.
pub(super) fn extract(root: &Path) -> io::Result<()> {
    // Where the folder around it has the setgid bit, everything new would belong to its group, and
    // the audit would rightly wonder who that is.
    std::os::unix::fs::chown(root, None, Some(Gid::as_raw(getegid())))?;
    set_mode(root, 0o755)?;
    for (path, _) in FOLDERS {
        make_folders(root, path)?;
    }
    let modes: BTreeMap<&str, u32> = MODES.into_iter().collect();
    for (path, content) in SAMPLE_HOST {
        if let Some((folder, _)) = path.rsplit_once('/') {
            make_folders(root, folder)?;
        }
        let at = inside(root, path);
        fs::write(&at, content)?;
        let is_program = path.starts_with("/usr/bin/") || path.starts_with("/usr/sbin/");
        let usual = if is_program { 0o755 } else { 0o644 };
        set_mode(&at, modes.get(path).copied().unwrap_or(usual))?;
    }
    for (path, target) in LINKS {
        if let Some((folder, _)) = path.rsplit_once('/') {
            make_folders(root, folder)?;
        }
        symlink(target, inside(root, path))?;
    }
    for (path, mode) in FOLDERS {
        set_mode(&inside(root, path), mode)?;
    }
    Ok(())
}

/// Makes what is missing of a chain of folders, whatever the umask.
fn make_folders(root: &Path, path: &str) -> io::Result<()> {
    let mut at = root.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at.push(part);
        if !at.is_dir() {
            fs::create_dir(&at)?;
            set_mode(&at, 0o755)?;
        }
    }
    Ok(())
}

fn inside(root: &Path, path: &str) -> std::path::PathBuf {
    root.join(path.trim_start_matches('/'))
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}
