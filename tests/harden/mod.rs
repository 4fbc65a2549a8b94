//! `seaworthy harden`, driven through a real pseudo-terminal.

mod sample;

use nix::unistd::geteuid;
use rexpect::session::{PtySession, spawn_command};
use sample::Sample;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const ESC: &str = "\x1b";
const CTRL_C: &str = "\x03";
const HIDE: &str = "\x1b[?25l";
const SHOW: &str = "\x1b[?25h";

/// A shell at a terminal of 80x24 runs the program, and tells how it ended and whether the
/// terminal is as it was. The shell outlives a Ctrl-C, as an interactive one does.
const SHELL: &str = r#"
trap : INT
stty rows 24 cols 80
before=$(stty -g)
sh -c 'echo $$ > "$PIDFILE"; exec "$@"' sh "$@"
echo "exit=$?"
[ "$before" = "$(stty -g)" ] && echo terminal=same || echo terminal=other
"#;

struct Session {
    pty: PtySession,
    /// Everything that was printed until now.
    seen: String,
    folder: tempfile::TempDir,
}

impl Session {
    fn start(sample: &Sample) -> Self {
        Self::start_verb(sample, &["harden"])
    }

    fn start_verb(sample: &Sample, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", SHELL, "sh", env!("CARGO_BIN_EXE_seaworthy"), "--root"])
            .arg(sample.root())
            .args(words)
            .env("PIDFILE", folder.path().join("pid"))
            .env("TERM", "xterm")
            .env("NO_COLOR", "1");
        Self {
            pty: spawn_command(command, Some(30_000)).unwrap(),
            seen: String::new(),
            folder,
        }
    }

    /// Reads on until this was printed.
    fn until(&mut self, text: &str) -> &mut Self {
        match self.pty.exp_string(text) {
            Ok(before) => {
                self.seen.push_str(&before);
                self.seen.push_str(text);
            }
            Err(error) => panic!("no `{text}` after:\n{}\n{error}", self.seen),
        }
        self
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        // Until the program reads keys a Ctrl-C is a signal; that is another case than this one.
        sleep(Duration::from_millis(150));
        self.pty.send(keys).unwrap();
        self.pty.flush().unwrap();
        self
    }

    /// The exit status; the terminal must be as it was before, with a cursor.
    fn end(&mut self) -> u32 {
        self.until("exit=");
        let status = self.pty.exp_regex("[0-9]+").unwrap().1;
        self.until("terminal=same");
        assert!(
            self.seen.rfind(SHOW) >= self.seen.rfind(HIDE),
            "the cursor is hidden: {:?}",
            self.seen
        );
        status.parse().unwrap()
    }

    fn pid(&self) -> u32 {
        let text = fs::read_to_string(self.folder.path().join("pid")).unwrap();
        text.trim().parse().unwrap()
    }
}

/// Whether these tests can be run: the folder's files must belong to root.
fn can_run() -> bool {
    if !geteuid().is_root() {
        eprintln!("not run: `harden --root` needs root");
    }
    geteuid().is_root()
}

/// A stage before the confirmation: its name, and how to get from the one before to it.
const STAGES: [(&str, &str); 4] = [
    ("q: leave ", ""),
    ("watched by the audit system", "\r"),
    ("Enter: next change", "\r"),
    ("? [y/N]", "a"),
];

fn go_to(session: &mut Session, stage: usize) {
    for (shows, keys) in &STAGES[..=stage] {
        if !keys.is_empty() {
            session.press(keys);
        }
        session.until(shows);
    }
}

#[test]
fn all_the_way() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    let before = sample.lasting();
    let mut session = Session::start(&sample);
    session
        .until("Audit of sample-host")
        .until("14 findings can be cured without disruption, 2 more with disruption.")
        .until("3 findings a person must decide on")
        .press("\r")
        .until("Choose what to change [Page 1/2]")
        .until("> [x] audit-dockerd ")
        .until("The program of the Docker daemon is watched by the audit system")
        // Up from the first row is the last one: the disruptive one, not chosen by itself.
        .press("k")
        .until("> [ ] content-trust                 low    disruptive")
        .press(" ")
        .until("> [x] content-trust")
        // And one that is left out.
        .press("k")
        .until("> [x] daemon-json-mode")
        .press(" ")
        .until("> [ ] daemon-json-mode")
        .press("\r")
        .until("1. /etc/tmpfiles.d/seaworthy.conf")
        .until("1 of 4   Enter: next change   a: all   q: leave")
        .press("\r")
        .until("2. /etc/audit/rules.d/50-seaworthy-docker.rules")
        .until("2 of 4")
        .press("a")
        .until("+DOCKER_CONTENT_TRUST=1")
        .until("Impact on this host")
        .until("Apply 4 changes? [y/N]");
    assert_eq!(sample.lasting(), before);
    assert!(!sample.root().join("var/lib/seaworthy").exists());
    session
        .press("y")
        .until("[1/4]")
        .until("[4/4]")
        .until("committed")
        .until("Audit before:")
        .until("Audit after:")
        .until("To go back:")
        .until("rollback ");
    assert_eq!(session.end(), 0);
    // The library takes every byte for a character.
    let bytes: Vec<u8> = session
        .seen
        .chars()
        .map(|c| u8::try_from(c).unwrap())
        .collect();
    for line in String::from_utf8(bytes).unwrap().split(['\r', '\n']) {
        let plain = console::strip_ansi_codes(line);
        let fits = plain.trim_end().chars().count() <= 80;
        assert!(
            fits || plain.contains("Written by seaworthy") || plain.contains("[y/N]"),
            "{plain}"
        );
    }

    assert!(
        sample
            .text("etc/environment")
            .ends_with("\nDOCKER_CONTENT_TRUST=1\n")
    );
    let daemon = sample.text("etc/docker/daemon.json");
    // Somebody has set it in this image, for containers that are not seen there: not chosen by itself.
    assert!(daemon.contains("\"icc\": true,\n"), "{daemon}");
    assert!(
        daemon.contains("\"no-new-privileges\": true,\n"),
        "{daemon}"
    );
    assert!(
        daemon.contains(
            "\n\n    \"labels\": [\"site=berlin\",\"rack=7\"],  \"max-concurrent-downloads\": 5,\n"
        ),
        "{daemon}"
    );
    let mode = fs::metadata(sample.root().join("etc/docker/daemon.json")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
        0o666
    );

    let rollback = Command::new(env!("CARGO_BIN_EXE_seaworthy"))
        .arg("--root")
        .arg(sample.root())
        .args(["rollback", "--yes"])
        .output()
        .unwrap();
    assert_eq!(rollback.status.code(), Some(0), "{rollback:?}");
    assert_eq!(sample.lasting(), before);
}

#[test]
fn leaving_before_the_confirmation_leaves_no_trace() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    let before = sample.manifest();
    for stage in 0..STAGES.len() {
        for leave in [ESC, "q", CTRL_C] {
            let mut session = Session::start(&sample);
            go_to(&mut session, stage);
            session.press(leave).until("Nothing was changed.");
            assert_eq!(session.end(), 0, "stage {stage}, {leave:?}");
            assert!(sample.manifest() == before, "stage {stage}, {leave:?}");
        }
    }
}

#[test]
fn choosing_nothing_and_saying_no_leave_no_trace() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    let before = sample.manifest();
    // `a` chooses all, and again none.
    for (stage, keys) in [(1, "aa\r"), (3, "n"), (3, "\r")] {
        let mut session = Session::start(&sample);
        go_to(&mut session, stage);
        session.press(keys).until("Nothing was changed.");
        assert_eq!(session.end(), 0);
        assert!(sample.manifest() == before, "stage {stage}, {keys:?}");
    }
}

#[test]
fn an_interrupted_list_shows_the_cursor_again() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    for stage in [1, 3] {
        let mut session = Session::start(&sample);
        go_to(&mut session, stage);
        assert!(session.seen.contains(HIDE) || stage == 3);
        let until_then = session.seen.len();
        session.press(CTRL_C);
        assert_eq!(session.end(), 0);
        assert!(
            session.seen[until_then..].contains(SHOW),
            "{:?}",
            &session.seen[until_then..]
        );
    }
}

#[test]
fn a_terminal_that_goes_away_leaves_no_trace() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    let before = sample.manifest();
    for stage in 0..STAGES.len() {
        let mut session = Session::start(&sample);
        go_to(&mut session, stage);
        let pid = session.pid();
        drop(session);
        let begun = Instant::now();
        while runs(pid) {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "stage {stage}: it runs on"
            );
            sleep(Duration::from_millis(20));
        }
        assert!(sample.manifest() == before, "stage {stage}");
    }
}

/// Whether a process is there and is more than what nobody has waited for yet.
fn runs(pid: u32) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_host_that_changed_since_it_was_shown_is_refused() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    let mut session = Session::start(&sample);
    go_to(&mut session, 3);
    let file = sample.root().join("etc/docker/daemon.json");
    fs::write(&file, "{ \"icc\": true, \"debug\": true }\n").unwrap();
    session
        .press("y")
        .until("no longer the one that you saw")
        .until("/etc/docker/daemon.json")
        .until("+{ \"icc\": true, \"debug\": true }")
        .until("try: sudo seaworthy harden --root");
    assert_eq!(session.end(), 2);
    assert_eq!(
        sample.text("etc/docker/daemon.json"),
        "{ \"icc\": true, \"debug\": true }\n"
    );
    assert!(
        !sample
            .text("etc/environment")
            .contains("DOCKER_CONTENT_TRUST")
    );
    assert!(!sample.root().join("etc/tmpfiles.d/seaworthy.conf").exists());
}

#[test]
fn what_apply_and_rollback_show_is_what_they_do_or_nothing() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    let file = sample.root().join("etc/docker/daemon.json");
    let mut session = Session::start_verb(&sample, &["apply"]);
    session.until("Apply this? [y/N]");
    let former = fs::read(&file).unwrap();
    fs::write(&file, "{ \"icc\": true, \"debug\": true }\n").unwrap();
    session
        .press("y")
        .until("no longer the one that you saw")
        .until("sudo seaworthy apply --root");
    assert_eq!(session.end(), 2);
    assert!(!sample.text("etc/docker/daemon.json").contains("false"));
    fs::write(&file, former).unwrap();

    let mut session = Session::start_verb(&sample, &["apply"]);
    session.until("Apply this? [y/N]").press("y");
    assert_eq!(session.end(), 0);

    let mut session = Session::start_verb(&sample, &["rollback"]);
    session.until("Put this back? [y/N]");
    let applied = sample.text("etc/docker/daemon.json");
    let edited = applied.replacen('{', "{ \"max-download-attempts\": 3,", 1);
    fs::write(&file, &edited).unwrap();
    session
        .press("y")
        .until("the host changed while you read, so nothing was put back");
    assert_eq!(session.end(), 2);
    assert_eq!(sample.text("etc/docker/daemon.json"), edited);

    let mut session = Session::start_verb(&sample, &["rollback"]);
    session.until("Put this back? [y/N]").press("y");
    assert_eq!(session.end(), 0);
    let text = sample.text("etc/docker/daemon.json");
    assert!(text.contains("max-download-attempts"), "{text}");
    assert!(!text.contains("userns-remap"), "{text}");
}

#[test]
fn nothing_left_to_choose_is_said() {
    if !can_run() {
        return;
    }
    let sample = Sample::new();
    let apply = Command::new(env!("CARGO_BIN_EXE_seaworthy"))
        .arg("--root")
        .arg(sample.root())
        .args(["apply", "--yes", "--allow-disruption"])
        .output()
        .unwrap();
    assert_eq!(apply.status.code(), Some(0), "{apply:?}");
    let mut session = Session::start(&sample);
    session.until("There is nothing here that could be changed for you.");
    assert_eq!(session.end(), 0);
}

#[test]
fn without_a_terminal_it_names_the_other_verbs() {
    let output = Command::new(env!("CARGO_BIN_EXE_seaworthy"))
        .arg("harden")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no terminal"), "{said}");
    assert!(
        said.contains("seaworthy plan") && said.contains("seaworthy apply"),
        "{said}"
    );
}
