//! What a real daemon says of itself, as facts.

use super::daemon::Daemon;
use super::wanted;
use seaworthy::collect::collect;
use seaworthy::facts::{Container, Docker, MountKind, Requests, Seen, Setuid, Swarm, Usage};
use seaworthy::host::{LinuxHost, ReadHost as _};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn facts(daemon: &Daemon) -> Docker {
    let host = LinuxHost::live().unwrap();
    host.docker(&daemon.socket()).unwrap().facts()
}

fn container<'a>(docker: &'a Docker, name: &str) -> &'a Container {
    docker
        .containers
        .iter()
        .find(|container| container.name == name)
        .unwrap_or_else(|| panic!("no container {name} in {:?}", docker.containers))
}

#[test]
fn a_real_daemon_is_understood() {
    if !wanted() {
        return;
    }
    let daemon = Daemon::start();
    let empty = facts(&daemon);
    assert_eq!(
        empty.version,
        daemon.docker(&["version", "--format", "{{.Server.Version}}"])
    );
    assert_eq!(empty.logging_driver, "json-file");
    assert_eq!(empty.swarm, Swarm::Inactive);
    assert!(empty.root_dir.ends_with("/data"), "{}", empty.root_dir);
    assert!(!empty.storage_driver.is_empty());
    assert!(!empty.live_restore && !empty.debug);
    assert!(
        empty.has_security_option("seccomp"),
        "{:?}",
        empty.security_options
    );
    assert_eq!(empty.insecure_registries, [""; 0]);
    assert_eq!(empty.authorization_plugins, [""; 0]);
    // It was started without the default bridge.
    assert!(empty.bridge_options.is_empty());
    assert!(empty.containers.is_empty() && empty.images.is_empty() && empty.volumes.is_empty());

    daemon.import_busybox();
    daemon.docker(&["volume", "create", "store"]);
    let run = ["run", "--detach", "--network", "none"];
    let sleep = ["busybox", "/bin/busybox", "sleep", "1000"];
    let start = |flags: &[&str]| daemon.docker(&[&run[..], flags, &sleep].concat());
    let id = start(&["--name", "web", "--restart", "always"]);
    start(&["--name", "fleeting", "--rm"]);
    start(&["--name", "retries", "--restart", "on-failure:3"]);
    daemon.docker(
        &[
            &[
                "create",
                "--name",
                "stopped",
                "--network",
                "host",
                "--restart",
                "unless-stopped",
            ][..],
            &sleep,
        ]
        .concat(),
    );
    let docker = facts(&daemon);
    assert_eq!(docker.containers.len(), 4);
    let web = container(&docker, "web");
    assert_eq!(
        (web.id.as_str(), web.image.as_str()),
        (id.as_str(), "busybox")
    );
    assert_eq!(web.restart_policy, "always");
    assert_eq!(web.network_mode, "none");
    assert!(web.running && !web.auto_remove);
    let pid = daemon.docker(&["inspect", "--format", "{{.State.Pid}}", "web"]);
    assert_eq!(web.pid.to_string(), pid);
    assert_eq!(
        web.started_at,
        daemon.docker(&["inspect", "--format", "{{.State.StartedAt}}", "web"])
    );
    let fleeting = container(&docker, "fleeting");
    assert!(fleeting.running && fleeting.auto_remove);
    assert_eq!(fleeting.restart_policy, "no");
    assert_eq!(container(&docker, "retries").restart_policy, "on-failure");
    let stopped = container(&docker, "stopped");
    assert!(!stopped.running);
    assert_eq!((stopped.pid, stopped.network_mode.as_str()), (0, "host"));
    assert_eq!(stopped.restart_policy, "unless-stopped");
    assert_eq!(docker.running().count(), 3);
    assert_eq!(docker.images.len(), 1);
    assert_eq!(docker.images[0].tags, ["busybox:latest"]);
    assert!(docker.images[0].size > 500_000);
    assert_eq!(docker.volumes, ["store"]);

    // The whole of `collect` finds the same behind DOCKER_HOST.
    let host = LinuxHost::live().unwrap();
    let named = format!("unix://{}", daemon.socket());
    let collected = collect(&host, Some(&named), &|_| Requests::new(), &mut |_| {});
    assert_eq!(collected.docker.known(), Some(&docker));
    assert_eq!(collected.docker_version.known(), Some(&docker.version));

    // A signal that ends nothing is noted as a stop, and the policy asks for that note.
    for name in ["signalled", "quiet"] {
        start(&["--name", name, "--restart", "unless-stopped"]);
    }
    daemon.docker(&["kill", "--signal", "HUP", "signalled"]);
    let seen = || {
        let collected = collect(&host, Some(&named), &|_| Requests::new(), &mut |_| {});
        let docker = collected.docker.known().unwrap().clone();
        ["signalled", "quiet"].map(|name| {
            let container = container(&docker, name);
            (container.running, container.comes_back())
        })
    };
    assert_eq!(seen(), [(true, false), (true, true)]);
    daemon.docker(&["restart", "--time", "0", "signalled"]);
    assert_eq!(seen(), [(true, true), (true, true)]);

    daemon.docker(&["pause", "web"]);
    assert!(
        container(&facts(&daemon), "web").running,
        "paused is not stopped"
    );
    daemon.docker(&["unpause", "web"]);
}

/// What decides whom a change concerns, as a real daemon writes it.
#[test]
fn what_containers_were_created_with() {
    if !wanted() {
        return;
    }
    let daemon = Daemon::start();
    daemon.import_busybox();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().display().to_string();
    let create = |name: &str, flags: &[&str]| {
        let first = ["create", "--name", name];
        let last = ["busybox", "/bin/busybox", "sleep", "1000"];
        daemon.docker(&[&first[..], flags, &last].concat());
    };
    create("plain", &["--network", "none"]);
    create(
        "mighty",
        &[
            "--network=host",
            "--pid=host",
            "--ipc=host",
            "--privileged",
            "--device=/dev/null",
            "--log-driver=none",
        ],
    );
    create(
        "fenced",
        &[
            "--network=none",
            "--user=65534:65534",
            "--read-only",
            "--security-opt=no-new-privileges",
            "--ulimit=nofile=100:200",
            "--label=com.docker.compose.project=shop",
            "--label=com.docker.swarm.task.id=x",
            "--userns=host",
        ],
    );
    create(
        "open",
        &["--network=none", "--security-opt=no-new-privileges=false"],
    );
    create(
        "stores",
        &[
            "--network=none",
            &format!("--volume={source}:/data:ro"),
            "--volume=store:/store",
            "--tmpfs=/tmp",
        ],
    );
    create(
        "web",
        &[
            "--publish=127.0.0.1:8080:80",
            "--publish=53/udp",
            "--expose=9000",
        ],
    );
    create("linked", &["--link=web:www"]);

    let docker = facts(&daemon);
    let image = docker.images[0].id.clone();
    let of = |name: &str| container(&docker, name);
    let plain = of("plain");
    assert_eq!(plain.image_id, image);
    assert_eq!(plain.log_driver, "json-file");
    assert_eq!(plain.no_new_privileges, None);
    assert!(!plain.privileged && !plain.read_only && !plain.swarm_task);
    assert_eq!(
        [&plain.userns_mode, &plain.pid_mode, &plain.user],
        ["", "", ""]
    );
    assert!(plain.mounts.is_empty() && plain.ports.is_empty() && plain.links.is_empty());

    let mighty = of("mighty");
    assert!(mighty.privileged);
    assert_eq!(
        [&mighty.pid_mode, &mighty.ipc_mode, &mighty.log_driver],
        ["host", "host", "none"]
    );
    assert_eq!(mighty.devices, ["/dev/null"]);

    let fenced = of("fenced");
    assert_eq!(fenced.no_new_privileges, Some(true));
    assert_eq!(of("open").no_new_privileges, Some(false));
    assert!(fenced.read_only && fenced.swarm_task);
    assert_eq!(
        [&fenced.user, &fenced.compose_project, &fenced.userns_mode],
        ["65534:65534", "shop", "host"]
    );
    assert_eq!(fenced.ulimits, ["nofile"]);

    let mounts = &of("stores").mounts;
    let mount = |destination: &str| {
        let found = mounts.iter().find(|it| it.destination == destination);
        found.unwrap_or_else(|| panic!("no {destination} in {mounts:?}"))
    };
    assert_eq!(
        (mount("/data").kind, mount("/data").writable),
        (MountKind::Bind, false)
    );
    assert_eq!(mount("/data").source, source);
    assert_eq!(
        (mount("/store").kind, mount("/store").writable),
        (MountKind::Volume, true)
    );
    assert_eq!(mount("/store").source, "store");

    let web = of("web");
    let ports: Vec<(String, &str)> = web
        .ports
        .iter()
        .map(|port| (port.to_string(), port.container.as_str()))
        .collect();
    assert_eq!(ports[1], ("127.0.0.1:8080/tcp".to_owned(), "80/tcp"));
    assert_eq!(ports[0].1, "53/udp");
    assert_eq!(web.exposed, ["53/udp", "80/tcp", "9000/tcp"]);
    assert!(web.is_on_default_bridge() && !plain.is_on_default_bridge());
    assert_eq!(of("linked").links, ["web"]);
}

#[test]
fn what_everything_takes_is_measured() {
    if !wanted() {
        return;
    }
    let daemon = Daemon::start();
    let host = LinuxHost::live().unwrap();
    assert_eq!(
        host.docker_usage(&daemon.socket()).unwrap(),
        Usage::default()
    );
    daemon.import_busybox();
    let run = ["run", "--network=none", "--volume=store:/store", "busybox"];
    let write = "/bin/busybox dd if=/dev/zero of=/store/a bs=1024 count=2048 && /bin/busybox dd if=/dev/zero of=/b bs=1024 count=1024";
    daemon.docker(&[&run[..], &["/bin/busybox", "sh", "-c", write]].concat());
    let usage = host.docker_usage(&daemon.socket()).unwrap();
    assert!(usage.images > 500_000, "{usage:?}");
    assert!(usage.volumes >= 2 << 20, "{usage:?}");
    assert!(usage.containers >= 1 << 20, "{usage:?}");
    // By the whole way that a plan takes.
    let named = format!("unix://{}", daemon.socket());
    let seen = collect(&host, Some(&named), &|_| Requests::new(), &mut |_| {});
    assert_eq!(
        seaworthy::collect::usage(&host, Some(&named), &seen),
        Seen::Known(usage)
    );
}

/// In the layers that a real daemon makes, with a real whiteout.
#[test]
fn programs_that_gain_rights_are_found() {
    if !wanted() {
        return;
    }
    let daemon = Daemon::start();
    let tree = tempfile::tempdir().unwrap();
    let at = |path: &str| tree.path().join(path);
    fs::create_dir_all(at("bin")).unwrap();
    fs::copy("/bin/busybox", at("bin/busybox")).unwrap();
    for (name, mode) in [("stays", 0o4755), ("goes", 0o4755), ("plain", 0o755)] {
        fs::write(at("bin").join(name), "#!/bin/busybox sh\nstays\n").unwrap();
        fs::set_permissions(at("bin").join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    daemon.import(tree.path().to_str().unwrap(), ".", "draft");
    let remove = ["run", "--name=draft", "--network=none", "draft"];
    daemon.docker(&[&remove[..], &["/bin/busybox", "rm", "/bin/goes"]].concat());
    daemon.docker(&["commit", "draft", "image"]);
    let create = ["create", "--network=none"];
    for (name, command) in [("names", "plain"), ("idle", "true")] {
        let more = ["--user=app", "--name", name, "image", command];
        daemon.docker(&[&create[..], &more].concat());
    }
    daemon.docker(&[&create[..], &["--name=of-root", "image", "stays"]].concat());

    let mut docker = facts(&daemon);
    let before = docker.clone();
    seaworthy::collect::setuid(&LinuxHost::live().unwrap(), &mut docker);
    assert_eq!(container(&docker, "of-root"), container(&before, "of-root"));
    let of = |name: &str| container(&docker, name).setuid.clone();
    if docker.storage_driver != "overlay2" {
        eprintln!(
            "NOT RUN: the storage driver here is {}",
            docker.storage_driver
        );
        assert!(of("idle").known().is_none());
        return;
    }
    let programs = vec!["/bin/stays".to_owned()];
    let named = [("stays".to_owned(), "plain".to_owned())].into();
    assert_eq!(
        of("idle"),
        Seen::Known(Setuid {
            programs: programs.clone(),
            ..Setuid::default()
        })
    );
    assert_eq!(of("names"), Seen::Known(Setuid { programs, named }));
}

#[test]
fn live_restore_is_seen_after_a_reload() {
    if !wanted() {
        return;
    }
    let daemon = Daemon::start();
    assert!(!facts(&daemon).live_restore);
    daemon.reload("{\"live-restore\": true, \"debug\": true}");
    daemon.wait_until("live-restore on", || facts(&daemon).live_restore);
    assert!(facts(&daemon).debug);
    // Taking the key out changes nothing; an explicit false does.
    daemon.reload("{\"debug\": false}");
    daemon.wait_until("debug off", || !facts(&daemon).debug);
    assert!(facts(&daemon).live_restore);
    daemon.reload("{\"live-restore\": false}");
    daemon.wait_until("live-restore off", || !facts(&daemon).live_restore);
}
