//! The law of dependants: whoever relies on a setting that a remedy changes is named, and the remedy is
//! not carried out over his head; where nobody does, it is; and where it cannot be seen, it is not.
//!
//! It holds for every control of the catalog whose remedy is carried out without asking, on the hosts of
//! its own examples. Which hosts have dependants follows from what the remedy changes ([`Depends`]), not
//! from the control: a new control is under the law, and fails it when nobody has said what can depend
//! on its setting.

use super::{TODAY, catalog, completed, example_facts, policy};
use seaworthy::catalog::{Applicability, Catalog, Control, Selection};
use seaworthy::change::Edit;
use seaworthy::checks::{Check, Outcome};
use seaworthy::facts::{Facts, Kind, Mode, Seen};
use seaworthy::options::Depends;
use seaworthy::plan::{self, Options, Plan, depends};
use seaworthy::policy::Policy;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Those who rely on a setting, as facts on top of a host that chose it.
struct Dependants {
    facts: Value,
    /// One of them as `impact[].who` names him.
    who: &'static str,
    /// Whether the remedy hits what runs now.
    hit: bool,
}

const OPS: u32 = 1500;

fn container(name: &str, more: &Value) -> Value {
    let mut all = json!({ "id": format!("{name}-id"), "name": name, "image": "shop/app:1",
        "running": true, "restart_policy": "always", "network_mode": "none", "log_driver": "json-file" });
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

/// A container that relies on nothing.
fn bystander() -> Value {
    container(
        "idle",
        &json!({ "own_seccomp": true, "no_new_privileges": true }),
    )
}

fn with(name: &str, more: &Value) -> Value {
    json!({ "docker": { "containers": [bystander(), container(name, more)] } })
}

/// Who relies on what an edit takes away; `None` where it takes nothing from anybody.
fn dependants(of: Depends) -> Option<Dependants> {
    let (facts, who, hit) = match of {
        Depends::Nobody(_) => return None,
        Depends::Unknown => panic!("nobody has said what can depend on it"),
        Depends::Firewall => {
            let mut facts = with(
                "web",
                &json!({ "network_mode": "shop", "networks": ["shop"],
                    "ports": [{ "host_ip": "0.0.0.0", "host_port": "8080", "container": "80/tcp" }] }),
            );
            facts["files"] = json!({ "/etc/ufw/ufw.conf": { "text": "ENABLED=yes\n" } });
            (facts, "container web 0.0.0.0:8080", true)
        }
        Depends::PublishedPorts => {
            let port = json!([{ "host_ip": "::1", "host_port": "80", "container": "80/tcp" }]);
            (
                with("web", &json!({ "ports": port })),
                "container web",
                true,
            )
        }
        Depends::DefaultBridge => {
            let on = json!({ "networks": ["bridge"] });
            let both = [bystander(), container("web", &on), container("db", &on)];
            (
                json!({ "docker": { "containers": both } }),
                "container db",
                true,
            )
        }
        // They are created again on some later day.
        Depends::NewContainers => (with("web", &json!({})), "container web", false),
        Depends::StartingContainers => (with("web", &json!({})), "container web", true),
        Depends::Stored => (
            json!({ "docker": { "images": [{ "id": "sha256:ab", "tags": ["shop/app:1"] }] } }),
            "image shop/app:1",
            true,
        ),
        Depends::Checkpoints => {
            let mut facts = with("web", &json!({}));
            facts["docker"]["experimental"] = json!(true);
            facts["files"] = json!({ "/var/lib/docker/containers/web-id/checkpoints":
                { "kind": "folder", "entries": ["before-update"] } });
            (facts, "container web", true)
        }
        Depends::Registries => (
            with("web", &json!({ "image": "registry.example.com:5000/app" })),
            "container web",
            true,
        ),
        Depends::ApiClients => {
            let mount = json!([{ "kind": "bind", "source": "/run/docker.sock" }]);
            (
                with("agent", &json!({ "mounts": mount })),
                "container agent",
                true,
            )
        }
        Depends::Access => (json!({}), "user bob", true),
        Depends::AuditLog => {
            let mut facts = with("web", &json!({}));
            facts["files"] = json!({ "/etc/audit/auditd.conf": { "kind": "file", "text": "disk_full_action = HALT\n" } });
            (facts, "container web", true)
        }
    };
    Some(Dependants { facts, who, hit })
}

/// A host whose containers outlive a restart of the daemon, so that nothing is hit by the restart
/// itself.
fn outliving(mut facts: Facts) -> Facts {
    if let Seen::Known(docker) = &mut facts.docker {
        docker.live_restore = true;
        // Since then no container with --rm is deleted, either.
        docker.version = docker.version.replace("20.10.24", "26.1.5");
    }
    facts.docker_version = Seen::Known("26.1.5".to_owned());
    let config = "/etc/docker/daemon.json";
    let text = facts.text(config).unwrap_or("{}");
    let mut keys: Value = serde_json::from_str(text).unwrap();
    keys["live-restore"] = json!(true);
    let node = json!({ "files": { config: { "kind": "file", "text": keys.to_string() } } });
    facts.overlaid(&node).unwrap()
}

fn bare(facts: &Facts, overlay: &Value) -> Facts {
    // Read once: the law makes hundreds of hosts.
    static CATALOG: LazyLock<Catalog> = LazyLock::new(catalog);
    completed(facts.overlaid(overlay).unwrap(), &CATALOG)
}

/// The same as an image of that host: what is on its disk, and nothing that runs.
fn image(facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    facts.host.live = false;
    facts.docker = Seen::unseen("it is an image", "");
    facts.daemon_process = Seen::unseen("it is an image", "");
    for unit in facts.units.values_mut() {
        (unit.active, unit.started, unit.main_pid) = (String::new(), 0, 0);
    }
    let root = json!({ "files": {
        "/var/lib/docker": { "kind": "folder", "entries": ["containers", "image"] },
        "/var/lib/docker/containers": { "kind": "folder", "entries": ["c0ffee"] } } });
    bare(&facts, &root)
}

/// A plan for one control, which leaves to the planner what it may do.
fn planned(
    catalog: &Catalog,
    control: &Control,
    facts: &Facts,
    policy: &Policy,
    all: bool,
) -> Plan {
    let skip = catalog.iter().filter(|other| other.id != control.id);
    let options = Options {
        selection: Selection {
            skip: skip.map(|other| other.id.clone()).collect(),
            ..Selection::default()
        },
        allow_disruption: all,
        ..Options::default()
    };
    plan::plan(catalog, facts, policy, &options, TODAY)
}

fn names(impact: &[plan::Impact], who: &str) -> bool {
    impact.iter().any(|one| one.who.iter().any(|it| it == who))
}

/// One insecure host, and what relies on it there.
struct Case<'a> {
    what: String,
    catalog: &'a Catalog,
    control: &'a Control,
    policy: Policy,
    /// Without dependants.
    without: Facts,
    /// With them.
    dependent: Facts,
    who: &'static str,
    hit: bool,
}

impl Case<'_> {
    fn planned(&self, facts: &Facts, all: bool) -> Plan {
        planned(self.catalog, self.control, facts, &self.policy, all)
    }

    fn check(&self) {
        let what = &self.what;
        // With dependants it is held back where it hits what runs, and says whom it concerns.
        let plan = self.planned(&self.dependent, false);
        if self.hit {
            let [back] = &plan.held_back[..] else {
                panic!("{what}: not held back although {} relies on it", self.who);
            };
            assert!(
                back.release.contains("--allow-disruption"),
                "{what}: {back:?}"
            );
            assert!(names(&back.impact, self.who), "{what}: {:?}", back.impact);
            assert!(plan.steps.is_empty(), "{what}");
            let released = self.planned(&self.dependent, true);
            assert!(
                released.held_back.is_empty(),
                "{what}: {:?}",
                released.held_back
            );
            assert!(
                names(&released.impact, self.who),
                "{what}: {:?}",
                released.impact
            );
        } else {
            assert!(plan.held_back.is_empty(), "{what}: {:?}", plan.held_back);
            assert!(names(&plan.impact, self.who), "{what}: {:?}", plan.impact);
        }
        // The same host without them gets neither.
        let plan = self.planned(&self.without, false);
        assert!(plan.held_back.is_empty(), "{what}: {:?}", plan.held_back);
        assert!(!plan.is_empty(), "{what}");
        assert!(!names(&plan.impact, self.who), "{what}: {:?}", plan.impact);
        // In an image they cannot be seen.
        let plan = self.planned(&image(&self.dependent), false);
        let [back] = &plan.held_back[..] else {
            panic!("{what}: not held back in an image");
        };
        assert!(!back.reason.is_empty(), "{what}");
        assert!(
            back.release.contains("--allow-disruption"),
            "{what}: {back:?}"
        );
    }
}

/// The host on which a file is as open as can be to a group that has members, or a socket to those
/// who log in; and the same host on which nobody is there to use it.
fn opened(facts: &Facts, access: &seaworthy::checks::FileAccess, path: &str) -> (Facts, Facts) {
    let mut without = facts.clone();
    let Some(Seen::Known(node)) = without.files.get_mut(path) else {
        panic!("{path} is not there");
    };
    let is_socket = node.kind == Kind::Socket;
    match access.at_most {
        Some(_) if is_socket => node.mode = Mode(0o666),
        Some(most) => (node.mode, node.gid) = (Mode(most.0 | 0o070), OPS),
        None => (node.uid, node.gid, node.mode) = (0, OPS, Mode(0o770)),
    }
    let accounts = |members: &str, shell: &str| {
        json!({ "files": {
            "/etc/passwd": { "text": format!("root:x:0:0::/root:/bin/sh\nbob:x:1001:1001::/home/bob:{shell}\n") },
            "/etc/group": { "text": format!("root:x:0:\ndocker:x:113:\nops:x:{OPS}:{members}\nbob:x:1001:\n") } } })
    };
    let dependent = bare(&without, &accounts("bob", "/bin/sh"));
    (
        bare(&without, &accounts("", "/usr/sbin/nologin")),
        dependent,
    )
}

/// The cases of one example of a control.
fn cases<'a>(
    catalog: &'a Catalog,
    control: &'a Control,
) -> (Vec<Case<'a>>, BTreeSet<&'static str>) {
    let (mut cases, mut nobody) = (Vec::new(), BTreeSet::new());
    for example in &control.examples {
        let (facts, policy) = (example_facts(example, catalog), policy(example));
        let edits = control.check.judge(&facts, &policy).edits;
        for edit in &edits {
            let of = depends(&facts, edit);
            if let Depends::Nobody(why) = of {
                assert!(!why.is_empty());
                nobody.insert(why);
            }
            // A key that a flag repeats may be any one; the flag's own rule is tested with it.
            if matches!(edit, Edit::DaemonFlag { .. }) {
                continue;
            }
            let Some(found) = dependants(of) else {
                continue;
            };
            let (without, dependent) = match (&control.check, edit) {
                (Check::FileAccess(access), Edit::Access { path, .. }) => {
                    opened(&facts, access, path)
                }
                // Whatever is there vanishes, bystanders, too.
                _ if of == Depends::Stored => (facts.clone(), bare(&facts, &found.facts)),
                _ => {
                    let base = outliving(facts.clone());
                    let idle = json!({ "docker": { "containers": [bystander()] } });
                    (bare(&base, &idle), bare(&base, &found.facts))
                }
            };
            let case = Case {
                what: format!("{}, example `{}`, {of:?}", control.id, example.name),
                catalog,
                control,
                policy: policy.clone(),
                without,
                dependent,
                who: found.who,
                hit: found.hit,
            };
            // Where no flag releases it there is nothing to hold back.
            if case.planned(&case.without, true).held_back.is_empty() {
                cases.push(case);
            }
        }
    }
    (cases, nobody)
}

fn automatic(catalog: &Catalog) -> impl Iterator<Item = &Control> {
    catalog
        .iter()
        .filter(|control| control.remediation.applicability == Applicability::Automatic)
}

#[test]
fn whoever_relies_on_a_setting_is_named_and_not_passed_over() {
    let catalog = catalog();
    let mut reasons = BTreeSet::new();
    let mut judged = 0;
    for control in automatic(&catalog) {
        let (cases, nobody) = cases(&catalog, control);
        // One or the other: nothing is carried out of which nobody has thought. A flag that the file
        // repeats can be one of any key, of which the planner asks for itself.
        let only_flags = control.examples.iter().all(|example| {
            let facts = example_facts(example, &catalog);
            let edits = control.check.judge(&facts, &policy(example)).edits;
            let mut edits = edits.iter();
            edits.all(|edit| matches!(edit, Edit::DaemonFlag { .. }))
        });
        assert!(
            only_flags || !cases.is_empty() || !nobody.is_empty(),
            "{}",
            control.id
        );
        judged += cases.len();
        for case in cases {
            case.check();
        }
        reasons.extend(nobody);
    }
    // Every kind of check whose remedy takes something away is among them.
    assert!(judged >= 30, "{judged}");
    assert!(reasons.len() >= 3, "{reasons:?}");
}

/// The properties by which nobody can depend on what a remedy changes.
#[test]
fn where_nobody_can_depend_on_it() {
    let catalog = catalog();
    let mut found = BTreeSet::new();
    for control in automatic(&catalog) {
        let (cases, nobody) = cases(&catalog, control);
        if !cases.is_empty() {
            continue;
        }
        let property = match &control.check {
            Check::DaemonOption(option) => format!("key {}", option.key),
            Check::AuditWatch(_) => "a watch of anything but the data root".to_owned(),
            Check::FileAccess(access) => format!("access to {}", access.place),
            Check::Probe(probe) => format!("{:?}", probe.name),
        };
        for why in nobody {
            found.insert(format!("{property}: {why}"));
        }
    }
    let found: Vec<String> = found.into_iter().collect();
    insta::assert_snapshot!(found.join("\n"));
}

/// A fresh image is hardened without asking; what somebody chose for it is not taken out.
#[test]
fn what_was_chosen_for_an_image_is_not_taken_out() {
    let catalog = catalog();
    let fresh = |text: &str| {
        let facts = bare(
            &super::sample("debian-12"),
            &json!({ "files": { "/etc/docker/daemon.json": { "kind": "file", "text": text } } }),
        );
        let facts = image(&facts);
        bare(
            &facts,
            &json!({ "files": { "/var/lib/docker": { "kind": "folder", "entries": [] } } }),
        )
    };
    let held = |facts: &Facts| -> Vec<String> {
        let options = Options::default();
        let plan = plan::plan(&catalog, facts, &Policy::default(), &options, TODAY);
        plan.held_back
            .into_iter()
            .map(|back| back.control)
            .collect()
    };
    assert_eq!(held(&fresh("{}")), ["content-trust"]);
    let chosen = r#"{"icc": true, "iptables": false, "userland-proxy": true,
        "no-new-privileges": false, "experimental": true, "log-level": "debug"}"#;
    assert_eq!(
        held(&fresh(chosen)),
        [
            "daemon-icc",
            "daemon-iptables",
            "daemon-no-new-privileges",
            "daemon-userland-proxy",
            "daemon-experimental",
            "content-trust",
        ]
    );
    // A host on which nothing runs yet is seen to have nobody.
    let live = bare(
        &super::sample("debian-12"),
        &json!({ "files": { "/etc/docker/daemon.json": { "kind": "file", "text": chosen } } }),
    );
    assert_eq!(held(&live), ["content-trust"]);
}

/// A daemon that does not run, and has containers, cannot say who depends on what.
#[test]
fn a_daemon_that_could_not_be_asked_is_not_taken_for_one_without_containers() {
    let catalog = catalog();
    let stopped = |entries: &[&str]| {
        let mut facts = super::sample("debian-12");
        facts.docker = Seen::unseen("docker.service does not run", "systemctl start docker");
        facts.daemon_process = Seen::unseen("docker.service does not run", "");
        for name in ["docker.service", "docker.socket"] {
            let unit = facts.units.get_mut(name).unwrap();
            (unit.active, unit.started, unit.main_pid) = ("inactive".to_owned(), 0, 0);
        }
        bare(
            &facts,
            &json!({ "files": {
                "/var/lib/docker": { "kind": "folder", "entries": ["containers"] },
                "/var/lib/docker/containers": { "kind": "folder", "entries": entries } } }),
        )
    };
    let held = |facts: &Facts| -> Vec<String> {
        let options = Options::default();
        let plan = plan::plan(&catalog, facts, &Policy::default(), &options, TODAY);
        let daemon = |back: &plan::HeldBack| back.control.starts_with("daemon-");
        let held = plan.held_back.into_iter().filter(daemon);
        held.map(|back| back.control).collect()
    };
    assert_eq!(
        held(&stopped(&["c0ffee"])),
        [
            "daemon-icc",
            "daemon-userns-remap",
            "daemon-no-new-privileges",
            "daemon-userland-proxy",
        ]
    );
    // What is in another store, without containers, vanishes all the same.
    assert_eq!(held(&stopped(&[])), ["daemon-userns-remap"]);
}

/// The outcome of every case's control before: what is not insecure proves nothing.
#[test]
fn the_hosts_of_the_law_are_insecure() {
    let catalog = catalog();
    for control in automatic(&catalog) {
        for case in cases(&catalog, control).0 {
            for facts in [&case.without, &case.dependent] {
                let judgement = control.check.judge(facts, &case.policy);
                assert_eq!(judgement.outcome, Outcome::Fail, "{}", case.what);
            }
        }
    }
}
