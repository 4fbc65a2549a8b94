//! Whom a plan concerns on this host, and which cures disrupt something here.
//!
//! A file for each setting: each computes its effects from the containers, images, volumes and
//! networks that exist now. What takes effect is worked out once ([`turn`]): a restart brings into
//! effect what waits in the file, too, whoever wrote it.

mod access;
mod bridge;
mod checkpoints;
mod clients;
mod data_root;
mod depends;
mod firewall;
mod hidden;
mod limits;
mod logging;
mod netfilter;
mod ports;
mod privileges;
mod registries;
mod remapped;
mod restart;
mod seccomp;
mod subordinate;
mod turn;
mod unanswered;
mod vanish;
mod watched;
mod words;

use super::restart::Restart;
use super::{Options, Plan};
use crate::catalog::{Applicability, Control};
use crate::change::Edit;
use crate::checks::hidden_flag;
use crate::facts::{Facts, Requests, Seen};
use serde::{Deserialize, Serialize};
use turn::Turn;

/// One effect of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// What happens.
    pub what: String,
    /// To whom: `container web`, `image busybox:latest`; empty when to nobody.
    pub who: Vec<String>,
    /// Why.
    pub why: String,
    /// How much it takes on the disk, or why that was not measured. It changes by the minute, so a
    /// saved plan is not held to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
}

impl Impact {
    /// Whether both lists say the same of the same, sizes left aside.
    pub(super) fn agree(saved: &[Self], fresh: &[Self]) -> bool {
        let said = |all: &[Self]| -> Vec<Self> {
            let without_size = |one: &Self| Self {
                size: None,
                ..one.clone()
            };
            all.iter().map(without_size).collect()
        };
        said(saved) == said(fresh)
    }
}

pub use depends::depends;
pub(super) use ports::unserved;
pub(super) use privileges::is_hint as hints_at_setuid;

/// What must be seen to tell whom a plan concerns.
pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = subordinate::requests(facts);
    requests.extend(data_root::requests(facts));
    requests.extend(remapped::requests(facts));
    requests.extend(ports::requests(facts));
    requests.extend(firewall::requests(facts));
    requests.extend(netfilter::requests(facts));
    requests.extend(checkpoints::requests(facts));
    requests.extend(hidden::requests(facts));
    requests.extend(watched::requests());
    requests
}

/// The flags that release a control that disrupts.
pub(super) fn release(id: &str) -> String {
    format!("--allow-disruption, or --only {id}")
}

/// Whom a restart of docker.service stops here, or deletes where that was asked for; `keeps` says that running
/// containers outlive it.
pub(super) fn stops(facts: &Facts, options: &Options, keeps: bool) -> Option<String> {
    let stopped = if options.restart_containers {
        restart::deletes_with_all(facts)
    } else if keeps {
        restart::deletes(facts)
    } else {
        restart::stops(facts)
    };
    let reasons: Vec<String> = [stopped, unanswered::disruption(facts)]
        .into_iter()
        .flatten()
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// Why curing this finding disrupts something on this host, `None` when it does not. `keeps` says
/// that running containers would outlive a restart.
pub(super) fn disruption(
    control: &Control,
    edits: &[Edit],
    facts: &Facts,
    options: &Options,
    keeps: bool,
) -> Option<String> {
    if control.remediation.applicability == Applicability::Disruptive {
        return Some(words::first_sentence(&control.remediation.impact));
    }
    let turn = Turn::of_edits(facts, edits);
    let mut reasons: Vec<String> = [
        access::disruption(&turn),
        watched::disruption(&turn),
        firewall::disruption(&turn),
        seccomp::disruption(&turn),
        checkpoints::disruption(&turn),
        depends::unknown(facts, edits),
    ]
    .into_iter()
    .flatten()
    .collect();
    if turn.restarts {
        reasons.extend(of_restart(&turn, edits, options, keeps));
    } else {
        reasons.extend(restart::reload_brings_more(facts, edits));
    }
    if reasons.is_empty() {
        reasons.extend(hidden::reason(&turn, edits));
    }
    // Last: it tells what all of them could not see.
    reasons.extend(
        turn.blindness().map(|blind| {
            format!("whom it concerns is not known, as this could not be read: {blind}")
        }),
    );
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What a restart of docker.service for these edits disrupts.
fn of_restart(turn: &Turn<'_>, edits: &[Edit], options: &Options, keeps: bool) -> Vec<String> {
    let facts = turn.facts;
    if let Some(reason) = vanish::disruption(turn) {
        return vec![reason];
    }
    let stopped = match &facts.docker {
        // What could not be seen can be stopped, too.
        Seen::Unseen(_) => restart::stops(facts),
        Seen::Known(_) => stops(facts, options, keeps),
    };
    let brings_more = match &stopped {
        Some(_) => None,
        None => restart::brings_more(facts, edits),
    };
    [
        bridge::disruption(turn),
        ports::disruption(turn),
        stopped,
        restart::starts(facts),
        brings_more,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What no flag releases: why, and what helps.
pub(super) fn danger(edits: &[Edit], facts: &Facts) -> Option<(String, String)> {
    let hidden = edits.iter().find_map(|edit| match edit {
        Edit::DaemonKey {
            key,
            value: Some(_),
        } => hidden_flag(facts, key),
        _ => None,
    });
    if hidden.is_some() {
        return hidden;
    }
    let turn = Turn::of_edits(facts, edits);
    if turn.restarts
        && let Some(danger) = unanswered::danger(facts)
    {
        return Some(danger);
    }
    netfilter::obstacle(&turn)
        .or_else(|| subordinate::obstacle(&turn))
        .or_else(|| data_root::obstacle(&turn))
        .or_else(|| {
            let blind = turn.blindness()?;
            Some((
                format!("whether the daemon would start is not known, as this could not be read: {blind}"),
                format!("ls -ld {}", turn.blind_at()?),
            ))
        })
}

/// Whom the steps and activations of a plan concern.
pub(super) fn impact(facts: &Facts, plan: &Plan, restart: Restart) -> Vec<Impact> {
    let turn = Turn::of_plan(facts, plan, restart);
    let mut all = restart::impact(&turn);
    all.extend(unanswered::impact(&turn));
    all.extend(settings(&turn));
    if plan
        .steps
        .iter()
        .any(|step| step.controls.iter().any(|id| id == "content-trust"))
    {
        all.push(Impact {
            what: "`docker pull`, `run` and `build` of unsigned images fail".to_owned(),
            who: vec!["everybody who logs in from now on".to_owned()],
            why: "DOCKER_CONTENT_TRUST=1; Docker's own Notary service ends on 2026-12-08"
                .to_owned(),
            size: None,
        });
    }
    all
}

/// Whom the cure of one finding concerns, besides those whom a restart stops.
pub(super) fn of_edits(facts: &Facts, edits: &[Edit]) -> Vec<Impact> {
    settings(&Turn::of_edits(facts, edits))
}

/// The effects of everything but the restart itself.
fn settings(turn: &Turn<'_>) -> Vec<Impact> {
    let effects: [fn(&Turn<'_>) -> Vec<Impact>; 15] = [
        firewall::impact,
        vanish::impact,
        remapped::impact,
        subordinate::impact,
        bridge::impact,
        privileges::impact,
        ports::impact,
        registries::impact,
        seccomp::impact,
        checkpoints::impact,
        clients::impact,
        logging::impact,
        limits::impact,
        access::impact,
        watched::impact,
    ];
    let mut all: Vec<Impact> = effects.iter().flat_map(|effect| effect(turn)).collect();
    all.extend(turn.blindness().map(|blind| Impact {
        what: "may concern others, who are not named here".to_owned(),
        who: Vec::new(),
        why: format!("this could not be read: {blind}"),
        size: None,
    }));
    all
}

#[cfg(test)]
mod tests;
