//! `plan`: what would cure the findings, as reviewable changes.
//!
//! The planner works on a copy of the facts ([`workbench`]). In rounds it judges the copy, fulfils
//! the wishes of the controls that fail and may be changed, lets the services react on the copy
//! ([`simulate`]), and judges again, until nothing new is wished for: a daemon.json that the plan
//! creates needs an audit watch, for example. So the audit of the result passes and a second plan
//! is empty by construction. All wishes for one path become one change of that path.
//!
//! Pure: nothing here can reach a host.

mod diff;
mod document;
mod drop_in;
mod expectation;
mod flags;
mod forecast;
mod impact;
mod refusal;
mod restart;
mod simulate;
mod touch;
mod why_not;
mod workbench;

pub use diff::{describe_state, unified};
pub use document::{Document, DocumentError, HeldBackDocument, StepDocument};
pub use forecast::{
    ContainerForecast, Effective, Fate, Forecast, ObjectFate, ObjectForecast, SettingForecast,
};
pub use impact::{Impact, depends};
pub use why_not::Why;
pub use workbench::OWN_FILE_HEADER;

use crate::audit::{Judged, judge};
use crate::catalog::{Catalog, Selection};
use crate::change::{Action, Activation, Edit, Expectation};
use crate::checks::{
    GENERATED_RULES, Layout, OWN_RULES_FILE, Outcome, RULES_FILE, TMPFILES, parent,
};
use crate::facts::{Facts, Look, Requests, RuleLoader};
use crate::policy::Policy;
use restart::Restart;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use why_not::Asked;
use workbench::{Controls, Workbench};

/// What a plan was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Which controls.
    pub selection: Selection,
    /// Do what disrupts, too.
    pub allow_disruption: bool,
    /// Stop running containers for a restart of the daemon that they could outlive: only then it
    /// changes its default bridge.
    pub restart_containers: bool,
}

/// One change of one path, and the controls that it serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The change.
    pub action: Action,
    /// Ids.
    pub controls: Vec<String>,
}

/// A service that is told to take notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedActivation {
    /// What is told to whom.
    pub activation: Activation,
    /// Whose sake it is for.
    pub controls: Vec<String>,
    /// What the service itself writes then.
    pub writes: Vec<String>,
    /// What it is for, where that is not plain.
    pub purpose: Option<&'static str>,
}

/// A failing control that this plan does not cure.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldBack {
    /// Its id.
    pub control: String,
    /// What kind of reason.
    pub why: Why,
    /// Why.
    pub reason: String,
    /// The flag that releases it, or the command that helps.
    pub release: String,
    /// What it would change on top of the steps, empty when nothing is known.
    pub changes: Vec<Action>,
    /// Whom that would concern, besides those whom a restart stops.
    pub impact: Vec<Impact>,
}

/// What would be done to a host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Changes of paths, in order.
    pub steps: Vec<Step>,
    /// Services told, in order, once, after all steps.
    pub activations: Vec<PlannedActivation>,
    /// Whom it concerns.
    pub impact: Vec<Impact>,
    /// What is left out, and why.
    pub held_back: Vec<HeldBack>,
    /// What is written but takes effect later: control and event.
    pub pending: Vec<(String, String)>,
    /// What could not be judged: control and what was seen instead.
    pub unknown: Vec<(String, String)>,
    /// What must be true afterwards.
    pub expect: Expectation,
    /// What must be true when it was taken back.
    pub expect_undone: Expectation,
    /// An intermediate content of daemon.json that undoing needs: live-restore explicitly false.
    pub undo_live_restore: Option<Action>,
    /// An intermediate content of daemon.json that is written and reloaded before everything else,
    /// so that running containers outlive the restart: the former one with live-restore on.
    pub live_restore_on: Option<Action>,
    /// The same with live-restore explicitly off, so that they do not.
    pub live_restore_off: Option<Action>,
    /// Whether the daemon will make the `dockremap` account.
    pub makes_account: bool,
    /// The facts as they would be.
    pub forecast: Facts,
    /// What becomes of the containers and everything else.
    pub becomes: Forecast,
}

/// The account that the daemon makes for `userns-remap = "default"` (docs.docker.com, "Isolate
/// containers with a user namespace").
pub const REMAP_ACCOUNT: &str = "dockremap";
/// The files in which it appears.
pub const ACCOUNT_FILES: [&str; 6] = [
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/subuid",
    "/etc/subgid",
];

/// A plan is found in a few rounds; more would mean that two controls undo each other.
const MOST_ROUNDS: usize = 6;

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.activations.is_empty()
    }

    /// Whether an effect of the plan is a matter of size, which only a measurement tells.
    pub fn asks_for_usage(&self) -> bool {
        self.impact.iter().any(|impact| impact.size.is_some())
    }

    /// Whether the plan, or what it holds back, hints at programs in images that gain rights, which
    /// only a look into the images tells.
    pub fn asks_for_setuid(&self) -> bool {
        let held_back = self.held_back.iter().flat_map(|held| &held.impact);
        self.impact
            .iter()
            .chain(held_back)
            .any(impact::hints_at_setuid)
    }

    /// The activation is part of the plan.
    pub fn activates(&self, activation: Activation) -> bool {
        self.activations
            .iter()
            .any(|planned| planned.activation == activation)
    }
}

/// What the planner needs to see beyond what the checks do: the files that it may create.
pub fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    let [socket, service] = ["docker.socket", "docker.service"].map(drop_in::path);
    for path in [OWN_RULES_FILE, TMPFILES, &socket, &service] {
        requests.insert(path.to_owned(), Look::Content);
        requests
            .entry(parent(path).to_owned())
            .or_insert(Look::Attributes);
    }
    let layout = Layout::of(facts);
    // New content comes from a new file beside the old one: may its folder take one?
    for path in [layout.config.as_str(), RULES_FILE] {
        requests
            .entry(parent(path).to_owned())
            .or_insert(Look::Attributes);
    }
    if facts.auditing.loader == RuleLoader::RulesFile {
        requests.insert(RULES_FILE.to_owned(), Look::Content);
    }
    requests.insert(facts.real_path(&layout.data_root()), Look::Entries);
    for (path, look) in impact::requests(facts) {
        let wanted = requests.entry(path).or_insert(look);
        *wanted = look.max(*wanted);
    }
    requests
}

/// Plans the cure of the findings of the selected controls.
pub fn plan(
    catalog: &Catalog,
    facts: &Facts,
    policy: &Policy,
    options: &Options,
    today: &str,
) -> Plan {
    let mut held: BTreeMap<String, HeldBack> = BTreeMap::new();
    // Holding one control back can make another one impossible, so start again each time.
    let bench = loop {
        if let Some(bench) = rounds(catalog, facts, policy, options, today, &mut held) {
            break bench;
        }
    };
    finish(catalog, facts, policy, options, today, &bench, held)
}

/// Fulfils wishes until there are no new ones. `None` when a control had to be held back after
/// some of its wishes were fulfilled.
fn rounds<'a>(
    catalog: &Catalog,
    facts: &'a Facts,
    policy: &Policy,
    options: &Options,
    today: &str,
    held: &mut BTreeMap<String, HeldBack>,
) -> Option<Workbench<'a>> {
    let mut bench = Workbench::new(facts);
    for _ in 0..MOST_ROUNDS {
        let judged = judge(catalog, &bench.facts, policy, &options.selection, today);
        let keeps = Restart::may_keep(facts, wishes_live_restore(&judged, held), options);
        let mut news = false;
        for one in judged.iter().filter(|one| is_wish(one)) {
            let id = &one.control.id;
            if held.contains_key(id) {
                continue;
            }
            if one.judgement.edits == [Edit::RestartContainers] && !options.restart_containers {
                // Pending until they stop by themselves.
                continue;
            }
            let asked = Asked {
                one,
                facts,
                becomes: &bench.facts,
                options,
                keeps,
            };
            if let Some(why) = why_not::before(&asked) {
                held.insert(id.clone(), why.of(id));
                continue;
            }
            for edit in &one.judgement.edits {
                if let Err(obstacle) = bench.apply(id, edit) {
                    held.insert(id.clone(), why_not::unwritable(obstacle).of(id));
                    return None;
                }
                news = true;
            }
        }
        if let Some((controls, why)) = why_not::refused_start(&bench) {
            for id in controls {
                let back = why.clone().of(&id);
                held.insert(id, back);
            }
            return None;
        }
        let unserved = why_not::unserved(&bench, facts, options);
        if !unserved.is_empty() {
            held.extend(unserved);
            return None;
        }
        if !news {
            break;
        }
        bench.react(options);
    }
    let news = why_not::restart(&bench, facts, options);
    if news.is_empty() {
        return Some(bench);
    }
    held.extend(news);
    None
}

/// Whether live-restore will be switched on by this plan, as far as it is known.
fn wishes_live_restore(judged: &[Judged<'_>], held: &BTreeMap<String, HeldBack>) -> bool {
    let on = Edit::DaemonKey {
        key: "live-restore".to_owned(),
        value: Some(Value::Bool(true)),
    };
    judged.iter().filter(|one| is_wish(one)).any(|one| {
        one.judgement.edits.contains(&on)
            && one.judgement.blocked.is_none()
            && !held.contains_key(&one.control.id)
    })
}

fn is_wish(one: &Judged<'_>) -> bool {
    one.judgement.outcome == Outcome::Fail && one.waiver.is_none()
}

fn finish(
    catalog: &Catalog,
    facts: &Facts,
    policy: &Policy,
    options: &Options,
    today: &str,
    bench: &Workbench<'_>,
    mut held: BTreeMap<String, HeldBack>,
) -> Plan {
    let steps: Vec<Step> = bench
        .actions()
        .into_iter()
        .map(|(action, controls)| Step {
            action,
            controls: in_order(catalog, &controls),
        })
        .collect();
    let makes_account = makes_account(facts, bench);
    let mut activations: Vec<PlannedActivation> = bench
        .activations()
        .into_iter()
        .map(|(activation, controls)| PlannedActivation {
            activation,
            controls: in_order(catalog, &controls),
            writes: writes(facts, activation, makes_account),
            purpose: None,
        })
        .collect();
    let restarts = activations
        .iter()
        .any(|planned| planned.activation == Activation::RestartDocker);
    let restart = bench.restart(options);
    let prelude = if restarts {
        restart.prelude(facts)
    } else {
        None
    };
    if prelude.is_some() {
        activations.push(PlannedActivation {
            activation: Activation::ReloadDocker,
            controls: Vec::new(),
            writes: Vec::new(),
            purpose: Some(if restart.keeps() {
                "first of all, with live-restore on and nothing else: running containers outlive the restart"
            } else {
                "first of all, with live-restore off: running containers stop for the restart"
            }),
        });
        activations.sort_by_key(|planned| planned.activation);
    }

    let judged = judge(catalog, &bench.facts, policy, &options.selection, today);
    let mut pending = Vec::new();
    for one in judged.iter().filter(|one| is_wish(one)) {
        if let Some(event) = one
            .judgement
            .evidence
            .iter()
            .find_map(|evidence| evidence.pending.clone())
            && !held.contains_key(&one.control.id)
        {
            pending.push((one.control.id.clone(), event));
        }
        if let Some(back) = held.get_mut(&one.control.id) {
            back.changes = would_change(bench, one);
            back.impact = impact::of_edits(facts, &one.judgement.edits);
        }
    }
    let unknown = judged
        .iter()
        .filter(|one| one.judgement.outcome == Outcome::Unknown && one.waiver.is_none())
        .map(|one| (one.control.id.clone(), one.judgement.seen()))
        .collect();
    let order: Vec<HeldBack> = catalog
        .iter()
        .filter_map(|control| held.remove(&control.id))
        .collect();
    let (live_restore_on, live_restore_off) = if restart.keeps() {
        (prelude, None)
    } else {
        (None, prelude)
    };
    let mut plan = Plan {
        undo_live_restore: match &live_restore_on {
            Some(on) => on.after.with_live_restore(false).map(|off| Action {
                path: on.path.clone(),
                before: on.after.clone(),
                after: off,
            }),
            None => expectation::undo_live_restore(facts, &bench.facts, &steps),
        },
        live_restore_on,
        live_restore_off,
        expect: expectation::done(facts, &bench.facts, bench),
        expect_undone: expectation::undone(facts, bench),
        steps,
        activations,
        held_back: order,
        pending,
        unknown,
        makes_account,
        forecast: bench.facts.clone(),
        impact: Vec::new(),
        becomes: Forecast::default(),
    };
    plan.impact = impact::impact(facts, &plan, restart);
    let keys = bench.daemon_keys.keys().map(String::as_str);
    plan.becomes = forecast::forecast(facts, &plan, restart, &keys.collect());
    plan
}

fn in_order(catalog: &Catalog, controls: &Controls) -> Vec<String> {
    catalog
        .iter()
        .filter(|control| controls.contains(&control.id))
        .map(|control| control.id.clone())
        .collect()
}

/// What a held-back control would change on top of the steps.
fn would_change(bench: &Workbench<'_>, one: &Judged<'_>) -> Vec<Action> {
    let mut alone = Workbench::new(&bench.facts);
    for edit in &one.judgement.edits {
        if alone.apply(&one.control.id, edit).is_err() {
            return Vec::new();
        }
    }
    alone
        .actions()
        .into_iter()
        .map(|(action, _)| action)
        .collect()
}

/// What a service itself writes when it is told.
fn writes(facts: &Facts, activation: Activation, makes_account: bool) -> Vec<String> {
    match activation {
        Activation::LoadAuditRules if facts.auditing.loader == RuleLoader::Augenrules => {
            GENERATED_RULES.map(str::to_owned).to_vec()
        }
        Activation::RestartDocker if makes_account => vec![format!(
            "the account {REMAP_ACCOUNT} and its subordinate ids in {}",
            ACCOUNT_FILES.join(", ")
        )],
        _ => Vec::new(),
    }
}

fn makes_account(facts: &Facts, bench: &Workbench<'_>) -> bool {
    let remap = |facts: &Facts| {
        Layout::of(facts)
            .configured("userns-remap")
            .map(|(value, _)| value)
    };
    let wanted = remap(&bench.facts);
    (wanted == Some(Value::from("default")) || wanted == Some(Value::from(REMAP_ACCOUNT)))
        && remap(facts) != wanted
        && crate::formats::accounts::id_of(&facts.table("/etc/passwd"), REMAP_ACCOUNT).is_none()
}
