//! A host whose services OpenRC runs.

use super::*;

const OPENRC_DOCKER: &str =
    "#!/sbin/openrc-run\n\ncommand=\"${DOCKERD_BINARY:-/usr/bin/dockerd}\"\n";

fn folder(names: &[&str]) -> Node {
    Node {
        kind: crate::facts::Kind::Folder,
        entries: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..Node::default()
    }
}

/// Alpine: no systemctl, services of OpenRC.
fn openrc() -> Model {
    let mut host = Model {
        root: true,
        docker: model().docker,
        ..Model::default()
    }
    .file(
        "/etc/init.d/docker",
        &format!("{OPENRC_DOCKER}command_args=\"${{DOCKER_OPTS}}\"\n"),
    )
    .file(
        "/etc/conf.d/docker",
        "DOCKER_OPTS=\"--icc=false --label 'a b'\"\n",
    )
    .file("/etc/init.d/auditd", "#!/sbin/openrc-run\n")
    // One of System V is none of OpenRC.
    .file("/etc/init.d/containerd", "#!/bin/sh\n")
    .file("/etc/runlevels/default/docker", "")
    .file("/run/docker.sock", "")
    .prints("rc-service docker", " * status: started\n")
    .prints("auditctl -l", "No rules\n")
    .prints("auditctl -s", "enabled 1\n");
    let levels = folder(&["boot", "default"]);
    host.files.insert("/etc/runlevels".to_owned(), levels);
    host
}

#[test]
fn services_of_openrc() {
    let mut host = openrc();
    let stopped = Output {
        status: Some(3),
        ..Output::default()
    };
    host.outputs.insert("rc-service auditd".to_owned(), stopped);
    let facts = collected(&host);
    let names: Vec<&str> = facts.units.keys().map(String::as_str).collect();
    assert_eq!(names, ["auditd.service", "docker.service"]);
    let docker = &facts.units["docker.service"];
    assert_eq!(docker.fragment, "/etc/init.d/docker");
    assert_eq!(
        *docker.argv,
        ["/usr/bin/dockerd", "--icc=false", "--label", "a b"]
    );
    assert_eq!(docker.environment_files, ["/etc/conf.d/docker"]);
    assert_eq!(
        (docker.active.as_str(), docker.enabled.as_str()),
        ("active", "enabled")
    );
    let auditd = &facts.units["auditd.service"];
    assert_eq!(
        (auditd.active.as_str(), auditd.enabled.as_str()),
        ("inactive", "disabled")
    );
    assert_eq!(facts.auditing.loader, RuleLoader::RulesFile);
    assert!(facts.docker.known().is_some());

    // moby's own script names the file of the process id, which daemon.json must not repeat.
    let moby =
        format!("{OPENRC_DOCKER}command_args=\"-p \\\"${{pidfile}}\\\" ${{DOCKER_OPTS}}\"\n");
    let facts = collected(&openrc().file("/etc/init.d/docker", &moby));
    assert_eq!(
        facts.units["docker.service"].argv[..3],
        ["/usr/bin/dockerd", "-p", "/run/docker.pid"]
    );

    // Where systemd booted the host, its scripts count for nothing.
    let facts = collected(&openrc().file("/run/systemd/system", ""));
    assert!(facts.units.is_empty(), "{:?}", facts.units);
}
