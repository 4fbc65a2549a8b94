//! Editing without reformatting.

use crate::facts::steps;
use std::collections::BTreeMap;

use jsonc_parser::cst::{
    CstInputValue, CstNode, CstObject, CstObjectProp, CstRootNode, CstWhitespace,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why an edit was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditError {
    /// Which of the two a person meant is not for a program to guess.
    #[error("line {line}: the key {key:?} occurs more than once; remove one of them first")]
    DuplicateKey {
        /// The key; inside an object with the outer keys before it, joined by dots.
        key: String,
        /// The 1-based line of the repetition.
        line: usize,
    },
    /// The edited text, read back, does not hold the wanted values.
    #[error("line {line}: the edited file would not hold the wanted values ({reason})")]
    Mismatch {
        /// The 1-based line of the edited text, 1 where there is none.
        line: usize,
        /// What differs.
        reason: String,
    },
}

fn mismatch(reason: impl Into<String>) -> EditError {
    EditError::Mismatch {
        line: 1,
        reason: reason.into(),
    }
}

/// The text with `before` turned into `wanted`, read back and compared.
pub(super) fn rewrite(
    text: &str,
    before: &Map<String, Value>,
    wanted: &Map<String, Value>,
) -> Result<String, EditError> {
    steps::count(text.len());
    // A missing or blank file gets the layout of Docker's own examples.
    let blank = text.trim_matches([' ', '\t', '\r', '\n']).is_empty();
    let text = if blank { "{}\n" } else { text };
    // The tree panics when its root is dropped too early, so the root stays here until the text is taken.
    let root = CstRootNode::parse(text, &super::strict_options())
        .map_err(|error| mismatch(format!("the text cannot be edited: {error}")))?;
    let object = root
        .object_value()
        .ok_or_else(|| mismatch("the outermost value is not an object"))?;
    edit_object(&object, before, wanted)?;
    let edited = root.to_string();
    let read: Map<String, Value> =
        serde_json::from_str(&edited).map_err(|error| EditError::Mismatch {
            line: error.line().max(1),
            reason: error.to_string(),
        })?;
    let differs = |(key, value): &(&String, &Value)| read.get(*key) != Some(*value);
    if let Some((key, _)) = wanted.iter().find(differs) {
        return Err(mismatch(format!("{key:?} reads back differently")));
    }
    if let Some(key) = read.keys().find(|key| !wanted.contains_key(*key)) {
        return Err(mismatch(format!("{key:?} is still there")));
    }
    Ok(edited)
}

fn edit_object(
    object: &CstObject,
    before: &Map<String, Value>,
    wanted: &Map<String, Value>,
) -> Result<(), EditError> {
    let properties = by_name(object);
    let property = |key: &String| {
        properties
            .get(key)
            .cloned()
            .ok_or_else(|| mismatch(format!("{key:?} was not found in the text")))
    };
    for (key, value) in wanted {
        match before.get(key) {
            Some(old) if old == value => {}
            Some(old) => edit_value(&property(key)?, old, value)?,
            None => {
                // Without this a one-line object would be broken after its last entry only.
                object.ensure_multiline();
                object.append(key, input(value));
            }
        }
    }
    let spaced = starts_with_space(object).is_some();
    for key in before.keys().filter(|key| !wanted.contains_key(*key)) {
        property(key)?.remove();
    }
    if !spaced && let Some(space) = starts_with_space(object) {
        // On one line the space after the removed entry's comma would stay behind the brace.
        space.remove();
    }
    Ok(())
}

fn starts_with_space(object: &CstObject) -> Option<CstWhitespace> {
    object.children().get(1).and_then(CstNode::as_whitespace)
}

/// The properties by their decoded names: the tree's own lookup does not decode escapes.
fn by_name(object: &CstObject) -> BTreeMap<String, CstObjectProp> {
    let named = |property: CstObjectProp| property.decoded_name().map(|name| (name, property));
    object.properties().into_iter().filter_map(named).collect()
}

fn edit_value(property: &CstObjectProp, old: &Value, new: &Value) -> Result<(), EditError> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !old.is_empty() && !new.is_empty() => {
            let object = property
                .object_value()
                .ok_or_else(|| mismatch("an object was not found"))?;
            edit_object(&object, old, new)
        }
        (Value::Array(old), Value::Array(new)) if !old.is_empty() && new.starts_with(old) => {
            let array = property
                .array_value()
                .ok_or_else(|| mismatch("a list was not found"))?;
            for element in &new[old.len()..] {
                array.append(input(element));
            }
            Ok(())
        }
        _ => {
            property.set_value(input(new));
            Ok(())
        }
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(list) => CstInputValue::Array(list.iter().map(input).collect()),
        Value::Object(object) => CstInputValue::Object(
            object
                .iter()
                .map(|(key, value)| (key.clone(), input(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn changes(value: Value) -> BTreeMap<String, Option<Value>> {
        let Value::Object(map) = value else {
            panic!("{value}")
        };
        map.into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect()
    }

    fn set(text: &str, value: Value) -> String {
        Document::parse(text.as_bytes())
            .unwrap()
            .with(&changes(value))
            .unwrap()
    }

    fn remove(text: &str, keys: &[&str]) -> String {
        let changes = keys.iter().map(|key| ((*key).to_owned(), None)).collect();
        Document::parse(text.as_bytes())
            .unwrap()
            .with(&changes)
            .unwrap()
    }

    #[test]
    fn setting() {
        let cases: &[(&str, Value, &str)] = &[
            ("", json!({"icc": false}), "{\n  \"icc\": false\n}\n"),
            (" \n", json!({"icc": false}), "{\n  \"icc\": false\n}\n"),
            ("{}", json!({"icc": false}), "{\n  \"icc\": false\n}"),
            ("{}\n", json!({"icc": false}), "{\n  \"icc\": false\n}\n"),
            ("{\n}\n", json!({"icc": false}), "{\n  \"icc\": false\n}\n"),
            (
                "\u{feff}{}\n",
                json!({"icc": false}),
                "{\n  \"icc\": false\n}\n",
            ),
            (
                "{\"a\": 1}",
                json!({"b": 2}),
                "{\n  \"a\": 1,\n  \"b\": 2\n}",
            ),
            ("{\"a\": 1}", json!({"a": 2}), "{\"a\": 2}"),
            (
                "{\n    \"a\": 1e3\n}",
                json!({"b": true}),
                "{\n    \"a\": 1e3,\n    \"b\": true\n}",
            ),
            (
                "{\r\n\t\"a\": 1\r\n}\r\n",
                json!({"b": 2}),
                "{\r\n\t\"a\": 1,\r\n\t\"b\": 2\r\n}\r\n",
            ),
            (
                "{\n  \"a\" : 123456789012345678901234567890\n}",
                json!({"b": 2}),
                "{\n  \"a\" : 123456789012345678901234567890,\n  \"b\": 2\n}",
            ),
            (
                "{\n  \"log-opts\": {\"max-size\": \"10m\"}\n}\n",
                json!({"log-opts": {"max-size": "10m", "max-file": "3"}}),
                "{\n  \"log-opts\": {\n    \"max-size\": \"10m\",\n    \"max-file\": \"3\"\n  }\n}\n",
            ),
            (
                "{\n    \"icc\": false\n}\n",
                json!({"log-opts": {"max-file": "3"}}),
                "{\n    \"icc\": false,\n    \"log-opts\": {\n        \"max-file\": \"3\"\n    }\n}\n",
            ),
            (
                "{\n  \"dns\": [ \"1.1.1.1\" ]\n}\n",
                json!({"dns": ["1.1.1.1", "9.9.9.9"]}),
                "{\n  \"dns\": [ \"1.1.1.1\", \"9.9.9.9\" ]\n}\n",
            ),
            (
                "{\"\\u0069cc\": true}",
                json!({"icc": false}),
                "{\"\\u0069cc\": false}",
            ),
            (
                "{}\n",
                json!({"a\"b\\": "c\td\u{1}é"}),
                "{\n  \"a\\\"b\\\\\": \"c\\td\\u0001é\"\n}\n",
            ),
        ];
        for (before, value, after) in cases {
            assert_eq!(set(before, value.clone()), *after, "{before:?} + {value}");
        }
    }

    #[test]
    fn removing() {
        let cases: &[(&str, &[&str], &str)] = &[
            (
                "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
                &["a"],
                "{\n  \"b\": 2\n}\n",
            ),
            (
                "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
                &["b"],
                "{\n  \"a\": 1\n}\n",
            ),
            ("{\n  \"a\": 1\n}\n", &["a"], "{}\n"),
            ("{\"a\": 1, \"b\": 2}", &["a"], "{\"b\": 2}"),
            ("{ \"a\": 1, \"b\": 2 }", &["a"], "{ \"b\": 2 }"),
            ("{\"a\": 1, \"b\": 2}", &["b"], "{\"a\": 1}"),
            ("{\"a\": 1}", &["none"], "{\"a\": 1}"),
            ("", &["none"], ""),
        ];
        for (before, keys, after) in cases {
            assert_eq!(remove(before, keys), *after, "{before:?} - {keys:?}");
        }
    }

    #[test]
    fn duplicates_are_refused_with_their_line() {
        let document = Document::parse(b"{\n\"icc\": true,\n\"icc\": true\n}").unwrap();
        let error = document.with(&changes(json!({"x": 1}))).unwrap_err();
        assert_eq!(
            error,
            EditError::DuplicateKey {
                key: "icc".to_owned(),
                line: 3
            }
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn object() -> impl Strategy<Value = Map<String, Value>> {
        prop::collection::btree_map("[a-f]", value(), 0..5)
            .prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn edits_hold_and_settle(start in object(), style in 0..4, edits in prop::collection::btree_map("[a-h]", prop::option::of(value()), 0..4)) {
            let mut text = match style {
                0 => serde_json::to_string(&start),
                1 => serde_json::to_string_pretty(&start).map(|text| text + "\n"),
                2 => serde_json::to_string_pretty(&start).map(|text| text.replace('\n', "\r\n")),
                _ => serde_json::to_string_pretty(&start).map(|text| text.replace("  ", "\t")),
            }.unwrap();
            if style == 3 && serde_json::from_str::<Map<String, Value>>(&text).ok() != Some(start.clone()) {
                // The replacement hit the inside of a string.
                text = serde_json::to_string(&start).unwrap();
            }
            let document = Document::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(document.with(&BTreeMap::new()).unwrap(), text.clone());
            let edited = document.with(&edits).unwrap();
            let again = Document::parse(edited.as_bytes()).unwrap();
            prop_assert_eq!(again.with(&edits).unwrap(), edited.clone());
            prop_assert_eq!(text.ends_with('\n'), edited.ends_with('\n'));
            if style == 2 && text.contains('\n') {
                prop_assert!(!edited.replace("\r\n", "").contains('\n'), "{:?}", edited);
            }
            for (key, value) in &start {
                if !edits.contains_key(key) {
                    prop_assert_eq!(again.get(key), Some(value));
                }
            }
        }
    }
}
