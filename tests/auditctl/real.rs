//! The auditctl of this machine, where it may be touched.
//!
//! It is touched only with `SEAWORTHY_AUDITCTL=1`, as root, and only where auditing is off (`enabled 0`) and there is no
//! rule; the backlog, its wait, the failure mode and the rate are put back.

use super::{lines, load, ours, set_differences};
use seaworthy::formats::audit_rules::around::{Account, Around, Place};
use seaworthy::formats::audit_rules::joined::{Awk, join, natural};
use seaworthy::formats::audit_rules::{Machine, Release};
use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One test at a time: there is one kernel.
static KERNEL: Mutex<()> = Mutex::new(());

/// This machine.
struct Here(Release);

fn number(file: &str, name: &str) -> Account {
    let text = fs::read_to_string(file).unwrap();
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    });
    found.map_or(Account::Missing, Account::Is)
}

impl Around for Here {
    fn machine(&self) -> Option<Machine> {
        Machine::by_name(std::env::consts::ARCH)
    }

    fn release(&self) -> Option<Release> {
        Some(self.0)
    }

    fn user(&self, name: &str) -> Account {
        number("/etc/passwd", name)
    }

    fn group(&self, name: &str) -> Account {
        number("/etc/group", name)
    }

    fn place(&self, path: &str) -> Place {
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => Place::Folder,
            Ok(_) => Place::Other,
            Err(_) => Place::Missing,
        }
    }
}

fn auditctl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("auditctl")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// The kernel's settings, put back in the end; until then nobody else has the kernel.
struct Settings {
    kept: Vec<(&'static str, String)>,
    _kernel: MutexGuard<'static, ()>,
}

impl Drop for Settings {
    fn drop(&mut self) {
        auditctl(&["-D"]);
        auditctl(&["-e", "0"]);
        for (option, value) in &self.kept {
            auditctl(&[option, value]);
        }
    }
}

/// `None`, and a line that says so, where nothing may be touched here.
fn permitted() -> Option<(Here, Settings)> {
    let kernel = KERNEL.lock().unwrap_or_else(PoisonError::into_inner);
    let why = if std::env::var("SEAWORTHY_AUDITCTL").as_deref() != Ok("1") {
        "SEAWORTHY_AUDITCTL=1 is not set"
    } else if !nix::unistd::geteuid().is_root() {
        "not root"
    } else if Command::new("auditctl").arg("-v").output().is_err() {
        "no auditctl"
    } else {
        let status = auditctl(&["-s"]).1;
        let value = |name: &str| {
            let line = status
                .lines()
                .find(|line| line.split(' ').next() == Some(name))?;
            line.split(' ').nth(1).map(str::to_owned)
        };
        if value("enabled").as_deref() != Some("0") {
            "auditing is on"
        } else if auditctl(&["-l"]).1.trim() != "No rules" {
            "there are rules"
        } else {
            let release = Release::parse(&auditctl(&["-v"]).1).unwrap();
            let kept = [
                ("-b", "backlog_limit"),
                ("-f", "failure"),
                ("-r", "rate_limit"),
                ("--backlog_wait_time", "backlog_wait_time"),
            ];
            let kept = kept
                .into_iter()
                .map(|(option, name)| (option, value(name).unwrap()))
                .collect();
            let settings = Settings {
                kept,
                _kernel: kernel,
            };
            return Some((Here(release), settings));
        }
    };
    println!("NOT RUN: auditctl is not touched here: {why}");
    None
}

fn loads(folder: &std::path::Path, line: &str) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.join("line.rules");
    fs::write(&file, format!("{line}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    auditctl(&["-R", file.to_str().unwrap()]).0
}

#[test]
fn every_line_of_the_table() {
    let Some((here, _settings)) = permitted() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let table = include_str!("../vm/scenarios/auditctl-table/lines");
    let mut wrong = Vec::new();
    for line in table
        .split('\n')
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        auditctl(&["-D"]);
        let real = loads(folder.path(), line);
        let (verdict, loading) = ours(line, &here);
        if verdict.is_some_and(|verdict| verdict != real) && loading.passed.is_empty() {
            wrong.push(format!(
                "auditctl: {real}, ours: {:?}: {line:?}",
                loading.ended
            ));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_line_of_every_set() {
    let Some((here, _settings)) = permitted() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in super::SETS {
        auditctl(&["-D"]);
        let mut answers = String::new();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let word = if loads(folder.path(), line) {
                "good"
            } else {
                "bad"
            };
            answers.push_str(&[word, " ", line, "\n"].concat());
        }
        let listed = auditctl(&["-l"]).1.lines().count();
        answers.push_str(&["rules ", &listed.to_string(), "\n"].concat());
        let wrong = set_differences(&answers, &here);
        assert!(
            wrong.is_empty(),
            "{name}: {}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

/// A whole set at once: how many rules are there where the first refused line ends it.
#[test]
fn every_set_as_a_file() {
    let Some((here, _settings)) = permitted() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in super::SETS {
        auditctl(&["-D"]);
        let file = folder.path().join("set.rules");
        fs::write(&file, text).unwrap();
        auditctl(&["-R", file.to_str().unwrap()]);
        let listed = auditctl(&["-l"]).1;
        let listed = listed.lines().filter(|line| *line != "No rules").count();
        let loading = load(lines(0, text), &here);
        assert_eq!(loading.rules.len(), listed, "{name}: {:?}", loading.ended);
    }
}

/// The order of files, and what augenrules makes of them. Nothing of the kernel is touched for that.
#[test]
fn the_order_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "1.rules",
        "2.rules",
        "10.rules",
        "10-b.rules",
        "10-a.rules",
        "a.rules",
        "A.rules",
        "a1.rules",
        "a01.rules",
        "a-1.rules",
        "a_1.rules",
        "a.b.rules",
        "a.1.rules",
        "00.rules",
        "0.rules",
        "audit.rules",
        "~x.rules",
        "50-x~.rules",
        "9-z.old.rules",
        "9-z.rules",
        "b2c10.rules",
        "b2c9.rules",
        "b-.rules",
        "b.rules",
    ];
    for name in names {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let listed = Command::new("ls")
        .arg("-1v")
        .arg(folder.path())
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut ours = names.to_vec();
    ours.sort_by(|one, other| natural(one, other));
    assert_eq!(ours, listed.lines().collect::<Vec<_>>());
    // With nothing in them nothing is joined.
    assert_eq!(join(&["", ""], Awk::Unseen, None).count(), 0);
}
