//! Pipes, colours, no terminal; and that reading verbs leave no trace.

use super::{Tree, is_root};
use insta::assert_snapshot;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

#[test]
fn a_reader_that_went_away_is_no_error() {
    let tree = Tree::new();
    for arguments in [
        &["audit"][..],
        &["plan"],
        &["explain"],
        &["audit", "--format", "json"],
        &["--help"],
    ] {
        let mut command = tree.command(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(said, "", "{arguments:?}");
        let status = child.wait().unwrap().code();
        assert!(matches!(status, Some(0 | 1)), "{arguments:?}: {status:?}");
    }
}

#[test]
fn head_gets_its_line() {
    let tree = Tree::new();
    let mut command = tree.command(&["audit"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "Audit of sample Debian GNU/Linux 12 (bookworm)\n");
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_full_disk_behind_the_output_is_an_error() {
    let tree = Tree::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = tree.command(&["audit"]);
    let ran = tree.ran(command.stdout(full).output().unwrap());
    assert_snapshot!(ran.messages(), @r"
    exit 2
    error: standard output cannot be written: No space left on device (os error 28)
    try: df -h .
    ");
}

#[test]
fn pipes_have_no_escape_sequences() {
    let tree = Tree::new();
    for arguments in [
        &["audit"][..],
        &["plan"],
        &["explain"],
        &["explain", "daemon-icc"],
        &["plan", "--only", "x"],
        &["--help"],
        &["--nonsense"],
    ] {
        for (name, value) in [
            ("NO_COLOR", ""),
            ("NO_COLOR", "1"),
            ("TERM", "xterm-256color"),
            ("CLICOLOR", "1"),
        ] {
            let ran = tree.ran(tree.command(arguments).env(name, value).output().unwrap());
            assert!(!ran.out.contains('\u{1b}'), "{arguments:?} {name}={value}");
            assert!(
                !ran.err.contains('\u{1b}'),
                "{arguments:?} {name}={value}: {:?}",
                ran.err
            );
        }
    }
    let ran = tree.run(&["audit", "--color", "always"]);
    assert!(ran.out.contains('\u{1b}'), "--color always");
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let apply = tree.run(&["apply", "--only", "daemon-icc"]);
    before.assert_only_state_added(&tree);
    assert_snapshot!(apply.messages(), @r"
    exit 2
    error: there is no terminal to ask at
    try: seaworthy apply --root [folder]/root --only daemon-icc --yes
    ");
    assert_eq!(
        tree.run(&["apply", "--only", "daemon-icc", "--yes"]).status,
        Some(0)
    );
    let before = tree.manifest();
    let rollback = tree.run(&["rollback"]);
    before.assert_only_state_added(&tree);
    assert_eq!(rollback.status, Some(2));
    assert!(
        rollback.err.contains("there is no terminal to ask at"),
        "{}",
        rollback.err
    );
    assert!(rollback.err.contains("/root --yes "), "{}", rollback.err);
}

#[test]
fn reading_leaves_no_trace() {
    let tree = Tree::new();
    let before = tree.manifest();
    let out = tree.beside("plan.json");
    for arguments in [
        &["audit"][..],
        &["audit", "--format", "json", "--verbose"],
        &["plan"],
        &["plan", "--allow-disruption", "--format", "json"],
        &["plan", "--format", "diff", "--out", out.to_str().unwrap()],
        &["show", out.to_str().unwrap()],
        &["history"],
        &["explain"],
    ] {
        let ran = tree.run(arguments);
        assert!(
            matches!(ran.status, Some(0 | 1)),
            "{arguments:?}: {}",
            ran.err
        );
        before.assert_untouched(&tree);
    }
    assert!(!tree.at("var/lib/seaworthy").exists());
}

#[test]
fn a_result_that_cannot_be_printed_is_still_a_result() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let mut apply = tree.command(&["apply", "--only", "daemon-icc", "--yes", "--format", "json"]);
    let ran = tree.ran(apply.stdout(full()).output().unwrap());
    assert!(
        String::from_utf8(tree.read("etc/docker/daemon.json"))
            .unwrap()
            .contains("icc")
    );
    assert_snapshot!(ran.messages(), @r"
    exit 0
      transaction [id]
      [1/1] edit /etc/docker/daemon.json
      committed
    error: standard output cannot be written: No space left on device (os error 28)
    try: df -h .
    ");
    let mut rollback = tree.command(&["rollback", "--yes", "--format", "json"]);
    let ran = tree.ran(rollback.stdout(full()).output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.err);
}
