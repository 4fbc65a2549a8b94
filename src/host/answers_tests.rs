use super::*;
use serde_json::json;

/// Trimmed answers of 20.10.24 (Debian 12).
fn old() -> DockerAnswers {
    DockerAnswers {
        version: json!({ "Version": "20.10.24+dfsg1", "ApiVersion": "1.41" }),
        info: json!({
            "ID": "ABCD:EFGH", "Containers": 2, "Driver": "overlay2", "Debug": false,
            "DockerRootDir": "/var/lib/docker", "ExperimentalBuild": false,
            "LiveRestoreEnabled": false, "LoggingDriver": "json-file",
            "SecurityOptions": ["name=apparmor", "name=seccomp,profile=default"],
            "Plugins": { "Volume": ["local"], "Network": ["bridge"], "Authorization": null, "Log": [] },
            "RegistryConfig": {
                "AllowNondistributableArtifactsCIDRs": [],
                "InsecureRegistryCIDRs": ["10.0.0.0/8", "127.0.0.0/8"],
                "IndexConfigs": {
                    "docker.io": { "Name": "docker.io", "Mirrors": [], "Secure": true, "Official": true },
                    "reg.lan:5000": { "Name": "reg.lan:5000", "Secure": false, "Official": false }
                }
            },
            "Swarm": { "NodeID": "", "LocalNodeState": "inactive", "RemoteManagers": null }
        }),
        networks: json!([
            { "Name": "host", "Id": "h1", "Driver": "host", "Options": {} },
            { "Name": "bridge", "Id": "b1", "Driver": "bridge", "Options": {
                "com.docker.network.bridge.default_bridge": "true",
                "com.docker.network.bridge.enable_icc": "true" } },
            { "Name": "app_default", "Id": "a1", "Driver": "bridge", "Options": null }
        ]),
        containers: vec![
            json!({
                "Id": "c0ffee", "Name": "/web", "Image": "sha256:1",
                "State": { "Status": "running", "Running": true, "Pid": 812,
                           "StartedAt": "2026-11-20T10:00:00.1Z" },
                "Config": { "Image": "busybox:latest" },
                "HostConfig": { "NetworkMode": "default", "AutoRemove": false,
                                "RestartPolicy": { "Name": "unless-stopped", "MaximumRetryCount": 0 } }
            }),
            json!({
                "Id": "5eed", "Name": "/web.1.x", "State": { "Running": true },
                "Config": { "Labels": { "com.docker.swarm.task.id": "x" } }
            }),
        ],
        images: json!([
            { "Id": "sha256:1", "RepoTags": ["busybox:latest"], "Size": 4_261_502 },
            { "Id": "sha256:2", "RepoTags": ["<none>:<none>"], "Size": 7 }
        ]),
        volumes: json!({ "Volumes": [{ "Name": "data", "Driver": "local" }], "Warnings": null }),
    }
}

/// Trimmed answers of 26.1.5 with hardening, and with words that nobody knows yet.
fn new() -> DockerAnswers {
    DockerAnswers {
        version: json!({ "Version": "26.1.5+dfsg1", "ApiVersion": "1.45", "Hull": 3 }),
        info: json!({
            "Driver": "overlay2", "DockerRootDir": "/var/lib/docker/165536.165536",
            "LiveRestoreEnabled": true, "LoggingDriver": "journald", "CgroupDriver": "hull",
            "SecurityOptions": [
                "name=seccomp,profile=builtin", "name=cgroupns", "name=userns",
                "name=no-new-privileges"
            ],
            "Plugins": { "Authorization": ["img-authz"] },
            "RegistryConfig": { "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"],
                                "IndexConfigs": { "docker.io": { "Secure": true } } },
            "Swarm": { "LocalNodeState": "adrift" }
        }),
        networks: json!([{ "Name": "bridge", "Id": "b", "Driver": "bridge", "Options": {
            "com.docker.network.bridge.enable_icc": "false" } }]),
        containers: vec![
            json!({ "Id": "c1", "Name": "/old", "State": { "Status": "sunk" },
                    "HostConfig": { "RestartPolicy": { "Name": "" }, "AutoRemove": true } }),
        ],
        images: json!([{ "Id": "sha256:3", "RepoTags": null, "Size": 1 }]),
        volumes: json!({ "Volumes": null }),
    }
}

#[test]
fn an_old_daemon() {
    let docker = old().facts();
    assert_eq!(docker.version, "20.10.24+dfsg1");
    assert_eq!(docker.insecure_registries, ["10.0.0.0/8", "reg.lan:5000"]);
    assert_eq!(docker.swarm, Swarm::Inactive);
    assert_eq!(docker.volumes, ["data"]);
    assert_eq!(
        docker.networks,
        [Network {
            id: "a1".to_owned(),
            name: "app_default".to_owned(),
            driver: "bridge".to_owned()
        }]
    );
    assert_eq!(
        docker.containers[..1],
        [Container {
            id: "c0ffee".to_owned(),
            name: "web".to_owned(),
            image: "busybox:latest".to_owned(),
            running: true,
            restart_policy: "unless-stopped".to_owned(),
            auto_remove: false,
            network_mode: "default".to_owned(),
            pid: 812,
            started_at: "2026-11-20T10:00:00.1Z".to_owned(),
            swarm_task: false,
        }]
    );
    assert!(docker.containers[1].swarm_task);
    assert_eq!(docker.images[0].tags, ["busybox:latest"]);
    assert!(docker.images[1].tags.is_empty());
    assert_eq!(docker.images[0].size, 4_261_502);
}

#[test]
fn a_new_daemon_with_words_that_nobody_knows() {
    let docker = new().facts();
    assert!(docker.insecure_registries.is_empty());
    assert_eq!(docker.authorization_plugins, ["img-authz"]);
    assert_eq!(docker.swarm, Swarm::Active, "the careful reading");
    assert_eq!(docker.containers[0].restart_policy, "no");
    assert!(!docker.containers[0].running);
    assert!(docker.containers[0].auto_remove);
    assert!(docker.networks.is_empty() && docker.volumes.is_empty());
}

#[test]
fn nothing_at_all() {
    assert_eq!(DockerAnswers::default().facts(), Docker::default());
}

#[test]
fn effective_values() {
    let (old, new) = (old().facts(), new().facts());
    for (key, in_old, in_new) in [
        ("icc", Some(json!(true)), Some(json!(false))),
        ("live-restore", Some(json!(false)), Some(json!(true))),
        ("userns-remap", Some(json!("")), Some(json!("on"))),
        (
            "log-driver",
            Some(json!("json-file")),
            Some(json!("journald")),
        ),
        ("no-new-privileges", None, Some(json!(true))),
        ("userland-proxy", None, None),
    ] {
        assert_eq!(old.effective(key), in_old, "{key}");
        assert_eq!(new.effective(key), in_new, "{key}");
    }
    for (wanted, in_old, in_new) in [
        (json!("default"), false, true),
        (json!("on"), false, true),
        (json!(""), true, false),
        (json!("root"), true, false),
        (Value::Null, true, false),
    ] {
        assert_eq!(
            old.is_in_effect("userns-remap", &wanted),
            Some(in_old),
            "{wanted}"
        );
        assert_eq!(
            new.is_in_effect("userns-remap", &wanted),
            Some(in_new),
            "{wanted}"
        );
    }
}
