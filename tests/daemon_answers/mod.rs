//! What the audit makes of a daemon's answers: late ones, endless ones, broken ones, none.
//!
//! Steps are counted and names are compared; the deadlines are short, and no test says how long
//! something took.

mod fake;
mod faults;
mod files;
mod hung;
mod verdicts;

use fake::{CONTAINERS, Fake, Reply, healthy, id, whole};
use faults::faults;
use seaworthy::facts::{Cause, Docker};
use seaworthy::host::{DockerAnswers, HostError, LinuxHost, Patience, ReadHost as _};
use serde_json::json;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixListener;
use std::time::Duration;

/// Short for what never comes, and long enough for what does.
fn short() -> Patience {
    Patience {
        connect: Duration::from_secs(3),
        first_byte: Duration::from_secs(3),
        answer: Duration::from_secs(4),
        all: Duration::from_secs(100),
        largest: 1 << 20,
        together: 2 << 20,
    }
}

fn ask_with(socket: &str, patience: Patience) -> Result<DockerAnswers, HostError> {
    let host = LinuxHost::live().unwrap().with_patience(patience);
    host.docker(socket)
}

fn ask(fake: &Fake) -> Result<Docker, HostError> {
    ask_with(&fake.socket(), short()).map(|answers| answers.facts())
}

/// A daemon without fault but for one path.
fn but(odd: &'static str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Fake {
    Fake::new(
        move |path| {
            if path == odd { reply() } else { healthy(path) }
        },
    )
}

/// Tries each way not to answer, all at once: most of the time is spent waiting.
fn each_fault(check: impl Fn(&'static str, Reply, Cause, &'static str) + Sync) {
    std::thread::scope(|scope| {
        for (fault, reply, cause, said) in faults() {
            let check = &check;
            scope.spawn(move || check(fault, reply, cause, said));
        }
    });
}

#[test]
fn without_fault_all_is_seen_over_few_connections() {
    let fake = Fake::new(healthy);
    let docker = ask(&fake).unwrap();
    assert_eq!(docker.hidden, []);
    assert_eq!(docker.containers.len(), CONTAINERS);
    assert_eq!(docker.running().count(), 1);
    assert_eq!((docker.images.len(), docker.volumes.len()), (1, 1));
    assert!(docker.live_restore);
    let requests = fake.requests();
    // Each once; the daemon's version is asked for first and the others are in it.
    assert_eq!(requests.len(), 6 + CONTAINERS);
    assert_eq!(requests[0], "/version");
    assert!(requests[1..].iter().all(|path| path.starts_with("/v1.45/")));
    assert!(fake.connections() <= 16, "{}", fake.connections());
}

/// What comes before everything else decides whether the daemon was seen.
#[test]
fn a_daemon_that_does_not_say_who_it_is_was_not_seen() {
    for path in ["/version", "/info"] {
        each_fault(|fault, reply, cause, said| {
            let fake = but(path, move || reply.clone());
            let error = ask(&fake).unwrap_err();
            assert_eq!(error.cause(), cause, "{fault}: {error}");
            let error = error.to_string();
            let expected = format!("GET {path}: {said}");
            assert!(error.contains(&expected), "{fault}: {error}");
        });
    }
}

/// What comes later hides itself, and nothing else.
#[test]
fn what_was_not_answered_is_unknown_by_name_and_the_rest_is_seen() {
    for (path, name) in [
        ("/networks", "the networks"),
        ("/images/json", "the images"),
        ("/volumes", "the volumes"),
        ("/containers/json", "the containers"),
    ] {
        each_fault(|fault, reply, cause, said| {
            let fake = but(path, move || reply.clone());
            let docker = ask(&fake).unwrap_or_else(|error| panic!("{path}, {fault}: {error}"));
            let [hidden] = &docker.hidden[..] else {
                panic!("{path}, {fault}: {:?}", docker.hidden);
            };
            assert_eq!(hidden.part.to_string(), name);
            assert_eq!(hidden.why.cause, cause, "{fault}: {hidden}");
            assert!(hidden.why.unseen.contains(said), "{fault}: {hidden}");
            assert!(docker.live_restore);
            // Which containers there are is not known without the list.
            let is_listed = path != "/containers/json";
            assert_eq!(
                docker.containers.len(),
                if is_listed { CONTAINERS } else { 0 }
            );
            assert_eq!(docker.hidden_containers().count(), usize::from(!is_listed));
            assert_eq!(docker.effective("icc").is_none(), path == "/networks");
        });
    }
}

#[test]
fn one_container_of_forty_hides_itself_only() {
    each_fault(|fault, reply, cause, said| {
        let fake = Fake::new(move |path| {
            if path == format!("/containers/{}/json", id(7)) {
                reply.clone()
            } else {
                healthy(path)
            }
        });
        let docker = ask(&fake).unwrap();
        let [hidden] = &docker.hidden[..] else {
            panic!("{fault}: {:?}", docker.hidden);
        };
        assert_eq!(hidden.part.to_string(), "container c7");
        assert_eq!(hidden.why.cause, cause, "{fault}: {hidden}");
        assert!(hidden.why.unseen.contains(said), "{fault}: {hidden}");
        assert_eq!(docker.containers.len(), CONTAINERS - 1);
        assert!(docker.containers.iter().all(|it| it.name != "c7"));
        assert!(docker.may_run_containers());
    });
}

#[test]
fn a_container_that_is_gone_is_not_missed() {
    let fake = Fake::new(|path| {
        if path == format!("/containers/{}/json", id(7)) {
            Reply::Json(404, json!({ "message": "No such container" }))
        } else {
            healthy(path)
        }
    });
    let docker = ask(&fake).unwrap();
    assert_eq!(docker.hidden, []);
    assert_eq!(docker.containers.len(), CONTAINERS - 1);
}

/// The forms in which a body may come.
#[test]
fn every_form_of_a_good_answer_is_read() {
    let list = br#"[{"Id":"sha256:1"},{"Id":"sha256:2"}]"#;
    let (first, second) = list.split_at(9);
    let chunked = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        format!("{:x};note=1\r\n", first.len()).as_bytes(),
        first,
        format!("\r\n{:X}\r\n", second.len()).as_bytes(),
        second,
        b"\r\n0\r\nX-Trailer: 1\r\n\r\n",
    ]
    .concat();
    let open = [b"HTTP/1.1 200 OK\r\n\r\n", &list[..]].concat();
    let old = [b"HTTP/1.0 200 OK\r\n\r\n", &list[..]].concat();
    let closing = whole("Connection: close\r\n", list);
    let without_saying = whole("", list);
    for (form, reply) in [
        ("chunks", Reply::Bytes(chunked)),
        ("until it is closed", Reply::Last(open)),
        ("HTTP/1.0", Reply::Last(old)),
        ("closed and said so", Reply::Last(closing)),
        ("closed without saying so", Reply::Last(without_saying)),
    ] {
        let fake = but("/images/json", move || reply.clone());
        let docker = ask(&fake).unwrap();
        assert_eq!(docker.hidden, [], "{form}");
        assert_eq!(docker.images.len(), 2, "{form}");
    }
}

/// Every answer is the last one on its connection, whether the daemon says so or not: each is asked
/// for again on another one, and none is missed.
#[test]
fn connections_that_are_not_kept_cost_nothing_but_connections() {
    for head in ["Connection: close\r\n", ""] {
        let fake = Fake::new(move |path| match healthy(path) {
            Reply::Json(200, body) => Reply::Last(whole(head, body.to_string().as_bytes())),
            other => other,
        });
        let docker = ask(&fake).unwrap();
        assert_eq!(docker.hidden, [], "{head}");
        assert_eq!(docker.containers.len(), CONTAINERS);
        assert!(fake.connections() >= 6 + CONTAINERS);
    }
}

#[test]
fn every_container_that_hangs_is_named_when_the_time_for_all_is_over() {
    let fake = Fake::new(|path| {
        if path.starts_with("/containers/0") {
            Reply::Stall(Vec::new())
        } else {
            healthy(path)
        }
    });
    let patience = Patience {
        first_byte: Duration::from_secs(5),
        answer: Duration::from_secs(5),
        all: Duration::from_secs(8),
        ..short()
    };
    let docker = ask_with(&fake.socket(), patience).unwrap().facts();
    assert_eq!(docker.hidden.len(), CONTAINERS);
    assert!(
        docker
            .hidden
            .iter()
            .all(|it| it.why.cause == Cause::NoAnswer)
    );
    let late = |said: &str| {
        let is_so = |it: &&seaworthy::facts::Hidden| it.why.unseen.contains(said);
        docker.hidden.iter().filter(is_so).count()
    };
    // Sixteen at once, and nobody is asked after the end.
    assert_eq!(late("no answer within 5 s"), 16);
    assert_eq!(
        late("the time for all questions together, 8 s, is used up"),
        24
    );
    assert_eq!(fake.requests().len(), 6 + 32);
    assert!(docker.live_restore && docker.images.len() == 1);
}

#[test]
fn all_answers_together_are_bounded() {
    // Ten of forty fit.
    let fake = Fake::new(|path| match healthy(path) {
        Reply::Json(200, mut body) if path.starts_with("/containers/0") => {
            body["Config"] = json!({ "Image": "x".repeat(100_000) });
            Reply::Json(200, body)
        }
        other => other,
    });
    let patience = Patience {
        together: 1_050_000,
        ..short()
    };
    let docker = ask_with(&fake.socket(), patience).unwrap().facts();
    assert_eq!(docker.containers.len(), 10);
    assert_eq!(docker.hidden.len(), 30);
    for hidden in &docker.hidden {
        assert_eq!(hidden.why.cause, Cause::TooBig);
        assert!(
            hidden
                .why
                .unseen
                .contains("all answers together are larger than 1 MiB")
        );
    }
}

/// Small on the wire, and large once it is read.
#[test]
fn an_answer_of_very_many_values_is_not_read() {
    let fake = but("/images/json", || {
        let list = format!("[{}1]", "1,".repeat(2_000_000));
        Reply::Bytes(whole("", list.as_bytes()))
    });
    let patience = Patience {
        largest: 64 << 20,
        together: 128 << 20,
        answer: Duration::from_secs(20),
        ..short()
    };
    let docker = ask_with(&fake.socket(), patience).unwrap().facts();
    assert_eq!(docker.hidden.len(), 1);
    assert_eq!(docker.hidden[0].why.cause, Cause::TooBig);
}

#[test]
fn a_socket_whose_queue_is_full_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    // Nobody accepts. The kernel has as many wait as it likes (listen(2), `somaxconn`).
    let mut waiting = Vec::new();
    loop {
        use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let one = socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
        match connect(one.as_raw_fd(), &UnixAddr::new(&path).unwrap()) {
            Ok(()) => waiting.push(one),
            Err(nix::errno::Errno::EAGAIN) => break,
            Err(error) => panic!("{error}"),
        }
    }
    let error = ask_with(path.to_str().unwrap(), short()).unwrap_err();
    assert_eq!(error.cause(), Cause::NoAnswer);
    assert!(
        error.to_string().ends_with("no connection within 3 s"),
        "{error}"
    );
}

#[test]
fn who_is_not_there_is_told_from_who_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let socket = path.to_str().unwrap();
    let cause = || ask_with(socket, short()).unwrap_err().cause();
    assert_eq!(cause(), Cause::NotThere);
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(cause(), Cause::Refused);
    std::fs::remove_file(&path).unwrap();
    let _listener = UnixListener::bind(&path).unwrap();
    assert_eq!(cause(), Cause::NoAnswer);
}

/// A daemon is asked in a version that it knows.
#[test]
fn the_version_of_the_api_is_one_that_both_know() {
    for (newest, oldest, asked) in [
        (json!("1.41"), json!("1.12"), "/v1.41/info"),
        (json!("1.52"), json!("1.44"), "/v1.52/info"),
        (json!("1.99"), json!("1.44"), "/v1.53/info"),
        (json!("2.1"), json!("1.60"), "/v1.60/info"),
        (json!("../x"), json!(null), "/info"),
        (json!(null), json!(null), "/info"),
    ] {
        let version = json!({ "Version": "1", "ApiVersion": newest, "MinAPIVersion": oldest });
        let fake = but("/version", move || Reply::Json(200, version.clone()));
        ask(&fake).unwrap();
        assert!(
            fake.requests().contains(&asked.to_owned()),
            "{asked}: {:?}",
            fake.requests()
        );
    }
}

/// No field that is missing is `false`.
#[test]
fn a_setting_that_is_missing_is_unknown() {
    for (field, key) in [
        ("LiveRestoreEnabled", "live-restore"),
        ("LoggingDriver", "log-driver"),
        ("Driver", "storage-driver"),
        ("SecurityOptions", "userns-remap"),
        ("SecurityOptions", "no-new-privileges"),
        ("RegistryConfig", "insecure-registries"),
        ("Plugins", "authorization-plugins"),
        ("Debug", "debug"),
        ("ExperimentalBuild", "experimental"),
    ] {
        let fake = but("/info", move || match healthy("/info") {
            Reply::Json(200, mut body) => {
                body.as_object_mut().unwrap().remove(field);
                Reply::Json(200, body)
            }
            other => other,
        });
        let docker = ask(&fake).unwrap();
        assert_eq!(docker.effective(key), None, "{key}");
        let hidden = docker.hides(key).unwrap();
        assert_eq!(hidden.part.to_string(), format!("/info {field}"));
        assert_eq!(hidden.why.cause, Cause::BadAnswer);
    }
}

/// A container without an id that can be asked for, or with an answer about something else.
#[test]
fn a_container_that_cannot_be_asked_for_is_unknown_too() {
    let fake = but("/containers/json", || {
        Reply::Json(
            200,
            json!([{ "Id": id(0), "Names": ["/c0"] }, { "Id": "../info", "Names": ["/odd"] }, {}, 1]),
        )
    });
    let docker = ask(&fake).unwrap();
    assert_eq!(docker.containers.len(), 1);
    let names: Vec<String> = docker.hidden.iter().map(|it| it.part.to_string()).collect();
    assert_eq!(
        names,
        [
            "container odd",
            "container without an id",
            "container without an id"
        ]
    );
    assert!(fake.requests().iter().all(|path| !path.contains("..")));
    for body in [
        json!({}),
        json!([]),
        json!({ "State": { "Running": "yes" }, "HostConfig": {} }),
        json!({ "State": { "Running": true } }),
    ] {
        let fake = Fake::new(move |path| {
            if path == format!("/containers/{}/json", id(0)) {
                Reply::Json(200, body.clone())
            } else {
                healthy(path)
            }
        });
        let docker = ask(&fake).unwrap();
        assert_eq!(docker.hidden.len(), 1);
        assert_eq!(docker.hidden[0].part.to_string(), "container c0");
    }
}
