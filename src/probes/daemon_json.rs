//! Whether the daemon's configuration file says what it seems to say.
//!
//! dockerd accepts keys that it then ignores (the singular names of list flags), takes booleans out
//! of objects that it does not know, and reads `null` as false. Whoever reads such a file is misled.
//! And a file that this version refuses, for a key that it does not know, say, stops the daemon at
//! its next restart.

use crate::change::Edit;
use crate::checks::startable::refusals;
use crate::checks::{DaemonJson, Evidence, Judgement, Layout, Outcome, Source};
use crate::formats::daemon_json::{Document, Flaw};
use crate::options::{self, Reading, Version};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn judge(layout: &Layout<'_>) -> Judgement {
    let facts = layout.facts();
    if !layout.docker_is_installed() {
        return Judgement::not_applicable("Docker is not installed", "docker.service");
    }
    let path = layout.config.as_str();
    match layout.daemon_json() {
        DaemonJson::Broken(error) => Judgement::blocked(
            vec![Evidence::new(
                format!("it does not parse: {}", error.reason),
                "one JSON object",
                Source::at(path, error.line, Some(error.column)),
            )],
            format!(
                "{path}:{}:{}: {}; the daemon would not start with it, and we do not guess what was meant",
                error.line, error.column, error.reason
            ),
            format!("editor {path}"),
        ),
        DaemonJson::Unreadable(why, hint) => Judgement::new(
            Outcome::Unknown,
            Evidence::new(why, "a plain file", path).hint(hint),
        ),
        DaemonJson::Read(document) => {
            let version = facts
                .docker_version
                .known()
                .and_then(|version| Version::parse(version));
            let (curable, by_hand) = conflicts(layout, &document);
            let of_flags: BTreeSet<&str> = curable.iter().map(|(key, _)| key.as_str()).collect();
            let (certain, doubts): (Vec<_>, Vec<_>) =
                refusals(layout).into_iter().partition(|it| it.certain);
            let mut evidence: Vec<Evidence> = certain
                .into_iter()
                // A flag that can go is cured below; one that stays is said in so many words.
                .filter(|it| {
                    !(it.repeats_flag
                        && (it.keys.iter().all(|key| of_flags.contains(key.as_str()))
                            || it
                                .keys
                                .iter()
                                .all(|key| Layout::KEPT_KEYS.contains(&key.as_str()))))
                })
                .map(|it| {
                    Evidence::new(
                        format!("the daemon does not start with it: {}", it.reason),
                        it.wanted,
                        it.source,
                    )
                })
                .collect();
            evidence.extend(misleading(&document, path, version));
            let in_doubt = !(evidence.is_empty() && by_hand.is_empty());
            evidence.extend(by_hand);
            if !in_doubt && !curable.is_empty() {
                let edits = curable
                    .iter()
                    .map(|(key, _)| Edit::DaemonFlag { key: key.clone() });
                let edits = edits.collect();
                let evidence = curable.into_iter().map(|(_, evidence)| evidence).collect();
                return Judgement::fail(evidence, edits);
            }
            evidence.extend(curable.into_iter().map(|(_, evidence)| evidence));
            if evidence.is_empty() && !doubts.is_empty() {
                let doubts = doubts.into_iter().map(|it| {
                    let what = format!(
                        "whether the daemon starts with it cannot be known: {}",
                        it.reason
                    );
                    Evidence::new(what, it.wanted, it.source)
                });
                Judgement {
                    outcome: Outcome::Unknown,
                    evidence: doubts.collect(),
                    ..Judgement::default()
                }
            } else if evidence.is_empty() {
                Judgement::new(
                    Outcome::Pass,
                    Evidence::new(
                        if facts.exists(path) {
                            "every key means what it says"
                        } else {
                            "there is none, so every option has its default"
                        },
                        "",
                        path,
                    ),
                )
            } else {
                Judgement::blocked(
                    evidence,
                    format!("what {path} was meant to say is for its author to decide"),
                    format!("editor {path}"),
                )
            }
        }
    }
}

/// Keys that a flag sets, too, so that the daemon will not start again: those whose flag can go, and those whose flag
/// must stay, so that the key has to go.
fn conflicts(layout: &Layout<'_>, document: &Document) -> (Vec<(String, Evidence)>, Vec<Evidence>) {
    let mut curable = Vec::new();
    let mut by_hand = Vec::new();
    for key in document.keys() {
        let Some((_, flag)) = layout.conflict(key).and(layout.by_flag(key)) else {
            continue;
        };
        let line = document.line_of(key).unwrap_or(1);
        let evidence = Evidence::new(
            format!("the daemon does not start with it: `{key}` is set by {flag}, too"),
            "either the flag or the file",
            Source::at(&layout.config, line, None),
        );
        if Layout::KEPT_KEYS.contains(&key) {
            by_hand.push(evidence);
        } else {
            curable.push((key.to_owned(), evidence));
        }
    }
    (curable, by_hand)
}

/// What is accepted, and does not do what it seems to.
fn misleading(document: &Document, path: &str, version: Option<Version>) -> Vec<Evidence> {
    let at = |line: usize| Source::at(path, line, None);
    let mut found = Vec::new();
    for flaw in document.flaws() {
        match flaw {
            // Where the version is known, its refusal was said.
            Flaw::Empty if version.is_none() => found.push(Evidence::new(
                "the file is empty, and dockerd before 23.0 refuses to start with it",
                "{}",
                path,
            )),
            Flaw::Bom if version.is_none() => found.push(Evidence::new(
                "it begins with a byte order mark, and dockerd before 23.0 refuses to start with it",
                "plain UTF-8",
                at(1),
            )),
            Flaw::Empty | Flaw::Bom => {}
            Flaw::DuplicateKey { key, line } => found.push(Evidence::new(
                format!("`{key}` stands twice, and only the last one counts"),
                "each key once",
                at(*line),
            )),
        }
    }
    for key in document.keys() {
        let line = at(document.line_of(key).unwrap_or(1));
        let value = document.get(key).unwrap_or(&Value::Null);
        let ignored = options::reading(key, version) == Some(Reading::Ignored);
        if ignored {
            found.push(Evidence::new(
                format!("`{key}` is accepted and ignored"),
                options::instead_of(key)
                    .map_or_else(|| "no such key".to_owned(), |works| format!("`{works}`")),
                line,
            ));
        } else if value.is_null() {
            found.push(Evidence::new(
                format!("`{key}` is null, which means false for a switch"),
                "a value, or no such key",
                line,
            ));
        } else if key == "tlsverify" && *value == Value::Bool(false) {
            // moby `cmd/dockerd/daemon.go`, `IsValueSet`: that the key is there turns TLS on.
            found.push(Evidence::new(
                "`tlsverify` is false, which turns TLS on and asks no client for a certificate",
                "true, or no such key",
                line,
            ));
        }
    }
    for (outer, inner, value) in document.nested_booleans() {
        found.push(Evidence::new(
            format!("`{inner}` inside `{outer}` takes effect as {value}"),
            "switches at the top level only",
            at(document.line_of(&outer).unwrap_or(1)),
        ));
    }
    found
}
