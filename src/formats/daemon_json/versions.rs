//! What each version of dockerd makes of each key of daemon.json, 20.10 to 29.
//!
//! dockerd knows the names of its flags, the names that some flags have in the file ("named
//! options", as `labels` for `--label`), and a few more; with any other name it refuses to start
//! ("the following directives don't match any configuration option"; moby `daemon/config/config.go`,
//! `findConfigurationConflicts` and `skipValidateOptions`). The names and their versions are those of
//! moby's `cmd/dockerd/{options,config,config_unix}.go` (`daemon/command` since 29) and of
//! docs.docker.com, "Deprecated Docker Engine features" and the release notes; 20.10.24, 26.1.5 and
//! 28.5.2 were asked about every name.

use super::Document;
use serde_json::Value;
use std::fmt;

/// The first two numbers of a version of Docker, by which it gains and loses options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 20 of `20.10.24+dfsg1`.
    pub major: u32,
    /// 10 of `20.10.24+dfsg1`.
    pub minor: u32,
}

impl Version {
    /// Reads `20.10.24+dfsg1`, `26.1.5`, `v28.5.2-ce`, `29`; `None` for what is no such version.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut numbers = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = numbers.next()?.parse().ok()?;
        let digits = |word: &str| {
            let end = word.find(|c: char| !c.is_ascii_digit());
            end.map_or(word, |end| &word[..end]).parse().ok()
        };
        let minor = numbers.next().map_or(Some(0), digits)?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

const fn v(major: u32, minor: u32) -> Version {
    Version { major, minor }
}

/// The oldest version that this table tells of.
const OLDEST: Version = v(20, 10);
/// The newest one: a later version may know names that are not here.
const NEWEST: Version = v(29, 7);

/// What a value has to look like; dockerd refuses to start with another type
/// (moby `daemon/config/config.go`, the struct `Config` read by Go's `encoding/json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `true` or `false`.
    Switch,
    /// A string.
    Text,
    /// A number without a fraction.
    Integer,
    /// A list of strings.
    Texts,
    /// An object whose values are strings.
    TextTable,
    /// An object whose values are switches.
    SwitchTable,
    /// An object.
    Table,
    /// A list.
    List,
    /// Nothing looks at it.
    Any,
}

impl Shape {
    /// Whether a value has it. `null` goes everywhere: Go leaves the field at its zero value.
    pub fn fits(self, value: &Value) -> bool {
        if value.is_null() {
            return true;
        }
        let all = |fits: fn(&Value) -> bool, value: &Value| match value {
            Value::Array(items) => items.iter().all(|item| item.is_null() || fits(item)),
            Value::Object(table) => table.values().all(|item| item.is_null() || fits(item)),
            _ => false,
        };
        match self {
            Self::Switch => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Texts => value.is_array() && all(Value::is_string, value),
            Self::TextTable => value.is_object() && all(Value::is_string, value),
            Self::SwitchTable => value.is_object() && all(Value::is_boolean, value),
            Self::Table => value.is_object(),
            Self::List => value.is_array(),
            Self::Any => true,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Switch => "true or false, without quotes",
            Self::Text => "a text in quotes",
            Self::Integer => "a whole number, without quotes",
            Self::Texts => "a list of texts",
            Self::TextTable => "an object whose values are texts in quotes",
            Self::SwitchTable => "an object whose values are true or false, without quotes",
            Self::Table => "an object",
            Self::List => "a list",
            Self::Any => "anything",
        })
    }
}

/// One name and its history.
struct Key {
    name: &'static str,
    shape: Shape,
    /// The first version that knows it.
    since: Version,
    /// The first version that accepts it without any effect.
    ignored_from: Option<Version>,
    /// The first version that refuses to start with it.
    gone_from: Option<Version>,
}

const fn always(name: &'static str, shape: Shape) -> Key {
    since(OLDEST, name, shape)
}

const fn since(version: Version, name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        since: version,
        ignored_from: None,
        gone_from: None,
    }
}

const fn until(gone: Version, name: &'static str, shape: Shape) -> Key {
    Key {
        gone_from: Some(gone),
        ..always(name, shape)
    }
}

const fn ignored(from: Version, name: &'static str, shape: Shape) -> Key {
    Key {
        ignored_from: Some(from),
        ..always(name, shape)
    }
}

const KEYS: &[Key] = &[
    since(v(28, 2), "allow-direct-routing", Shape::Switch),
    ignored(v(28, 0), "allow-nondistributable-artifacts", Shape::Texts),
    // 27 ignores it unless DOCKERD_DEPRECATED_CORS_HEADER is set; 28 refuses one that is not empty.
    Key {
        ignored_from: Some(v(27, 0)),
        ..until(v(29, 0), "api-cors-header", Shape::Text)
    },
    always("authorization-plugins", Shape::Texts),
    always("bip", Shape::Text),
    since(v(28, 0), "bip6", Shape::Text),
    always("bridge", Shape::Text),
    since(v(29, 0), "bridge-accept-fwmark", Shape::Text),
    always("builder", Shape::Table),
    since(v(25, 0), "cdi-spec-dirs", Shape::Texts),
    always("cgroup-parent", Shape::Text),
    until(v(23, 0), "cluster-advertise", Shape::Text),
    until(v(23, 0), "cluster-store", Shape::Text),
    until(v(23, 0), "cluster-store-opts", Shape::TextTable),
    always("containerd", Shape::Text),
    always("containerd-namespace", Shape::Text),
    always("cpu-rt-period", Shape::Integer),
    always("cpu-rt-runtime", Shape::Integer),
    always("cri-containerd", Shape::Switch),
    always("data-root", Shape::Text),
    always("debug", Shape::Switch),
    always("default-address-pools", Shape::List),
    always("default-cgroupns-mode", Shape::Text),
    always("default-gateway", Shape::Text),
    always("default-gateway-v6", Shape::Text),
    always("default-ipc-mode", Shape::Text),
    since(v(24, 0), "default-network-opts", Shape::Table),
    always("default-runtime", Shape::Text),
    always("default-shm-size", Shape::Text),
    // Which 29 was the first is not known here; nothing is said of one that may know it.
    since(v(29, 0), "default-stop-timeout", Shape::Any),
    always("default-ulimits", Shape::Table),
    ignored(v(24, 0), "deprecated-key-path", Shape::Text),
    always("dns", Shape::Texts),
    always("dns-opts", Shape::Texts),
    always("dns-search", Shape::Texts),
    always("exec-opts", Shape::Texts),
    always("exec-root", Shape::Text),
    always("experimental", Shape::Switch),
    always("features", Shape::SwitchTable),
    since(v(29, 0), "firewall-backend", Shape::Text),
    always("fixed-cidr", Shape::Text),
    always("fixed-cidr-v6", Shape::Text),
    until(v(23, 0), "graph", Shape::Text),
    always("group", Shape::Text),
    always("host-gateway-ip", Shape::Text),
    since(v(28, 0), "host-gateway-ips", Shape::Texts),
    always("hosts", Shape::Texts),
    always("icc", Shape::Switch),
    always("init", Shape::Switch),
    always("init-path", Shape::Text),
    always("insecure-registries", Shape::Texts),
    always("ip", Shape::Text),
    always("ip-forward", Shape::Switch),
    since(v(28, 0), "ip-forward-no-drop", Shape::Switch),
    always("ip-masq", Shape::Switch),
    always("ip6tables", Shape::Switch),
    always("iptables", Shape::Switch),
    always("ipv6", Shape::Switch),
    always("labels", Shape::Texts),
    always("live-restore", Shape::Switch),
    always("log-driver", Shape::Text),
    since(v(25, 0), "log-format", Shape::Text),
    always("log-level", Shape::Text),
    always("log-opts", Shape::TextTable),
    always("max-concurrent-downloads", Shape::Integer),
    always("max-concurrent-uploads", Shape::Integer),
    always("max-download-attempts", Shape::Integer),
    always("metrics-addr", Shape::Text),
    since(v(29, 0), "min-api-version", Shape::Text),
    always("mtu", Shape::Integer),
    always("network-control-plane-mtu", Shape::Integer),
    always("network-diagnostic-port", Shape::Integer),
    always("no-new-privileges", Shape::Switch),
    always("node-generic-resources", Shape::Texts),
    // As with default-stop-timeout.
    since(v(29, 0), "nri-opts", Shape::Any),
    // 24 warns, 25 refuses another value than 0.
    until(v(26, 0), "oom-score-adjust", Shape::Integer),
    always("pidfile", Shape::Text),
    always("raw-logs", Shape::Switch),
    always("registry-mirrors", Shape::Texts),
    always("rootless", Shape::Switch),
    always("runtimes", Shape::Table),
    always("seccomp-profile", Shape::Text),
    always("selinux-enabled", Shape::Switch),
    always("shutdown-timeout", Shape::Integer),
    always("storage-driver", Shape::Text),
    always("storage-opts", Shape::Texts),
    always("swarm-default-advertise-addr", Shape::Text),
    always("tls", Shape::Switch),
    always("tlscacert", Shape::Text),
    always("tlscert", Shape::Text),
    always("tlskey", Shape::Text),
    always("tlsverify", Shape::Switch),
    always("userland-proxy", Shape::Switch),
    always("userland-proxy-path", Shape::Text),
    always("userns-remap", Shape::Text),
];

/// Names of flags that are accepted as keys and never have an effect, as the file has another name
/// for the option or none; with the key that works, and the versions that have the flag.
const DEAD: &[(&str, Option<&str>, Version, Option<Version>)] = &[
    ("add-runtime", Some("runtimes"), OLDEST, None),
    (
        "authorization-plugin",
        Some("authorization-plugins"),
        OLDEST,
        None,
    ),
    ("cdi-spec-dir", Some("cdi-spec-dirs"), v(25, 0), None),
    (
        "cluster-store-opt",
        Some("cluster-store-opts"),
        OLDEST,
        Some(v(23, 0)),
    ),
    ("config-file", None, OLDEST, None),
    ("containerd-plugins-namespace", None, OLDEST, None),
    (
        "default-address-pool",
        Some("default-address-pools"),
        OLDEST,
        None,
    ),
    (
        "default-network-opt",
        Some("default-network-opts"),
        v(24, 0),
        None,
    ),
    ("default-ulimit", Some("default-ulimits"), OLDEST, None),
    ("dns-opt", Some("dns-opts"), OLDEST, None),
    ("exec-opt", Some("exec-opts"), OLDEST, None),
    ("feature", Some("features"), v(27, 0), None),
    ("help", None, OLDEST, None),
    ("host", Some("hosts"), OLDEST, None),
    ("http-proxy", Some("proxies"), v(23, 0), None),
    ("https-proxy", Some("proxies"), v(23, 0), None),
    (
        "insecure-registry",
        Some("insecure-registries"),
        OLDEST,
        None,
    ),
    ("label", Some("labels"), OLDEST, None),
    ("log-opt", Some("log-opts"), OLDEST, None),
    ("no-proxy", Some("proxies"), v(23, 0), None),
    (
        "node-generic-resource",
        Some("node-generic-resources"),
        OLDEST,
        None,
    ),
    ("registry-mirror", Some("registry-mirrors"), OLDEST, None),
    ("restart", None, OLDEST, None),
    ("storage-opt", Some("storage-opts"), OLDEST, None),
    ("validate", None, v(23, 0), None),
    ("version", None, OLDEST, None),
];

/// What a version of dockerd makes of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It takes effect.
    Known,
    /// It is accepted and has no effect.
    Ignored,
    /// The daemon refuses to start with it; the first version that knows it, if one does.
    NotYet(Version),
    /// The daemon refuses to start with it, and did not before this version.
    NoLonger(Version),
    /// The daemon refuses to start with it, as every version does.
    Never,
}

impl Reading {
    /// Whether the daemon refuses to start with the name.
    pub fn refuses(self) -> bool {
        matches!(self, Self::NotYet(_) | Self::NoLonger(_) | Self::Never)
    }
}

/// What a version makes of a key. Without a version, or for one that is newer than this table, only
/// what is true of every version: `None` where that is not known.
pub fn reading(name: &str, version: Option<Version>) -> Option<Reading> {
    let key = KEYS.iter().find(|key| key.name == name);
    let dead = DEAD.iter().find(|(dead, ..)| *dead == name);
    let (since, ignored_from, gone_from) = match (key, dead) {
        (Some(key), _) => (key.since, key.ignored_from, key.gone_from),
        (None, Some((_, _, since, gone))) => (*since, Some(OLDEST), *gone),
        (None, None) if version.is_some_and(|version| version > NEWEST) => return None,
        (None, None) => return Some(Reading::Never),
    };
    let Some(version) = version else {
        let same = since == OLDEST && gone_from.is_none();
        return match ignored_from {
            None if same => Some(Reading::Known),
            Some(OLDEST) if same => Some(Reading::Ignored),
            _ => None,
        };
    };
    Some(match (ignored_from, gone_from) {
        _ if version < since && since > OLDEST => Reading::NotYet(since),
        (_, Some(gone)) if version >= gone => Reading::NoLonger(gone),
        (Some(from), _) if version >= from || from == OLDEST => Reading::Ignored,
        _ => Reading::Known,
    })
}

/// The key that works instead of a dead one.
pub fn instead_of(name: &str) -> Option<&'static str> {
    DEAD.iter()
        .find(|(dead, ..)| *dead == name)
        .and_then(|(_, works, ..)| *works)
}

/// What a value of this key has to look like. Where the key is ignored nothing looks at it.
pub fn shape(name: &str, version: Option<Version>) -> Shape {
    match reading(name, version) {
        Some(Reading::Known) | None => KEYS
            .iter()
            .find(|key| key.name == name)
            .map_or(Shape::Any, |key| key.shape),
        Some(_) => Shape::Any,
    }
}

/// Whether the object at this key is one value. The names inside of any other object stand for
/// options themselves (moby `daemon/config/config.go`, `flatOptions`).
fn is_taken_whole(name: &str, version: Option<Version>) -> bool {
    let from = |first| version.is_none_or(|version| version >= first);
    match name {
        "builder" | "cluster-store-opts" | "default-ulimits" | "features" | "log-opts"
        | "runtimes" => true,
        "default-network-opts" => from(v(24, 0)),
        "nri-opts" => from(v(29, 0)),
        _ => false,
    }
}

/// A name that dockerd looks up among its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Directive<'a> {
    /// The name.
    pub name: &'a str,
    /// The key of the object that it stands in, at the top level `None`.
    pub inside: Option<&'a str>,
    /// Its value.
    pub value: &'a Value,
}

/// The names that dockerd looks up: those at the top level, and those inside of the objects that it
/// does not take as one value.
pub fn directives(document: &Document, version: Option<Version>) -> Vec<Directive<'_>> {
    let mut found = Vec::new();
    for (name, value) in &document.values {
        match value {
            Value::Object(inner) if !is_taken_whole(name, version) => {
                found.extend(inner.iter().map(|(inner, value)| Directive {
                    name: inner,
                    inside: Some(name),
                    value,
                }));
            }
            _ => found.push(Directive {
                name,
                inside: None,
                value,
            }),
        }
    }
    found
}

/// The names in this table.
pub fn names() -> impl Iterator<Item = &'static str> {
    let keys = KEYS.iter().map(|key| key.name);
    keys.chain(DEAD.iter().map(|(name, ..)| *name))
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;
