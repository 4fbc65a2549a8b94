//! Masking: no secret is left, and what is shown has the lines of the text.

use super::text;
use seaworthy::formats::secrets::{MASK, holds_secret, is_secret, mask, words};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PATHS: [&str; 4] = [
    "/etc/docker/daemon.json",
    "/etc/environment",
    "/etc/shadow",
    "/etc/audit/audit.rules",
];

/// Words that announce a secret.
const MARKS: [&str; 3] = ["bearer", "basic", "negotiate"];

/// Masks, and hides the input in texts that must not show it then.
pub fn secrets(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for path in PATHS {
        let masked = mask(path, text);
        assert_eq!(
            masked.matches('\n').count(),
            text.matches('\n').count(),
            "{path}"
        );
        assert_eq!(mask(path, &masked), masked, "{path}: masked twice");
        // Without any of these it takes twenty characters to be a secret.
        let plain = |word: &str| word.len() < 20 && !word.starts_with('-');
        assert!(
            text.contains(['=', ':', '@'])
                || path.ends_with("json")
                || !text.split_whitespace().all(plain)
                || MARKS
                    .iter()
                    .any(|mark| text.to_ascii_lowercase().contains(mark))
                || masked == text,
            "{path}: {masked:?}"
        );
    }
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let masked: Value = serde_json::from_str(&mask(PATHS[0], text)).unwrap();
        check(&value, &masked, "", false);
    }
    // Long enough not to be part of anything else.
    if text.len() < 8 {
        return;
    }
    let json = json!({"log-opts": {"splunk-token": text, "tag": "x"}});
    for printed in [json.to_string(), format!("{json:#}")] {
        let masked = mask(PATHS[0], &printed);
        let read: Value = serde_json::from_str(&masked).unwrap();
        assert_eq!(read["log-opts"], json!({"splunk-token": MASK, "tag": "x"}));
    }
    let blank = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    // A value of quotes and blanks is empty, and shown as it is.
    if !text.contains(['#', '\n', '\r', '*']) && !text.chars().all(blank) {
        let around = |value: &str| format!("A=1\nexport API_TOKEN={value}\nB=2\n");
        let masked = mask(PATHS[1], &around(text));
        // The name is shown, even if it is the value, too.
        if !around("").contains(text) {
            assert!(!masked.replace(MASK, "").contains(text), "{masked:?}");
        }
        assert!(masked.starts_with("A=1\n"));
    }
    let in_url = |c: char| c.is_ascii_alphanumeric() || "-._~!$&()*+;=".contains(c);
    if text.chars().all(in_url) && !text.contains("**") {
        let masked = mask(
            PATHS[1],
            &format!("HTTPS_PROXY=http://user:{text}@proxy:3128\n"),
        );
        assert!(!masked.contains(text), "{masked:?}");
        assert!(masked.contains("@proxy:3128"), "{masked:?}");
    }
}

/// The same tree, with secrets masked and nothing else changed in its shape. `name` is that of the value; `all` says
/// that everything is a secret.
fn check(value: &Value, masked: &Value, name: &str, all: bool) {
    match (value, masked) {
        (Value::Object(a), Value::Object(b)) => {
            // A name may hold a secret by itself, so that two of them can become one.
            let shown: BTreeSet<String> = a.keys().map(|key| words(key)).collect();
            let printed: BTreeSet<String> = b.keys().cloned().collect();
            assert_eq!(printed, shown);
            if a.keys().ne(b.keys()) {
                return;
            }
            let all = all || holds_secret(name);
            for ((key, a), b) in a.iter().zip(b.values()) {
                check(a, b, key, all);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                check(a, b, "", all || holds_secret(name));
            }
        }
        (Value::String(a), masked) if all && !a.is_empty() => assert_eq!(masked, MASK),
        (Value::String(a), masked) if is_secret(name, a) => assert_eq!(masked, MASK),
        (Value::Number(_), masked) if all || holds_secret(name) => assert_eq!(masked, MASK),
        (Value::String(_), Value::String(_)) => {}
        // The value of a flag or of a variable that the member before it names.
        (Value::Number(_), masked) => assert!(masked == value || masked == MASK),
        (value, masked) => assert_eq!(value, masked),
    }
}
