//! Records that others could have written, that lost their end, and that name odd paths.

use super::{Tree, is_root};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

/// A host on which something was applied, and the folder of that transaction.
fn applied(tree: &Tree) -> PathBuf {
    let ran = tree.run(&["apply", "--yes", "--allow-disruption"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let folder = fs::read_dir(tree.at("var/lib/seaworthy/transactions")).unwrap();
    folder.last().unwrap().unwrap().path()
}

#[test]
fn a_journal_that_others_write_is_refused_by_name() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let transaction = applied(&tree);
    let journal = transaction.join("journal");
    let state = tree.at("var/lib/seaworthy");
    let mode = |mode| Permissions::from_mode(mode);
    for (path, is, was) in [
        (&journal, 0o622, 0o600),
        (&transaction, 0o770, 0o700),
        (&state.join("transactions"), 0o707, 0o700),
        (&state.join("backups"), 0o720, 0o700),
        (&state, 0o777, 0o700),
    ] {
        fs::set_permissions(path, mode(is)).unwrap();
        let before = tree.manifest();
        for verb in ["history", "rollback", "recover", "apply"] {
            let words: &[&str] = match verb {
                "history" => &["history"],
                verb => &[verb, "--yes"],
            };
            let ran = tree.run(words);
            let inside = path.strip_prefix(tree.root()).unwrap();
            assert_eq!(ran.status, Some(2), "{verb} {inside:?}: {}", ran.err);
            let named = format!("/{}", inside.display());
            assert!(ran.err.contains(&named), "{verb} {named}: {}", ran.err);
            let mode = format!("{is:04o}");
            assert!(ran.err.contains(&mode), "{verb} {named}: {}", ran.err);
        }
        before.assert_restored(&tree);
        fs::set_permissions(path, mode(was)).unwrap();
    }
    chown(&journal, Some(1000), None).unwrap();
    let ran = tree.run(&["rollback", "--yes"]);
    assert_eq!(ran.status, Some(2), "{}", ran.err);
    assert!(ran.err.contains("belongs to user 1000"), "{}", ran.err);
    chown(&journal, Some(0), None).unwrap();
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
}

#[test]
fn a_committed_transaction_whose_records_are_gone_is_for_a_person() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let transaction = applied(&tree);
    let after = tree.manifest();
    let text = fs::read_to_string(transaction.join("journal")).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let begin: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    let steps = begin["entry"]["steps"].as_array().unwrap();
    // Only the beginning; and as far as half of the steps.
    for kept in [1, steps.len()] {
        fs::write(transaction.join("journal"), lines[..kept].concat()).unwrap();
        for _ in 0..2 {
            let ran = tree.run(&["recover", "--yes"]);
            assert_eq!(ran.status, Some(4), "{}", ran.err);
            assert!(ran.out.contains("records are missing"), "{}", ran.all());
            for step in steps {
                let path = step["action"]["path"].as_str().unwrap();
                assert!(ran.err.contains(path), "{path}: {}", ran.err);
            }
            after.assert_restored(&tree);
        }
    }
    // The same journal on a host that is as it was before.
    let tree = Tree::new();
    let folder = tree.at("var/lib/seaworthy/transactions");
    fs::create_dir_all(&folder).unwrap();
    for folder in [tree.at("var/lib/seaworthy"), folder.clone()] {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    }
    let id = transaction.file_name().unwrap();
    fs::create_dir(folder.join(id)).unwrap();
    fs::write(folder.join(id).join("journal"), lines[0]).unwrap();
    let ran = tree.run(&["recover", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    before.assert_restored(&tree);
}

#[test]
fn no_line_of_restore_is_the_command_of_a_path() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let names = [
        "a\ntouch x\nb",
        "it's $(touch x) `touch x`",
        "-rf",
        "\u{1b}[2J\r\u{202e}",
        "100%\\n\ntouch y",
    ];
    for name in names {
        tree.write(&format!("etc/docker/certs.d/{name}/ca.crt"), "c\n", 0o666);
    }
    let with_them = tree.manifest();
    let transaction = applied(&tree);
    let script = transaction.join("RESTORE");
    let text = fs::read_to_string(&script).unwrap();
    for line in text.lines() {
        assert!(!line.starts_with("touch "), "{text}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    // As a whole it does what it says, for these paths: each line is a command of its own.
    for line in text.lines().filter(|line| line.contains("certs.d")) {
        let root = tree.root();
        let line = line.replace("/etc/docker", &format!("{}/etc/docker", root.display()));
        let mut shell = Command::new("/bin/bash");
        let status = shell.arg("-ec").arg(&line).current_dir(&root).status();
        assert!(status.unwrap().success(), "{line}");
    }
    for name in names {
        let path = tree.at(&format!("etc/docker/certs.d/{name}/ca.crt"));
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o666, "{name:?}");
    }
    assert!(!tree.at("x").exists() && !tree.at("y").exists());
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
    with_them.assert_restored(&tree);
}
