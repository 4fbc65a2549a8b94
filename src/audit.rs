//! `audit`: judging a host's facts by the catalog.

use crate::catalog::{Applicability, Catalog, Control, Selection, Severity};
use crate::checks::{Evidence, Judgement, Outcome, Shared};
use crate::facts::{Facts, HostIdentity, NotSeen};
use crate::policy::{Policy, Waiver};
use serde::Serialize;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// One control and what it says of the host.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// The control.
    pub control: &'a Control,
    /// Its verdict, the evidence, and what would cure it.
    pub judgement: Judgement,
    /// Why the finding is accepted, if it is.
    pub waiver: Option<&'a Waiver>,
}

/// Judges the selected controls in the order of the catalog. `today` is an ISO date; it ends
/// waivers.
pub fn judge<'a>(
    catalog: &'a Catalog,
    facts: &Facts,
    policy: &'a Policy,
    selection: &Selection,
    today: &str,
) -> Vec<Judged<'a>> {
    let rules = OnceCell::new();
    let shared = Shared::new(facts, &rules);
    catalog
        .iter()
        .filter(|control| selection.includes(control))
        .map(|control| {
            let judgement = control.check.judge_with(facts, policy, &shared);
            let waiver = policy
                .waiver(&control.id, today)
                .filter(|_| judgement.outcome != Outcome::Pass);
            Judged {
                control,
                judgement,
                waiver,
            }
        })
        .collect()
}

/// The report that `audit --format json` prints: format 1. Fields may be added, these stay.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this layout.
    pub format: u32,
    /// `seaworthy 0.1.0`.
    pub tool: String,
    /// Which host.
    pub host: HostIdentity,
    /// How many of each.
    pub summary: Summary,
    /// One entry for each selected control.
    pub findings: Vec<Finding>,
    /// What was asked for and not seen, as whoever was asked hung, said too much or no sense.
    pub unseen: Vec<NotSeen>,
}

/// Counts by outcome. A waived finding counts as waived only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the names say it
pub struct Summary {
    pub pass: usize,
    pub fail: usize,
    pub manual: usize,
    pub unknown: usize,
    pub not_applicable: usize,
    pub waived: usize,
}

/// One control's verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The control's id.
    pub control: String,
    /// What is true when it passes.
    pub title: String,
    /// The control's folder.
    pub area: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// Benchmark level.
    pub level: u8,
    /// Number by benchmark version.
    pub cis: BTreeMap<String, String>,
    /// The verdict.
    pub outcome: Outcome,
    /// What was seen, what is wanted, where.
    pub evidence: Vec<Evidence>,
    /// What the remedy is like.
    pub remediation: FindingRemediation,
    /// Why the finding is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

/// What the remedy of a finding is like.
#[derive(Debug, Clone, Serialize)]
pub struct FindingRemediation {
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// What may stop working.
    pub impact: String,
}

/// The name and version that reports, plans and journals carry.
pub const TOOL: &str = concat!("seaworthy ", env!("CARGO_PKG_VERSION"));

impl Report {
    /// The report of these verdicts.
    pub fn new(facts: &Facts, judged: &[Judged<'_>]) -> Self {
        let findings: Vec<Finding> = judged
            .iter()
            .map(|one| Finding {
                control: one.control.id.clone(),
                title: one.control.title.clone(),
                area: one.control.area.clone(),
                severity: one.control.severity,
                level: one.control.level,
                cis: one.control.cis.clone(),
                outcome: one.judgement.outcome,
                evidence: one.judgement.evidence.clone(),
                remediation: FindingRemediation {
                    applicability: one.control.remediation.applicability,
                    impact: one.control.remediation.impact.trim().to_owned(),
                },
                waived: one.waiver.map(|waiver| waiver.reason.clone()),
            })
            .collect();
        let mut summary = Summary::default();
        for finding in &findings {
            let count = match finding.outcome {
                _ if finding.waived.is_some() => &mut summary.waived,
                Outcome::Pass => &mut summary.pass,
                Outcome::Fail => &mut summary.fail,
                Outcome::Manual => &mut summary.manual,
                Outcome::Unknown => &mut summary.unknown,
                Outcome::NotApplicable => &mut summary.not_applicable,
            };
            *count += 1;
        }
        Self {
            format: 1,
            tool: TOOL.to_owned(),
            host: facts.host.clone(),
            summary,
            findings,
            unseen: facts.not_seen(),
        }
    }

    /// Whether something failed, or could not be seen, at or above a severity. A blind audit must
    /// not look clean.
    pub fn objects(&self, at_least: Severity) -> bool {
        self.findings.iter().any(|finding| {
            matches!(finding.outcome, Outcome::Fail | Outcome::Unknown)
                && finding.waived.is_none()
                && finding.severity >= at_least
        })
    }

    /// Whether nothing at all could be judged, although there was something to judge.
    pub fn saw_nothing(&self) -> bool {
        let Summary {
            pass,
            fail,
            manual,
            unknown,
            not_applicable: _,
            waived,
        } = self.summary;
        unknown > 0 && pass + fail + manual + waived == 0
    }

    /// What could not be seen, each once: the evidence that says where and why.
    pub fn unseen(&self) -> Vec<&Evidence> {
        let mut all: Vec<&Evidence> = Vec::new();
        for finding in &self.findings {
            if finding.outcome == Outcome::Unknown
                && let Some(evidence) = finding.evidence.first()
                && !all
                    .iter()
                    .any(|it| (&it.source, &it.seen) == (&evidence.source, &evidence.seen))
            {
                all.push(evidence);
            }
        }
        all
    }
}
