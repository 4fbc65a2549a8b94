//! Audit rules: rule files, what `auditctl -l` and what `auditctl -s` print.

use super::text;
use seaworthy::formats::audit_rules::{
    Line, Rule, append_before_lock, has_delete_all, listing, parse, parse_status, render, same,
    watches, words,
};
use std::fmt::Write as _;

const OURS: &str = "-w /etc/docker/daemon.json -p wa -k docker";

fn rule(line: &Line) -> Option<&Rule> {
    line.rule.as_ref().ok()?.as_ref()
}

/// Reads one line of a rule file.
fn one(line: &str) -> Option<Rule> {
    let lines = parse(line);
    assert_eq!(lines.len(), 1, "{line:?}");
    rule(&lines[0]).cloned()
}

fn check_lines(text: &str, lines: &[Line]) {
    if text.trim() == "No rules" {
        assert!(lines.is_empty());
        return;
    }
    let joined: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(joined.join("\n"), text.strip_suffix('\n').unwrap_or(text));
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line.number, index + 1);
        if let Some(rule) = rule(line) {
            assert!(same(rule, rule) || matches!(rule, Rule::Control(_)));
            if let Some(watch) = rule.watch() {
                assert!(watch.path.starts_with('/') && !watch.perms.is_empty());
                assert!(watch.path == "/" || !watch.path.ends_with('/'));
            }
        }
        if let Err(reason) = &line.rule {
            assert!(!reason.to_string().is_empty());
        }
    }
}

/// A rule file.
pub fn audit_rules(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let lines = parse(text);
    check_lines(text, &lines);
    let found: Vec<_> = lines
        .iter()
        .filter_map(|line| rule(line)?.watch())
        .collect();
    assert_eq!(watches(text).iter().collect::<Vec<_>>(), found);
    for line in &lines {
        match rule(line) {
            Some(Rule::Watch(watch) | Rule::ArchWatch { watch, .. }) => {
                assert_eq!(one(&render(watch)), Some(Rule::Watch(watch.clone())));
            }
            // The normal form of a normal form is itself; words with spaces are not protected in it.
            Some(normal @ (Rule::Other(form) | Rule::Control(form)))
                if !line.text.contains('\\') =>
            {
                assert_eq!(one(form).as_ref(), Some(normal), "{form:?}");
            }
            _ => {}
        }
    }
    let deletes = lines
        .iter()
        .any(|line| rule(line) == Some(&Rule::Control("-D".to_owned())));
    assert_eq!(has_delete_all(text), deletes);
    append(text, &lines);
}

fn append(text: &str, lines: &[Line]) {
    assert_eq!(append_before_lock(text, &[]), text);
    let ours = one(OURS).unwrap();
    let added = append_before_lock(text, &[OURS.to_owned()]);
    if text.trim() == "No rules" {
        return;
    }
    // Our line more, all others as they were.
    let now = parse(&added);
    let at = now
        .iter()
        .position(|line| line.text == OURS && rule(line) == Some(&ours))
        .unwrap();
    let texts =
        |lines: &[Line]| -> Vec<String> { lines.iter().map(|line| line.text.clone()).collect() };
    let mut others = texts(&now);
    let position = others
        .iter()
        .enumerate()
        .filter(|(_, line)| *line == OURS)
        .find(|(at, _)| {
            let mut rest = texts(&now);
            rest.remove(*at);
            rest == texts(lines)
        });
    let position = position.unwrap_or_else(|| panic!("{added:?}")).0;
    assert!(at <= position);
    others.remove(position);
    assert_eq!(others, texts(lines));
    // Where it still takes effect.
    let lock = Rule::Control("-e 2".to_owned());
    let locked = now.iter().position(|line| rule(line) == Some(&lock));
    assert!(locked.is_none_or(|locked| position < locked));
}

/// A listing.
pub fn audit_listing(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let lines = listing(text);
    check_lines(text, &lines);
    for line in &lines {
        let words = words(line);
        if let Some(Rule::Watch(watch)) = rule(line) {
            // What adds a rule again is that rule, where a rule file can express it.
            let escape = |word: &String| word.replace('\\', "\\\\").replace(' ', "\\ ");
            let escaped = words.iter().map(escape).collect::<Vec<_>>().join(" ");
            if !words
                .iter()
                .any(|word| word.is_empty() || word.contains(['\t', '\r']))
            {
                assert_eq!(one(&escaped), Some(Rule::Watch(watch.clone())));
            }
        } else {
            assert!(words.iter().all(|word| !word.is_empty()));
        }
    }
}

/// The kernel's state.
pub fn audit_status(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(status) = parse_status(text) else {
        return;
    };
    let mut printed = format!("enabled {}\npid {}\n", status.enabled, status.pid);
    for (name, value) in [
        ("failure", status.failure),
        ("rate_limit", status.rate_limit),
        ("backlog_limit", status.backlog_limit),
        ("lost", status.lost),
        ("backlog", status.backlog),
    ] {
        if let Some(value) = value {
            let _ = writeln!(printed, "{name} {value}");
        }
    }
    assert_eq!(parse_status(&printed), Some(status));
}
