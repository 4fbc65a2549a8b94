//! The records of a journal. They hold digests instead of contents, as contents may hold secrets.

use crate::apply::confirm::Confirmation;
use crate::apply::transaction::{Derived, KernelChange, Step, Transaction};
use crate::change::{Action, Activation, Expectation, StateRecord};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A change, with digests instead of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// Where.
    pub path: String,
    /// What was there.
    pub before: StateRecord,
    /// What was put there.
    pub after: StateRecord,
}

impl From<&Action> for ActionRecord {
    fn from(action: &Action) -> Self {
        Self {
            path: action.path.clone(),
            before: action.before.record(),
            after: action.after.record(),
        }
    }
}

/// A step, with digests instead of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The change.
    pub action: ActionRecord,
    /// Ids of the controls that wanted it.
    pub controls: Vec<String>,
    /// The change as a person would say it.
    pub what: String,
}

impl From<&Step> for StepRecord {
    fn from(step: &Step) -> Self {
        Self {
            action: (&step.action).into(),
            controls: step.controls.clone(),
            what: step.what.clone(),
        }
    }
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub(in crate::apply) enum Entry {
    /// All that is needed to take everything back.
    Begin(Box<Begin>),
    /// A step is about to be made.
    Intent { step: usize },
    /// It was made and read back. `skipped` when there was nothing to make.
    Done {
        step: usize,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        skipped: bool,
    },
    /// A service is about to be told.
    Activating { activation: Activation, undo: bool },
    /// It has taken notice.
    Activated { activation: Activation, undo: bool },
    /// The kernel's audit rules are about to be changed one by one.
    KernelRules {
        delete: Vec<String>,
        add: Vec<String>,
    },
    /// A file is about to be written that is no step: what an activation generated is put back,
    /// or an intermediate content of an undo.
    Writing { action: ActionRecord },
    /// Something failed; the service's own words.
    Failed {
        what: String,
        unit: String,
        log: Vec<String>,
    },
    /// Worth knowing.
    Note { text: String },
    /// What the activations wrote, in the order of `derived`, and the kernel's rules then.
    DerivedAfter {
        files: Vec<Option<StateRecord>>,
        kernel: Option<Vec<String>>,
    },
    /// It is taken back after this moment unless it is confirmed.
    ConfirmUntil {
        until: i64,
        #[serde(default)]
        boot: Option<String>,
    },
    /// Everything is as planned.
    Commit,
    /// It is permanent.
    Confirmed { by: String },
    /// From here on everything begun is taken back. `ours` says of each derived thing whether it
    /// was still what the activations had made of it.
    UndoBegin { why: String, ours: Vec<bool> },
    /// A step is about to be taken back.
    Undoing { step: usize },
    /// It was taken back.
    Undone { step: usize },
    /// Everything is as it was before.
    RolledBack,
    /// A person is needed.
    Stuck { why: String, left: Vec<String> },
}

/// The first record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::apply) struct Begin {
    /// Of the journal: 1.
    pub(in crate::apply) format: u32,
    pub(in crate::apply) id: String,
    pub(in crate::apply) controls: Vec<String>,
    /// All steps; one is the prelude when `prelude` says so.
    pub(in crate::apply) steps: Vec<StepRecord>,
    /// A step switches live-restore off, or on, before everything else.
    pub(in crate::apply) prelude: bool,
    /// Which step that is: those before it only see to it that a boot rolls back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::apply) prelude_at: usize,
    /// It switches live-restore on, so that containers go on running over the restart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::apply) keeps: bool,
    /// How many steps at the end come after the services were told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::apply) afterwards: usize,
    pub(in crate::apply) activations: Vec<Activation>,
    pub(in crate::apply) derived: Vec<DerivedBefore>,
    pub(in crate::apply) expect: Expectation,
    pub(in crate::apply) expect_undone: Expectation,
    pub(in crate::apply) undo_live_restore: Option<StepRecord>,
    pub(in crate::apply) settle: Vec<(String, StateRecord)>,
    pub(in crate::apply) kernel: Option<KernelChange>,
    pub(in crate::apply) reverts: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::apply) unread_keys: Option<BTreeSet<String>>,
    pub(in crate::apply) pending: Option<String>,
    pub(in crate::apply) by: String,
    pub(in crate::apply) command: String,
    pub(in crate::apply) tool: String,
    pub(in crate::apply) notes: Vec<String>,
    /// The kernel's audit rules before, where the activations may change them.
    pub(in crate::apply) kernel_before: Option<Vec<String>>,
    /// The kernel's id of the running boot, where it can be read.
    pub(in crate::apply) boot: Option<String>,
    /// Set when it is taken back unless it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::apply) confirm: Option<Confirmation>,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Begin {
    /// The index of the first step that comes after the services were told; the number of steps
    /// where none does.
    pub(in crate::apply) fn first_afterwards(&self) -> usize {
        self.steps.len().saturating_sub(self.afterwards)
    }

    /// The record of a transaction.
    pub(in crate::apply) fn of(
        id: &str,
        transaction: &Transaction,
        derived: Vec<DerivedBefore>,
        kernel_before: Option<Vec<String>>,
        boot: Option<String>,
    ) -> Self {
        Self {
            format: 1,
            id: id.to_owned(),
            controls: transaction.controls.clone(),
            steps: transaction.all_steps().map(Into::into).collect(),
            prelude: transaction.prelude().is_some(),
            prelude_at: match transaction.prelude() {
                Some(_) => transaction.guards(),
                None => 0,
            },
            keeps: transaction.live_restore_on.is_some(),
            afterwards: transaction.afterwards.len(),
            activations: transaction.activations.clone(),
            derived,
            expect: transaction.expect.clone(),
            expect_undone: transaction.expect_undone.clone(),
            undo_live_restore: transaction.undo_live_restore.as_ref().map(Into::into),
            settle: transaction
                .settle
                .iter()
                .map(|settle| (settle.path.clone(), settle.to.record()))
                .collect(),
            kernel: transaction.kernel.clone(),
            reverts: transaction.reverts.clone(),
            unread_keys: transaction.unread_keys.clone(),
            pending: transaction.pending.clone(),
            by: transaction.by.clone(),
            command: transaction.command.clone(),
            tool: transaction.tool.clone(),
            notes: transaction.notes.clone(),
            kernel_before,
            boot,
            confirm: transaction.confirm.clone(),
        }
    }
}

/// What a derived thing was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(in crate::apply) enum DerivedBefore {
    /// The whole file.
    WholeFile { path: String, state: StateRecord },
    /// Per file, whether it had lines of this account. Not the files themselves: nothing of
    /// shadow(5) is copied without need.
    Account {
        name: String,
        had: BTreeMap<String, bool>,
        /// What the account tools had already left beside these files; `None` where nobody looked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beside: Option<BTreeSet<String>>,
    },
}

impl DerivedBefore {
    /// What was to be recorded.
    pub(in crate::apply) fn derived(&self) -> Derived {
        match self {
            Self::WholeFile { path, .. } => Derived::WholeFile { path: path.clone() },
            Self::Account { name, had, .. } => Derived::Account {
                files: had.keys().cloned().collect(),
                name: name.clone(),
            },
        }
    }
}
