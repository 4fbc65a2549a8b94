//! What the services make of new files, as far as it is known: so that a plan can be judged before
//! it is applied, and a forecast compared with what happened.

use super::forecast::Fate;
use super::restart::Restart;
use crate::checks::{Layout, rule_files, unread_keys};
use crate::facts::{Docker, Facts, Seen};
use crate::formats::audit_rules;
use serde_json::Value;

/// systemd reads its units' files.
pub(super) fn reload_units(facts: &mut Facts) {
    for unit in facts.units.values_mut() {
        unit.needs_reload = false;
    }
}

/// Rules from the files come into the kernel.
pub(super) fn load_audit_rules(facts: &mut Facts) {
    let from_files: Vec<String> = rule_files(facts)
        .iter()
        .flat_map(|file| audit_rules::watches(facts.text(file).unwrap_or_default()))
        .map(|watch| audit_rules::render(&watch))
        .collect();
    if let Seen::Known(rules) = &mut facts.auditing.kernel_rules {
        for rule in from_files {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
}

/// The daemon reads what a reload brings into effect, and nothing else. What the API does not show
/// may differ from the file from then on, for the keys that are changed.
pub(super) fn reload_docker(before: &Facts, facts: &mut Facts) {
    facts.unread_keys = unread_keys(before, facts);
    let layout = Layout::of(facts);
    let config = layout.config.clone();
    let live_restore = layout.configured("live-restore").map(|(value, _)| value);
    if let (Seen::Known(docker), Some(Value::Bool(on))) = (&mut facts.docker, live_restore) {
        docker.live_restore = on;
    }
    if let Some(Seen::Known(node)) = facts.files.get_mut(&config) {
        node.modified = i64::MAX;
    }
}

/// The daemon starts anew, on `facts` as they become; what it holds is as it was `before`.
pub(super) fn restart_docker(before: &Facts, facts: &mut Facts, restart: Restart) {
    facts.docker.clone_from(&before.docker);
    let layout = Layout::of(facts);
    let value = |key: &str| layout.configured(key).map(|(value, _)| value);
    let switch = |key: &str, default: bool| match value(key) {
        Some(Value::Bool(on)) => on,
        Some(Value::Null) => false,
        _ => default,
    };
    let text = |key: &str| match value(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let list = |key: &str| -> Vec<String> {
        match value(key) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    };
    let icc = switch("icc", true);
    let live_restore = switch("live-restore", false);
    let no_new_privileges = switch("no-new-privileges", false);
    let experimental = switch("experimental", false);
    let remapped = text("userns-remap").is_some_and(|user| !user.is_empty());
    let log_driver = text("log-driver").unwrap_or_else(|| "json-file".to_owned());
    let insecure = list("insecure-registries");
    let authorization = list("authorization-plugins");
    if let Seen::Known(docker) = &mut facts.docker {
        let mut containers = std::mem::take(&mut docker.containers);
        containers.retain_mut(|container| {
            let keeps = restart.keeps() && docker.live_restore_keeps(container);
            let (fate, _) = Fate::over_restart(container, keeps);
            container.running = fate.runs();
            fate != Fate::Deleted
        });
        docker.containers = containers;
        if !restart.keeps() && !docker.bridge_options.is_empty() {
            docker
                .bridge_options
                .insert(crate::facts::ENABLE_ICC.to_owned(), icc.to_string());
        }
        docker.live_restore = live_restore;
        docker.experimental = experimental;
        docker.logging_driver = log_driver;
        docker.insecure_registries = insecure;
        docker.authorization_plugins = authorization;
        security_option(docker, "no-new-privileges", no_new_privileges);
        if docker.is_remapped() != remapped {
            // Another root: nothing of the old one is seen (docs.docker.com, userns-remap).
            docker.containers.clear();
            docker.images.clear();
            docker.volumes.clear();
            docker.networks.clear();
        }
        security_option(docker, "userns", remapped);
    }
    if let Some(unit) = facts.units.get_mut("docker.service") {
        unit.started = i64::MAX;
        if let Seen::Known(process) = &mut facts.daemon_process {
            process.argv.clone_from(&unit.argv);
        }
    }
}

fn security_option(docker: &mut Docker, name: &str, on: bool) {
    // no-new-privileges is shown from 24.0 on only.
    let shown = name != "no-new-privileges"
        || crate::facts::major(&docker.version).is_some_and(|major| major >= 24);
    let is_on = docker.has_security_option(name);
    if on && !is_on && shown {
        docker.security_options.push(format!("name={name}"));
    } else if !on && is_on {
        docker
            .security_options
            .retain(|option| !option.split(',').any(|part| part == format!("name={name}")));
    }
}
