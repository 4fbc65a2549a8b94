//! `apply` on this very machine, in a mount namespace where `/etc`, `/run` and `/var/lib` are
//! copies: the real program is asked before anything is changed.

use super::wanted;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = "/etc/docker/daemon.json";

/// Runs a test where `/etc` is a copy and `/run` and `/var/lib` are empty.
fn apart(test: fn()) {
    if !wanted() {
        return;
    }
    let unit = "lib/systemd/system/docker.service";
    assert!(
        Path::new("/").join(unit).exists(),
        "docker.service is not installed"
    );
    let thread = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
        let copy = tempfile::tempdir().unwrap();
        let aside = copy.path().join("etc");
        shell(&format!("cp -a /etc {}", aside.display()));
        for folder in ["/etc", "/run", "/var/lib"] {
            let options = Some("mode=755");
            mount(
                Some("tmpfs"),
                folder,
                Some("tmpfs"),
                MsFlags::empty(),
                options,
            )
            .unwrap();
        }
        shell(&format!("cp -a {}/. /etc", aside.display()));
        fs::create_dir_all("/etc/docker").unwrap();
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn shell(line: &str) {
    let status = Command::new("sh").args(["-c", line]).status().unwrap();
    assert!(status.success(), "{line}");
}

fn seaworthy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seaworthy"))
        .args(arguments)
        .env_remove("DOCKER_HOST")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

const APPLY: [&str; 5] = [
    "apply",
    "--yes",
    "--allow-disruption",
    "--only",
    "daemon-icc",
];

#[test]
fn what_the_daemon_refuses_is_not_written() {
    apart(|| {
        // Something that only this dockerd itself knows: its program is a script that adds a flag.
        shell(
            "real=$(readlink -f /usr/sbin/dockerd) && cp \"$real\" /run/dockerd.real \\
             && printf '#!/bin/sh\\nexec /run/dockerd.real --icc=true \"$@\"\\n' > /run/dockerd \\
             && chmod 755 /run/dockerd && mount --bind /run/dockerd \"$real\"",
        );
        let text = "{\n  \"log-level\": \"info\"\n}\n";
        fs::write(CONFIG, text).unwrap();
        let ran = seaworthy(&APPLY);
        let words = said(&ran);
        assert_eq!(ran.status.code(), Some(2), "{words}");
        assert!(
            words.contains("error: /etc/docker/daemon.json: dockerd refuses what would be written there, so nothing was changed: "),
            "{words}"
        );
        assert!(
            words.contains("specified both as a flag and in the configuration file: icc"),
            "{words}"
        );
        assert!(
            words.contains("try: seaworthy plan --skip daemon"),
            "{words}"
        );
        assert_eq!(fs::read_to_string(CONFIG).unwrap(), text);
        let history = seaworthy(&["history"]);
        assert!(
            said(&history).contains("No transactions yet"),
            "{}",
            said(&history)
        );
    });
}

#[test]
fn what_is_known_to_be_refused_is_not_even_planned() {
    apart(|| {
        let text = "{\n  \"seaworthy-test\": 1\n}\n";
        fs::write(CONFIG, text).unwrap();
        let ran = seaworthy(&APPLY);
        let words = said(&ran);
        assert_eq!(ran.status.code(), Some(0), "{words}");
        assert!(words.contains("held back: daemon-icc"), "{words}");
        assert_eq!(fs::read_to_string(CONFIG).unwrap(), text);
        let plan = said(&seaworthy(&["plan", "--only", "daemon-icc"]));
        assert!(plan.contains("/etc/docker/daemon.json:2"), "{plan}");
    });
}

#[test]
fn what_it_accepts_is_written_and_taken_back() {
    apart(|| {
        let text = "{\n  \"debug\": false\n}\n";
        fs::write(CONFIG, text).unwrap();
        let ran = seaworthy(&APPLY);
        assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
        assert!(!said(&ran).contains("could not check"), "{}", said(&ran));
        assert!(
            fs::read_to_string(CONFIG)
                .unwrap()
                .contains("\"icc\": false")
        );
        let back = seaworthy(&["rollback", "--yes"]);
        assert_eq!(back.status.code(), Some(0), "{}", said(&back));
        assert_eq!(fs::read_to_string(CONFIG).unwrap(), text);
    });
}
