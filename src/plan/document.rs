//! A plan as JSON (format 1), for reviewers' tools, and for `apply FILE` to hold the host to it.
//!
//! A document never holds a secret: contents stand in it as digests and masked diffs. It is never
//! trusted either: `apply FILE` plans anew with the same options and compares.

use super::{Forecast, Impact, Options, Plan, unified};
use crate::audit::TOOL;
use crate::change::{Action, ActionKind, Activation, Digest, State, StateRecord};
use crate::facts::{Facts, HostIdentity, NotSeen, Seen};
use crate::formats::secrets;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the layout.
const FORMAT: u32 = 1;

/// A plan as it is printed and saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Version of this layout.
    pub format: u32,
    /// The program that made it.
    pub tool: String,
    /// What it was made from.
    pub made_from: MadeFrom,
    /// Changes of paths, in order.
    pub steps: Vec<StepDocument>,
    /// Services told, in order.
    pub activations: Vec<ActivationDocument>,
    /// Whom it concerns.
    pub impact: Vec<Impact>,
    /// What is left out, and why.
    pub held_back: Vec<HeldBackDocument>,
    /// What is written and takes effect later.
    pub pending: Vec<PendingDocument>,
    /// What could not be judged, so that nothing is planned for it.
    pub unknown: Vec<UnknownDocument>,
    /// What becomes of containers and everything else. `apply FILE` does not hold the host to it:
    /// containers come and go, and whom a plan concerns is in `impact`.
    #[serde(default)]
    pub forecast: Forecast,
    /// What was asked for and not seen, as whoever was asked hung, said too much or no sense.
    #[serde(default)]
    pub unseen: Vec<NotSeen>,
}

/// What a plan was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeFrom {
    /// Which host.
    pub host: HostIdentity,
    /// When, RFC 3339.
    pub at: String,
    /// What was asked for.
    pub options: Options,
    /// Digest of the policy's text and of the site's own controls.
    pub decisions: Digest,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDocument {
    /// Which path.
    pub path: String,
    /// What kind of change.
    pub kind: ActionKind,
    /// Which controls it serves.
    pub controls: Vec<String>,
    /// What must be there.
    pub before: StateRecord,
    /// What will be there.
    pub after: StateRecord,
    /// The difference, secrets masked.
    pub diff: String,
    /// The text that was there, secrets masked, to show what changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_text: Option<String>,
}

impl StepDocument {
    /// The document of a change that serves these controls.
    pub fn new(action: &Action, controls: &[String]) -> Self {
        Self {
            path: action.path.clone(),
            kind: action.kind(),
            controls: controls.to_vec(),
            before: action.before.record(),
            after: action.after.record(),
            diff: unified(action),
            before_text: masked(&action.path, &action.before),
        }
    }
}

/// One activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationDocument {
    /// What is told.
    pub activation: Activation,
    /// To whom.
    pub unit: String,
    /// Whose sake it is for.
    pub controls: Vec<String>,
    /// What the service itself writes then.
    pub writes: Vec<String>,
    /// What it is for, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purpose: Option<String>,
}

/// One control that is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldBackDocument {
    /// Its id.
    pub control: String,
    /// Why.
    pub reason: String,
    /// The flag or the command that releases it.
    pub release: String,
    /// What it would change on top of the steps.
    pub diff: String,
    /// Whom that would concern, besides those whom a restart stops.
    pub impact: Vec<Impact>,
}

/// One control whose effect comes later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingDocument {
    /// Its id.
    pub control: String,
    /// The event.
    pub until: String,
}

/// One control that could not be judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownDocument {
    /// Its id.
    pub control: String,
    /// Where, and what was seen instead.
    pub reason: String,
}

/// Why a saved plan is not applied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// It is not a plan.
    #[error("it is not a saved plan: {0}")]
    NotAPlan(String),
    /// Another version made it.
    #[error("it was made by {made_by} (format {format}), and this is {TOOL} (format {FORMAT})")]
    OtherVersion {
        /// Which.
        made_by: String,
        /// Its layout.
        format: u32,
    },
    /// It was made for another host.
    #[error("it was made for the host {made_for}, and this is {here}")]
    OtherHost {
        /// Which.
        made_for: String,
        /// This one.
        here: String,
    },
    /// Files changed since.
    #[error("the host changed since it was made: {}", paths(.0))]
    Stale(Vec<Drift>),
    /// The policy or the site's own controls changed since.
    #[error("the policy or the site's controls changed since it was made")]
    OtherDecisions,
    /// What it says is not what would be planned for this host.
    #[error("it is not what this host's facts lead to: {0}")]
    NotOurs(String),
}

/// One path that is not as the plan found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Which.
    pub path: String,
    /// The difference between then and now, secrets masked.
    pub diff: String,
}

fn paths(drifts: &[Drift]) -> String {
    let paths: Vec<&str> = drifts.iter().map(|drift| drift.path.as_str()).collect();
    paths.join(", ")
}

impl Document {
    /// The document of a plan. `at` is RFC 3339; `decisions` covers policy and site controls.
    pub fn new(
        plan: &Plan,
        facts: &Facts,
        options: &Options,
        at: &str,
        decisions: &Digest,
    ) -> Self {
        Self {
            format: FORMAT,
            tool: TOOL.to_owned(),
            made_from: MadeFrom {
                host: facts.host.clone(),
                at: at.to_owned(),
                options: options.clone(),
                decisions: decisions.clone(),
            },
            steps: plan
                .steps
                .iter()
                .map(|step| StepDocument::new(&step.action, &step.controls))
                .collect(),
            activations: plan
                .activations
                .iter()
                .map(|planned| ActivationDocument {
                    activation: planned.activation,
                    unit: planned.activation.unit().to_owned(),
                    controls: planned.controls.clone(),
                    writes: planned.writes.clone(),
                    purpose: planned.purpose.map(str::to_owned),
                })
                .collect(),
            impact: plan.impact.clone(),
            forecast: plan.becomes.clone(),
            unseen: facts.not_seen(),
            held_back: plan
                .held_back
                .iter()
                .map(|back| HeldBackDocument {
                    control: back.control.clone(),
                    reason: back.reason.clone(),
                    release: back.release.clone(),
                    diff: back.changes.iter().map(unified).collect(),
                    impact: back.impact.clone(),
                })
                .collect(),
            pending: plan
                .pending
                .iter()
                .map(|(control, until)| PendingDocument {
                    control: control.clone(),
                    until: until.clone(),
                })
                .collect(),
            unknown: plan
                .unknown
                .iter()
                .map(|(control, reason)| UnknownDocument {
                    control: control.clone(),
                    reason: reason.clone(),
                })
                .collect(),
        }
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// When it is not one, or another version's.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
            tool: String,
        }
        let not_a_plan = |error: serde_json::Error| DocumentError::NotAPlan(error.to_string());
        let head: Head = serde_json::from_str(text).map_err(not_a_plan)?;
        if head.format != FORMAT || head.tool != TOOL {
            return Err(DocumentError::OtherVersion {
                made_by: head.tool,
                format: head.format,
            });
        }
        serde_json::from_str(text).map_err(not_a_plan)
    }

    /// What is written and takes effect later, by event: the event, and the controls.
    pub fn pending_by_event(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut events: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for pending in &self.pending {
            events
                .entry(&pending.until)
                .or_default()
                .push(&pending.control);
        }
        events
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.activations.is_empty()
    }

    /// Checks that these are the facts of the host that it was made for.
    ///
    /// # Errors
    /// Names both hosts.
    pub fn hold_to_host(&self, facts: &Facts) -> Result<(), DocumentError> {
        let (then, here) = (&self.made_from.host, &facts.host);
        if then.machine_id == here.machine_id && then.name == here.name {
            return Ok(());
        }
        // Copies of one machine have one name.
        let name = |host: &HostIdentity| match host.machine_id.as_str() {
            "" => format!("`{}`", host.name),
            id => format!("`{}` (machine id {id})", host.name),
        };
        Err(DocumentError::OtherHost {
            made_for: name(then),
            here: name(here),
        })
    }

    /// Whether the host already is as this plan would leave it.
    pub fn is_done(&self, facts: &Facts) -> bool {
        !self.steps.is_empty()
            && self.steps.iter().all(|step| {
                state_now(facts, &step.path).is_some_and(|now| is_as(&now, &step.after))
            })
    }

    /// Holds the host to this plan: `fresh` is what would be planned now with its options.
    ///
    /// # Errors
    /// Names every path that changed since with the difference; or says why else this very plan
    /// cannot be applied here.
    pub fn hold_to(&self, fresh: &Self, facts: &Facts) -> Result<(), DocumentError> {
        self.hold_to_host(facts)?;
        let drifts: Vec<Drift> = self
            .steps
            .iter()
            .filter_map(|step| {
                let now = state_now(facts, &step.path)?;
                (!is_as(&now, &step.before)).then(|| Drift {
                    path: step.path.clone(),
                    diff: since(step, &now),
                })
            })
            .collect();
        if !drifts.is_empty() {
            return Err(DocumentError::Stale(drifts));
        }
        if self.made_from.decisions != fresh.made_from.decisions {
            return Err(DocumentError::OtherDecisions);
        }
        if let Some(step) = self.steps.iter().find(|step| !fresh.steps.contains(step)) {
            return Err(DocumentError::NotOurs(format!(
                "its change of {} would not be planned",
                step.path
            )));
        }
        if self.steps != fresh.steps || self.activations != fresh.activations {
            return Err(DocumentError::NotOurs(
                "more would be planned now than it holds".to_owned(),
            ));
        }
        if !agree(&self.held_back, &fresh.held_back) || !Impact::agree(&self.impact, &fresh.impact)
        {
            return Err(DocumentError::NotOurs(
                "whom it concerns, or what is held back, is no longer what it says".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Whether the same is held back for the same reasons, sizes left aside.
fn agree(saved: &[HeldBackDocument], fresh: &[HeldBackDocument]) -> bool {
    saved.len() == fresh.len()
        && saved.iter().zip(fresh).all(|(this, that)| {
            let with_its_impact = HeldBackDocument {
                impact: this.impact.clone(),
                ..that.clone()
            };
            Impact::agree(&this.impact, &that.impact) && *this == with_its_impact
        })
}

fn state_now(facts: &Facts, path: &str) -> Option<State> {
    match facts.node(path) {
        Seen::Known(node) => State::of(node),
        Seen::Unseen(_) => None,
    }
}

/// Whether a state is the recorded one. A record without content says nothing about content.
fn is_as(now: &State, record: &StateRecord) -> bool {
    match record {
        StateRecord::Opaque { attributes } => now.attributes() == Some(attributes),
        _ => now.record() == *record,
    }
}

fn masked(path: &str, state: &State) -> Option<String> {
    let text = state.content()?.as_str()?;
    Some(secrets::mask(path, text))
}

/// What changed between the making of the plan and now.
fn since(step: &StepDocument, now: &State) -> String {
    let then = step.before.restore(|_| {
        Ok::<_, std::convert::Infallible>(step.before_text.as_deref().unwrap_or_default().into())
    });
    let Ok(then) = then;
    let now = match now {
        State::File {
            attributes,
            content,
        } => State::File {
            attributes: attributes.clone(),
            content: masked(&step.path, now)
                .map_or_else(|| content.clone(), |text| text.as_str().into()),
        },
        other => other.clone(),
    };
    let diff = unified(&Action {
        path: step.path.clone(),
        before: then,
        after: now,
    });
    if diff.is_empty() {
        format!("{}: a masked value changed\n", step.path)
    } else {
        diff
    }
}
