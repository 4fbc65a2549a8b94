//! Masking in JSON. It goes by words, not by a parsed tree, because a file that is no valid JSON holds secrets
//! just the same.

use super::{MASK, assignments, holds_secret, urls};

pub(super) fn mask(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    let mut depth = 0_usize;
    // The key that the next value belongs to says secret.
    let mut next_is_secret = false;
    // The depth of the outermost object or list that is a secret as a whole.
    let mut secret_below = None;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => string_length(rest),
            _ if c.is_ascii_digit() || c == '-' => number_length(rest),
            _ => c.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        rest = after;
        let secret = next_is_secret || secret_below.is_some();
        match c {
            '"' if after.trim_start().starts_with(':') => {
                next_is_secret = holds_secret(word.trim_matches('"'));
                result.push_str(word);
            }
            '"' => {
                next_is_secret = false;
                result.push_str(&masked_string(word, secret));
            }
            '{' | '[' => {
                depth += 1;
                if next_is_secret && secret_below.is_none() {
                    secret_below = Some(depth);
                }
                next_is_secret = false;
                result.push(c);
            }
            '}' | ']' => {
                if secret_below == Some(depth) {
                    secret_below = None;
                }
                depth = depth.saturating_sub(1);
                next_is_secret = false;
                result.push(c);
            }
            ',' => {
                next_is_secret = false;
                result.push(c);
            }
            _ if secret && (c.is_ascii_digit() || c == '-') => {
                next_is_secret = false;
                result.extend(["\"", MASK, "\""]);
            }
            _ => result.push_str(word),
        }
    }
    result
}

/// A string with its quotes; an open one ends with its line, so that the next lines are still looked at.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn number_length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

fn masked_string(word: &str, secret: bool) -> String {
    let inner = word.strip_prefix('"').unwrap_or(word);
    let (inner, close) = inner
        .strip_suffix('"')
        .map_or((inner, ""), |inner| (inner, "\""));
    let inner = match secret {
        true if inner.is_empty() => String::new(),
        true => MASK.to_owned(),
        false => assignments(&urls(inner)),
    };
    format!("\"{inner}{close}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let cases = [
            (
                "{\n  \"log-opts\": {\n    \"splunk-token\": \"a\\\"b\",\n    \"max-size\": \"10m\"\n  }\n}\n",
                "{\n  \"log-opts\": {\n    \"splunk-token\": \"***\",\n    \"max-size\": \"10m\"\n  }\n}\n",
            ),
            (
                "{\"proxies\": {\"http-proxy\": \"http://u:p@h:1\", \"no-proxy\": \"h\"}}",
                "{\"proxies\": {\"http-proxy\": \"http://u:***@h:1\", \"no-proxy\": \"h\"}}",
            ),
            (
                "{\"secrets\": {\"a\": \"b\", \"c\": [\"d\", 1]}, \"e\": \"f\", \"n\": 2}",
                "{\"secrets\": {\"a\": \"***\", \"c\": [\"***\", \"***\"]}, \"e\": \"f\", \"n\": 2}",
            ),
            (
                "{\"apiKey\": 12, \"icc\": false}",
                "{\"apiKey\": \"***\", \"icc\": false}",
            ),
            (
                "{\"labels\": [\"token=abc\", \"a=b\"]}",
                "{\"labels\": [\"token=***\", \"a=b\"]}",
            ),
            (
                "{\"token\": \"\", \"tls\": true, \"tlskey\": \"/k\"}",
                "{\"token\": \"\", \"tls\": true, \"tlskey\": \"/k\"}",
            ),
            (
                "{\"a-token\" : \"x\", // comment\n \"password\":\"open\n}",
                "{\"a-token\" : \"***\", // comment\n \"password\":\"***\n}",
            ),
            (
                "{\"token\": null, \"a\": \"b\"}",
                "{\"token\": null, \"a\": \"b\"}",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(text), expected);
        }
    }
}
