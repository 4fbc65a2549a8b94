//! Every daemon.json that would be planned for the sample hosts, put before the real program.

use super::wanted;
use crate::flags::{host, planned};
use crate::laws;
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::facts::Facts;
use seaworthy::host::{LinuxHost, ReadHost as _, Verdict};
use seaworthy::plan::{self, Options};
use seaworthy::policy::Policy;
use std::fs;

const CONFIG: &str = "/etc/docker/daemon.json";

/// Values for everything that needs a decision.
const DECISIONS: &str = r#"
[daemon]
log-driver = "journald"
default-ulimits = { nofile = { Name = "nofile", Soft = 1024, Hard = 2048 } }
"#;

fn sample(name: &str, catalog: &Catalog) -> Facts {
    laws::completed(laws::sample(name), catalog)
}

/// The command line of a sample's unit, with the program of this machine.
fn command(facts: &Facts) -> Vec<String> {
    let host = LinuxHost::live().unwrap();
    let mut command = facts.units["docker.service"].argv.to_vec();
    command[0] = host.program("dockerd").unwrap();
    command
}

fn verdict(text: &str, command: &[String]) -> Verdict {
    LinuxHost::live()
        .unwrap()
        .validate_daemon_json(text, command)
        .unwrap()
}

#[test]
fn what_would_be_planned_is_accepted() {
    if !wanted() {
        return;
    }
    let catalog = Catalog::embedded().unwrap();
    let mut asked = 0;
    for name in ["debian-12", "debian-13"] {
        let facts = sample(name, &catalog);
        for policy in ["", DECISIONS] {
            let policy = Policy::parse(policy).unwrap();
            let mut selections = vec![Vec::new()];
            selections.extend(
                catalog
                    .iter()
                    .filter(|control| control.area == "daemon")
                    .map(|control| vec![control.id.clone()]),
            );
            for only in selections {
                let options = Options {
                    selection: Selection {
                        only: only.clone(),
                        ..Selection::default()
                    },
                    allow_disruption: true,
                    ..Options::default()
                };
                let plan = plan::plan(&catalog, &facts, &policy, &options, "2026-11-22");
                let Some(text) = plan.forecast.text(CONFIG) else {
                    continue;
                };
                let verdict = verdict(text, &command(&facts));
                assert_eq!(verdict, Verdict::Accepted, "{name}, {only:?}: {text}");
                asked += 1;
            }
        }
    }
    assert!(asked > 10, "only {asked} candidates");
}

#[test]
fn what_is_planned_where_flags_stand_is_accepted_with_the_new_command_line() {
    if !wanted() {
        return;
    }
    let facts = host(&[
        (
            "/etc/default/docker",
            "DOCKER_OPTS='--userland-proxy=true --label a=1 --no-new-privileges=false'\n",
        ),
        (
            "/etc/systemd/system/docker.service.d/10-site.conf",
            "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --icc --log-level debug $DOCKER_OPTS\n",
        ),
    ]);
    let plan = planned(&facts, &["daemon"]);
    let text = plan.forecast.text(CONFIG).unwrap();
    assert!(text.contains("userland-proxy") && text.contains("no-new-privileges"));
    assert_eq!(verdict(text, &command(&plan.forecast)), Verdict::Accepted);
    let refused = verdict(text, &command(&facts));
    assert!(matches!(refused, Verdict::Refused(_)), "{refused:?}");
}

#[test]
fn what_the_daemon_refuses_is_refused_in_its_own_words() {
    if !wanted() {
        return;
    }
    let catalog = Catalog::embedded().unwrap();
    let command = command(&sample("debian-12", &catalog));
    let with = |flag: &str| [&command[..], &[flag.to_owned()]].concat();
    for (text, command, words) in [
        ("{\"iccc\": false}", command.clone(), "iccc"),
        ("{\"icc\": \"no\"}", command.clone(), "icc"),
        (
            "{\"icc\": false}",
            with("--icc=true"),
            "specified both as a flag",
        ),
        ("{\"log-level\": \"loud\"}", command.clone(), "loud"),
        ("{\"hosts\": [\"unix:///x\"]}", command.clone(), "hosts"),
    ] {
        match verdict(text, &command) {
            Verdict::Refused(said) => assert!(said.contains(words), "{text}: {said}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    // The unit's own choice of a file does not get in the way.
    let elsewhere = with("--config-file=/nowhere/daemon.json");
    assert_eq!(verdict("{\"icc\": false}", &elsewhere), Verdict::Accepted);
}

#[test]
fn asking_leaves_no_trace() {
    if !wanted() {
        return;
    }
    let files = ["/etc/passwd", "/etc/group", "/etc/subuid", "/etc/subgid"];
    let look = || files.map(|file| fs::read(file).unwrap_or_default());
    let folders = || {
        ["/etc/docker", "/run", "/var/run/docker", "/var/lib/docker"].map(|folder| {
            let mut names: Vec<_> = fs::read_dir(folder)
                .map(|entries| entries.map(|entry| entry.unwrap().file_name()).collect())
                .unwrap_or_default();
            names.sort();
            names
        })
    };
    let before = (look(), folders());
    let catalog = Catalog::embedded().unwrap();
    let command = command(&sample("debian-12", &catalog));
    let text = "{\"userns-remap\": \"default\", \"live-restore\": true}";
    assert_eq!(verdict(text, &command), Verdict::Accepted);
    assert_eq!((look(), folders()), before);
}
