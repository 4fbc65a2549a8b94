//! Audit watches, and how busy a watched data root is.
//!
//! A watch with `wa` records each opening for writing, and each file that is made, renamed or
//! removed (auditctl(8), `-p`); below the data root that is everything that containers do in their
//! own layers and volumes.

use super::{Impact, Turn, words};
use crate::checks::{Layout, OWN_RULES_FILE, RULES_FILE, RULES_FOLDER, rule_files};
use crate::facts::{Facts, Look, Requests, RuleLoader};
use crate::formats::audit_rules::Watch;
use crate::formats::settings;

/// Sorts before our own rules, as the first rule that matches decides (audit.rules(7)), and
/// augenrules(8) joins files in natural order.
const EXCLUSIONS: &str = "40-docker-exclusions.rules";

/// What auditd does when its log cannot grow.
const AUDITD: &str = "/etc/audit/auditd.conf";

/// Its settings that may name an action which stops the host (auditd.conf(5)): `halt`, or `single`,
/// which ends all services.
const ACTIONS: [&str; 5] = [
    "space_left_action",
    "admin_space_left_action",
    "disk_full_action",
    "disk_error_action",
    "max_log_file_action",
];

/// The files that must be seen to tell what a full log does.
pub(super) fn requests() -> Requests {
    Requests::from([(AUDITD.to_owned(), Look::Content)])
}

/// Whether a watch records everything that is written below the data root.
pub(super) fn covers_data_root(facts: &Facts, watch: &Watch) -> bool {
    let root = facts.real_path(&Layout::of(facts).data_root());
    root == watch.path || root.starts_with(&format!("{}/", watch.path))
}

/// Why a busy watch can stop this host: a full log halts it, or an event that is lost is a panic.
pub(super) fn can_stop_the_host(turn: &Turn<'_>) -> Option<String> {
    let facts = turn.facts;
    if !turn
        .watches
        .iter()
        .any(|watch| covers_data_root(facts, watch))
    {
        return None;
    }
    let text = turn.table(AUDITD);
    let stops = |action: &str| ["halt", "single"].contains(&action.to_lowercase().as_str());
    let action = ACTIONS
        .iter()
        .filter_map(|name| Some((name, settings::value(&text, name)?)))
        .find(|(_, action)| stops(action))
        .map(|(name, action)| {
            format!("a full audit log stops this host ({AUDITD}: {name} = {action})")
        });
    action.or_else(|| {
        let file = panics(turn)?;
        Some(format!(
            "the kernel panics when an audit event is lost (-f 2 in {file})"
        ))
    })
}

/// The rule file that has the last word on what a lost event does, where that is a panic
/// (auditctl(8), `-f`).
fn panics(turn: &Turn<'_>) -> Option<String> {
    let mut last = None;
    for file in rule_files(turn.facts) {
        for line in turn.table(&file).lines() {
            let mut words = line.split_ascii_whitespace();
            if words.next() == Some("-f") {
                last = Some((words.next() == Some("2"), file.clone()));
            }
        }
    }
    last.filter(|(panics, _)| *panics).map(|(_, file)| file)
}

/// Why that disrupts something here: what runs writes below the data root, and that can stop the host.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let why = can_stop_the_host(turn)?;
    let running: Vec<_> = turn.docker()?.running().collect();
    (!running.is_empty()).then(|| {
        format!(
            "it records each file that containers make or open for writing, and {why}: {}",
            words::names(running)
        )
    })
}

/// What is recorded from now on.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    if turn.watches.is_empty() {
        return Vec::new();
    }
    let mut all = vec![Impact {
        what: "the kernel records more events, with the key docker".to_owned(),
        who: Vec::new(),
        why: words::counted(turn.watches.len(), "new audit watch").unwrap_or_default(),
        size: None,
    }];
    all.extend(busy(turn));
    all
}

/// A watch of the data root while containers run, and the way out that the benchmark has.
fn busy(turn: &Turn<'_>) -> Vec<Impact> {
    let Some(docker) = turn.docker() else {
        return Vec::new();
    };
    let root = turn.facts.real_path(&Layout::of(turn.facts).data_root());
    let is_watched = turn
        .watches
        .iter()
        .any(|watch| covers_data_root(turn.facts, watch));
    let running = docker.running().count();
    let Some(count) = words::counted(running, "container").filter(|_| is_watched) else {
        return Vec::new();
    };
    let now = if docker.root_dir.is_empty() {
        &root
    } else {
        &docker.root_dir
    };
    let mut folders = Vec::new();
    // With the containerd image store the layers are elsewhere.
    if docker.storage_driver != "overlayfs" && !docker.storage_driver.is_empty() {
        folders.push(docker.storage_driver.as_str());
    }
    folders.push("volumes");
    let below = if turn.remaps().is_some() {
        format!("{now}/UID.GID")
    } else {
        now.clone()
    };
    let rules: Vec<String> = folders
        .iter()
        .map(|folder| format!("-a never,exit -F dir={below}/{folder}"))
        .collect();
    let place = match turn.facts.auditing.loader {
        RuleLoader::RulesFile => format!("above the watch in {RULES_FILE}"),
        RuleLoader::Augenrules | RuleLoader::None => {
            format!("in {RULES_FOLDER}/{EXCLUSIONS}, which is read before {OWN_RULES_FILE}")
        }
    };
    let verb = if running == 1 { "runs" } else { "run" };
    vec![
        Impact {
            what: format!(
                "each file that a container makes, opens for writing, renames or removes is recorded, and {count} {verb} here: watch the size of the audit log"
            ),
            who: words::containers(docker.running()),
            why: match can_stop_the_host(turn) {
                Some(stops) => format!("the watch of {root} covers everything below it, and {stops}"),
                None => format!("the watch of {root} covers everything below it"),
            },
            size: None,
        },
        Impact {
            what: format!(
                "what containers write can be left out by these lines {place}:\n{}\nThey are offered only, not applied",
                rules.join("\n")
            ),
            who: Vec::new(),
            why: "the first rule that matches decides, so they hide these folders from later rules, too; a folder that is missing at boot ends the loading of all rules".to_owned(),
            size: None,
        },
    ]
}
