//! The rows of the keys of daemon.json, held to what the other rooms do with them.

use crate::laws;
use seaworthy::catalog::Catalog;
use seaworthy::checks::{Check, DaemonOption, Layout};
use seaworthy::facts::Facts;
use seaworthy::formats::command_line;
use seaworthy::options::{self, NEWEST, OLDEST, Reload, Shape};
use seaworthy::policy::{self, Policy};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn controls(catalog: &Catalog) -> Vec<(&str, &DaemonOption)> {
    let found = catalog.iter().filter_map(|control| match &control.check {
        Check::DaemonOption(check) => Some((control.id.as_str(), check)),
        _ => None,
    });
    found.collect()
}

#[test]
fn every_control_of_an_option_has_a_row() {
    let catalog = Catalog::embedded().unwrap();
    let controls = controls(&catalog);
    assert!(controls.len() > 15);
    let mut decided: BTreeMap<&str, bool> = BTreeMap::new();
    for (id, check) in controls {
        let row = options::row(&check.key).unwrap_or_else(|| panic!("{id}: `{}`", check.key));
        *decided.entry(row.name).or_default() |= check.policy;
        if let Some(set) = &check.set {
            assert!(row.shape.fits(set), "{id}: {set}");
        }
    }
    // A decision that no control asks for would do nothing.
    for (key, asked) in decided {
        assert_eq!(policy::decides(key), asked, "{key}");
    }
}

#[test]
fn a_site_decides_what_a_row_leaves_to_it_and_nothing_else() {
    for row in options::rows() {
        let text = format!("[daemon]\n{} = 1\n", row.name);
        assert_eq!(Policy::parse(&text).is_ok(), row.decided, "{}", row.name);
        let kept = Layout::KEPT_KEYS.contains(&row.name);
        assert!(!(kept && row.decided), "{}", row.name);
    }
    for name in options::names().filter(|name| options::row(name).is_none()) {
        let text = format!("[daemon]\n{name} = 1\n");
        assert!(Policy::parse(&text).is_err(), "{name}");
    }
}

#[test]
fn a_flag_is_read_by_the_row_of_its_key() {
    for row in options::rows() {
        let Some(flag) = row.flag else {
            continue;
        };
        let alone =
            command_line::parse(&["dockerd".to_owned(), format!("--{flag}"), "x".to_owned()]);
        let found = alone.of_key(row.name);
        let value = if row.shape == Shape::Switch {
            "true"
        } else {
            "x"
        };
        assert_eq!(found.len(), 1, "{}", row.name);
        assert_eq!(found[0].value, value, "{}", row.name);
        let dead = flag != row.name && options::row(flag).is_none();
        assert_eq!(dead, alone.of_key(flag).is_empty(), "{flag}");
    }
}

#[test]
fn what_is_told_and_what_a_reload_is_enough_for() {
    let told: Vec<&str> = options::rows()
        .filter(|row| row.depends.is_some())
        .map(|row| row.name)
        .collect();
    assert!(
        told.contains(&"icc") && told.contains(&"userns-remap"),
        "{told:?}"
    );
    let enough: Vec<&str> = options::rows()
        .filter(|row| row.reload == Reload::Enough)
        .map(|row| row.name)
        .collect();
    // The executor switches it by itself, before a restart, and knows no other.
    assert_eq!(enough, ["live-restore"]);
}

#[test]
fn versions_are_those_that_the_table_knows() {
    for row in options::rows() {
        let versions = [
            Some(row.since),
            row.ignored_from,
            row.gone_from,
            row.whole_since,
        ];
        for version in versions.into_iter().flatten() {
            assert!(
                (OLDEST..=NEWEST).contains(&version),
                "{}: {version}",
                row.name
            );
        }
        assert!(
            row.gone_from.is_none_or(|gone| gone > row.since),
            "{}",
            row.name
        );
    }
}

#[test]
fn a_default_is_what_an_audit_says_of_a_host_without_the_key() {
    let catalog = Catalog::embedded().unwrap();
    let mut asked = 0;
    for row in options::rows() {
        let version = options::Version::parse("26.1.5");
        let Some(default @ (Value::Bool(_) | Value::String(_))) = row.default.value(version) else {
            continue;
        };
        let check: DaemonOption =
            serde_json::from_value(json!({"key": row.name, "want": {"is": default}})).unwrap();
        let mut facts: Facts = laws::completed(laws::sample("debian-13"), &catalog);
        facts.files.insert(
            "/etc/docker/daemon.json".to_owned(),
            seaworthy::facts::Seen::Known(seaworthy::facts::Node::absent()),
        );
        let judgement = check.judge(&Layout::of(&facts), &Policy::default());
        let first = &judgement.evidence[0];
        assert!(
            first.seen.contains(&format!("is {default}")) || first.seen.contains(" = "),
            "{}: {first:?}",
            row.name
        );
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
}
