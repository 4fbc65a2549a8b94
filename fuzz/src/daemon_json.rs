//! daemon.json: reading, and editing that leaves everything else alone.

use seaworthy::formats::daemon_json::{Document, Flaw};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

type Changes = BTreeMap<String, Option<Value>>;

/// Reads and edits.
pub fn daemon_json(data: &[u8]) {
    let document = match Document::parse(data) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            assert!(!error.reason.is_empty() && !error.reason.contains('\n'));
            let lines = data.split(|byte| *byte == b'\n').count();
            assert!(error.line <= lines, "line {} of {lines}", error.line);
            return;
        }
    };
    let text = document.text();
    let bom = document.flaws().contains(&Flaw::Bom);
    assert_eq!(text.as_bytes(), if bom { &data[3..] } else { data });
    if document.flaws().contains(&Flaw::Empty) {
        assert!(text.trim().is_empty() && document.keys().is_empty());
    } else {
        // What is let through is strict JSON.
        let strict: Map<String, Value> = serde_json::from_str(text).unwrap();
        assert_eq!(values(&document), strict);
    }
    for key in document.keys() {
        let line = document.line_of(key).unwrap();
        assert!(line >= 1 && line <= 1 + text.matches('\n').count());
    }
    for (outer, inner, _) in document.nested_booleans() {
        assert!(document.get(&outer).unwrap().get(&inner).is_some());
    }
    let duplicate = document
        .flaws()
        .iter()
        .any(|flaw| matches!(flaw, Flaw::DuplicateKey { .. }));
    if duplicate {
        // Which one was meant is not guessed.
        assert!(document.with(&Changes::new()).is_err());
        return;
    }
    // Without changes it is its very own text, and so it is with changes that change nothing.
    assert_eq!(document.with(&Changes::new()).as_deref(), Ok(text));
    for key in document.keys() {
        let same = Changes::from([(key.to_owned(), document.get(key).cloned())]);
        assert_eq!(document.with(&same).as_deref(), Ok(text));
    }
    edit(&document, "icc", Some(json!(false)));
    edit(&document, "userns-remap", Some(json!("default")));
    edit(&document, "log-opts", Some(json!({"max-size": "10m"})));
    edit(&document, "icc", None);
    for key in document.keys() {
        edit(&document, key, None);
        match document.get(key) {
            Some(Value::Object(old)) => {
                let mut new = old.clone();
                new.insert("max-file".to_owned(), json!("3"));
                edit(&document, key, Some(Value::Object(new)));
                let mut new = old.clone();
                new.shift_remove_entry(old.keys().next().map_or("", String::as_str));
                edit(&document, key, Some(Value::Object(new)));
            }
            Some(Value::Array(old)) => {
                let mut new = old.clone();
                new.push(json!("a \"b\"\n\u{1}"));
                edit(&document, key, Some(Value::Array(new)));
            }
            _ => edit(&document, key, Some(json!([1, {"a": null}]))),
        }
    }
}

fn values(document: &Document) -> Map<String, Value> {
    let entry = |key: &str| (key.to_owned(), document.get(key).unwrap().clone());
    document.keys().into_iter().map(entry).collect()
}

/// Whether printing and reading again may change a value: the last digit of a float may differ.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(list) => list.iter().all(is_exact),
        Value::Object(object) => object.values().all(is_exact),
        _ => true,
    }
}

/// Makes one change and takes it back.
fn edit(document: &Document, key: &str, value: Option<Value>) {
    let changes = Changes::from([(key.to_owned(), value.clone())]);
    let exact = value.as_ref().is_none_or(is_exact);
    let edited = match document.with(&changes) {
        Ok(edited) => edited,
        // A value that does not survive printing is refused, not written.
        Err(_) if !exact => return,
        Err(error) => panic!("{changes:?}: {error}"),
    };
    let again = Document::parse(edited.as_bytes()).unwrap();
    let mut wanted = values(document);
    match value {
        Some(value) => wanted.insert(key.to_owned(), value),
        None => wanted.shift_remove(key),
    };
    assert_eq!(values(&again), wanted);
    // New keys go to the end, all others keep their order.
    let order: Vec<&String> = wanted.keys().collect();
    assert_eq!(again.keys(), order);
    assert_eq!(again.with(&changes).as_deref(), Ok(edited.as_str()));
    let back = Changes::from([(key.to_owned(), document.get(key).cloned())]);
    match again.with(&back) {
        Ok(back) => {
            let back = Document::parse(back.as_bytes()).unwrap();
            assert_eq!(values(&back), values(document));
        }
        Err(_) if !document.get(key).is_none_or(is_exact) => {}
        Err(error) => panic!("{back:?}: {error}"),
    }
}
