//! Pipes and devices where a host should have files: nobody waits for them, and nobody replaces them.

use super::{Tree, is_root};
use assert_cmd::Command;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::time::Duration;

/// What a run must end within that waits for nothing: far more than it takes.
const PATIENCE: Duration = Duration::from_secs(120);

const FILES: [&str; 17] = [
    "etc/audit/audit.rules",
    "etc/audit/rules.d/audit.rules",
    "etc/default/docker",
    "etc/docker/daemon.json",
    "etc/environment",
    "etc/fstab",
    "etc/group",
    "etc/hostname",
    "etc/machine-id",
    "etc/passwd",
    "etc/seaworthy/policy.toml",
    "etc/seaworthy/remediations.d/own.toml",
    "etc/subuid",
    "etc/systemd/system/docker.service.d/10-site.conf",
    "usr/lib/systemd/system/docker.service",
    "usr/lib/systemd/system/docker.socket",
    "var/lib/dpkg/status",
];

fn run(tree: &Tree, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::cargo_bin("seaworthy")
        .unwrap()
        .arg("--root")
        .arg(tree.root())
        .args(arguments)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_pipe_where_a_file_should_be_holds_nobody_up() {
    if !is_root() {
        return;
    }
    for path in FILES {
        let tree = Tree::new();
        let at = tree.at(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&at);
        nix::unistd::mkfifo(&at, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for arguments in [
            &["audit"][..],
            &["plan", "--allow-disruption"],
            &["apply", "--yes", "--allow-disruption"],
            &["history"],
            &["rollback", "--yes"],
        ] {
            let (status, said) = run(&tree, arguments);
            assert!(
                matches!(status, Some(0..=2)),
                "{path} {arguments:?}: {status:?} {said}"
            );
        }
        let kind = fs::symlink_metadata(&at).unwrap().file_type();
        assert!(kind.is_fifo(), "{path}");
    }
}

#[test]
fn a_pipe_among_the_records_is_refused() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    assert_eq!(
        run(&tree, &["apply", "--yes", "--only", "daemon-icc"]).0,
        Some(0)
    );
    let transactions = tree.at("var/lib/seaworthy/transactions");
    let folder = fs::read_dir(transactions).unwrap().next().unwrap().unwrap();
    let journal = folder.path().join("journal");
    fs::remove_file(&journal).unwrap();
    nix::unistd::mkfifo(&journal, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for arguments in [
        &["history"][..],
        &["apply", "--yes"],
        &["rollback", "--yes"],
        &["recover", "--yes"],
    ] {
        let (status, said) = run(&tree, arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains("journal"), "{arguments:?}: {said}");
    }
}
