//! The kernel's audit rules.

use super::unseen;
use crate::facts::{Auditing, RuleLoader, Seen, UnitState};
use crate::formats::audit_rules::{listing, parse_status};
use crate::host::{Output, ReadHost};
use std::collections::BTreeMap;

pub(super) fn collect(host: &dyn ReadHost, units: &BTreeMap<String, UnitState>) -> Auditing {
    let auditctl = host.program("auditctl");
    let installed = auditctl.is_some();
    Auditing {
        loader: loader(units, installed),
        kernel_rules: ask(host, installed, "-l", |text| {
            let lines = listing(text).into_iter().map(|line| line.text);
            let rules: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
            // With no rules it says so; silence means that it was not told.
            (!rules.is_empty() || text.contains("No rules")).then_some(rules)
        }),
        enabled: ask(host, installed, "-s", |text| {
            parse_status(text).map(|status| status.enabled)
        }),
        augenrules: host.program("augenrules"),
        auditctl,
    }
}

fn loader(units: &BTreeMap<String, UnitState>, auditctl: bool) -> RuleLoader {
    let runs_augenrules = |commands: &[String]| {
        commands
            .iter()
            .any(|command| command.split(' ').any(|word| word.ends_with("augenrules")))
    };
    let auditd = units.get("auditd.service");
    let rules = units.get("audit-rules.service");
    if auditd.is_some_and(|unit| runs_augenrules(&unit.start_post))
        || rules.is_some_and(|unit| runs_augenrules(&unit.argv))
    {
        RuleLoader::Augenrules
    } else if auditctl || auditd.is_some() {
        RuleLoader::RulesFile
    } else {
        RuleLoader::None
    }
}

/// What `auditctl` says, where it can be asked. Its exit status alone is not believed.
fn ask<T>(
    host: &dyn ReadHost,
    installed: bool,
    option: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Seen<T> {
    if !host.is_live() {
        return Seen::unseen("no kernel runs in a folder", "");
    }
    if !installed {
        return Seen::unseen(
            "auditctl is not installed",
            "install the audit tools: apt-get install auditd, or dnf install audit",
        );
    }
    if !host.is_root() {
        return Seen::unseen("only root may list the audit rules", "run as root");
    }
    match host.report("auditctl", &[option]) {
        Ok(output) => match read(&output.stdout) {
            Some(value) if output.status == Some(0) => Seen::Known(value),
            _ => Seen::unseen(format!("auditctl {option}: {}", complaint(&output)), ""),
        },
        Err(error) => unseen(&error),
    }
}

fn complaint(output: &Output) -> String {
    let said = output.stderr.trim();
    match (said.is_empty(), output.status) {
        (false, _) => said.replace('\n', "; "),
        (true, Some(0)) => "it printed nothing that could be read".to_owned(),
        (true, Some(status)) => format!("exited with status {status}"),
        (true, None) => "was ended by a signal".to_owned(),
    }
}
