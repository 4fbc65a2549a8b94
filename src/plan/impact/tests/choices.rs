//! Profiles, checkpoints, registries and the API's clients.

use super::*;

fn take_out(key: &str) -> Vec<Edit> {
    vec![Edit::DaemonKey {
        key: key.to_owned(),
        value: None,
    }]
}

fn configured(text: &str, more: &Value) -> Facts {
    host(&json!({ "files": { "/etc/docker/daemon.json": { "text": text } } }))
        .overlaid(more)
        .unwrap()
}

#[test]
fn a_seccomp_profile() {
    let containers = json!([
        running("web", json!({})),
        running("own", json!({ "own_seccomp": true })),
        running("all", json!({ "privileged": true })),
        running("old", json!({ "running": false })),
    ]);
    let unconfined = r#"{"seccomp-profile": "unconfined"}"#;
    let docker = json!({ "docker": { "containers": containers } });
    let own = set("seccomp-profile", json!("/etc/docker/strict.json"));
    for (text, edits, expected) in [
        (
            unconfined,
            take_out("seccomp-profile"),
            Some("Docker's own profile"),
        ),
        (
            "{}",
            own.clone(),
            Some("the profile /etc/docker/strict.json"),
        ),
        (
            r#"{"seccomp-profile": "/etc/docker/strict.json"}"#,
            own,
            None,
        ),
        ("{}", set("icc", json!(false)), None),
        ("{}", set("seccomp-profile", json!("unconfined")), None),
    ] {
        let facts = configured(text, &docker);
        let turn = Turn::of_edits(&facts, &edits);
        let effects = seccomp::impact(&turn);
        assert_eq!(effects.len(), usize::from(expected.is_some()), "{text}");
        assert_eq!(seccomp::disruption(&turn).is_some(), expected.is_some());
        if let Some(profile) = expected {
            assert!(effects[0].what.contains(profile), "{effects:?}");
            assert_eq!(effects[0].who, ["container web", "container old"]);
        }
    }
    // Taken out already, and the daemon has not started since.
    let waiting = configured(
        "{}",
        &json!({ "docker": { "containers": containers,
            "security_options": ["name=seccomp,profile=unconfined"] } }),
    );
    let turn = Turn::of_edits(&waiting, &[Edit::RestartDocker]);
    assert!(seccomp::disruption(&turn).is_some());
    assert!(seccomp::disruption(&Turn::of_edits(&waiting, &[])).is_none());
}

#[test]
fn checkpoints_of_containers() {
    let facts = |text: &str, experimental: bool, entries: &[&str]| {
        configured(
            text,
            &json!({
                "docker": { "experimental": experimental, "containers": [
                    running("web", json!({ "id": "c0ffee" })),
                    running("db", json!({ "id": "dec0de" })),
                ] },
                "files": {
                    "/var/lib/docker/containers/c0ffee/checkpoints": { "kind": "folder", "entries": entries },
                    "/var/lib/docker/containers/dec0de/checkpoints": { "kind": "absent" },
                }
            }),
        )
    };
    let on = r#"{"experimental": true}"#;
    for (facts, edits, expected) in [
        (
            facts(on, true, &["cp1"]),
            take_out("experimental"),
            vec!["container web"],
        ),
        (facts(on, true, &[]), take_out("experimental"), vec![]),
        (
            facts("{}", true, &["cp1"]),
            vec![Edit::RestartDocker],
            vec!["container web"],
        ),
        (
            facts("{}", false, &["cp1"]),
            vec![Edit::RestartDocker],
            vec![],
        ),
        (facts(on, true, &["cp1"]), set("icc", json!(false)), vec![]),
    ] {
        let turn = Turn::of_edits(&facts, &edits);
        let who: Vec<String> = checkpoints::impact(&turn)
            .into_iter()
            .flat_map(|effect| effect.who)
            .collect();
        assert_eq!(who, expected);
        assert_eq!(
            checkpoints::disruption(&turn).is_some(),
            !expected.is_empty()
        );
    }
    let unseen = facts(on, true, &[])
        .overlaid(&json!({ "files": {
            "/var/lib/docker/containers/c0ffee/checkpoints": { "unseen": "permission denied" } } }))
        .unwrap();
    let turn = Turn::of_edits(&unseen, &take_out("experimental"));
    assert!(checkpoints::disruption(&turn).is_some());
    assert_eq!(checkpoints::requests(&unseen).len(), 2);
    assert!(checkpoints::requests(&facts(on, false, &[])).is_empty());
}

#[test]
fn registries_that_are_trusted_no_more() {
    let docker = json!({ "docker": {
        "insecure_registries": ["registry.lan:5000", "10.0.0.0/8"],
        "images": [{ "tags": ["registry.lan:5000/app:3", "app:3"] }, { "tags": ["nginx:1"] }],
        "containers": [
            running("app", json!({ "image": "registry.lan:5000/app:3" })),
            running("ten", json!({ "image": "10.1.2.3/tool" })),
            running("web", json!({ "image": "nginx:1" })),
        ] } });
    let facts = configured(
        r#"{"insecure-registries": ["registry.lan:5000", "10.0.0.0/8"]}"#,
        &docker,
    );
    let who = |facts: &Facts, edits: &[Edit]| -> Vec<String> {
        let turn = Turn::of_edits(facts, edits);
        let effects = registries::impact(&turn);
        effects.into_iter().flat_map(|effect| effect.who).collect()
    };
    assert_eq!(
        who(&facts, &take_out("insecure-registries")),
        [
            "container app",
            "container ten",
            "image registry.lan:5000/app:3"
        ]
    );
    let one = set("insecure-registries", json!(["registry.lan:5000"]));
    assert_eq!(who(&facts, &one), ["container ten"]);
    assert!(who(&facts, &set("icc", json!(false))).is_empty());
}

#[test]
fn clients_of_the_api() {
    let facts = configured(
        "{}",
        &json!({
            "units": { "docker.socket": { "fragment": "/lib/docker.socket", "listen": "/run/docker.sock" } },
            "docker": { "containers": [
                running("agent", json!({ "mounts": [{ "kind": "bind", "source": "/var/run/docker.sock" }] })),
                running("web", json!({})),
            ] },
            "files": { "/run/docker.sock": { "kind": "socket", "mode": "0660", "gid": 104 } }
        }),
    );
    let edits = set("authorization-plugins", json!(["broker"]));
    let effects = clients::impact(&Turn::of_edits(&facts, &edits));
    assert_eq!(
        effects[0].who,
        ["container agent", "group docker", "user eve"]
    );
}

#[test]
fn another_control_group() {
    let facts = configured(
        r#"{"cgroup-parent": "tenants.slice"}"#,
        &json!({ "docker": { "containers": [running("web", json!({}))] } }),
    );
    let turn = Turn::of_edits(&facts, &take_out("cgroup-parent"));
    assert_eq!(limits::impact(&turn)[0].who, ["container web"]);
}

#[test]
fn a_flag_that_the_file_repeats() {
    let facts = |flag: &str, text: &str| {
        let argv = ["/usr/bin/dockerd", flag];
        configured(
            text,
            &json!({ "units": { "docker.service": { "argv": argv } } }),
        )
    };
    let edits = |key: &str| {
        vec![Edit::DaemonFlag {
            key: key.to_owned(),
        }]
    };
    for (facts, key, expected) in [
        (
            facts("--bip=10.9.0.1/16", r#"{"bip": "10.9.0.1/16"}"#),
            "bip",
            false,
        ),
        (
            facts("--bip=10.9.0.1/16", r#"{"bip": "10.8.0.1/16"}"#),
            "bip",
            true,
        ),
        (
            facts("--log-level=debug", r#"{"log-level": "info"}"#),
            "log-level",
            false,
        ),
    ] {
        let reason = depends::unknown(&facts, &edits(key));
        assert_eq!(reason.is_some(), expected, "{key}: {reason:?}");
    }
}
