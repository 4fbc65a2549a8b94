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
                "Path": "/bin/busybox", "Args": ["httpd", "-f"],
                "GraphDriver": { "Name": "overlay2", "Data": {
                    "LowerDir": "/d/overlay2/i-init/diff:/d/overlay2/b/diff", "UpperDir": "/d/overlay2/i/diff" } },
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
        ..DockerAnswers::default()
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
                    "GraphDriver": { "Name": "overlayfs", "Data": null },
                    "HostConfig": { "RestartPolicy": { "Name": "" }, "AutoRemove": true } }),
        ],
        images: json!([{ "Id": "sha256:3", "RepoTags": null, "Size": 1 }]),
        volumes: json!({ "Volumes": null }),
        ..DockerAnswers::default()
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
            image_id: "sha256:1".to_owned(),
            command: ["/bin/busybox", "httpd", "-f"].map(str::to_owned).to_vec(),
            layers: ["/d/overlay2/i-init/diff", "/d/overlay2/b/diff"]
                .map(str::to_owned)
                .to_vec(),
            ..Container::default()
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
    // Since 29.10 the host itself is a choice, and then it is listed.
    let mut later = new();
    later.version["Version"] = json!("29.10.0");
    assert_eq!(
        later.facts().insecure_registries,
        ["::1/128", "127.0.0.0/8"]
    );
    assert_eq!(docker.authorization_plugins, ["img-authz"]);
    assert_eq!(docker.swarm, Swarm::Active, "the careful reading");
    assert_eq!(docker.containers[0].restart_policy, "no");
    assert!(!docker.containers[0].running);
    assert!(docker.containers[0].auto_remove);
    assert!(docker.containers[0].layers.is_empty());
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

/// The fields of `GET /containers/ID/json`, one at a time.
#[test]
fn what_a_container_was_created_with() {
    let plain = Container {
        restart_policy: "no".to_owned(),
        ..Container::default()
    };
    let port = |host_ip: &str, host_port: &str, container: &str| Port {
        host_ip: host_ip.to_owned(),
        host_port: host_port.to_owned(),
        container: container.to_owned(),
    };
    let cases = [
        (
            json!({ "HostConfig": { "Privileged": true, "UsernsMode": "host", "PidMode": "host",
                "IpcMode": "private", "ReadonlyRootfs": true,
                "LogConfig": { "Type": "journald", "Config": { "tag": "x" } } },
                "Config": { "User": "1000:1000" } }),
            Container {
                privileged: true,
                userns_mode: "host".to_owned(),
                pid_mode: "host".to_owned(),
                ipc_mode: "private".to_owned(),
                read_only: true,
                log_driver: "journald".to_owned(),
                user: "1000:1000".to_owned(),
                ..plain.clone()
            },
        ),
        (
            json!({ "HostConfig": {
                "Devices": [{ "PathOnHost": "/dev/ttyUSB0", "PathInContainer": "/dev/modem" }],
                "Links": ["/db:/web/database", "/cache:/web/cache"],
                "Ulimits": [{ "Name": "nofile", "Soft": 1, "Hard": 2 }] } }),
            Container {
                devices: vec!["/dev/ttyUSB0".to_owned()],
                links: vec!["db".to_owned(), "cache".to_owned()],
                ulimits: vec!["nofile".to_owned()],
                ..plain.clone()
            },
        ),
        (
            json!({ "HostConfig": { "Devices": null, "Links": null, "Ulimits": null, "SecurityOpt": null },
                "Mounts": null, "Config": { "Labels": null, "ExposedPorts": null },
                "NetworkSettings": { "Ports": null, "Networks": null } }),
            plain.clone(),
        ),
        (
            json!({ "Mounts": [
                { "Type": "bind", "Source": "/srv", "Destination": "/data", "RW": true },
                { "Type": "volume", "Name": "db", "Source": "/var/lib/docker/volumes/db/_data",
                  "Destination": "/db", "RW": false },
                { "Type": "tmpfs", "Source": "", "Destination": "/tmp", "RW": true },
                { "Type": "reef" } ] }),
            Container {
                mounts: vec![
                    Mount {
                        kind: MountKind::Bind,
                        source: "/srv".to_owned(),
                        destination: "/data".to_owned(),
                        writable: true,
                    },
                    Mount {
                        kind: MountKind::Volume,
                        source: "db".to_owned(),
                        destination: "/db".to_owned(),
                        writable: false,
                    },
                    Mount {
                        kind: MountKind::Other,
                        source: String::new(),
                        destination: "/tmp".to_owned(),
                        writable: true,
                    },
                    Mount::default(),
                ],
                ..plain.clone()
            },
        ),
        (
            json!({ "Config": { "ExposedPorts": { "9000/tcp": {}, "443/tcp": {} },
                    "Labels": { "com.docker.compose.project": "shop", "com.docker.swarm.task.id": "x1" } },
                "NetworkSettings": { "Networks": { "shop_default": { "GlobalIPv6Address": "fd00::2" },
                                                   "bridge": { "GlobalIPv6Address": "" } } } }),
            Container {
                exposed: vec!["443/tcp".to_owned(), "9000/tcp".to_owned()],
                compose_project: "shop".to_owned(),
                swarm_task: true,
                networks: vec!["bridge".to_owned(), "shop_default".to_owned()],
                has_ipv6: true,
                ..plain.clone()
            },
        ),
        (
            json!({
                "HostConfig": { "PortBindings": { "80/tcp": [{ "HostIp": "", "HostPort": "" }] } },
                "NetworkSettings": { "Ports": { "9/udp": null,
                    "80/tcp": [{ "HostIp": "::", "HostPort": "32768" },
                               { "HostIp": "0.0.0.0", "HostPort": "32768" }] } } }),
            Container {
                ports: vec![
                    port("0.0.0.0", "32768", "80/tcp"),
                    port("::", "32768", "80/tcp"),
                ],
                ..plain.clone()
            },
        ),
        (
            json!({
                "HostConfig": { "PortBindings": { "80/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "8080" }] } },
                "NetworkSettings": { "Ports": {} } }),
            Container {
                ports: vec![port("127.0.0.1", "8080", "80/tcp")],
                ..plain.clone()
            },
        ),
    ];
    for (inspected, expected) in cases {
        assert_eq!(container(&inspected), expected, "{inspected}");
    }
    for (options, expected) in [
        (json!([]), None),
        (json!(["seccomp=unconfined"]), None),
        (json!(["no-new-privileges"]), Some(true)),
        (json!(["no-new-privileges:true"]), Some(true)),
        (json!(["no-new-privileges=false"]), Some(false)),
        (
            json!(["no-new-privileges:true", "no-new-privileges:false"]),
            Some(false),
        ),
        (json!(["no-new-privileges-at-sea"]), None),
    ] {
        let inspected = json!({ "HostConfig": { "SecurityOpt": options } });
        assert_eq!(
            container(&inspected).no_new_privileges,
            expected,
            "{options}"
        );
    }
}

#[test]
fn ports_are_said_as_they_are_taken_on_the_host() {
    for (host_ip, host_port, container, text) in [
        ("0.0.0.0", "80", "8080/tcp", "80/tcp"),
        ("::", "80", "8080/tcp", "80/tcp"),
        ("", "53", "53/udp", "53/udp"),
        ("127.0.0.1", "80", "80", "127.0.0.1:80/tcp"),
        ("::1", "80", "80/sctp", "[::1]:80/sctp"),
    ] {
        let port = Port {
            host_ip: host_ip.to_owned(),
            host_port: host_port.to_owned(),
            container: container.to_owned(),
        };
        assert_eq!(port.to_string(), text);
    }
}

#[test]
fn what_everything_takes() {
    let all = |images, containers, volumes, build_cache| Usage {
        images,
        containers,
        volumes,
        build_cache,
    };
    for (answer, expected) in [
        (json!({}), None),
        (json!({ "message": "page not found" }), None),
        (json!({ "LayersSize": 0 }), Some(all(0, 0, 0, 0))),
        (
            // Docker 26.
            json!({ "LayersSize": 100, "Images": [{ "Size": 80 }, { "Size": 90 }],
                "Containers": [{ "SizeRw": 5, "SizeRootFs": 95 }, { "SizeRootFs": 9 }],
                "Volumes": [{ "Name": "a", "UsageData": { "Size": 7 } },
                            { "Name": "nfs", "UsageData": { "Size": -1 } },
                            { "Name": "b", "UsageData": null }],
                "BuildCache": [{ "Size": 3, "Shared": false }, { "Size": 50, "Shared": true }] }),
            Some(all(100, 5, 7, 3)),
        ),
        (
            json!({ "LayersSize": 1, "Images": null, "Containers": null, "Volumes": null,
                "BuildCache": null }),
            Some(all(1, 0, 0, 0)),
        ),
        (
            // Docker 29.
            json!({ "ImageUsage": { "TotalCount": 2, "TotalSize": 100 },
                "ContainerUsage": { "TotalSize": 5 }, "VolumeUsage": { "TotalSize": 7 },
                "BuildCacheUsage": {} }),
            Some(all(100, 5, 7, 0)),
        ),
    ] {
        assert_eq!(usage(&answer), expected, "{answer}");
    }
}
