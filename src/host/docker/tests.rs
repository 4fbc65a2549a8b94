use super::*;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// A daemon that answers from a table, on a thread that ends with the test process.
fn daemon(answers: &'static [(&'static str, u16, &'static str)]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(stream.unwrap(), answers));
        }
    });
    let socket = path.display().to_string();
    (folder, socket)
}

fn answer(mut stream: UnixStream, answers: &[(&str, u16, &str)]) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    for line in lines {
        if line.unwrap().is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap();
    // Without the version: /v1.45/info.
    let path = match path.strip_prefix("/v1.") {
        Some(rest) => &rest[rest.find('/').unwrap()..],
        None => path,
    };
    let path = path.split('?').next().unwrap();
    let (_, status, body) = answers
        .iter()
        .find(|(known, _, _)| *known == path)
        .copied()
        .unwrap_or(("", 404, r#"{"message":"page not found"}"#));
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
}

const QUICK: Duration = Duration::from_secs(5);

fn asked(socket: &str, scope: Scope) -> Result<DockerAnswers, HostError> {
    let patience = Patience::at_most(QUICK, QUICK);
    ask(socket, scope, patience, Instant::now() + QUICK)
}

fn pinged(socket: &str, within: Duration) -> Result<(), HostError> {
    let patience = Patience::at_most(within, QUICK);
    ping(socket, patience, Instant::now() + QUICK)
}

fn measured(socket: &str, within: Duration) -> Result<Usage, HostError> {
    let patience = Patience::at_most(within, QUICK);
    usage(socket, patience, Instant::now() + QUICK)
}

const ANSWERS: &[(&str, u16, &str)] = &[
    ("/_ping", 200, "OK"),
    (
        "/version",
        200,
        r#"{"Version":"99.0.0","ApiVersion":"1.45"}"#,
    ),
    // No such CgroupDriver is known to bollard.
    (
        "/info",
        200,
        r#"{"LiveRestoreEnabled":true,"CgroupDriver":"hull"}"#,
    ),
    (
        "/networks",
        200,
        r#"[{"Name":"bridge","Id":"b","Options":{"com.docker.network.bridge.enable_icc":"false"}}]"#,
    ),
    // Nor a state `sunk`; dead01 is gone when it is asked for.
    (
        "/containers/json",
        200,
        r#"[{"Id":"c0ffee","Names":["/web"],"State":"sunk"},{"Id":"dead01","State":"running"},{"Id":"../info"}]"#,
    ),
    (
        "/containers/c0ffee/json",
        200,
        r#"{"Id":"c0ffee","Name":"/web","State":{"Status":"sunk","Running":true,"Pid":7},"HostConfig":{"RestartPolicy":{"Name":"tidal"}}}"#,
    ),
    (
        "/images/json",
        200,
        r#"[{"Id":"sha256:1","RepoTags":["a:b"],"Size":5}]"#,
    ),
    (
        "/volumes",
        200,
        r#"{"Volumes":[{"Name":"v"}],"Warnings":null}"#,
    ),
];

#[test]
fn one_unknown_value_costs_nothing() {
    let (_folder, socket) = daemon(ANSWERS);
    pinged(&socket, QUICK).unwrap();
    let docker = asked(&socket, Scope::Everything).unwrap().facts();
    assert_eq!(docker.version, "99.0.0");
    assert!(docker.live_restore);
    assert_eq!(docker.bridge_options.len(), 1);
    assert_eq!(docker.volumes, ["v"]);
    assert_eq!(docker.images.len(), 1);
    assert_eq!(docker.containers.len(), 1);
    assert_eq!(docker.containers[0].name, "web");
    assert!(docker.containers[0].running);
    assert_eq!(docker.containers[0].restart_policy, "tidal");
}

#[test]
fn health_does_not_wait_for_images_and_volumes() {
    let (_folder, socket) = daemon(&[
        (
            "/version",
            200,
            r#"{"Version":"99.0.0","ApiVersion":"1.45"}"#,
        ),
        ("/info", 200, r#"{"LiveRestoreEnabled":true}"#),
        ("/networks", 200, "[]"),
        ("/containers/json", 200, "[]"),
        ("/images/json", 500, r#"{"message":"busy"}"#),
        ("/volumes", 500, r#"{"message":"busy"}"#),
    ]);
    let lists = |docker: crate::facts::Docker| -> Vec<String> {
        let parts = docker.hidden.into_iter().map(|hidden| hidden.part);
        parts
            .filter(|part| !matches!(part, Part::Info(_)))
            .map(|part| part.to_string())
            .collect()
    };
    let docker = asked(&socket, Scope::Health).unwrap().facts();
    assert!(docker.live_restore);
    assert_eq!(lists(docker), [""; 0]);
    let docker = asked(&socket, Scope::Everything).unwrap().facts();
    assert_eq!(lists(docker), ["the images", "the volumes"]);
}

#[test]
fn a_daemon_in_trouble_is_quoted() {
    let (_folder, socket) = daemon(&[
        (
            "/version",
            200,
            r#"{"Version":"99.0.0","ApiVersion":"1.45"}"#,
        ),
        ("/_ping", 503, r#"{"message":"starting"}"#),
    ]);
    let error = pinged(&socket, QUICK).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Docker at {socket}: status 503 starting")
    );
    let error = asked(&socket, Scope::Everything).unwrap_err().to_string();
    assert!(
        error.contains("GET /info: ") && error.contains("page not found"),
        "{error}"
    );
}

#[test]
fn nobody_there() {
    let error = asked("/no/such.sock", Scope::Everything).unwrap_err();
    assert_eq!(error.cause(), Cause::NotThere);
    assert!(
        error
            .to_string()
            .starts_with("Docker at /no/such.sock: cannot connect: "),
        "{error}"
    );
}

#[test]
fn what_everything_takes_on_the_disk() {
    let (_folder, socket) = daemon(&[("/system/df", 200, r#"{"LayersSize":12,"Volumes":null}"#)]);
    let usage = measured(&socket, QUICK).unwrap();
    assert_eq!((usage.images, usage.volumes), (12, 0));
}

#[test]
fn sizes_that_cannot_be_had() {
    type Answers = &'static [(&'static str, u16, &'static str)];
    const BUSY: Answers = &[(
        "/system/df",
        500,
        r#"{"message":"a disk usage operation is already running"}"#,
    )];
    for (answers, reason) in [
        (
            BUSY,
            "GET /system/df: status 500 a disk usage operation is already running",
        ),
        (
            &[("/system/df", 200, r#"{"Images":[]}"#)],
            "GET /system/df: there are no sizes in the answer",
        ),
        (
            &[("/system/df", 200, "ahoy")],
            "GET /system/df: the answer is not JSON",
        ),
    ] {
        let (_folder, socket) = daemon(answers);
        let error = measured(&socket, QUICK).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    // A daemon that takes the question and never answers.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let socket = path.display().to_string();
    let short = Duration::from_millis(200);
    for error in [
        measured(&socket, short).unwrap_err(),
        pinged(&socket, short).unwrap_err(),
    ] {
        assert_eq!(error.cause(), Cause::NoAnswer);
        assert!(
            error.to_string().contains("no answer within 0.2 s"),
            "{error}"
        );
    }
}
