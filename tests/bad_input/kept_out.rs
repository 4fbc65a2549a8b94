//! Places that the executor will not change: the plan knows them, and says what shows them.

use super::{Tree, is_root};
use rustix::fs::IFlags;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

/// What `plan` says of a control that it holds back.
fn held_back(tree: &Tree, control: &str) -> (String, String) {
    let ran = tree.run(&["plan", "--format", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let held = plan["held_back"].as_array().unwrap();
    let held = held.iter().find(|held| held["control"] == control);
    let held = held.unwrap_or_else(|| panic!("{control} is not held back: {}", ran.out));
    let word = |key: &str| held[key].as_str().unwrap().to_owned();
    (word("reason"), word("release"))
}

/// Applies what is left, and takes it back.
fn the_rest_goes_both_ways(tree: &Tree) {
    let before = tree.manifest();
    let ran = tree.run(&["apply", "--yes", "--allow-disruption"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let ran = tree.run(&["rollback", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    before.assert_restored(tree);
    let ran = tree.run(&["recover", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
}

/// A host whose TLS key lies in the home of a user.
fn with_a_key_of_alice() -> Tree {
    let tree = Tree::with_daemon_json(
        r#"{"tls": true, "tlskey": "/home/alice/key.pem", "tlscert": "/home/alice/key.pem"}"#,
    );
    tree.write("home/alice/key.pem", "k\n", 0o666);
    for path in ["home/alice", "home/alice/key.pem"] {
        chown(tree.at(path), Some(1000), Some(1000)).unwrap();
    }
    tree
}

#[test]
fn a_file_in_a_folder_of_an_ordinary_user() {
    if !is_root() {
        return;
    }
    let tree = with_a_key_of_alice();
    let (reason, release) = held_back(&tree, "tls-key-mode");
    assert_eq!(
        reason,
        "/home/alice/key.pem: /home/alice on the way there belongs to uid 1000, not to root, and \
         nothing is changed where others than root decide what is there"
    );
    assert_eq!(release, "namei -l /home/alice/key.pem");
    the_rest_goes_both_ways(&tree);
}

#[test]
fn a_configuration_folder_that_others_write() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    fs::set_permissions(tree.at("etc/docker"), Permissions::from_mode(0o777)).unwrap();
    let (reason, release) = held_back(&tree, "daemon-icc");
    assert!(
        reason.contains("can be written by others than root (mode 0777)"),
        "{reason}"
    );
    assert_eq!(release, "namei -l /etc/docker/daemon.json");
    the_rest_goes_both_ways(&tree);
}

#[test]
fn a_file_with_two_names() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    fs::hard_link(
        tree.at("etc/docker/daemon.json"),
        tree.at("var/daemon.json"),
    )
    .unwrap();
    let (reason, release) = held_back(&tree, "daemon-icc");
    assert_eq!(
        reason,
        "/etc/docker/daemon.json has 2 names (hard links), and a new content would part them"
    );
    assert_eq!(release, "find / -xdev -samefile /etc/docker/daemon.json");
    the_rest_goes_both_ways(&tree);
}

#[test]
fn a_pipe_where_a_key_should_be() {
    if !is_root() {
        return;
    }
    let tree =
        Tree::with_daemon_json(r#"{"tls": true, "tlskey": "/etc/key", "tlscert": "/etc/key"}"#);
    nix::unistd::mkfifo(
        &tree.at("etc/key"),
        nix::sys::stat::Mode::from_bits_truncate(0o666),
    )
    .unwrap();
    fs::set_permissions(tree.at("etc/key"), Permissions::from_mode(0o666)).unwrap();
    let ran = tree.run(&["plan", "--format", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let plan: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let steps = plan["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["path"] != "/etc/key"));
    the_rest_goes_both_ways(&tree);
}

#[test]
fn a_folder_that_takes_no_new_names() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let folder = File::open(tree.at("etc/docker")).unwrap();
    let Ok(flags) = rustix::fs::ioctl_getflags(&folder) else {
        eprintln!("NOT RUN: this file system has no flags");
        return;
    };
    rustix::fs::ioctl_setflags(&folder, flags | IFlags::IMMUTABLE).unwrap();
    let held = std::panic::catch_unwind(|| held_back(&tree, "daemon-icc"));
    let rest = std::panic::catch_unwind(|| the_rest_goes_both_ways(&tree));
    rustix::fs::ioctl_setflags(&folder, flags).unwrap();
    let (reason, release) = held.unwrap();
    rest.unwrap();
    assert_eq!(
        reason,
        "/etc/docker/daemon.json is in /etc/docker: it is immutable (chattr +i)"
    );
    assert_eq!(release, "lsattr -d /etc/docker; findmnt -T /etc/docker");
}

#[test]
fn what_became_untouchable_since_is_refused_before_anything_is_put_back() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let ran = tree.run(&["apply", "--yes", "--allow-disruption"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    fs::set_permissions(tree.at("etc/docker"), Permissions::from_mode(0o777)).unwrap();
    let before = tree.manifest();
    let ran = tree.run(&["rollback", "--yes"]);
    assert_eq!(ran.status, Some(2), "{}", ran.err);
    assert!(
        ran.err.contains("/etc/docker/daemon.json: the folder"),
        "{}",
        ran.err
    );
    before.assert_only_state_added(&tree);
    fs::set_permissions(tree.at("etc/docker"), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
}
