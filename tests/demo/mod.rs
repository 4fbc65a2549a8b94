//! `seaworthy demo`, as a newcomer runs it.

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An ordinary user, everywhere.
const NOBODY: u32 = 65534;

/// A place to run the demo in: a TMPDIR of its own, and a working directory that cannot be written.
struct Place {
    folder: TempDir,
    program: PathBuf,
    nobody: bool,
}

impl Place {
    /// `nobody`: as an ordinary user, which a test that is not root is anyway.
    fn new(nobody: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut program = PathBuf::from(env!("CARGO_BIN_EXE_seaworthy"));
        fs::create_dir(at("tmp")).unwrap();
        fs::create_dir(at("work")).unwrap();
        let nobody = nobody && geteuid().is_root();
        if nobody {
            // The user may not be let into the folder that the program was built in.
            fs::copy(&program, at("seaworthy")).unwrap();
            program = at("seaworthy");
            std::os::unix::fs::chown(at("tmp"), Some(NOBODY), Some(NOBODY)).unwrap();
            fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(at("work"), Permissions::from_mode(0o555)).unwrap();
        Self {
            folder,
            program,
            nobody,
        }
    }

    fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.folder.path().join("work"))
            .env_clear()
            .env("TMPDIR", self.tmp())
            .stdin(Stdio::null());
        if self.nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Standard output without what differs from run to run.
    fn filtered(&self, output: &str) -> String {
        let mut text = output.replace(&self.tmp().display().to_string(), "[TMPDIR]");
        let ids: Vec<String> = text
            .split(|c: char| c.is_whitespace())
            .filter(|word| is_id(word))
            .map(str::to_owned)
            .collect();
        let mut known: Vec<String> = Vec::new();
        for id in ids {
            if !known.contains(&id) {
                known.push(id.clone());
                text = text.replace(&id, &format!("[ID-{}]", known.len()));
            }
        }
        text
    }

    fn assert_clean(&self) {
        let left: Vec<_> = fs::read_dir(self.tmp()).unwrap().collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

/// `20261122T021202Z-516b0`.
fn is_id(word: &str) -> bool {
    word.len() == 22 && word.as_bytes()[8] == b'T' && &word[15..17] == "Z-"
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_story_is_the_same_for_everybody_and_leaves_nothing() {
    for nobody in [true, false] {
        let place = Place::new(nobody);
        let begun = Instant::now();
        let output = place.command(&["demo"]).output().unwrap();
        let took = begun.elapsed();
        assert_eq!(text(&output.stderr), "", "nobody: {nobody}");
        assert_eq!(output.status.code(), Some(0), "nobody: {nobody}");
        // Two seconds are promised; the rest is for a machine that is busy with other tests.
        assert!(took < Duration::from_secs(10), "{took:?}");
        place.assert_clean();
        let story = place.filtered(&text(&output.stdout));
        insta::assert_snapshot!("story", story);
        assert_fits(&story);
    }
}

/// Everything but the files' own lines fits 80 columns, and has no colour in a pipe.
fn assert_fits(story: &str) {
    for line in story.lines() {
        assert!(!line.contains('\u{1b}'), "{line}");
        assert!(
            line.starts_with(['+', '-']) || line.chars().count() <= 80,
            "{line}"
        );
    }
    let lines = story.lines().count();
    assert!(lines <= 165, "{lines} lines are more than a newcomer reads");
}

#[test]
fn colour_is_for_those_who_ask() {
    let place = Place::new(true);
    for (arguments, variable, coloured) in [
        (&["demo", "--color=always"][..], None, true),
        (&["demo", "--color=never"], None, false),
        (&["demo"], Some("NO_COLOR"), false),
    ] {
        let mut command = place.command(arguments);
        command.envs(variable.map(|name| (name, "1")));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(
            text(&output.stdout).contains('\u{1b}'),
            coloured,
            "{arguments:?} {variable:?}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new(true);
    let mut child = place
        .command(&["demo"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    place.assert_clean();
}

#[test]
fn interrupted_it_takes_its_folder_away() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let place = Place::new(true);
        let mut child = place
            .command(&["demo"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        // A small pipe that nobody empties holds it in the middle of an act.
        fcntl(&stdout, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
        let begun = Instant::now();
        let mut asleep = 0;
        while asleep < 10 {
            assert!(begun.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(20));
            asleep = if sleeps(child.id()) { asleep + 1 } else { 0 };
        }
        assert_eq!(fs::read_dir(place.tmp()).unwrap().count(), 1);
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let mut told = String::new();
        stdout.read_to_string(&mut told).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{signal}");
        assert_eq!(
            text(&output.stderr),
            "Interrupted; the sample host is gone.\n"
        );
        assert!(!told.contains("Act 5"), "{told}");
        place.assert_clean();
    }
}

/// Whether the process waits for something that is not the disk.
fn sleeps(pid: u32) -> bool {
    let stat = Path::new("/proc").join(pid.to_string()).join("stat");
    fs::read_to_string(stat).is_ok_and(|stat| stat.contains(") S "))
}

#[test]
fn what_it_cannot_do_it_says() {
    let place = Place::new(true);
    for (arguments, wanted) in [
        (&["demo", "--root", "/"][..], "--root"),
        (&["demo", "--only", "daemon-icc"], "--only"),
        (&["demo", "--skip", "daemon-icc"], "--skip"),
        (&["demo", "--profile", "level1"], "--profile"),
        (&["demo", "--config", "policy.toml"], "--config"),
    ] {
        let output = place.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(wanted), "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
    }
    let output = place
        .command(&["demo"])
        .env("TMPDIR", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("/nowhere") && said.contains("try: TMPDIR=/var/tmp"),
        "{said}"
    );
}
