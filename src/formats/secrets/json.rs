//! Masking in JSON. It goes by words, not by a parsed tree, because a file that is no valid JSON holds secrets
//! just the same.

use super::names::{self, Weight};
use super::spans::Spans;
use super::{MASK, chance, places, urls};
use crate::facts::steps;
use std::borrow::Cow;

pub(super) fn mask(text: &str) -> String {
    steps::count(text.len());
    let mut reader = Reader {
        result: String::with_capacity(text.len()),
        open: Vec::new(),
        name: None,
        secret_below: None,
        flag: None,
    };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => string_length(rest),
            '{' | '}' | '[' | ']' | ',' => 1,
            _ => gap_length(rest),
        };
        let (word, after) = rest.split_at(length);
        rest = after;
        match c {
            '"' => {
                let is_key = after.trim_start().starts_with(':');
                reader.string(word, is_key);
            }
            '{' | '[' => reader.opens(c),
            '}' | ']' => reader.closes(c),
            ',' => {
                reader.name = None;
                reader.result.push(c);
            }
            _ => reader.gap(word),
        }
    }
    reader.result
}

/// An object or a list that is open.
struct Open {
    is_list: bool,
    /// The key that it belongs to.
    key: String,
    /// In an object that describes a variable: the variable's name says secret.
    variable: Option<Weight>,
}

struct Reader {
    result: String,
    open: Vec<Open>,
    /// The key that the next value belongs to.
    name: Option<String>,
    /// The depth of the outermost object or list that is a secret as a whole.
    secret_below: Option<usize>,
    /// The string before this one in the list is a flag whose value is a secret.
    flag: Option<Weight>,
}

impl Reader {
    /// The outermost key that all this belongs to.
    fn setting(&self) -> &str {
        let outer = self.open.iter().map(|open| open.key.as_str());
        outer
            .chain(self.name.as_deref())
            .find(|key| !key.is_empty())
            .unwrap_or_default()
    }

    /// What the key says of this value.
    fn weight(&self) -> Option<Weight> {
        if self.secret_below.is_some() {
            return Some(Weight::Strong);
        }
        match (&self.name, self.open.last()) {
            (Some(name), open) => names::weight(name).or_else(|| {
                open.filter(|_| name.eq_ignore_ascii_case("value"))
                    .and_then(|open| open.variable)
            }),
            (None, Some(open)) if open.is_list => self.flag.or_else(|| names::weight(&open.key)),
            _ => None,
        }
    }

    fn string(&mut self, word: &str, is_key: bool) {
        let inner = word.strip_prefix('"').unwrap_or(word);
        let (inner, close) = inner
            .strip_suffix('"')
            .map_or((inner, ""), |inner| (inner, "\""));
        let (decoded, offsets) = decoded(inner);
        let mut spans = Spans::default();
        if is_key {
            // A name may be an assignment, too.
            super::find(&decoded, &mut spans);
            self.name = Some(decoded.to_string());
        } else {
            let weight = self.weight();
            if weight.is_some_and(|weight| names::is_secret(weight, &decoded)) {
                spans.add(0..decoded.len());
            } else {
                let mut hidden = Spans::default();
                for place in super::find(&decoded, &mut spans) {
                    hidden.add(place);
                }
                let setting = self.setting();
                if places::is_address(setting) {
                    urls::of_address(&decoded, &mut hidden);
                }
                let hidden = hidden.places();
                if !places::is_public(setting) {
                    chance::find(&decoded, &hidden, &mut spans);
                }
                for place in hidden {
                    spans.add(place);
                }
            }
            self.after(&decoded);
            self.name = None;
        }
        self.result.push('"');
        let mut from = 0;
        for place in spans.places() {
            let (start, end) = (offsets.of(place.start), offsets.of(place.end));
            self.result.push_str(&inner[from..start]);
            self.result.push_str(MASK);
            from = end;
        }
        self.result.push_str(&inner[from..]);
        self.result.push_str(close);
    }

    /// What a string says of the next one.
    fn after(&mut self, decoded: &str) {
        self.flag = None;
        let name = self.name.as_deref();
        let Some(open) = self.open.last_mut() else {
            return;
        };
        if open.is_list {
            let is_flag = decoded.starts_with('-') && !decoded.contains('=');
            self.flag = names::weight(decoded).filter(|_| is_flag && !names::is_switch(decoded));
        } else if name.is_some_and(|name| name.eq_ignore_ascii_case("name")) {
            open.variable = names::weight(decoded);
        }
    }

    fn opens(&mut self, c: char) {
        let weight = self.weight();
        let key = self.name.take().unwrap_or_default();
        self.open.push(Open {
            is_list: c == '[',
            key,
            variable: None,
        });
        if weight.is_some() && self.secret_below.is_none() {
            self.secret_below = Some(self.open.len());
        }
        self.flag = None;
        self.result.push(c);
    }

    fn closes(&mut self, c: char) {
        if self.secret_below == Some(self.open.len()) {
            self.secret_below = None;
        }
        self.open.pop();
        self.name = None;
        self.flag = None;
        self.result.push(c);
    }

    /// What is no string: a number, a word, a comment; and what is between them.
    fn gap(&mut self, word: &str) {
        let weight = self.weight();
        let bare = word.trim_matches([':', ' ', '\t', '\r', '\n']);
        if weight.is_none()
            || matches!(bare, "" | "true" | "false" | "null")
            || bare.starts_with(['/', '#'])
        {
            let mut spans = Spans::default();
            super::find(word, &mut spans);
            self.result.push_str(&spans.mask(word));
            return;
        }
        // The first word is the value; what follows it on other lines is not.
        let start = word
            .find(|c: char| !(c == ':' || c.is_whitespace()))
            .unwrap_or(word.len());
        let value = &word[start..];
        let end = value.find(['\r', '\n']).unwrap_or(value.len());
        let end = value[..end].trim_end().len();
        self.name = None;
        let (value, after) = value.split_at(end);
        // `***` is no JSON, and a number was.
        let number = value.parse::<f64>().is_ok();
        self.result.push_str(&word[..start]);
        self.result.push_str(if number { "\"***\"" } else { MASK });
        let mut spans = Spans::default();
        super::find(after, &mut spans);
        self.result.push_str(&spans.mask(after));
    }
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

fn gap_length(text: &str) -> usize {
    text.find(['"', '{', '}', '[', ']', ','])
        .unwrap_or(text.len())
}

/// Where each byte of a decoded string stands in the text.
enum Offsets {
    Same,
    Each(Vec<usize>),
}

impl Offsets {
    fn of(&self, at: usize) -> usize {
        match self {
            Self::Same => at,
            Self::Each(offsets) => offsets.get(at).copied().unwrap_or_default(),
        }
    }
}

/// What the inside of a string says, as far as its escapes (RFC 8259) are good; the others stay as they are.
fn decoded(inner: &str) -> (Cow<'_, str>, Offsets) {
    if !inner.contains('\\') {
        return (Cow::Borrowed(inner), Offsets::Same);
    }
    let mut decoded = String::with_capacity(inner.len());
    let mut offsets = Vec::with_capacity(inner.len() + 1);
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let (c, length) = escape(&inner[at..]).unwrap_or((c, c.len_utf8()));
        decoded.push(c);
        offsets.resize(decoded.len(), at);
        at += length;
    }
    offsets.push(at);
    (Cow::Owned(decoded), Offsets::Each(offsets))
}

/// The character that an escape stands for, and the length of the escape.
fn escape(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('\\')?;
    let unit = |text: &str| u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    Some(match rest.chars().next()? {
        'b' => ('\u{8}', 2),
        'f' => ('\u{c}', 2),
        'n' => ('\n', 2),
        'r' => ('\r', 2),
        't' => ('\t', 2),
        c @ ('"' | '\\' | '/') => (c, 2),
        'u' => {
            let high = unit(text)?;
            if let Some(c) = char::from_u32(high) {
                (c, 6)
            } else {
                let low = unit(text.get(6..)?)?.checked_sub(0xDC00)?;
                let c = 0x1_0000 + (high.checked_sub(0xD800)? << 10) + low;
                (char::from_u32(c)?, 12)
            }
        }
        _ => return None,
    })
}
