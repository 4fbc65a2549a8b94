//! URLs: Go's `net/url`, `Parse`.

/// The parts of a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Url {
    /// In lower case; empty where there is none.
    pub scheme: String,
    /// User and password as written, where there is an `@`.
    pub user: Option<String>,
    /// Host and port as written.
    pub host: String,
    /// The path as written.
    pub path: String,
    /// After `?`.
    pub query: String,
    /// After `#`.
    pub fragment: String,
    /// After the scheme, where no slash follows: `mirror` of `http:mirror`.
    pub opaque: String,
}

impl Url {
    /// The port; empty where there is none.
    pub fn port(&self) -> &str {
        match self.host.rfind(':') {
            Some(at) if is_port(&self.host[at..]) && !self.host[at..].contains(']') => {
                &self.host[at + 1..]
            }
            _ => "",
        }
    }
}

/// The folder that a path is in.
pub fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}

/// A colon and digits, or nothing.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Every `%` stands before two digits of base 16.
fn is_escaped(text: &str) -> bool {
    text.match_indices('%').all(|(at, _)| {
        let code = text.as_bytes().get(at + 1..at + 3);
        code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
    })
}

fn is_host(text: &str) -> bool {
    // Only bytes beyond ASCII, and `%` itself, may be escaped there.
    let escapes = text.match_indices('%').all(|(at, _)| {
        text.get(at..at + 3) == Some("%25")
            || text
                .as_bytes()
                .get(at + 1)
                .is_some_and(|digit| matches!(digit, b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F'))
    });
    is_escaped(text)
        && escapes
        && text.chars().all(|c| {
            !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"%".contains(c)
        })
}

fn is_user(text: &str) -> bool {
    is_escaped(text)
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c))
}

/// The scheme and what follows it; `None` where the text begins with a colon.
fn scheme(text: &str) -> Option<(&str, &str)> {
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return None,
            ':' => return Some((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

/// Reads a URL; `None` for what Go refuses.
pub fn parse(text: &str) -> Option<Url> {
    if text.chars().any(|c| c.is_ascii_control()) {
        return None;
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (name, rest) = scheme(text)?;
    let mut url = Url {
        scheme: name.to_ascii_lowercase(),
        fragment: fragment.to_owned(),
        ..Url::default()
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    query.clone_into(&mut url.query);
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            rest.clone_into(&mut url.opaque);
            return is_escaped(fragment).then_some(url);
        }
        if rest
            .split('/')
            .next()
            .is_some_and(|first| first.contains(':'))
        {
            return None;
        }
    }
    let mut path = rest;
    let has_authority = !url.scheme.is_empty() || !rest.starts_with("///");
    if let Some(after) = rest.strip_prefix("//").filter(|_| has_authority) {
        let end = after.find('/').unwrap_or(after.len());
        let authority = &after[..end];
        path = &after[end..];
        let host = match authority.rsplit_once('@') {
            Some((user, host)) => {
                if !is_user(user) {
                    return None;
                }
                url.user = Some(user.to_owned());
                host
            }
            None => authority,
        };
        let port = match (host.strip_prefix('['), host.rfind(':')) {
            (Some(inner), _) => &inner[inner.rfind(']')? + 1..],
            (None, Some(at)) => &host[at..],
            (None, None) => "",
        };
        if !is_port(port) || !is_host(host) {
            return None;
        }
        host.clone_into(&mut url.host);
    }
    if !is_escaped(path) || !is_escaped(fragment) {
        return None;
    }
    path.clone_into(&mut url.path);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let url = parse("HTTPS://u:p@h.example:5000/a?b=c#d").unwrap();
        assert_eq!(url.scheme, "https");
        assert_eq!(url.user.as_deref(), Some("u:p"));
        assert_eq!((url.host.as_str(), url.port()), ("h.example:5000", "5000"));
        assert_eq!(
            (url.path.as_str(), url.query.as_str(), url.fragment.as_str()),
            ("/a", "b=c", "d")
        );
        assert_eq!(parse("http:mirror").unwrap().opaque, "mirror");
        assert_eq!(parse("tcp://[::1]:5").unwrap().port(), "5");
        assert_eq!(parse("tcp://[::1]").unwrap().port(), "");
        assert_eq!(parse("unix:///run/x").unwrap().path, "/run/x");
    }

    #[test]
    fn refusals() {
        for (text, good) in [
            ("", true),
            ("x", true),
            ("https://", true),
            ("https://a_b.example", true),
            ("https://a<b.example", true),
            ("https://mirror.example.com:", true),
            ("https://mirror.example.comä", true),
            ("https://mirror:x", false),
            ("https://m irror", false),
            (" https://mirror", false),
            ("https://[::1", false),
            ("https://mirror/%zz", false),
            ("://x", false),
            ("https://mir\u{1}ror", false),
            ("https://a%20b.example", false),
            ("127.0.0.1:514", false),
            ("host:514", true),
        ] {
            assert_eq!(parse(text).is_some(), good, "{text}");
        }
    }
}
