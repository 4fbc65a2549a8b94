//! What is judged and planned where the daemon may run and was not seen, in whole or in part.

use crate::laws::{TODAY, catalog, completed, sample};
use seaworthy::audit::judge;
use seaworthy::catalog::Selection;
use seaworthy::change::Activation;
use seaworthy::checks::{Check, Outcome};
use seaworthy::facts::{Cause, Docker, Facts, Hidden, Part, Seen, Unseen};
use seaworthy::plan::{self, Options, Plan};
use seaworthy::policy::Policy;

const HOSTS: [&str; 3] = ["debian-12", "busy-debian-13", "alpine-3.20"];

/// Everything but that it does not run.
const UNCLEAR: [Cause; 7] = [
    Cause::NotThere,
    Cause::Refused,
    Cause::NotPermitted,
    Cause::NoAnswer,
    Cause::TooBig,
    Cause::BadAnswer,
    Cause::NotAsked,
];

/// The controls about options of the daemon, with their verdicts and all that is said of them.
fn verdicts(facts: &Facts) -> Vec<(String, Outcome, String)> {
    let (catalog, policy) = (catalog(), Policy::default());
    let judged = judge(&catalog, facts, &policy, &Selection::default(), TODAY);
    judged
        .iter()
        .filter(|one| matches!(one.control.check, Check::DaemonOption(_)))
        .map(|one| {
            let said: Vec<&str> = one
                .judgement
                .evidence
                .iter()
                .map(|evidence| evidence.seen.as_str())
                .collect();
            let id = one.control.id.clone();
            (id, one.judgement.outcome, said.join("; "))
        })
        .collect()
}

fn with(name: &str, docker: Seen<Docker>, active: &str) -> Facts {
    let mut facts = sample(name);
    facts.docker = docker;
    for unit in facts.units.values_mut() {
        active.clone_into(&mut unit.active);
    }
    // A file with everything that is wanted would pass by itself.
    completed(facts, &catalog())
}

#[test]
fn a_daemon_that_may_run_makes_no_option_pass_by_its_file() {
    let mut unknown = 0;
    for name in HOSTS {
        let states = ["active", "inactive", "", "unknown"].into_iter().cycle();
        for (cause, active) in UNCLEAR.into_iter().zip(states) {
            let why = Unseen::new("it hangs", "").because(cause);
            let facts = with(name, Seen::Unseen(why), active);
            for (id, outcome, said) in verdicts(&facts) {
                assert_ne!(outcome, Outcome::Pass, "{name} {cause:?} {id}: {said}");
                assert!(!said.contains("does not run"), "{name} {id}: {said}");
                unknown += usize::from(outcome == Outcome::Unknown);
            }
        }
    }
    assert!(unknown > 60, "{unknown}");
}

#[test]
fn a_daemon_that_is_down_is_judged_by_its_file() {
    for name in HOSTS {
        let why = Unseen::new("docker.service is not running", "").because(Cause::NotRunning);
        let facts = with(name, Seen::Unseen(why), "inactive");
        let passed = verdicts(&facts)
            .into_iter()
            .filter(|(_, outcome, _)| *outcome == Outcome::Pass)
            .inspect(|(id, _, said)| assert!(said.contains("the daemon does not run"), "{id}"))
            .count();
        assert!(passed > 0, "{name}");
    }
}

#[test]
fn what_the_daemon_did_not_say_is_unknown_and_the_rest_is_judged() {
    let facts = sample("debian-12");
    let docker = facts.docker.known().unwrap();
    for (part, key) in [
        (Part::Networks, "icc"),
        (Part::Info("LoggingDriver".to_owned()), "log-driver"),
        (Part::Info("LiveRestoreEnabled".to_owned()), "live-restore"),
    ] {
        let mut docker = docker.clone();
        docker.hidden = vec![hidden(part)];
        let mut facts = facts.clone();
        facts.docker = Seen::Known(docker);
        let path = "/etc/docker/daemon.json".to_owned();
        let wanted = r#"{"icc":false,"log-driver":"journald","live-restore":true}"#;
        facts
            .files
            .insert(path, Seen::Known(seaworthy::facts::Node::file(wanted)));
        let facts = completed(facts, &catalog());
        let (_, outcome, said) = verdicts(&facts)
            .into_iter()
            .find(|(id, ..)| id.ends_with(key))
            .unwrap();
        assert_eq!(outcome, Outcome::Unknown, "{key}: {said}");
        assert!(said.contains("did not say"), "{key}: {said}");
        assert!(
            verdicts(&facts)
                .iter()
                .any(|(_, outcome, _)| *outcome != Outcome::Unknown)
        );
    }
}

fn hidden(part: Part) -> Hidden {
    Hidden {
        part,
        why: Unseen::new("no answer within 10 s", "").because(Cause::NoAnswer),
    }
}

fn planned(facts: &Facts, allow_disruption: bool) -> Plan {
    let options = Options {
        allow_disruption,
        ..Options::default()
    };
    plan::plan(&catalog(), facts, &Policy::default(), &options, TODAY)
}

/// A host whose containers all stand still, but for what is hidden.
fn quiet(parts: &[Part]) -> Facts {
    let mut facts = sample("debian-12");
    let Seen::Known(docker) = &mut facts.docker else {
        panic!("the sample host has a daemon");
    };
    docker.containers.clear();
    docker.images.clear();
    docker.volumes.clear();
    docker.networks.clear();
    docker.hidden = parts.iter().cloned().map(hidden).collect();
    completed(facts, &catalog())
}

#[test]
fn nobody_says_that_no_container_is_concerned_while_one_is_hidden() {
    let plan = planned(&quiet(&[]), false);
    assert!(plan.activates(Activation::RestartDocker));
    for part in [
        Part::Container("web".to_owned()),
        Part::Containers,
        Part::Networks,
        Part::Images,
        Part::Volumes,
    ] {
        let name = part.to_string();
        let facts = quiet(&[part]);
        let plan = planned(&facts, false);
        assert!(!plan.activates(Activation::RestartDocker), "{name}");
        let held: Vec<_> = plan
            .held_back
            .iter()
            .filter(|held| held.reason.contains(&name))
            .collect();
        assert!(!held.is_empty(), "{name}: {:?}", plan.held_back);
        // With leave it is done, and who could not be seen is named.
        let plan = planned(&facts, true);
        assert!(plan.activates(Activation::RestartDocker), "{name}");
        assert!(
            plan.impact.iter().any(|impact| impact.who.contains(&name)),
            "{name}: {:?}",
            plan.impact
        );
        let whats: Vec<&str> = plan.impact.iter().map(|it| it.what.as_str()).collect();
        assert!(
            !whats.iter().any(|what| what.contains("holds nothing yet")),
            "{name}: {whats:?}"
        );
        if name.contains("container") {
            assert!(
                !whats
                    .iter()
                    .any(|what| what.contains("no container runs now")
                        || what.contains("no running container")),
                "{name}: {whats:?}"
            );
        }
    }
}

/// How the daemon is set decides what a restart does: no flag makes up for not knowing it.
#[test]
fn a_daemon_whose_settings_are_hidden_is_not_restarted() {
    for field in [
        "LiveRestoreEnabled",
        "DockerRootDir",
        "Driver",
        "SecurityOptions",
    ] {
        let plan = planned(&quiet(&[Part::Info(field.to_owned())]), true);
        assert!(!plan.activates(Activation::RestartDocker), "{field}");
        assert!(
            plan.held_back
                .iter()
                .any(|held| held.reason.contains(field) && held.release == "docker info"),
            "{field}"
        );
    }
}

#[test]
fn a_service_of_which_systemd_says_nothing_is_not_restarted() {
    let why =
        Unseen::new("whether docker.service runs could not be seen", "").because(Cause::NotAsked);
    let mut facts = sample("debian-12");
    facts.docker = Seen::Unseen(why);
    facts.units.get_mut("docker.service").unwrap().active = "unknown".to_owned();
    let facts = completed(facts, &catalog());
    let plan = planned(&facts, true);
    assert!(!plan.activates(Activation::RestartDocker));
    let config = "/etc/docker/daemon.json";
    assert!(plan.steps.iter().all(|step| step.action.path != config));
}
