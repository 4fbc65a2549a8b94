//! Records of format 1 are read, shown, taken back and recovered for ever.
//!
//! Each fixture was made by a real run of the first version that wrote format 1, see the README
//! beside them. A fixture that fails here is never made anew: a host has such a journal.

use crate::bad_input::{Manifest, Tree, is_root};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/format-1");

/// What differs from the host before, by path.
#[derive(Deserialize)]
struct Case {
    made: String,
    changed: BTreeMap<String, Is>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Is {
    Folder {
        mode: String,
        owner: Option<String>,
    },
    File {
        mode: String,
        owner: Option<String>,
        text: String,
    },
    Link {
        to: String,
    },
    Absent,
}

/// Where our own records are.
const STATE: &str = "var/lib/seaworthy";

fn case(name: &str) -> Case {
    let text = fs::read_to_string(format!("{FIXTURES}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Makes the paths of a case that `wanted` asks for.
fn lay(tree: &Tree, case: &Case, wanted: impl Fn(&str) -> bool) {
    for (path, is) in case.changed.iter().filter(|(path, _)| wanted(path)) {
        let at = tree.at(path);
        let owned = |mode: &str, owner: &Option<String>| {
            if let Some((uid, gid)) = owner.as_deref().and_then(|it| it.split_once(':')) {
                chown(&at, uid.parse().ok(), gid.parse().ok()).unwrap();
            }
            let mode = u32::from_str_radix(mode, 8).unwrap();
            fs::set_permissions(&at, fs::Permissions::from_mode(mode)).unwrap();
        };
        match is {
            Is::Folder { mode, owner } => {
                fs::create_dir_all(&at).unwrap();
                owned(mode, owner);
            }
            Is::File { mode, owner, text } => {
                fs::write(&at, text).unwrap();
                owned(mode, owner);
            }
            Is::Link { to } => symlink(to, &at).unwrap(),
            Is::Absent => fs::remove_file(&at).unwrap(),
        }
    }
}

/// The host that the transaction of a case began with.
fn before(name: &str) -> Tree {
    let tree = Tree::empty();
    lay(&tree, &case("host"), |_| true);
    if name == "stuck-untouched" {
        // It began with another host: these were never touched, or are back.
        lay(&tree, &case(name), |path| !path.starts_with(STATE));
    }
    tree
}

/// The host as the case left it.
fn host(name: &str) -> Tree {
    let tree = Tree::empty();
    lay(&tree, &case("host"), |_| true);
    lay(&tree, &case(name), |_| true);
    tree
}

/// The names of its transactions, oldest first, and what became of each.
fn outcomes(tree: &Tree) -> Vec<(String, String)> {
    let ran = tree.run(&["history", "--format", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    document["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (word(&it["id"]), word(&it["outcome"])))
        .collect()
}

/// What a verb must make of a case.
struct Expected {
    name: &'static str,
    /// Of the last transaction.
    outcome: &'static str,
    /// What a person does then, and how it ends: always with the host as it was before.
    verb: &'static str,
    exit: i32,
}

const fn expect(
    name: &'static str,
    outcome: &'static str,
    verb: &'static str,
    exit: i32,
) -> Expected {
    Expected {
        name,
        outcome,
        verb,
        exit,
    }
}

const CASES: &[Expected] = &[
    expect("committed", "committed", "rollback", 0),
    expect("committed-and-taken-back", "committed", "rollback", 0),
    expect("rolled-back", "rolled-back", "recover", 0),
    expect("stuck", "stuck", "recover", 0),
    expect("stuck-untouched", "stuck", "recover", 0),
    expect("unfinished-after-begin", "unfinished", "recover", 0),
    expect("unfinished-after-intent", "unfinished", "recover", 0),
    expect("unfinished-after-intent-beside", "unfinished", "recover", 0),
    expect("unfinished-after-done", "unfinished", "recover", 0),
    expect("unfinished-after-derived-after", "unfinished", "recover", 0),
    // The last record had reached the file when the process was killed.
    expect("unfinished-after-commit", "committed", "rollback", 0),
    expect("unfinished-after-undo-begin", "unfinished", "recover", 0),
    expect("unfinished-after-undoing", "unfinished", "recover", 0),
    expect("unfinished-after-undone", "unfinished", "recover", 0),
    expect("live-committed", "committed", "rollback", 0),
    expect("live-taken-back", "committed", "rollback", 0),
    expect(
        "live-pending-confirmation",
        "pending-confirmation",
        "rollback",
        0,
    ),
    expect("live-confirmed", "committed", "rollback", 0),
    expect("live-failed", "stuck", "recover", 0),
    expect(
        "live-unfinished-after-activating",
        "unfinished",
        "recover",
        0,
    ),
    expect(
        "live-unfinished-after-activated",
        "unfinished",
        "recover",
        0,
    ),
    expect(
        "live-unfinished-after-derived-after",
        "unfinished",
        "recover",
        0,
    ),
    expect(
        "live-unfinished-after-confirm-until",
        "unfinished",
        "recover",
        0,
    ),
    expect("live-unfinished-after-failed", "unfinished", "recover", 0),
    expect(
        "live-unfinished-undo-after-activating",
        "unfinished",
        "recover",
        0,
    ),
    expect(
        "live-unfinished-undo-after-activated",
        "unfinished",
        "recover",
        0,
    ),
    expect(
        "live-unfinished-undo-after-failed",
        "unfinished",
        "recover",
        0,
    ),
    expect(
        "live-unfinished-undo-after-writing",
        "unfinished",
        "recover",
        0,
    ),
];

fn assert_before(name: &str, tree: &Tree) {
    before(name).manifest().assert_restored(tree);
}

#[test]
fn every_record_is_read_and_shown() {
    if !is_root() {
        return;
    }
    for expected in CASES {
        let name = expected.name;
        let tree = host(name);
        let untouched = tree.manifest();
        let outcomes = outcomes(&tree);
        let (_, outcome) = outcomes.last().unwrap();
        assert_eq!(outcome, expected.outcome, "{name}: {}", case(name).made);
        for (id, _) in &outcomes {
            let shown = tree.run(&["history", id]);
            assert_eq!(shown.status, Some(0), "{name}: {}", shown.err);
            assert!(shown.out.contains(id.as_str()), "{name}: {}", shown.out);
            assert!(
                shown.out.contains("/etc/docker/daemon.json"),
                "{name}: {}",
                shown.out
            );
        }
        untouched.assert_untouched(&tree);
    }
}

#[test]
fn every_record_leads_back() {
    if !is_root() {
        return;
    }
    for expected in CASES {
        let (name, verb) = (expected.name, expected.verb);
        let tree = host(name);
        let ran = tree.run(&[verb, "--yes"]);
        assert_eq!(ran.status, Some(expected.exit), "{name}: {}", ran.err);
        assert_before(name, &tree);
        // What came to its end is at its end.
        let again = tree.run(&[verb, "--yes"]);
        assert_eq!(again.status, Some(expected.exit), "{name}: {}", again.err);
        assert_before(name, &tree);
    }
}

#[test]
fn what_is_unfinished_is_refused_by_the_verbs_that_would_build_on_it() {
    if !is_root() {
        return;
    }
    for expected in CASES.iter().filter(|it| it.outcome == "unfinished") {
        let name = expected.name;
        let tree = host(name);
        let as_left = tree.manifest();
        for verb in ["apply", "rollback"] {
            let ran = tree.run(&[verb, "--yes"]);
            assert_eq!(ran.status, Some(2), "{name}: {}", ran.err);
            assert!(ran.err.contains("recover"), "{name}: {}", ran.err);
            as_left.assert_restored(&tree);
        }
    }
}

#[test]
fn what_was_interrupted_on_its_way_can_be_finished() {
    if !is_root() {
        return;
    }
    let done = "committed";
    let committed: Manifest = host(done).manifest();
    for name in [
        "unfinished-after-begin",
        "unfinished-after-intent",
        "unfinished-after-intent-beside",
        "unfinished-after-done",
        "unfinished-after-derived-after",
    ] {
        let tree = host(name);
        let ran = tree.run(&["recover", "--forward", "--yes"]);
        assert_eq!(ran.status, Some(0), "{name}: {}", ran.err);
        committed.assert_restored(&tree);
        let ran = tree.run(&["rollback", "--yes"]);
        assert_eq!(ran.status, Some(0), "{name}: {}", ran.err);
        assert_before(name, &tree);
    }
}

#[test]
fn what_was_interrupted_on_a_running_host_can_be_finished_on_its_disk() {
    if !is_root() {
        return;
    }
    for name in [
        "live-unfinished-after-activating",
        "live-unfinished-after-activated",
        "live-unfinished-after-derived-after",
    ] {
        let tree = host(name);
        // Nothing on a disk would roll back in time, and it was to be confirmed.
        let as_left = tree.manifest();
        let ran = tree.run(&["recover", "--forward", "--yes"]);
        assert_eq!(ran.status, Some(2), "{name}: {}", ran.err);
        as_left.assert_restored(&tree);
    }
    let name = "live-unfinished-after-failed";
    let tree = host(name);
    let ran = tree.run(&["recover", "--forward", "--yes"]);
    assert_eq!(ran.status, Some(0), "{name}: {}", ran.err);
    let ran = tree.run(&["rollback", "--yes"]);
    assert_eq!(ran.status, Some(0), "{name}: {}", ran.err);
    assert_before(name, &tree);
}

#[test]
fn an_interrupted_rollback_is_recovered_to_what_it_began_with() {
    if !is_root() {
        return;
    }
    let name = "unfinished-rollback";
    let tree = host(name);
    let ran = tree.run(&["recover", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    host("committed").manifest().assert_restored(&tree);
    let ran = tree.run(&["rollback", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert_before(name, &tree);
}

#[test]
fn a_journal_that_lost_its_end_is_the_journal_of_an_earlier_moment() {
    if !is_root() {
        return;
    }
    // The process died before any of the later records was written, and before what they speak of.
    let name = "unfinished-after-begin";
    let tree = host(name);
    let (id, _) = outcomes(&tree).remove(0);
    let journal = tree.read(&format!("{STATE}/transactions/{id}/journal"));
    assert_eq!(journal.split_inclusive(|&byte| byte == b'\n').count(), 1);
    let torn = [&journal[..], b"{\"seq\":1,\"at\":17958"].concat();
    tree.write(&format!("{STATE}/transactions/{id}/journal"), torn, 0o600);
    let ran = tree.run(&["recover", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert_before(name, &tree);
}

#[test]
fn a_saved_plan_is_shown_and_held_to_the_host() {
    if !is_root() {
        return;
    }
    let plan = Path::new(FIXTURES).join("plan.json");
    let plan = plan.to_str().unwrap();
    let tree = Tree::empty();
    lay(&tree, &case("host"), |_| true);
    let shown = tree.run(&["show", plan]);
    assert_eq!(shown.status, Some(0), "{}", shown.err);
    for line in [
        "+  \"icc\": false,",
        "-w /usr/sbin/dockerd -p wxa -k docker",
    ] {
        assert!(shown.out.contains(line), "{line}\n{}", shown.out);
    }
    // Today's controls may want something else by now: then it is refused by name, and nothing is
    // touched. What it does is taken back.
    let untouched = tree.manifest();
    let ran = tree.run(&["apply", "--yes", plan]);
    match ran.status {
        Some(0) => assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0)),
        Some(2) => assert!(ran.err.contains("plan.json"), "{}", ran.err),
        other => panic!("{other:?}: {}", ran.err),
    }
    untouched.assert_restored(&tree);
    // On another host it is stale.
    tree.write("etc/docker/daemon.json", "{\"icc\": true}\n", 0o644);
    let untouched = tree.manifest();
    let ran = tree.run(&["apply", "--yes", plan]);
    assert_eq!(ran.status, Some(2), "{}", ran.err);
    assert!(ran.err.contains("/etc/docker/daemon.json"), "{}", ran.err);
    untouched.assert_only_state_added(&tree);
}
