//! How docker.service is brought to read a new configuration, and what is said of the containers
//! before: on sample hosts, by what runs there.

mod unread;

use crate::versions::sample;
use seaworthy::apply::Transaction;
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::change::Activation;
use seaworthy::facts::{Container, Facts, Seen};
use seaworthy::plan::{self, Effective, Fate, Options, Plan};
use seaworthy::policy::Policy;
use serde_json::{Value, json};

const CONFIG: &str = "/etc/docker/daemon.json";

/// A host on which these containers exist.
fn host(overlay: &Value) -> Facts {
    let container = |name: &str, running: bool, policy: &str, remove: bool| {
        json!({ "name": name, "id": format!("id-{name}"), "running": running, "auto_remove": remove,
                "restart_policy": policy, "started_at": "2026-11-20T10:00:00Z", "pid": 100 })
    };
    let containers = json!({ "docker": { "containers": [
        container("always", true, "always", false),
        container("once", true, "no", false),
        container("job", true, "on-failure", false),
        container("down", false, "no", false),
        container("down-always", false, "always", false),
    ], "images": [{ "id": "sha256:1", "tags": ["busybox:latest"], "size": 4_000_000 }],
       "volumes": ["data"] } });
    let catalog = Catalog::embedded().unwrap();
    let with = sample("debian-13", &containers, &catalog);
    with.overlaid(overlay).unwrap()
}

fn plan_for(facts: &Facts, options: &Options) -> Plan {
    let catalog = Catalog::embedded().unwrap();
    plan::plan(&catalog, facts, &Policy::default(), options, "2026-11-22")
}

fn only(ids: &[&str]) -> Options {
    Options {
        selection: Selection {
            only: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..Selection::default()
        },
        ..Options::default()
    }
}

fn told(plan: &Plan) -> Vec<Activation> {
    plan.activations
        .iter()
        .map(|planned| planned.activation)
        .filter(|activation| {
            [Activation::ReloadDocker, Activation::RestartDocker].contains(activation)
        })
        .collect()
}

fn fates(plan: &Plan) -> Vec<(&str, Fate)> {
    plan.becomes
        .containers
        .iter()
        .map(|one| (one.name.as_str(), one.fate))
        .collect()
}

fn effective(plan: &Plan, key: &str) -> Effective {
    let settings = &plan.becomes.settings;
    settings
        .iter()
        .find(|one| one.key == key)
        .unwrap()
        .effective
}

const KEPT: [(&str, Fate); 5] = [
    ("always", Fate::KeepsRunning),
    ("once", Fate::KeepsRunning),
    ("job", Fate::KeepsRunning),
    ("down", Fate::StaysStopped),
    ("down-always", Fate::Starts),
];

const STOPPED: [(&str, Fate); 5] = [
    ("always", Fate::Restarts),
    ("once", Fate::Stops),
    ("job", Fate::MayStop),
    ("down", Fate::StaysStopped),
    ("down-always", Fate::Starts),
];

#[test]
fn live_restore_alone_is_reloaded() {
    let facts = host(&json!({}));
    // By area: nothing is released by its name.
    let plan = plan_for(&facts, &only(&["daemon-live-restore"]));
    assert_eq!(told(&plan), [Activation::ReloadDocker]);
    assert!(plan.live_restore_on.is_none() && plan.live_restore_off.is_none());
    assert!(plan.undo_live_restore.is_some());
    assert!(plan.held_back.is_empty(), "{:?}", plan.held_back);
    assert!(
        plan.becomes
            .containers
            .iter()
            .all(|one| matches!(one.fate, Fate::Untouched | Fate::StaysStopped))
    );
    assert_eq!(effective(&plan, "live-restore"), Effective::Now);
}

#[test]
fn running_containers_outlive_the_restart() {
    let mut facts = host(&json!({}));
    // A restart would start it, and that needs leave.
    if let Seen::Known(docker) = &mut facts.docker {
        docker.containers.retain(|one| one.name != "down-always");
    }
    let mut options = only(&["daemon"]);
    options.selection.skip = vec!["daemon-icc".to_owned()];
    let plan = plan_for(&facts, &options);
    assert_eq!(
        told(&plan),
        [Activation::ReloadDocker, Activation::RestartDocker]
    );
    let held: Vec<&str> = plan
        .held_back
        .iter()
        .map(|it| it.control.as_str())
        .collect();
    assert_eq!(held, ["daemon-userns-remap"]);
    assert_eq!(fates(&plan), KEPT[..4]);
    assert_eq!(plan.expect.containers.len(), 3);

    // First live-restore and nothing else; then the rest; an undo never lets go of them.
    let on = plan.live_restore_on.as_ref().unwrap();
    assert_eq!(on.path, CONFIG);
    assert_eq!(on.after.text(), "{\n  \"live-restore\": true\n}\n");
    let off = plan.undo_live_restore.as_ref().unwrap();
    assert_eq!(off.before, on.after);
    assert_eq!(off.after.text(), "{\n  \"live-restore\": false\n}\n");
    let transaction = Transaction::from_plan(&plan, &facts, "", "");
    assert_eq!(transaction.live_restore_on.as_ref().unwrap().action, *on);
    assert!(!transaction.activations.contains(&Activation::ReloadDocker));
    let step = transaction.steps.iter().find(|it| it.action.path == CONFIG);
    assert_eq!(step.unwrap().action.before, on.after);
}

fn reason(plan: &Plan, control: &str) -> String {
    let mut held = plan.held_back.iter();
    held.find(|it| it.control == control)
        .map(|it| it.reason.clone())
        .unwrap_or_default()
}

#[test]
fn a_restart_starts_nothing_that_somebody_has_stopped_without_leave() {
    let facts = host(&json!({}));
    let mut options = only(&["daemon"]);
    let plan = plan_for(&facts, &options);
    assert_eq!(told(&plan), [Activation::ReloadDocker]);
    let why = reason(&plan, "daemon-no-new-privileges");
    assert!(
        why.ends_with("its restart policy is always: down-always"),
        "{why}"
    );
    options.allow_disruption = true;
    options.selection.skip = vec!["daemon-userns-remap".to_owned()];
    let plan = plan_for(&facts, &options);
    assert_eq!(fates(&plan), KEPT);
    let said = "are started, although somebody has stopped them";
    let impact = plan.impact.iter().find(|it| it.what == said).unwrap();
    assert_eq!(impact.who, ["container down-always"]);
}

#[test]
fn a_bridge_that_containers_use_changes_when_they_stop() {
    let facts = host(&json!({}));
    let plan = plan_for(&facts, &only(&["daemon-icc", "daemon-live-restore"]));
    assert_eq!(fates(&plan), KEPT);
    assert_eq!(effective(&plan, "icc"), Effective::Pending);
    assert_eq!(effective(&plan, "live-restore"), Effective::Now);
    assert_eq!(plan.pending[0].0, "daemon-icc");
    assert_eq!(plan.expect.daemon["icc"], true);

    let mut options = only(&["daemon-icc", "daemon-live-restore"]);
    options.restart_containers = true;
    let plan = plan_for(&facts, &options);
    assert_eq!(told(&plan), [Activation::RestartDocker]);
    assert_eq!(fates(&plan), STOPPED);
    assert_eq!(effective(&plan, "icc"), Effective::Now);
    assert!(plan.pending.is_empty());
    assert_eq!(plan.expect.daemon["icc"], false);
    assert_eq!(plan.expect.containers, ["always", "down-always"]);
}

#[test]
fn without_live_restore_they_stop_and_that_is_asked_for() {
    let facts = host(&json!({}));
    let options = Options {
        selection: Selection {
            only: vec!["daemon".to_owned()],
            skip: vec!["daemon-live-restore".to_owned()],
            ..Selection::default()
        },
        ..Options::default()
    };
    let plan = plan_for(&facts, &options);
    assert!(told(&plan).is_empty());
    let why = reason(&plan, "daemon-no-new-privileges");
    assert!(
        why.contains("3 containers run here: always, once, job"),
        "{why}"
    );
    // They may stop; that another one starts was not asked for.
    let mut options = Options {
        restart_containers: true,
        ..options
    };
    let plan = plan_for(&facts, &options);
    assert!(told(&plan).is_empty());
    let why = reason(&plan, "daemon-no-new-privileges");
    assert!(
        why.ends_with("restart policy is always: down-always"),
        "{why}"
    );
    options.allow_disruption = true;
    options
        .selection
        .skip
        .push("daemon-userns-remap".to_owned());
    let plan = plan_for(&facts, &options);
    assert_eq!(told(&plan), [Activation::RestartDocker]);
    assert_eq!(fates(&plan), STOPPED);
}

#[test]
fn a_swarm_stops_them() {
    let facts = host(&json!({ "docker": { "swarm": "active" } }));
    let plan = plan_for(&facts, &only(&["daemon-no-new-privileges"]));
    assert_eq!(told(&plan), [Activation::RestartDocker]);
    assert_eq!(fates(&plan), STOPPED);
}

/// With live-restore in effect already.
fn keeping(config: &str) -> Facts {
    host(&json!({
        "docker": { "live_restore": true },
        "files": { CONFIG: { "kind": "file", "text": config } },
    }))
}

#[test]
fn live_restore_that_is_on_needs_no_reload() {
    let facts = keeping("{\"live-restore\": true}");
    let plan = plan_for(&facts, &only(&["daemon-no-new-privileges"]));
    assert_eq!(told(&plan), [Activation::RestartDocker]);
    assert_eq!(fates(&plan), KEPT);
    assert!(plan.live_restore_on.is_none() && plan.undo_live_restore.is_none());
}

#[test]
fn containers_are_never_left_behind_under_another_root() {
    let facts = keeping("{\"live-restore\": true}");
    let plan = plan_for(&facts, &only(&["daemon-userns-remap"]));
    // Live-restore goes off first, so that they stop, and is on again in the end.
    assert_eq!(
        told(&plan),
        [Activation::ReloadDocker, Activation::RestartDocker]
    );
    let off = plan.live_restore_off.as_ref().unwrap();
    assert_eq!(off.after.text(), "{\"live-restore\": false}");
    assert!(fates(&plan).iter().all(|(_, fate)| *fate == Fate::Vanishes));
    let transaction = Transaction::from_plan(&plan, &facts, "", "");
    let step = transaction.steps.iter().find(|it| it.action.path == CONFIG);
    let action = &step.unwrap().action;
    assert_eq!(action.before, off.after);
    let last: Value = serde_json::from_str(action.after.text()).unwrap();
    assert_eq!(
        last,
        json!({ "live-restore": true, "userns-remap": "default" })
    );
}

/// The daemon says where its root really is (moby, daemon/daemon_unix.go, `CreateDaemonRoot`).
#[test]
fn another_name_of_the_root_is_no_other_root() {
    let folder = json!({ "kind": "folder", "mode": "0755" });
    let link = json!({ "kind": "link", "target": "/srv/docker" });
    for (config, files, root, fate) in [
        (
            json!({}),
            json!({ "/var/lib/docker": link }),
            "/srv/docker",
            Fate::KeepsRunning,
        ),
        (
            json!({}),
            json!({ "/var/lib/docker": { "kind": "link", "target": "../../srv/./docker/" } }),
            "/srv/docker",
            Fate::KeepsRunning,
        ),
        (
            json!({}),
            json!({ "/var": { "kind": "link", "target": "data" },
                            "/data": folder }),
            "/data/lib/docker",
            Fate::KeepsRunning,
        ),
        (
            json!({ "data-root": "/srv/docker/" }),
            json!({}),
            "/srv/docker",
            Fate::KeepsRunning,
        ),
        (
            json!({}),
            json!({ "/var/lib/docker": link }),
            "/srv/docker/100000.100000",
            Fate::KeepsRunning,
        ),
        (
            json!({}),
            json!({ "/var/lib/docker": link }),
            "/srv/docker2",
            Fate::Restarts,
        ),
        (
            json!({ "storage-driver": "btrfs" }),
            json!({}),
            "/var/lib/docker",
            Fate::Restarts,
        ),
        (
            json!({ "storage-driver": "overlay2" }),
            json!({}),
            "/var/lib/docker",
            Fate::KeepsRunning,
        ),
    ] {
        let mut file = json!({ "live-restore": true });
        file.as_object_mut()
            .unwrap()
            .extend(config.as_object().unwrap().clone());
        let facts = keeping(&file.to_string())
            .overlaid(&json!({ "docker": { "root_dir": root, "storage_driver": "overlay2" }, "files": files }))
            .unwrap();
        let mut options = only(&["daemon-no-new-privileges"]);
        options.allow_disruption = true;
        let plan = plan_for(&facts, &options);
        let of = |name: &str| {
            fates(&plan)
                .into_iter()
                .find(|(who, _)| *who == name)
                .unwrap()
                .1
        };
        assert_eq!(of("always"), fate, "{config} {files} {root}");
    }
}

#[test]
fn what_waits_for_containers_to_stop_is_done_when_they_may() {
    let facts = keeping("{\"live-restore\": true, \"icc\": false}");
    let waits = plan_for(&facts, &only(&["daemon-icc"]));
    assert!(waits.is_empty());
    assert_eq!(waits.pending[0].0, "daemon-icc");
    let mut options = only(&["daemon-icc"]);
    options.restart_containers = true;
    let plan = plan_for(&facts, &options);
    assert_eq!(
        told(&plan),
        [Activation::ReloadDocker, Activation::RestartDocker]
    );
    assert!(plan.steps.is_empty());
    assert_eq!(fates(&plan), STOPPED);
    // The file is put back as it was.
    let transaction = Transaction::from_plan(&plan, &facts, "", "");
    let off = transaction.live_restore_off.as_ref().unwrap();
    assert_eq!(transaction.steps.len(), 1);
    assert_eq!(transaction.steps[0].action.after, off.action.before);
    assert_eq!(transaction.steps[0].action.before, off.action.after);
}

#[test]
fn a_flag_for_live_restore_is_nothing_to_reload() {
    let facts = host(&json!({ "units": { "docker.service": {
        "argv": ["/usr/sbin/dockerd", "-H", "fd://", "--live-restore=false"] } } }));
    let plan = plan_for(&facts, &only(&["daemon-no-new-privileges"]));
    assert_eq!(told(&plan), [Activation::RestartDocker]);
    assert_eq!(fates(&plan), STOPPED);
}

/// Who asks for a restart of the containers may not know that docker deletes some of them and starts
/// others that somebody has stopped.
#[test]
fn containers_that_may_stop_are_not_therefore_deleted_or_started() {
    let restarted = |containers: Value, allow: bool| {
        let facts = keeping("{\"live-restore\": true}")
            .overlaid(&json!({ "docker": { "version": "26.1.5", "containers": containers } }))
            .unwrap();
        // By area: nothing is released by its name.
        let mut options = only(&["daemon"]);
        options.restart_containers = true;
        options.allow_disruption = allow;
        plan_for(&facts, &options)
    };
    let plain = json!([{ "name": "web", "running": true, "restart_policy": "always" }]);
    assert!(restarted(plain, false).activates(Activation::RestartDocker));
    let job =
        json!([{ "name": "job", "running": true, "restart_policy": "no", "auto_remove": true }]);
    let held = restarted(job.clone(), false);
    assert!(!held.activates(Activation::RestartDocker));
    let why = reason(&held, "daemon-icc");
    assert!(why.ends_with("started with --rm: job"), "{why}");
    assert!(restarted(job, true).activates(Activation::RestartDocker));
    let down = json!([{ "name": "down", "running": false, "restart_policy": "always",
                        "started_at": "2026-11-20T10:00:00Z" }]);
    assert!(!restarted(down, false).activates(Activation::RestartDocker));
}

/// A file that repeats a flag is refused, by a reload and at the next start.
#[test]
fn live_restore_that_is_on_by_a_flag_stops_nothing() {
    let argv = ["/usr/sbin/dockerd", "-H", "fd://", "--live-restore"];
    let facts = host(&json!({
        "docker": { "live_restore": true },
        "units": { "docker.service": { "argv": argv } },
        "daemon_process": { "pid": 100, "argv": argv },
    }));
    let mut options = only(&["daemon-userns-remap", "daemon-no-new-privileges"]);
    options.allow_disruption = true;
    let plan = plan_for(&facts, &options);
    assert!(plan.live_restore_off.is_none());
    let held = plan
        .held_back
        .iter()
        .find(|it| it.control == "daemon-userns-remap");
    let held = held.unwrap();
    assert!(
        held.reason.ends_with("always, once, job"),
        "{}",
        held.reason
    );
    assert_eq!(held.release, "docker stop always once job");
    // Nothing must stop for the other one.
    assert_eq!(told(&plan), [Activation::RestartDocker]);
    assert_eq!(fates(&plan), KEPT);
    options.restart_containers = true;
    let plan = plan_for(&facts, &options);
    assert_eq!(told(&plan), []);
    assert_eq!(plan.held_back.len(), 2);
}

fn with_rm(version: &str) -> Facts {
    let mut facts = host(&json!({}));
    if let Seen::Known(docker) = &mut facts.docker {
        version.clone_into(&mut docker.version);
        docker.containers.push(Container {
            name: "rm".to_owned(),
            running: true,
            auto_remove: true,
            ..Container::default()
        });
    }
    facts
}

#[test]
fn newer_daemons_keep_a_container_with_rm() {
    let facts = with_rm("26.1.5+dfsg1");
    let plan = plan_for(
        &facts,
        &only(&["daemon-no-new-privileges", "daemon-live-restore"]),
    );
    assert_eq!(fates(&plan)[..5], KEPT);
    assert_eq!(fates(&plan)[5], ("rm", Fate::KeepsRunning));
}

/// These daemons delete it when they start again, whatever live-restore says.
#[test]
fn a_container_that_is_deleted_when_it_stops_outlives_no_restart() {
    let facts = with_rm("20.10.24+dfsg1");
    let mut options = only(&["daemon"]);
    options.selection.skip = vec!["daemon-icc".to_owned()];
    let plan = plan_for(&facts, &options);
    // live-restore itself needs no restart.
    assert_eq!(told(&plan), [Activation::ReloadDocker]);
    let why = reason(&plan, "daemon-no-new-privileges");
    assert!(
        why.contains("deletes containers that were started with --rm: rm"),
        "{why}"
    );
    let plan = plan_for(
        &facts,
        &only(&["daemon-no-new-privileges", "daemon-live-restore"]),
    );
    assert_eq!(
        told(&plan),
        [Activation::ReloadDocker, Activation::RestartDocker]
    );
    assert_eq!(fates(&plan)[..5], KEPT);
    assert_eq!(fates(&plan)[5], ("rm", Fate::Deleted));
    assert!(!plan.expect.containers.contains(&"rm".to_owned()));
    let who: Vec<&String> = plan.impact.iter().flat_map(|it| &it.who).collect();
    assert!(who.contains(&&"container rm".to_owned()), "{who:?}");
}
