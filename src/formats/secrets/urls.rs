//! User info in addresses: `scheme://user:password@host`, and without a scheme `user:password@host`.
//!
//! RFC 3986 has no commas, quotes, slashes or blanks in it, and people have. So an address is read as what it can be:
//! where the text up to the first such character is no host with a port, it is a part of the user info.

use super::MASK;
use super::spans::Spans;
use std::ops::Range;

/// Schemes in which a user alone is a name, and no token.
const LOGINS: [&str; 10] = [
    "ssh", "git", "sftp", "scp", "rsync", "ssh+git", "git+ssh", "ftp", "smb", "nfs",
];

/// What stands before a colon and is no user.
const NO_USERS: [&str; 12] = [
    "mailto", "acct", "sip", "sips", "xmpp", "tel", "unix", "npipe", "fd", "sha256", "sha512",
    "urn",
];

/// The longest user that is shown next to a password: a token in its place would be longer.
const LONGEST_USER: usize = 7;

/// Adds the user info of every address.
pub(super) fn find(text: &str, spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut at = 0;
    while at < bytes.len() {
        let Some(length) = separator(bytes, at) else {
            at += 1;
            continue;
        };
        let scheme = scheme_start(bytes, at, from);
        without_scheme(text, from..scheme, spans);
        let start = at + length;
        let close = user_info(text, start, spans, &text[scheme..at]);
        at = close.max(start);
        from = at;
    }
    without_scheme(text, from..text.len(), spans);
}

/// `://`, with any number of backslashes before the slashes, or percent-encoded; its length.
fn separator(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes[at] == b'%' {
        let encoded = bytes.get(at..at + 9)?;
        return encoded.eq_ignore_ascii_case(b"%3A%2F%2F").then_some(9);
    }
    if bytes[at] != b':' {
        return None;
    }
    let mut end = at + 1;
    for _ in 0..2 {
        let mut most = 8;
        while bytes.get(end) == Some(&b'\\') && most > 0 {
            end += 1;
            most -= 1;
        }
        if bytes.get(end) != Some(&b'/') {
            return None;
        }
        end += 1;
    }
    Some(end - at)
}

fn scheme_start(bytes: &[u8], colon: usize, from: usize) -> usize {
    let mut start = colon;
    while start > from
        && (bytes[start - 1].is_ascii_alphanumeric() || b"+.-".contains(&bytes[start - 1]))
    {
        start -= 1;
    }
    start
}

/// Where the text stops in which an `@` may belong to the address.
struct Reach {
    /// The first character that no user info, host or port has.
    soft: usize,
    /// The first blank.
    blank: usize,
    /// The next address, or the end of the line.
    hard: usize,
}

fn reach(bytes: &[u8], start: usize) -> Reach {
    let (mut soft, mut blank, mut at) = (None, None, start);
    while at < bytes.len() && bytes[at] != b'\n' {
        let byte = bytes[at];
        if separator(bytes, at).is_some() {
            at = scheme_start(bytes, at, start);
            break;
        }
        if byte.is_ascii_whitespace() || b"<>".contains(&byte) {
            blank.get_or_insert(at);
            soft.get_or_insert(at);
        }
        if b"\"'`/?#\\,;|(){}".contains(&byte) {
            soft.get_or_insert(at);
        }
        // Lines that a backslash joins are one.
        at += 1 + usize::from(byte == b'\\' && bytes.get(at + 1) == Some(&b'\n'));
    }
    let hard = at.min(bytes.len());
    let soft = soft.unwrap_or(hard).min(hard);
    Reach {
        soft,
        blank: blank.unwrap_or(hard).min(hard),
        hard,
    }
}

/// Adds the user info of the address whose authority begins at `start`, and says where to look for the next one.
fn user_info(text: &str, start: usize, spans: &mut Spans, scheme: &str) -> usize {
    let bytes = text.as_bytes();
    let Reach { soft, blank, hard } = reach(bytes, start);
    let last_at = |until: usize| {
        let text = &text[start..until];
        let encoded = text
            .rfind("%40")
            .filter(|_| scheme.is_empty() || bytes[start - 1] != b'/');
        text.rfind('@').or(encoded).map(|at| start + at)
    };
    let authority = &text[start..soft];
    let stop = bytes.get(soft).copied();
    let next = bytes.get(soft + 1).copied().unwrap_or(b' ');
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || b"!$%&*+-.=_~@^#".contains(&byte);
    let further = last_at(blank).filter(|at| *at > soft);
    // Behind a slash there is a path, and paths have an `@`, too; a port behind it tells a host.
    let has_port = |at: usize| {
        let host = &text[at + 1..blank];
        let host = host
            .split(['/', '"', '\'', ',', '?'])
            .next()
            .unwrap_or_default();
        host.rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let at = match (authority.contains('@'), is_host(authority)) {
        (true, _) => further
            .filter(|at| match stop {
                Some(b'/' | b'?' | b'#') => has_port(*at),
                _ => goes_on(next),
            })
            .or_else(|| last_at(soft)),
        (false, false) => last_at(blank).or_else(|| last_at(hard)),
        (false, true) => further.filter(|at| match stop {
            Some(b'/' | b'?' | b'#') => has_port(*at),
            _ => goes_on(next),
        }),
    };
    let Some(at) = at.or_else(|| last_at(soft)) else {
        // What stands behind it may have no scheme.
        return blank;
    };
    hide(
        text,
        start..at,
        spans,
        LOGINS.contains(&scheme.to_ascii_lowercase().as_str()),
    );
    hard.min(blank.max(at))
}

/// A host with or without a port. One without a dot that has capitals is rather a token.
fn is_host(authority: &str) -> bool {
    if let Some(rest) = authority.strip_prefix('[') {
        let port = rest.split_once(']').map_or("", |(_, port)| port);
        return port.is_empty() || port[1..].bytes().all(|byte| byte.is_ascii_digit());
    }
    let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-${}%".contains(&byte);
    let token = !name.contains('.')
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && name.bytes().any(|byte| byte.is_ascii_digit());
    name.bytes().all(of_name) && !token && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hides user info, but for a user that cannot be a token.
fn hide(text: &str, place: Range<usize>, spans: &mut Spans, is_login: bool) {
    let info = &text[place.clone()];
    let plain = |user: &str| {
        user.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)
        })
    };
    match info.split_once(':') {
        Some((user, password)) if user.len() <= LONGEST_USER && plain(user) => {
            if !password.is_empty() && password != MASK {
                spans.add(place.end - password.len()..place.end);
            }
        }
        None if is_login && info.len() <= 32 && !super::chance::is_random(info) => {}
        _ => spans.add(place),
    }
}

/// Adds the passwords of `user:password@host` in a text that has no address with a scheme.
fn without_scheme(text: &str, place: Range<usize>, spans: &mut Spans) {
    let mut from = place.start;
    for word in text[place].split_inclusive(|c: char| c.is_whitespace()) {
        let body = word.trim_end();
        if body.contains('@') && body.contains([':', '=']) {
            in_word(text, from..from + body.len(), spans);
        }
        from += word.len();
    }
}

/// The most places in a word that are tried: it must not be read to its end for each of them.
const MOST_TRIED: usize = 64;

fn in_word(text: &str, word: Range<usize>, spans: &mut Spans) {
    let bytes = text.as_bytes();
    if let Some((name, value)) = text[word.clone()].split_once('=')
        && name.len() < 64
        && name.to_ascii_lowercase().ends_with("proxy")
    {
        let around = ['"', '\'', ';', ','];
        let start = word.end - value.trim_start_matches(around).len();
        let value = value.trim_matches(around);
        let mut found = Spans::default();
        of_address(value, &mut found);
        for place in found.places() {
            spans.add(start + place.start..start + place.end);
        }
        return;
    }
    let mut start = word.start;
    let mut tried = 0;
    for at in word.clone() {
        let byte = bytes[at];
        if b"\"'`=,;[({<|\\".contains(&byte) || byte == b'/' && start == at {
            start = at + 1;
        } else if byte == b':' {
            let user = &text[std::mem::replace(&mut start, at + 1)..at];
            let is_user = user
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._%+~$@!*-".contains(&byte));
            if !is_user || NO_USERS.contains(&user) {
                continue;
            }
            tried += 1;
            if tried > MOST_TRIED {
                return;
            }
            let rest = &text[at + 1..word.end];
            // What ends the string around it ends it, if it has an `@` before.
            let quoted = rest
                .find('@')
                .and_then(|found| Some(found + rest[found..].find(['"', '\''])?));
            let Some(last) = rest[..quoted.unwrap_or(rest.len())].rfind('@') else {
                return;
            };
            let host = &rest[last + 1..];
            let is_host = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
            if is_host && last > 0 && !is_digest(host) {
                hide(text, at - user.len()..at + 1 + last, spans, false);
                return;
            }
        }
    }
}

/// `sha256:` and hexadecimal digits, as behind the `@` of an image.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, digest)| {
        algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && digest.bytes().take_while(u8::is_ascii_hexdigit).count() >= 32
    })
}

/// Everything before the last `@`, for what is an address by its place: a proxy, a mirror, a registry.
pub(super) fn of_address(text: &str, spans: &mut Spans) {
    if text.contains("://") || is_digest(text.rsplit('@').next().unwrap_or_default()) {
        return;
    }
    if let Some(at) = text.rfind('@') {
        hide(text, 0..at, spans, false);
    }
}
