//! Laws that hold for every control at once, checked on the examples in the control files and on
//! the sample hosts.

mod dependants;

use seaworthy::audit::judge;
use seaworthy::catalog::{Applicability, Catalog, Control, Example, Selection};
use seaworthy::change::{Action, State};
use seaworthy::checks::{Outcome, reread};
use seaworthy::facts::{Facts, Node, Requests, Seen};
use seaworthy::plan::{self, Options, Plan};
use seaworthy::policy::Policy;

pub(crate) const TODAY: &str = "2026-11-22";

pub(crate) fn catalog() -> Catalog {
    Catalog::embedded().unwrap()
}

pub(crate) fn sample(name: &str) -> Facts {
    let path = format!(
        "{}/tests/fixtures/hosts/{name}.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Everything that is asked for and that the sample host does not have is absent there.
pub(crate) fn completed(mut facts: Facts, catalog: &Catalog) -> Facts {
    loop {
        let mut wanted: Requests = Catalog::requests(catalog.iter(), &facts);
        wanted.extend(plan::requests(&facts));
        let missing: Vec<String> = wanted
            .into_keys()
            .filter(|path| !facts.files.contains_key(path))
            .collect();
        if missing.is_empty() {
            return facts;
        }
        for path in missing {
            facts.files.insert(path, Seen::Known(Node::absent()));
        }
    }
}

fn example_facts(example: &Example, catalog: &Catalog) -> Facts {
    let base = sample("debian-12");
    let mut facts = if example.facts.is_null() {
        base
    } else {
        base.overlaid(&example.facts)
            .unwrap_or_else(|error| panic!("example `{}`: {error}", example.name))
    };
    // An example says what the unit's files hold, or what systemd said of it.
    if example.facts["units"]["docker.service"]["argv"].is_null() {
        reread(&mut facts, "docker.service");
    }
    completed(facts, catalog)
}

fn policy(example: &Example) -> Policy {
    example
        .policy
        .as_deref()
        .map_or_else(Policy::default, |text| Policy::parse(text).unwrap())
}

/// `--only ID`: releases whatever the control disrupts.
fn only(control: &Control) -> Options {
    Options {
        selection: Selection {
            only: vec![control.id.clone()],
            ..Selection::default()
        },
        allow_disruption: true,
        ..Options::default()
    }
}

fn apply(facts: &mut Facts, action: &Action) {
    let now = match facts.node(&action.path) {
        Seen::Known(node) => State::of(node).unwrap(),
        Seen::Unseen(unseen) => panic!("{}: {}", action.path, unseen.unseen),
    };
    match (&action.before, &now) {
        (State::Opaque { attributes }, now) => assert_eq!(Some(attributes), now.attributes()),
        (before, now) => assert_eq!(before, now, "{}", action.path),
    }
    let mut node = facts.files[&action.path].known().cloned().unwrap();
    match &action.after {
        State::Absent => node = Node::absent(),
        State::File {
            attributes,
            content,
        } => {
            if now == State::Absent {
                node = Node::file("");
            }
            node.set_attributes(attributes);
            node.content = Some(content.clone());
        }
        State::Folder { attributes } => {
            node = Node {
                kind: seaworthy::facts::Kind::Folder,
                entries: Some(Vec::new()),
                ..Node::default()
            };
            node.set_attributes(attributes);
        }
        State::Opaque { attributes } => node.set_attributes(attributes),
    }
    facts.files.insert(action.path.clone(), Seen::Known(node));
}

fn states(facts: &Facts, plan: &Plan) -> Vec<State> {
    plan.steps
        .iter()
        .map(|step| State::of(facts.node(&step.action.path).known().unwrap()).unwrap())
        .collect()
}

/// The laws of a plan on a host.
fn check_laws(what: &str, catalog: &Catalog, facts: &Facts, policy: &Policy, options: &Options) {
    let plan = plan::plan(catalog, facts, policy, options, TODAY);
    let held: Vec<&str> = plan
        .held_back
        .iter()
        .map(|back| back.control.as_str())
        .collect();

    // audit ∘ simulate passes, but for what is held back or waits for an event.
    for one in judge(catalog, &plan.forecast, policy, &options.selection, TODAY) {
        assert!(
            one.judgement.outcome != Outcome::Fail
                || held.contains(&one.control.id.as_str())
                || one.judgement.is_pending(),
            "{what}: {} still fails after the plan: {:?}",
            one.control.id,
            one.judgement.evidence
        );
    }

    // A second plan is empty.
    let second = plan::plan(catalog, &plan.forecast, policy, options, TODAY);
    assert!(
        second.is_empty(),
        "{what}: the second plan is not empty: {:?} {:?}",
        second.steps,
        second.activations
    );

    // One action a path, each with a difference to show and a control that it serves.
    let mut paths: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.action.path.as_str())
        .collect();
    let count = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), count, "{what}");
    for step in &plan.steps {
        assert!(!step.controls.is_empty(), "{what}: {}", step.action.path);
        assert!(
            !plan::unified(&step.action).is_empty(),
            "{what}: {}",
            step.action.path
        );
    }

    // Plan, then inverse, restores the facts.
    let mut host = facts.clone();
    let before = states(&host, &plan);
    for step in &plan.steps {
        apply(&mut host, &step.action);
    }
    for step in plan.steps.iter().rev() {
        apply(&mut host, &step.action.clone().inverse());
    }
    assert_eq!(states(&host, &plan), before, "{what}");
}

#[test]
fn every_example_gets_its_verdict_and_its_remedy() {
    let catalog = catalog();
    assert!(catalog.iter().count() >= 60);
    let mut wrong = Vec::new();
    for control in catalog.iter() {
        for example in &control.examples {
            let what = format!("{}, example `{}`", control.id, example.name);
            let facts = example_facts(example, &catalog);
            let policy = policy(example);
            let judgement = control.check.judge(&facts, &policy);
            if judgement.outcome != example.expect {
                wrong.push(format!(
                    "{what}: expected {}, got {}: {:?}",
                    example.expect, judgement.outcome, judgement.evidence
                ));
                continue;
            }
            assert!(!judgement.evidence.is_empty(), "{what}: no evidence");
            if control.remediation.applicability == Applicability::Manual {
                assert!(judgement.edits.is_empty() || judgement.outcome == Outcome::Fail);
            }
            let options = only(control);
            let plan = plan::plan(&catalog, &facts, &policy, &options, TODAY);
            for (path, text) in &example.after {
                let planned = plan.forecast.text(path).unwrap_or("(nothing)");
                if planned != text {
                    wrong.push(format!("{what}: {path} becomes {planned:?}, not {text:?}"));
                }
            }
            check_laws(&what, &catalog, &facts, &policy, &options);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_control_has_an_example_that_passes_and_one_that_does_not() {
    for control in catalog().iter() {
        let expects = |wanted: &[Outcome]| {
            control
                .examples
                .iter()
                .any(|example| wanted.contains(&example.expect))
        };
        assert!(expects(&[Outcome::Pass]), "{}", control.id);
        assert!(expects(&[Outcome::Fail, Outcome::Manual]), "{}", control.id);
    }
}

#[test]
fn numbers_are_unique_within_a_benchmark() {
    let catalog = catalog();
    let mut seen = std::collections::BTreeMap::new();
    for control in catalog.iter() {
        for (version, number) in &control.cis {
            if let Some(other) = seen.insert((version, number), &control.id) {
                panic!(
                    "{version} {number} is claimed by {other} and {}",
                    control.id
                );
            }
        }
    }
}

#[test]
fn the_laws_hold_for_whole_hosts() {
    let catalog = catalog();
    for name in crate::families::HOSTS {
        let facts = completed(sample(name), &catalog);
        for allow_disruption in [false, true] {
            let options = Options {
                allow_disruption,
                ..Options::default()
            };
            check_laws(name, &catalog, &facts, &Policy::default(), &options);
        }
    }
}

#[test]
fn on_a_fresh_host_only_content_trust_is_disruptive() {
    let catalog = catalog();
    for name in ["debian-12", "debian-13"] {
        let facts = completed(sample(name), &catalog);
        let plan = plan::plan(
            &catalog,
            &facts,
            &Policy::default(),
            &Options::default(),
            TODAY,
        );
        let held: Vec<&str> = plan
            .held_back
            .iter()
            .map(|back| back.control.as_str())
            .collect();
        assert_eq!(held, ["content-trust"], "{name}");
        assert!(plan::unified(&plan.held_back[0].changes[0]).contains("+DOCKER_CONTENT_TRUST=1"));
        let options = Options {
            allow_disruption: true,
            ..Options::default()
        };
        let plan = plan::plan(&catalog, &facts, &Policy::default(), &options, TODAY);
        assert!(plan.held_back.is_empty(), "{name}: {:?}", plan.held_back);
    }
}
