//! Transactions worth losing power in.

use super::model::{ACCOUNTS, DAEMON, DROP_INS, GENERATED, Model, OPTIONS, RULES};
use seaworthy::apply::{Derived, Step, Transaction};
use seaworthy::change::{Action, Activation, Expectation, State};
use seaworthy::facts::{Attributes, Mode};
use seaworthy::host::{Host, ReadHost};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub struct Scenario {
    pub name: &'static str,
    pub host: Model,
    pub transaction: Transaction,
}

const ONLY_KERNEL: &str = "-w /root/typed -p wa -k typed";

/// A host with Docker, a container, audit rules of which the kernel has one more than the files.
fn host() -> Model {
    let mut host = Model::default();
    host.folder("/var/lib", 0o755);
    host.file(DAEMON, "{\n  \"debug\": false\n}\n", 0o644);
    host.folder("/etc/systemd/system", 0o755);
    host.folder("/etc/audit", 0o750);
    host.folder(RULES, 0o750);
    host.file(
        &format!("{RULES}/10-base.rules"),
        "-w /etc/passwd -p wa -k id\n-a always,exit -F arch=b64 -S mount -F key=mount\n",
        0o640,
    );
    for file in ACCOUNTS {
        host.file(file, "root:x:0\nuser:x:1000\n", 0o640);
    }
    host.containers.insert("web".to_owned(), true);
    host.containers.insert("job".to_owned(), true);
    host.once.insert("job".to_owned());
    host.boot();
    host.containers.insert("job".to_owned(), true);
    // A second generation of the file makes the former one known, as on any host that lives.
    host.kernel.push(ONLY_KERNEL.to_owned());
    host.disk.sync_all();
    host
}

fn attributes(mode: u32) -> Attributes {
    Attributes {
        mode: Mode(mode),
        ..Attributes::default()
    }
}

fn file(text: &str, mode: u32) -> State {
    State::File {
        attributes: attributes(mode),
        content: text.into(),
    }
}

fn step(path: &str, before: State, after: State) -> Step {
    Step {
        action: Action {
            path: path.to_owned(),
            before,
            after,
        },
        controls: vec!["some-control".to_owned()],
        what: format!("change {path}"),
    }
}

fn daemon(host: &Model, text: &str) -> Step {
    let before = file(&host.text(DAEMON).unwrap(), 0o644);
    step(DAEMON, before, file(text, 0o644))
}

fn docker(keys: &[(&str, Value)]) -> Expectation {
    Expectation {
        docker_runs: true,
        daemon: keys
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
        containers: vec!["web".to_owned()],
        ..Expectation::default()
    }
}

/// The same after an undo: what a restart had stopped for good runs again, too.
fn undone(keys: &[(&str, Value)]) -> Expectation {
    let mut expected = docker(keys);
    expected.containers.push("job".to_owned());
    expected
}

fn replaced() -> Scenario {
    let host = host();
    Scenario {
        name: "daemon.json replaced",
        transaction: Transaction {
            steps: vec![daemon(
                &host,
                "{\n  \"debug\": false,\n  \"icc\": false\n}\n",
            )],
            activations: vec![Activation::RestartDocker],
            expect: docker(&[("icc", json!(false))]),
            expect_undone: undone(&[]),
            ..Transaction::default()
        },
        host,
    }
}

fn new_folder() -> Scenario {
    let folder = "/etc/systemd/system/docker.socket.d";
    Scenario {
        name: "new file in a new folder",
        host: host(),
        transaction: Transaction {
            steps: vec![
                step(
                    folder,
                    State::Absent,
                    State::Folder {
                        attributes: attributes(0o755),
                    },
                ),
                step(
                    &format!("{folder}/zz-seaworthy.conf"),
                    State::Absent,
                    file("[Socket]\nSocketMode=0660\n", 0o644),
                ),
            ],
            activations: vec![Activation::ReloadUnits],
            ..Transaction::default()
        },
    }
}

fn access() -> Scenario {
    let mut host = host();
    let strange = Attributes {
        mode: Mode(0o6777),
        uid: 7,
        gid: 8,
        xattrs: [("user.note".to_owned(), "kept".into())].into(),
    };
    host.file("/etc/docker/key", "secret\n", 0o600);
    host.disk.set("/etc/docker/key", strange.clone());
    host.disk.set("/etc/docker", strange.clone());
    host.disk.sync_all();
    let tidy = Attributes {
        mode: Mode(0o755),
        uid: 0,
        gid: 0,
        ..strange.clone()
    };
    Scenario {
        name: "attributes",
        host,
        transaction: Transaction {
            steps: vec![
                step(
                    "/etc/docker/key",
                    State::Opaque {
                        attributes: strange.clone(),
                    },
                    State::Opaque {
                        attributes: tidy.clone(),
                    },
                ),
                step(
                    "/etc/docker",
                    State::Folder {
                        attributes: strange,
                    },
                    State::Folder { attributes: tidy },
                ),
            ],
            ..Transaction::default()
        },
    }
}

fn rules_step() -> Step {
    step(
        &format!("{RULES}/50-docker.rules"),
        State::Absent,
        file(
            "-w /usr/bin/dockerd -p wa -k docker\n-w /etc/docker -p wa -k docker\n",
            0o640,
        ),
    )
}

fn generated() -> Vec<Derived> {
    vec![
        Derived::WholeFile {
            path: GENERATED.to_owned(),
        },
        Derived::WholeFile {
            path: format!("{GENERATED}.prev"),
        },
    ]
}

fn rules() -> Scenario {
    Scenario {
        name: "audit rules",
        host: host(),
        transaction: Transaction {
            steps: vec![rules_step()],
            activations: vec![Activation::LoadAuditRules],
            derived: generated(),
            ..Transaction::default()
        },
    }
}

/// The second step would be impossible with live-restore in effect, were it not taken care of.
fn live_restore() -> Scenario {
    let host = host();
    let on = "{\n  \"debug\": false,\n  \"icc\": false,\n  \"live-restore\": true\n}\n";
    let off = on.replace("true", "false");
    Scenario {
        name: "live-restore with a restart",
        transaction: Transaction {
            steps: vec![daemon(&host, on)],
            activations: vec![Activation::RestartDocker],
            expect: docker(&[("live-restore", json!(true)), ("icc", json!(false))]),
            expect_undone: undone(&[("live-restore", json!(false))]),
            undo_live_restore: Some(step(DAEMON, file(on, 0o644), file(&off, 0o644))),
            ..Transaction::default()
        },
        host,
    }
}

fn live_restore_reload() -> Scenario {
    let mut scenario = live_restore();
    scenario.name = "live-restore with a reload";
    let on = "{\"live-restore\": true}";
    let off = "{\"live-restore\": false}";
    scenario.transaction.steps = vec![daemon(&scenario.host, on)];
    scenario.transaction.undo_live_restore = Some(step(DAEMON, file(on, 0o644), file(off, 0o644)));
    scenario.transaction.activations = vec![Activation::ReloadDocker];
    scenario.transaction.expect.daemon.remove("icc");
    scenario
}

/// Containers go on running over the restart, and over the restart of an undo.
pub fn kept() -> Scenario {
    let mut host = host();
    host.stopped = Some(BTreeSet::new());
    let set = |keys: &str| format!("{{\n  \"debug\": false{keys}\n}}\n");
    let on = set(",\n  \"live-restore\": true");
    let off = set(",\n  \"live-restore\": false");
    let last = set(",\n  \"icc\": false,\n  \"live-restore\": true");
    let running = |keys: &[(&str, Value)]| {
        let mut expected = undone(keys);
        expected.containers.sort();
        expected
    };
    Scenario {
        name: "containers outlive the restart",
        transaction: Transaction {
            live_restore_on: Some(daemon(&host, &on)),
            steps: vec![
                rules_step(),
                step(DAEMON, file(&on, 0o644), file(&last, 0o644)),
            ],
            activations: vec![Activation::LoadAuditRules, Activation::RestartDocker],
            derived: generated(),
            expect: running(&[("live-restore", json!(true)), ("icc", json!(false))]),
            expect_undone: running(&[("live-restore", json!(false))]),
            undo_live_restore: Some(step(DAEMON, file(&on, 0o644), file(&off, 0o644))),
            ..Transaction::default()
        },
        host,
    }
}

fn everything() -> Scenario {
    let Scenario {
        host,
        mut transaction,
        ..
    } = live_restore();
    let on = "{\"live-restore\": true, \"userns-remap\": \"default\"}";
    let off = on.replace("true", "false");
    transaction.undo_live_restore = Some(step(DAEMON, file(on, 0o644), file(&off, 0o644)));
    transaction.expect.daemon.remove("icc");
    transaction.steps = new_folder().transaction.steps;
    transaction.steps.push(rules_step());
    transaction.steps.push(daemon(&host, on));
    transaction.activations = vec![
        Activation::ReloadUnits,
        Activation::LoadAuditRules,
        Activation::RestartAuditd,
        Activation::RestartDocker,
    ];
    transaction.derived = generated();
    transaction.derived.push(Derived::Account {
        files: ACCOUNTS.map(str::to_owned).to_vec(),
        name: "dockremap".to_owned(),
    });
    Scenario {
        name: "everything at once",
        host,
        transaction,
    }
}

fn restart() -> Scenario {
    let mut host = host();
    // Configured by somebody, not yet in effect.
    host.disk.truncate(DAEMON);
    host.disk.write(DAEMON, b"{\"icc\": false}");
    host.disk.sync_all();
    host.activate(Activation::RestartDocker, std::time::Duration::ZERO)
        .unwrap();
    assert!(host.is_live());
    Scenario {
        name: "nothing but a restart",
        host,
        transaction: Transaction {
            activations: vec![Activation::RestartDocker],
            expect: docker(&[("icc", json!(false))]),
            expect_undone: docker(&[]),
            ..Transaction::default()
        },
    }
}

/// Flags that move into the file: one from a drop-in, one from an environment file. Nobody may start
/// the daemon at a moment when it has both.
pub fn flags() -> Scenario {
    let mut host = host();
    let options = "DOCKER_OPTS=\"--userland-proxy=true --init=true\"\n";
    let command = |flags: &str| format!("[Service]\nExecStart=\nExecStart=/dockerd {flags}\n");
    host.file(OPTIONS, options, 0o644);
    let site = command("--icc=true $DOCKER_OPTS");
    host.file(&format!("{DROP_INS}/10-site.conf"), &site, 0o644);
    host.boot();
    host.containers.insert("job".to_owned(), true);
    host.kernel.push(ONLY_KERNEL.to_owned());
    host.disk.sync_all();
    let set = "{\n  \"debug\": false,\n  \"icc\": false,\n  \"userland-proxy\": false\n}\n";
    Scenario {
        name: "flags that become keys",
        transaction: Transaction {
            steps: vec![
                step(
                    OPTIONS,
                    file(options, 0o644),
                    file("DOCKER_OPTS=\"--init=true\"\n", 0o644),
                ),
                step(
                    &format!("{DROP_INS}/zz-seaworthy.conf"),
                    State::Absent,
                    file(&command("$DOCKER_OPTS"), 0o644),
                ),
                daemon(&host, set),
            ],
            activations: vec![Activation::ReloadUnits, Activation::RestartDocker],
            expect: docker(&[("icc", json!(false)), ("init", json!(true))]),
            expect_undone: undone(&[("icc", json!(true))]),
            ..Transaction::default()
        },
        host,
    }
}

/// Everything that ends with `commit` when nothing happens.
pub fn all() -> Vec<Scenario> {
    vec![
        replaced(),
        new_folder(),
        access(),
        rules(),
        live_restore(),
        live_restore_reload(),
        kept(),
        everything(),
        restart(),
        flags(),
    ]
}

/// Everything that a service refuses, so that the way is forward and back.
pub fn refused() -> Vec<Scenario> {
    let mut daemon_refuses = everything();
    let on = "{\"live-restore\": true, \"userns-remap\": \"default\", \"refused\": 1}";
    let off = on.replace("true", "false");
    let last = daemon_refuses.transaction.steps.last_mut().unwrap();
    last.action.after = file(on, 0o644);
    daemon_refuses.transaction.undo_live_restore =
        Some(step(DAEMON, file(on, 0o644), file(&off, 0o644)));
    daemon_refuses.name = "everything, and the daemon refuses to start";

    let mut kernel_refuses = everything();
    kernel_refuses.transaction.steps[2].action.after = file(
        "-w /etc/docker -p wa -k docker\n-w /bad -p wa -k docker\n",
        0o640,
    );
    kernel_refuses.name = "everything, and the kernel refuses a rule";

    let mut unhealthy = everything();
    unhealthy.transaction.expect.containers = vec!["web".to_owned(), "gone".to_owned()];
    unhealthy.name = "everything, and a container does not come back";

    let mut kept_refused = kept();
    let last = "{\"icc\": false, \"live-restore\": true, \"refused\": 1}";
    kept_refused.transaction.steps[1].action.after = file(last, 0o644);
    kept_refused.name = "containers outlive the restart, and the daemon refuses to start";

    let mut kept_gives_up = kept();
    kept_gives_up.host.gives_up = true;
    kept_gives_up.name = "containers outlive the restart, and the daemon gives up a little later";

    let mut gives_up = everything();
    gives_up.host.gives_up = true;
    gives_up.name = "everything, and the daemon gives up a little later";
    vec![
        daemon_refuses,
        kernel_refuses,
        unhealthy,
        kept_refused,
        kept_gives_up,
        gives_up,
    ]
}
