//! What a run did not see because somebody hung stands in its report, by name.

use super::fake::{Fake, Reply, healthy};
use super::{CONTAINERS, id};
use assert_cmd::Command;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What a run must end within that waits for a few deadlines: far more than it takes.
const PATIENCE: Duration = Duration::from_secs(120);

const UNIT: &str =
    "[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --icc=false\n[Install]\nWantedBy=x.target\n";

fn report(docker_host: Option<&str>) -> (Value, String) {
    let mut command = Command::cargo_bin("seaworthy").unwrap();
    command
        .args(["audit", "--format", "json", "--deadline", "12"])
        .env_remove("DOCKER_HOST")
        .timeout(PATIENCE);
    if let Some(host) = docker_host {
        command.env("DOCKER_HOST", host);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}: {said}");
    (serde_json::from_slice(&output.stdout).unwrap(), said)
}

fn unseen<'r>(report: &'r Value, what: &str) -> &'r Value {
    let all = report["unseen"].as_array().unwrap();
    let found = all.iter().find(|one| one["what"] == what);
    found.unwrap_or_else(|| panic!("{what}: {all:?}"))
}

/// In a mount namespace of a thread's own, with a systemctl that says nothing and never ends.
fn with_hung_manager(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            let apart = unshare(CloneFlags::CLONE_NEWNS)
                .and_then(|()| mount(None::<&str>, "/", None::<&str>, private, None::<&str>));
            if let Err(error) = apart {
                eprintln!("NOT RUN: no mount namespace here: {error}");
                return;
            }
            for folder in ["/run", "/usr/local/sbin"] {
                let mode = Some("mode=755");
                mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), mode).unwrap();
            }
            fs::create_dir_all("/run/systemd/system").unwrap();
            fs::write("/run/systemd/system/docker.service", UNIT).unwrap();
            let stub = Path::new("/usr/local/sbin/systemctl");
            fs::write(
                stub,
                "#!/bin/sh\necho \"$@\" >>/run/called\nexec sleep 600\n",
            )
            .unwrap();
            fs::set_permissions(stub, fs::Permissions::from_mode(0o755)).unwrap();
            test();
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn a_manager_that_hangs_is_named_and_what_it_would_have_said_is_unknown() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    with_hung_manager(|| {
        let (report, said) = report(None);
        let service = unseen(&report, "docker.service");
        assert_eq!(service["cause"], "no-answer");
        assert_eq!(service["hint"], "systemctl status docker.service");
        let docker = unseen(&report, "Docker");
        let why = docker["why"].as_str().unwrap();
        assert!(why.contains("systemctl") && why.contains("within"), "{why}");
        assert_eq!(docker["cause"], "not-asked");
        // By its command line alone nothing passes that a daemon may do otherwise.
        let findings = report["findings"].as_array().unwrap();
        let icc = findings.iter().find(|it| it["control"] == "daemon-icc");
        let icc = icc.unwrap();
        assert_eq!(icc["outcome"], "unknown", "{icc}");
        // It was asked, and not again and again.
        let called = fs::read_to_string("/run/called").unwrap();
        assert!((1..=4).contains(&called.lines().count()), "{called}{said}");
    });
}

#[test]
fn a_container_that_hangs_stands_in_the_report() {
    let path = format!("/containers/{}/json", id(3));
    let fake = Fake::new(move |asked| {
        if asked.ends_with(&path) {
            Reply::Stall(Vec::new())
        } else {
            healthy(asked)
        }
    });
    let (report, said) = report(Some(&format!("unix://{}", fake.socket())));
    let all = report["unseen"].as_array().unwrap();
    let containers: Vec<&Value> = all
        .iter()
        .filter(|one| one["what"].as_str().unwrap().starts_with("container "))
        .collect();
    assert_eq!(containers.len(), 1, "{all:?} of {CONTAINERS}");
    assert_eq!(containers[0]["cause"], "no-answer");
    // People read the same.
    let name = containers[0]["what"].as_str().unwrap();
    assert!(
        said.contains(&format!("could not be seen: {name}")),
        "{said}"
    );
}
