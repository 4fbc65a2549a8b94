//! Whether dockerd would start with its configuration as it stands.
//!
//! `dockerd --validate` answers that only in part, from 23.0 on, and only where something can be
//! run; what is here is known from the version alone. A configuration that the daemon refuses may
//! lie there unnoticed for months: it shows at the next restart.

use super::layout::{DaemonJson, Layout};
use super::swarm::Membership;
use super::unread::key_changed_since_start;
use crate::engine::{self, Settings};
use crate::facts::{Facts, Requests};
use crate::formats::daemon_json::directives::directives;
use crate::formats::daemon_json::{Document, Flaw};
use crate::formats::secrets::mask_quoted;
use crate::options::{self, Reading, Shape, Version};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
    /// Whether the daemon is known to refuse it; else that could not be found out.
    pub certain: bool,
}

/// All that this host's dockerd would refuse to start with, as far as its version is known, and what
/// could not be found out.
pub fn refusals(layout: &Layout<'_>) -> Vec<Refusal> {
    let facts = layout.facts;
    let daemon = Daemon::new(facts, layout);
    let mut found = Vec::new();
    match layout.daemon_json() {
        DaemonJson::Read(document) => {
            daemon.unreadable(&document, &mut found);
            daemon.names(&document, &mut found);
            daemon.objects(&document, &mut found);
            daemon.duplicates(&document, &mut found);
            daemon.other_work(&document, &mut found);
            daemon.flags(&document, &mut found);
        }
        DaemonJson::Broken(error) => found.push(Refusal {
            keys: Vec::new(),
            reason: format!("the file does not parse: {}", error.reason),
            wanted: "one JSON object".to_owned(),
            source: format!("{}:{}:{}", layout.config, error.line, error.column),
            cure: daemon.edit(),
            repeats_flag: false,
            certain: !daemon.reads_all_the_same(facts.text(&layout.config)),
        }),
        DaemonJson::Unreadable(..) => {}
    }
    found.extend(of_values(layout).iter().cloned());
    found
}

/// What of that is about the value of this key, whatever else the file says.
pub fn refusals_of(layout: &Layout<'_>, key: &str) -> Vec<Refusal> {
    let is_of = |refusal: &&Refusal| refusal.keys.iter().any(|it| it == key);
    of_values(layout).iter().filter(is_of).cloned().collect()
}

/// What it refuses of the values. Each of them is looked at, so that is done once for all controls.
fn of_values<'l>(layout: &'l Layout<'_>) -> &'l [Refusal] {
    layout.value_refusals.get_or_init(|| {
        let mut found = Vec::new();
        Daemon::new(layout.facts, layout).settings(layout.facts, &mut found);
        found
    })
}

/// What must be seen to judge the values.
pub(super) fn requests(facts: &Facts, layout: &Layout<'_>) -> Requests {
    let daemon = Daemon::new(facts, layout);
    let (settings, _) = daemon.configured(facts);
    engine::requests(&settings)
}

struct Daemon<'a> {
    layout: &'a Layout<'a>,
    name: String,
    version: Option<Version>,
}

impl<'a> Daemon<'a> {
    fn new(facts: &Facts, layout: &'a Layout<'a>) -> Self {
        let version = facts.docker_version.known();
        Self {
            layout,
            name: version.map_or_else(|| "dockerd".to_owned(), |it| format!("dockerd {it}")),
            version: version.and_then(|it| Version::parse(it)),
        }
    }

    /// The options as they will be set, and where each stands. What is ignored, refused by its name or
    /// of another shape has no value.
    fn configured<'f>(&self, facts: &'f Facts) -> (Settings<'f>, BTreeMap<&'static str, String>) {
        let mut set: BTreeMap<&'static str, (Value, bool, String)> = BTreeMap::new();
        if let DaemonJson::Read(document) = self.layout.daemon_json() {
            for directive in directives(&document, self.version) {
                let Some(row) = options::row(directive.name) else {
                    continue;
                };
                let reading = options::reading(row.name, self.version);
                if !reading.is_some_and(Reading::refuses)
                    && directive.inside.is_none()
                    && row.shape.fits(directive.value)
                {
                    let at = self.at(&document, row.name);
                    set.insert(row.name, (directive.value.clone(), false, at));
                }
            }
            for (outer, inner, on) in document.nested_booleans() {
                if let Some(row) = options::row(&inner).filter(|row| row.shape == Shape::Switch) {
                    let at = self.at(&document, &outer);
                    set.entry(row.name).or_insert((Value::Bool(on), false, at));
                }
            }
        }
        for row in options::rows().filter(|row| row.flag.is_some()) {
            if let Some((value, source)) = self.layout.by_flag(row.name)
                // Those of both are joined.
                && row.name != "runtimes"
            {
                let number = value.as_str().and_then(|text| text.parse::<i64>().ok());
                let value = match number.filter(|_| row.shape == Shape::Integer) {
                    Some(number) => json!(number),
                    None => value,
                };
                set.insert(row.name, (value, true, source));
            }
        }
        let sources = set
            .iter()
            .map(|(key, (_, _, at))| (*key, at.clone()))
            .collect();
        let values = set
            .into_iter()
            .map(|(key, (value, by_flag, _))| (key, value, by_flag));
        let mut settings = Settings::new(facts, self.version, values);
        settings.remaps_now = facts
            .docker
            .known()
            .is_some_and(crate::facts::Docker::is_remapped)
            && !key_changed_since_start(facts, &self.layout.config, "userns-remap");
        settings.in_swarm = match self.layout.swarm() {
            Membership::Member(_) => Some(true),
            Membership::None => Some(false),
            Membership::Unseen(..) => None,
        };
        settings.runtimes_by_flag = self
            .layout
            .flags
            .all("add-runtime")
            .into_iter()
            .map(str::to_owned)
            .collect();
        (settings, sources)
    }

    /// Values that the daemon refuses.
    fn settings(&self, facts: &Facts, found: &mut Vec<Refusal>) {
        let (settings, sources) = self.configured(facts);
        for complaint in engine::complaints(&settings) {
            let set: Vec<_> = complaint
                .keys
                .iter()
                .filter(|key| sources.contains_key(*key))
                .collect();
            let source = set.last().and_then(|key| sources.get(**key));
            // What only flags say is not in the file.
            let cure = match complaint.hint {
                Some(hint) => hint.to_owned(),
                None if set.iter().any(|key| !settings.is_by_flag(key)) => self.edit(),
                None => self.layout.edit_start(),
            };
            let quoted = complaint.keys.iter().fold(complaint.reason, |said, key| {
                let value = settings.get(key);
                value.map_or(said.clone(), |value| mask_quoted(&said, key, value))
            });
            found.push(Refusal {
                keys: complaint.keys.iter().map(|key| (*key).to_owned()).collect(),
                reason: format!("{}: {quoted}", self.name),
                wanted: complaint.wanted,
                source: source.unwrap_or(&self.layout.config).clone(),
                cure,
                repeats_flag: false,
                certain: complaint.certain,
            });
        }
    }

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
                certain: true,
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
                certain: true,
            });
        }
    }

    /// Of a key that stands twice the last one counts, and yet each of them must fit: Go reads the one
    /// after the other.
    fn duplicates(&self, document: &Document, found: &mut Vec<Refusal>) {
        let is_one = |flaw: &Flaw| matches!(flaw, Flaw::DuplicateKey { .. });
        if !document.flaws().iter().any(is_one) {
            return;
        }
        let Ok(Entries(entries)) = serde_json::from_str(document.text()) else {
            return;
        };
        for (key, value) in entries {
            let shape = options::shape(&key, self.version);
            // The last one was judged already.
            if document.get(&key) != Some(&value) && !shape.fits(&value) {
                found.push(Refusal {
                    reason: format!("`{key}` stands twice, and one of them is not {shape}"),
                    wanted: "each key once".to_owned(),
                    source: self.at(document, &key),
                    keys: vec![key],
                    cure: self.edit(),
                    repeats_flag: false,
                    certain: true,
                });
            }
        }
    }

    /// Switches that make the daemon do something else than to run.
    fn other_work(&self, document: &Document, found: &mut Vec<Refusal>) {
        let of_proxies = match document.get("proxies") {
            Some(Value::Object(proxies)) if self.from(23) => proxies.clone(),
            _ => serde_json::Map::new(),
        };
        for (key, value) in of_proxies {
            if matches!(key.as_str(), "http-proxy" | "https-proxy" | "no-proxy")
                && !Shape::Text.fits(&value)
            {
                found.push(self.refusal(
                    document,
                    "proxies",
                    format!("`{key}` in `proxies` is not {}", Shape::Text),
                    &Shape::Text,
                ));
            }
        }
        if document.get("validate") == Some(&Value::Bool(true)) && self.from(23) {
            let reason =
                "with `validate` the daemon looks at its configuration and ends".to_owned();
            found.push(self.refusal(document, "validate", reason, &"no such key"));
        }
    }

    fn refusal(
        &self,
        document: &Document,
        key: &str,
        reason: String,
        wanted: &dyn std::fmt::Display,
    ) -> Refusal {
        Refusal {
            keys: vec![key.to_owned()],
            reason,
            wanted: wanted.to_string(),
            source: self.at(document, key),
            cure: self.edit(),
            repeats_flag: false,
            certain: true,
        }
    }

    /// Objects where something else is wanted: the names in them were looked up, and then they do not
    /// fit.
    fn objects(&self, document: &Document, found: &mut Vec<Refusal>) {
        let is_object = |key: &&str| matches!(document.get(key), Some(Value::Object(_)));
        for key in document.keys().into_iter().filter(is_object) {
            let shape = options::shape(key, self.version);
            if options::is_taken_whole(key, self.version) || shape.fits(&json!({})) {
                continue;
            }
            found.push(self.refusal(document, key, format!("`{key}` is not {shape}"), &shape));
        }
    }

    /// Whether the daemon reads a text that is not what it should be: `null` as no settings, and before
    /// 23.0 one object whatever follows it.
    fn reads_all_the_same(&self, text: Option<&str>) -> bool {
        let Some(text) = text else {
            return true;
        };
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let first = values.next();
        match first {
            Some(Ok(Value::Null | Value::Object(_))) => !self.from(23) || text.trim() == "null",
            _ => false,
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
                    certain: true,
                });
            }
        }
    }
}

/// The entries of an object, duplicates included.
struct Entries(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Entries {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> serde::de::Visitor<'de> for All {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
#[path = "startable_tests.rs"]
mod tests;
