//! The kernel's audit rules.

use super::unseen;
use crate::facts::{Auditing, Kind, Look, RuleLoader, Seen, UnitState};
use crate::formats::audit_rules::{Release, listing, parse_status};
use crate::host::{Output, ReadHost};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn collect(host: &dyn ReadHost, units: &BTreeMap<String, UnitState>) -> Auditing {
    let auditctl = host.program("auditctl");
    let installed = auditctl.is_some();
    let status = ask(host, installed, "-s", parse_status);
    Auditing {
        release: ask(host, installed, "-v", |text| {
            Release::parse(text).map(|Release(a, b, c)| format!("{a}.{b}.{c}"))
        })
        .known()
        .cloned(),
        machine: machine(host),
        rate_limit: status.known().and_then(|status| status.rate_limit),
        loader: loader(units, installed),
        kernel_rules: ask(host, installed, "-l", |text| {
            let lines = listing(text).into_iter().map(|line| line.text);
            let rules: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
            // With no rules it says so; silence means that it was not told.
            (!rules.is_empty() || text.contains("No rules")).then_some(rules)
        }),
        enabled: match status {
            Seen::Known(status) => Seen::Known(status.enabled),
            Seen::Unseen(unseen) => Seen::Unseen(unseen),
        },
        augenrules: host.program("augenrules"),
        auditctl,
    }
}

/// Where programs of a machine find their loader, or keep their libraries.
const MARKS: [(&str, &str); 8] = [
    ("/lib64/ld-linux-x86-64.so.2", "x86_64"),
    ("/lib/ld-linux-aarch64.so.1", "aarch64"),
    ("/usr/lib/x86_64-linux-gnu", "x86_64"),
    ("/usr/lib/aarch64-linux-gnu", "aarch64"),
    ("/usr/lib64/ld-linux-x86-64.so.2", "x86_64"),
    ("/usr/lib/ld-linux-aarch64.so.1", "aarch64"),
    ("/lib/ld-musl-x86_64.so.1", "x86_64"),
    ("/lib/ld-musl-aarch64.so.1", "aarch64"),
];

/// The machine that the host is, or that an image is for, where only one of them left a mark.
fn machine(host: &dyn ReadHost) -> Option<String> {
    if host.is_live() {
        let output = host.report("uname", &["-m"]).ok()?;
        let name = output.stdout.trim();
        return (output.status == Some(0) && !name.is_empty()).then(|| name.to_owned());
    }
    let there = |path: &str| {
        host.node(path, Look::Attributes)
            .is_ok_and(|node| node.kind != Kind::Absent)
    };
    let found: BTreeSet<&str> = MARKS
        .iter()
        .filter(|(path, _)| there(path))
        .map(|(_, name)| *name)
        .collect();
    match found.into_iter().collect::<Vec<_>>()[..] {
        [only] => Some(only.to_owned()),
        _ => None,
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
        return Seen::unseen("only root may list the audit rules", "sudo seaworthy audit");
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
