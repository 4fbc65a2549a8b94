//! Those who cannot be seen.

use super::*;

fn image(live: bool, text: &str, files: &Value) -> Facts {
    let mut facts = host(&json!({
        "host": { "live": live },
        "units": { "docker.service": { "active": "", "started": 0 } },
        "files": { "/etc/docker/daemon.json": { "text": text },
            "/var/lib/docker": { "kind": "folder", "entries": [] },
            "/etc/fstab": { "text": "" } } }))
    .overlaid(&json!({ "files": files }))
    .unwrap();
    facts.docker = Seen::unseen("it does not run", "systemctl start docker");
    facts
}

#[test]
fn containers_that_cannot_be_seen() {
    let full = json!({
        "/var/lib/docker": { "kind": "folder", "entries": ["containers", "image"] },
        "/var/lib/docker/containers": { "kind": "folder", "entries": ["c0ffee"] } });
    let empty = json!({
        "/var/lib/docker": { "kind": "folder", "entries": ["containers", "image"] },
        "/var/lib/docker/containers": { "kind": "folder", "entries": [] } });
    let mapped = json!({
        "/var/lib/docker": { "kind": "folder", "entries": ["231072.231072", "containers"] },
        "/var/lib/docker/containers": { "kind": "folder", "entries": [] },
        "/var/lib/docker/231072.231072/containers": { "kind": "folder", "entries": ["c0ffee"] } });
    let unseen = json!({ "/var/lib/docker": { "unseen": "permission denied" } });
    let mounted = json!({ "/etc/fstab": {
        "text": "# /dev/x /var/lib/docker\n/dev/a / ext4 rw 0 1\n/dev/b /var ext4 rw 0 2\n" } });
    let other_disk = json!({ "/etc/fstab": { "text": "/dev/a / ext4\n/dev/b /variable ext4\n" } });
    let (icc, level) = (set("icc", json!(false)), set("log-level", json!("info")));
    let chosen = r#"{"icc": true, "log-level": "debug"}"#;
    for (what, facts, edits, expected) in [
        (
            "nothing there yet",
            image(false, "{}", &json!({})),
            &icc,
            None,
        ),
        ("no containers", image(false, "{}", &empty), &icc, None),
        (
            "containers",
            image(false, "{}", &full),
            &icc,
            Some("/var/lib/docker/containers holds some"),
        ),
        (
            "of a mapping",
            image(false, "{}", &mapped),
            &icc,
            Some("231072.231072/containers holds some"),
        ),
        (
            "unseen",
            image(false, "{}", &unseen),
            &icc,
            Some("permission denied"),
        ),
        (
            "another disk",
            image(false, "{}", &mounted),
            &icc,
            Some("/var is mounted at boot"),
        ),
        ("not this one", image(false, "{}", &other_disk), &icc, None),
        (
            "a list of mounts that was not seen",
            image(
                false,
                "{}",
                &json!({ "/etc/fstab": { "unseen": "permission denied" } }),
            ),
            &icc,
            Some("/etc/fstab: permission denied"),
        ),
        (
            "chosen",
            image(false, chosen, &json!({})),
            &icc,
            Some("somebody has set icc"),
        ),
        (
            "nobody depends on it",
            image(false, chosen, &full),
            &level,
            None,
        ),
        (
            "a daemon that does not run",
            image(true, "{}", &full),
            &icc,
            Some("it does not run"),
        ),
        (
            "which has never run",
            image(true, chosen, &json!({})),
            &icc,
            None,
        ),
    ] {
        let turn = Turn::of_edits(&facts, edits);
        let reason = hidden::reason(&turn, edits);
        match expected {
            None => assert_eq!(reason, None, "{what}"),
            Some(words) => assert!(
                reason.as_ref().is_some_and(|it| it.contains(words)),
                "{what}: {reason:?}"
            ),
        }
    }
}

#[test]
fn what_containers_are_given() {
    let full = json!({
        "/var/lib/docker": { "kind": "folder", "entries": ["containers"] },
        "/var/lib/docker/containers": { "kind": "folder", "entries": ["c0ffee"] } });
    let access = |path: &str, clear: u32| {
        vec![Edit::Access {
            path: path.to_owned(),
            clear: crate::facts::Mode(clear),
            uid: None,
            gid: None,
        }]
    };
    for (node, clear, expected) in [
        (json!({ "kind": "socket", "mode": "0666" }), 0o006, true),
        (json!({ "kind": "socket", "mode": "0771" }), 0o001, false),
        (json!({ "mode": "0644" }), 0o044, true),
        // Nobody configures Docker from a container.
        (json!({ "mode": "0666" }), 0o022, false),
        (json!({ "kind": "folder", "mode": "0777" }), 0o022, false),
    ] {
        let facts = image(false, "{}", &full)
            .overlaid(&json!({ "files": { "/x": node } }))
            .unwrap();
        let edits = access("/x", clear);
        let turn = Turn::of_edits(&facts, &edits);
        assert_eq!(hidden::reason(&turn, &edits).is_some(), expected, "{node}");
    }
}

/// What could not be read is no reason to think that nobody is concerned.
#[test]
fn an_unread_file_asks_for_leave() {
    let access = |path: &str| {
        vec![Edit::Access {
            path: path.to_owned(),
            clear: crate::facts::Mode(0o006),
            uid: None,
            gid: Some(0),
        }]
    };
    let published = json!([running(
        "web",
        json!({ "ports": [{ "host_ip": "", "host_port": "80", "container": "80/tcp" }] })
    )]);
    let watch = vec![Edit::AuditWatch(crate::formats::audit_rules::Watch {
        path: "/var/lib/docker".to_owned(),
        perms: "wa".parse().unwrap(),
        keys: Vec::new(),
    })];
    let take_out = vec![Edit::DaemonKey {
        key: "iptables".to_owned(),
        value: None,
    }];
    let remap = set("userns-remap", json!("bob"));
    let off = json!({ "text": "{\"iptables\": false}" });
    for (path, files, containers, edits) in [
        (
            "/etc/group",
            json!({ "/x": { "mode": "0660", "gid": 104 } }),
            json!([]),
            access("/x"),
        ),
        (
            "/etc/passwd",
            json!({ "/x": { "mode": "0660", "gid": 104 } }),
            json!([]),
            access("/x"),
        ),
        ("/x", json!({}), json!([]), access("/x")),
        (
            "/proc/net/if_inet6",
            json!({}),
            published.clone(),
            set("userland-proxy", json!(false)),
        ),
        ("/etc/audit/auditd.conf", json!({}), json!([]), watch),
        (
            "/etc/ufw/ufw.conf",
            json!({ "/etc/docker/daemon.json": off }),
            json!([]),
            take_out.clone(),
        ),
        (
            "/etc/runlevels/default/nftables",
            json!({ "/etc/docker/daemon.json": off }),
            json!([]),
            take_out,
        ),
        ("/etc/subuid", json!({}), json!([]), remap.clone()),
        ("/etc/subgid", json!({}), json!([]), remap.clone()),
        (
            "/proc/sys/user/max_user_namespaces",
            json!({}),
            json!([]),
            remap.clone(),
        ),
        ("/var", json!({}), json!([]), remap.clone()),
        (
            "/proc/sys/kernel/osrelease",
            json!({ "/proc/sys": { "kind": "folder" } }),
            json!([]),
            set("icc", json!(false)),
        ),
        (
            "/proc/sys/net/bridge/bridge-nf-call-iptables",
            json!({ "/proc/sys": { "kind": "folder" }, "/proc/sys/kernel/osrelease": { "text": "6.1" },
                "/lib": { "kind": "folder" }, "/lib/modules/6.1": { "kind": "folder" } }),
            json!([]),
            set("icc", json!(false)),
        ),
    ] {
        let mut facts = host(&json!({ "docker": { "containers": containers }, "files": files }));
        let stopped = |facts: &Facts| {
            let options = Options::default();
            let disruption = disruption(&control("daemon-icc"), &edits, facts, &options, false)
                .unwrap_or_default();
            let danger = danger(&edits, facts).map(|(reason, cure)| {
                assert!(!cure.is_empty(), "{path}");
                reason
            });
            format!("{disruption} {}", danger.unwrap_or_default())
        };
        let named = format!("{path} (permission denied)");
        assert!(
            !stopped(&facts).contains(&named),
            "{path}: {}",
            stopped(&facts)
        );
        let unread = crate::facts::Seen::unseen("permission denied", "");
        facts.files.insert(path.to_owned(), unread);
        let reason = stopped(&facts);
        assert!(
            reason.contains(path) && reason.contains("permission denied"),
            "{path}: {reason}"
        );
    }
}

#[test]
fn whom_docker_has_noted_as_stopped_may_not_be_known() {
    let facts = with(&[running(
        "web",
        json!({ "restart_policy": "unless-stopped", "marked_stopped": { "unseen": "permission denied" } }),
    )]);
    let turn = Turn::of_edits(&facts, &[Edit::RestartDocker]);
    let said = restart::impact(&turn);
    let of_web: Vec<&Impact> = said.iter().filter(|it| !it.who.is_empty()).collect();
    assert_eq!(of_web.len(), 1, "{said:?}");
    assert_eq!(
        of_web[0].what,
        "stop, and come back unless somebody has stopped them before"
    );
}
