//! The names in daemon.json that dockerd looks up among its options.

use super::Document;
use crate::facts::steps;
use crate::options::{Version, is_taken_whole};
use serde_json::Value;

/// A name that dockerd looks up among its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Directive<'a> {
    /// The name.
    pub name: &'a str,
    /// The key of the object that it stands in, at the top level `None`.
    pub inside: Option<&'a str>,
    /// Its value.
    pub value: &'a Value,
}

/// The names that dockerd looks up: those at the top level, and those inside of the objects that it
/// does not take as one value.
pub fn directives(document: &Document, version: Option<Version>) -> Vec<Directive<'_>> {
    let mut found = Vec::new();
    for (name, value) in steps::counted(&document.values) {
        match value {
            Value::Object(inner) if !is_taken_whole(name, version) => {
                found.extend(steps::counted(inner).map(|(inner, value)| Directive {
                    name: inner,
                    inside: Some(name),
                    value,
                }));
            }
            _ => found.push(Directive {
                name,
                inside: None,
                value,
            }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_inside_of_unknown_objects_are_options() {
        let text = r#"{"icc": false, "x": {"y": 1}, "z": {}, "log-opts": {"a": "1"},
            "proxies": {"http-proxy": "p"}, "default-network-opts": {"bridge": {}}}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        let seen = |version| -> Vec<String> {
            directives(&document, Version::parse(version))
                .iter()
                .map(|found| match found.inside {
                    Some(outer) => format!("{outer}.{}", found.name),
                    None => found.name.to_owned(),
                })
                .collect()
        };
        assert_eq!(
            seen("20.10"),
            [
                "icc",
                "x.y",
                "log-opts",
                "proxies.http-proxy",
                "default-network-opts.bridge"
            ]
        );
        assert_eq!(seen("26.1").last().unwrap(), "default-network-opts");
    }
}
