use super::*;
use serde_json::json;

#[test]
fn versions_as_docker_prints_them() {
    for (text, expected) in [
        ("20.10.24+dfsg1", Some(v(20, 10))),
        ("20.10.5+dfsg1", Some(v(20, 10))),
        ("26.1.5", Some(v(26, 1))),
        ("v28.5.2", Some(v(28, 5))),
        ("24.0.7-ce", Some(v(24, 0))),
        ("25.0.14, build x", Some(v(25, 0))),
        ("29.0-rc1", Some(v(29, 0))),
        ("29", Some(v(29, 0))),
        ("", None),
        ("dev", None),
        ("library-import", None),
        ("26.x", None),
    ] {
        assert_eq!(Version::parse(text), expected, "{text}");
    }
    assert!(v(20, 10) < v(23, 0) && v(28, 2) < v(28, 10));
}

#[test]
fn every_name_stands_once() {
    let mut all: Vec<&str> = names().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    for (name, works, ..) in DEAD {
        let works = works.unwrap_or("icc");
        assert!(
            works == "proxies" || KEYS.iter().any(|key| key.name == works),
            "{name}"
        );
    }
}

/// Columns: 20.10, 23.0, 24.0, 25.0, 26.1, 27.5, 28.1, 28.5, 29.0. `+` known, `i` ignored, `-` refused.
#[test]
fn what_each_version_makes_of_a_key() {
    let versions = [
        v(20, 10),
        v(23, 0),
        v(24, 0),
        v(25, 0),
        v(26, 1),
        v(27, 5),
        v(28, 1),
        v(28, 5),
        v(29, 0),
    ];
    for (name, expected) in [
        ("icc", "+++++++++"),
        ("features", "+++++++++"),
        ("host-gateway-ip", "+++++++++"),
        ("default-network-opts", "--+++++++"),
        ("log-format", "---++++++"),
        ("cdi-spec-dirs", "---++++++"),
        ("bip6", "------+++"),
        ("host-gateway-ips", "------+++"),
        ("ip-forward-no-drop", "------+++"),
        ("allow-direct-routing", "-------++"),
        ("firewall-backend", "--------+"),
        ("bridge-accept-fwmark", "--------+"),
        ("min-api-version", "--------+"),
        ("graph", "+--------"),
        ("cluster-store", "+--------"),
        ("cluster-advertise", "+--------"),
        ("cluster-store-opts", "+--------"),
        ("oom-score-adjust", "++++-----"),
        ("api-cors-header", "+++++iii-"),
        ("allow-nondistributable-artifacts", "++++++iii"),
        ("deprecated-key-path", "++iiiiiii"),
        ("label", "iiiiiiiii"),
        ("feature", "-----iiii"),
        ("default-network-opt", "--iiiiiii"),
        ("http-proxy", "-iiiiiiii"),
        ("validate", "-iiiiiiii"),
        ("disable-legacy-registry", "---------"),
        ("containerd-plugin-namespace", "---------"),
        ("swarm-raft-heartbeat-tick", "---------"),
        ("proxies", "---------"),
        ("ICC", "---------"),
        ("_comment", "---------"),
    ] {
        let got: String = versions
            .iter()
            .map(|version| match reading(name, Some(*version)) {
                Some(Reading::Known) => '+',
                Some(Reading::Ignored) => 'i',
                Some(reading) if reading.refuses() => '-',
                _ => '?',
            })
            .collect();
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn what_is_said_without_a_version_holds_for_all() {
    for (name, expected) in [
        ("icc", Some(Reading::Known)),
        ("label", Some(Reading::Ignored)),
        ("_comment", Some(Reading::Never)),
        ("graph", None),
        ("log-format", None),
        ("deprecated-key-path", None),
    ] {
        assert_eq!(reading(name, None), expected, "{name}");
    }
    // A version that is newer than the table may know more, and has what it had.
    assert_eq!(reading("_comment", Some(v(30, 0))), None);
    assert_eq!(reading("icc", Some(v(30, 0))), Some(Reading::Known));
    // One that is older has at least not what came later.
    let old = Some(v(19, 3));
    assert_eq!(reading("icc", old), Some(Reading::Known));
    assert_eq!(reading("log-format", old), Some(Reading::NotYet(v(25, 0))));
}

#[test]
fn names_inside_of_unknown_objects_are_options() {
    let text = r#"{"icc": false, "x": {"y": 1}, "z": {}, "log-opts": {"a": "1"},
        "proxies": {"http-proxy": "p"}, "default-network-opts": {"bridge": {}}}"#;
    let document = Document::parse(text.as_bytes()).unwrap();
    let seen = |version| -> Vec<String> {
        directives(&document, Some(version))
            .iter()
            .map(|found| match found.inside {
                Some(outer) => format!("{outer}.{}", found.name),
                None => found.name.to_owned(),
            })
            .collect()
    };
    assert_eq!(
        seen(v(20, 10)),
        [
            "icc",
            "x.y",
            "log-opts",
            "proxies.http-proxy",
            "default-network-opts.bridge"
        ]
    );
    assert_eq!(seen(v(26, 1)).last().unwrap(), "default-network-opts");
}

#[test]
fn shapes() {
    let version = Some(v(26, 1));
    for (name, value, fits) in [
        ("icc", json!(false), true),
        ("icc", json!("false"), false),
        ("icc", json!(null), true),
        ("live-restore", json!(1), false),
        ("log-level", json!("info"), true),
        ("log-level", json!(["info"]), false),
        ("log-opts", json!({"max-file": "3"}), true),
        ("log-opts", json!({"max-file": 3}), false),
        ("shutdown-timeout", json!(15), true),
        ("shutdown-timeout", json!("15"), false),
        ("mtu", json!(1.5), false),
        ("default-shm-size", json!("64M"), true),
        ("default-shm-size", json!(67_108_864), false),
        ("default-ulimits", json!({"nofile": {}}), true),
        ("default-ulimits", json!(["nofile=1:2"]), false),
        ("hosts", json!("fd://"), false),
        ("labels", json!([1]), false),
        ("features", json!({"buildkit": "yes"}), false),
        ("builder", json!({"gc": {"enabled": true}}), true),
        // Ignored keys are not looked at.
        ("label", json!(3), true),
        ("deprecated-key-path", json!(3), true),
    ] {
        assert_eq!(shape(name, version).fits(&value), fits, "{name}: {value}");
    }
}
