//! Whether dockerd would start with its configuration as it stands.
//!
//! `dockerd --validate` answers that only in part, from 23.0 on, and only where something can be
//! run; what is here is known from the version alone. A configuration that the daemon refuses may
//! lie there unnoticed for months: it shows at the next restart.

use super::layout::{DaemonJson, Layout};
use crate::facts::{Facts, Kind};
use crate::formats::daemon_json::directives::directives;
use crate::formats::daemon_json::{Document, Flaw};
use crate::options::{self, Reading, Version};
use serde_json::{Value, json};

/// Something with which the daemon refuses to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The keys of daemon.json that it is about; empty for the file as a whole.
    pub keys: Vec<String>,
    /// The reason as a clause: "dockerd 26.1.5 no longer knows `graph` (gone in 23.0)".
    pub reason: String,
    /// What is wanted instead.
    pub wanted: String,
    /// File and line, or the flag.
    pub source: String,
    /// The command that helps.
    pub cure: String,
    /// A flag sets the key, too.
    pub repeats_flag: bool,
}

/// All that this host's dockerd would refuse to start with, as far as its version is known.
pub fn refusals(facts: &Facts) -> Vec<Refusal> {
    let layout = Layout::of(facts);
    let version = facts.docker_version.known();
    let daemon = Daemon {
        layout: &layout,
        name: version.map_or_else(|| "dockerd".to_owned(), |it| format!("dockerd {it}")),
        version: version.and_then(|it| Version::parse(it)),
    };
    let mut found = Vec::new();
    match layout.daemon_json() {
        DaemonJson::Read(document) => {
            daemon.unreadable(&document, &mut found);
            daemon.names(&document, &mut found);
            daemon.flags(&document, &mut found);
        }
        DaemonJson::Broken(error) => found.push(Refusal {
            keys: Vec::new(),
            reason: format!("the file does not parse: {}", error.reason),
            wanted: "one JSON object".to_owned(),
            source: format!("{}:{}:{}", layout.config, error.line, error.column),
            cure: daemon.edit(),
            repeats_flag: false,
        }),
        DaemonJson::Unreadable(..) => {}
    }
    daemon.values(facts, &mut found);
    daemon.pairs(&mut found);
    found
}

/// Log drivers that keep no files of their own.
const WITHOUT_FILES: [&str; 7] = [
    "awslogs", "fluentd", "gcplogs", "gelf", "journald", "splunk", "syslog",
];

fn is_absent(facts: &Facts, path: &str) -> bool {
    facts
        .node(path)
        .known()
        .is_some_and(|node| node.kind == Kind::Absent)
}

struct Daemon<'a> {
    layout: &'a Layout<'a>,
    name: String,
    version: Option<Version>,
}

impl Daemon<'_> {
    fn before(&self, major: u32) -> bool {
        self.version.is_some_and(|version| version.major < major)
    }

    fn from(&self, major: u32) -> bool {
        self.version.is_some_and(|version| version.major >= major)
    }

    fn edit(&self) -> String {
        format!("editor {}", self.layout.config)
    }

    fn at(&self, document: &Document, key: &str) -> String {
        let line = document.line_of(key).unwrap_or(1);
        format!("{}:{line}", self.layout.config)
    }

    /// Before 23.0 the bytes went to the JSON decoder as they are.
    fn unreadable(&self, document: &Document, found: &mut Vec<Refusal>) {
        if !self.before(23) {
            return;
        }
        for flaw in document.flaws() {
            let (what, wanted) = match flaw {
                Flaw::Empty => ("the file is empty", "{}"),
                Flaw::Bom => ("the file begins with a byte order mark", "plain UTF-8"),
                Flaw::DuplicateKey { .. } => continue,
            };
            found.push(Refusal {
                keys: Vec::new(),
                reason: format!("{what}, which {} cannot read (23.0 can)", self.name),
                wanted: wanted.to_owned(),
                source: format!("{}:1", self.layout.config),
                cure: self.edit(),
                repeats_flag: false,
            });
        }
    }

    /// Names that are no options, and values of another type than the option's.
    fn names(&self, document: &Document, found: &mut Vec<Refusal>) {
        for directive in directives(document, self.version) {
            let key = directive.inside.unwrap_or(directive.name);
            let name = match directive.inside {
                Some(outer) => format!("`{}` in `{outer}`", directive.name),
                None => format!("`{}`", directive.name),
            };
            let reading = options::reading(directive.name, self.version);
            let (reason, wanted) = match reading {
                Some(Reading::NotYet(since)) => (
                    format!("{} does not know {name} yet (since {since})", self.name),
                    "no such key".to_owned(),
                ),
                Some(Reading::NoLonger(gone)) => (
                    format!("{} no longer knows {name} (gone in {gone})", self.name),
                    "no such key".to_owned(),
                ),
                Some(Reading::Never) => (
                    format!("{name} is no option of {}", self.name),
                    "no such key".to_owned(),
                ),
                Some(Reading::Known | Reading::Ignored) | None => {
                    let shape = options::shape(directive.name, self.version);
                    if directive.inside.is_some() || shape.fits(directive.value) {
                        continue;
                    }
                    (format!("{name} is not {shape}"), shape.to_string())
                }
            };
            found.push(Refusal {
                keys: vec![key.to_owned()],
                reason,
                wanted,
                source: self.at(document, key),
                cure: self.edit(),
                repeats_flag: false,
            });
        }
    }

    /// "the following directives are specified both as a flag and in the configuration file", even
    /// when they agree (moby `daemon/config/config.go`, `findConfigurationConflicts`).
    fn flags(&self, document: &Document, found: &mut Vec<Refusal>) {
        for directive in directives(document, self.version) {
            // Runtimes of both are joined (`skipDuplicates`).
            if directive.name == "runtimes" {
                continue;
            }
            if let Some(flag) = self.layout.flag_in_words(directive.name) {
                let key = directive.inside.unwrap_or(directive.name);
                found.push(Refusal {
                    keys: vec![key.to_owned()],
                    reason: format!(
                        "docker.service passes {flag}, and the daemon refuses to start when a flag is repeated in {}",
                        self.layout.config
                    ),
                    wanted: "either the flag or the key".to_owned(),
                    source: self.at(document, key),
                    cure: self.layout.edit_start(),
                    repeats_flag: true,
                });
            }
        }
    }

    /// Values that this version refuses; a flag has them as well as the file.
    fn values(&self, facts: &Facts, found: &mut Vec<Refusal>) {
        let mut refuse = |key: &str, why: &str, wanted: &str| {
            if let Some((value, source)) = self.layout.configured(key) {
                found.push(Refusal {
                    keys: vec![key.to_owned()],
                    reason: format!("{} {why}: {key} = {value}", self.name),
                    wanted: wanted.to_owned(),
                    source,
                    cure: self.edit(),
                    repeats_flag: false,
                });
            }
        };
        let text = |key: &str| match self.layout.configured(key) {
            Some((Value::String(text), _)) => text,
            _ => String::new(),
        };
        // docs.docker.com, "Deprecated Docker Engine features".
        match text("storage-driver").as_str() {
            "aufs" | "overlay" if self.from(24) => refuse(
                "storage-driver",
                "no longer has this storage driver (gone in 24.0)",
                "another driver",
            ),
            "devicemapper" if self.from(25) => refuse(
                "storage-driver",
                "no longer has this storage driver (gone in 25.0)",
                "another driver",
            ),
            _ => {}
        }
        // moby `daemon/seccomp_linux.go`, `setupSeccompProfile`: anything else is a file to open.
        match text("seccomp-profile").as_str() {
            "unconfined" | "builtin" if self.before(23) => refuse(
                "seccomp-profile",
                "takes this for the name of a file (23.0 knows the word)",
                "a file, or no such key",
            ),
            "default" => refuse(
                "seccomp-profile",
                "takes this for the name of a file",
                "a file, or no such key",
            ),
            path if path.starts_with('/') && is_absent(facts, path) => refuse(
                "seccomp-profile",
                "does not start without the file of its profile",
                "a file that exists",
            ),
            _ => {}
        }
        // moby `daemon/logger/*/`, `ValidateLogOpt`: files that are rotated belong to these two.
        let is_of_files = |name: &str| ["max-size", "max-file", "compress"].contains(&name);
        let options: Vec<String> = match self.layout.configured("log-opts") {
            Some((Value::Object(options), _)) => options.keys().cloned().collect(),
            Some((Value::Array(flags), _)) => flags
                .iter()
                .filter_map(|flag| Some(flag.as_str()?.split('=').next()?.to_owned()))
                .collect(),
            _ => Vec::new(),
        };
        if WITHOUT_FILES.contains(&text("log-driver").as_str())
            && options.iter().any(|name| is_of_files(name))
        {
            refuse(
                "log-opts",
                &format!(
                    "refuses options of rotated files with {}",
                    text("log-driver")
                ),
                "options of the log driver",
            );
        }
        // moby `daemon/config/config.go`, `Validate`. Names of shims and paths need no entry.
        let runtime = text("default-runtime");
        let is_shim = runtime.starts_with("io.containerd.") || runtime.starts_with('/');
        let is_listed = self
            .layout
            .in_file("runtimes")
            .is_some_and(|(runtimes, _)| runtimes.get(&runtime).is_some());
        if !matches!(runtime.as_str(), "" | "runc")
            && !is_shim
            && !is_listed
            && self.layout.flags.sets_key("runtimes").is_none()
        {
            refuse(
                "default-runtime",
                "does not start without an entry in `runtimes` for it",
                "a runtime that is listed",
            );
        }
        if self.from(28) && self.before(29) && !text("api-cors-header").is_empty() {
            refuse("api-cors-header", "no longer allows a value", "no such key");
        }
        let score = self.layout.configured("oom-score-adjust");
        if self.from(25)
            && self.before(26)
            && score.is_some_and(|(value, _)| ![json!(0), json!("0"), Value::Null].contains(&value))
        {
            refuse(
                "oom-score-adjust",
                "no longer allows another value than 0",
                "no such key",
            );
        }
    }

    /// Settings that the daemon refuses together, or on this host.
    fn pairs(&self, found: &mut Vec<Refusal>) {
        let is = |key: &str, wanted: &Value| {
            self.layout
                .configured(key)
                .filter(|(value, _)| value == wanted)
                .map(|(_, source)| source)
        };
        if let (Some(source), Some(_)) = (is("icc", &json!(false)), is("iptables", &json!(false))) {
            found.push(Refusal {
                keys: vec!["icc".to_owned(), "iptables".to_owned()],
                reason: "the daemon refuses to start with icc = false while iptables = false"
                    .to_owned(),
                wanted: "iptables = true".to_owned(),
                source,
                cure: "seaworthy plan --only daemon-iptables,daemon-icc".to_owned(),
                repeats_flag: false,
            });
        }
        let in_swarm = self.layout.swarm();
        if let (Some(source), Some(_)) = (is("live-restore", &json!(true)), in_swarm) {
            found.push(Refusal {
                keys: vec!["live-restore".to_owned()],
                reason: "the daemon of a swarm member refuses to start with live-restore = true"
                    .to_owned(),
                wanted: "live-restore = false".to_owned(),
                source,
                cure: "docker info --format '{{.Swarm.LocalNodeState}}'".to_owned(),
                repeats_flag: false,
            });
        }
        // moby `daemon/daemon_unix.go`, `verifyDaemonSettings`.
        let text = |key: &str| match self.layout.configured(key) {
            Some((Value::String(text), source)) if !text.is_empty() => Some(source),
            _ => None,
        };
        if let (Some(_), Some(source)) = (text("bridge"), text("bip")) {
            found.push(Refusal {
                keys: vec!["bridge".to_owned(), "bip".to_owned()],
                reason: "the daemon refuses to start with both bridge and bip".to_owned(),
                wanted: "one of them".to_owned(),
                source,
                cure: self.edit(),
                repeats_flag: false,
            });
        }
        // A flag gives it as `NAME=true`, or as the name alone.
        let snapshotter = self
            .layout
            .configured("features")
            .is_some_and(|(features, _)| {
                let name = "containerd-snapshotter";
                let is_on = |flag: &Value| flag == name || *flag == json!(format!("{name}=true"));
                features[name] == json!(true)
                    || features
                        .as_array()
                        .is_some_and(|flags| flags.iter().any(is_on))
            });
        let remapped = self
            .layout
            .configured("userns-remap")
            .filter(|(value, _)| !matches!(value.as_str(), None | Some("" | "root")));
        if let (true, true, Some((_, source))) = (self.from(29), snapshotter, remapped) {
            found.push(Refusal {
                keys: vec!["userns-remap".to_owned(), "features".to_owned()],
                reason: format!(
                    "{} refuses userns-remap together with the containerd image store",
                    self.name
                ),
                wanted: "one of them".to_owned(),
                source,
                cure: "docker info --format '{{.DriverStatus}}'".to_owned(),
                repeats_flag: false,
            });
        }
    }
}

#[cfg(test)]
#[path = "startable_tests.rs"]
mod tests;
