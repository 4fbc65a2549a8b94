//! Masking of passwords and tokens before a text is shown or stored.
//!
//! The masked text has as many lines as the text, and everything that is needed to review a change: names and
//! structure stay, values go. What is a secret is told by structure, not by a list of names alone:
//!
//! * user info in addresses ([`urls`]), with a scheme or without, whatever characters are in it;
//! * the values of names that say so ([`names`], [`named`]): members, assignments, flags, lists of arguments, headers,
//!   parameters of URLs;
//! * what a word before it announces ([`marked`]): `Bearer`, blocks of PEM;
//! * strings that only chance makes ([`chance`]), in daemon.json, environment files, units and command lines;
//! * password hashes in passwd(5), group(5), shadow(5) and gshadow(5).

mod chance;
mod json;
mod marked;
mod named;
mod names;
mod places;
mod spans;
mod urls;

use crate::facts::steps;
use serde_json::Value;
use spans::Spans;
use std::ops::Range;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Masking what was masked changes nothing; a text in which one mask uncovers the next is masked again so many times.
const MOST_ROUNDS: usize = 8;

/// Whether a key, a variable or an option of this name holds a secret, where its value is not plainly something
/// else, as a path is.
pub fn holds_secret(name: &str) -> bool {
    names::weight(name).is_some()
}

/// Whether the value of this name is a secret.
pub fn is_secret(name: &str, value: &str) -> bool {
    names::weight(name).is_some_and(|weight| names::is_secret(weight, value))
}

/// The text of the file at `path` without its secrets.
pub fn mask(path: &str, text: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = std::path::Path::new(name).extension();
    let is =
        |wanted: &str| extension.is_some_and(|extension| extension.eq_ignore_ascii_case(wanted));
    match name.trim_end_matches('-') {
        "shadow" | "gshadow" | "passwd" | "group" => hashes(text),
        _ if is("json") => settled(text, json::mask),
        // Nothing in audit rules is made by chance.
        _ if is("rules") => words(text),
        _ => settled(text, configuration),
    }
}

/// The value of a daemon.json key without its secrets.
pub fn mask_value(key: &str, value: &Value) -> Value {
    let text = serde_json::json!({ key: value }).to_string();
    serde_json::from_str::<Value>(&settled(&text, json::mask))
        .ok()
        .and_then(|masked| match masked {
            Value::Object(members) => members.into_iter().next().map(|(_, value)| value),
            _ => None,
        })
        .unwrap_or_else(|| Value::from(MASK))
}

/// A sentence that quotes the value of a daemon.json key, without what is a secret in that value: what the place of a
/// string betrays is lost once it stands in a sentence.
pub fn mask_quoted(sentence: &str, key: &str, value: &Value) -> String {
    fn swap(sentence: &mut String, plain: &Value, masked: &Value) {
        match (plain, masked) {
            (Value::String(plain), Value::String(masked)) if plain != masked => {
                *sentence = sentence.replace(plain.as_str(), masked);
            }
            (Value::Array(plain), Value::Array(masked)) => {
                for (plain, masked) in plain.iter().zip(masked) {
                    swap(sentence, plain, masked);
                }
            }
            (Value::Object(plain), Value::Object(masked)) => {
                for ((name, plain), (shown, masked)) in plain.iter().zip(masked) {
                    if name != shown {
                        *sentence = sentence.replace(name.as_str(), shown);
                    }
                    swap(sentence, plain, masked);
                }
            }
            _ => {}
        }
    }
    let mut sentence = sentence.to_owned();
    swap(&mut sentence, value, &mask_value(key, value));
    words(&sentence)
}

/// A flag as it was typed, without its secrets; its value is the end of it.
pub fn mask_flag(typed: &str, name: &str, value: &str) -> String {
    let Some(before) = typed.strip_suffix(value) else {
        return settled(typed, configuration);
    };
    let value = if is_secret(name, value) {
        MASK.to_owned()
    } else {
        settled(value, configuration)
    };
    format!("{before}{value}")
}

/// A sentence that may quote anything, without secrets. What only looks like chance stays: ids and digests do.
pub fn words(text: &str) -> String {
    settled(text, |text| {
        let mut spans = Spans::default();
        find(text, &mut spans);
        spans.mask(text).into_owned()
    })
}

fn configuration(text: &str) -> String {
    steps::count(text.len());
    let mut spans = Spans::default();
    let addresses = find(text, &mut spans);
    chance::find(text, &addresses, &mut spans);
    spans.mask(text).into_owned()
}

/// Adds everything in a text that is a secret by its structure; the places of user info, in order.
fn find(text: &str, spans: &mut Spans) -> Vec<Range<usize>> {
    steps::count(text.len());
    let mut addresses = Spans::default();
    urls::find(text, &mut addresses);
    let addresses = addresses.places();
    named::find(text, &addresses, spans);
    marked::find(text, spans);
    for place in &addresses {
        spans.add(place.clone());
    }
    addresses
}

/// Masks until nothing changes.
fn settled(text: &str, mask: impl Fn(&str) -> String) -> String {
    let mut masked = mask(text);
    if masked == text {
        return masked;
    }
    for _ in 0..MOST_ROUNDS {
        let again = mask(&masked);
        if again == masked {
            break;
        }
        masked = again;
    }
    masked
}

/// The second field of every line, unless it only says that there is no password to log in with.
fn hashes(text: &str) -> String {
    steps::count(text.len());
    let line = |line: &str| {
        let body = line.trim_end_matches(['\n', '\r']);
        let mut fields: Vec<&str> = body.split(':').collect();
        if let Some(hash) = fields.get_mut(1)
            && !hash.trim_matches(['!', '*', 'x']).is_empty()
        {
            *hash = MASK;
        }
        fields.join(":") + &line[body.len()..]
    };
    text.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod forms;
#[cfg(test)]
mod tests;
