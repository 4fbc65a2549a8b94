//! Settings of the daemon that concern containers.

use super::*;

#[test]
fn the_default_bridge() {
    let icc = set("icc", json!(false));
    let on = |name: &str| running(name, json!({ "networks": ["bridge"] }));
    let web = running(
        "web",
        json!({ "network_mode": "default", "links": ["db", "gone"] }),
    );
    let db = running(
        "db",
        json!({ "networks": ["bridge"], "exposed": ["5432/tcp"] }),
    );
    let shop = running("shop", json!({ "networks": ["shop_default"] }));
    for (containers, disrupts, expected) in [
        (
            vec![],
            None,
            vec!["no running container is on the default bridge now | "],
        ),
        (
            vec![
                on("a"),
                running("b", json!({ "networks": ["bridge"], "running": false })),
            ],
            None,
            vec!["only a is on the default bridge now | "],
        ),
        (
            vec![on("a"), on("b")],
            Some("2 containers on the default bridge could no longer reach each other: a, b"),
            vec![
                "containers on the default bridge no longer reach each other | container a, container b",
            ],
        ),
        (
            vec![web, db, shop],
            Some("2 containers on the default bridge could no longer reach each other: web, db"),
            vec![
                "containers on the default bridge no longer reach each other | container web, container db",
                "linked containers keep what is exposed: web reaches db on 5432/tcp | container web",
                "these networks stay as they are | network shop_default",
            ],
        ),
    ] {
        let networks = json!([{ "name": "shop_default" }, { "name": "unused" }]);
        let facts = host(&json!({ "docker": { "containers": containers, "networks": networks } }));
        assert_eq!(said(&facts, &icc), expected);
        let turn = Turn::of_edits(&facts, &icc);
        assert_eq!(bridge::disruption(&turn).as_deref(), disrupts);
    }
    // In effect already, or switched on: nobody is concerned.
    let closed = host(&json!({ "docker": {
        "containers": [on("a"), on("b")],
        "bridge_options": { "com.docker.network.bridge.enable_icc": "false" } } }));
    assert!(said(&closed, &icc).is_empty());
    assert!(said(&with(&[on("a"), on("b")]), &set("icc", json!(true))).is_empty());
}

#[test]
fn what_waits_in_the_file_comes_with_any_restart() {
    let containers = json!([
        running("a", json!({ "networks": ["bridge"] })),
        running(
            "b",
            json!({ "networks": ["bridge"], "ports": [{ "host_port": "80", "container": "80/tcp" }] })
        ),
    ]);
    let facts = |text: &str, modified: i64| {
        host(&json!({
            "docker": { "containers": containers },
            "files": { "/etc/docker/daemon.json": { "text": text, "modified": modified } } }))
    };
    // The API shows that the bridge is open still.
    let waiting = facts(r#"{"icc": false}"#, 0);
    assert_eq!(said(&waiting, &[Edit::RestartDocker]).len(), 1);
    assert!(said(&waiting, &[]).is_empty());
    // It shows nothing of the proxy: the time of the file decides.
    let text = r#"{"userland-proxy": false}"#;
    assert!(said(&facts(text, 999), &[Edit::RestartDocker]).is_empty());
    assert_eq!(said(&facts(text, 1001), &[Edit::RestartDocker]).len(), 1);
}

#[test]
fn settings_of_new_containers() {
    let old = running("old", json!({ "user": "app:app", "image": "app:1" }));
    let hardened = running(
        "hardened",
        json!({ "no_new_privileges": true, "user": "app" }),
    );
    let root = running(
        "root",
        json!({ "user": "0:0", "log_driver": "journald", "ulimits": ["nofile"] }),
    );
    let exempt = running(
        "exempt",
        json!({ "no_new_privileges": false, "user": "app" }),
    );
    let facts = with(&[old, hardened, root, exempt]);
    let limits = json!({ "nofile": { "Name": "nofile", "Soft": 1, "Hard": 2 } });
    for (key, value, expected) in [
        (
            "no-new-privileges",
            json!(true),
            vec![
                "processes in containers created from now on cannot gain rights by setuid programs; these keep what they were created with | container old, container root, container exempt",
                "a hint only: containers of these images start as an ordinary user, and may need sudo, su or ping to work once they are created again | image app:1",
            ],
        ),
        (
            "log-driver",
            json!("journald"),
            vec![
                "only containers created from now on log to journald; these keep their driver (json-file) until they are created again | container old, container hardened, container exempt",
            ],
        ),
        ("log-driver", json!("json-file"), vec![]),
        (
            "default-ulimits",
            limits,
            vec![
                "get the default limits (nofile) when they start the next time | container old, container hardened, container exempt",
            ],
        ),
        ("userland-proxy", json!(false), vec![]),
        ("live-restore", json!(true), vec![]),
    ] {
        assert_eq!(said(&facts, &set(key, value)), expected, "{key}");
    }
}

#[test]
fn programs_that_gain_rights() {
    let of = |name: &str, image: &str, setuid: Value| {
        running(
            name,
            json!({ "user": "app", "image": image, "setuid": setuid }),
        )
    };
    let debian = json!({ "programs": ["/bin/mount", "/usr/bin/mount", "/usr/bin/su"] });
    let facts = with(&[
        of("a", "none:1", json!({})),
        of("b", "debian:2", debian.clone()),
        of("c", "debian:1", debian.clone()),
        of("d", "debian:1", debian),
        of("e", "far:1", json!({ "unseen": "permission denied" })),
        of(
            "f",
            "sudo:1",
            json!({ "programs": ["/usr/bin/ping", "/usr/bin/sudo"],
                "named": { "ping": "", "sudo": "/run\nme.sh" } }),
        ),
        running("root", json!({ "image": "root:1" })),
    ]);
    let effects = of_edits(&facts, &set("no-new-privileges", json!(true)));
    let hints: Vec<String> = effects
        .iter()
        .filter_map(|effect| {
            let what = effect.what.strip_prefix(
                "a hint only: containers of these images start as an ordinary user, and ",
            )?;
            Some(format!(
                "{what} ({}) | {}",
                effect.why,
                effect.who.join(", ")
            ))
        })
        .collect();
    assert_eq!(
        hints,
        [
            "their entry points name programs that gain no rights once they are created again: ping in the command and sudo in /run\u{fffd}me.sh (the programs are setuid, setgid or have capabilities; whether they are run is not known) | image sudo:1",
            "these programs in them gain no rights once they are created again: mount and su (they are setuid, setgid or have capabilities; nothing that was read of their start names them) | image debian:1, image debian:2",
            "may need sudo, su or ping to work once they are created again (programs that gain rights were not looked for: permission denied; `find / -xdev -perm -4000` in the container lists them) | image far:1",
            "no program that gains rights was found in them (looked for in the usual folders of their layers only) | image none:1",
        ]
    );
}

#[test]
fn published_ports() {
    let port = |ip: &str| json!({ "ports": [{ "host_ip": ip, "host_port": "80", "container": "80/tcp" }] });
    let off = set("userland-proxy", json!(false));
    for (ip, disrupts) in [
        ("0.0.0.0", false),
        ("127.0.0.1", false),
        ("::", false),
        ("::1", true),
    ] {
        let facts = with(&[running("web", port(ip)), running("quiet", json!({}))]);
        let effects = of_edits(&facts, &off);
        assert_eq!(effects.len(), 1);
        assert_eq!(effects[0].who, ["container web"]);
        let turn = Turn::of_edits(&facts, &off);
        assert_eq!(ports::disruption(&turn).is_some(), disrupts, "{ip}");
    }
}

#[test]
fn who_is_reached_over_ipv6() {
    let off = set("userland-proxy", json!(false));
    let address = "20010db8000000000000000000000002 02 40 00 80 eth0\n";
    for (ip, has_ipv6, addresses, disrupts) in [
        ("::", false, address, true),
        ("", false, address, true),
        ("0.0.0.0", false, address, false),
        ("::", true, address, false),
        ("::", false, "", false),
        ("2001:db8::2", false, "", true),
        ("2001:db8::2", true, "", false),
    ] {
        let web = json!({ "has_ipv6": has_ipv6,
                          "ports": [{ "host_ip": ip, "host_port": "80", "container": "80/tcp" }] });
        let mut facts = with(&[running("web", web)]);
        let file =
            json!({ "files": { "/proc/net/if_inet6": { "kind": "file", "text": addresses } } });
        facts = facts.overlaid(&file).unwrap();
        let turn = Turn::of_edits(&facts, &off);
        let why = ports::disruption(&turn);
        assert_eq!(why.is_some(), disrupts, "{ip} {has_ipv6} {addresses}");
        let effects = of_edits(&facts, &off);
        assert_eq!(effects.len(), 1 + usize::from(disrupts));
    }
}

#[test]
fn what_disrupts_here() {
    let icc = control("daemon-icc");
    let edits = set("icc", json!(false));
    let on = |name: &str| running(name, json!({ "networks": ["bridge"] }));
    for (containers, reason) in [
        (vec![], None),
        (
            vec![on("a")],
            Some("it restarts docker.service, and a container runs here: a"),
        ),
        (
            vec![on("a"), on("b")],
            Some(
                "2 containers on the default bridge could no longer reach each other: a, b; it restarts docker.service, and 2 containers run here: a, b",
            ),
        ),
    ] {
        let found = disruption(&icc, &edits, &with(&containers), &Options::default(), false);
        assert_eq!(found.as_deref(), reason);
    }
    let unseen = host(&json!({ "docker": { "unseen": "permission denied" } }));
    assert_eq!(
        disruption(&icc, &edits, &unseen, &Options::default(), false).unwrap(),
        "it restarts docker.service, and the containers could not be seen: permission denied"
    );
    // Nothing restarts.
    assert_eq!(
        disruption(
            &icc,
            &[Edit::LoadAuditRules],
            &unseen,
            &Options::default(),
            false
        ),
        None
    );
}

#[test]
fn what_a_restart_does() {
    let facts = with(&[
        running(
            "always",
            json!({ "restart_policy": "always", "ports": [
            { "host_ip": "0.0.0.0", "host_port": "443", "container": "443/tcp" },
            { "host_ip": "::", "host_port": "443", "container": "443/tcp" },
            { "host_ip": "127.0.0.1", "host_port": "80", "container": "80/tcp" }] }),
        ),
        running("failing", json!({ "restart_policy": "on-failure" })),
        running(
            "plain",
            json!({ "mounts": [
            { "kind": "volume", "source": "data" },
            { "kind": "volume", "source": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }] }),
        ),
        running("rm", json!({ "auto_remove": true })),
        running("task", json!({ "swarm_task": true })),
        running("unless", json!({ "restart_policy": "unless-stopped" })),
        running(
            "signalled",
            json!({ "restart_policy": "unless-stopped", "marked_stopped": true }),
        ),
        running(
            "stopped",
            json!({ "running": false, "restart_policy": "always" }),
        ),
    ]);
    let turn = Turn::of_edits(&facts, &[Edit::RestartDocker]);
    let said: Vec<String> = restart::impact(&turn)
        .into_iter()
        .map(|impact| format!("{} | {}", impact.what, impact.who.join(", ")))
        .collect();
    assert_eq!(
        said,
        [
            "docker.service restarts once, and 7 containers stop, so that nobody answers on 443/tcp, 127.0.0.1:80/tcp meanwhile | ",
            "are in use by containers that stop | volume data",
            "are deleted by the restart, with what they have written and their anonymous volumes | container rm",
            "stop and come back | container always, container unless",
            "stop, and come back only if their process ends with an error | container failing",
            "stop and stay down until somebody starts them | container plain",
            "stop and stay down, although their restart policy is unless-stopped | container signalled",
            "stop, and the swarm starts new tasks in their place | container task",
        ]
    );
    let mut edits = set("userns-remap", json!("default"));
    edits.extend(set("log-driver", json!("journald")));
    edits.extend(set("no-new-privileges", json!(true)));
    let turn = Turn::of_edits(&facts, &edits);
    let all = restart::impact(&turn);
    assert_eq!(all.len(), 4);
    assert!(all[2].what.starts_with("stop and do not come back"));
    assert_eq!(all[2].who.len(), 7);
    assert_eq!(all[3].who, ["container rm"]);
    // What is created again keeps nothing.
    assert!(
        logging::impact(&turn)[0]
            .what
            .ends_with("once they are created again")
    );
    assert!(privileges::impact(&turn)[0].who.is_empty());
}
