//! Masking: no secret is left, and what is shown has the lines of the text.

use super::text;
use seaworthy::formats::secrets::{MASK, holds_secret, mask};
use serde_json::{Value, json};

const PATHS: [&str; 4] = [
    "/etc/docker/daemon.json",
    "/etc/environment",
    "/etc/shadow",
    "/etc/audit/audit.rules",
];

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
        assert!(text.contains(['=', ':', '@']) || path.ends_with("json") || masked == text);
    }
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let masked: Value = serde_json::from_str(&mask(PATHS[0], text)).unwrap();
        check(&value, &masked, false);
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

/// The same tree, with secrets masked and nothing else changed in its shape.
fn check(value: &Value, masked: &Value, secret: bool) {
    match (value, masked) {
        (Value::Object(a), Value::Object(b)) => {
            assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
            for ((key, a), b) in a.iter().zip(b.values()) {
                // Escapes in a name are for nobody but Go's decoder.
                let plain = !json!(key).to_string().contains('\\');
                check(a, b, secret || (plain && holds_secret(key)));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                check(a, b, secret);
            }
        }
        (Value::String(a), masked) if secret && !a.is_empty() => assert_eq!(masked, MASK),
        (Value::Number(_), masked) if secret => assert_eq!(masked, MASK),
        (Value::String(_), Value::String(_)) => {}
        (value, masked) => assert_eq!(value, masked),
    }
}
