//! Why a failing control is not cured by this plan: all reasons, in one list, in the order in which
//! they count. The first one that holds is told.
//!
//! Most are asked before anything is planned for a control ([`before`]). Some show only on the way: a
//! wish that cannot be written ([`unwritable`]), a configuration with which the daemon would not start
//! ([`refused_start`]), ports that nothing would serve ([`unserved`]), and what a restart does to whom in
//! the end ([`restart`]).

use super::touch::{self, Touch};
use super::workbench::{Controls, Obstacle, Workbench};
use super::{HeldBack, Options, impact, refusal};
use crate::audit::Judged;
use crate::catalog::Applicability;
use crate::change::{Activation, Edit};
use crate::checks::Layout;
use crate::checks::hands_off;
use crate::facts::Facts;
use crate::formats::secrets;
use std::collections::BTreeMap;

/// A kind of reason. The order is that in which they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The check itself says that nothing can be done here, and what can.
    Blocked,
    /// Only a person can do this.
    Manual,
    /// Somebody else owns what would be changed: another tool writes it.
    HandsOff,
    /// It would do harm that no flag releases.
    Danger,
    /// The executor would refuse to change a path: others than root decide what is there, it is
    /// immutable, read-only, …
    Untouchable,
    /// It disrupts, and that was not allowed.
    Disruption,
    /// What is wished for cannot be written.
    Unwritable,
    /// The daemon would not start.
    RefusedStart,
    /// A restart would leave something behind that it must not.
    LeftBehind,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WhyNot {
    why: Why,
    reason: String,
    /// The flag that releases it, or the command that helps.
    release: String,
}

impl WhyNot {
    fn new(why: Why, (reason, release): (String, String)) -> Self {
        Self {
            why,
            reason,
            release,
        }
    }

    fn obstacle(why: Why, obstacle: Obstacle) -> Self {
        Self::new(why, (obstacle.reason, obstacle.cure))
    }

    /// A control that is held back for this reason, which may quote what stands in a file.
    pub(super) fn of(self, control: &str) -> HeldBack {
        HeldBack {
            control: control.to_owned(),
            why: self.why,
            reason: secrets::words(&self.reason),
            release: self.release,
            changes: Vec::new(),
            impact: Vec::new(),
        }
    }
}

/// A failing control, and what decides whether it is cured.
pub(super) struct Asked<'a> {
    pub(super) one: &'a Judged<'a>,
    /// The host as it is.
    pub(super) facts: &'a Facts,
    /// The host after everything that is planned so far.
    pub(super) becomes: &'a Facts,
    pub(super) options: &'a Options,
    /// Whether running containers would outlive a restart.
    pub(super) keeps: bool,
}

impl Asked<'_> {
    fn edits(&self) -> &[Edit] {
        &self.one.judgement.edits
    }
}

/// The list: each entry says whether it holds.
const BEFORE: &[fn(&Asked<'_>) -> Option<WhyNot>] = &[
    blocked,
    manual,
    handled_by_others,
    danger,
    untouchable,
    disruption,
];

/// Why nothing is planned for a control, if so.
pub(super) fn before(asked: &Asked<'_>) -> Option<WhyNot> {
    BEFORE.iter().find_map(|holds| holds(asked))
}

fn blocked(asked: &Asked<'_>) -> Option<WhyNot> {
    let told = asked.one.judgement.blocked.clone()?;
    Some(WhyNot::new(Why::Blocked, told))
}

fn manual(asked: &Asked<'_>) -> Option<WhyNot> {
    let control = asked.one.control;
    (control.remediation.applicability == Applicability::Manual).then(|| {
        let reason = "only a person can do this".to_owned();
        let release = format!("seaworthy explain {}", control.id);
        WhyNot::new(Why::Manual, (reason, release))
    })
}

fn handled_by_others(asked: &Asked<'_>) -> Option<WhyNot> {
    let told = hands_off(asked.edits(), asked.facts)?;
    Some(WhyNot::new(Why::HandsOff, told))
}

fn danger(asked: &Asked<'_>) -> Option<WhyNot> {
    let told = impact::danger(asked.edits(), asked.facts)?;
    Some(WhyNot::new(Why::Danger, told))
}

/// Before the question whether it may disrupt: a flag that is given in vain is a promise broken.
fn untouchable(asked: &Asked<'_>) -> Option<WhyNot> {
    let refused = asked.edits().iter().find_map(|edit| match edit {
        Edit::Access { path, .. } => touch::refusal(asked.becomes, path, Touch::Attributes),
        Edit::EnvironmentVariable { path, .. } => {
            touch::refusal(asked.becomes, path, Touch::Content)
        }
        Edit::DaemonKey { .. } => {
            let path = Layout::of(asked.becomes).config;
            touch::refusal(asked.becomes, &path, Touch::Content)
        }
        // Where these write is decided when they do: see `Workbench::write`.
        _ => None,
    })?;
    Some(WhyNot::obstacle(Why::Untouchable, refused))
}

fn disruption(asked: &Asked<'_>) -> Option<WhyNot> {
    let Asked {
        one,
        facts,
        options,
        keeps,
        ..
    } = asked;
    let id = &one.control.id;
    if asked.edits().is_empty() || options.allow_disruption || options.selection.releases(id) {
        return None;
    }
    let reason = impact::disruption(one.control, asked.edits(), facts, options, *keeps)?;
    Some(WhyNot::new(Why::Disruption, (reason, impact::release(id))))
}

/// A wish that cannot be fulfilled.
pub(super) fn unwritable(obstacle: Obstacle) -> WhyNot {
    WhyNot::obstacle(Why::Unwritable, obstacle)
}

/// Whose wishes lead to a daemon that does not start.
pub(super) fn refused_start(bench: &Workbench<'_>) -> Option<(Controls, WhyNot)> {
    let (controls, obstacle) = refusal::refusal(bench)?;
    Some((controls, WhyNot::obstacle(Why::RefusedStart, obstacle)))
}

/// What would leave published ports without anything that serves them.
pub(super) fn unserved(
    bench: &Workbench<'_>,
    facts: &Facts,
    options: &Options,
) -> BTreeMap<String, HeldBack> {
    let Some(controls) = bench.daemon_keys.get("userland-proxy") else {
        return BTreeMap::new();
    };
    let Some(reason) = impact::unserved(facts, &bench.facts) else {
        return BTreeMap::new();
    };
    controls
        .iter()
        .filter(|id| !options.allow_disruption && !options.selection.releases(id))
        .map(|id| {
            let why = WhyNot::new(Why::Disruption, (reason.clone(), impact::release(id)));
            (id.clone(), why.of(id))
        })
        .collect()
}

/// What was let through in the belief that running containers would outlive the restart, when they
/// will not, and what no flag releases: that they would although they must not.
pub(super) fn restart(
    bench: &Workbench<'_>,
    facts: &Facts,
    options: &Options,
) -> BTreeMap<String, HeldBack> {
    let restart = bench.restart(options);
    let wanting = bench
        .activations()
        .into_iter()
        .filter(|(activation, _)| *activation == Activation::RestartDocker)
        .flat_map(|(_, controls)| controls);
    if let Some((reason, cure)) = restart.leaves_behind(facts) {
        // Without another root the others can go on.
        let remap = bench.daemon_keys.get("userns-remap");
        let leads = |id: &String| {
            options.restart_containers || remap.is_none_or(|controls| controls.contains(id))
        };
        let why = WhyNot::new(Why::LeftBehind, (reason, cure));
        return wanting
            .filter(leads)
            .map(|id| (id.clone(), why.clone().of(&id)))
            .collect();
    }
    if options.allow_disruption {
        return BTreeMap::new();
    }
    let Some(reason) = impact::stops(facts, options, restart.keeps()) else {
        return BTreeMap::new();
    };
    wanting
        .filter(|id| !options.selection.releases(id))
        .map(|id| {
            let why = WhyNot::new(Why::Disruption, (reason.clone(), impact::release(&id)));
            (id.clone(), why.of(&id))
        })
        .collect()
}
