//! What is written to daemon.json and the daemon has not read.

use super::{CONFIG, host, only, plan_for, reason, told};
use crate::bad_input::{Tree, is_root};
use seaworthy::apply::{Settings, Transaction, unread_keys};
use seaworthy::audit::judge;
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::change::Activation;
use seaworthy::checks::Outcome;
use seaworthy::facts::Facts;
use seaworthy::host::LinuxHost;
use seaworthy::plan::Options;
use seaworthy::policy::Policy;
use serde_json::json;

#[test]
fn what_the_daemon_has_not_read_comes_with_a_restart_and_needs_leave() {
    let file = |text: &str| {
        host(&json!({
            "docker": { "containers": [], "live_restore": true },
            "units": { "docker.service": { "started": 1000 } },
            "files": { CONFIG: { "kind": "file", "mode": "0644", "text": text, "modified": 1001 } } }))
    };
    // By area: nothing is released by its name.
    let options = only(&["daemon"]);
    let told_by = |text: &str| plan_for(&file(text), &options).activates(Activation::RestartDocker);
    // In effect, as the API shows.
    assert!(told_by(r#"{"live-restore": true}"#));
    assert!(!told_by(
        r#"{"live-restore": true, "max-concurrent-downloads": 3}"#
    ));
    let plan = plan_for(
        &file(r#"{"live-restore": true, "bip": "10.1.0.1/24", "debug": true}"#),
        &options,
    );
    let why = reason(&plan, "daemon-no-new-privileges");
    assert!(why.ends_with("since it started: bip, debug"), "{why}");
}

#[test]
fn what_the_daemon_has_not_read_comes_with_a_reload_too() {
    let plan_of = |text: &str, options: &Options| {
        let facts = host(&json!({
            "units": { "docker.service": { "started": 1000 } },
            "files": { CONFIG: { "kind": "file", "mode": "0644", "text": text, "modified": 1001 } } }));
        plan_for(&facts, options)
    };
    let by_area = only(&["daemon"]);
    // A reload leaves the bridge as it is.
    let plan = plan_of(r#"{"bip": "10.1.0.1/24"}"#, &by_area);
    assert_eq!(told(&plan), [Activation::ReloadDocker]);
    let text = r#"{"authorization-plugins": ["gone"], "bip": "10.1.0.1/24", "debug": true}"#;
    let plan = plan_of(text, &by_area);
    assert_eq!(told(&plan), []);
    let why = reason(&plan, "daemon-live-restore");
    assert_eq!(
        why,
        "it reloads docker.service, which brings into effect what was written to /etc/docker/daemon.json since it started: authorization-plugins, debug"
    );
    let named = plan_of(text, &only(&["daemon-live-restore"]));
    assert_eq!(told(&named), [Activation::ReloadDocker]);
}

/// A reload is no reason to doubt what the daemon has read before it.
#[test]
fn a_reload_leaves_known_what_was_read() {
    let text = r#"{"userland-proxy": false, "log-level": "info"}"#;
    let facts = |modified: i64| {
        host(&json!({
            "units": { "docker.service": { "started": 1000 } },
            "files": { CONFIG: { "kind": "file", "mode": "0644", "text": text, "modified": modified } } }))
    };
    let after = |facts: &Facts| {
        let plan = plan_for(facts, &only(&["daemon-live-restore"]));
        assert_eq!(told(&plan), [Activation::ReloadDocker]);
        let transaction = Transaction::from_plan(&plan, facts, "", "");
        assert_eq!(transaction.unread_keys, plan.forecast.unread_keys);
        plan.forecast
    };
    let catalog = Catalog::embedded().unwrap();
    let policy = Policy::default();
    let selection = Selection::default();
    let passes = |facts: &Facts| {
        let judged = judge(&catalog, facts, &policy, &selection, "2026-11-22");
        [
            "daemon-userland-proxy",
            "daemon-log-level",
            "daemon-iptables",
        ]
        .map(|id| {
            let one = judged.iter().find(|one| one.control.id == id).unwrap();
            one.judgement.outcome == Outcome::Pass
        })
    };
    let read = facts(900);
    assert_eq!(passes(&read), [true; 3]);
    let reloaded = after(&read);
    assert_eq!(
        reloaded.unread_keys,
        Some(["live-restore".to_owned()].into())
    );
    assert_eq!(passes(&reloaded), [true; 3]);
    // What somebody has written since the start stays unknown.
    let unread = facts(1100);
    assert_eq!(passes(&unread), [false; 3]);
    let reloaded = after(&unread);
    assert_eq!(reloaded.unread_keys, None);
    assert_eq!(passes(&reloaded), [false; 3]);
    // But for what is known of it.
    let mut known = unread;
    known.unread_keys = Some(["userland-proxy".to_owned()].into());
    assert_eq!(passes(&known), [false, true, true]);
    let keys = ["live-restore", "userland-proxy"].map(str::to_owned);
    assert_eq!(after(&known).unread_keys, Some(keys.into()));
}

/// The journal keeps which keys a transaction has changed.
#[test]
fn what_this_program_has_written_is_known() {
    if !is_root() {
        return;
    }
    let tree = Tree::with_daemon_json("{\"userland-proxy\": false}\n");
    let file = || tree.read("etc/docker/daemon.json");
    let known = |content: &[u8], since: i64| {
        let host = LinuxHost::folder(&tree.root()).unwrap();
        unread_keys(&host, &Settings::default(), CONFIG, content, since).unwrap()
    };
    assert_eq!(known(&file(), 0), None);
    let before = file();
    let ran = tree.run(&["apply", "--yes", "--only", "daemon-live-restore"]);
    assert_eq!(ran.status, Some(0), "{}", ran.all());
    let written = file();
    assert_eq!(known(&written, 0), Some(["live-restore".to_owned()].into()));
    // Somebody else has written since, or the daemon has started since.
    assert_eq!(known(&before, 0), None);
    assert_eq!(known(&written, i64::MAX), None);
    let ran = tree.run(&["rollback", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.all());
    assert_eq!(known(&file(), 0), None);
}
