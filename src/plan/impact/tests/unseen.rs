//! Those who cannot be seen.

use super::*;

fn image(live: bool, text: &str, files: &Value) -> Facts {
    let mut facts = host(&json!({
        "host": { "live": live },
        "units": { "docker.service": { "active": "", "started": 0 } },
        "files": { "/etc/docker/daemon.json": { "text": text },
            "/var/lib/docker": { "kind": "folder", "entries": [] } } }))
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
