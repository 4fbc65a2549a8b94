//! Which names say that their value is a secret.

/// How much a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Whatever the value is, it is a secret.
    Strong,
    /// The value is a secret, unless it plainly is something else: a path, an address, a switch.
    Weak,
}

/// Parts of names that say so wherever they stand.
const ANYWHERE: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "apikey",
    "api-key",
    "api_key",
    "passphrase",
    "passcode",
];

/// Words of names that say so.
const STRONG: [&str; 14] = [
    "pass", "pwd", "pw", "pat", "psk", "jwt", "bearer", "cred", "creds", "sig", "hmac", "otp",
    "rootpw", "dbpw",
];

/// Words of names that say so, as long as the value does not look harmless.
const WEAK: [&str; 20] = [
    "auth",
    "auths",
    "authorization",
    "authentication",
    "oauth",
    "cookie",
    "cookies",
    "encryption",
    "encrypt",
    "key",
    "keys",
    "login",
    "private",
    "priv",
    "session",
    "sessions",
    "signature",
    "signing",
    "salt",
    "seed",
];

/// Ends of words that say so.
const STRONG_ENDS: [&str; 2] = ["pass", "pwd"];
const WEAK_ENDS: [&str; 2] = ["key", "cookie"];

/// Words that only end so, and `tlskey`, which is a path by definition (dockerd(8)).
const NO_SECRETS: [&str; 8] = [
    "bypass", "compass", "monkey", "hotkey", "turkey", "tlskey", "passkeys", "trespass",
];

/// A name with such a word at its end says something about a secret, and is not it.
const ABOUT: [&str; 58] = [
    "address",
    "addresses",
    "addr",
    "age",
    "algorithm",
    "bus",
    "cidr",
    "cipher",
    "class",
    "desktop",
    "devices",
    "dir",
    "directory",
    "dns",
    "domain",
    "driver",
    "enabled",
    "endpoint",
    "expiry",
    "file",
    "files",
    "folder",
    "format",
    "group",
    "host",
    "hosts",
    "interval",
    "ip",
    "length",
    "level",
    "lifetime",
    "method",
    "methods",
    "mirror",
    "mode",
    "name",
    "network",
    "networks",
    "path",
    "plugin",
    "plugins",
    "port",
    "provider",
    "region",
    "registries",
    "registry",
    "server",
    "size",
    "sock",
    "socket",
    "subnet",
    "timeout",
    "tmp",
    "ttl",
    "type",
    "uri",
    "url",
    "version",
];

/// Of them, those whose value is a path: not even a strong word makes that a secret.
const PLACES: [&str; 8] = [
    "dir",
    "directory",
    "file",
    "files",
    "folder",
    "path",
    "sock",
    "socket",
];

/// Names of systemd's directives (systemd.exec(5)) and of desktop sessions (pam_systemd(8)) that have such words, and
/// hold none.
const KNOWN: [&str; 26] = [
    "credhelpers",
    "credsstore",
    "desktopsession",
    "importcredential",
    "keyringmode",
    "loadcredential",
    "loadcredentialencrypted",
    "passcredentials",
    "passenvironment",
    "passfiledescriptorstoexec",
    "passpacketinfo",
    "passsecurity",
    "privatebpf",
    "privatedevices",
    "privateipc",
    "privatemounts",
    "privatenetwork",
    "privatepids",
    "privatetmp",
    "privateusers",
    "privateusersex",
    "restrictkeyring",
    "usersession",
    "xdgsessionid",
    "xkeyboard",
    "xdgsession",
];

/// First words of names of switches: no value follows them.
const SWITCHES: [&str; 10] = [
    "no", "enable", "disable", "skip", "allow", "use", "with", "without", "require", "is",
];

/// What a name says of its value; `None` where it says nothing.
pub(super) fn weight(name: &str) -> Option<Weight> {
    let lower = name.to_ascii_lowercase();
    let plain: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    if KNOWN.contains(&plain.as_str()) {
        return None;
    }
    let words = words(name);
    let last = words.last().map(String::as_str).unwrap_or_default();
    let is = |list: &[&str], ends: &[&str]| {
        words.iter().any(|word| {
            let word = word.as_str();
            list.contains(&word)
                || ends.iter().any(|end| word.ends_with(end)) && !NO_SECRETS.contains(&word)
        })
    };
    // The working folder of a shell has this name.
    if matches!(plain.as_str(), "pwd" | "oldpwd") {
        return Some(Weight::Weak);
    }
    if ANYWHERE.iter().any(|part| lower.contains(part)) || is(&STRONG, &STRONG_ENDS) {
        return Some(if PLACES.contains(&last) {
            Weight::Weak
        } else {
            Weight::Strong
        });
    }
    (is(&WEAK, &WEAK_ENDS) && !ABOUT.contains(&last)).then_some(Weight::Weak)
}

/// Whether a flag of this name stands alone.
pub(super) fn is_switch(name: &str) -> bool {
    words(name)
        .first()
        .is_some_and(|first| SWITCHES.contains(&first.as_str()))
}

/// Whether a value that such a name has is a secret.
pub(super) fn is_secret(weight: Weight, value: &str) -> bool {
    !value.is_empty() && (weight == Weight::Strong || !is_harmless(value))
}

/// A path, a URL (whose user info is looked at elsewhere), or a switch.
fn is_harmless(value: &str) -> bool {
    let switch = [
        "true", "false", "yes", "no", "on", "off", "none", "null", "auto", "0", "1",
    ];
    if switch.contains(&value.to_ascii_lowercase().as_str()) {
        return true;
    }
    if value.contains("://") {
        return !value.contains(char::is_whitespace);
    }
    let is_path = ["/", "./", "../", "~/"]
        .iter()
        .any(|start| value.starts_with(start));
    let odd = |c: char| !(c.is_ascii_alphanumeric() || "/._-@~%{}$:".contains(c));
    is_path
        && !value.contains(odd)
        && value
            .split(['/', '.'])
            .all(|part| !super::chance::is_random(part))
}

/// Whether a name is one word.
pub(super) fn is_single(name: &str) -> bool {
    words(name).len() < 2
}

/// The words of a name in lower case: parted by anything that is no letter or digit, and by a change of case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let next = chars.get(at + 1);
        let begins = c.is_ascii_uppercase()
            && (before
                .is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || before.is_some_and(char::is_ascii_uppercase)
                    && next.is_some_and(char::is_ascii_lowercase));
        if (begins || !c.is_ascii_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_ascii_alphabetic() {
            word.push(c.to_ascii_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let strong = [
            "splunk-token",
            "DB_PASSWORD",
            "apiKey",
            "awslogs-credentials-endpoint",
            "client_secret",
            "DB_PASS",
            "MYSQL_PWD",
            "GITHUB_PAT",
            "gelf-pass",
            "dbpass",
            "userPass",
            "TOKEN2",
            "SetCredential",
            "sig",
            "X-Auth-Token",
            "JWT",
            "password",
            "registryCreds",
            "PASSPHRASE",
        ];
        for name in strong {
            assert_eq!(weight(name), Some(Weight::Strong), "{name}");
        }
        let weak = [
            "auth",
            "auths",
            "key",
            "private-key",
            "PRIVATE_KEY",
            "ENCRYPTION_KEY",
            "BASIC_AUTH",
            "SESSION_COOKIE",
            "x-authorization",
            "DOCKER_AUTH_CONFIG",
            "X-Amz-Signature",
            "accesskey",
            "AWSAccessKey",
            "x.key",
            "PASSWORD_FILE",
            "token-file",
            "Cookie",
            "SESSION",
        ];
        for name in weak.into_iter().chain(["PWD", "OLDPWD"]) {
            assert_eq!(weight(name), Some(Weight::Weak), "{name}");
        }
        let none = [
            "max-size",
            "tlskey",
            "authorization-plugins",
            "path",
            "labels",
            "PATH",
            "LANG",
            "PassEnvironment",
            "PrivateTmp",
            "XDG_SESSION_ID",
            "DBUS_SESSION_BUS_ADDRESS",
            "SSH_AUTH_SOCK",
            "bypass",
            "KEYMAP",
            "keymap",
            "compat",
            "PRIVATE_REGISTRY",
            "default-ulimits",
            "bip",
            "KeyringMode",
            "LoadCredential",
            "dispatch",
            "spawn",
            "authorization-plugin",
            "monkey",
            "design",
            "Author",
        ];
        for name in none {
            assert_eq!(weight(name), None, "{name}");
        }
    }

    #[test]
    fn values_of_weak_names() {
        for value in [
            "/etc/ssl/key.pem",
            "~/.docker/key.pem",
            "true",
            "OFF",
            "https://h/x",
            "0",
        ] {
            assert!(!is_secret(Weight::Weak, value), "{value}");
            assert!(is_secret(Weight::Strong, value), "{value}");
        }
        for value in ["Hunter2Hunter2", "/a+b==", "/kZ3xQ9vB2nM7LpR5tY8wC1", "a b"] {
            assert!(is_secret(Weight::Weak, value), "{value}");
        }
        assert!(!is_secret(Weight::Strong, ""));
    }
}
