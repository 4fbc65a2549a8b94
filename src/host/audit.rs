//! Bringing audit rules into the kernel, and auditd to notice.
//!
//! Exit statuses are not believed here: with a locked rule set auditctl 3.0.9 exits with 0 and
//! does nothing, augenrules hides failures, and `auditctl -R` deletes all rules before it stops at
//! the first one that it cannot load. What counts is what `auditctl -l` lists afterwards.

use super::HostError;
use super::commands::{Runner, how_it_ended};
use super::services::shown;
use crate::facts::{Reading, RuleLoader};
use crate::formats::audit_rules::{Line, Rule, listing, parse, parse_status, same, words};
use std::time::Duration;

/// What `auditctl -R` and augenrules(8) load.
pub(super) const RULES_FILE: &str = "/etc/audit/audit.rules";

/// One request to the kernel takes milliseconds; this is for a machine that swaps.
const KERNEL_DEADLINE: Duration = Duration::from_secs(30);

const UNIT: &str = "auditd.service";

/// What loading needs to know of the host.
pub(super) struct Auditor<'a> {
    pub(super) runner: &'a dyn Runner,
    /// Reads a file of the host.
    pub(super) read: &'a dyn Fn(&str) -> Reading<'static>,
    /// [`RULES_FILE`] as it was before this process replaced it.
    pub(super) replaced: Option<&'a Reading<'static>>,
}

impl Auditor<'_> {
    /// Loads the rules from the files. Rules that only the kernel knew stay. Does nothing while
    /// the rules are locked (`enabled 2`): they are loaded at the next boot.
    pub(super) fn load(&self, deadline: Duration) -> Result<(), HostError> {
        if self.is_locked()? {
            return Ok(());
        }
        let loader = self.loader();
        let (program, arguments): (&str, &[&str]) = match loader {
            RuleLoader::Augenrules => ("augenrules", &["--load"]),
            RuleLoader::RulesFile | RuleLoader::None => ("auditctl", &["-R", RULES_FILE]),
        };
        self.keeping_rules(loader, || {
            let output = self.runner.run(program, arguments, deadline)?;
            Ok(output.stderr)
        })
    }

    /// Restarts auditd where its unit permits that.
    pub(super) fn restart(&self, deadline: Duration) -> Result<(), HostError> {
        let output = self.runner.succeed(
            "systemctl",
            &[
                "show",
                "--no-pager",
                "--property=LoadState,RefuseManualStop",
                UNIT,
            ],
            deadline,
        )?;
        let blocks = shown(&output.stdout);
        let has = |key: &str, value: &str| {
            blocks
                .iter()
                .any(|block| block.get(key).map(String::as_str) == Some(value))
        };
        if !has("LoadState", "loaded") || has("RefuseManualStop", "yes") {
            return Ok(());
        }
        // The unit loads the rules again when it starts, and drops those of the kernel with that.
        self.keeping_rules(self.loader(), || {
            self.runner
                .succeed("systemctl", &["restart", UNIT], deadline)?;
            Ok(String::new())
        })
    }

    /// `auditctl` with these words.
    pub(super) fn rule(&self, words: &[String]) -> Result<(), HostError> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.runner.succeed("auditctl", &words, KERNEL_DEADLINE)?;
        Ok(())
    }

    /// The rules in the kernel, as they are listed.
    pub(super) fn kernel_rules(&self) -> Result<Vec<Line>, HostError> {
        let output = self.runner.succeed("auditctl", &["-l"], KERNEL_DEADLINE)?;
        let mut lines = listing(&output.stdout);
        lines.retain(|line| !line.text.trim().is_empty());
        Ok(lines)
    }

    fn is_locked(&self) -> Result<bool, HostError> {
        let output = self.runner.succeed("auditctl", &["-s"], KERNEL_DEADLINE)?;
        Ok(parse_status(&output.stdout).is_some_and(|status| status.enabled == 2))
    }

    fn loader(&self) -> RuleLoader {
        let arguments = [
            "show",
            "--no-pager",
            "--property=ExecStart,ExecStartPost",
            UNIT,
            "audit-rules.service",
        ];
        match self.runner.run("systemctl", &arguments, KERNEL_DEADLINE) {
            Ok(output) if output.stdout.contains("augenrules") => RuleLoader::Augenrules,
            _ => RuleLoader::RulesFile,
        }
    }

    /// Does something that loads the rule files, and adds again what was in the kernel before and
    /// is lost, except what was taken out of the files meanwhile: that is meant to go.
    ///
    /// `act` returns what the loader complained of.
    fn keeping_rules(
        &self,
        loader: RuleLoader,
        act: impl FnOnce() -> Result<String, HostError>,
    ) -> Result<(), HostError> {
        let before = self.kernel_rules()?;
        // augenrules writes the file when it loads: until then it holds what was loaded last.
        let old = match loader {
            RuleLoader::Augenrules => self.rules_on_disk(),
            _ => self.replaced.map_or_else(|| self.rules_on_disk(), rules),
        };
        let acted = act();
        let new = self.rules_on_disk();
        let is_meant_to_go = |line: &Line| {
            // A rule of which the files could not be read is not known to be meant to go.
            let (Some(rule), Some(old), Some(new)) = (rule_of(line), &old, &new) else {
                return false;
            };
            old.iter().any(|old| same(old, rule)) && !new.iter().any(|new| same(new, rule))
        };
        let lost = |after: &[Line]| -> Vec<Line> {
            let gone = before
                .iter()
                .filter(|line| !after.iter().any(|other| other.text == line.text));
            gone.filter(|line| !is_meant_to_go(line)).cloned().collect()
        };
        let mut complaints = String::new();
        for line in lost(&self.kernel_rules()?) {
            let words = words(&line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = self.runner.run("auditctl", &words, KERNEL_DEADLINE)?;
            if output.status != Some(0) {
                complaints.push_str(&how_it_ended(&output));
                complaints.push('\n');
            }
            complaints.push_str(&output.stderr);
        }
        let loader_said = acted?;
        let lost = lost(&self.kernel_rules()?);
        if lost.is_empty() {
            return Ok(());
        }
        let lost: Vec<&str> = lost.iter().map(|line| line.text.as_str()).collect();
        Err(HostError::Command {
            command: match loader {
                RuleLoader::Augenrules => "augenrules --load".to_owned(),
                _ => format!("auditctl -R {RULES_FILE}"),
            },
            how: format!("took audit rules out of the kernel: {}", lost.join("; ")),
            stderr: format!("{loader_said}{complaints}"),
        })
    }

    fn rules_on_disk(&self) -> Option<Vec<Rule>> {
        rules(&(self.read)(RULES_FILE))
    }
}

/// The rules in a file; `None` where it could not be read.
fn rules(file: &Reading<'_>) -> Option<Vec<Rule>> {
    let text = match file {
        Reading::Text(text) => text,
        Reading::Absent => "",
        Reading::Unread(_) => return None,
    };
    let lines = parse(text).into_iter();
    Some(lines.filter_map(|line| line.rule.ok().flatten()).collect())
}

fn rule_of(line: &Line) -> Option<&Rule> {
    line.rule.as_ref().ok()?.as_ref()
}
