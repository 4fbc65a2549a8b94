//! From a plan to a transaction.

use super::{DaemonStart, Derived, Step, Transaction};
use crate::audit::TOOL;
use crate::change::{Action, ActionKind, Activation, State};
use crate::checks::{Layout, unread_keys};
use crate::facts::{Facts, RuleLoader};
use crate::plan::{ACCOUNT_FILES, Plan, REMAP_ACCOUNT};

impl Transaction {
    /// The transaction that carries out a plan on the host with these facts. `by` and `command`
    /// go on record.
    pub fn from_plan(plan: &Plan, facts: &Facts, by: &str, command: &str) -> Self {
        let mut derived = Vec::new();
        if plan.activates(Activation::LoadAuditRules)
            && facts.auditing.loader == RuleLoader::Augenrules
        {
            derived.extend(Derived::generated_rules());
        }
        if plan.makes_account && plan.activates(Activation::RestartDocker) {
            derived.push(Derived::Account {
                files: ACCOUNT_FILES.map(str::to_owned).to_vec(),
                name: REMAP_ACCOUNT.to_owned(),
            });
        }
        let mut controls: Vec<String> = Vec::new();
        let served = plan.steps.iter().flat_map(|step| &step.controls);
        let told = plan
            .activations
            .iter()
            .flat_map(|planned| &planned.controls);
        for control in served.chain(told) {
            if !controls.contains(control) {
                controls.push(control.clone());
            }
        }
        let prelude = plan
            .live_restore_on
            .as_ref()
            .or(plan.live_restore_off.as_ref());
        let intermediate = |action: &Action, what: &str| Step {
            what: format!("{}: {what}", action.path),
            action: action.clone(),
            controls: Vec::new(),
        };
        Self {
            controls,
            steps: steps(plan, prelude),
            live_restore_on: plan.live_restore_on.as_ref().map(|action| {
                intermediate(
                    action,
                    "live-restore on, so that containers outlive the restart",
                )
            }),
            live_restore_off: plan
                .live_restore_off
                .as_ref()
                .map(|action| intermediate(action, "live-restore explicitly off")),
            activations: plan
                .activations
                .iter()
                .map(|planned| planned.activation)
                // That reload belongs to the first step.
                .filter(|told| prelude.is_none() || *told != Activation::ReloadDocker)
                .collect(),
            derived,
            expect: plan.expect.clone(),
            expect_undone: plan.expect_undone.clone(),
            undo_live_restore: plan
                .undo_live_restore
                .as_ref()
                .map(|action| intermediate(action, "live-restore explicitly off")),
            unread_keys: unread_keys(facts, &plan.forecast),
            pending: plan.pending.first().map(|(_, event)| event.clone()),
            by: by.to_owned(),
            command: command.to_owned(),
            tool: TOOL.to_owned(),
            daemon: daemon(plan, facts),
            ..Self::default()
        }
    }
}

/// The plan's steps. That of the daemon's configuration starts from what `prelude` wrote there; where
/// there is none, what was there comes back.
fn steps(plan: &Plan, prelude: Option<&Action>) -> Vec<Step> {
    let mut steps: Vec<Step> = plan
        .steps
        .iter()
        .map(|step| Step {
            what: in_words(&step.action),
            action: step.action.clone(),
            controls: step.controls.clone(),
        })
        .collect();
    let Some(prelude) = prelude else {
        return steps;
    };
    let back = prelude.clone().inverse();
    match steps
        .iter_mut()
        .find(|step| step.action.path == prelude.path)
    {
        Some(step) => {
            // Attributes alone are changed: the content comes back with them.
            if let State::Opaque { attributes } = &step.action.after {
                step.action.after = back.after.with_attributes(attributes);
            }
            step.action.before = back.before;
        }
        None => steps.push(Step {
            what: format!("{}: as it was", back.path),
            action: back,
            controls: Vec::new(),
        }),
    }
    steps
}

/// How the daemon will be started, on a running host that has it as a service.
fn daemon(plan: &Plan, facts: &Facts) -> Option<DaemonStart> {
    let now = facts.units.get("docker.service")?;
    let unit = plan.forecast.units.get("docker.service")?;
    (facts.host.live && !unit.argv.is_empty()).then(|| DaemonStart {
        config: Layout::of(&plan.forecast).config,
        command: unit.argv.to_vec(),
        command_changes: unit.argv != now.argv,
    })
}

/// A change as a person would say it.
pub(super) fn in_words(action: &Action) -> String {
    let path = &action.path;
    match action.kind() {
        ActionKind::Create => format!("create {path}"),
        ActionKind::Replace => format!("edit {path}"),
        ActionKind::Remove => format!("remove {path}"),
        ActionKind::MakeFolder => format!("make the folder {path}"),
        ActionKind::RemoveFolder => format!("remove the folder {path} if it is empty"),
        ActionKind::Attributes => match (action.before.attributes(), action.after.attributes()) {
            (Some(before), Some(after)) if before.mode != after.mode => {
                format!("{path}: mode {} -> {}", before.mode, after.mode)
            }
            _ => format!("{path}: change the owner"),
        },
    }
}
