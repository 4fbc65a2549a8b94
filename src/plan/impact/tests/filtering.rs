//! Docker's own firewall back on, and what it needs of the kernel.

use super::*;

const LINK: &str = "../../../../usr/lib/systemd/system/x.service";

fn off(text: &str, files: &[(&str, Value)], containers: &[Value]) -> Facts {
    let mut all = json!({ "/etc/docker/daemon.json": { "text": text } });
    for (path, node) in files {
        all[*path] = node.clone();
    }
    host(&json!({ "docker": { "containers": containers }, "files": all }))
}

fn take_out(key: &str) -> Vec<Edit> {
    vec![Edit::DaemonKey {
        key: key.to_owned(),
        value: None,
    }]
}

fn port(ip: &str, container: &str) -> Value {
    json!({ "host_ip": ip, "host_port": "8080", "container": container })
}

fn web(ports: &[Value]) -> Value {
    running("web", json!({ "ports": ports }))
}

#[test]
fn whose_ports_open() {
    let stopped = running(
        "old",
        json!({ "running": false, "ports": [port("0.0.0.0", "80/udp")] }),
    );
    for (containers, who, disrupts) in [
        (vec![], vec![], false),
        (vec![web(&[])], vec![], false),
        (
            vec![web(&[port("127.0.0.1", "80/tcp"), port("::1", "80/tcp")])],
            vec![],
            false,
        ),
        (
            vec![stopped.clone()],
            vec!["container old 0.0.0.0:8080/udp"],
            false,
        ),
        (
            vec![
                stopped,
                web(&[port("0.0.0.0", "80/tcp"), port("::", "80/tcp")]),
                running("db", json!({ "ports": [port("", "5432/tcp")] })),
            ],
            vec![
                "container web 0.0.0.0:8080",
                "container web [::]:8080",
                "container db 0.0.0.0:8080",
                "container old 0.0.0.0:8080/udp",
            ],
            true,
        ),
    ] {
        let facts = off(r#"{"iptables": false}"#, &[], &containers);
        let effects = of_edits(&facts, &take_out("iptables"));
        assert_eq!(effects.len(), 1, "{effects:?}");
        assert_eq!(effects[0].who, who, "{containers:?}");
        let turn = Turn::of_edits(&facts, &take_out("iptables"));
        let reason = firewall::disruption(&turn);
        assert_eq!(reason.is_some(), disrupts, "{containers:?}: {reason:?}");
    }
}

#[test]
fn what_shows_that_a_firewall_is_in_use() {
    let link = |target: &str| json!({ "kind": "link", "target": target });
    let wants = "/etc/systemd/system/multi-user.target.wants";
    let text = |text: &str| json!({ "text": text });
    let firewalld = format!("{wants}/firewalld.service");
    let nftables = "/etc/systemd/system/sysinit.target.wants/nftables.service";
    for (files, expected) in [
        (vec![], None),
        (vec![("/etc/ufw/ufw.conf", text("ENABLED=no\n"))], None),
        (vec![("/etc/ufw/ufw.conf", text("# ENABLED=yes\n"))], None),
        (
            vec![(
                "/etc/ufw/ufw.conf",
                text("# x\nENABLED=yes\nLOGLEVEL=low\n"),
            )],
            Some("ufw (/etc/ufw/ufw.conf: ENABLED=yes)"),
        ),
        (vec![(&*firewalld, link(LINK))], Some("firewalld (")),
        (
            vec![
                (&*firewalld, link(LINK)),
                ("/etc/systemd/system/firewalld.service", link("/dev/null")),
            ],
            None,
        ),
        (
            vec![("/run/firewalld.pid", json!({}))],
            Some("firewalld (/run/firewalld.pid)"),
        ),
        (vec![(nftables, link(LINK))], Some("nftables (")),
        (
            vec![(
                "/etc/runlevels/default/iptables",
                link("/etc/init.d/iptables"),
            )],
            Some("iptables ("),
        ),
        (
            vec![("/etc/csf/csf.conf", text("TESTING = \"0\"\n"))],
            Some("csf (/etc/csf/csf.conf: TESTING=0)"),
        ),
        (
            vec![
                ("/etc/ufw/ufw.conf", text("ENABLED=yes")),
                (nftables, link(LINK)),
            ],
            Some(" and nftables ("),
        ),
    ] {
        let facts = off(r#"{"iptables": false}"#, &files, &[]);
        let turn = Turn::of_edits(&facts, &take_out("iptables"));
        let reason = firewall::disruption(&turn);
        match expected {
            None => assert_eq!(reason, None, "{files:?}"),
            Some(words) => assert!(
                reason.as_ref().is_some_and(|it| it.contains(words)),
                "{files:?}: {reason:?}"
            ),
        }
        // All of it is looked at.
        let requests = firewall::requests(&facts);
        for (path, _) in &files {
            assert!(requests.contains_key(*path), "{path}");
        }
    }
    let plain = off("{}", &[], &[]);
    assert!(firewall::requests(&plain).is_empty());
}

#[test]
fn when_it_goes_on() {
    let with = [web(&[port("0.0.0.0", "80/tcp"), port("::", "80/tcp")])];
    let flag = |argv: &str, text: &str| {
        let facts = off(text, &[], &with);
        let argv = ["/usr/bin/dockerd", argv];
        facts
            .overlaid(&json!({ "units": { "docker.service": { "argv": argv } } }))
            .unwrap()
    };
    let without = |key: &str| {
        vec![Edit::DaemonFlag {
            key: key.to_owned(),
        }]
    };
    let versioned = |version: &str| {
        let facts = off(r#"{"ip6tables": false}"#, &[], &with);
        facts
            .overlaid(&json!({ "docker_version": version }))
            .unwrap()
    };
    let both = [take_out("iptables"), take_out("ip6tables")].concat();
    for (what, facts, edits, who) in [
        (
            "null is off",
            off(r#"{"iptables": null}"#, &[], &with),
            take_out("iptables"),
            2,
        ),
        (
            "set to true",
            off(r#"{"iptables": false}"#, &[], &with),
            set("iptables", json!(true)),
            2,
        ),
        (
            "it was on",
            off(r#"{"iptables": true}"#, &[], &with),
            take_out("iptables"),
            0,
        ),
        (
            "it stays off",
            off(r#"{"iptables": false}"#, &[], &with),
            set("icc", json!(false)),
            0,
        ),
        (
            "by a flag",
            flag("--iptables=false", "{}"),
            without("iptables"),
            2,
        ),
        (
            "by a flag and the file",
            flag("--iptables=false", r#"{"iptables": false}"#),
            without("iptables"),
            0,
        ),
        (
            "by a flag, and the file has it on",
            flag("--iptables=false", r#"{"iptables": true}"#),
            without("iptables"),
            2,
        ),
        (
            "off by default before 27",
            versioned("26.1.5"),
            take_out("ip6tables"),
            0,
        ),
        (
            "on by default since",
            versioned("27.0.1"),
            take_out("ip6tables"),
            1,
        ),
        (
            "both",
            off(r#"{"iptables": false, "ip6tables": false}"#, &[], &with),
            both,
            2,
        ),
    ] {
        let effects = of_edits(&facts, &edits);
        let named: usize = effects
            .iter()
            .filter(|effect| effect.why.contains("tables"))
            .map(|effect| effect.who.len())
            .sum();
        assert_eq!(named, who, "{what}: {effects:?}");
    }
}

#[test]
fn a_plan_for_an_image_says_it_too() {
    let facts = off(
        r#"{"iptables": false}"#,
        &[("/etc/ufw/ufw.conf", json!({ "text": "ENABLED=yes\n" }))],
        &[],
    );
    let mut image = facts
        .overlaid(
            &json!({ "host": { "live": false }, "units": { "docker.service": { "active": "" } } }),
        )
        .unwrap();
    image.docker = Seen::unseen("it is an image", "");
    let turn = Turn::of_edits(&image, &take_out("iptables"));
    let effects = firewall::impact(&turn);
    assert!(
        effects[0].what.contains("this host's own firewall, ufw") && effects[0].who.is_empty(),
        "{effects:?}"
    );
}

#[test]
fn ports_that_nothing_serves() {
    let after = |text: &str| off(text, &[], &[]);
    let neither = after(r#"{"iptables": false, "userland-proxy": false}"#);
    let busy = off("{}", &[], &[web(&[port("0.0.0.0", "80/tcp")])]);
    for (facts, after, expected) in [
        (&busy, &neither, true),
        (&busy, &after(r#"{"iptables": false}"#), false),
        (&busy, &after(r#"{"userland-proxy": false}"#), false),
        (&off("{}", &[], &[web(&[])]), &neither, false),
        (
            &Facts {
                docker: Seen::unseen("permission denied", "run as root"),
                ..busy.clone()
            },
            &neither,
            true,
        ),
    ] {
        let reason = unserved(facts, after);
        assert_eq!(reason.is_some(), expected, "{reason:?}");
    }
}

#[test]
fn a_kernel_without_br_netfilter() {
    let modules = "/lib/modules/6.1.0-1";
    let switch = "/proc/sys/net/bridge/bridge-nf-call-iptables";
    let absent = || json!({ "kind": "absent" });
    let base = |version: &str, files: &[(&str, Value)]| {
        let mut all = json!({
            switch: absent(),
            "/sys/module/br_netfilter": absent(),
            "/proc/sys": { "kind": "folder" },
            "/lib": { "kind": "link", "target": "usr/lib" },
            "/proc/sys/kernel/osrelease": { "text": "6.1.0-1\n" },
            "/proc/sys/kernel/modules_disabled": { "text": "0\n" },
            modules: { "kind": "folder" },
            format!("{modules}/modules.dep"): { "text": "kernel/net/x.ko:\n" },
            format!("{modules}/modules.builtin"): { "text": "kernel/net/y.ko\n" },
            "/.dockerenv": absent(),
        });
        for (path, node) in files {
            all[*path] = node.clone();
        }
        host(&json!({ "docker_version": version, "files": all }))
    };
    let known = |path: &str| {
        (
            format!("{modules}/{path}"),
            json!({ "text": "kernel/net/bridge/br_netfilter.ko.xz: kernel/net/bridge/bridge.ko\n" }),
        )
    };
    let (dep, dep_text) = known("modules.dep");
    let (builtin, builtin_text) = known("modules.builtin");
    let icc = set("icc", json!(false));
    let proxy = set("userland-proxy", json!(false));
    for (what, facts, edits, expected) in [
        (
            "neither list knows it",
            base("26.1.5", &[]),
            &icc,
            Some("knows it"),
        ),
        (
            "the proxy needs it from 28 on",
            base("28.5.2", &[]),
            &proxy,
            Some("userland-proxy"),
        ),
        ("and not before", base("27.5.1", &[]), &proxy, None),
        (
            "it is loaded",
            base("26.1.5", &[(switch, json!({ "text": "1\n" }))]),
            &icc,
            None,
        ),
        (
            "it can be loaded",
            base("26.1.5", &[(&*dep, dep_text)]),
            &icc,
            None,
        ),
        (
            "it is a part of the kernel",
            base("26.1.5", &[(&*builtin, builtin_text)]),
            &icc,
            None,
        ),
        (
            "a list that was not seen",
            base(
                "26.1.5",
                &[(&*dep, json!({ "unseen": "permission denied" }))],
            ),
            &icc,
            Some("this could not be read: /lib/modules/6.1.0-1/modules.dep (permission denied)"),
        ),
        (
            "the modules of the kernel are gone",
            base("26.1.5", &[(modules, absent())]),
            &icc,
            Some("are not there"),
        ),
        (
            "nothing can be loaded",
            base(
                "26.1.5",
                &[(
                    "/proc/sys/kernel/modules_disabled",
                    json!({ "text": "1\n" }),
                )],
            ),
            &icc,
            Some("until the next boot"),
        ),
        (
            "in a container",
            base("26.1.5", &[("/.dockerenv", json!({}))]),
            &icc,
            None,
        ),
        (
            "icc on",
            base("26.1.5", &[]),
            &set("icc", json!(true)),
            None,
        ),
        (
            "the unit says so",
            {
                let files = [(
                    "/x.conf",
                    json!({ "text": "Environment=DOCKER_IGNORE_BR_NETFILTER_ERROR=1\n" }),
                )];
                base("28.5.2", &files)
                    .overlaid(
                        &json!({ "units": { "docker.service": { "drop_ins": ["/x.conf"] } } }),
                    )
                    .unwrap()
            },
            &icc,
            None,
        ),
        (
            "an image",
            base("26.1.5", &[])
                .overlaid(&json!({ "host": { "live": false } }))
                .unwrap(),
            &icc,
            None,
        ),
    ] {
        let found = danger(edits, &facts).map(|(reason, _)| reason);
        match expected {
            None => assert_eq!(found, None, "{what}"),
            Some(words) => assert!(
                found.as_ref().is_some_and(|it| it.contains(words)),
                "{what}: {found:?}"
            ),
        }
    }
}
