//! A daemon, or a manager, that does not answer: only what says so does not run.

use super::*;
use crate::facts::{Seen, Unseen};

/// A host with docker.service in this state and a socket, on which asking ends like this.
fn host(active: &str, silence: Cause) -> Model {
    let socket = Node {
        kind: Kind::Socket,
        ..Node::default()
    };
    let mut host = Model {
        silence,
        ..Model::default()
    }
    .file(
        "/usr/lib/systemd/system/docker.service",
        "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n",
    );
    if !active.is_empty() {
        let show: Vec<String> = [
            "docker.service",
            "docker.socket",
            "containerd.service",
            "auditd.service",
            "audit-rules.service",
            "snap.docker.dockerd.service",
        ]
        .iter()
        .map(|unit| {
            let there = if *unit == "docker.service" { "loaded" } else { "not-found" };
            format!("Id={unit}\nLoadState={there}\nFragmentPath=/usr/lib/systemd/system/{unit}\nActiveState={active}\nMainPID=0\n")
        })
        .collect();
        host = host.prints("systemctl show", &show.join("\n"));
    }
    host.files.insert("/run/docker.sock".to_owned(), socket);
    host
}

fn unseen(host: &Model, docker_host: Option<&str>) -> Unseen {
    let facts = collect(host, docker_host, &|_| Requests::new(), &mut |_| {});
    match facts.docker {
        Seen::Unseen(unseen) => unseen,
        Seen::Known(docker) => panic!("{docker:?}"),
    }
}

/// Somebody listens on the socket, or a process of Docker's is in the pid file.
fn listened(host: Model) -> Model {
    let line = "0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/docker.sock\n";
    host.file("/proc/net/unix", line)
}

fn by_pid_file(host: Model, name: &str) -> Model {
    host.file("/run/docker.pid", "812\n")
        .file("/proc/812/comm", name)
}

const ALL: [Cause; 5] = [
    Cause::Refused,
    Cause::NotPermitted,
    Cause::NoAnswer,
    Cause::TooBig,
    Cause::BadAnswer,
];

#[test]
fn a_unit_that_is_active_may_run_whatever_its_socket_says() {
    for silence in ALL {
        assert_eq!(unseen(&host("active", silence), None).cause, silence);
    }
    let mut without = host("active", Cause::Refused);
    without.files.remove("/run/docker.sock");
    let found = unseen(&without, None);
    assert_eq!(found.cause, Cause::NotThere);
    assert_eq!(
        found.unseen,
        "there is no Docker socket at /run/docker.sock"
    );
    assert_eq!(without.asked.borrow().len(), 0);
}

#[test]
fn a_unit_that_is_down_is_not_asked_and_a_daemon_beside_it_is_noticed() {
    for active in ["inactive", "failed"] {
        let down = host(active, Cause::NoAnswer);
        assert_eq!(unseen(&down, None).cause, Cause::NotRunning);
        assert_eq!(down.asked.borrow().len(), 0);
        for (beside, said) in [
            (
                listened(host(active, Cause::NoAnswer)),
                "docker.service is not running, but somebody listens on its socket",
            ),
            (
                by_pid_file(host(active, Cause::NoAnswer), "dockerd\n"),
                "docker.service is not running, but process 812 (dockerd) runs",
            ),
        ] {
            let found = unseen(&beside, None);
            assert_eq!(
                (found.cause, found.unseen.as_str()),
                (Cause::NotAsked, said)
            );
            assert_eq!(beside.asked.borrow().len(), 0);
        }
        // The number of one that was killed is somebody else's by now.
        let stale = by_pid_file(host(active, Cause::NoAnswer), "sshd\n");
        assert_eq!(unseen(&stale, None).cause, Cause::NotRunning);
    }
}

#[test]
fn without_a_manager_only_an_empty_place_is_no_daemon() {
    for silence in ALL {
        let expected = match silence {
            Cause::Refused => Cause::NotRunning,
            other => other,
        };
        assert_eq!(unseen(&host("", silence), None).cause, expected);
        // Another daemon that the user has named: nothing here says that it does not run.
        let other = listened(host("", silence)).file("/srv/other.sock", "");
        let found = unseen(&other, Some("unix:///srv/other.sock"));
        assert_eq!(found.cause, silence);
    }
    let traced = by_pid_file(host("", Cause::Refused), "dockerd\n");
    assert_eq!(unseen(&traced, None).cause, Cause::Refused);
    let mut gone = host("", Cause::NoAnswer);
    gone.files.remove("/run/docker.sock");
    assert_eq!(unseen(&gone, None).cause, Cause::NotRunning);
    let gone = unseen(&gone, Some("unix:///srv/gone.sock"));
    assert_eq!(gone.cause, Cause::NotThere);
}

/// A connection to the socket of a unit that is down would start it.
#[test]
fn a_manager_that_does_not_answer_leaves_it_open_and_nobody_is_asked() {
    let booted = |host: Model| {
        let mut host = host;
        let folder = Node {
            kind: Kind::Folder,
            ..Node::default()
        };
        host.files.insert("/run/systemd/system".to_owned(), folder);
        host
    };
    let silent = booted(host("", Cause::NoAnswer));
    let facts = collect(&silent, None, &|_| Requests::new(), &mut |_| {});
    let Seen::Unseen(why) = &facts.docker else {
        panic!("{:?}", facts.docker);
    };
    assert_eq!(why.cause, Cause::NotAsked);
    assert!(
        why.unseen
            .starts_with("whether docker.service runs could not be seen: ")
    );
    assert_eq!(silent.asked.borrow().len(), 0);
    let unit = &facts.units["docker.service"];
    assert!(!unit.is_active() && !unit.is_down());
    // One whose process is there can be asked.
    let runs = booted(by_pid_file(host("", Cause::NoAnswer), "dockerd\n"));
    assert_eq!(unseen(&runs, None).cause, Cause::NoAnswer);
    assert_eq!(runs.asked.borrow().len(), 1);
}

/// A pid file that cannot be read may be that of a daemon: it is not down, and nothing that could start it is done.
#[test]
fn a_pid_file_that_cannot_be_read_says_neither() {
    let unread = |mut host: Model| {
        host.files
            .insert("/run/docker.pid".to_owned(), Node::default());
        host
    };
    let down = unread(host("inactive", Cause::NoAnswer));
    let found = unseen(&down, None);
    assert_eq!(found.cause, Cause::NotAsked);
    assert!(found.unseen.contains("/run/docker.pid could not be read"));
    assert_eq!(down.asked.borrow().len(), 0);
    let mut silent = unread(host("", Cause::NoAnswer));
    let folder = Node {
        kind: Kind::Folder,
        ..Node::default()
    };
    silent
        .files
        .insert("/run/systemd/system".to_owned(), folder);
    assert_eq!(unseen(&silent, None).cause, Cause::NotAsked);
    assert_eq!(silent.asked.borrow().len(), 0);
}
