//! Files that somebody edited after they were hardened, and histories that are pruned.

use super::tree::Ran;
use super::{Tree, is_root};
use std::fs;

const DAEMON: &str = "etc/docker/daemon.json";
const ENVIRONMENT: &str = "etc/environment";
const RULES: &str = "etc/audit/rules.d/50-seaworthy-docker.rules";
const ONLY: &str = "daemon-icc,content-trust,audit-etc-docker,audit-default-docker";

fn applied(tree: &Tree, only: &str) -> String {
    let ran = tree.run(&["apply", "--yes", "--quiet", "--only", only]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.err, ran.out);
    let mut ids: Vec<String> = fs::read_dir(tree.at("var/lib/seaworthy/transactions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    ids.sort();
    ids.pop().unwrap()
}

fn text(tree: &Tree, path: &str) -> String {
    String::from_utf8(tree.read(path)).unwrap()
}

fn append(tree: &Tree, path: &str, more: &str) {
    fs::write(tree.at(path), text(tree, path) + more).unwrap();
}

fn done(ran: &Ran) {
    assert_eq!(ran.status, Some(0), "{}{}", ran.err, ran.out);
}

#[test]
fn later_edits_stay() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    applied(&tree, ONLY);
    let edited = text(&tree, DAEMON).replace("\"info\"", "\"warn\",\n  \"dns\": [ \"::1\" ]");
    fs::write(tree.at(DAEMON), edited).unwrap();
    append(&tree, ENVIRONMENT, "EDITOR=vi\n");
    append(&tree, RULES, "-w /etc/hosts -p wa\n");
    let ran = tree.run(&["rollback", "--yes", "--quiet"]);
    assert_eq!(
        text(&tree, DAEMON),
        "{\n  \"log-level\": \"warn\",\n  \"dns\": [ \"::1\" ]\n}\n"
    );
    assert_eq!(
        text(&tree, ENVIRONMENT),
        "PATH=\"/usr/bin:/bin\"\nEDITOR=vi\n"
    );
    assert_eq!(
        text(&tree, RULES),
        "# Written by seaworthy; `seaworthy rollback` takes it back.\n-w /etc/hosts -p wa\n"
    );
    done(&ran);
    for note in [
        "note: /etc/docker/daemon.json: `log-level` was set since and stays so",
        "note: /etc/docker/daemon.json: `dns` was set since and stays so",
        "note: /etc/environment: the line `EDITOR=vi` stays",
        "note: /etc/audit/rules.d/50-seaworthy-docker.rules: the line `-w /etc/hosts -p wa` stays",
    ] {
        assert!(ran.out.contains(note), "{}", ran.out);
    }
    let again = tree.run(&["rollback", "--yes"]);
    assert!(
        again.out.starts_with("Nothing to roll back"),
        "{}",
        again.out
    );
}

#[test]
fn the_same_line_twice() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    tree.write(
        ENVIRONMENT,
        "DOCKER_CONTENT_TRUST=0\nAPI_TOKEN=hunter2\n",
        0o644,
    );
    let id = applied(&tree, ONLY);
    let edited = text(&tree, ENVIRONMENT).replace("TRUST=1", "TRUST=perhaps");
    fs::write(tree.at(ENVIRONMENT), &edited).unwrap();
    let before = tree.manifest();
    let refused = tree.run(&["rollback", "--yes"]);
    before.assert_only_state_added(&tree);
    assert_eq!(refused.status, Some(2), "{}", refused.out);
    for words in [
        "error: edited since transaction",
        "-DOCKER_CONTENT_TRUST=0\n+DOCKER_CONTENT_TRUST=1",
        "-DOCKER_CONTENT_TRUST=1\n+DOCKER_CONTENT_TRUST=perhaps",
        "API_TOKEN=***",
        "--partial",
    ] {
        assert!(refused.err.contains(words), "{words}: {}", refused.err);
    }
    assert!(!refused.err.contains("hunter2"), "{}", refused.err);
    let partial = tree.run(&["rollback", "--yes", "--partial", "--format", "json"]);
    assert_eq!(partial.status, Some(4), "{}{}", partial.err, partial.out);
    assert!(partial.out.contains("\"outcome\": \"committed\""));
    assert!(partial.out.contains("\"/etc/environment: line 1 of what"));
    assert!(
        partial.err.contains("Not everything is back"),
        "{}",
        partial.err
    );
    assert_eq!(text(&tree, ENVIRONMENT), edited);
    assert_eq!(text(&tree, DAEMON), "{\n  \"log-level\": \"info\"\n}\n");
    assert!(!tree.at(RULES).exists());
    let history = tree.run(&["history", &id]);
    assert!(history.out.contains("taken back by"), "{}", history.out);
    let last = tree.run(&["history"]).out;
    let last = last.lines().last().unwrap().split(' ').next().unwrap();
    let shown = tree.run(&["history", last]);
    let note = "note: /etc/environment stays as it is";
    assert!(shown.out.contains(note), "{}", shown.out);
}

#[test]
fn nothing_can_be_put_back() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    applied(&tree, "daemon-icc");
    fs::write(tree.at(DAEMON), "{\"icc\": false").unwrap();
    for arguments in [
        &["rollback", "--yes"][..],
        &["rollback", "--yes", "--partial"],
    ] {
        let ran = tree.run(arguments);
        assert_eq!(ran.status, Some(2), "{}{}", ran.err, ran.out);
        assert!(ran.err.contains("the closing } is missing"), "{}", ran.err);
    }
    tree.remove(DAEMON);
    std::os::unix::fs::symlink("/etc/passwd", tree.at(DAEMON)).unwrap();
    let ran = tree.run(&["rollback", "--yes"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.err.contains("symbolic link"), "{}", ran.err);
    tree.remove(DAEMON);
    let ran = tree.run(&["rollback", "--yes"]);
    assert!(ran.err.contains("it was removed since"), "{}", ran.err);
}

#[test]
fn the_older_one_first() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let older = applied(&tree, "daemon-icc,audit-etc-docker");
    let newer = applied(&tree, "daemon-no-new-privileges,audit-default-docker");
    done(&tree.run(&["rollback", "--yes", &older]));
    assert!(!text(&tree, DAEMON).contains("icc"));
    assert!(text(&tree, DAEMON).contains("no-new-privileges"));
    assert!(!text(&tree, RULES).contains("-w /etc/docker -p"));
    assert!(text(&tree, RULES).contains("-w /etc/default/docker"));
    done(&tree.run(&["rollback", "--yes", &newer]));
    before.assert_restored(&tree);
}

#[test]
fn put_back_by_hand() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let former = tree.read(DAEMON);
    applied(&tree, "daemon-icc");
    fs::write(tree.at(DAEMON), former).unwrap();
    done(&tree.run(&["rollback", "--yes"]));
    before.assert_restored(&tree);
    let again = tree.run(&["rollback", "--yes"]);
    assert!(
        again.out.starts_with("Nothing to roll back"),
        "{}",
        again.out
    );
}

#[test]
fn pruning() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let count = |folder: &str| {
        fs::read_dir(tree.at("var/lib/seaworthy").join(folder)).map_or(0, Iterator::count)
    };
    let first = applied(&tree, "daemon-icc");
    done(&tree.run(&["rollback", "--yes"]));
    let second = applied(&tree, "content-trust");
    assert_eq!((count("transactions"), count("backups")), (3, 4));
    let mut said = String::new();
    for arguments in [
        &["history", "prune"][..],
        &["history", "prune", "--older-than", "soon"],
    ] {
        let ran = tree.run(arguments);
        assert_eq!(ran.status, Some(2), "{}", ran.out);
    }
    said += &tree
        .run_as_nobody(&["history", "prune", "--keep", "0"])
        .all();
    for arguments in [
        &["history", "prune", "--keep", "3"][..],
        &["history", "prune", "--older-than", "30d"],
        &["history", "prune", "--keep", "1"],
        &["history", "prune", "--keep", "0"],
    ] {
        said += &tree.run(arguments).all();
    }
    for words in [
        "`history prune` changes the host, and only root may",
        "0 transactions and 0 backups (0 bytes) removed; 3 transactions kept.",
        "removed [id]\nremoved [id]\n2 transactions and 2 backups",
        "0 transactions and 0 backups (0 bytes) removed; 1 transaction kept.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!((count("transactions"), count("backups")), (1, 2));
    assert_eq!(tree.run(&["history", &first]).status, Some(2));
    done(&tree.run(&["history", &second]));
    done(&tree.run(&["rollback", "--yes"]));
    let all = tree.run(&["history", "prune", "--older-than", "0s", "--format", "json"]);
    assert!(all.out.contains("\"backups\": 2"), "{}{}", all.err, all.out);
    assert_eq!((count("transactions"), count("backups")), (0, 0));
}
