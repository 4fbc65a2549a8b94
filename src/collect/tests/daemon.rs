//! The daemon's process, and what the manager says of what feeds it.

use super::*;

const SOCKETS: &str = "Num RefCount Protocol Flags Type St Inode Path\n\
    0: 00000002 00000000 00010000 0001 01 41 /run/docker.sock\n\
    0: 00000003 00000000 00000000 0001 03 42 /run/docker.sock\n";

#[test]
fn the_daemon_is_the_main_process_that_listens() {
    let words = ["/usr/sbin/dockerd", "-H", "fd://", "--label", "a b"];
    let sockets = |host: Model| host.file("/proc/net/unix", SOCKETS);
    let held = |pid| sockets(model().process(pid, &words, 41));
    let without_systemd = |host: Model| {
        host.prints("systemctl show", "")
            .file("/run/docker.pid", "900\n")
    };
    let nobody = "process 812 does not listen on the API socket";
    let down = SHOW
        .replacen("ActiveState=active", "ActiveState=inactive", 1)
        .replacen("MainPID=812", "MainPID=0", 1);
    for (host, expected) in [
        (held(812), Ok(812)),
        // Another process is called dockerd, and listens there, too (a test, or systemd itself).
        (held(1), Err(nobody)),
        // What it holds is a connection, not the socket that listens.
        (sockets(model().process(812, &words, 42)), Err(nobody)),
        (
            held(812).prints("systemctl show", &down),
            Err("docker.service is not running"),
        ),
        (without_systemd(held(900)), Ok(900)),
        (
            without_systemd(held(812)),
            Err("process 900 does not listen on the API socket"),
        ),
        (
            held(812).prints("systemctl show", ""),
            Err("no process called dockerd, nor that of /run/docker.pid, serves it"),
        ),
    ] {
        let seen = collected(&host).daemon_process;
        match expected {
            Ok(pid) => {
                let process = seen.known().unwrap();
                assert_eq!(
                    (process.pid, &process.argv[..]),
                    (pid, &words.map(str::to_owned)[..])
                );
            }
            Err(reason) => match seen {
                Seen::Unseen(unseen) => assert_eq!(unseen.unseen, reason),
                Seen::Known(process) => panic!("{process:?}"),
            },
        }
    }
    // When it started, by the kernel's word.
    let stat = format!(
        "812 (dockerd) S {}",
        (4..=30)
            .map(|field| field.to_string() + " ")
            .collect::<String>()
    );
    let facts = collected(&held(812).file("/proc/812/stat", &stat));
    assert_eq!(facts.daemon_process.known().unwrap().started, 23 * 10_000);
    // One that somebody has started under its own name, while the unit is down.
    let by_hand = held(77)
        .prints("systemctl show", &down)
        .file("/proc/77/comm", "dockerd\n");
    let facts = collected(&by_hand);
    assert_eq!(facts.daemon_process.known().unwrap().pid, 77);
    // The user named another daemon: this one does not listen there.
    let facts = collect(
        &held(812),
        Some("unix:///home/me/docker.sock"),
        &|_| Requests::new(),
        &mut |_| {},
    );
    assert!(facts.daemon_process.known().is_none());
    assert_eq!(facts.other_socket.as_deref(), Some("/home/me/docker.sock"));
    let same = "unix:///var/run/docker.sock";
    let facts = collect(&held(812), Some(same), &|_| Requests::new(), &mut |_| {});
    assert_eq!(facts.other_socket, None);
}

/// The manager names sockets that its files do not, and has an environment of its own.
#[test]
fn what_the_manager_says_of_sockets_and_variables() {
    let shown = SHOW.replacen(
        "ActiveState=active",
        "TriggeredBy=docker.socket tcp.socket\nActiveState=active",
        1,
    );
    let host = model()
        .prints("systemctl show", &shown)
        .prints(
            "systemctl show-environment",
            "LANG=C\nDOCKER_OPTS=--icc=false\n",
        )
        .file(
            "/run/systemd/generator/tcp.socket",
            "[Socket]\nListenStream=2375\n",
        );
    let facts = collected(&host);
    assert!(facts.units.contains_key("tcp.socket"));
    let names: Vec<&str> = facts.inherited.keys().map(String::as_str).collect();
    assert_eq!(names, ["DOCKER_OPTS"]);
}
