//! How an apply, a rollback or a recovery went: printed, and as an exit status.

use super::arguments::Format;
use super::context::Context;
use super::ending::ending;
use super::{OK, ROLLED_BACK, STUCK, print};
use crate::apply::{self, Applied, Outcome, Transaction};
use crate::audit::Report;
use crate::change::Activation;
use crate::plan::StepDocument;
use serde::Serialize;

/// The result of `apply` and `rollback` as JSON: format 1.
#[derive(Debug, Serialize)]
pub(super) struct ResultDocument {
    format: u32,
    transaction: Option<String>,
    outcome: &'static str,
    pending: Option<String>,
    /// Until when it can be confirmed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    steps: Vec<StepDocument>,
    activations: Vec<Activation>,
    audit_before: Report,
    /// Null where the host could not be looked at again.
    audit_after: Option<Report>,
}

impl ResultDocument {
    pub(super) fn nothing(report: &Report, pending: Option<String>) -> Self {
        Self {
            format: 1,
            transaction: None,
            outcome: "nothing-to-do",
            pending,
            confirm_until: None,
            why: None,
            left: Vec::new(),
            notes: Vec::new(),
            steps: Vec::new(),
            activations: Vec::new(),
            audit_before: report.clone(),
            audit_after: Some(report.clone()),
        }
    }

    pub(super) fn new(
        applied: &Applied,
        transaction: &Transaction,
        before: &Report,
        after: Option<&Report>,
    ) -> Self {
        let (outcome, why, left) = match &applied.outcome {
            Outcome::Committed => ("committed", None, Vec::new()),
            Outcome::NothingToDo => ("nothing-to-do", None, Vec::new()),
            Outcome::RolledBack { why } => ("rolled-back", Some(why.clone()), Vec::new()),
            Outcome::Stuck { why, left } => ("stuck", Some(why.clone()), left.clone()),
        };
        Self {
            format: 1,
            transaction: Some(applied.id.clone()),
            outcome,
            pending: applied.pending.clone(),
            confirm_until: applied.confirm_until.map(apply::moment),
            why,
            left,
            notes: applied.notes.clone(),
            steps: transaction
                .all_steps()
                .map(|step| StepDocument::new(&step.action, &step.controls))
                .collect(),
            activations: transaction.activations.clone(),
            audit_before: before.clone(),
            audit_after: after.cloned(),
        }
    }
}

impl ResultDocument {
    /// The same with what a rollback had to leave.
    pub(super) fn with_left(mut self, left: Vec<String>) -> Self {
        self.left.extend(left);
        self
    }
}

/// Prints the result, and turns it into an exit status.
pub(super) fn finish(
    context: &Context,
    format: Format,
    document: &ResultDocument,
    applied: &Applied,
    before: &Report,
    after: Option<&Report>,
) -> u8 {
    print::told(match format {
        Format::Json => print::json(document),
        Format::Human => print::out(&ending(
            &context.paper,
            &context.place,
            applied,
            before,
            after,
        )),
    });
    status(applied)
}

pub(super) fn status(applied: &Applied) -> u8 {
    match applied.outcome {
        Outcome::Committed | Outcome::NothingToDo => OK,
        Outcome::RolledBack { .. } => ROLLED_BACK,
        Outcome::Stuck { .. } => STUCK,
    }
}
