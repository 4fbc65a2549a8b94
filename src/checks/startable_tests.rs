use super::*;
use crate::facts::{Docker, Kind, Node, Seen, Swarm, UnitState};

/// A host with this daemon.json, these flags and this version of dockerd.
fn host(version: &str, flags: &[&str], text: &str) -> Facts {
    let mut facts = Facts::default();
    let mut argv = vec!["/usr/bin/dockerd".to_owned()];
    argv.extend(flags.iter().map(|flag| (*flag).to_owned()));
    facts.units.insert(
        "docker.service".to_owned(),
        UnitState {
            argv: argv.into(),
            ..UnitState::default()
        },
    );
    if !version.is_empty() {
        facts.docker_version = Seen::Known(version.to_owned());
    }
    facts.files.insert(
        "/etc/docker/daemon.json".to_owned(),
        Seen::Known(Node::file(text)),
    );
    for (name, node) in [("gone", Node::absent()), ("here", Node::file("{}"))] {
        let path = format!("/etc/docker/{name}.json");
        facts.files.insert(path, Seen::Known(node));
    }
    facts
}

#[test]
fn what_a_version_refuses() {
    // Version, flags, daemon.json, and for each refusal a part of what is said.
    let cases: &[(&str, &[&str], &str, &[&str])] = &[
        ("20.10.24+dfsg1", &["-H", "fd://"], r#"{"icc": false}"#, &[]),
        ("20.10.24", &[], "", &["is empty"]),
        ("20.10.24", &[], "\u{feff}{}", &["byte order mark"]),
        ("26.1.5", &[], "", &[]),
        ("26.1.5", &[], "\u{feff}{}", &[]),
        ("", &[], "", &[]),
        (
            "26.1.5",
            &[],
            "{\n  \"icc\": false,\n  \"graph\": \"/x\"\n}",
            &["dockerd 26.1.5 no longer knows `graph` (gone in 23.0)"],
        ),
        ("20.10.24", &[], r#"{"graph": "/x"}"#, &[]),
        (
            "26.1.5",
            &[],
            r#"{"seccomp-profile": "/etc/docker/gone.json"}"#,
            &["does not start without the file of its profile"],
        ),
        (
            "26.1.5",
            &[],
            r#"{"seccomp-profile": "/etc/docker/here.json"}"#,
            &[],
        ),
        (
            "26.1.5",
            &[],
            r#"{"seccomp-profile": "/etc/docker/unseen.json"}"#,
            &[],
        ),
        (
            "28.5.2",
            &[],
            r#"{"bridge": "br0", "bip": "10.1.0.1/24"}"#,
            &["both bridge and bip"],
        ),
        (
            "28.5.2",
            &["--bip=10.1.0.1/24"],
            r#"{"bridge": "br0"}"#,
            &["both bridge and bip"],
        ),
        (
            "28.5.2",
            &[],
            r#"{"bridge": "", "bip": "10.1.0.1/24"}"#,
            &[],
        ),
        (
            "26.1.5",
            &[],
            r#"{"default-runtime": "nvidia"}"#,
            &["no entry in `runtimes`"],
        ),
        (
            "26.1.5",
            &[],
            r#"{"default-runtime": "nvidia", "runtimes": {"nvidia": {"path": "x"}}}"#,
            &[],
        ),
        (
            "26.1.5",
            &["--add-runtime", "x=/x"],
            r#"{"default-runtime": "x"}"#,
            &[],
        ),
        (
            "26.1.5",
            &[],
            r#"{"default-runtime": "io.containerd.runsc.v1"}"#,
            &[],
        ),
        (
            "26.1.5",
            &[],
            r#"{"log-driver": "journald", "log-opts": {"max-size": "10m"}}"#,
            &["refuses options of rotated files"],
        ),
        (
            "26.1.5",
            &["--log-opt", "max-file=3"],
            r#"{"log-driver": "syslog"}"#,
            &["refuses options of rotated files"],
        ),
        (
            "26.1.5",
            &[],
            r#"{"log-driver": "journald", "log-opts": {"tag": "x"}}"#,
            &[],
        ),
        (
            "26.1.5",
            &[],
            r#"{"log-driver": "local", "log-opts": {"max-size": "10m"}}"#,
            &[],
        ),
        (
            "26.1.5",
            &[],
            r#"{"log-driver": "x/plugin", "log-opts": {"max-size": "10m"}}"#,
            &[],
        ),
        (
            "29.1.0",
            &["--feature", "containerd-snapshotter=true"],
            r#"{"userns-remap": "default"}"#,
            &["refuses userns-remap together"],
        ),
        // Without a version nobody knows.
        ("", &[], r#"{"graph": "/x", "log-format": "json"}"#, &[]),
        (
            "24.0.7",
            &[],
            r#"{"log-format": "json"}"#,
            &["does not know `log-format` yet (since 25.0)"],
        ),
        (
            "28.5.2",
            &[],
            r#"{"_comment": "x"}"#,
            &["`_comment` is no option of dockerd 28.5.2"],
        ),
        (
            "",
            &[],
            r#"{"_comment": "x"}"#,
            &["`_comment` is no option"],
        ),
        ("31.0.0", &[], r#"{"brand-new": true}"#, &[]),
        (
            "20.10.24",
            &[],
            r#"{"proxies": {"http-proxy": "http://p"}}"#,
            &["`http-proxy` in `proxies`"],
        ),
        (
            "26.1.5",
            &[],
            r#"{"proxies": {"http-proxy": "http://p"}}"#,
            &[],
        ),
        ("26.1.5", &[], r#"{"x": {}, "label": ["a=b"]}"#, &[]),
        (
            "26.1.5",
            &[],
            r#"{"live-restore": "true", "log-opts": {"max-file": 3}}"#,
            &[
                "`live-restore` is not true or false",
                "`log-opts` is not an object whose values are texts",
            ],
        ),
        ("23.0.6", &[], r#"{"storage-driver": "aufs"}"#, &[]),
        (
            "24.0.7",
            &[],
            r#"{"storage-driver": "aufs"}"#,
            &["storage driver (gone in 24.0)"],
        ),
        (
            "24.0.7",
            &[],
            r#"{"storage-driver": "overlay"}"#,
            &["storage driver (gone in 24.0)"],
        ),
        ("24.0.7", &[], r#"{"storage-driver": "devicemapper"}"#, &[]),
        (
            "25.0.3",
            &["--storage-driver=devicemapper"],
            "{}",
            &["storage driver (gone in 25.0)"],
        ),
        ("26.1.5", &[], r#"{"storage-driver": "overlay2"}"#, &[]),
        (
            "20.10.24",
            &[],
            r#"{"seccomp-profile": "unconfined"}"#,
            &["name of a file"],
        ),
        (
            "20.10.24",
            &["--seccomp-profile", "builtin"],
            "{}",
            &["name of a file"],
        ),
        ("23.0.6", &[], r#"{"seccomp-profile": "unconfined"}"#, &[]),
        (
            "28.5.2",
            &[],
            r#"{"seccomp-profile": "default"}"#,
            &["name of a file"],
        ),
        (
            "",
            &[],
            r#"{"seccomp-profile": "default"}"#,
            &["name of a file"],
        ),
        ("27.5.1", &[], r#"{"api-cors-header": "*"}"#, &[]),
        (
            "28.5.2",
            &[],
            r#"{"api-cors-header": "*"}"#,
            &["no longer allows a value"],
        ),
        ("28.5.2", &[], r#"{"api-cors-header": ""}"#, &[]),
        (
            "29.0.1",
            &[],
            r#"{"api-cors-header": ""}"#,
            &["no longer knows"],
        ),
        ("24.0.7", &[], r#"{"oom-score-adjust": -500}"#, &[]),
        (
            "25.0.3",
            &[],
            r#"{"oom-score-adjust": -500}"#,
            &["another value than 0"],
        ),
        ("25.0.3", &[], r#"{"oom-score-adjust": 0}"#, &[]),
        (
            "26.1.5",
            &[],
            r#"{"oom-score-adjust": 0}"#,
            &["no longer knows"],
        ),
        // 28.5.2 was started with this, and it listened.
        (
            "28.5.2",
            &[],
            r#"{"tls": false, "hosts": ["tcp://0.0.0.0:2375"]}"#,
            &[],
        ),
        (
            "26.1.5",
            &["-H", "fd://"],
            r#"{"hosts": ["tcp://127.0.0.1:2375"]}"#,
            &["docker.service passes -H fd://"],
        ),
        (
            "26.1.5",
            &["--icc=true"],
            r#"{"x": {"icc": false}}"#,
            &["docker.service passes --icc=true"],
        ),
        (
            "26.1.5",
            &["--add-runtime", "oci=/x"],
            r#"{"runtimes": {}}"#,
            &[],
        ),
        (
            "26.1.5",
            &["--iptables=false"],
            r#"{"icc": false}"#,
            &["icc = false while iptables = false"],
        ),
        (
            "29.1.0",
            &[],
            r#"{"userns-remap": "default", "features": {"containerd-snapshotter": true}}"#,
            &["together with the containerd image store"],
        ),
        (
            "29.1.0",
            &[],
            r#"{"userns-remap": "", "features": {"containerd-snapshotter": true}}"#,
            &[],
        ),
        (
            "28.5.2",
            &[],
            r#"{"userns-remap": "default", "features": {"containerd-snapshotter": true}}"#,
            &[],
        ),
        ("26.1.5", &[], "{", &["does not parse"]),
    ];
    for (version, flags, text, expected) in cases {
        let mut found = refusals(&Layout::of(&host(version, flags, text)));
        // What nobody can know from here is not refused.
        found.retain(|refusal| refusal.certain);
        let what = format!("{version} {flags:?} {text}: {found:#?}");
        assert_eq!(found.len(), expected.len(), "{what}");
        for (refusal, words) in found.iter().zip(*expected) {
            assert!(refusal.reason.contains(words), "{what}");
            assert!(
                !refusal.cure.is_empty() && !refusal.source.is_empty(),
                "{what}"
            );
        }
    }
}

#[test]
fn the_line_and_the_key_are_named() {
    let facts = host(
        "26.1.5",
        &[],
        "{\n  \"icc\": false,\n  \"graph\": \"/x\"\n}",
    );
    let found = refusals(&Layout::of(&facts));
    assert_eq!(found[0].source, "/etc/docker/daemon.json:3");
    assert_eq!(found[0].keys, ["graph"]);
}

#[test]
fn what_a_flag_says_is_changed_where_the_flag_is() {
    let file = "editor /etc/docker/daemon.json";
    let unit = "systemctl edit docker.service";
    for (flags, config, cure) in [
        (&["-H", "ssh://x"][..], "{}", unit),
        (&["--default-ulimit", "x"], "{}", unit),
        (&["--add-runtime", "x"], "{}", unit),
        (&[], r#"{"hosts": ["ssh://x"]}"#, file),
        // One of the two is in the file.
        (&["--bip", "10.0.0.1/24"], r#"{"bridge": "x"}"#, file),
    ] {
        let facts = host("28.5.2", flags, config);
        let refusals = refusals(&Layout::of(&facts));
        let cures: Vec<&str> = refusals.iter().map(|it| it.cure.as_str()).collect();
        assert_eq!(cures, [cure], "{flags:?} {config}");
    }
}

#[test]
fn a_member_of_a_swarm_does_not_start_with_live_restore() {
    let mut facts = host("26.1.5", &[], r#"{"live-restore": true}"#);
    // Where its membership would stand was not seen.
    let found = refusals(&Layout::of(&facts));
    assert_eq!(found[0].keys, ["live-restore"]);
    assert!(!found[0].certain);
    let root = "/var/lib/docker".to_owned();
    facts.files.insert(root, Seen::Known(Node::absent()));
    assert_eq!(refusals(&Layout::of(&facts)), []);
    facts.docker = Seen::Known(Docker {
        swarm: Swarm::Active,
        ..Docker::default()
    });
    assert_eq!(refusals(&Layout::of(&facts))[0].keys, ["live-restore"]);
    // A daemon that cannot be asked has left its membership on the disk.
    let folder = |entries: &[&str]| {
        Seen::Known(Node {
            kind: Kind::Folder,
            entries: Some(entries.iter().map(|name| (*name).to_owned()).collect()),
            ..Node::default()
        })
    };
    for (state, is_member) in [
        ("/var/lib/docker/swarm/docker-state.json", true),
        (
            "/var/lib/docker/100000.100000/swarm/docker-state.json",
            true,
        ),
        ("/var/lib/docker/volumes.old/swarm/docker-state.json", false),
    ] {
        facts.docker = Seen::default();
        facts.files.insert(
            "/var/lib/docker".to_owned(),
            folder(&["100000.100000", "swarm", "volumes.old"]),
        );
        for below in ["", "100000.100000/"] {
            let path = format!("/var/lib/docker/{below}swarm/docker-state.json");
            facts.files.insert(path, Seen::Known(Node::absent()));
        }
        facts
            .files
            .insert(state.to_owned(), Seen::Known(Node::file("{}")));
        assert_eq!(
            !refusals(&Layout::of(&facts)).is_empty(),
            is_member,
            "{state}"
        );
        // A folder that was not listed may hold that of a mapping.
        facts
            .files
            .insert(state.to_owned(), Seen::Known(Node::absent()));
        assert_eq!(refusals(&Layout::of(&facts)), [], "{state}");
        let unlisted = Node {
            kind: Kind::Folder,
            ..Node::default()
        };
        for root in [Seen::Known(unlisted), Seen::unseen("permission denied", "")] {
            facts.files.insert("/var/lib/docker".to_owned(), root);
            assert!(!refusals(&Layout::of(&facts))[0].certain, "{state}");
        }
    }
}
