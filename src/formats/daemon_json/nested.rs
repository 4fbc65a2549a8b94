//! The settings that hide inside objects.

use crate::facts::steps;
use serde_json::{Map, Value};

use crate::options::{is_boolean_flag, is_taken_whole};

pub(super) fn booleans(values: &Map<String, Value>) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    for (outer, value) in steps::counted(values) {
        let Value::Object(object) = value else {
            continue;
        };
        if is_taken_whole(outer, None) {
            continue;
        }
        for (inner, value) in steps::counted(object) {
            let effective = match value {
                Value::Bool(value) => *value,
                other if is_boolean_flag(inner) => go_true(other),
                _ => continue,
            };
            found.push((outer.clone(), inner.clone(), effective));
        }
    }
    found
}

/// What pflag makes of a value that was printed with `%v`: a text that `strconv.ParseBool` refuses leaves the
/// flag at false.
fn go_true(value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    matches!(
        text.as_str(),
        "1" | "t" | "T" | "true" | "TRUE" | "True" | "1.0"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_flattened_objects_count() {
        let cases = [
            (json!({"x": {"icc": false}}), vec![("x", "icc", false)]),
            (
                json!({"x": {"live-restore": true, "labels": ["a=b"]}}),
                vec![("x", "live-restore", true)],
            ),
            (
                json!({"x": {"icc": null, "iptables": "no", "init": "true", "ipv6": 1}}),
                vec![
                    ("x", "icc", false),
                    ("x", "iptables", false),
                    ("x", "init", true),
                    ("x", "ipv6", true),
                ],
            ),
            (json!({"x": {"y": {"icc": true}}}), vec![]),
            (
                json!({"features": {"buildkit": true}, "builder": {"gc": true}}),
                vec![],
            ),
            (
                json!({"proxies": {"http-proxy": "http://p"}, "icc": true}),
                vec![],
            ),
        ];
        for (values, expected) in cases {
            let Value::Object(map) = &values else {
                panic!("{values}")
            };
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(o, i, b)| (o.to_owned(), i.to_owned(), b))
                .collect();
            assert_eq!(booleans(map), expected, "{values}");
        }
    }
}
