//! What a site decides: the policy, and controls of its own.

use super::{Tree, is_root};
use insta::assert_snapshot;
use std::fs;

const CONTROL: &str = r#"
id = "ID"
title = "A folder of ours is there"
severity = "low"
level = 1
rationale = "Because."
[check]
kind = "file-access"
place = "/etc/docker"
at-most = "0755"
[remediation]
applicability = "manual"
impact = "None."
"#;

/// All verbs refuse, as what the site decided is not known.
fn refused(tree: &Tree) -> String {
    let before = tree.manifest();
    let audit = tree.run(&["audit"]);
    assert_eq!(
        (audit.status, audit.out.as_str()),
        (Some(2), ""),
        "{}",
        audit.err
    );
    for verb in [&["plan"][..], &["apply", "--yes"]] {
        let ran = tree.run(verb);
        assert_eq!(ran.all(), audit.all());
    }
    before.assert_untouched(tree);
    audit.messages()
}

fn with_policy(text: &str, mode: u32) -> Tree {
    let tree = Tree::new();
    tree.write("etc/seaworthy/policy.toml", text, mode);
    tree
}

#[test]
fn a_policy_with_an_unknown_key() {
    if is_root() {
        assert_snapshot!(refused(&with_policy("level = 1\nlevle = 2\n", 0o644)), @r"
        exit 2
        error: /etc/seaworthy/policy.toml: TOML parse error at line 2, column 1
          |
        2 | levle = 2
          | ^^^^^
        unknown field `levle`, expected one of `level`, `daemon`, `waiver`
        try: editor [folder]/root/etc/seaworthy/policy.toml
        ");
    }
}

#[test]
fn a_policy_that_waives_nothing() {
    if is_root() {
        let text = "[[waiver]]\ncontrol = \"daemon-ic\"\nreason = \"none\"\n";
        assert_snapshot!(refused(&with_policy(text, 0o644)), @r"
        exit 2
        error: /etc/seaworthy/policy.toml: there is no control `daemon-ic` to waive
        try: seaworthy explain
        ");
    }
}

#[test]
fn a_policy_that_everybody_writes() {
    if is_root() {
        assert_snapshot!(refused(&with_policy("level = 1\n", 0o666)), @r"
        exit 2
        error: /etc/seaworthy/policy.toml: others than root can write it, so it is not trusted
        try: chmod go-w [folder]/root/etc/seaworthy/policy.toml
        ");
    }
}

#[test]
fn a_policy_that_is_a_link() {
    if is_root() {
        let tree = with_policy("", 0o644);
        tree.remove("etc/seaworthy/policy.toml");
        tree.write("etc/seaworthy/real.toml", "level = 1\n", 0o644);
        std::os::unix::fs::symlink("real.toml", tree.at("etc/seaworthy/policy.toml")).unwrap();
        assert_snapshot!(refused(&tree), @r"
        exit 2
        error: /etc/seaworthy/policy.toml: it is a symbolic link to real.toml, not a regular file, so it is not trusted
        try: mv [folder]/root/etc/seaworthy/policy.toml [folder]/root/etc/seaworthy/policy.toml.old
        ");
    }
}

#[test]
fn a_policy_of_somebody_else() {
    if is_root() {
        let tree = with_policy("level = 1\n", 0o644);
        std::os::unix::fs::chown(tree.at("etc/seaworthy/policy.toml"), Some(1000), None).unwrap();
        assert_snapshot!(refused(&tree), @r"
        exit 2
        error: /etc/seaworthy/policy.toml: it does not belong to root, so it is not trusted
        try: chown root [folder]/root/etc/seaworthy/policy.toml
        ");
    }
}

#[test]
fn a_named_policy_that_is_not_there() {
    let tree = Tree::new();
    let missing = tree.beside("policy.toml");
    let ran = tree.run(&["audit", "--config", missing.to_str().unwrap()]);
    assert_snapshot!(ran.all(), @r"
    exit 2
    error: [folder]/policy.toml: cannot read: No such file or directory (os error 2)
    try: ls -l [folder]/policy.toml
    ---
    ");
}

fn with_control(stem: &str, text: &str) -> Tree {
    let tree = Tree::new();
    tree.write(
        &format!("etc/seaworthy/remediations.d/{stem}.toml"),
        text,
        0o644,
    );
    tree
}

#[test]
fn a_control_of_the_site() {
    if is_root() {
        let tree = with_control("site-folder", &CONTROL.replace("ID", "site-folder"));
        let ran = tree.run(&["audit", "--only", "site-folder"]);
        assert_snapshot!(ran.all(), @r"
        exit 0
        ---
        Audit of sample Debian GNU/Linux 12 (bookworm)

        Host 1 of 1 pass
          pass    low    site-folder 

        1 pass, 0 fail, 0 manual, 0 unknown, 0 not applicable
        ");
    }
}

#[test]
fn a_control_with_an_unknown_key() {
    if is_root() {
        let text = CONTROL
            .replace("ID", "site-folder")
            .replace("level =", "livel =");
        assert_snapshot!(refused(&with_control("site-folder", &text)), @r"
        exit 2
        error: /etc/seaworthy/remediations.d/site-folder.toml: TOML parse error at line 5, column 1
          |
        5 | livel = 1
          | ^^^^^
        unknown field `livel`, expected one of `id`, `title`, `severity`, `level`, `cis`, `rationale`, `references`, `check`, `remediation`, `example`
        try: editor [folder]/root/etc/seaworthy/remediations.d/site-folder.toml
        ");
    }
}

#[test]
fn a_control_with_a_taken_id() {
    if is_root() {
        let text = CONTROL.replace("ID", "daemon-icc");
        assert_snapshot!(refused(&with_control("daemon-icc", &text)), @r"
        exit 2
        error: /etc/seaworthy/remediations.d/daemon-icc.toml: there is a control `daemon-icc` already
        try: editor [folder]/root/etc/seaworthy/remediations.d/daemon-icc.toml
        ");
    }
}

#[test]
fn a_control_in_a_folder_that_everybody_writes() {
    if is_root() {
        let tree = with_control("site-folder", &CONTROL.replace("ID", "site-folder"));
        let folder = tree.at("etc/seaworthy/remediations.d");
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        assert_snapshot!(refused(&tree), @r"
        exit 2
        error: /etc/seaworthy/remediations.d: others than root can write it, so it is not trusted
        try: chmod go-w [folder]/root/etc/seaworthy/remediations.d
        ");
    }
}
