//! Secrets that a word before them announces: `Bearer …`, `Basic …`, blocks of PEM (RFC 7468), and the short flags of
//! programs that log in.

use super::spans::Spans;

/// Programs, and their short flags that take a password.
const PASSWORD_FLAGS: [(&str, &str); 8] = [
    ("login", "-p"),
    ("sshpass", "-p"),
    ("mysql", "-p"),
    ("mariadb", "-p"),
    ("mysqldump", "-p"),
    ("redis-cli", "-a"),
    ("ldapsearch", "-w"),
    ("mongo", "-p"),
];

/// Programs whose `-u` is `user:password`.
const USER_FLAGS: [&str; 3] = ["-u", "--user", "--proxy-user"];

pub(super) fn find(text: &str, spans: &mut Spans) {
    schemes(text, spans);
    pem(text, spans);
    logins(text, spans);
}

/// What follows the scheme of an Authorization header (RFC 9110, 11.6.2).
fn schemes(text: &str, spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
            at += 1;
        }
        if start == at {
            at += 1;
            continue;
        }
        let word = &text[start..at];
        let bearer = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("negotiate");
        if !bearer && !word.eq_ignore_ascii_case("basic") {
            continue;
        }
        let value = at
            + bytes[at..]
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
        if value == at {
            continue;
        }
        let is_part =
            |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=!@#$%^&*:".contains(byte);
        let end = value + bytes[value..].iter().take_while(is_part).count();
        let token = &text[value..end];
        // "basic information" is none.
        let odd = token
            .bytes()
            .any(|byte| byte.is_ascii_digit() || byte == b'=')
            || token.chars().skip(1).any(|c| c.is_ascii_uppercase());
        if token.len() >= 4 && odd {
            spans.add(value..end);
            at = end;
        }
    }
}

/// What stands between the lines of a block.
fn pem(text: &str, spans: &mut Spans) {
    const BEGIN: &str = "-----BEGIN ";
    let mut from = 0;
    while let Some(found) = text[from..].find(BEGIN) {
        let label = from + found + BEGIN.len();
        let Some(close) = text[label..].find("-----").filter(|length| *length < 64) else {
            from = label;
            continue;
        };
        let start = label + close + 5;
        let end = text[start..]
            .find("-----END ")
            .map_or(text.len(), |length| start + length);
        let body = &text[start..end];
        let is_end = |c: char| c.is_whitespace() || c == '\\';
        let start = end - body.trim_start_matches(is_end).len();
        spans.add(start..start + body.trim_matches(is_end).len());
        from = end;
    }
}

fn logins(text: &str, spans: &mut Spans) {
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        login(line, from, spans);
        from += line.len();
    }
}

fn login(line: &str, from: usize, spans: &mut Spans) {
    if !line.contains(" -") {
        return;
    }
    let mut flags: Vec<&str> = Vec::new();
    let mut users = false;
    let mut before: Option<&str> = None;
    let mut at = 0;
    for word in line.split(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'') {
        let place = from + at;
        at += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        let program = word.rsplit(['/', '=']).next().unwrap_or_default();
        flags.extend(
            PASSWORD_FLAGS
                .iter()
                .filter(|(known, _)| *known == program)
                .map(|(_, flag)| *flag),
        );
        users |= matches!(program, "curl" | "wget" | "http" | "https");
        let flag = before.replace(word).unwrap_or_default();
        if flags.contains(&flag) && !word.starts_with('-') {
            spans.add(place..place + word.len());
        } else if let Some(rest) = flags.iter().find_map(|flag| word.strip_prefix(flag))
            && !rest.is_empty()
        {
            spans.add(place + word.len() - rest.len()..place + word.len());
        } else if users
            && USER_FLAGS.contains(&flag)
            && let Some((_, password)) = word.split_once(':')
        {
            spans.add(place + word.len() - password.len()..place + word.len());
        }
        flags.dedup();
        flags.truncate(PASSWORD_FLAGS.len());
    }
}
