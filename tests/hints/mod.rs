//! A hint is a command that works: its first word is a program, and a path in it is a path, without
//! a line or a column at its end. Whatever the tests of bad input see printed is held to it, too.

use crate::families::HOSTS;
use seaworthy::audit::{Report, judge};
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::checks::Source;
use seaworthy::facts::{Facts, Seen, Unseen};
use seaworthy::plan::{self, Options};
use seaworthy::policy::Policy;
use serde_json::json;

const TODAY: &str = "2026-11-22";

/// Programs of a Linux host that a hint may name.
const PROGRAMS: &[&str] = &[
    "apk",
    "apt-get",
    "auditctl",
    "augenrules",
    "bash",
    "cat",
    "chattr",
    "chmod",
    "chown",
    "command",
    "cp",
    "curl",
    "df",
    "dnf",
    "docker",
    "editor",
    "env",
    "file",
    "findmnt",
    "getent",
    "groupadd",
    "grep",
    "install",
    "journalctl",
    "ls",
    "lsattr",
    "mkdir",
    "mount",
    "mv",
    "nixos-rebuild",
    "openssl",
    "pacman",
    "ps",
    "rc-service",
    "rm",
    "rpm-ostree",
    "seaworthy",
    "service",
    "sh",
    "snap",
    "ss",
    "stat",
    "sudo",
    "systemctl",
    "systemd-analyze",
    "touch",
    "transactional-update",
    "umount",
    "update-rc.d",
    "useradd",
    "usermod",
    "visudo",
    "yum",
    "zypper",
];

/// What is wrong with a hint, if anything is.
pub(crate) fn wrong(hint: &str) -> Option<String> {
    // A flag releases what is held back.
    if hint.starts_with("--") {
        return None;
    }
    let words = words(hint);
    let commands = words.split(|word| ["&&", "or", "(or:", ";", "&"].contains(&word.as_str()));
    for command in commands.filter(|command| !command.is_empty()) {
        let is_set = |word: &str| {
            word.split_once('=')
                .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        };
        let mut words = command
            .iter()
            .skip_while(|word| *word == "sudo" || is_set(word));
        let Some(program) = words.next() else {
            return Some(format!("`{hint}` has no command"));
        };
        if !PROGRAMS.contains(&program.as_str()) {
            return Some(format!("`{hint}`: `{program}` is not a program"));
        }
        for word in words {
            let last = word.rsplit(':').next().unwrap_or_default();
            if word.starts_with('/')
                && word.contains(':')
                && last.chars().all(|c| c.is_ascii_digit())
            {
                return Some(format!("`{hint}` has a line glued to `{word}`"));
            }
        }
    }
    words.is_empty().then(|| "it is empty".to_owned())
}

/// The words as a shell splits them, a `;` by itself.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next() {
                    None | Some('\'') => break,
                    Some('\\') if word.starts_with('$') => word.extend(chars.next()),
                    Some(c) => word.push(c),
                }
            },
            ' ' | ';' | ')' => {
                words.push(std::mem::take(&mut word));
                words.extend((c == ';').then(|| ";".to_owned()));
            }
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn a_hint_is_told_from_what_is_none() {
    for hint in [
        "ls -ld /etc/docker/daemon.json",
        "lsattr -d /etc/x; findmnt -T /etc/x",
        "DOCKER_HOST=unix:///run/user/1000/docker.sock seaworthy audit",
        "sudo seaworthy confirm   (or: sudo seaworthy rollback)",
        "--allow-disruption",
        "cat /tmp/pipe &",
    ] {
        assert_eq!(wrong(hint), None);
    }
    for hint in [
        "run as root",
        "",
        "ls -ld /etc/docker/daemon.json:3",
        "ls -ld /etc/docker/daemon.json:3:1",
        "editor '/etc/a b:3'",
    ] {
        assert!(wrong(hint).is_some(), "{hint}");
    }
}

/// The sample hosts as they are, and as nobody sees them.
fn hosts() -> Vec<(String, Facts)> {
    let catalog = Catalog::embedded().unwrap();
    let unseen = || Unseen::new("permission denied", "sudo seaworthy audit");
    let mut all = Vec::new();
    for name in HOSTS {
        let host = crate::versions::sample(name, &json!({}), &catalog);
        let mut dark = host.clone();
        dark.host.root = false;
        dark.docker = Seen::Unseen(unseen());
        dark.auditing.kernel_rules = Seen::Unseen(unseen());
        for node in dark.files.values_mut() {
            *node = Seen::Unseen(unseen());
        }
        let mut broken = host.clone();
        let path = "/etc/docker/daemon.json";
        if let Some(Seen::Known(node)) = broken.files.get_mut(path) {
            node.content = Some("{\n  \"debug\": true,\n}\n".into());
        }
        let mut read_only = host.clone();
        for node in read_only.files.values_mut() {
            if let Seen::Known(node) = node {
                node.fixed = Some("it is immutable (chattr +i)".to_owned());
            }
        }
        for (how, facts) in [
            ("", host),
            ("dark", dark),
            ("broken", broken),
            ("read-only", read_only),
        ] {
            all.push((format!("{name} {how}"), facts));
        }
    }
    all
}

#[test]
fn every_hint_of_the_sample_hosts_is_a_command() {
    let catalog = Catalog::embedded().unwrap();
    let policy = Policy::default();
    let mut found = Vec::new();
    let mut hints = 0;
    for (host, facts) in hosts() {
        let mut say = |control: &str, hint: &str| {
            hints += 1;
            if let Some(wrong) = wrong(hint) {
                found.push(format!("{host}: {control}: {wrong}"));
            }
        };
        for one in judge(&catalog, &facts, &policy, &Selection::default(), TODAY) {
            for evidence in &one.judgement.evidence {
                if let Some(hint) = &evidence.hint {
                    say(&one.control.id, hint);
                }
            }
            if let Some((_, cure)) = &one.judgement.blocked {
                say(&one.control.id, cure);
            }
        }
        for allow_disruption in [false, true] {
            let options = Options {
                allow_disruption,
                ..Options::default()
            };
            let plan = plan::plan(&catalog, &facts, &policy, &options, TODAY);
            for back in &plan.held_back {
                say(&back.control, &back.release);
            }
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(hints > 500, "{hints}");
}

#[test]
fn a_hint_stands_in_its_own_field() {
    let catalog = Catalog::embedded().unwrap();
    for (host, facts) in hosts() {
        for one in judge(
            &catalog,
            &facts,
            &Policy::default(),
            &Selection::default(),
            TODAY,
        ) {
            for evidence in &one.judgement.evidence {
                for field in [evidence.source.to_string(), evidence.wanted.clone()] {
                    assert!(
                        !field.contains("seaworthy audit") && !field.contains("run as root"),
                        "{host}: {}: {field}",
                        one.control.id
                    );
                }
            }
        }
    }
}

#[test]
fn a_place_in_a_file_is_a_location_in_json() {
    let catalog = Catalog::embedded().unwrap();
    let text = "{\n  \"debug\": true,\n}\n";
    let facts = crate::versions::sample(
        "debian-12",
        &json!({ "files": { "/etc/docker/daemon.json": { "text": text } } }),
        &catalog,
    );
    let policy = Policy::default();
    let judged = judge(&catalog, &facts, &policy, &Selection::default(), TODAY);
    let report = serde_json::to_value(Report::new(&facts, &judged)).unwrap();
    let finding = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["control"] == "daemon-icc")
        .unwrap();
    let evidence = &finding["evidence"][0];
    assert_eq!(evidence["source"], "/etc/docker/daemon.json:2:16");
    assert_eq!(
        evidence["location"],
        json!({ "file": "/etc/docker/daemon.json", "line": 2, "column": 16 })
    );
    let told = Source::at("/etc/docker/daemon.json", 2, Some(16));
    assert_eq!(
        judged
            .iter()
            .find(|one| one.control.id == "daemon-icc")
            .unwrap()
            .judgement
            .evidence[0]
            .source,
        told
    );
}
