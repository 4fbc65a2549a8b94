//! Audit watches, and how busy a watched data root is.
//!
//! A watch with `wa` records each opening for writing, and each file that is made, renamed or
//! removed (auditctl(8), `-p`); below the data root that is everything that containers do in their
//! own layers and volumes.

use super::{Impact, Turn, words};
use crate::checks::{Layout, OWN_RULES_FILE, RULES_FILE, RULES_FOLDER};
use crate::facts::RuleLoader;

/// Sorts before our own rules, as the first rule that matches decides (audit.rules(7)), and
/// augenrules(8) joins files in natural order.
const EXCLUSIONS: &str = "40-docker-exclusions.rules";

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
        .any(|watch| root == watch.path || root.starts_with(&format!("{}/", watch.path)));
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
            who: Vec::new(),
            why: format!("the watch of {root} covers everything below it"),
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
