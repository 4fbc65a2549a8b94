use super::*;
use crate::facts::Mode;
use crate::formats::audit_rules;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAEMON: &str = "/etc/docker/daemon.json";
const RULES: &str = "/etc/audit/rules.d/50-seaworthy-docker.rules";

fn attributes(mode: u32) -> Attributes {
    Attributes {
        mode: Mode(mode),
        ..Attributes::default()
    }
}

fn file(text: &str) -> State {
    State::File {
        attributes: attributes(0o644),
        content: text.into(),
    }
}

/// The merged text; `-` for a file that goes away, the reason for a refusal.
fn text_of(path: &str, before: &State, after: &State, now: &str) -> String {
    match merge(path, before, after, Some(&file(now))) {
        Merged::Exact => "exact".to_owned(),
        Merged::Edited {
            to: State::Absent, ..
        } => "-".to_owned(),
        Merged::Edited { to, .. } => to.text().to_owned(),
        Merged::Refused(refusal) => format!("refused: {}", refusal.reason),
    }
}

#[test]
fn daemon_json_key_by_key() {
    let before = file("{\"debug\": false, \"icc\": true}");
    let after = file("{\"debug\": false, \"icc\": false, \"log-opts\": {\"a\": \"1\"}}");
    for (now, wanted) in [
        // Ours goes, theirs stays, in their own style.
        (
            "{ \"dns\": [ \"::1\" ],\n\"debug\": false, \"icc\": false, \"log-opts\": {\"a\": \"1\"}}",
            "{ \"dns\": [ \"::1\" ],\n\"debug\": false, \"icc\": true}",
        ),
        (
            "{\"debug\": true, \"icc\": false}",
            "{\"debug\": true, \"icc\": true}",
        ),
        ("{\"icc\": false}", "{\"icc\": true}"),
        // Changed again, or put back by hand.
        ("{\"icc\": \"no\"}", "{\"icc\": \"no\"}"),
        ("{\"debug\": false}", "{\"debug\": false}"),
        ("{\"icc\": true, \"x\": 1}", "{\"icc\": true, \"x\": 1}"),
        // Theirs inside an object of ours.
        (
            "{\"log-opts\": {\"a\": \"1\", \"b\": \"2\"}}",
            "{\"log-opts\": {\"b\": \"2\"}}",
        ),
        (
            "{\"log-opts\": {\"a\": \"2\"}}",
            "{\"log-opts\": {\"a\": \"2\"}}",
        ),
        (
            "{\"icc\": false",
            "refused: it cannot be read now: line 1, column 1: the closing } is missing",
        ),
        (
            "{\"icc\": false, \"x\": 1, \"x\": 2}",
            "refused: line 1: the key \"x\" occurs more than once; remove one of them first",
        ),
    ] {
        assert_eq!(text_of(DAEMON, &before, &after, now), wanted, "{now}");
    }
    let made = file("{\"icc\": false}");
    for (before, now, wanted) in [
        (State::Absent, "{\"icc\": false }", "-"),
        (State::Absent, "{}", "-"),
        (State::Absent, "{\"icc\": true}", "{\"icc\": true}"),
        (file(""), "{\"icc\":false}", ""),
        (file("{}\n"), " {\"icc\":false}", "{}\n"),
        (
            State::Absent,
            "\u{feff}{\"icc\": false, \"x\": 1}",
            "\u{feff}{\"x\": 1}",
        ),
    ] {
        assert_eq!(text_of(DAEMON, &before, &made, now), wanted, "{now}");
    }
}

/// Anything quadratic would not come to an end here that somebody waits for.
#[test]
fn the_largest_files_are_merged() {
    let text = |range: std::ops::Range<usize>, more: &str| {
        let keys: Vec<String> = range.map(|key| format!("\"k{key}\": 1")).collect();
        file(&format!("{{{},\n{more}}}", keys.join(",\n")))
    };
    let (before, after) = (
        text(0..60_000, "\"icc\": true"),
        text(0..60_000, "\"icc\": false"),
    );
    let now = text(30_000..90_000, "\"icc\": false");
    let Merged::Edited { to, .. } = merge(DAEMON, &before, &after, Some(&now)) else {
        panic!("refused")
    };
    assert_eq!(to, text(30_000..90_000, "\"icc\": true"));
    // Every second line is ours, and every third one went.
    let lines = |is_there: fn(&usize) -> bool| {
        let lines = (0..90_000).filter(is_there);
        let lines: Vec<String> = lines.map(|line| format!("K{line}=1\n")).collect();
        file(&lines.concat())
    };
    let (before, after) = (lines(|line| line % 2 == 0), lines(|_| true));
    let now = lines(|line| line % 3 != 0);
    let Merged::Edited { to, .. } = merge(ENVIRONMENT, &before, &after, Some(&now)) else {
        panic!("refused")
    };
    assert_eq!(to, lines(|line| line % 2 == 0 && line % 3 != 0));
    let now = file(&"other\n".repeat(90_000));
    let merged = merge(ENVIRONMENT, &before, &after, Some(&now));
    assert!(matches!(merged, Merged::Edited { .. }));
}

#[test]
fn environment_files() {
    let (before, after) = (file("A=1\nX=0\nB=2\n"), file("A=1\nX=1\nB=2\n"));
    let refused =
        "refused: line 2 of what the transaction wrote was changed again, or its place is gone";
    for (now, wanted) in [
        ("A=1\nX=1\nB=2\nC=3\n", "A=1\nX=0\nB=2\nC=3\n"),
        ("A=2\nX=1\n", "A=2\nX=0\n"),
        ("A=1\nX=2\nB=2\n", refused),
        (
            // A backslash makes our line a part of theirs.
            "A=1\nC=\\\nX=1\nB=2\n",
            "refused: C would get a value that nobody gave it, as lines were changed since that it depends on",
        ),
    ] {
        assert_eq!(text_of(ENVIRONMENT, &before, &after, now), wanted, "{now}");
    }
}

#[test]
fn environment_files_of_services() {
    let fedora = |flags: &str, more: &str| {
        format!("# x\nOPTIONS=\"--selinux-enabled \\\n{flags}  --init-path /x \\\n\"\n{more}")
    };
    let both = "  --live-restore \\\n  --icc=true \\\n";
    let one = "  --live-restore \\\n";
    let (before, after) = (file(&fedora(both, "")), file(&fedora(one, "")));
    for (path, now, wanted) in [
        // Another assignment stays, and so does another flag.
        (
            "/etc/sysconfig/docker",
            fedora(one, "DOCKER_NOFILE=1000\n"),
            fedora(both, "DOCKER_NOFILE=1000\n"),
        ),
        (
            "/etc/conf.d/docker",
            fedora(&format!("  --debug \\\n{one}"), ""),
            "refused: OPTIONS would get a value that nobody gave it, as lines were changed since that it depends on".to_owned(),
        ),
        (
            "/srv/docker.env",
            fedora(one, "A=1\n"),
            "refused: it was edited since, and its format is not one that can be merged".to_owned(),
        ),
    ] {
        assert_eq!(text_of(path, &before, &after, &now), wanted, "{path}");
    }
    let (before, after) = (
        file("A=1\nDOCKER_OPTS=\"--icc=true -D\"\n"),
        file("A=1\nDOCKER_OPTS=\"-D\"\n"),
    );
    let path = "/etc/default/docker";
    assert_eq!(
        text_of(path, &before, &after, "A=2\nDOCKER_OPTS=\"-D\"\nB=1\n"),
        "A=2\nDOCKER_OPTS=\"--icc=true -D\"\nB=1\n"
    );
    let again = text_of(path, &before, &after, "A=1\nDOCKER_OPTS=\"-D --tls\"\n");
    assert!(again.starts_with("refused: line 2"), "{again}");
}

#[test]
fn our_own_rules_file() {
    let ours = file(&format!(
        "{OWN_FILE_HEADER}-D\n-w /a -p wa -k d\n-w /b -p wa -k d\n"
    ));
    for (now, wanted) in [
        (
            format!("{OWN_FILE_HEADER}-D\n-w /b -p wa -k d\n"),
            "-".to_owned(),
        ),
        (OWN_FILE_HEADER.to_owned(), "-".to_owned()),
        (
            format!("{OWN_FILE_HEADER}-D\n-w /a -p wa -k d\n-w /c -p r\n-w /b -p wa -k d\n"),
            format!("{OWN_FILE_HEADER}-D\n-w /c -p r\n"),
        ),
        ("-w /c -p r\n".to_owned(), "-w /c -p r\n".to_owned()),
    ] {
        assert_eq!(text_of(RULES, &State::Absent, &ours, &now), wanted, "{now}");
    }
    // A newer transaction added to the file; the older one is taken back first, then the newer one.
    let newer = format!("{OWN_FILE_HEADER}-D\n-w /a -p wa -k d\n-w /b -p wa -k d\n-w /c -p r\n");
    let rest = text_of(RULES, &State::Absent, &ours, &newer);
    assert_eq!(rest, format!("{OWN_FILE_HEADER}-D\n-w /c -p r\n"));
    assert_eq!(text_of(RULES, &ours, &file(&newer), &rest), "-");
}

#[test]
fn other_things() {
    let opaque = |mode| State::Opaque {
        attributes: attributes(mode),
    };
    let folder = |mode| State::Folder {
        attributes: attributes(mode),
    };
    let edited = |to: State| Merged::Edited {
        to,
        stays: Vec::new(),
    };
    let (was, ours) = (opaque(0o666), opaque(0o640));
    let reason = |merged: Merged| match merged {
        Merged::Refused(refusal) => refusal.reason,
        other => format!("{other:?}"),
    };
    assert_eq!(merge("/x", &was, &ours, Some(&ours)), Merged::Exact);
    assert_eq!(merge("/x", &was, &ours, Some(&was)), edited(was.clone()));
    let Merged::Edited { to, stays } = merge("/x", &was, &ours, Some(&opaque(0o600))) else {
        panic!("refused")
    };
    assert_eq!((to, stays.len()), (opaque(0o600), 1));
    let Merged::Edited { to, .. } = merge("/x", &was, &ours, Some(&State::Absent)) else {
        panic!("refused")
    };
    assert_eq!(to, State::Absent);
    for (before, after, now, words) in [
        (&was, &ours, None, "link"),
        (
            &was,
            &ours,
            Some(folder(0o755)),
            "something else now: folder",
        ),
        (
            &file("a\n"),
            &file("b\n"),
            Some(State::Absent),
            "removed since",
        ),
        (
            &file("a\n"),
            &file("b\n"),
            Some(file("c\n")),
            "not one that can be merged",
        ),
        (
            &State::Absent,
            &folder(0o755),
            Some(opaque(0o644)),
            "something else",
        ),
    ] {
        let reason = reason(merge("/etc/x", before, after, now.as_ref()));
        assert!(reason.contains(words), "{reason}");
    }
    // A folder that somebody made theirs stays.
    let Merged::Edited { to, .. } =
        merge("/x", &State::Absent, &folder(0o755), Some(&folder(0o700)))
    else {
        panic!("refused")
    };
    assert_eq!(to, folder(0o700));
}

#[test]
fn the_difference_has_three_sides_and_no_secrets() {
    let (before, after) = (file("A=1\nX=0\n"), file("A=1\nX=1\n"));
    let now = file("A=1\nX=2\nAPI_TOKEN=hunter2\n");
    let Merged::Refused(refusal) = merge(ENVIRONMENT, &before, &after, Some(&now)) else {
        panic!("merged")
    };
    for words in ["-X=0\n+X=1", "-X=1\n+X=2", "+API_TOKEN=***"] {
        assert!(refusal.difference.contains(words), "{}", refusal.difference);
    }
    assert!(!refusal.difference.contains("hunter2"));
}

/// Keys of which some are ours, with small values so that all cases come up.
fn object() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let leaf = prop_oneof![
        Just(json!(1)),
        Just(json!(true)),
        Just(json!("a")),
        Just(json!(["x"])),
    ];
    let value = prop_oneof![
        leaf.clone(),
        prop::collection::btree_map("[xy]", leaf, 0..3).prop_map(|map| json!(map)),
    ];
    prop::collection::btree_map("[a-f]", value, 0..5)
}

fn rule_lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        "-w /[a-e] -p wa -k [kl]",
        "# [a-c]",
        Just(String::new()),
        Just("-D".to_owned()),
    ];
    prop::collection::vec(line, 0..8)
}

fn env_lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        "[A-E]=[a-c]",
        "export [A-E]='[a-c]' # [x-z]",
        "[A-C]=a\\\\",
        "# [a-c]",
        Just(String::new()),
    ];
    prop::collection::vec(line, 0..8)
}

/// Removes some lines and inserts others.
fn edit(text: &str, edits: &[(usize, Option<String>)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (at, line) in edits {
        match line {
            Some(line) => lines.insert(at % (lines.len() + 1), line.clone()),
            None if lines.is_empty() => {}
            None => {
                let count = lines.len();
                lines.remove(at % count);
            }
        }
    }
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

fn edits() -> impl Strategy<Value = Vec<(usize, Option<String>)>> {
    let line = prop_oneof![
        Just(None),
        "NEW[0-9]=[a-c]".prop_map(Some),
        "-w /new[0-9] -p r".prop_map(Some),
    ];
    prop::collection::vec((0..20_usize, line), 0..4)
}

fn count(text: &str) -> BTreeMap<&str, i64> {
    let mut counted = BTreeMap::new();
    for line in text.lines() {
        *counted.entry(line).or_default() += 1;
    }
    counted
}

/// Every line that the transaction left alone is there as often as somebody left it; nothing is
/// there that nobody wrote.
fn only_ours_changed(before: &str, after: &str, now: &str, to: &str) -> Result<(), TestCaseError> {
    let (was, ours, is, merged) = (count(before), count(after), count(now), count(to));
    for line in was
        .keys()
        .chain(ours.keys())
        .chain(is.keys())
        .chain(merged.keys())
    {
        let of = |counted: &BTreeMap<&str, i64>| counted.get(line).copied().unwrap_or(0);
        if of(&was) == of(&ours) {
            prop_assert_eq!(of(&merged), of(&is), "{:?}", line);
        } else {
            let change = of(&was) - of(&ours);
            let low = (of(&is) + change.min(0)).max(0);
            prop_assert!(
                (low..=of(&is) + change.max(0)).contains(&of(&merged)),
                "{:?}",
                line
            );
        }
    }
    Ok(())
}

fn lines_merged(path: &str, before: &str, after: &str, now: &str) -> Result<(), TestCaseError> {
    let (was, ours) = (file(before), file(after));
    prop_assert_eq!(merge(path, &was, &ours, Some(&ours)), Merged::Exact);
    match merge(path, &was, &ours, Some(&file(now))) {
        Merged::Exact => prop_assert_eq!(now, after),
        Merged::Edited { to, .. } => only_ours_changed(before, after, now, to.text())?,
        Merged::Refused(_) => {}
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_key_but_ours_changes(was in object(), wishes in object(), edits in object(), gone in "[a-f]{0,3}") {
        let text = |map: &BTreeMap<String, Value>| serde_json::to_string_pretty(map).unwrap();
        let mut ours = was.clone();
        ours.extend(wishes);
        let mut is = ours.clone();
        is.extend(edits);
        is.retain(|key, _| !gone.contains(key.as_str()));
        let (before, after) = (file(&text(&was)), file(&text(&ours)));
        let to = match merge(DAEMON, &before, &after, Some(&file(&text(&is)))) {
            Merged::Exact => was.clone(),
            Merged::Edited { to, .. } => serde_json::from_str(to.text()).unwrap(),
            Merged::Refused(refusal) => return Err(TestCaseError::fail(refusal.reason)),
        };
        for key in was.keys().chain(ours.keys()).chain(is.keys()) {
            let of = |map: &BTreeMap<String, Value>| map.get(key).cloned();
            if of(&was) == of(&ours) {
                prop_assert_eq!(of(&to), of(&is), "{}", key);
            } else if of(&is) == of(&ours) {
                prop_assert_eq!(of(&to), of(&was), "{}", key);
            } else if !(of(&is).is_some_and(|is| is.is_object())) {
                prop_assert_eq!(of(&to), of(&is), "{}", key);
            }
        }
    }

    #[test]
    fn no_rule_but_ours_changes(was in rule_lines(), wishes in prop::collection::vec("/[f-h]", 1..3), edits in edits()) {
        let before: String = was.iter().flat_map(|line| [line, "\n"]).collect();
        let rules: Vec<String> = wishes.iter().map(|path| format!("-w {path} -p wa -k docker")).collect();
        let after = audit_rules::append_before_lock(&before, &rules);
        let now = edit(&after, &edits);
        lines_merged("/etc/audit/audit.rules", &before, &after, &now)?;
        // Where nobody touched a line of ours or beside it there is nothing to refuse.
        if edits.iter().all(|(_, line)| line.is_some()) {
            let merged = merge("/etc/audit/audit.rules", &file(&before), &file(&after), Some(&file(&now)));
            prop_assert!(!matches!(merged, Merged::Refused(_)));
        }
    }

    #[test]
    fn no_variable_but_ours_changes(was in env_lines(), name in "[A-F]", edits in edits()) {
        let before: String = was.iter().flat_map(|line| [line, "\n"]).collect();
        let after = environment::set(&before, &name, "1");
        let now = edit(&after, &edits);
        lines_merged(ENVIRONMENT, &before, &after, &now)?;
        if let Merged::Edited { to, .. } = merge(ENVIRONMENT, &file(&before), &file(&after), Some(&file(&now))) {
            for set in environment::assignments(&now) {
                if set.name != name {
                    let value = |text: &str| environment::value(text, &set.name).map(|set| set.value);
                    let ours_too = value(&before) != value(&after);
                    prop_assert!(ours_too || value(to.text()) == value(&now), "{}", set.name);
                }
            }
        }
    }
}
