//! What a value has to look like.

use serde_json::Value;
use std::fmt;

/// The type of a value; dockerd refuses to start with another one
/// (moby `daemon/config/config.go`, the struct `Config` read by Go's `encoding/json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`.
    Switch,
    /// A string.
    Text,
    /// A number without a fraction.
    Integer,
    /// A list of strings.
    Texts,
    /// An object whose values are strings.
    TextTable,
    /// An object whose values are switches.
    SwitchTable,
    /// An object.
    Table,
    /// A list.
    List,
    /// Nothing looks at it.
    Any,
}

impl Shape {
    /// Whether a value has it. `null` goes everywhere: Go leaves the field at its zero value.
    pub fn fits(self, value: &Value) -> bool {
        if value.is_null() {
            return true;
        }
        let all = |fits: fn(&Value) -> bool, value: &Value| match value {
            Value::Array(items) => items.iter().all(|item| item.is_null() || fits(item)),
            Value::Object(table) => table.values().all(|item| item.is_null() || fits(item)),
            _ => false,
        };
        match self {
            Self::Switch => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Texts => value.is_array() && all(Value::is_string, value),
            Self::TextTable => value.is_object() && all(Value::is_string, value),
            Self::SwitchTable => value.is_object() && all(Value::is_boolean, value),
            Self::Table => value.is_object(),
            Self::List => value.is_array(),
            Self::Any => true,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Switch => "true or false, without quotes",
            Self::Text => "a text in quotes",
            Self::Integer => "a whole number, without quotes",
            Self::Texts => "a list of texts",
            Self::TextTable => "an object whose values are texts in quotes",
            Self::SwitchTable => "an object whose values are true or false, without quotes",
            Self::Table => "an object",
            Self::List => "a list",
            Self::Any => "anything",
        })
    }
}
