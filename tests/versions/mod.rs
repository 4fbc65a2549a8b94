//! Plans on hosts whose dockerd refuses something at its next start: nothing leads there, and
//! nothing restarts a daemon that would not come up again.

use crate::laws::{self, completed};
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::change::Activation;
use seaworthy::facts::Facts;
use seaworthy::plan::{self, Options, Plan};
use seaworthy::policy::Policy;
use serde_json::json;

const CONFIG: &str = "/etc/docker/daemon.json";

/// A sample host with something on top.
pub fn sample(name: &str, overlay: &serde_json::Value, catalog: &Catalog) -> Facts {
    completed(laws::sample(name).overlaid(overlay).unwrap(), catalog)
}

fn planned(catalog: &Catalog, facts: &Facts, only: &[&str]) -> Plan {
    let options = Options {
        selection: Selection {
            only: only.iter().map(|id| (*id).to_owned()).collect(),
            ..Selection::default()
        },
        allow_disruption: true,
        ..Options::default()
    };
    plan::plan(catalog, facts, &Policy::default(), &options, "2026-11-22")
}

fn text(config: &str) -> serde_json::Value {
    json!({ "files": { CONFIG: { "text": config } } })
}

fn held<'a>(plan: &'a Plan, control: &str) -> &'a plan::HeldBack {
    plan.held_back
        .iter()
        .find(|back| back.control == control)
        .unwrap_or_else(|| panic!("{control} is not held back: {:?}", plan.held_back))
}

#[test]
fn no_restart_while_the_file_as_it_stands_would_not_start() {
    let catalog = Catalog::embedded().unwrap();
    // Sample host, its daemon.json, and what is said of it.
    for (host, config, words) in [
        (
            "debian-13",
            "{\n  \"debug\": true,\n  \"graph\": \"/srv/docker\"\n}\n",
            "/etc/docker/daemon.json:3: dockerd 26.1.5+dfsg1 no longer knows `graph` (gone in 23.0)",
        ),
        (
            "debian-12",
            "{\"log-format\": \"json\"}",
            "/etc/docker/daemon.json:1: dockerd 20.10.24+dfsg1 does not know `log-format` yet",
        ),
        (
            "debian-13",
            "{\"storage-driver\": \"aufs\"}",
            "/etc/docker/daemon.json:1: dockerd 26.1.5+dfsg1: `storage-driver` is aufs: it no longer has this storage driver",
        ),
        (
            "debian-13",
            "{\"hosts\": [\"fd://\"]}",
            "docker.service passes -H fd://",
        ),
    ] {
        let facts = sample(host, &text(config), &catalog);
        let plan = planned(&catalog, &facts, &[]);
        assert!(
            !plan.activates(Activation::RestartDocker) && !plan.activates(Activation::ReloadDocker),
            "{config}"
        );
        let paths: Vec<&str> = plan
            .steps
            .iter()
            .map(|step| step.action.path.as_str())
            .collect();
        assert!(!paths.contains(&CONFIG), "{config}: {paths:?}");
        // What needs no restart is done all the same.
        assert!(
            plan.activates(Activation::LoadAuditRules),
            "{config}: {paths:?}"
        );
        for control in ["daemon-icc", "daemon-live-restore"] {
            let back = held(&plan, control);
            assert!(back.reason.contains(words), "{config}: {}", back.reason);
            assert!(!back.release.is_empty());
        }
        let report = catalog
            .get("daemon-json")
            .unwrap()
            .check
            .judge(&facts, &Policy::default());
        assert!(
            report.evidence[0].seen.contains("does not start with it"),
            "{config}: {:?}",
            report.evidence
        );
        assert!(
            report.evidence[0].source.to_string().starts_with(CONFIG),
            "{config}"
        );
    }
}

#[test]
fn a_plan_that_takes_the_reason_away_may_restart() {
    let catalog = Catalog::embedded().unwrap();
    let facts = sample(
        "debian-12",
        &text("{\n  \"seccomp-profile\": \"unconfined\"\n}\n"),
        &catalog,
    );
    let plan = planned(&catalog, &facts, &[]);
    assert!(plan.activates(Activation::RestartDocker));
    let config = plan.forecast.text(CONFIG).unwrap();
    assert!(
        !config.contains("seccomp-profile") && config.contains("icc"),
        "{config}"
    );
    // An empty file is none once there is something in it.
    let empty = sample("debian-12", &text(""), &catalog);
    assert!(planned(&catalog, &empty, &["daemon-icc"]).activates(Activation::RestartDocker));
    // Without the cure the rest waits.
    let plan = planned(&catalog, &facts, &["daemon-icc"]);
    assert!(plan.is_empty(), "{:?}", plan.steps);
    assert!(
        held(&plan, "daemon-icc")
            .reason
            .contains("`seccomp-profile` is \"unconfined\"")
    );
}

#[test]
fn a_key_that_this_version_does_not_know_is_never_written() {
    let control = |key: &str| {
        format!(
            "id = \"site-{key}\"\ntitle = \"A site's own\"\nseverity = \"low\"\nlevel = 1\ncis = {{}}\n\
             rationale = \"Theirs.\"\n\
             check = {{ kind = \"daemon-option\", key = \"{key}\", want = {{ is = \"json\" }} }}\n\
             remediation = {{ applicability = \"automatic\", impact = \"None.\" }}\n"
        )
    };
    // Key, host, and whether its dockerd knows it.
    for (key, host, overlay, knows) in [
        ("log-format", "debian-12", json!({}), false),
        ("log-format", "debian-13", json!({}), true),
        ("firewall-backend", "debian-13", json!({}), false),
        ("no-such-key", "debian-13", json!({}), false),
        ("graph", "debian-13", json!({}), false),
        ("graph", "debian-12", json!({}), true),
    ] {
        let mut catalog = Catalog::embedded().unwrap();
        let id = format!("site-{key}");
        catalog
            .add("daemon", &id, "site.toml", &control(key))
            .unwrap();
        let facts = sample(host, &overlay, &catalog);
        let plan = planned(&catalog, &facts, &[]);
        let config = plan.forecast.text(CONFIG).unwrap_or_default();
        assert_eq!(config.contains(key), knows, "{key} on {host}: {config}");
        // The others are not kept from theirs.
        assert!(config.contains("live-restore"), "{key} on {host}: {config}");
        if !knows {
            let back = held(&plan, &id);
            assert!(back.reason.contains(&format!("`{key}`")), "{}", back.reason);
        }
    }
}
