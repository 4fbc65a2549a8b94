//! Taking a change out of a file that somebody edited since.

use super::text;
use seaworthy::apply::{Merged, merge as merged};
use seaworthy::change::State;
use seaworthy::facts::{Attributes, Mode};
use seaworthy::formats::audit_rules::append_before_lock;
use seaworthy::formats::daemon_json::Document;
use seaworthy::formats::environment;
use seaworthy::plan::OWN_FILE_HEADER;
use serde_json::json;
use std::collections::BTreeMap;

const DAEMON: &str = "/etc/docker/daemon.json";
const ENVIRONMENT: &str = "/etc/environment";
const RULES: &str = "/etc/audit/rules.d/50-seaworthy-docker.rules";

/// What is there before, after and now; a line `----` stands between them. Without the third, `before` is changed as
/// a transaction would, and the second is put before the result and behind it.
pub fn merge(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let texts: Vec<&str> = text.split("\n----\n").collect();
    match texts[..] {
        [before, after, now] => {
            // JSON is merged by keys wherever it is.
            if [before, after]
                .iter()
                .any(|text| Document::parse(text.as_bytes()).is_err())
            {
                any_lines(ENVIRONMENT, before, after, now);
                any_lines(RULES, before, after, now);
            }
            keys(before, after, now);
        }
        [before, more] => {
            let with = |after: &str| [format!("{more}\n{after}"), format!("{after}{more}")];
            let rules = ["-w /etc/docker -p wa -k docker".to_owned()];
            let after = append_before_lock(before, &rules);
            for now in with(&after) {
                own_lines(RULES, before, &after, &now);
            }
            let after = environment::set(before, "DOCKER_CONTENT_TRUST", "1");
            for now in with(&after) {
                own_lines(ENVIRONMENT, before, &after, &now);
            }
            let changes = BTreeMap::from([
                ("icc".to_owned(), Some(json!(false))),
                ("log-opts".to_owned(), Some(json!({"max-size": "10m"}))),
                ("tls".to_owned(), None),
            ]);
            if let Ok(Ok(after)) =
                Document::parse(before.as_bytes()).map(|document| document.with(&changes))
            {
                keys(before, &after, more);
            }
        }
        _ => {}
    }
}

fn file(text: &str) -> State {
    State::File {
        attributes: Attributes {
            mode: Mode(0o644),
            ..Attributes::default()
        },
        content: text.into(),
    }
}

/// The result, after a look at what is true of every one; `None` for what a person must decide.
fn result(path: &str, before: &State, after: &str, now: &str) -> Option<State> {
    let ours = file(after);
    assert_eq!(merged(path, before, &ours, Some(&ours)), Merged::Exact);
    let undone = Merged::Edited {
        to: before.clone(),
        stays: Vec::new(),
    };
    if *before != ours {
        assert_eq!(merged(path, before, &ours, Some(before)), undone);
    }
    match merged(path, before, &ours, Some(&file(now))) {
        Merged::Exact => {
            assert_eq!(now, after);
            Some(before.clone())
        }
        Merged::Edited { to, stays } => {
            assert!(stays.iter().all(|one| !one.is_empty()));
            Some(to)
        }
        Merged::Refused(refusal) => {
            assert_eq!(refusal.path, path);
            assert!(!refusal.reason.is_empty());
            None
        }
    }
}

fn count(text: &str) -> BTreeMap<&str, usize> {
    let mut counted = BTreeMap::new();
    for line in text.split_terminator('\n') {
        *counted.entry(line).or_default() += 1;
    }
    counted
}

/// A file that is not there before, or empty.
fn befores(before: &str) -> Vec<State> {
    let absent = before.is_empty().then_some(State::Absent);
    absent.into_iter().chain([file(before)]).collect()
}

/// Lines that nobody wrote do not appear, and lines that only somebody else wrote do not go.
fn any_lines(path: &str, before: &str, after: &str, now: &str) {
    for was in befores(before) {
        let Some(to) = result(path, &was, after, now) else {
            continue;
        };
        let (former, ours, today) = (count(before), count(after), count(now));
        let result = count(to.text());
        for (line, there) in &result {
            let of = |counted: &BTreeMap<&str, usize>| counted.get(line).copied().unwrap_or(0);
            assert!(*there <= of(&former) + of(&today), "{line:?}");
        }
        for (line, there) in today {
            if former.contains_key(line) || ours.contains_key(line) {
                continue;
            }
            // What only carries other lines goes with a file of ours.
            let is_idle = line.starts_with('[')
                || line.trim().is_empty()
                || line == "-D"
                || line == OWN_FILE_HEADER.trim_end();
            if to != State::Absent || !is_idle {
                assert_eq!(result.get(line), Some(&there), "{line:?}");
            }
        }
        if path == ENVIRONMENT {
            variables(before, after, now, to.text());
        }
    }
}

/// What the transaction left alone is as somebody left it, too.
fn own_lines(path: &str, before: &str, after: &str, now: &str) {
    any_lines(path, before, after, now);
    let Some(to @ State::File { .. }) = result(path, &file(before), after, now) else {
        return;
    };
    let (former, ours, today) = (count(before), count(after), count(now));
    let result = count(to.text());
    for line in former.keys().chain(today.keys()) {
        let of = |counted: &BTreeMap<&str, usize>| counted.get(line).copied().unwrap_or(0);
        if of(&former) == of(&ours) {
            assert_eq!(of(&result), of(&today), "{line:?}");
        }
    }
}

fn variables(before: &str, after: &str, now: &str, to: &str) {
    let [former, ours, today, result] = [before, after, now, to].map(environment::values);
    for name in today.keys().chain(result.keys()) {
        if former.get(name) == ours.get(name) {
            assert_eq!(result.get(name), today.get(name), "{name}");
        }
    }
}

fn keys(before: &str, after: &str, now: &str) {
    let parse = |text: &str| Document::parse(text.as_bytes()).ok();
    for was in befores(before) {
        let Some(to) = result(DAEMON, &was, after, now) else {
            continue;
        };
        if now == after {
            continue;
        }
        let former = parse(before).unwrap_or_else(Document::empty);
        let (Some(ours), Some(today)) = (parse(after), parse(now)) else {
            // Content that the transaction did not change is not read.
            assert!(before == after && to.text() == now || to == was);
            continue;
        };
        let to = parse(to.text()).unwrap();
        for documents in [&former, &ours, &today, &to] {
            for key in documents.keys() {
                let (was, ours) = (former.get(key), ours.get(key));
                let (is, result) = (today.get(key), to.get(key));
                if was == ours || !is.is_some_and(serde_json::Value::is_object) && is != ours {
                    assert_eq!(result, is, "{key}");
                } else if is == ours {
                    assert_eq!(result, was, "{key}");
                }
            }
        }
    }
}
