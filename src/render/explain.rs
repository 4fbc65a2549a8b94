//! One control in full, or the table of all.

use super::{Paper, dim, flat, heading, severity_style};
use crate::catalog::{Control, by_area};
use crate::checks::{Check, Want};
use std::fmt::Write as _;

/// Everything about one control. What can be derived from the check is derived.
pub fn control(control: &Control, paper: &Paper) -> String {
    let mut out = format!("{}\n", heading(&flat(&control.id)));
    out.push_str(&paper.wrapped("", &control.title));
    let numbers: Vec<String> = control
        .cis
        .iter()
        .map(|(version, number)| format!("CIS {version}: {number}"))
        .collect();
    let _ = writeln!(
        out,
        "severity {}, level {}{}{}\n",
        severity_style(control.severity).apply_to(control.severity),
        control.level,
        if numbers.is_empty() { "" } else { ", " },
        flat(&numbers.join(", "))
    );
    for (title, text) in [
        ("Why", control.rationale.as_str()),
        ("What is checked", &checked(control)),
        ("What it would change", &change(control)),
        ("What may stop working", &control.remediation.impact),
        ("By hand", &control.remediation.manual),
    ] {
        if !text.trim().is_empty() {
            let _ = writeln!(out, "{}", heading(title));
            for paragraph in text.trim().split("\n\n") {
                out.push_str(&paper.wrapped(
                    "  ",
                    &paragraph.split_whitespace().collect::<Vec<_>>().join(" "),
                ));
            }
            out.push('\n');
        }
    }
    if !control.examples.is_empty() {
        let _ = writeln!(out, "{}", heading("Examples"));
        for example in &control.examples {
            let _ = writeln!(out, "  {}: {}", flat(&example.name), example.expect);
        }
        out.push('\n');
    }
    if !control.references.is_empty() {
        let _ = writeln!(out, "{}", heading("References"));
        for reference in &control.references {
            let _ = writeln!(out, "  {}", flat(reference));
        }
    }
    out
}

fn checked(control: &Control) -> String {
    match &control.check {
        Check::DaemonOption(check) => {
            let want = match &check.want {
                Want::Is(value) => format!("is {value}"),
                Want::IsNot(values) => format!(
                    "is none of {}",
                    values
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
                Want::Present(_) => "is set".to_owned(),
                Want::Unset(_) => "is not set".to_owned(),
                Want::Empty(_) => "is empty".to_owned(),
                Want::LacksItem(item) => format!("has no item that starts with {item}"),
            };
            let mut text = format!(
                "The daemon's option `{}` {want}: in its configuration file or flags, and in the running daemon where its API shows it.",
                check.key
            );
            if check.policy {
                let _ = write!(
                    text,
                    " The value is a decision: set `{}` under [daemon] in {}; until then a person has to look.",
                    check.key,
                    crate::policy::PATH
                );
            }
            text
        }
        Check::AuditWatch(check) => format!(
            "An audit watch for {} with at least the permissions `{}`: in a rule file, in the kernel (auditctl -l), and loadable at the next boot.",
            check.place, check.permissions
        ),
        Check::FileAccess(check) => match (&check.at_most, &check.owner, &check.group) {
            (Some(most), ..) => format!("{} has mode {most} or stricter.", check.place),
            (None, owner, group) => format!(
                "{} belongs to {}:{}.",
                check.place,
                owner.as_deref().unwrap_or("root"),
                group.as_deref().unwrap_or("root")
            ),
        },
        Check::Probe(_) => String::new(),
    }
}

fn change(control: &Control) -> String {
    let how = format!("Applicability: {}.", control.remediation.applicability);
    let example = control
        .examples
        .iter()
        .find_map(|example| example.after.iter().next());
    match (example, &control.check) {
        (Some((path, text)), _) => format!("{how}\n\nFor example {path} becomes: {text}"),
        (None, Check::AuditWatch(_)) => {
            format!("{how} A rule in a file of our own, loaded into the kernel.")
        }
        (None, Check::FileAccess(check)) if check.at_most.is_some() => {
            format!("{how} The bits beyond that are taken away; none is added.")
        }
        (None, Check::FileAccess(_)) => format!("{how} The owner is changed."),
        (None, _) => how,
    }
}

/// All controls, a line each.
pub fn table<'a>(controls: impl IntoIterator<Item = &'a Control>) -> String {
    let mut out = String::new();
    for (_, title, controls) in by_area(controls, |control| control.area.as_str()) {
        let _ = writeln!(out, "{}", heading(title));
        for control in controls {
            let _ = writeln!(
                out,
                "  {:<32} {} {:<11} {}",
                control.id,
                severity_style(control.severity).apply_to(format!("{:<6}", control.severity)),
                control.remediation.applicability,
                dim(&control
                    .newest_number()
                    .map_or_else(String::new, |(version, number)| flat(&format!(
                        "CIS {version} {number}"
                    ))))
            );
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn a_site_cannot_move_the_cursor() {
        let text = include_str!("../../fuzz/corpus/control/terminal-escapes");
        let mut catalog = Catalog::default();
        catalog.add("host", "own", "own.toml", text).unwrap();
        let shown = super::control(catalog.get("own").unwrap(), &Paper::default());
        let is_moving = |c: char| c.is_control() && c != '\n';
        let plain = console::strip_ansi_codes(&shown);
        assert!(
            plain.contains("docs.docker.com") && !plain.contains(is_moving),
            "{shown:?}"
        );
    }
}
