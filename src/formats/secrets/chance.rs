//! Strings that chance has made: what no name betrays, its own look does.

use super::spans::Spans;
use std::ops::Range;

/// The shortest string that is looked at.
const SHORTEST: usize = 20;
/// Bits a character that a string of chance has at least.
const LEAST_BITS: f64 = 3.5;

/// Beginnings that issuers give their tokens, whatever follows.
const ISSUED: [&str; 20] = [
    "AIza",
    "AKIA",
    "ASIA",
    "SG.",
    "dckr_pat_",
    "dop_v1_",
    "eyJ",
    "ghp_",
    "gho_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hvs.",
    "npm_",
    "pypi-",
    "sk_live_",
    "xox",
    "ya29.",
];

/// Ends of the names of systemd's units (systemd.unit(5)).
const UNITS: [&str; 9] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".timer",
    ".slice",
];

/// Adds every string of chance in the text. Left alone are paths, URLs, digests, UUIDs, names that a value follows, and
/// `hidden`, the places in order that are hidden anyhow: what is around them is told by itself.
pub(super) fn find(text: &str, hidden: &[Range<usize>], spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut hidden = hidden.iter().peekable();
    while at < bytes.len() {
        while hidden.next_if(|place| place.end <= at).is_some() {}
        let next = hidden.peek().map_or(bytes.len(), |place| place.start);
        if at >= next {
            at = hidden.peek().map_or(at, |place| place.end);
            continue;
        }
        if is_end(bytes[at]) || bytes[at] == b'=' {
            at += 1;
            continue;
        }
        let start = at;
        while at < next && !is_end(bytes[at]) && bytes[at] != b'=' {
            // A URL is one word with all its parameters.
            if bytes[at..].starts_with(b"://") {
                while at < next && !is_end(bytes[at]) {
                    at += 1;
                }
                break;
            }
            at += 1;
        }
        let word = start..at;
        let mut padding = at;
        while padding < next && bytes.get(padding) == Some(&b'=') {
            padding += 1;
        }
        if padding > at && bytes.get(padding).is_some_and(|next| !is_end(*next)) {
            // A value follows.
            continue;
        }
        at = padding;
        let (from, word) = trimmed(word.start, &text[word]);
        for piece in secrets(word) {
            let end = from + piece.end;
            let end = if end == padding.min(from + word.len()) {
                padding
            } else {
                end
            };
            spans.add(from + piece.start..end);
        }
    }
}

fn is_end(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'`,;()[]{}<>|".contains(&byte)
}

fn trimmed(start: usize, word: &str) -> (usize, &str) {
    let end = word.trim_end_matches(['.', ':', '\\']);
    let begin = end.trim_start_matches(['.', ':', '\\', '@', '+']);
    (start + end.len() - begin.len(), begin)
}

/// The parts of a word that are secrets.
fn secrets(word: &str) -> Vec<Range<usize>> {
    let all = 0..word.len();
    if word.len() < SHORTEST || word.contains("://") {
        return Vec::new();
    }
    let issued = |start: &&str| {
        let rest = word.strip_prefix(*start);
        rest.is_some_and(|rest| rest.bytes().any(|byte| byte.is_ascii_digit()))
    };
    if ISSUED.iter().any(issued) {
        return vec![all];
    }
    let is_path = ["/", "./", "../", "~/", "$", "%"]
        .iter()
        .any(|start| word.starts_with(start))
        && !word.contains('+');
    let is_flag = word.starts_with('-')
        && word[1..].starts_with(|c: char| c == '-' || c.is_ascii_alphabetic());
    if is_path
        || is_flag
        || word.contains("sha256:")
        || word.contains("sha512:")
        || UNITS.iter().any(|unit| word.ends_with(unit))
        || has_uuid(word)
    {
        return Vec::new();
    }
    let separator = |c: char| "./:@\\~".contains(c);
    let host = word.split('/').next().unwrap_or_default();
    let is_reference = host.len() < word.len() && host.contains(['.', ':']);
    if !is_reference && !word.contains(['.', ':', '@', '\\', '~']) {
        return if is_random(word) {
            vec![all]
        } else {
            Vec::new()
        };
    }
    if !is_reference && is_random(word) && changes(word) {
        return vec![all];
    }
    let mut found = Vec::new();
    let mut from = 0;
    for part in word.split(separator) {
        if is_random(part) {
            found.push(from..from + part.len());
        }
        from += part.len() + 1;
    }
    found
}

/// Whether a string is long enough, of three classes of characters, and even enough to be made by chance.
pub(super) fn is_random(text: &str) -> bool {
    if text.len() < SHORTEST {
        return false;
    }
    let has = |class: fn(&u8) -> bool| usize::from(text.bytes().any(|byte| class(&byte)));
    // Punctuation that names and paths have says nothing.
    let classes = has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(|byte| b"!#$%^&*?".contains(byte));
    classes >= 3 && bits(text) >= LEAST_BITS
}

/// Shannon's entropy, in bits a character.
fn bits(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    let mut all = 0_u32;
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
        all += 1;
    }
    let share = |count: &u32| f64::from(*count) / f64::from(all);
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| -share(count) * share(count).log2())
        .sum()
}

/// Whether the classes of neighbours differ as often as chance would have it: names of words keep to one.
fn changes(text: &str) -> bool {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let bytes = text.as_bytes();
    let changes = bytes
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count();
    changes * 5 >= bytes.len() * 2
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562) somewhere in the word.
fn has_uuid(word: &str) -> bool {
    let is = |window: &[u8]| {
        window.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    word.as_bytes().windows(36).any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut spans = Spans::default();
        find(text, &[], &mut spans);
        spans.mask(text).into_owned()
    }

    #[test]
    fn strings_of_chance() {
        let cases = [
            ("X=kZ3xQ9vB2nM7LpR5tY8wC1", "X=***"),
            ("X=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "X=***"),
            ("a kZ3xQ9vB2nM7LpR5tY8wC1== b", "a *** b"),
            ("h:kZ3xQ9vB2nM7LpR5tY8wC1", "***"),
            ("X=abc8Q~kZ3xQ9vB2nM7LpR5.tY8wC1", "X=***"),
            ("ghp_0123456789abcdefghij", "***"),
            (
                "X=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP",
                "X=***",
            ),
            ("AKIA0123456789ABCDEF", "***"),
            ("CorrectHorseBatteryStaple42", "***"),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn others_stay() {
        for text in [
            "nginx@sha256:4c0fdaa8b6341bfdeca5f18f7837462c80cff90527ee35ef185571e1c327beac",
            "GPU-3b2f1c4e-9D1a-4B7c-8e2f-0a1b2c3d4e5f",
            "/opt/Company/App-1.2.3-Build20231105Final",
            "https://h/kZ3xQ9vB2nM7LpR5tY8wC1?x=kZ3xQ9vB2nM7LpR5tY8wC1",
            "org.freedesktop.NetworkManager1",
            "registry.example.com/team/app:RELEASE-2024.01A",
            "dev-disk-by\\x2did-nvme\\x2dSamsung_SSD_980_PRO_1TB_S5GXNF0R.device",
            "-XX:MaxRAMPercentage1=75.0",
            "2026-11-28T12:00:00.123456789Z",
            "docker-ce-cli_24.0.7~3-0~debian",
            "crashkernel=1G-4G:192M,4G-64G:256M",
            "VeryLongVariableNameForNumber2=x",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
