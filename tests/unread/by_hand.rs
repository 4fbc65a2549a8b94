//! A daemon that no service starts, and one that is another than docker.service's: only its process and its own
//! answers say how it runs.

use super::{planned, verdicts};
use crate::laws::{catalog, completed, sample};
use seaworthy::checks::Outcome;
use seaworthy::facts::{DaemonProcess, Facts, Node, Seen};

const CONFIG: &str = "/etc/docker/daemon.json";
const STARTED: i64 = 1_700_000_000_000_000;

fn process(line: &str) -> Seen<DaemonProcess> {
    Seen::Known(DaemonProcess {
        pid: 42,
        argv: line
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into(),
        started: STARTED,
    })
}

fn config(facts: &mut Facts, text: &str, modified: i64) {
    let node = Node {
        modified,
        ..Node::file(text)
    };
    facts.files.insert(CONFIG.to_owned(), Seen::Known(node));
}

/// docker.service is a packaged file, and systemd does not run.
fn without_systemd(line: &str) -> Facts {
    let mut facts = completed(sample("debian-12"), &catalog());
    for unit in facts.units.values_mut() {
        unit.active.clear();
        unit.started = 0;
        unit.main_pid = 0;
    }
    facts.daemon_process = process(line);
    facts
}

const FILE: &str = r#"{"no-new-privileges": true, "userland-proxy": false}"#;
const IDS: [&str; 2] = ["daemon-no-new-privileges", "daemon-userland-proxy"];

#[test]
fn a_file_that_is_newer_than_the_process_is_pending() {
    for (modified, outcome) in [(STARTED - 1, Outcome::Pass), (STARTED + 1, Outcome::Fail)] {
        let mut facts = without_systemd("dockerd");
        config(&mut facts, FILE, modified);
        let found = verdicts(&facts);
        for id in IDS {
            assert_eq!(found[id], outcome, "{id}");
        }
        let plan = planned(&facts, &IDS);
        assert_eq!((&plan.steps[..], &plan.activations[..]), (&[][..], &[][..]));
    }
    // Nobody knows when it started.
    let mut facts = without_systemd("dockerd");
    config(&mut facts, FILE, STARTED - 1);
    if let Seen::Known(process) = &mut facts.daemon_process {
        process.started = 0;
    }
    for id in IDS {
        assert_eq!(verdicts(&facts)[id], Outcome::Unknown, "{id}");
    }
}

#[test]
fn without_systemd_the_process_says_with_which_flags_it_runs() {
    let flags = "dockerd --no-new-privileges --userland-proxy=false -H tcp://0.0.0.0:2375";
    let found = verdicts(&without_systemd(flags));
    for id in IDS {
        assert_eq!(found[id], Outcome::Pass, "{id}");
    }
    assert_eq!(found["daemon-tls"], Outcome::Fail);
    // Its configuration file, too.
    let mut facts = without_systemd("dockerd --config-file=/srv/daemon.json");
    config(&mut facts, FILE, STARTED - 1);
    let facts = completed(facts, &catalog());
    for id in IDS {
        assert_eq!(verdicts(&facts)[id], Outcome::Fail, "{id}");
    }
    // Without a process nobody knows, and the packaged unit says nothing of it.
    let mut facts = without_systemd("dockerd");
    config(&mut facts, FILE, STARTED - 1);
    facts.daemon_process = Seen::unseen("nobody listens", "");
    for id in [
        "daemon-no-new-privileges",
        "daemon-userland-proxy",
        "daemon-tls",
        "daemon-json",
    ] {
        assert_eq!(verdicts(&facts)[id], Outcome::Unknown, "{id}");
    }
}

#[test]
fn what_docker_host_names_is_not_judged_by_the_files_of_docker_service() {
    let mut facts = completed(sample("debian-12"), &catalog());
    config(&mut facts, FILE, STARTED - 1);
    let before = verdicts(&facts);
    assert_eq!(before["daemon-userland-proxy"], Outcome::Pass);
    facts.other_socket = Some("/srv/other.sock".to_owned());
    facts.daemon_process = Seen::unseen("permission denied", "run as root");
    let facts = completed(facts, &catalog());
    let found = verdicts(&facts);
    for (id, outcome) in [
        ("daemon-userland-proxy", Outcome::Unknown),
        ("daemon-no-new-privileges", Outcome::Unknown),
        ("daemon-tls", Outcome::Unknown),
        ("daemon-unit", Outcome::NotApplicable),
        ("docker-service-mode", Outcome::NotApplicable),
        ("docker-socket-mode", Outcome::NotApplicable),
    ] {
        assert_eq!(found[id], outcome, "{id}");
    }
    // Its process says what its files are.
    let mut facts = facts;
    facts.daemon_process = process("dockerd --userland-proxy=true --config-file=/srv/d.json");
    let facts = completed(facts, &catalog());
    assert_eq!(verdicts(&facts)["daemon-userland-proxy"], Outcome::Fail);
    assert_eq!(planned(&facts, &["daemon-userland-proxy"]).steps, []);
}
