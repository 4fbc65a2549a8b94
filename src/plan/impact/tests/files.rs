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
            vec!["can no longer connect to /etc/docker/x | everybody else"],
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
