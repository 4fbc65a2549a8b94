//! A plan for people: what changes, whom it concerns, what is held back.

use super::impact::impacts;
use super::{Paper, clean, count, dim, heading, takes_effect};
use crate::formats::inert;
use crate::plan::{Document, HeldBackDocument, Impact, StepDocument};
use console::Style;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The whole plan. Diffs start at the first column, so that they can be cut out and used.
pub fn plan(document: &Document, paper: &Paper) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} {}\n",
        heading(&format!(
            "Plan for {}",
            clean(&document.made_from.host.name)
        )),
        dim(&clean(&document.made_from.host.os))
    );
    if document.is_empty() {
        out.push_str("Nothing to do.\n\n");
    }
    for (index, one) in document.steps.iter().enumerate() {
        out.push_str(&step(index + 1, one, paper));
        out.push('\n');
    }
    out.push_str(&consequences(document, paper));
    out
}

/// One step: which controls it serves, unless that is to be quiet, and its diff.
pub fn step(number: usize, step: &StepDocument, paper: &Paper) -> String {
    let mut out = format!(
        "{} {}\n",
        heading(&format!("{number}. {}", clean(&step.path))),
        dim(&format!("({})", count(step.controls.len(), "control")))
    );
    if !paper.quiet {
        out.push_str(&paper.wrapped("   ", &format!("serves {}", step.controls.join(", "))));
    }
    out.push_str(&coloured_diff(&step.diff));
    out
}

/// Everything but the steps: who is told, whom it concerns, what comes later, what is held back.
pub fn consequences(document: &Document, paper: &Paper) -> String {
    let mut out = String::new();
    if !document.activations.is_empty() {
        let _ = writeln!(out, "{}", heading("Then, once"));
        for planned in &document.activations {
            let _ = writeln!(out, "  - {}", planned.activation);
            if let Some(purpose) = &planned.purpose {
                out.push_str(&paper.wrapped("    ", purpose));
            }
            for written in &planned.writes {
                out.push_str(&paper.wrapped("    ", &format!("writes by itself: {written}")));
            }
        }
        out.push('\n');
    }
    if !document.impact.is_empty() {
        let _ = writeln!(out, "{}", heading("Impact on this host"));
        out.push_str(&impacts(&document.impact, "  ", paper));
        out.push('\n');
    }
    if !document.pending.is_empty() {
        let _ = writeln!(out, "{}", heading("Pending"));
        for (event, controls) in document.pending_by_event() {
            let line = format!("{}: {}", takes_effect(event), controls.join(", "));
            out.push_str(&paper.wrapped("  ", &line));
        }
        out.push('\n');
    }
    out.push_str(&held_back(document, paper));
    out.push_str(&unknown(document, paper));
    let _ = write!(
        out,
        "{}, {}, {} held back",
        count(document.steps.len(), "change"),
        count(document.activations.len(), "service action"),
        count(document.held_back.len(), "control"),
    );
    let _ = match document.unknown.len() {
        0 => writeln!(out, "."),
        number => writeln!(out, ", {number} not known."),
    };
    out
}

/// What is held back, each reason once, with all whom it keeps back.
fn held_back(document: &Document, paper: &Paper) -> String {
    if document.held_back.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", heading("Held back"));
    for group in by_reason(&document.held_back) {
        let controls: Vec<&str> = group.iter().map(|back| back.control.as_str()).collect();
        for line in paper.wrapped("  ", &controls.join(", ")).lines() {
            let _ = writeln!(out, "  {}", Style::new().bold().apply_to(line.trim_start()));
        }
        out.push_str(&paper.wrapped("    ", &group[0].reason));
        for release in releases(&group) {
            out.push_str(&paper.wrapped("    ", &format!("release: {release}")));
        }
        if !paper.quiet {
            let mut said: Vec<Impact> = Vec::new();
            for impact in group.iter().flat_map(|back| &back.impact) {
                if !said.contains(impact) {
                    said.push(impact.clone());
                }
            }
            out.push_str(&impacts(&said, "    ", paper));
            for back in &group {
                out.push_str(&coloured_diff(&back.diff));
            }
        }
        out.push('\n');
    }
    out
}

/// Those with the same reason together, in the order of the first of each.
fn by_reason(all: &[HeldBackDocument]) -> Vec<Vec<&HeldBackDocument>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&HeldBackDocument>> = Vec::new();
    for back in all {
        let place = *places.entry(&back.reason).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(back),
            None => groups.push(vec![back]),
        }
    }
    groups
}

/// What releases them, each once: a flag that names a control names all of them.
fn releases(group: &[&HeldBackDocument]) -> Vec<String> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for back in group {
        let named = back.release.strip_suffix(back.control.as_str());
        let (start, control) = match named.filter(|start| start.ends_with("--only ")) {
            Some(start) => (start, Some(back.control.as_str())),
            None => (back.release.as_str(), None),
        };
        match all.iter_mut().find(|(known, _)| *known == start) {
            Some((_, controls)) => controls.extend(control),
            None => all.push((start, control.into_iter().collect())),
        }
    }
    all.into_iter()
        .map(|(start, controls)| format!("{start}{}", controls.join(",")))
        .collect()
}

/// What could not be judged, each reason once.
fn unknown(document: &Document, paper: &Paper) -> String {
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in &document.unknown {
        match by_reason
            .iter_mut()
            .find(|(reason, _)| *reason == one.reason)
        {
            Some((_, controls)) => controls.push(&one.control),
            None => by_reason.push((&one.reason, vec![&one.control])),
        }
    }
    if by_reason.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", heading("Not known, so nothing is planned for it"));
    for (reason, controls) in by_reason {
        out.push_str(&paper.wrapped("  ", &controls.join(", ")));
        out.push_str(&paper.wrapped("    ", reason));
    }
    out.push('\n');
    out
}

/// A diff with added lines green and removed lines red. What is not inert in it is escaped so that
/// two different diffs never look alike (see [`inert::exact`]).
pub fn coloured_diff(diff: &str) -> String {
    let mut out = String::with_capacity(diff.len());
    for line in inert::exact(diff).split_terminator('\n') {
        let style = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Style::new().bold(),
            [b'+', ..] => Style::new().green(),
            [b'-', ..] => Style::new().red(),
            [b'@', b'@', ..] => Style::new().cyan(),
            _ => Style::new(),
        };
        let _ = writeln!(out, "{}", style.apply_to(line));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(control: &str, reason: &str, release: &str) -> HeldBackDocument {
        HeldBackDocument {
            control: control.to_owned(),
            reason: reason.to_owned(),
            release: release.to_owned(),
            diff: String::new(),
            impact: Vec::new(),
        }
    }

    #[test]
    fn the_same_reason_is_said_once() {
        let only = |id: &str| format!("--allow-disruption, or --only {id}");
        let all = [
            back("icc", "it restarts", &only("icc")),
            back("aufs", "a person must do it", "seaworthy explain aufs"),
            back("proxy", "it restarts", &only("proxy")),
            back("tls", "a person must do it", "seaworthy explain tls"),
            back("etc", "it is a link", "ls -l /etc/docker"),
            back("json", "it is a link", "ls -l /etc/docker"),
            back("level", "it restarts", &only("level")),
        ];
        let groups: Vec<(Vec<&str>, Vec<String>)> = by_reason(&all)
            .into_iter()
            .map(|group| {
                let controls = group.iter().map(|back| back.control.as_str()).collect();
                (controls, releases(&group))
            })
            .collect();
        assert_eq!(
            groups,
            [
                (vec!["icc", "proxy", "level"], vec![only("icc,proxy,level")]),
                (
                    vec!["aufs", "tls"],
                    vec![
                        "seaworthy explain aufs".to_owned(),
                        "seaworthy explain tls".to_owned()
                    ]
                ),
                (vec!["etc", "json"], vec!["ls -l /etc/docker".to_owned()]),
            ]
        );
    }
}
