//! A report for people.

use super::{Paper, clean, clipped, dim, flat, heading, outcome_style, severity_style};
use crate::audit::{Finding, Report, Summary};
use crate::catalog::{by_area, newest};
use crate::checks::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The whole report: findings by area, a summary, what to do next.
pub fn report(report: &Report, paper: &Paper) -> String {
    let mut out = findings(report, paper);
    out.push_str(&next(report));
    out
}

/// Findings by area, and a summary.
pub fn findings(report: &Report, paper: &Paper) -> String {
    let mut out = String::new();
    let host = &report.host;
    let _ = writeln!(
        out,
        "{} {}\n",
        heading(&format!("Audit of {}", clean(&host.name))),
        dim(&clean(&host.os))
    );
    let mut said = Said::new();
    for (_, title, findings) in by_area(&report.findings, |finding| finding.area.as_str()) {
        let shown: Vec<&&Finding> = findings
            .iter()
            .filter(|finding| !paper.quiet || needs_action(finding))
            .collect();
        if shown.is_empty() {
            continue;
        }
        let passed = findings
            .iter()
            .filter(|finding| finding.outcome == Outcome::Pass)
            .count();
        let concerned = findings
            .iter()
            .filter(|finding| finding.outcome != Outcome::NotApplicable)
            .count();
        let _ = writeln!(
            out,
            "{} {}",
            heading(title),
            dim(&format!("{passed} of {concerned} pass"))
        );
        for finding in shown {
            if paper.quiet {
                out.push_str(&brief(finding, paper));
            } else {
                out.push_str(&one(finding, host.live, paper, &mut said));
            }
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{}", summary_line(&report.summary));
    out
}

/// How many of each verdict every area has: a table.
pub fn areas(report: &Report) -> String {
    let words = ["pass", "fail", "manual", "unknown", "n/a"];
    let outcomes = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::Manual,
        Outcome::Unknown,
        Outcome::NotApplicable,
    ];
    let host = &report.host;
    let mut out = format!(
        "{} {}\n\n",
        heading(&format!("Audit of {}", clean(&host.name))),
        dim(&clean(&host.os))
    );
    let mut titles = " ".repeat(27);
    for word in words {
        let _ = write!(titles, "{word:>9}");
    }
    let _ = writeln!(out, "{}", dim(&titles));
    for (_, title, findings) in by_area(&report.findings, |finding| finding.area.as_str()) {
        let _ = write!(out, "{title:<27}");
        for outcome in outcomes {
            let number = findings
                .iter()
                .filter(|finding| finding.outcome == outcome && finding.waived.is_none())
                .count();
            let cell = format!("{number:>9}");
            let cell = if number == 0 {
                dim(&cell)
            } else {
                outcome_style(outcome).apply_to(cell).to_string()
            };
            out.push_str(&cell);
        }
        out.push('\n');
    }
    out
}

fn needs_action(finding: &Finding) -> bool {
    matches!(
        finding.outcome,
        Outcome::Fail | Outcome::Unknown | Outcome::Manual
    ) && finding.waived.is_none()
}

/// Verdict and severity, in columns.
fn verdict(finding: &Finding) -> String {
    let word = match finding.outcome {
        _ if finding.waived.is_some() => "waived",
        Outcome::NotApplicable => "n/a",
        Outcome::Pass => "pass",
        Outcome::Fail => "FAIL",
        Outcome::Manual => "manual",
        Outcome::Unknown => "UNKNOWN",
    };
    format!(
        "  {} {} ",
        outcome_style(finding.outcome).apply_to(format!("{word:<7}")),
        severity_style(finding.severity).apply_to(format!("{:<6}", finding.severity)),
    )
}

/// One line: what failed, and what was seen of it first.
fn brief(finding: &Finding, paper: &Paper) -> String {
    // What stands before the evidence, and an id as long as the longest of ours.
    const BEFORE: usize = 17 + 1 + 29;
    let room = paper.width.saturating_sub(BEFORE).max(20);
    let mut seen = finding
        .evidence
        .first()
        .map_or("", |evidence| evidence.seen.as_str());
    if console::measure_text_width(seen) > room {
        // What comes first is what counts: "is not set", then what that means.
        seen = seen.split(", ").next().unwrap_or_default();
    }
    format!(
        "{}{} {}\n",
        verdict(finding),
        console::style(format!("{:<29}", finding.control)).bold(),
        dim(&clipped(seen, room))
    )
}

/// Why something is unknown, and the control for which that was said.
type Said<'r> = BTreeMap<(String, &'r str), &'r str>;

/// `is_here`: the host runs, and a hint can be typed there. What keeps many controls from being judged is said
/// once; the others refer to it.
fn one<'r>(finding: &'r Finding, is_here: bool, paper: &Paper, said: &mut Said<'r>) -> String {
    let mut out = verdict(finding);
    let _ = writeln!(
        out,
        "{} {}",
        console::style(&finding.control).bold(),
        dim(&number(finding))
    );
    if finding.outcome == Outcome::Pass && !paper.verbose {
        return out;
    }
    let indent = " ".repeat(10);
    if finding.outcome != Outcome::NotApplicable {
        out.push_str(&paper.wrapped(&indent, &finding.title));
    }
    if let Some(reason) = &finding.waived {
        out.push_str(&paper.wrapped(&indent, &format!("waived: {reason}")));
    }
    for evidence in &finding.evidence {
        let mut line = if evidence.source.is_empty() {
            evidence.seen.clone()
        } else {
            format!("{}: {}", evidence.source, evidence.seen)
        };
        let reason = (evidence.source.to_string(), evidence.seen.as_str());
        let earlier = match said.get(&reason) {
            Some(earlier)
                if finding.outcome == Outcome::Unknown
                    && !paper.verbose
                    && *earlier != finding.control =>
            {
                line = format!("as for {earlier}");
                true
            }
            Some(_) => false,
            None => {
                if finding.outcome == Outcome::Unknown {
                    said.insert(reason, &finding.control);
                }
                false
            }
        };
        if !evidence.wanted.is_empty() {
            let _ = write!(line, "; wanted: {}", evidence.wanted);
        }
        if let Some(event) = &evidence.pending {
            let _ = write!(line, "; pending until {event}");
        }
        if let (Some(hint), true) = (&evidence.hint, is_here && !earlier) {
            let _ = write!(line, "; try: {hint}");
        }
        for line in paper.wrapped(&indent, &line).lines() {
            let _ = writeln!(out, "{}", dim(line));
        }
    }
    out
}

fn number(finding: &Finding) -> String {
    newest(&finding.cis).map_or_else(String::new, |(version, number)| {
        flat(&format!("CIS {version} {number}"))
    })
}

/// `12 pass, 30 fail, 5 manual, 0 unknown, 20 not applicable`, and the waived if there are any.
pub fn summary_line(summary: &Summary) -> String {
    let Summary {
        pass,
        fail,
        manual,
        unknown,
        not_applicable,
        waived,
    } = *summary;
    let part = |outcome: Outcome, number: usize, word: &str| {
        let text = format!("{number} {word}");
        if number == 0 {
            dim(&text)
        } else {
            outcome_style(outcome).apply_to(text).to_string()
        }
    };
    let mut parts = vec![
        part(Outcome::Pass, pass, "pass"),
        part(Outcome::Fail, fail, "fail"),
        part(Outcome::Manual, manual, "manual"),
        part(Outcome::Unknown, unknown, "unknown"),
        part(Outcome::NotApplicable, not_applicable, "not applicable"),
    ];
    if waived > 0 {
        parts.push(part(Outcome::NotApplicable, waived, "waived"));
    }
    parts.join(", ")
}

fn next(report: &Report) -> String {
    let of = |outcome: Outcome| {
        report
            .findings
            .iter()
            .find(|finding| finding.outcome == outcome && finding.waived.is_none())
    };
    let mut lines = Vec::new();
    if of(Outcome::Fail).is_some() {
        lines.push(("seaworthy plan", "what would cure the failures, as a diff"));
    }
    if of(Outcome::Unknown).is_some() && !report.host.root {
        lines.push(("sudo seaworthy audit", "see what only root can see"));
    }
    let example;
    if let Some(finding) = of(Outcome::Fail).or_else(|| of(Outcome::Manual)) {
        example = format!("seaworthy explain {}", finding.control);
        lines.push((&example, "why one of them matters"));
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut out = "\nNext:\n".to_owned();
    for (command, purpose) in lines {
        // The purpose first: a line that begins like a finding's is taken for one by scripts.
        let _ = writeln!(out, "  {} {command}", dim(&format!("{purpose}:")));
    }
    out
}

/// Before and after side by side: the summaries, and every control whose verdict changed.
pub fn changes(before: &Report, after: &Report, paper: &Paper) -> String {
    let mut out = format!(
        "Audit before: {}\nAudit after:  {}\n",
        summary_line(&before.summary),
        summary_line(&after.summary)
    );
    let mut changed = Vec::new();
    for new in &after.findings {
        let old = before
            .findings
            .iter()
            .find(|old| old.control == new.control);
        if let Some(old) = old
            && old.outcome != new.outcome
        {
            changed.push((old, new));
        }
    }
    if paper.quiet {
        return out;
    }
    for (old, new) in changed {
        let _ = writeln!(
            out,
            "  {} -> {}  {}",
            outcome_style(old.outcome).apply_to(format!("{:>14}", old.outcome.to_string())),
            outcome_style(new.outcome).apply_to(format!("{:<14}", new.outcome.to_string())),
            new.control
        );
    }
    out
}
