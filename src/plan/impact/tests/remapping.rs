//! userns-remap.

use super::*;
use crate::facts::{Node, Seen};

#[test]
fn who_cannot_run_remapped() {
    let remap = set("userns-remap", json!("default"));
    let bind = |path: &str, writable: bool| {
        json!({ "mounts": [
        { "kind": "bind", "source": path, "destination": "/x", "writable": writable }] })
    };
    let folder =
        |mode: &str, id: u32| json!({ "kind": "folder", "mode": mode, "uid": id, "gid": id });
    for (container, files, expected) in [
        (json!({}), json!({}), vec![]),
        (
            json!({ "privileged": true, "devices": ["/dev/a"] }),
            json!({}),
            vec!["cannot be created again without `--userns=host`, as they are privileged"],
        ),
        (
            json!({ "network_mode": "host", "pid_mode": "host" }),
            json!({}),
            vec![
                "cannot be created again without `--userns=host`, as they use the network of the host",
                "cannot be created again without `--userns=host`, as they see the processes of the host",
            ],
        ),
        (
            json!({ "privileged": true, "network_mode": "host", "userns_mode": "host" }),
            json!({}),
            vec![],
        ),
        (
            json!({ "ipc_mode": "host" }),
            json!({}),
            vec!["may fail to start remapped: they share the host's IPC or have devices of it"],
        ),
        (
            json!({ "devices": ["/dev/ttyUSB0"] }),
            json!({}),
            vec!["may fail to start remapped: they share the host's IPC or have devices of it"],
        ),
        (
            bind("/var/run/docker.sock", false),
            json!({}),
            vec!["lose the Docker socket that is mounted into them (/var/run/docker.sock)"],
        ),
        (
            bind("/run/", true),
            json!({}),
            vec!["lose the Docker socket that is mounted into them (/run)"],
        ),
        (
            bind("/srv/a", false),
            json!({ "/srv/a": folder("0755", 0) }),
            vec![],
        ),
        (
            bind("/srv/a", true),
            json!({ "/srv/a": folder("0755", 0) }),
            vec!["can only read what they could write before: /srv/a"],
        ),
        (
            bind("/srv/a", true),
            json!({ "/srv/a": folder("0777", 0) }),
            vec![],
        ),
        (
            bind("/srv/a", false),
            json!({ "/srv/a": folder("0750", 0) }),
            vec!["cannot read what is mounted into them any more: /srv/a"],
        ),
        (
            bind("/srv/a", false),
            json!({ "/srv/a": folder("0754", 0) }),
            vec!["cannot read what is mounted into them any more: /srv/a"],
        ),
        (
            bind("/srv/a", true),
            json!({ "/srv/a": { "kind": "absent" } }),
            vec![],
        ),
        (
            bind("/srv/a", true),
            json!({ "/srv/a": { "kind": "link", "target": "/b" } }),
            vec!["may lose access to what is mounted into them: /srv/a"],
        ),
        (
            bind("/srv/a", true),
            json!({}),
            vec!["may lose access to what is mounted into them: /srv/a"],
        ),
        (
            bind("/srv/a\n- all is well", true),
            json!({}),
            vec!["may lose access to what is mounted into them: /srv/a\u{fffd}- all is well"],
        ),
        (bind("c:\\data", true), json!({}), vec![]),
        (
            bind("/srv/s", true),
            json!({ "/srv/s": { "kind": "socket", "mode": "0666" } }),
            vec![],
        ),
        (
            bind("/srv/s", true),
            json!({ "/srv/s": { "kind": "socket", "mode": "0664" } }),
            vec!["cannot read what is mounted into them any more: /srv/s"],
        ),
    ] {
        let facts = host(&json!({
            "units": { "docker.socket": { "listen": "/run/docker.sock" } },
            "docker": { "containers": [running("web", container.clone())] }, "files": files }));
        let mut effects = said(&facts, &remap);
        let vanishing = "the daemon changes to another root, and these vanish from view until it is changed back | container web";
        assert_eq!(effects.remove(0), vanishing);
        let expected: Vec<String> = expected
            .iter()
            .map(|what| format!("{what} | container web"))
            .collect();
        assert_eq!(effects, expected, "{container} {files}");
    }
    // What belongs to a mapped user stays his.
    let facts = host(&json!({
        "docker": { "containers": [running("web", bind("/srv/a", true))] },
        "files": { "/srv/a": folder("0700", 100_005) } }));
    assert_eq!(said(&facts, &set("userns-remap", json!("bob"))).len(), 1);
    assert_eq!(said(&facts, &remap).len(), 2);
}

#[test]
fn what_vanishes() {
    let remap = set("userns-remap", json!("default"));
    let facts = host(&json!({ "docker": {
        "images": [{ "id": "sha256:0123456789abcdef", "size": 1_500_000 }, { "tags": ["a:1", "a:2"], "size": 500_000 }],
        "volumes": ["v"], "networks": [{ "name": "n" }], "swarm": "active" } }));
    let effect = &of_edits(&facts, &remap)[0];
    assert_eq!(
        effect.who,
        [
            "image 0123456789ab",
            "image a:1",
            "volume v",
            "network n",
            "this host's membership in its swarm"
        ]
    );
    assert_eq!(
        effect.size.as_deref(),
        Some(
            "on the disk the images take at most 2.0 MB; containers and volumes are measured for a plan that does this"
        )
    );
    for (usage, text) in [
        (
            json!({ "unseen": "no answer within 20 s" }),
            "on the disk the images take at most 2.0 MB; containers and volumes are not measured: no answer within 20 s",
        ),
        (json!({}), "they take nothing on the disk"),
        (
            json!({ "images": 1_900_000, "volumes": 3_000_000_000_u64 }),
            "on the disk they take: images 1.9 MB and volumes 3.0 GB",
        ),
    ] {
        let facts = facts
            .overlaid(&json!({ "docker": { "usage": usage } }))
            .unwrap();
        let effect = &of_edits(&facts, &remap)[0];
        assert_eq!(effect.size.as_deref(), Some(text));
    }
    let control = control("daemon-userns-remap");
    assert_eq!(
        disruption(&control, &remap, &facts, &Options::default(), false).unwrap(),
        "the daemon changes to another root, and what exists now vanishes from view: 2 images, 1 volume, 1 network and the membership in a swarm"
    );
    // A host on which nothing is yet.
    let effect = &of_edits(&host(&json!({})), &remap)[0];
    assert!(effect.who.is_empty() && effect.size.is_none());
    assert_eq!(
        disruption(
            &control,
            &remap,
            &host(&json!({})),
            &Options::default(),
            false
        ),
        None
    );
    // In effect already.
    let remapped =
        host(&json!({ "docker": { "security_options": ["name=userns"], "volumes": ["v"] } }));
    assert!(said(&remapped, &remap).is_empty());
    // `root` maps nothing.
    assert!(said(&facts, &set("userns-remap", json!("root"))).is_empty());
}

#[test]
fn what_no_flag_releases() {
    let parts = |files: Value| host(&json!({ "files": files }));
    let absent = json!({ "kind": "absent" });
    let no_programs: serde_json::Map<String, Value> = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .flat_map(|folder| ["adduser", "useradd"].map(|name| format!("{folder}/{name}")))
        .map(|path| (path, absent.clone()))
        .collect();
    let with_passwd = |user: &str, more: Value| {
        let mut files =
            json!({ "/etc/passwd": { "text": format!("root:x:0:0::/:\n{user}:x:77:77::/:\n") } });
        if let (Some(files), Value::Object(more)) = (files.as_object_mut(), more) {
            files.extend(more);
        }
        parts(files)
    };
    for (user, facts, reason) in [
        ("default", host(&json!({})), None),
        ("bob", host(&json!({})), None),
        ("bob:ops", host(&json!({})), None),
        (
            "1001",
            host(
                &json!({ "files": { "/etc/subuid": { "text": "1001:5:65536" }, "/etc/subgid": { "text": "1001:5:65536" } } }),
            ),
            None,
        ),
        (
            "eve",
            host(&json!({})),
            Some("eve has no subordinate ids in /etc/subuid, and the daemon would not start"),
        ),
        (
            "bob",
            parts(json!({ "/etc/subgid": absent })),
            Some("bob has no subordinate ids in /etc/subgid, and the daemon would not start"),
        ),
        (
            "bob",
            parts(json!({ "/etc/subuid": { "text": "bob:1:2\nbroken\n" } })),
            Some(
                "/etc/subuid:2: it is not a range of subordinate ids, and the daemon would not start",
            ),
        ),
        (
            "bob",
            parts(json!({ "/etc/subuid": { "unseen": "permission denied" } })),
            Some(
                "whether bob exists and has subordinate ids is not known: /etc/subuid: permission denied",
            ),
        ),
        (
            "default",
            with_passwd("dockremap", json!({})),
            Some("dockremap has no subordinate ids in /etc/subuid, and the daemon would not start"),
        ),
        (
            "default",
            parts(Value::Object(no_programs.clone())),
            Some(
                "the daemon would make the account dockremap for userns-remap, and there is neither adduser nor useradd here",
            ),
        ),
        (
            "default",
            parts(json!({ "/proc/sys/user/max_user_namespaces": { "text": "0\n" } })),
            Some(
                "userns-remap needs user namespaces, and this kernel allows none (user.max_user_namespaces = 0)",
            ),
        ),
        (
            "default",
            parts(json!({ "/var/lib": { "mode": "0750" }, "/var": { "mode": "0700" } })),
            Some(
                "remapped users must pass through the folders above the data root, and the daemon would not start: /var /var/lib is closed to others",
            ),
        ),
        (
            "default",
            host(
                &json!({ "docker": { "live_restore": true, "containers": [running("web", json!({}))] } }),
            ),
            // It goes off first, so that they stop and are not left behind under the former root.
            None,
        ),
    ] {
        let found = danger(&set("userns-remap", json!(user)), &facts);
        assert_eq!(found.map(|(reason, _)| reason).as_deref(), reason, "{user}");
        assert_eq!(danger(&set("icc", json!(false)), &facts), None, "{user}");
    }
    // A restart for any reason brings it about, once it is written.
    let waiting = parts(json!({
        "/etc/docker/daemon.json": { "text": r#"{"userns-remap": "eve"}"#, "modified": 2000 } }));
    assert!(danger(&[Edit::RestartDocker], &waiting).is_some());
    assert!(danger(&set("icc", json!(false)), &waiting).is_some());
    // A link on the way to the data root is followed.
    let elsewhere = parts(json!({
        "/etc/docker/daemon.json": { "text": r#"{"data-root": "/data/docker"}"# },
        "/data": { "kind": "link", "target": "mnt/big" }, "/mnt": { "kind": "folder", "mode": "0755" },
        "/mnt/big": { "kind": "folder", "mode": "0770" } }));
    let (reason, cure) = danger(&set("userns-remap", json!("default")), &elsewhere).unwrap();
    assert!(reason.contains("/mnt/big is closed"), "{reason}");
    assert_eq!(cure, "chmod o+x /mnt/big");
}

#[test]
fn ids_that_are_too_few() {
    let facts =
        host(&json!({ "files": { "/etc/subgid": { "text": "bob:1:1000\nbob:5000:500" } } }));
    let effects = said(&facts, &set("userns-remap", json!("bob")));
    assert_eq!(
        effects[1],
        "images that hold files of users or groups from 1500 on cannot be unpacked | "
    );
}

/// Only what is on a local file system is looked at, folder by folder.
#[test]
fn looking_at_mounted_paths() {
    let mounts = "22 1 8:1 / / rw - ext4 /dev/a rw\n40 22 0:41 / /srv/nfs rw - nfs4 s:/x rw\n";
    let bind = |path: &str| json!({ "kind": "bind", "source": path });
    let containers = json!([running(
        "web",
        json!({ "mounts": [
        bind("/srv/nfs/in"), bind("/srv/a"), bind("/ln/b"), { "kind": "volume", "source": "/srv/no" }] })
    )]);
    let mut facts = host(&json!({ "docker": { "containers": containers } }));
    assert!(requests(&facts).contains_key("/proc/self/mountinfo"));
    facts.files.insert(
        "/proc/self/mountinfo".to_owned(),
        Seen::Known(Node::file(mounts)),
    );
    let folder = Node {
        kind: crate::facts::Kind::Folder,
        ..Node::default()
    };
    let mut looked = Vec::new();
    loop {
        let wanted = remapped::requests(&facts);
        let news: Vec<String> = wanted
            .into_keys()
            .filter(|path| !facts.files.contains_key(path))
            .collect();
        if news.is_empty() {
            break;
        }
        for path in news {
            let mut node = folder.clone();
            if path == "/ln" {
                node.kind = crate::facts::Kind::Link;
            }
            facts.files.insert(path.clone(), Seen::Known(node));
            looked.push(path);
        }
    }
    looked.sort();
    assert_eq!(looked, ["/ln", "/srv", "/srv/a"]);
    // Nothing to look at: not even the mounts.
    assert!(!requests(&host(&json!({}))).contains_key("/proc/self/mountinfo"));
}
