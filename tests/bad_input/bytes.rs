//! Arguments, environment and clocks that nobody expects: a sentence and an exit status of ours,
//! never a panic.

use super::tree::Ran;
use super::{Tree, is_root};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

const VERBS: &[&[&str]] = &[
    &["audit", "--only", "daemon-icc"],
    &["plan", "--only", "daemon-icc", "--format", "json"],
    &["apply", "--yes", "--only", "daemon-icc"],
    &["history", "--format", "json"],
    &["rollback", "--yes"],
    &["recover", "--yes"],
    &["confirm"],
    &["history", "prune", "--older-than", "4294967295w"],
];

fn ended_well(ran: &Ran, what: &str) {
    assert!(
        matches!(ran.status, Some(0..=4)),
        "{what}: {:?}\n{}",
        ran.status,
        ran.err
    );
    for word in ["panicked", "a defect in", "RUST_BACKTRACE"] {
        assert!(!ran.err.contains(word), "{what}: {}", ran.err);
    }
    if ran.status == Some(2) {
        assert!(ran.err.starts_with("error: "), "{what}: {}", ran.err);
    }
}

#[test]
fn no_argument_makes_it_panic() {
    let tree = Tree::new();
    for hostile in [
        &b"\xff\xfe"[..],
        b"a\xffb",
        b"\x1b[2J",
        b"",
        b"\xe2\x80\xae",
        b"-\xff",
        b"--\xff=1",
    ] {
        let hostile = OsStr::from_bytes(hostile);
        for before in [
            &[][..],
            &["--config"],
            &["--only"],
            &["--skip"],
            &["--profile"],
            &["--color"],
            &["--deadline"],
            &["--settle"],
            &["audit", "--format"],
            &["audit", "--fail-on"],
            &["plan", "--out"],
            &["show"],
            &["apply", "--yes"],
            &["apply", "--confirm-within"],
            &["confirm"],
            &["rollback"],
            &["history"],
            &["history", "prune", "--older-than"],
            &["history", "prune", "--keep"],
            &["explain"],
            &["completions"],
        ] {
            let mut command = tree.command(&[]);
            command.args(before).arg(hostile);
            if before.first().is_none_or(|first| first.starts_with("--")) {
                command.arg("audit");
            }
            let ran = tree.ran(command.output().unwrap());
            ended_well(&ran, &format!("{before:?} {hostile:?}"));
            let shown = format!("{}{}", ran.out, ran.err);
            assert!(
                !shown.contains(['\u{1b}', '\u{202e}']),
                "{before:?} {hostile:?}: {shown:?}"
            );
        }
    }
    // The last --root wins, wherever it stands.
    for name in [&b"gone\xff"[..], b"gone\x1b[2J", b"gone\n"] {
        let root = tree.beside("").join(OsStr::from_bytes(name));
        let mut command = Command::new(tree.command(&[]).get_program());
        let ran = tree.ran(
            command
                .arg("audit")
                .arg("--root")
                .arg(root)
                .output()
                .unwrap(),
        );
        ended_well(&ran, "--root");
        assert_eq!(ran.status, Some(2));
        assert!(
            ran.err.contains("try: ls -ld $'[folder]/gone\\"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn a_host_in_a_folder_whose_name_is_not_text_is_a_host() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let root = tree.beside("").join(OsStr::from_bytes(b"h\xfc\x1b\n"));
    fs::rename(tree.root(), &root).unwrap();
    let on = |arguments: &[&str]| {
        let mut command = Command::new(tree.command(&[]).get_program());
        tree.ran(
            command
                .args(arguments)
                .arg("--root")
                .arg(&root)
                .output()
                .unwrap(),
        )
    };
    let apply = on(&["apply", "--yes", "--only", "daemon-icc"]);
    assert_eq!(apply.status, Some(0), "{}", apply.err);
    // The command that is proposed works as it is.
    let (_, back) = apply
        .out
        .split_once("To go back:\n  sudo seaworthy ")
        .unwrap();
    let folder = tree.beside("").display().to_string();
    let back = back
        .trim()
        .replace("[folder]", folder.trim_end_matches('/'));
    let script = format!("\"$0\" {back} --yes");
    let ran = Command::new("bash")
        .args(["-c", &script])
        .arg(tree.command(&[]).get_program())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{script}: {ran:?}");
}

#[test]
fn no_environment_makes_it_panic() {
    let tree = Tree::new();
    for (name, value) in [
        ("DOCKER_HOST", &b"unix:///run/\xff.sock"[..]),
        ("DOCKER_HOST", b"\xff"),
        ("DOCKER_HOST", b""),
        ("HOME", b"\xff"),
        ("HOME", b""),
        ("PATH", b"\xff"),
        ("PATH", b""),
        ("TERM", b"\xff"),
        ("TERM", b""),
        ("TERM", b"dumb"),
        ("COLUMNS", b"0"),
        ("COLUMNS", b"\xff"),
        ("COLUMNS", b"99999999999999999999"),
        ("LINES", b"0"),
        ("NO_COLOR", b"\xff"),
        ("CLICOLOR_FORCE", b"\xff"),
        ("LANG", b"\xff"),
        ("TZ", b"\xff"),
        ("TZ", b":"),
        ("TZ", b"/dev/null"),
        ("TZ", b"<+99>-99:99:99"),
        ("TZ", b"XXX-167:59:59"),
        ("TZDIR", b"\xff"),
        ("SUDO_USER", b"\xff\x1b[2J"),
        ("RUST_BACKTRACE", b"\xff"),
        ("TMPDIR", b"\xff"),
    ] {
        for verb in [
            &["audit", "--only", "daemon-icc"][..],
            &["plan", "--only", "daemon-icc"],
            &["history"],
            &["--help"],
            &["--nonsense"],
        ] {
            let mut command = tree.command(verb);
            let ran = tree.ran(
                command
                    .env(name, OsStr::from_bytes(value))
                    .output()
                    .unwrap(),
            );
            ended_well(&ran, &format!("{name}={value:?} {verb:?}"));
        }
    }
}

/// Something to preload that has the wall clock say what `CLOCK` says, in seconds since 1970.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, id, time);
    const char *clock = getenv("CLOCK");
    if (id == CLOCK_REALTIME && clock) time->tv_sec = strtoll(clock, 0, 10);
    return result;
}
"#;

#[test]
fn no_clock_makes_it_panic() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let (source, library) = (tree.beside("clock.c"), tree.beside("clock.so"));
    fs::write(&source, CLOCK).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("NOT RUN: there is no C compiler");
        return;
    }
    let at = |seconds: i64, arguments: &[&str]| {
        let mut command = tree.command(arguments);
        command
            .env("LD_PRELOAD", &library)
            .env("CLOCK", seconds.to_string());
        tree.ran(command.output().unwrap())
    };
    let said = at(951_782_400, &["plan", "--format", "json"]);
    assert!(
        said.out.contains("\"at\": \"2000-02-29T00:00:00"),
        "the clock is not used: {}",
        said.out
    );
    for seconds in [
        i64::MIN,
        -377_705_116_801, // before the year -9999
        0,
        253_402_207_200, // the last moment that a library counts
        253_402_300_799, // the last second of the year 9999
        253_402_300_800,
        1 << 40,
        i64::MAX,
    ] {
        for verb in VERBS {
            ended_well(&at(seconds, verb), &format!("{seconds} {verb:?}"));
        }
    }
    // The order of transactions is told by their names, whatever the clock said.
    let ids = at(0, &["history"]).out;
    let ids: Vec<&str> = ids
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert!(ids.len() > 6 && ids.is_sorted(), "{ids:?}");
    assert!(
        ids.iter()
            .all(|id| id.starts_with(|c: char| c.is_ascii_digit())),
        "{ids:?}"
    );
}

#[test]
fn a_standard_output_that_is_closed_or_full_is_no_panic() {
    let tree = Tree::new();
    let program = tree.command(&[]).get_program().to_owned();
    for (redirect, status) in [
        (">&-", None),
        ("2>&-", None),
        (">&- 2>&- <&-", None),
        (">/dev/full", Some(2)),
        (">/dev/full 2>/dev/full", Some(2)),
    ] {
        for verb in [
            "audit",
            "plan",
            "explain",
            "history",
            "man",
            "completions bash",
        ] {
            let ran = Command::new("bash")
                .args([
                    "-c",
                    &format!("exec \"$0\" --root \"$1\" {verb} {redirect}"),
                ])
                .arg(&program)
                .arg(tree.root())
                .output()
                .unwrap();
            let ended = ran.status.code();
            assert!(matches!(ended, Some(0..=2)), "{verb} {redirect}: {ran:?}");
            if let Some(status) = status {
                assert_eq!(ended, Some(status), "{verb} {redirect}: {ran:?}");
            }
            assert!(
                !String::from_utf8_lossy(&ran.stderr).contains("defect"),
                "{ran:?}"
            );
        }
    }
}
