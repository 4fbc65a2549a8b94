//! Flags of the daemon: where they come from, what is in effect meanwhile, and how they are taken
//! away.

mod hidden;

use crate::laws::completed;
use seaworthy::audit::{Judged, judge};
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::change::Activation;
use seaworthy::checks::{Outcome, reread};
use seaworthy::facts::{DaemonProcess, Facts, Kind, Mode, Node, Seen, UnitState};
use seaworthy::plan::{self, Options, Plan};
use seaworthy::policy::Policy;

const TODAY: &str = "2026-11-25";
const SERVICE: &str = "docker.service";
const UNIT: &str = "/lib/systemd/system/docker.service";
const SITE: &str = "/etc/systemd/system/docker.service.d/10-site.conf";
const OURS: &str = "/etc/systemd/system/docker.service.d/zz-seaworthy.conf";
const OPTIONS: &str = "/etc/default/docker";
const CONFIG: &str = "/etc/docker/daemon.json";

/// The sample host with these files; drop-ins belong to docker.service.
pub fn host(files: &[(&str, &str)]) -> Facts {
    let path = format!(
        "{}/tests/fixtures/hosts/debian-12.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut facts: Facts = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (path, text) in files {
        facts
            .files
            .insert((*path).to_owned(), Seen::Known(Node::file(text)));
        if path.contains("docker.service.d") {
            unit(&mut facts).drop_ins.push((*path).to_owned());
            let folder = Node {
                kind: Kind::Folder,
                ..Node::default()
            };
            let path = "/etc/systemd/system/docker.service.d".to_owned();
            facts.files.insert(path, Seen::Known(folder));
        }
    }
    reread(&mut facts, SERVICE);
    facts
}

fn unit(facts: &mut Facts) -> &mut UnitState {
    facts.units.get_mut(SERVICE).unwrap()
}

pub fn planned(facts: &Facts, only: &[&str]) -> Plan {
    let options = Options {
        selection: Selection {
            only: only.iter().map(|id| (*id).to_owned()).collect(),
            ..Selection::default()
        },
        allow_disruption: true,
        ..Options::default()
    };
    planned_with(facts, &options)
}

fn planned_with(facts: &Facts, options: &Options) -> Plan {
    let catalog = Catalog::embedded().unwrap();
    let facts = completed(facts.clone(), &catalog);
    let policy = Policy::default();
    let plan = plan::plan(&catalog, &facts, &policy, options, TODAY);
    let second = plan::plan(&catalog, &plan.forecast, &policy, options, TODAY);
    assert!(second.is_empty(), "{:?}", second.steps);
    plan
}

fn judged(facts: &Facts, id: &str) -> (Outcome, Vec<String>) {
    let catalog = Catalog::embedded().unwrap();
    let facts = completed(facts.clone(), &catalog);
    let selection = Selection {
        only: vec![id.to_owned()],
        ..Selection::default()
    };
    let policy = Policy::default();
    let mut all: Vec<Judged<'_>> = judge(&catalog, &facts, &policy, &selection, TODAY);
    let one = all.pop().unwrap().judgement;
    let told = one.evidence.iter().map(|evidence| {
        let pending = evidence.pending.as_ref();
        format!(
            "{}: {}{}",
            evidence.source,
            evidence.seen,
            pending.map_or_else(String::new, |event| format!(" (until {event})"))
        )
    });
    (one.outcome, told.collect())
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn runs(facts: &mut Facts, line: &str) {
    facts.daemon_process = Seen::Known(DaemonProcess {
        pid: 700,
        argv: words(line).into(),
        ..DaemonProcess::default()
    });
}

const PLAIN: &str = "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock";

#[test]
fn flags_go_before_keys_come_and_systemd_is_told_first() {
    let site =
        "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --icc=true $DOCKER_OPTS\n";
    let facts = host(&[
        (SITE, site),
        (
            OPTIONS,
            "DOCKER_OPTS=\"--userland-proxy --label a=1 \\\n  --no-new-privileges=false\"\n",
        ),
    ]);
    let plan = planned(
        &facts,
        &[
            "daemon-icc",
            "daemon-userland-proxy",
            "daemon-no-new-privileges",
        ],
    );
    assert!(plan.held_back.is_empty(), "{:?}", plan.held_back);
    let paths: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.action.path.as_str())
        .collect();
    assert_eq!(paths, [OPTIONS, OURS, CONFIG]);
    let told: Vec<Activation> = plan
        .activations
        .iter()
        .map(|planned| planned.activation)
        .collect();
    assert_eq!(told, [Activation::ReloadUnits, Activation::RestartDocker]);
    assert_eq!(
        plan.forecast.text(OPTIONS),
        Some("DOCKER_OPTS=\"--label a=1\"\n")
    );
    let unit = &plan.forecast.units[SERVICE];
    assert_eq!(*unit.argv, words("/usr/sbin/dockerd -H fd:// --label a=1"));
    assert_eq!(unit.origins.len(), unit.argv.len());
    assert_eq!(unit.origins[1].file, OURS);
    assert_eq!(unit.drop_ins, [SITE, OURS]);
}

#[test]
fn every_place_of_a_flag_is_edited_where_it_is() {
    // What it is, files, and what is left of the command line.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let exec = |line: &str| format!("[Service]\nExecStart=\nExecStart={line}\n");
    let cases: &[Case<'_>] = &[
        (
            "in a drop-in",
            &[(SITE, &exec("/usr/sbin/dockerd --icc=true -D"))],
            "-D",
        ),
        (
            "twice, in two places",
            &[
                (SITE, &exec("-/usr/sbin/dockerd --icc $DOCKER_OPTS --icc=1")),
                (OPTIONS, "DOCKER_OPTS='--icc=true -D'\n"),
            ],
            "-D",
        ),
        (
            "in a variable of a drop-in",
            &[(
                SITE,
                "[Service]\nEnvironment=\"DOCKER_OPTS=--label 'a=b c' --icc=true -D\" X=1\n",
            )],
            "-H fd:// --containerd=/run/containerd/containerd.sock --label 'a=b c' -D",
        ),
        (
            "in a variable that is the whole word",
            &[(
                SITE,
                "[Service]\nEnvironment=I=--icc=true\nExecStart=\nExecStart=/usr/sbin/dockerd ${I} -D\n",
            )],
            "-D",
        ),
        (
            "behind a name for the process",
            &[(SITE, &exec("@/usr/sbin/dockerd docker --icc=true -D"))],
            "-D",
        ),
    ];
    for (what, files, left) in cases {
        let plan = planned(&host(files), &["daemon-icc"]);
        assert!(plan.held_back.is_empty(), "{what}: {:?}", plan.held_back);
        let line = format!("/usr/sbin/dockerd {left}");
        let expected = seaworthy::formats::unit::split_command(&line);
        assert_eq!(*plan.forecast.units[SERVICE].argv, expected, "{what}");
        let json = plan.forecast.text(CONFIG);
        assert_eq!(json, Some("{\n  \"icc\": false\n}\n"), "{what}");
    }
}

#[test]
fn our_drop_in_opens_nothing_to_others() {
    let secret = "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --icc=true --log-driver=splunk --log-opt splunk-token=abc\n";
    let mut facts = host(&[(SITE, secret)]);
    if let Some(Seen::Known(node)) = facts.files.get_mut(SITE) {
        node.mode = Mode(0o600);
    }
    let plan = planned(&facts, &["daemon-icc"]);
    let node = plan.forecast.node(OURS);
    assert_eq!(node.known().unwrap().mode, Mode(0o600));
    let step = plan.steps.iter().find(|step| step.action.path == OURS);
    let diff = plan::unified(&step.unwrap().action);
    assert!(
        diff.contains("splunk-token=***") && !diff.contains("abc"),
        "{diff}"
    );
}

#[test]
fn what_cannot_be_edited_is_held_back_with_the_reason() {
    let exec = |line: &str| format!("[Service]\nExecStart=\nExecStart={line}\n");
    let closed = exec("/usr/sbin/dockerd --icc=true");
    let with = |change: &dyn Fn(&mut Facts)| {
        let mut facts = host(&[(SITE, &closed)]);
        change(&mut facts);
        facts
    };
    let cases = [
        (
            with(&|facts| {
                let unit = facts.units.get_mut(SERVICE).unwrap();
                let mut argv = unit.argv.to_vec();
                argv.push("--tls".to_owned());
                unit.argv = argv.into();
            }),
            "its files do not say how this command came about",
        ),
        (
            with(&|facts| unit(facts).active.clear()),
            "no service that this program knows starts the daemon here",
        ),
        (
            with(&|facts| {
                let text = facts.files[UNIT].clone();
                let generated = "/run/systemd/generator/docker.service";
                facts.files.insert(generated.to_owned(), text);
                unit(facts).fragment = generated.to_owned();
            }),
            "is generated",
        ),
        (
            with(&|facts| {
                facts.units.remove(SERVICE);
                let dockerd = Seen::Known(Node::file(""));
                facts.files.insert("/usr/bin/dockerd".to_owned(), dockerd);
                runs(facts, "/usr/bin/dockerd --icc=true");
            }),
            "no service that this program knows starts the daemon here",
        ),
        (
            with(&|facts| {
                let unseen = Seen::unseen("permission denied", "");
                facts.files.insert(SITE.to_owned(), unseen);
            }),
            "the files of docker.service could not be read",
        ),
        (
            host(&[(SITE, &exec("/usr/sbin/dockerd --icc=true ; /bin/true"))]),
            "more than one ExecStart=, 2",
        ),
        (
            {
                let line = "/bin/sh -c 'exec /usr/sbin/dockerd --icc=true'";
                let mut facts = host(&[(SITE, &exec(line))]);
                runs(&mut facts, "/usr/sbin/dockerd --icc=true");
                facts
            },
            "its command is not dockerd, but `/bin/sh`",
        ),
        (
            host(&[
                (SITE, &exec("/usr/sbin/dockerd --log-level $L")),
                (OPTIONS, "L=warn --icc=true"),
            ]),
            "",
        ),
        (
            host(&[
                (SITE, &closed),
                (
                    "/etc/systemd/system/docker.service.d/zzz.conf",
                    &exec("/usr/sbin/dockerd --icc=true -D"),
                ),
            ]),
            "what systemd reads later sets the command again",
        ),
        (
            host(&[(OPTIONS, "DOCKER_OPTS=\"--icc\"'=true --x'\n")]),
            "/etc/default/docker: DOCKER_OPTS",
        ),
        (
            with(&|facts| {
                let link = Node {
                    kind: Kind::Link,
                    target: Some("/srv/docker".to_owned()),
                    ..Node::default()
                };
                facts.files.insert(OPTIONS.to_owned(), Seen::Known(link));
                let options = Node::file("DOCKER_OPTS=--icc=true");
                facts
                    .files
                    .insert("/srv/docker".to_owned(), Seen::Known(options));
                unit(facts).drop_ins.clear();
                reread(facts, SERVICE);
            }),
            "/etc/default/docker is a symbolic link, and none is followed",
        ),
    ];
    for (facts, reason) in cases {
        let plan = planned(&facts, &["daemon-icc"]);
        if reason.is_empty() {
            assert!(plan.held_back.is_empty());
            continue;
        }
        assert!(plan.is_empty(), "{reason}: {:?}", plan.steps);
        let told = &plan.held_back[0].reason;
        assert!(told.contains(reason), "{told}, not {reason}");
    }
}

#[test]
fn a_restart_is_not_planned_onto_a_conflict_that_stays() {
    let mut facts = host(&[
        (OPTIONS, "DOCKER_OPTS='--icc=false'\n"),
        (CONFIG, "{\"icc\": false}"),
    ]);
    runs(&mut facts, &format!("{PLAIN} --icc=false"));
    let plan = planned(&facts, &["daemon-userland-proxy"]);
    assert!(plan.is_empty());
    let reason = &plan.held_back[0].reason;
    assert!(
        reason.contains("--icc=false from DOCKER_OPTS in /etc/default/docker:1"),
        "{reason}"
    );
    // Both together: the flag goes, and then the daemon can be restarted.
    let plan = planned(&facts, &["daemon-userland-proxy", "daemon-json"]);
    assert!(plan.held_back.is_empty(), "{:?}", plan.held_back);
    assert_eq!(plan.forecast.text(OPTIONS), Some("DOCKER_OPTS=''\n"));
    // The socket of systemd is never touched.
    let facts = host(&[(CONFIG, "{\"hosts\": [\"fd://\"]}")]);
    let plan = planned(&facts, &["daemon-json"]);
    assert!(plan.is_empty() && plan.held_back.len() == 1);
}

#[test]
fn what_else_a_restart_brings_into_effect_is_disruptive() {
    let fresh = |process: &str| {
        let mut facts = host(&[(OPTIONS, "DOCKER_OPTS='--icc=true -D'\n")]);
        runs(&mut facts, process);
        facts
    };
    let same = fresh(&format!("{PLAIN} --icc=true -D"));
    let other = fresh(&format!("{PLAIN} --icc=true"));
    let mut reloading = same.clone();
    unit(&mut reloading).needs_reload = true;
    for (facts, held) in [(same, false), (other, true), (reloading, true)] {
        let plan = planned_with(&facts, &Options::default());
        let back = plan
            .held_back
            .iter()
            .find(|back| back.control == "daemon-icc");
        assert_eq!(back.is_some(), held, "{back:?}");
        if let Some(back) = back {
            assert!(back.reason.contains("was written there before"), "{back:?}");
        }
    }
}

#[test]
fn configured_effective_and_pending_are_told_apart() {
    let options = |text: &str| format!("DOCKER_OPTS='{text}'\n");
    let with = |options: &str, json: Option<&str>, process: &str| {
        let mut files = vec![(OPTIONS, options)];
        files.extend(json.map(|json| (CONFIG, json)));
        let mut facts = host(&files);
        runs(&mut facts, process);
        // Somebody has edited the flags since.
        unit(&mut facts).started = 1000;
        if let Some(Seen::Known(node)) = facts.files.get_mut(OPTIONS) {
            node.modified = 1001;
        }
        facts
    };
    let proxied = format!("{PLAIN} --userland-proxy=true");
    let unproxied = format!("{PLAIN} --userland-proxy=false");
    let off = "{\"userland-proxy\": false}";
    let elsewhere = |mut facts: Facts| {
        let json = Seen::Known(Node::file("{\"userland-proxy\": false}"));
        facts.files.insert("/srv/daemon.json".to_owned(), json);
        facts
    };
    let reloading = |mut facts: Facts| {
        unit(&mut facts).needs_reload = true;
        facts
    };
    let restarts = "docker.service restarts";
    let cases = [
        // The flag is there and in effect.
        (
            with(&options("--userland-proxy=false"), None, &unproxied),
            Outcome::Pass,
            vec!["--userland-proxy=false from DOCKER_OPTS in /etc/default/docker:1: userland-proxy = false".to_owned()],
        ),
        // It was added after the start.
        (
            with(&options("--userland-proxy=false"), None, PLAIN),
            Outcome::Fail,
            vec![
                format!("--userland-proxy=false from DOCKER_OPTS in /etc/default/docker:1: userland-proxy = false (until {restarts})"),
                "the command line of process 700: the running daemon was started without a flag for userland-proxy".to_owned(),
            ],
        ),
        // It was taken away after the start, and the file says the right thing.
        (
            with(&options(""), Some(off), &proxied),
            Outcome::Fail,
            vec![
                format!("/etc/docker/daemon.json:1: userland-proxy = false (until {restarts})"),
                "--userland-proxy=true on the command line of process 700: the running daemon has userland-proxy = true".to_owned(),
            ],
        ),
        (
            reloading(with(&options(""), Some(off), &proxied)),
            Outcome::Fail,
            vec![
                format!("/etc/docker/daemon.json:1: userland-proxy = false (until systemd is reloaded and {restarts})"),
                "--userland-proxy=true on the command line of process 700: the running daemon has userland-proxy = true".to_owned(),
            ],
        ),
        // The right thing is in effect, and the next start does away with it.
        (
            with(&options(""), None, &unproxied),
            Outcome::Fail,
            vec![
                "/etc/docker/daemon.json: userland-proxy is not set, and the default of dockerd 20.10.24+dfsg1 is true".to_owned(),
                format!("--userland-proxy=false on the command line of process 700: the running daemon has userland-proxy = false, until {restarts}"),
            ],
        ),
        // Another file is named than the one that was read.
        (
            elsewhere(with(
                &options("--config-file=/srv/daemon.json"),
                None,
                PLAIN,
            )),
            Outcome::Fail,
            vec![
                format!("/srv/daemon.json:1: userland-proxy = false (until {restarts})"),
                "the command line of process 700: the running daemon has read /etc/docker/daemon.json".to_owned(),
            ],
        ),
        (
            elsewhere(with(
                &options("--config-file=/srv/daemon.json"),
                None,
                &format!("{PLAIN} --config-file /srv/daemon.json"),
            )),
            Outcome::Pass,
            vec!["/srv/daemon.json:1: userland-proxy = false".to_owned()],
        ),
    ];
    for (facts, outcome, told) in cases {
        let found = judged(&facts, "daemon-userland-proxy");
        assert_eq!(found, (outcome, told));
        if outcome == Outcome::Fail {
            let plan = planned(&facts, &["daemon-userland-proxy"]);
            assert!(plan.activates(Activation::RestartDocker));
            let reloads = plan.activates(Activation::ReloadUnits);
            assert_eq!(reloads, facts.units[SERVICE].needs_reload);
        }
    }
}

#[test]
fn without_a_unit_the_process_says_what_is_configured() {
    let mut facts = host(&[]);
    facts.units.remove(SERVICE);
    let dockerd = Seen::Known(Node::file(""));
    facts.files.insert("/usr/bin/dockerd".to_owned(), dockerd);
    runs(
        &mut facts,
        "/usr/bin/dockerd --log-level=debug --config-file=/srv/x.json",
    );
    let (outcome, told) = judged(&facts, "daemon-log-level");
    assert_eq!(outcome, Outcome::Fail);
    assert_eq!(
        told,
        ["--log-level=debug on the command line of process 700: log-level = \"debug\""]
    );
    let (_, told) = judged(&facts, "daemon-icc");
    assert!(told[0].starts_with("/srv/x.json: "), "{told:?}");
}
