use super::version::v;
use super::*;
use serde_json::json;

#[test]
fn every_name_stands_once() {
    let mut all: Vec<&str> = names().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    for dead in DEAD {
        let works = dead.instead.unwrap_or("icc");
        assert!(works == "proxies" || row(works).is_some(), "{}", dead.name);
    }
    assert!(ROWS.is_sorted_by(|one, other| one.name < other.name));
    assert!(DEAD.is_sorted_by(|one, other| one.name < other.name));
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

#[test]
fn flags() {
    for (key, flag) in [
        ("icc", "icc"),
        ("log-opts", "log-opt"),
        ("runtimes", "add-runtime"),
        ("host-gateway-ip", "host-gateway-ip"),
        ("host-gateway-ips", "host-gateway-ip"),
        ("unheard-of", "unheard-of"),
    ] {
        assert_eq!(flag_of_key(key), flag, "{key}");
    }
    for (name, is) in [
        ("label", true),
        ("add-runtime", true),
        ("feature", true),
        ("labels", false),
        ("host-gateway-ip", false),
        ("config-file", false),
        ("http-proxy", false),
        ("unheard-of", false),
    ] {
        assert_eq!(is_renamed_flag(name), is, "{name}");
    }
    let renamed = rows().filter(|row| row.flag.is_some_and(|flag| flag != row.name));
    assert_eq!(renamed.count(), 18);
    let switches = names()
        .chain(BOOLEAN_FLAGS)
        .filter(|name| is_boolean_flag(name));
    assert_eq!(
        switches.collect::<std::collections::BTreeSet<_>>().len(),
        25
    );
    for (short, _) in SHORT_FLAGS {
        assert!(
            long_flag(short).is_some_and(
                |long| names().any(|name| name == long) || BOOLEAN_FLAGS.contains(&long)
            )
        );
    }
    assert_eq!(long_flag('x'), None);
}

#[test]
fn defaults_have_the_shape_of_their_key() {
    for row in rows() {
        for version in [v(20, 10), v(26, 1), v(27, 0), v(29, 0), v(29, 7), v(30, 0)] {
            let value = row.default.value(Some(version)).unwrap();
            assert!(row.shape.fits(&value), "{}: {value}", row.name);
        }
    }
    let of = |key, version| row(key).unwrap().default.value(version);
    assert_eq!(of("ip6tables", Some(v(26, 1))), Some(json!(false)));
    assert_eq!(of("ip6tables", Some(v(27, 0))), Some(json!(true)));
    assert_eq!(of("ip6tables", None), None);
    assert_eq!(of("min-api-version", Some(v(29, 3))), Some(json!("1.40")));
    assert_eq!(of("insecure-registries", Some(v(29, 9))), Some(json!([])));
    assert_eq!(
        of("insecure-registries", Some(v(29, 10))),
        Some(json!(LOOPBACK))
    );
    assert_eq!(of("userns-remap", None), Some(json!(null)));
}

#[test]
fn what_a_restart_makes_of_what_is_shown_is_shown_then() {
    use crate::facts::Docker;
    for row in rows() {
        let Some(shown) = row.shown else {
            assert_ne!(row.reload, Reload::Enough, "{}", row.name);
            continue;
        };
        assert!(
            shown.at.starts_with("/info ") || shown.of_bridge,
            "{}",
            row.name
        );
        let Some(restart) = shown.restart else {
            continue;
        };
        let values = match row.shape {
            Shape::Switch => vec![json!(true), json!(false), json!(true)],
            Shape::Text => vec![json!("default"), json!(""), json!("local")],
            Shape::Texts => vec![json!(["a:1"]), json!([]), json!(["b"])],
            other => panic!("{}: {other:?}", row.name),
        };
        let mut docker = Docker {
            version: "26.1.5".to_owned(),
            bridge_options: [("x".to_owned(), "y".to_owned())].into(),
            ..Docker::default()
        };
        for value in values {
            restart(&mut docker, &value);
            assert_eq!(
                docker.is_in_effect(row.name, &value),
                Some(true),
                "{}: {value}",
                row.name
            );
        }
    }
}

#[test]
fn what_may_be_secret_is_not_public() {
    for key in [
        "log-opts",
        "registry-mirrors",
        "runtimes",
        "cluster-store",
        "http-proxy",
        "proxies",
        "token",
    ] {
        assert!(!is_public(key), "{key}");
    }
    for key in [
        "icc",
        "labels",
        "bip",
        "default-ulimits",
        "insecure-registries",
        "userns-remap",
    ] {
        assert!(is_public(key), "{key}");
    }
}
