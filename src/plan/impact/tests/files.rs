//! Access to files, and audit watches.

use super::*;
use crate::formats::audit_rules::Watch;

#[test]
fn who_loses_access() {
    let access = |path: &str, clear: u32, uid: Option<u32>, gid: Option<u32>| {
        vec![Edit::Access {
            path: path.to_owned(),
            clear: crate::facts::Mode(clear),
            uid,
            gid,
        }]
    };
    let file = |mode: &str, uid: u32, gid: u32| json!({ "mode": mode, "uid": uid, "gid": gid });
    let (path, none) = ("/etc/docker/x", None);
    for (node, edits, expected) in [
        (file("0644", 0, 0), access(path, 0, none, none), vec![]),
        (
            file("0646", 0, 0),
            access(path, 0o002, none, none),
            vec!["can no longer write /etc/docker/x | everybody else"],
        ),
        (
            file("0666", 0, 1500),
            access(path, 0o066, none, none),
            // The group loses no more than everybody.
            vec!["can no longer read or write /etc/docker/x | everybody else"],
        ),
        (
            file("0664", 0, 1500),
            access(path, 0o020, none, none),
            vec!["can no longer write /etc/docker/x | group ops, user ann, user bob"],
        ),
        (
            file("0640", 0, 1500),
            access(path, 0, none, Some(0)),
            vec!["can no longer read /etc/docker/x | group ops, user ann, user bob"],
        ),
        (file("0640", 0, 0), access(path, 0o040, none, none), vec![]),
        (
            file("0640", 1001, 0),
            access(path, 0, Some(0), none),
            vec!["can no longer read or write /etc/docker/x | user bob"],
        ),
        (
            file("0644", 4711, 0),
            access(path, 0, Some(0), none),
            vec!["can no longer write /etc/docker/x | user 4711"],
        ),
        (
            json!({ "kind": "socket", "mode": "0666", "gid": 104 }),
            access(path, 0o006, none, none),
            // Who can log in, and is not in its group.
            vec!["can no longer connect to /etc/docker/x | everybody else, user bob, user ann"],
        ),
        (
            json!({ "kind": "socket", "mode": "0775", "gid": 104 }),
            access(path, 0o015, none, none),
            vec![],
        ),
        (
            json!({ "kind": "folder", "mode": "0775", "gid": 1500 }),
            access(path, 0o020, none, none),
            vec!["can no longer change /etc/docker/x | group ops, user ann, user bob"],
        ),
    ] {
        let facts = host(&json!({ "files": { path: node } }));
        assert_eq!(said(&facts, &edits), expected, "{node}");
        // Who cannot get there loses nothing.
        let closed = host(&json!({ "files": { path: node,
            "/etc/docker": { "kind": "folder", "mode": "0700" } } }));
        assert!(said(&closed, &edits).is_empty(), "{node}");
    }
}

#[test]
fn who_uses_a_file_in_a_container() {
    let access = |clear: u32, gid: Option<u32>| {
        vec![Edit::Access {
            path: "/run/x.sock".to_owned(),
            clear: crate::facts::Mode(clear),
            uid: None,
            gid,
        }]
    };
    let socket = |mode: &str, gid: u32| json!({ "kind": "socket", "mode": mode, "gid": gid });
    let agent = |user: &str, source: &str, running: bool| {
        let mount =
            json!({ "kind": "bind", "source": source, "destination": "/s", "writable": false });
        running_or_not(user, &mount, running)
    };
    let said = "can no longer connect to /run/x.sock | container agent";
    for (node, edits, container, expected) in [
        (
            socket("0666", 0),
            access(0o006, None),
            agent("1000", "/run/x.sock", true),
            Some(true),
        ),
        (
            socket("0666", 0),
            access(0o006, None),
            agent("node", "/run", true),
            Some(true),
        ),
        (
            socket("0666", 0),
            access(0o006, None),
            agent("1000:999", "/var/run/x.sock", false),
            Some(false),
        ),
        // Root passes through all of it.
        (
            socket("0666", 0),
            access(0o006, None),
            agent("", "/run/x.sock", true),
            None,
        ),
        (
            socket("0666", 0),
            access(0o006, None),
            agent("0:1000", "/run/x.sock", true),
            None,
        ),
        // It may have been given the group.
        (
            socket("0660", 1500),
            access(0, Some(0)),
            agent("1000", "/run/x.sock", true),
            Some(true),
        ),
        (
            socket("0660", 0),
            access(0, Some(104)),
            agent("1000", "/run/x.sock", true),
            Some(true),
        ),
        (
            socket("0666", 0),
            access(0o006, None),
            agent("1000", "/", true),
            None,
        ),
        (
            socket("0666", 0),
            access(0o006, None),
            agent("1000", "/run/x", true),
            None,
        ),
    ] {
        let facts = host(&json!({
            "docker": { "containers": [container] },
            "files": { "/run/x.sock": node, "/run": { "kind": "folder", "mode": "0700" } } }));
        let turn = Turn::of_edits(&facts, &edits);
        let what = format!("{container} {node}");
        let effects = super::said(&facts, &edits);
        let names = effects.iter().any(|effect| effect == said);
        assert_eq!(names, expected.is_some(), "{what}: {effects:?}");
        let reason = access::disruption(&turn).unwrap_or_default();
        assert_eq!(
            reason.contains("container agent"),
            expected == Some(true),
            "{what}: {reason}"
        );
    }
    // Remapped, root in a container is nobody on the host.
    let remapped = host(&json!({
        "docker": { "security_options": ["name=userns"], "containers": [agent("", "/run/x.sock", true)] },
        "files": { "/run/x.sock": socket("0666", 0) } }));
    let effects = super::said(&remapped, &access(0o006, None));
    assert!(effects.contains(&said.to_owned()), "{effects:?}");
}

fn running_or_not(user: &str, mount: &Value, running: bool) -> Value {
    json!({ "name": "agent", "image": "agent", "running": running, "user": user,
        "network_mode": "none", "mounts": [mount] })
}

#[test]
fn who_is_hit() {
    let access = |clear: u32, uid: Option<u32>, gid: Option<u32>| {
        vec![Edit::Access {
            path: "/etc/docker/x".to_owned(),
            clear: crate::facts::Mode(clear),
            uid,
            gid,
        }]
    };
    let file = |mode: &str, uid: u32, gid: u32| json!({ "mode": mode, "uid": uid, "gid": gid });
    for (node, edits, expected) in [
        // Nobody is known who writes there.
        (file("0666", 0, 0), access(0o022, None, None), None),
        (file("0644", 4711, 0), access(0, Some(0), None), None),
        (file("0664", 0, 4711), access(0o020, None, None), None),
        (
            file("0644", 1001, 0),
            access(0, Some(0), None),
            Some("user bob can no longer write /etc/docker/x"),
        ),
        (
            file("0664", 0, 1500),
            access(0o020, None, None),
            Some("user ann and user bob can no longer write /etc/docker/x"),
        ),
        (
            json!({ "kind": "socket", "mode": "0666", "gid": 104 }),
            access(0o006, None, None),
            Some("user bob and user ann can no longer connect to /etc/docker/x"),
        ),
    ] {
        let facts = host(&json!({ "files": { "/etc/docker/x": node } }));
        let turn = Turn::of_edits(&facts, &edits);
        assert_eq!(access::disruption(&turn).as_deref(), expected, "{node}");
    }
}

#[test]
fn a_log_that_stops_the_host() {
    let watch = vec![Edit::AuditWatch(Watch {
        path: "/var/lib/docker".to_owned(),
        perms: "wa".parse().unwrap(),
        keys: Vec::new(),
    })];
    let busy = |files: Value| {
        host(&json!({ "docker": { "containers": [running("a", json!({}))] }, "files": files }))
    };
    let rules = |text: &str| {
        json!({ "/etc/audit/rules.d": { "kind": "folder", "entries": ["a.rules", "b.rules"] },
            "/etc/audit/rules.d/a.rules": { "text": "-f 2\n" },
            "/etc/audit/rules.d/b.rules": { "text": text } })
    };
    let conf = |text: &str| json!({ "/etc/audit/auditd.conf": { "text": text } });
    for (files, expected) in [
        (json!({}), None),
        (
            conf("disk_full_action = SUSPEND\nspace_left_action = SYSLOG\n"),
            None,
        ),
        (conf("# disk_full_action = HALT\n"), None),
        (
            conf("space_left_action = email\nadmin_space_left_action = Halt\n"),
            Some(
                "a full audit log stops this host (/etc/audit/auditd.conf: admin_space_left_action = Halt): a",
            ),
        ),
        (
            conf("disk_full_action=single"),
            Some("disk_full_action = single"),
        ),
        (
            rules(""),
            Some("panics when an audit event is lost (-f 2 in /etc/audit/rules.d/a.rules)"),
        ),
        (rules("-f 1\n"), None),
    ] {
        let mut facts = busy(files.clone());
        facts.auditing.loader = crate::facts::RuleLoader::Augenrules;
        let turn = Turn::of_edits(&facts, &watch);
        let reason = watched::disruption(&turn);
        match expected {
            None => assert_eq!(reason, None, "{files}"),
            Some(words) => assert!(
                reason.as_ref().is_some_and(|it| it.contains(words)),
                "{files}: {reason:?}"
            ),
        }
        // Where nothing runs, nothing fills the log.
        let mut idle = facts.clone();
        if let Seen::Known(docker) = &mut idle.docker {
            docker.containers.clear();
        }
        assert_eq!(
            watched::disruption(&Turn::of_edits(&idle, &watch)),
            None,
            "{files}"
        );
    }
}

#[test]
fn a_watched_data_root() {
    let watch = |path: &str| {
        vec![Edit::AuditWatch(Watch {
            path: path.to_owned(),
            perms: "wa".parse().unwrap(),
            keys: vec!["docker".to_owned()],
        })]
    };
    let busy = with(&[running("a", json!({})), running("b", json!({}))]);
    for (facts, path, effects) in [
        (&busy, "/var/lib/docker", 3),
        (&busy, "/var/lib", 3),
        (&busy, "/var/lib/dock", 1),
        (&busy, "/etc/docker", 1),
        (&host(&json!({})), "/var/lib/docker", 1),
    ] {
        assert_eq!(said(facts, &watch(path)).len(), effects, "{path}");
    }
    let effects = said(&busy, &watch("/var/lib/docker"));
    assert!(
        effects[1].contains("2 containers run here"),
        "{}",
        effects[1]
    );
    assert!(
        effects[2].contains("\n-a never,exit -F dir=/var/lib/docker/overlay2\n-a never,exit -F dir=/var/lib/docker/volumes\n"),
        "{}",
        effects[2]
    );
    let mut edits = watch("/var/lib/docker");
    edits.extend(set("userns-remap", json!("default")));
    let effects = said(&busy, &edits).pop().unwrap();
    assert!(
        effects.contains("dir=/var/lib/docker/UID.GID/overlay2"),
        "{effects}"
    );
}
