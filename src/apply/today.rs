//! A rollback on the host as it is today: services that were stopped since stay stopped, one that
//! runs again reads the restored file, and whoever asked is told whom that concerns.

use super::{Derived, Transaction};
use crate::change::{Action, Activation, State};
use crate::checks::{Layout, RULES_FOLDER, parent};
use crate::facts::{Container, Facts, RuleLoader, Seen, UnitState};
use serde_json::Value;

impl Transaction {
    /// Fits a rollback to the services that run now: what happened to run when the original was
    /// applied does not matter.
    pub fn fit_to_today(&mut self, facts: &Facts) {
        if !facts.host.live {
            return;
        }
        let layout = Layout::of(facts);
        // What has failed with what is taken back now is to run again.
        let shall_run = |unit| facts.units.get(unit).is_some_and(UnitState::shall_run);
        let docker_runs = layout.docker_runs() || shall_run("docker.service");
        let auditd_runs = shall_run("auditd.service");
        self.activations.retain(|activation| match activation {
            Activation::ReloadDocker | Activation::RestartDocker => docker_runs,
            Activation::RestartAuditd => auditd_runs,
            Activation::ReloadUnits | Activation::LoadAuditRules => true,
        });
        let restores_config = self
            .all_steps()
            .any(|step| step.action.path == layout.config && !is_reloaded(&step.action));
        if docker_runs && restores_config {
            self.tell(Activation::RestartDocker);
        }
        let restores_rules = self
            .all_steps()
            .any(|step| parent(&step.action.path) == RULES_FOLDER);
        if restores_rules
            && facts.auditing.loader == RuleLoader::Augenrules
            && facts.auditing.enabled.known().is_some()
            && !facts.auditing.is_locked()
        {
            // Where auditing was locked when they were written, a boot has loaded them since.
            self.tell(Activation::LoadAuditRules);
            for derived in Derived::generated_rules() {
                if !self.derived.contains(&derived) {
                    self.derived.push(derived);
                }
            }
        }
        for expected in [&mut self.expect, &mut self.expect_undone] {
            expected.docker_runs = docker_runs;
            expected.auditd_runs = auditd_runs;
            if !docker_runs {
                expected.daemon.clear();
            }
        }
        if facts.auditing.is_locked() && self.activations.contains(&Activation::LoadAuditRules) {
            // Nothing can leave the kernel before then; the files are put back all the same.
            self.pending = Some("the next boot".to_owned());
        }
        if let Seen::Known(docker) = &facts.docker {
            // The original expected what was in effect when it was applied.
            self.expect_undone.daemon.retain(|key, value| {
                docker.is_in_effect(key, value) != Some(false)
                    && layout.runs_as_configured(key, docker)
            });
        }
        self.expect_containers(facts);
        self.switch_live_restore_off(facts, &layout.config);
        self.keep_containers(facts);
        self.leave_the_bridge(facts);
    }

    /// Tells a service that the original did not need to tell.
    fn tell(&mut self, activation: Activation) {
        if !self.activations.contains(&activation) {
            self.activations.push(activation);
            self.activations.sort();
        }
    }

    /// Which containers must run in the end, and which after a failure.
    fn expect_containers(&mut self, facts: &Facts) {
        let Seen::Known(docker) = &facts.docker else {
            return;
        };
        if !self.activations.contains(&Activation::RestartDocker) {
            return;
        }
        let names = |those: fn(&Container) -> bool| -> Vec<String> {
            docker
                .running()
                .filter(|container| container.can_be_started_again() && those(container))
                .map(|container| container.name.clone())
                .collect()
        };
        self.expect_undone.containers = names(|_| true);
        // Another root is another set of containers.
        if !self.expect.daemon.contains_key("userns-remap") {
            self.expect.containers = names(Container::comes_back);
        }
    }

    /// Whom a rollback concerns on this host, in sentences.
    pub fn impact_today(&self, facts: &Facts) -> Vec<String> {
        let Seen::Known(docker) = &facts.docker else {
            return Vec::new();
        };
        if !self.activations.contains(&Activation::RestartDocker) {
            return Vec::new();
        }
        let mut sentences = Vec::new();
        let keeps = docker.live_restore && self.live_restore_off.is_none();
        let (lasting, other): (Vec<&Container>, Vec<&Container>) = docker
            .running()
            .partition(|container| keeps && docker.live_restore_keeps(container));
        let (deleted, stopped): (Vec<&Container>, Vec<&Container>) = other
            .into_iter()
            .partition(|container| container.auto_remove);
        for (what, who) in [
            ("live-restore keeps these containers running", lasting),
            (
                "these containers stop; they come back only by their restart policy",
                stopped,
            ),
            (
                "docker deletes these containers, which were started with --rm",
                deleted,
            ),
        ] {
            if !who.is_empty() {
                let names: Vec<&str> = who.iter().map(|who| who.name.as_str()).collect();
                sentences.push(format!(
                    "docker.service restarts, and {what}: {}",
                    names.join(", ")
                ));
            }
        }
        let hidden: Vec<String> = docker
            .hidden_containers()
            .map(ToString::to_string)
            .collect();
        if !hidden.is_empty() {
            sentences.push(format!(
                "docker.service restarts, and what becomes of these is not known, as they could not be seen: {}",
                hidden.join(", ")
            ));
        }
        let remapping_ends = docker.is_remapped()
            && self.expect.daemon.get("userns-remap") == Some(&Value::from(""));
        if remapping_ends {
            let of_today: Vec<&str> = docker
                .containers
                .iter()
                .map(|container| container.name.as_str())
                .collect();
            sentences.push(format!(
                "the daemon changes back to its former root: {} and {} images made since userns-remap vanish from view",
                if of_today.is_empty() { "no containers".to_owned() } else { format!("the containers {}", of_today.join(", ")) },
                docker.images.len()
            ));
        }
        sentences
    }
}

/// Whether nothing of the daemon's configuration changes but live-restore, which is switched by a
/// reload.
fn is_reloaded(action: &Action) -> bool {
    let without = |state: &State| -> Option<Value> {
        let text = match state {
            State::Absent => "{}",
            other => other.text(),
        };
        let mut keys: Value = serde_json::from_str(text).ok()?;
        keys.as_object_mut()?.remove("live-restore");
        Some(keys)
    };
    let (before, after) = (without(&action.before), without(&action.after));
    before.is_some() && before == after
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Step;
    use super::*;
    use crate::facts::{Attributes, Docker};

    pub(in crate::apply) fn host(active: &str, docker: Docker) -> Facts {
        let unit = |active: &str| UnitState {
            active: active.to_owned(),
            ..UnitState::default()
        };
        let mut facts = Facts::default();
        facts.host.live = true;
        facts.units.insert("docker.service".into(), unit(active));
        facts.units.insert("auditd.service".into(), unit(active));
        facts.docker = Seen::Known(docker);
        facts
    }

    pub(in crate::apply) fn rollback(activations: &[Activation]) -> Transaction {
        Transaction {
            activations: activations.to_vec(),
            steps: vec![Step {
                action: Action {
                    path: "/etc/docker/daemon.json".into(),
                    before: State::File {
                        attributes: Attributes::default(),
                        content: "{\n  \"icc\": false,\n  \"live-restore\": true\n}\n".into(),
                    },
                    after: State::Absent,
                },
                controls: Vec::new(),
                what: String::new(),
            }],
            ..Transaction::default()
        }
    }

    #[test]
    fn a_service_that_was_stopped_since_stays_stopped() {
        let mut transaction = rollback(&[
            Activation::LoadAuditRules,
            Activation::RestartAuditd,
            Activation::RestartDocker,
        ]);
        transaction.expect.docker_runs = true;
        transaction.fit_to_today(&host("inactive", Docker::default()));
        assert_eq!(transaction.activations, [Activation::LoadAuditRules]);
        assert!(!transaction.expect.docker_runs);
    }

    #[test]
    fn a_service_that_has_failed_since_is_to_run_again() {
        let mut transaction = rollback(&[Activation::RestartAuditd, Activation::RestartDocker]);
        transaction.fit_to_today(&host("failed", Docker::default()));
        assert_eq!(transaction.activations.len(), 2);
        assert!(transaction.expect.docker_runs && transaction.expect.auditd_runs);
    }

    #[test]
    fn rules_that_a_boot_has_loaded_since_leave_the_kernel() {
        for (loader, enabled, expected) in [
            (RuleLoader::Augenrules, 1, &[Activation::LoadAuditRules][..]),
            (RuleLoader::Augenrules, 2, &[]),
            (RuleLoader::RulesFile, 1, &[]),
        ] {
            let mut facts = host("inactive", Docker::default());
            facts.auditing.loader = loader;
            facts.auditing.enabled = Seen::Known(enabled);
            let mut transaction = rollback(&[]);
            transaction.steps[0].action.path = "/etc/audit/rules.d/50-x.rules".into();
            transaction.fit_to_today(&facts);
            assert_eq!(transaction.activations, expected);
            // If that fails, both come back byte for byte.
            let recorded: Vec<String> = transaction
                .derived
                .iter()
                .map(|derived| match derived {
                    Derived::WholeFile { path } => path.clone(),
                    Derived::Account { name, .. } => name.clone(),
                })
                .collect();
            let generated = ["/etc/audit/audit.rules", "/etc/audit/audit.rules.prev"];
            let expected = if expected.is_empty() {
                &[][..]
            } else {
                &generated
            };
            assert_eq!(recorded, expected);
        }
    }

    #[test]
    fn a_daemon_that_was_started_since_reads_the_restored_file() {
        let mut transaction = rollback(&[]);
        let docker = Docker {
            live_restore: true,
            containers: vec![Container {
                name: "web".into(),
                running: true,
                ..Container::default()
            }],
            ..Docker::default()
        };
        let facts = host("active", docker);
        transaction.fit_to_today(&facts);
        assert_eq!(transaction.activations, [Activation::RestartDocker]);
        assert_eq!(transaction.expect_undone.containers, ["web"]);
        assert!(transaction.expect.containers.is_empty());
        let off = transaction.live_restore_off.as_ref().unwrap();
        assert!(off.action.after.text().contains("\"live-restore\": false"));
        assert_eq!(transaction.steps[0].action.before, off.action.after);
        assert!(transaction.impact_today(&facts)[0].ends_with("web"));
    }

    #[test]
    fn an_undo_of_a_rollback_leads_to_what_runs_today() {
        let file = |icc: bool| {
            let text = format!("{{\"icc\": {icc}}}");
            let node = crate::facts::Node::file(&text);
            [("/etc/docker/daemon.json".to_owned(), Seen::Known(node))]
        };
        // In effect, configured, expected by the original; what is expected of an undo now.
        for (effective, configured, expected, left) in [
            (false, false, false, true),
            // It was pending when the original was applied, and is in effect by now.
            (false, false, true, false),
            // It is pending still, and comes with the restart of the undo.
            (true, false, true, false),
        ] {
            let docker = Docker {
                bridge_options: [(crate::facts::ENABLE_ICC.to_owned(), effective.to_string())]
                    .into(),
                ..Docker::default()
            };
            let mut facts = host("active", docker);
            facts.files.extend(file(configured));
            let mut transaction = rollback(&[Activation::RestartDocker]);
            transaction.expect_undone.daemon = [("icc".to_owned(), Value::Bool(expected))].into();
            transaction.fit_to_today(&facts);
            let is_left = !transaction.expect_undone.daemon.is_empty();
            assert_eq!(is_left, left, "{effective} {configured} {expected}");
        }
    }

    #[test]
    fn live_restore_alone_is_taken_back_without_a_restart() {
        let docker = Docker {
            live_restore: true,
            ..Docker::default()
        };
        let mut transaction = rollback(&[Activation::ReloadDocker]);
        transaction.steps[0].action.before = State::File {
            attributes: Attributes::default(),
            content: "{\n  \"live-restore\": true\n}\n".into(),
        };
        transaction.fit_to_today(&host("active", docker));
        assert_eq!(transaction.activations, [Activation::ReloadDocker]);
        assert!(transaction.live_restore_off.is_some());
    }
}
