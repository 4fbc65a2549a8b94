//! What could not be read is never taken for what is not there: whatever file of a host is spoiled,
//! no verdict gets better, and nothing is planned that could clash with what it may say.

mod by_hand;
pub(crate) mod image;
mod sources;

use image::{Image, Spoil};
use seaworthy::audit::judge;
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::checks::Outcome;
use seaworthy::facts::Facts;
use seaworthy::plan::{self, Options, Plan};
use seaworthy::policy::Policy;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const TODAY: &str = "2026-11-22";

pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());
    &CATALOG
}

fn verdicts(facts: &Facts) -> BTreeMap<String, Outcome> {
    let policy = Policy::default();
    judge(catalog(), facts, &policy, &Selection::default(), TODAY)
        .into_iter()
        .map(|one| (one.control.id.clone(), one.judgement.outcome))
        .collect()
}

fn planned(facts: &Facts, only: &[&str]) -> Plan {
    let options = Options {
        selection: Selection {
            only: only.iter().map(|id| (*id).to_owned()).collect(),
            ..Selection::default()
        },
        allow_disruption: true,
        ..Options::default()
    };
    plan::plan(catalog(), facts, &Policy::default(), &options, TODAY)
}

const SERVICE: &str = "/usr/lib/systemd/system/docker.service";
const SETTINGS: &str = "/etc/default/docker";
const DROP_IN: &str = "/etc/systemd/system/docker.service.d/site.conf";
const CONFIG: &str = "/etc/docker/daemon.json";
const BAD: &str = "-H tcp://0.0.0.0:2375 --insecure-registry 10.0.0.0/8 --icc=true --config-file=/etc/docker/daemon.json";

/// One host, with all that is wrong in flags that stand in one of three places.
fn hosts() -> Vec<(&'static str, Image)> {
    let settings = format!("# Site settings\nDOCKER_OPTS=\"{BAD}\"\n");
    let drop_in =
        format!("# Site\n[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// {BAD}\n");
    vec![
        (SETTINGS, Image::debian().file(SETTINGS, &settings)),
        (DROP_IN, Image::debian().file(DROP_IN, &drop_in)),
        (
            SERVICE,
            Image::debian()
                .append(SERVICE, "# Site\n")
                .replace(SERVICE, "$DOCKER_OPTS", BAD),
        ),
    ]
}

#[test]
fn no_verdict_gets_better_by_what_cannot_be_read() {
    for (flags, image) in hosts() {
        let sound = verdicts(&image.facts());
        for id in ["daemon-tls", "daemon-insecure-registries", "daemon-icc"] {
            assert_eq!(sound[id], Outcome::Fail, "{flags}: {id}");
        }
        for path in image.paths() {
            for spoil in Spoil::ALL {
                let spoilt = image.clone().spoiled(&path, spoil);
                for (id, outcome) in verdicts(&spoilt.facts()) {
                    let better = sound[&id] == Outcome::Fail
                        && matches!(outcome, Outcome::Pass | Outcome::NotApplicable);
                    assert!(
                        !better,
                        "flags in {flags}, {spoil:?} {path}: {id} is {outcome}"
                    );
                    if spoil == Spoil::Comment
                        && [flags, SETTINGS, DROP_IN, SERVICE].contains(&path.as_str())
                    {
                        assert_eq!(outcome, sound[&id], "{spoil:?} {path}: {id}");
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_planned_beside_a_flag_that_may_be_there() {
    for (flags, image) in hosts() {
        for spoil in Spoil::ALL {
            let facts = image.clone().spoiled(flags, spoil).facts();
            let plan = planned(&facts, &["daemon-icc"]);
            let writes = plan.steps.iter().any(|step| step.action.path == CONFIG);
            if spoil == Spoil::Comment {
                // Understood, but not edited: the flag can go in a drop-in alone, or not at all.
                let flag_goes = plan.steps.iter().any(|step| step.action.path != CONFIG);
                assert!(!writes || flag_goes, "{flags}");
                continue;
            }
            assert!(!writes, "flags in {flags}, {spoil:?}");
            assert!(!plan.held_back.is_empty(), "flags in {flags}, {spoil:?}");
        }
    }
}

/// A drop-in whose name is not UTF-8 is loaded by systemd like any other.
#[test]
fn a_name_that_is_not_utf_8_makes_a_listing_partial() {
    let folder = "/etc/systemd/system/docker.service.d";
    let image = Image::debian()
        .folder(folder)
        .odd_name(folder, "a\u{fffd}.conf");
    let found = verdicts(&image.facts());
    for id in [
        "daemon-tls",
        "daemon-insecure-registries",
        "daemon-userland-proxy",
        "daemon-unit",
    ] {
        assert!(
            matches!(found[id], Outcome::Unknown | Outcome::Fail),
            "{id}: {}",
            found[id]
        );
    }
    assert_eq!(found["docker-service-mode"], Outcome::Unknown);
    assert_eq!(planned(&image.facts(), &["daemon-icc"]).steps, []);
    // A name that systemd does not look at hides nothing.
    let image = Image::debian()
        .folder(folder)
        .odd_name(folder, "a\u{fffd}.bak");
    assert_eq!(verdicts(&image.facts()), verdicts(&Image::debian().facts()));
}

/// Who logs in, and by which name, is told line by line: others in Latin-1 hide nothing.
#[test]
fn one_odd_line_hides_no_other() {
    let sound = Image::debian();
    for path in ["/etc/passwd", "/etc/group", "/etc/environment"] {
        let spoilt = Image::debian().spoiled(path, Spoil::Comment);
        assert_eq!(
            verdicts(&spoilt.facts()),
            verdicts(&sound.facts()),
            "{path}"
        );
    }
    let certificates = "/etc/docker/certs.d";
    let image = Image::debian()
        .folder(certificates)
        .odd_name(certificates, "r\u{fffd}");
    let found = verdicts(&image.facts());
    assert_eq!(found["registry-certificates-mode"], Outcome::Unknown);
}
