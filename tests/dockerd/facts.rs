//! What a real daemon says of itself, as facts.

use super::daemon::Daemon;
use super::wanted;
use seaworthy::collect::collect;
use seaworthy::facts::{Container, Docker, Requests, Swarm};
use seaworthy::host::{LinuxHost, ReadHost as _};

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

    daemon.docker(&["pause", "web"]);
    assert!(
        container(&facts(&daemon), "web").running,
        "paused is not stopped"
    );
    daemon.docker(&["unpause", "web"]);
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
