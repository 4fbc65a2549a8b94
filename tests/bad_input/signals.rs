//! Whatever ends a process from outside ends in an undo, or before anything was begun.

use super::{Manifest, Tree, is_root};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A host on which an apply takes a while: many files get another mode.
fn busy() -> Tree {
    let tree = Tree::new();
    for number in 0..150 {
        let path = format!("etc/docker/certs.d/r{number}/ca.crt");
        tree.write(&path, "c\n", 0o666);
    }
    tree
}

/// Starts an apply, and waits until its first step is announced.
fn begun(tree: &Tree) -> Child {
    let transactions = tree.at("var/lib/seaworthy/transactions");
    let folders = || {
        let folders = fs::read_dir(&transactions).into_iter().flatten();
        folders.map(|folder| folder.unwrap().path())
    };
    let earlier: Vec<_> = folders().collect();
    let mut command = tree.command(&["apply", "--yes"]);
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let announced = || {
        folders()
            .filter(|folder| !earlier.contains(folder))
            .filter_map(|folder| fs::read_to_string(folder.join("journal")).ok())
            .any(|text| text.contains("\"intent\""))
    };
    while !announced() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing began");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

fn assert_all_or_nothing(tree: &Tree, before: &Manifest, status: ExitStatus, what: &str) {
    assert_eq!(status.signal(), None, "{what} has ended it");
    match status.code() {
        Some(3) => before.assert_restored(tree),
        // It came when everything was done.
        Some(0) => assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0), "{what}"),
        other => panic!("{what}: {other:?}"),
    }
    before.assert_restored(tree);
}

#[test]
fn a_signal_in_the_middle_ends_in_an_undo() {
    if !is_root() {
        return;
    }
    let tree = busy();
    let before = tree.manifest();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGALRM,
        Signal::SIGVTALRM,
        Signal::SIGPROF,
        Signal::SIGIO,
        Signal::SIGXCPU,
        Signal::SIGXFSZ,
        Signal::SIGPWR,
        Signal::SIGSTKFLT,
        Signal::SIGPIPE,
    ] {
        let mut child = begun(&tree);
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
        let status = child.wait().unwrap();
        assert_all_or_nothing(&tree, &before, status, signal.as_str());
    }
}

#[test]
fn what_was_ignored_stays_ignored() {
    if !is_root() {
        return;
    }
    let tree = busy();
    let mut command = std::process::Command::new("/bin/sh");
    let program = env!("CARGO_BIN_EXE_seaworthy");
    let mut child = command
        .args([
            "-c",
            "trap '' HUP USR1; exec \"$0\" --root \"$1\" apply --yes",
        ])
        .arg(program)
        .arg(tree.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    while child.try_wait().unwrap().is_none() {
        let _ = kill(pid, Signal::SIGHUP);
        let _ = kill(pid, Signal::SIGUSR1);
        std::thread::sleep(Duration::from_millis(2));
    }
    // The shell may have met the first of them before its trap: then nothing was begun.
    let status = child.wait().unwrap();
    assert!(
        status.code() == Some(0) || status.signal().is_some(),
        "{status}"
    );
    if status.signal().is_some() {
        assert!(!tree.at("var/lib/seaworthy").exists());
    }
}

/// Runs `apply` under limits that a shell sets.
fn limited(tree: &Tree, limit: &str) -> std::process::Output {
    let mut command = std::process::Command::new("/bin/bash");
    command
        .args([
            "-c",
            &format!("{limit}; exec \"$0\" --root \"$1\" apply --yes"),
        ])
        .arg(env!("CARGO_BIN_EXE_seaworthy"))
        .arg(tree.root())
        .env_clear()
        .stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn a_limit_is_met_before_anything_is_begun_or_ends_in_an_undo() {
    if !is_root() {
        return;
    }
    let tree = busy();
    let before = tree.manifest();
    // Kilobytes and file handles: some too few for anything, some for the middle, some enough.
    for limit in [
        "ulimit -f 0",
        "ulimit -f 40",
        "ulimit -f 80",
        "ulimit -f 120",
        "ulimit -f 160",
        "ulimit -f 10000",
        "ulimit -n 6",
        "ulimit -n 9",
        "ulimit -n 12",
        "ulimit -n 20",
    ] {
        assert_limited(&tree, &before, limit);
    }
    // What a process may raise for itself is no obstacle.
    let output = limited(&tree, "ulimit -S -f 40; ulimit -S -n 20");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
    before.assert_restored(&tree);
}

#[test]
fn output_that_nobody_reads_changes_nothing() {
    if !is_root() {
        return;
    }
    let tree = busy();
    let before = tree.manifest();
    let output = limited(&tree, "exec 1>&- 2>&-");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
    before.assert_restored(&tree);
}

/// An apply under this limit: refused, or all or nothing.
fn assert_limited(tree: &Tree, before: &Manifest, limit: &str) {
    let output = limited(tree, limit);
    if output.status.code() == Some(2) {
        return before.assert_restored(tree);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert_all_or_nothing(tree, before, output.status, &format!("{limit}: {said}"));
}

/// Whoever is refused memory is ended by the C library's own means, wherever that is: nothing is begun
/// then, and what was begun can be recovered.
#[test]
fn a_limit_of_memory_is_met_before_anything_is_begun() {
    if !is_root() {
        return;
    }
    let tree = busy();
    let before = tree.manifest();
    let mut refused = 0;
    // Kilobytes: too few to be loaded, for the facts, for the plan, for an undo.
    for limit in [
        12_000, 20_000, 26_000, 28_000, 29_000, 30_000, 32_000, 36_000, 48_000, 64_000, 128_000,
        256_000,
    ] {
        for option in ["-v", "-d"] {
            let limit = format!("ulimit -c 0; ulimit {option} {limit}");
            let output = limited(&tree, &limit);
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(2) => {
                    assert!(said.contains("ulimit -v"), "{limit}: {said}");
                    refused += 1;
                    before.assert_restored(&tree);
                }
                // Enough of the other kind.
                Some(0) => {
                    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0), "{limit}");
                }
                // The loader, or the library, has ended it before.
                _ => assert!(
                    !tree.at("var/lib/seaworthy/transactions").exists() || {
                        tree.run(&["recover", "--yes"]).status == Some(0)
                    },
                    "{limit}: {said}"
                ),
            }
            before.assert_restored(&tree);
        }
    }
    assert!(refused > 3, "{refused}");
    let output = limited(&tree, "ulimit -v 2000000");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
    before.assert_restored(&tree);
}

/// The kernel's notice that the CPU time is used up, and what it does a little later.
#[test]
fn a_limit_of_cpu_time_ends_in_an_undo() {
    if !is_root() {
        return;
    }
    let tree = busy();
    let before = tree.manifest();
    for limit in ["ulimit -t 1", "ulimit -S -t 1", "ulimit -t 2"] {
        assert_limited(&tree, &before, limit);
    }
}
