//! Whether the daemon's configuration file says what it seems to say.
//!
//! dockerd accepts keys that it then ignores (the singular names of list flags), takes booleans out
//! of objects that it does not know, and reads `null` as false; older versions refuse an empty
//! file or one with a byte order mark. Whoever reads such a file is misled.

use crate::change::Edit;
use crate::checks::{DaemonJson, Evidence, Judgement, Layout, Outcome};
use crate::facts::Facts;
use crate::formats::daemon_json::{Document, Flaw};

/// Flag names that the daemon accepts as keys and ignores, with the key that works.
const DEAD_KEYS: [(&str, &str); 12] = [
    ("add-runtime", "runtimes"),
    ("authorization-plugin", "authorization-plugins"),
    ("default-address-pool", "default-address-pools"),
    ("default-ulimit", "default-ulimits"),
    ("dns-opt", "dns-opts"),
    ("exec-opt", "exec-opts"),
    ("host", "hosts"),
    ("insecure-registry", "insecure-registries"),
    ("label", "labels"),
    ("log-opt", "log-opts"),
    ("registry-mirror", "registry-mirrors"),
    ("storage-opt", "storage-opts"),
];

pub(super) fn judge(facts: &Facts) -> Judgement {
    let layout = Layout::of(facts);
    if !layout.docker_is_installed() {
        return Judgement::not_applicable("Docker is not installed", "docker.service");
    }
    let path = layout.config.as_str();
    match layout.daemon_json() {
        DaemonJson::Broken(error) => Judgement::blocked(
            vec![Evidence::new(
                format!("it does not parse: {}", error.reason),
                "one JSON object",
                format!("{path}:{}:{}", error.line, error.column),
            )],
            format!(
                "{path}:{}:{}: {}; the daemon would not start with it, and we do not guess what was meant",
                error.line, error.column, error.reason
            ),
            format!("editor {path}"),
        ),
        DaemonJson::Unreadable(why, _) => {
            Judgement::new(Outcome::Unknown, Evidence::new(why, "a plain file", path))
        }
        DaemonJson::Read(document) => {
            // 23.0 and later read an empty file and one with a byte order mark.
            let lenient = facts
                .docker_version
                .known()
                .and_then(|version| crate::facts::major(version))
                .is_some_and(|major| major >= 23);
            let mut evidence = flaws(&document, path, lenient);
            let (curable, by_hand) = conflicts(&layout, &document);
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
            if evidence.is_empty() {
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
            format!("`{key}` is set by {flag}, too, and the daemon refuses to start with both"),
            "either the flag or the file",
            format!("{}:{line}", layout.config),
        );
        if Layout::KEPT_KEYS.contains(&key) {
            by_hand.push(evidence);
        } else {
            curable.push((key.to_owned(), evidence));
        }
    }
    (curable, by_hand)
}

fn flaws(document: &Document, path: &str, lenient: bool) -> Vec<Evidence> {
    let at = |line: usize| format!("{path}:{line}");
    let mut found: Vec<Evidence> = document
        .flaws()
        .iter()
        .filter(|flaw| !(lenient && matches!(flaw, Flaw::Empty | Flaw::Bom)))
        .map(|flaw| match flaw {
            Flaw::Empty => Evidence::new(
                "the file is empty, and dockerd before 23.0 refuses to start with it",
                "{}",
                path,
            ),
            Flaw::Bom => Evidence::new(
                "it begins with a byte order mark, and dockerd before 23.0 refuses to start with it",
                "plain UTF-8",
                at(1),
            ),
            Flaw::DuplicateKey { key, line } => Evidence::new(
                format!("`{key}` stands twice, and only the last one counts"),
                "each key once",
                at(*line),
            ),
        })
        .collect();
    for key in document.keys() {
        let line = at(document.line_of(key).unwrap_or(1));
        if let Some((_, works)) = DEAD_KEYS.iter().find(|(dead, _)| *dead == key) {
            found.push(Evidence::new(
                format!("`{key}` is accepted and ignored"),
                format!("`{works}`"),
                line,
            ));
        } else if document.get(key).is_some_and(serde_json::Value::is_null) {
            found.push(Evidence::new(
                format!("`{key}` is null, which means false for a switch"),
                "a value, or no such key",
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
