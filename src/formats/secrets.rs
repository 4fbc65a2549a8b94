//! Masking of passwords and tokens before a text is shown or stored.
//!
//! The masked text has as many lines as the text. Masked are: the password in `scheme://user:password@host`; the
//! values of names that say they hold a secret, in JSON (`"splunk-token": "…"`) and in assignments and flags
//! (`API_TOKEN=…`, `--log-opt splunk-token=…`); password hashes in shadow(5) and gshadow(5). Nothing else is.

mod json;

use serde_json::Value;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Parts of names that say the value is a secret.
const SECRET_WORDS: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "apikey",
    "api-key",
    "api_key",
    "passphrase",
];

/// Whether a key, a variable or an option of this name holds a secret.
pub fn holds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `auth` is base64 of user:password in Docker's config.json.
    name == "auth" || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// The text of the file at `path` without its secrets.
pub fn mask(path: &str, text: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name.trim_end_matches('-'), "shadow" | "gshadow") {
        return hashes(text);
    }
    let is_json = std::path::Path::new(name)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json {
        json::mask(text)
    } else {
        // URLs first: a password may look like an assignment, and would lose its end with the `@`.
        assignments(&urls(text))
    }
}

/// The value of a daemon.json key without its secrets.
pub fn mask_value(key: &str, value: &Value) -> Value {
    let text = serde_json::json!({ key: value }).to_string();
    serde_json::from_str::<Value>(&json::mask(&text))
        .ok()
        .and_then(|mut masked| masked.get_mut(key).map(Value::take))
        .unwrap_or_else(|| Value::from(MASK))
}

/// The second field of every line, unless it only says that there is no password to log in with.
fn hashes(text: &str) -> String {
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

/// The passwords in URLs; `:\/\/`, JSON's other spelling, counts too.
pub(crate) fn urls(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    loop {
        // One pass over the text: a search for each spelling would read it to its end every time.
        let separator = rest.match_indices(':').find_map(|(at, _)| {
            let here = &rest[at..];
            let known = ["://", ":\\/\\/"];
            let found = known.into_iter().find(|known| here.starts_with(known));
            found.map(|found| (at, found.len()))
        });
        let Some((at, length)) = separator else {
            break;
        };
        let (before, authority) = rest.split_at(at + length);
        result.push_str(before);
        rest = authority;
        let end = rest
            .find(|c: char| c.is_whitespace() || "\"'`<>/?#\\,".contains(c))
            .unwrap_or(rest.len());
        let Some(host) = rest[..end].rfind('@') else {
            continue;
        };
        if let Some(colon) = rest[..host].find(':')
            && colon + 1 < host
        {
            result.push_str(&rest[..=colon]);
            result.push_str(MASK);
            rest = &rest[host..];
        }
    }
    result + rest
}

/// The values of assignments whose name says secret, at the beginning of a line or of a word.
pub(crate) fn assignments(text: &str) -> String {
    let mut carried = false;
    let mut line = |line: &str| {
        let body = line.trim_end_matches(['\n', '\r']);
        let end = &line[body.len()..];
        let masked = if carried {
            MASK.to_owned()
        } else {
            in_line(body)
        };
        // A value that a backslash carries over to the next line is a secret there too.
        carried = body.ends_with('\\') && masked.ends_with(MASK);
        masked + end
    };
    text.split_inclusive('\n').map(&mut line).collect()
}

fn in_line(line: &str) -> String {
    let mut result = String::new();
    let mut rest = line;
    let mut first = true;
    while let Some(at) = rest.find('=') {
        let (before, value) = (&rest[..at], &rest[at + 1..]);
        let name_start = before.rfind(|c: char| !is_name_char(c)).map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
        let name = &before[name_start..];
        let lead = before[..name_start].trim_start();
        // An assignment that is the whole line, as in environment files, owns everything up to its end.
        let whole_line = first && matches!(lead, "" | "export ");
        first = false;
        result.push_str(&rest[..=at]);
        rest = value;
        if holds_secret(name) {
            let (open, secret, after) = value_of(value, whole_line);
            result.push_str(open);
            if !secret.is_empty() {
                result.push_str(MASK);
            }
            rest = after;
        }
    }
    result + rest
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// What opens a value, the value, and what follows it.
fn value_of(text: &str, whole_line: bool) -> (&str, &str, &str) {
    let quote = ["\\\"", "\"", "'"]
        .into_iter()
        .find(|quote| text.starts_with(quote));
    if let Some(quote) = quote
        && let Some(length) = text[quote.len()..].find(quote)
    {
        let (secret, after) = text[quote.len()..].split_at(length);
        let only = !whole_line
            || after[quote.len()..].trim_start().is_empty()
            || after[quote.len()..].trim_start().starts_with('#');
        if only {
            return (quote, secret, after);
        }
    }
    if whole_line {
        return ("", text, "");
    }
    // A quote that nothing closes hides nothing. One that is escaped belongs to a string around all this.
    let (open, value) = text.split_at(quote.map_or(0, str::len));
    let ends = |at: &usize| {
        let here = &value[*at..];
        here.starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            || here.starts_with("\\\"")
    };
    let mut places = value.char_indices().map(|(at, _)| at);
    let (secret, after) = value.split_at(places.find(ends).unwrap_or(value.len()));
    (open, secret, after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_lose_passwords_only() {
        let cases = [
            ("http://u:p@h:3128/x", "http://u:***@h:3128/x"),
            ("http://u:p@ss@h", "http://u:***@h"),
            ("http://h:3128/a@b", "http://h:3128/a@b"),
            ("ssh://root@h", "ssh://root@h"),
            ("unix:///run/docker.sock", "unix:///run/docker.sock"),
            ("\"http:\\/\\/u:p@h\"", "\"http:\\/\\/u:***@h\""),
            (
                "http://a:b@c,https://d:e@f",
                "http://a:***@c,https://d:***@f",
            ),
            ("http://u:@h", "http://u:@h"),
        ];
        for (text, expected) in cases {
            assert_eq!(urls(text), expected);
        }
    }

    #[test]
    fn a_password_that_looks_like_an_assignment_is_masked_as_a_whole() {
        let cases = [
            (
                "/etc/environment",
                "PROXY=http://u:ab-token=cd@h\n",
                "PROXY=http://u:***@h\n",
            ),
            (
                "/etc/docker/daemon.json",
                "{\"x\": \"http://u:ab-token=cd@h\"}",
                "{\"x\": \"http://u:***@h\"}",
            ),
        ];
        for (path, text, expected) in cases {
            assert_eq!(mask(path, text), expected);
        }
    }

    /// Anything quadratic would not come to an end here that somebody waits for.
    #[test]
    fn the_largest_file_is_masked() {
        let text = "://".repeat(1 << 18);
        assert_eq!(urls(&text), text);
    }

    #[test]
    fn files() {
        let cases = [
            (
                "/etc/environment",
                "DB_PASSWORD=a b c\nPATH=/x\n",
                "DB_PASSWORD=***\nPATH=/x\n",
            ),
            (
                "/etc/docker/daemon.json",
                "{\"a\": \"b TOKEN=\\\" c\", \"password=d\"}",
                "{\"a\": \"b TOKEN=\\\" c\", \"password=***\"}",
            ),
            (
                "/etc/docker/daemon.json",
                "{\"a\": \"b TOKEN=\\\"c d\", \"e\": \"f TOKEN=g\\\\\\\" h\"}",
                "{\"a\": \"b TOKEN=\\\"*** d\", \"e\": \"f TOKEN=***\\\" h\"}",
            ),
            ("/x", "run --token=\"a b", "run --token=\"*** b"),
            (
                "/etc/environment",
                "export API_TOKEN=\"a b\"\n",
                "export API_TOKEN=\"***\"\n",
            ),
            (
                "/etc/environment",
                "X_TOKEN=a\\\nb c\nY=1\n",
                "X_TOKEN=***\n***\nY=1\n",
            ),
            (
                "/etc/environment",
                "TOKEN=\nPASSWORD=\"\"\n",
                "TOKEN=\nPASSWORD=\"\"\n",
            ),
            ("/etc/environment", "TOKEN=\"a\"b\"\r\n", "TOKEN=***\r\n"),
            (
                "/etc/default/docker",
                "DOCKER_OPTS=\"--log-opt splunk-token=abc --debug\"\n",
                "DOCKER_OPTS=\"--log-opt splunk-token=*** --debug\"\n",
            ),
            (
                "/etc/systemd/system/d.conf",
                "Environment=\"HTTPS_PROXY=http://u:p@h\" A_TOKEN=x B=y\n",
                "Environment=\"HTTPS_PROXY=http://u:***@h\" A_TOKEN=*** B=y\n",
            ),
            (
                "/etc/systemd/system/d.conf",
                "Environment='MY_SECRET=a b'\n",
                "Environment='MY_SECRET=*** b'\n",
            ),
            (
                "/etc/audit/rules.d/x.rules",
                "-w /etc/passwd -p wa -k passwd\n-a always,exit -F path=/etc/passwd -F key=passwd_changes\n",
                "-w /etc/passwd -p wa -k passwd\n-a always,exit -F path=/etc/passwd -F key=passwd_changes\n",
            ),
            (
                "/etc/shadow",
                "root:$6$x$y:1:0\ndaemon:*:1\nx:!:1\nlocked:!$6$a:1\n",
                "root:***:1:0\ndaemon:*:1\nx:!:1\nlocked:***:1\n",
            ),
            (
                "/etc/passwd",
                "root:x:0:0:root:/root:/bin/bash\n",
                "root:x:0:0:root:/root:/bin/bash\n",
            ),
        ];
        for (path, text, expected) in cases {
            assert_eq!(mask(path, text), expected, "{path} {text:?}");
        }
    }

    #[test]
    fn names() {
        for name in [
            "splunk-token",
            "DB_PASSWORD",
            "apiKey",
            "awslogs-credentials-endpoint",
            "client_secret",
            "auth",
        ] {
            assert!(holds_secret(name), "{name}");
        }
        for name in [
            "max-size",
            "key",
            "tlskey",
            "authorization-plugins",
            "path",
            "labels",
        ] {
            assert!(!holds_secret(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn lines_stay_and_masking_settles(text in "([A-Z_=\"' \\\\:/@]|TOKEN=|http://|\r?\n|x){0,30}", path in "(/etc/environment|/a.json|/etc/shadow)") {
            let masked = mask(&path, &text);
            prop_assert_eq!(masked.matches('\n').count(), text.matches('\n').count());
            prop_assert_eq!(mask(&path, &masked), masked.clone(), "{:?}", masked);
        }
    }
}
