//! Several of us at once, and one of us killed at any moment: real processes on a real file system.

use super::{Tree, is_root};
use serde_json::Value;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A sequence that looks random and is the same in each run.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn start(tree: &Tree, arguments: &[&str]) -> Child {
    tree.command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Outcomes of all transactions, oldest first.
fn outcomes(tree: &Tree) -> Vec<String> {
    let ran = tree.run(&["history", "--format", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let history: Value = serde_json::from_str(&ran.out).unwrap();
    let transactions = history["transactions"].as_array().unwrap();
    transactions
        .iter()
        .map(|one| one["outcome"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn of_many_at_once_one_wins_and_none_corrupts() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let mut committed = 0;
    for round in 0..4 {
        let verbs: [&[&str]; 9] = [
            &["apply", "--yes", "--format", "json"],
            &["audit", "--format", "json"],
            &["apply", "--yes", "--format", "json"],
            &["plan", "--format", "json"],
            &["apply", "--yes", "--format", "json"],
            &["history", "--format", "json"],
            &["rollback", "--yes", "--format", "json"],
            &["apply", "--yes", "--format", "json"],
            &["recover", "--yes", "--format", "json"],
        ];
        let running: Vec<_> = verbs.map(|verb| (verb[0], start(&tree, verb))).into();
        for (verb, child) in running {
            let ran = tree.ran(child.wait_with_output().unwrap());
            let may: &[i32] = match verb {
                "audit" => &[0, 1],
                "plan" | "history" => &[0],
                // Somebody else is at work, or was faster.
                _ => &[0, 2],
            };
            let status = ran.status.unwrap();
            assert!(may.contains(&status), "{verb} {status}: {}", ran.err);
            if status == 2 {
                assert!(
                    ran.err.contains("is at work")
                        || ran.err.contains("is unfinished")
                        || ran.err.contains("changed"),
                    "{verb}: {}",
                    ran.err
                );
            } else if ["apply", "rollback"].contains(&verb) {
                let result: Value = serde_json::from_str(&ran.out).unwrap();
                committed += usize::from(result["outcome"] == "committed");
            }
        }
        let outcomes = outcomes(&tree);
        assert!(outcomes.iter().all(|outcome| outcome == "committed"));
        assert_eq!(outcomes.len(), committed, "round {round}");
    }
    assert!(committed > 0);
    while !tree
        .run(&["rollback", "--yes"])
        .out
        .contains("Nothing to roll back")
    {}
    before.assert_restored(&tree);
}

/// How many records the newest journal has.
fn records(tree: &Tree) -> usize {
    let folder = tree.at("var/lib/seaworthy/transactions");
    let newest = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .max();
    let journal = newest.and_then(|folder| std::fs::read_to_string(folder.join("journal")).ok());
    journal.map_or(0, |text| text.lines().count())
}

/// Kills a run with SIGKILL, so that nothing of ours runs after it, a little after its journal has
/// so many records; or not at all when it is faster.
fn kill(tree: &Tree, mut child: Child, after: usize, and: Duration) {
    let earlier = records(tree);
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(60) {
        let now = records(tree);
        if now >= after && now != earlier || after == 0 {
            std::thread::sleep(and);
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn whatever_moment_an_apply_is_killed_at_a_recovery_takes_it_back() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    assert_eq!(tree.run(&["apply", "--yes"]).status, Some(0));
    let all = records(&tree) as u64;
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
    let mut moments = Moments(1);
    let mut interrupted = 0;
    for _ in 0..25 {
        let after = usize::try_from(moments.next(all)).unwrap();
        let and = Duration::from_micros(moments.next(500));
        kill(&tree, start(&tree, &["apply", "--yes"]), after, and);
        if outcomes(&tree).pop().as_deref() == Some("unfinished") {
            interrupted += 1;
            let refused = tree.run(&["apply", "--yes"]);
            assert_eq!(refused.status, Some(2));
            assert!(refused.err.contains("recover"), "{}", refused.err);
            // The recovery may be killed as well.
            let after = records(&tree) + usize::try_from(moments.next(all)).unwrap();
            kill(&tree, start(&tree, &["recover", "--yes"]), after, and);
            let back = tree.run(&["recover", "--yes"]);
            assert_eq!(back.status, Some(0), "{}{}", back.out, back.err);
        } else if outcomes(&tree).pop().as_deref() == Some("committed") {
            tree.run(&["rollback", "--yes"]);
        }
        before.assert_restored(&tree);
    }
    assert!(interrupted > 5, "only {interrupted} were interrupted");
}
