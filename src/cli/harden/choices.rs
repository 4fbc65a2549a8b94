//! What can be chosen on this host, and what cannot.

use crate::audit::Report;
use crate::catalog::Severity;
use crate::checks::Outcome;
use crate::cli::context::Context;
use crate::facts::Facts;
use crate::plan::{Document, Options};
use crate::render;
use std::collections::{BTreeMap, BTreeSet};

/// A control whose cure can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: Severity,
    /// Why it disrupts something here, `None` where it does not.
    pub(super) disrupts: Option<String>,
    pub(super) impact: String,
}

/// What a host leaves to choose.
#[derive(Debug)]
pub(super) struct Choices {
    /// In the order of the catalog.
    pub(super) offered: Vec<Choice>,
    /// Failing controls and open decisions that only a person can settle.
    by_hand: usize,
    /// What could not be seen.
    unknown: usize,
}

impl Choices {
    /// Plans twice, with and without what disrupts: the difference is what must be asked for.
    pub(super) fn new(context: &Context, facts: &Facts, report: &Report) -> Self {
        let plan = |allow_disruption: bool| {
            let options = Options {
                selection: context.selection.clone(),
                allow_disruption,
                restart_containers: false,
            };
            context.plan(facts, &options).1
        };
        let (quiet, all) = (plan(false), plan(true));
        let automatic = served(&quiet);
        let possible = served(&all);
        let reasons: BTreeMap<&str, &str> = quiet
            .held_back
            .iter()
            .map(|back| (back.control.as_str(), back.reason.as_str()))
            .collect();
        let offered = context
            .catalog
            .iter()
            .filter(|control| possible.contains(control.id.as_str()))
            .map(|control| Choice {
                id: control.id.clone(),
                title: control.title.clone(),
                severity: control.severity,
                disrupts: (!automatic.contains(control.id.as_str())).then(|| {
                    reasons
                        .get(control.id.as_str())
                        .map_or_else(String::new, ToString::to_string)
                }),
                impact: control.remediation.impact.clone(),
            })
            .collect();
        let decisions = report
            .findings
            .iter()
            .filter(|finding| finding.outcome == Outcome::Manual && finding.waived.is_none())
            .count();
        Self {
            offered,
            by_hand: decisions + all.held_back.len(),
            unknown: report.summary.unknown,
        }
    }

    /// What can be done here, a sentence each.
    pub(super) fn in_words(&self) -> Vec<String> {
        let disruptive = self
            .offered
            .iter()
            .filter(|choice| choice.disrupts.is_some())
            .count();
        let mut lines = vec![match (self.offered.len() - disruptive, disruptive) {
            (0, 0) => "There is nothing here that could be changed for you.".to_owned(),
            (number, 0) => format!("{} can be cured without disruption.", number_of(number)),
            (0, number) => format!("{} can be cured, with disruption.", number_of(number)),
            (number, more) => format!(
                "{} can be cured without disruption, {more} more with disruption.",
                number_of(number)
            ),
        }];
        if self.by_hand > 0 {
            lines.push(format!(
                "{} a person must decide on: `seaworthy audit` says which.",
                number_of(self.by_hand)
            ));
        }
        if self.unknown > 0 {
            lines.push(format!("{} could not be judged.", number_of(self.unknown)));
        }
        lines
    }
}

fn number_of(number: usize) -> String {
    render::count(number, "finding")
}

/// The controls that a plan cures.
fn served(document: &Document) -> BTreeSet<&str> {
    let steps = document.steps.iter().flat_map(|step| &step.controls);
    let told = document
        .activations
        .iter()
        .flat_map(|planned| &planned.controls);
    steps.chain(told).map(String::as_str).collect()
}
