//! What the services make of new files, as far as it is known: so that a plan can be judged before
//! it is applied, and a forecast compared with what happened.

use crate::change::Activation;
use crate::checks::{Layout, rule_files};
use crate::facts::{Docker, Facts, Seen};
use crate::formats::audit_rules;
use serde_json::Value;

/// Lets a service react on the copy.
pub(super) fn react(facts: &mut Facts, activation: Activation) {
    match activation {
        Activation::LoadAuditRules => load_audit_rules(facts),
        Activation::RestartDocker => restart_docker(facts),
        Activation::ReloadUnits => {
            for unit in facts.units.values_mut() {
                unit.needs_reload = false;
            }
        }
        Activation::ReloadDocker | Activation::RestartAuditd => {}
    }
}

fn load_audit_rules(facts: &mut Facts) {
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

fn restart_docker(facts: &mut Facts) {
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
        let kept = docker.keeps_bridge_over_restart();
        if !docker.live_restore {
            // They are stopped; --rm deletes, and a policy decides who comes back.
            docker.containers.retain(|container| !container.auto_remove);
            for container in &mut docker.containers {
                container.running &= container.comes_back();
            }
        }
        if !kept && !docker.bridge_options.is_empty() {
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
        if docker.has_security_option("userns") != remapped {
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
