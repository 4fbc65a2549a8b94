//! Whom a plan concerns, on a host with ten containers of different kinds.

use crate::laws::{TODAY, catalog, completed, sample};
use seaworthy::change::Digest;
use seaworthy::facts::{Docker, Facts, Seen, Usage};
use seaworthy::plan::{self, Document, Options, Plan};
use seaworthy::policy::Policy;
use seaworthy::render::{self, Paper};

fn busy() -> Facts {
    completed(sample("busy-debian-13"), &catalog())
}

fn planned(facts: &Facts, policy: &str, allow_disruption: bool) -> (Plan, Document) {
    let options = Options {
        allow_disruption,
        ..Options::default()
    };
    let policy = Policy::parse(policy).unwrap();
    let plan = plan::plan(&catalog(), facts, &policy, &options, TODAY);
    let at = "2026-11-25T12:00:00Z";
    let document = Document::new(&plan, facts, &options, at, &Digest::of(b""));
    (plan, document)
}

/// The plan as it is printed, without the steps.
fn printed(document: &Document) -> String {
    let text = render::consequences(document, &Paper::default());
    let text = console::strip_ansi_codes(&text).into_owned();
    for line in text.lines() {
        let is_diff = line.starts_with(['+', '-', '@', ' ']) && !line.starts_with("  ");
        let has_break = line.trim().contains(' ');
        assert!(
            is_diff || !has_break || line.chars().count() <= 80,
            "longer than 80 columns: {line}"
        );
    }
    text
}

fn measured(mut facts: Facts, usage: Seen<Usage>) -> Facts {
    if let Seen::Known(docker) = facts.docker {
        facts.docker = Seen::Known(Docker { usage, ..docker });
    }
    facts
}

const DECIDED: &str = r#"
[daemon]
log-driver = "journald"
default-ulimits = { nofile = { Name = "nofile", Soft = 4096, Hard = 65536 } }
"#;

#[test]
fn what_is_held_back_says_whom_it_would_concern() {
    let (_, document) = planned(&busy(), DECIDED, false);
    insta::assert_snapshot!(printed(&document));
}

#[test]
fn everything_at_once() {
    let usage = Usage {
        images: 2_400_000_000,
        containers: 12_345_678,
        volumes: 31_000_000_000,
        build_cache: 0,
    };
    let facts = measured(busy(), Seen::Known(usage));
    let (plan, document) = planned(&facts, DECIDED, true);
    assert!(plan.asks_for_usage());
    insta::assert_snapshot!(printed(&document));
}

#[test]
fn only_a_plan_that_remaps_users_asks_for_sizes() {
    let (plan, _) = planned(&busy(), "", false);
    assert!(!plan.asks_for_usage());
}

#[test]
fn only_a_plan_that_takes_rights_asks_for_setuid_programs() {
    // Held back counts, too: it says whom it would concern.
    for (allow_disruption, skip, asks) in [
        (false, vec![], true),
        (true, vec![], true),
        (true, vec!["daemon-no-new-privileges".to_owned()], false),
    ] {
        let mut options = Options {
            allow_disruption,
            ..Options::default()
        };
        options.selection.skip = skip;
        let plan = plan::plan(&catalog(), &busy(), &Policy::default(), &options, TODAY);
        assert_eq!(plan.asks_for_setuid(), asks);
    }
}

#[test]
fn a_saved_plan_is_not_held_to_sizes() {
    let sized = |images: u64| {
        let usage = Usage {
            images,
            ..Usage::default()
        };
        let facts = measured(busy(), Seen::Known(usage));
        planned(&facts, "", true).1
    };
    let (then, now) = (sized(1), sized(2_000_000));
    assert_ne!(then.impact, now.impact);
    then.hold_to(&now, &busy()).unwrap();
    let mut other = now.clone();
    other.impact[0].who.push("container new".to_owned());
    assert!(then.hold_to(&other, &busy()).is_err());
    let mut other = now;
    other.held_back = planned(&busy(), "", false).1.held_back;
    assert!(then.hold_to(&other, &busy()).is_err());
}

#[test]
fn the_forecast_of_a_plan_never_depends_on_the_order_of_answers() {
    let mut facts = busy();
    let first = planned(&facts, DECIDED, true).1;
    if let Seen::Known(docker) = &mut facts.docker {
        for container in &mut docker.containers {
            container.mounts.reverse();
            container.ports.reverse();
        }
    }
    assert_eq!(first.impact, planned(&facts, DECIDED, true).1.impact);
}
