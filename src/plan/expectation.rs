//! What must hold once a plan was applied, or taken back.

use super::Step;
use super::workbench::Workbench;
use crate::change::{Action, Activation, Expectation};
use crate::checks::Layout;
use crate::facts::{Facts, Seen};
use crate::formats::audit_rules;
use std::collections::BTreeSet;

/// While live-restore is on, a restart with a file that turns it off kills containers that keep
/// running; the daemon must be told by SIGHUP first, with an explicit `false`: taking the key out
/// changes nothing on a reload.
pub(super) fn undo_live_restore(before: &Facts, after: &Facts, steps: &[Step]) -> Option<Action> {
    let live = |facts: &Facts| {
        facts
            .docker
            .known()
            .is_some_and(|docker| docker.live_restore)
    };
    if live(before) || !live(after) {
        return None;
    }
    let config = Layout::of(after).config;
    let step = steps.iter().find(|step| step.action.path == config)?;
    Some(Action {
        path: config,
        before: step.action.after.clone(),
        after: step.action.after.with_live_restore(false)?,
    })
}

/// What must hold after an undo: the containers that ran do run, or a person is told which do not.
pub(super) fn undone(facts: &Facts, bench: &Workbench<'_>) -> Expectation {
    let mut expect = done(facts, facts, bench);
    let told = bench.activations();
    let restarts = told
        .iter()
        .any(|(activation, _)| *activation == Activation::RestartDocker);
    if let (true, Some(docker)) = (restarts, facts.docker.known()) {
        expect.containers = docker
            .running()
            .filter(|container| container.can_be_started_again())
            .map(|container| container.name.clone())
            .collect();
        // What waited for a restart came with that of the undo.
        let layout = Layout::of(facts);
        expect
            .daemon
            .retain(|key, _| layout.runs_as_configured(key, docker));
    }
    expect
}

/// What must hold once the services run on `target`, for what this plan touches.
pub(super) fn done(before: &Facts, target: &Facts, bench: &Workbench<'_>) -> Expectation {
    if !before.host.live {
        return Expectation::default();
    }
    let told: BTreeSet<Activation> = bench
        .activations()
        .into_iter()
        .map(|(activation, _)| activation)
        .collect();
    let mut expect = Expectation {
        docker_runs: Layout::of(before).docker_runs(),
        auditd_runs: before
            .units
            .get("auditd.service")
            .is_some_and(crate::facts::UnitState::is_active),
        ..Expectation::default()
    };
    if let (true, Some(docker)) = (
        told.contains(&Activation::RestartDocker),
        target.docker.known(),
    ) {
        expect.daemon = bench
            .daemon_keys
            .keys()
            .filter_map(|key| Some((key.clone(), docker.effective(key)?)))
            .collect();
        expect.containers = docker
            .running()
            .filter(|container| container.can_be_started_again())
            .map(|container| container.name.clone())
            .collect();
    }
    if told.contains(&Activation::LoadAuditRules)
        && let Seen::Known(rules) = &target.auditing.kernel_rules
    {
        expect.watches = rules
            .iter()
            .flat_map(|rule| audit_rules::watches(rule))
            .collect();
    }
    expect
}
