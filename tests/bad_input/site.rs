//! The folder of the site: all of it is root's alone, and only what is not there is nothing.

use super::{Tree, is_root};
use nix::sys::stat::Mode;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;

const CONTROL: &str = r#"
id = "site-icc"
title = "Containers are kept apart"
severity = "high"
level = 1
rationale = "Because."
check = { kind = "daemon-option", key = "icc", want = { is = false } }
remediation = { applicability = "manual", impact = "None." }
"#;

const FOLDER: &str = "etc/seaworthy";
const CONTROLS: &str = "etc/seaworthy/remediations.d";
const FILE: &str = "etc/seaworthy/remediations.d/site-icc.toml";

fn tree() -> Tree {
    let tree = Tree::new();
    tree.write(FILE, CONTROL, 0o644);
    tree
}

fn mode(tree: &Tree, path: &str, mode: u32) {
    fs::set_permissions(tree.at(path), Permissions::from_mode(mode)).unwrap();
}

/// Puts something else where `path` was.
fn instead(tree: &Tree, path: &str) -> std::path::PathBuf {
    tree.remove(path);
    tree.at(path)
}

/// What is wrong, and a word of the path and of the reason that the refusal must have.
type Case = (&'static str, fn(&Tree), &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "the folder is somebody's",
        |tree| chown(tree.at(FOLDER), Some(1000), None).unwrap(),
        "/etc/seaworthy: ",
        "it does not belong to root",
    ),
    (
        "the folder is written by a group",
        |tree| mode(tree, FOLDER, 0o775),
        "/etc/seaworthy: ",
        "others than root can write it",
    ),
    (
        "the folder above is written by all",
        |tree| mode(tree, "etc", 0o777),
        "/etc: ",
        "others than root can write it, so what is in it is not trusted",
    ),
    (
        "the root is somebody's",
        |tree| chown(tree.root(), Some(1000), None).unwrap(),
        "/: ",
        "it does not belong to root",
    ),
    (
        "the folder is a link",
        |tree| {
            fs::rename(tree.at(FOLDER), tree.at("etc/elsewhere")).unwrap();
            symlink("elsewhere", tree.at(FOLDER)).unwrap();
        },
        "/etc/seaworthy: ",
        "it is a symbolic link to elsewhere, not a folder",
    ),
    (
        "the folder is a link to nothing",
        |tree| symlink("/gone", instead(tree, FOLDER)).unwrap(),
        "/etc/seaworthy: ",
        "it is a symbolic link to /gone, not a folder",
    ),
    (
        "the folder is a file",
        |tree| fs::write(instead(tree, FOLDER), "").unwrap(),
        "/etc/seaworthy: ",
        "it is a file, not a folder",
    ),
    (
        "the controls are a link to nothing",
        |tree| symlink("/gone", instead(tree, CONTROLS)).unwrap(),
        "/etc/seaworthy/remediations.d: ",
        "it is a symbolic link to /gone, not a folder",
    ),
    (
        "the controls are a link to a folder",
        |tree| {
            fs::rename(tree.at(CONTROLS), tree.at("etc/seaworthy/there")).unwrap();
            symlink("there", tree.at(CONTROLS)).unwrap();
        },
        "/etc/seaworthy/remediations.d: ",
        "it is a symbolic link to there, not a folder",
    ),
    (
        "the controls are a file",
        |tree| fs::write(instead(tree, CONTROLS), CONTROL).unwrap(),
        "/etc/seaworthy/remediations.d: ",
        "it is a file, not a folder",
    ),
    (
        "the controls are a pipe",
        |tree| nix::unistd::mkfifo(&instead(tree, CONTROLS), Mode::S_IRWXU).unwrap(),
        "/etc/seaworthy/remediations.d: ",
        "it is a device or a pipe, not a folder",
    ),
    (
        "the controls are a socket",
        |tree| drop(UnixListener::bind(instead(tree, CONTROLS)).unwrap()),
        "/etc/seaworthy/remediations.d: ",
        "it is a socket, not a folder",
    ),
    (
        "the controls are somebody's",
        |tree| chown(tree.at(CONTROLS), Some(1000), None).unwrap(),
        "/etc/seaworthy/remediations.d: ",
        "it does not belong to root",
    ),
    (
        "a control is somebody's",
        |tree| chown(tree.at(FILE), Some(1000), None).unwrap(),
        "/etc/seaworthy/remediations.d/site-icc.toml: ",
        "it does not belong to root",
    ),
    (
        "a control is written by a group",
        |tree| mode(tree, FILE, 0o664),
        "/etc/seaworthy/remediations.d/site-icc.toml: ",
        "others than root can write it",
    ),
    (
        "a control is a folder",
        |tree| fs::create_dir(instead(tree, FILE)).unwrap(),
        "/etc/seaworthy/remediations.d/site-icc.toml: ",
        "it is a folder, not a regular file",
    ),
    (
        "a control is a pipe",
        |tree| nix::unistd::mkfifo(&instead(tree, FILE), Mode::S_IRWXU).unwrap(),
        "/etc/seaworthy/remediations.d/site-icc.toml: ",
        "it is a device or a pipe, not a regular file",
    ),
    (
        "a control is a link to nothing",
        |tree| symlink("/gone", instead(tree, FILE)).unwrap(),
        "/etc/seaworthy/remediations.d/site-icc.toml: ",
        "it is a symbolic link to /gone, not a regular file",
    ),
    (
        "a control is not text",
        |tree| tree.write(FILE, b"\xff\xfe", 0o644),
        "/etc/seaworthy/remediations.d/site-icc.toml: ",
        "it is not UTF-8 text",
    ),
    (
        "the name of a control is not text",
        |tree| {
            let name = OsStr::from_bytes(b"b\xffd.toml");
            fs::write(tree.at(CONTROLS).join(name), CONTROL).unwrap();
        },
        "/etc/seaworthy/remediations.d: ",
        "the name of a file in it is not UTF-8 (b\u{fffd}d.toml)",
    ),
    (
        "the name of a control is no id",
        |tree| fs::rename(tree.at(FILE), tree.at(CONTROLS).join("a b.toml")).unwrap(),
        "/etc/seaworthy/remediations.d/a b.toml: ",
        "its id is `site-icc`",
    ),
    (
        "a control moves the cursor",
        |tree| {
            let name = "a\u{1b}[2Jb";
            fs::write(
                tree.at(CONTROLS).join(format!("{name}.toml")),
                CONTROL.replace("id = \"site-icc\"", "id = \"a\\u001b[2Jb\""),
            )
            .unwrap();
        },
        "/etc/seaworthy/remediations.d/a<U+001B>[2Jb.toml: ",
        "`a<U+001B>[2Jb` is not an id",
    ),
    (
        "the policy is a folder",
        |tree| fs::create_dir(tree.at(FOLDER).join("policy.toml")).unwrap(),
        "/etc/seaworthy/policy.toml: ",
        "it is a folder, not a regular file",
    ),
    (
        "the policy is a pipe",
        |tree| nix::unistd::mkfifo(&tree.at(FOLDER).join("policy.toml"), Mode::S_IRWXU).unwrap(),
        "/etc/seaworthy/policy.toml: ",
        "it is a device or a pipe, not a regular file",
    ),
];

#[test]
fn what_is_not_roots_alone_is_refused_by_name() {
    if !is_root() {
        return;
    }
    for (name, spoil, path, why) in CASES {
        let tree = tree();
        spoil(&tree);
        let before = tree.manifest();
        for arguments in [&["audit"][..], &["plan"], &["apply", "--yes"], &["explain"]] {
            let ran = tree.run(arguments);
            assert_eq!(ran.status, Some(2), "{name}: {}", ran.err);
            assert_eq!(ran.out, "", "{name}");
            assert!(
                ran.err.contains(&format!("error: {path}")),
                "{name}: {}",
                ran.err
            );
            assert!(ran.err.contains(why), "{name}: {}", ran.err);
            // The cure is about the host that was looked at.
            let cure = ran.err.lines().last().unwrap();
            assert!(
                cure.starts_with("try: ") && cure.contains("[folder]/root"),
                "{name}: {cure}"
            );
        }
        before.assert_untouched(&tree);
    }
}

#[test]
fn what_the_cure_says_cures() {
    if !is_root() {
        return;
    }
    let mut cured = 0;
    for (name, spoil, ..) in CASES {
        let tree = tree();
        spoil(&tree);
        let ran = tree.run(&["audit"]);
        let line = ran.err.lines().last().unwrap();
        let folder = tree.root().parent().unwrap().display().to_string();
        let command = line
            .trim_start_matches("try: ")
            .replace("[folder]", &folder);
        if ["chown", "chmod", "mv"]
            .iter()
            .any(|verb| command.starts_with(verb))
        {
            let shell = std::process::Command::new("sh")
                .args(["-c", &command])
                .status()
                .unwrap();
            assert!(shell.success(), "{name}: {command}");
            let again = tree.run(&["audit"]);
            assert_eq!(again.status, Some(1), "{name}: {}", again.err);
            cured += 1;
        }
    }
    assert!(cured > 15, "{cured}");
}

#[test]
fn what_cannot_be_read_is_not_nothing() {
    if !is_root() {
        return;
    }
    for (closed, path) in [
        (CONTROLS, "/etc/seaworthy/remediations.d"),
        (FILE, "/etc/seaworthy/remediations.d/site-icc.toml"),
    ] {
        let tree = tree();
        mode(&tree, closed, 0o700);
        let ran = tree.run_as_nobody(&["audit"]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
        assert!(
            ran.err.contains(&format!("error: {path}: cannot read")),
            "{}",
            ran.err
        );
        assert!(
            ran.err.contains("try: sudo seaworthy audit --root"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn what_is_no_control_is_named_where_much_is_said() {
    if !is_root() {
        return;
    }
    let tree = tree();
    for name in ["README", "site-icc.toml.bak", "x\u{202e}.txt"] {
        tree.write(&format!("{CONTROLS}/{name}"), "not a control", 0o644);
    }
    let quiet = tree.run(&["audit", "--only", "site-icc"]);
    assert_eq!((quiet.status, quiet.err.as_str()), (Some(1), ""));
    let verbose = tree.run(&["audit", "--only", "site-icc", "--verbose"]);
    assert_eq!(
        verbose.err,
        "note: ignored in /etc/seaworthy/remediations.d, as a control's file ends in .toml: README, \
         site-icc.toml.bak, x<U+202E>.txt\n"
    );
}

#[test]
fn without_anything_there_nothing_is_asked_of_the_folders_above() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    mode(&tree, "etc", 0o777);
    let ran = tree.run(&["audit", "--only", "daemon-icc"]);
    assert_eq!((ran.status, ran.err.as_str()), (Some(1), ""));
    // A folder without anything in it is as good.
    let tree = Tree::new();
    fs::create_dir(tree.at(FOLDER)).unwrap();
    let ran = tree.run(&["audit", "--only", "daemon-icc"]);
    assert_eq!((ran.status, ran.err.as_str()), (Some(1), ""));
}

#[test]
fn every_verb_knows_the_newest_benchmark() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let numbered = format!("cis = {{ \"1.8.0\" = \"2.2\", \"1.10.0\" = \"2.3\" }}\n{CONTROL}");
    tree.write(FILE, numbered, 0o644);
    let audit = tree.run(&["audit", "--only", "site-icc"]);
    let table = tree.run(&["explain"]);
    for shown in [audit.out, table.out] {
        let line = shown
            .lines()
            .find(|line| line.contains("site-icc"))
            .unwrap();
        assert!(line.ends_with("CIS 1.10.0 2.3"), "{line}");
    }
}
