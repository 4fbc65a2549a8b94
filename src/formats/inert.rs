//! Text of a host made safe to look at: what moves a cursor, changes the direction of reading or
//! takes no room is shown by its number, `<U+202E>`, as less(1) shows it.
//!
//! Names of containers, paths and contents of files are chosen by whoever may make them. Printed as
//! they are they could hide a line, show another one, or read backwards ("Trojan Source",
//! CVE-2021-42574). What is changed on a host are bytes; only what is shown goes through here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How an escape begins.
const BEGIN: &str = "<U+";

/// Whether a character shows as itself, takes room and leaves its neighbours alone. Line breaks and
/// tabs do not: whether they may stay is for the caller to know.
///
/// What does not are controls (Unicode's Cc), everything that is ignored where it cannot be shown
/// (`Default_Ignorable_Code_Point`: fillers, joiners, bidirectional controls, variation selectors,
/// tags), the separators of lines and paragraphs, annotations, and what is not a character.
pub fn is_inert(c: char) -> bool {
    !matches!(c,
        // C0, DEL and C1.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // The soft hyphen, the grapheme joiner, the Arabic letter mark.
        | '\u{ad}' | '\u{34f}' | '\u{61c}'
        // Fillers that look like nothing: Hangul, Khmer, Mongolian, Braille.
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        // Zero width, direction, separators, invisible operators.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Variation selectors, the byte order mark, annotations, the replaced object.
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffc}'
        // Controls of hieroglyphs, shorthand and music.
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Tags and more variation selectors.
        | '\u{e0000}'..='\u{e0fff}')
        // The last two of every plane, and U+FDD0 to U+FDEF, are no characters.
        && u32::from(c) & 0xfffe != 0xfffe
        && !matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// The text with everything escaped that is not inert, line breaks and tabs as they are. Safe to
/// repeat: what is escaped is inert.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_inert(c) || c == '\n' || c == '\t')
}

/// The same for what is one line, such as a name or a path: a line break or a tab in it is escaped,
/// too, so that it cannot begin a line of its own.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_inert)
}

/// The same as [`lines`] for a text that somebody must know exactly, such as a diff: an escape that
/// stands in the text itself is told apart, as its beginning is escaped (`<U+` becomes
/// `<U+003C>U+`). Not to be repeated.
pub fn exact(text: &str) -> Cow<'_, str> {
    if !text.contains(BEGIN) {
        return lines(text);
    }
    let parts: Vec<Cow<'_, str>> = text.split(BEGIN).map(lines).collect();
    Cow::Owned(parts.join("<U+003C>U+"))
}

/// A JSON text whose strings hold the same and whose bytes are inert: such characters become `\u`
/// escapes (RFC 8259, section 7).
pub fn json(text: &str) -> Cow<'_, str> {
    // Outside of strings JSON has none but line breaks and tabs, and in strings those are escaped.
    let stays = |c: char| is_inert(c) || c == '\n' || c == '\t';
    replaced(text, stays, |out, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    replaced(text, stays, |out, c| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{BEGIN}{:04X}>", u32::from(c));
    })
}

fn replaced(
    text: &str,
    stays: impl Fn(char) -> bool,
    mut replace: impl FnMut(&mut String, char),
) -> Cow<'_, str> {
    if text.chars().all(&stays) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        if stays(c) {
            out.push(c);
        } else {
            replace(&mut out, c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One of each kind.
    const HOSTILE: [char; 36] = [
        '\0',
        '\u{7}',
        '\u{8}',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{206f}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{1d173}',
        '\u{e0041}',
        '\u{e0100}',
    ];

    #[test]
    fn what_is_not_inert_is_shown_by_its_number() {
        for c in HOSTILE {
            assert!(!is_inert(c), "U+{:04X}", u32::from(c));
            let shown = line(&format!("a{c}b")).into_owned();
            assert_eq!(shown, format!("a<U+{:04X}>b", u32::from(c)));
        }
        for text in [
            "/etc/docker/daemon.json",
            "Zürich ½ – „…“",
            "日本語 𝔘 👍",
            "\u{fffd}",
        ] {
            assert!(matches!(line(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn lines_and_tabs_stay_only_where_they_may() {
        assert_eq!(lines("a\n\tb\r\n"), "a\n\tb<U+000D>\n");
        assert_eq!(line("a\n\tb"), "a<U+000A><U+0009>b");
    }

    #[test]
    fn a_diff_tells_an_escape_from_what_looks_like_one() {
        assert_eq!(exact("a\u{202e}b"), "a<U+202E>b");
        assert_eq!(exact("a<U+202E>b"), "a<U+003C>U+202E>b");
        assert_eq!(exact("a<U+003C>U+202E>b"), "a<U+003C>U+003C>U+202E>b");
        assert_eq!(exact("<U+<U+"), "<U+003C>U+<U+003C>U+");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in any::<String>()) {
            // Read back what is shown exactly.
            let shown = exact(&text);
            let mut back = String::new();
            let mut rest = &*shown;
            while let Some((before, after)) = rest.split_once(BEGIN) {
                back.push_str(before);
                let (number, after) = after.split_once('>').unwrap();
                back.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
                rest = after;
            }
            back.push_str(rest);
            prop_assert_eq!(back, text);
        }

        #[test]
        fn escaping_twice_is_escaping_once(text in any::<String>()) {
            let once = lines(&text).into_owned();
            prop_assert_eq!(&*lines(&once), &*once);
            let once = line(&text).into_owned();
            prop_assert!(once.chars().all(is_inert));
            prop_assert_eq!(&*line(&once), &*once);
        }

        #[test]
        fn json_holds_the_same(text in any::<String>()) {
            let value = serde_json::json!({ &text: [&text] });
            let plain = serde_json::to_string_pretty(&value).unwrap();
            let shown = json(&plain);
            prop_assert!(shown.chars().all(|c| is_inert(c) || c == '\n'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }

    #[test]
    fn json_of_every_kind() {
        let text: String = HOSTILE.iter().collect();
        let shown = json(&serde_json::to_string(&text).unwrap()).into_owned();
        assert!(shown.chars().all(is_inert), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        assert!(shown.contains("\\udb40\\udc41"), "{shown}");
    }
}
