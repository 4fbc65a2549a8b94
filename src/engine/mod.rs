//! What dockerd refuses of the *values* in its configuration.
//!
//! A daemon that runs has read its file once; what somebody has written since may stop it at its next
//! start, and nothing shows that before. `dockerd --validate` sees a part of it, from 23.0 on. Here is
//! what is known without it, a file a group of keys; the names of the keys are in [`crate::options`].
//!
//! Every rule was put before dockerd 20.10.5, 20.10.24, 26.1.5, 28.5.2 and 29.7.2
//! (`tests/fixtures/dockerd`); where they differ, the first version of the other behaviour was looked up
//! in moby's source at its tags. Of a version that is later than the newest one in [`crate::options`] all
//! is in doubt: what it refuses was not measured.

mod accounts;
mod bridge;
mod builder;
mod flags;
mod lists;
mod logging;
mod modes;
mod registries;
mod runtimes;
mod sockets;
mod storage;
mod tables;

use crate::facts::{Facts, Kind, Look, Requests, steps};
use crate::options::{NEWEST, Version};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The options as they will be set at the daemon's next start.
#[derive(Debug)]
pub struct Settings<'a> {
    /// What was seen of the host.
    pub facts: &'a Facts,
    /// The version of dockerd, where it is known.
    pub version: Option<Version>,
    /// The running daemon remaps users as it is configured now.
    pub remaps_now: bool,
    /// This host is a member of a swarm; `None` where that could not be seen.
    pub in_swarm: Option<bool>,
    /// The runtimes that flags add, `NAME=PATH` each.
    pub runtimes_by_flag: Vec<String>,
    values: BTreeMap<&'a str, Value>,
    by_flag: BTreeSet<&'a str>,
}

/// Something in the values with which the daemon refuses to start, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The keys that it is about.
    pub keys: Vec<&'static str>,
    /// What is wrong, as a clause: "`labels` has an entry without `=`: prod".
    pub reason: String,
    /// What is wanted instead.
    pub wanted: String,
    /// Whether the daemon is known to refuse it; else that could not be found out.
    pub certain: bool,
    /// A command that helps, where it is another one than editing the file.
    pub hint: Option<&'static str>,
}

impl Complaint {
    fn new(key: &'static str, reason: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self {
            keys: vec![key],
            reason: reason.into(),
            wanted: wanted.into(),
            certain: true,
            hint: None,
        }
    }

    /// The same where it is not known whether the daemon minds.
    fn unless(mut self, doubt: bool) -> Self {
        self.certain &= !doubt;
        self
    }
}

/// All that is to be complained of.
pub fn complaints(settings: &Settings<'_>) -> Vec<Complaint> {
    let mut found = Vec::new();
    accounts::complain(settings, &mut found);
    bridge::complain(settings, &mut found);
    builder::complain(settings, &mut found);
    flags::complain(settings, &mut found);
    lists::complain(settings, &mut found);
    logging::complain(settings, &mut found);
    modes::complain(settings, &mut found);
    registries::complain(settings, &mut found);
    runtimes::complain(settings, &mut found);
    sockets::complain(settings, &mut found);
    storage::complain(settings, &mut found);
    tables::complain(settings, &mut found);
    if settings.version.is_some_and(|version| version > NEWEST) {
        for complaint in &mut found {
            complaint.certain = false;
        }
    }
    found
}

/// What must be seen of the host to judge the values.
pub fn requests(settings: &Settings<'_>) -> Requests {
    let mut requests = Requests::new();
    if !settings.text("userns-remap").is_empty() {
        requests.extend(accounts::FILES.map(|path| (path.to_owned(), Look::Content)));
    }
    if !settings.text("group").is_empty() {
        requests.insert("/etc/group".to_owned(), Look::Content);
    }
    let device = settings.text("bridge");
    if !["", "none", "docker0"].contains(&device) && settings.facts.host.live {
        requests.insert(bridge::device(device), Look::Attributes);
    }
    let certificates = sockets::files(settings).into_iter();
    requests.extend(certificates.map(|path| (path, Look::Content)));
    let seen = storage::paths(settings).into_iter();
    let seen = seen
        .chain(sockets::folders(settings))
        .chain(logging::socket(settings));
    for path in seen {
        requests.entry(path).or_insert(Look::Attributes);
    }
    requests
}

impl<'a> Settings<'a> {
    /// The options that are set: each key with its value, and whether a flag sets it. Of a key that is
    /// given twice the last counts. A value whose shape is wrong is somebody else's to refuse, and
    /// does not belong here.
    pub fn new(
        facts: &'a Facts,
        version: Option<Version>,
        set: impl IntoIterator<Item = (&'a str, Value, bool)>,
    ) -> Self {
        let mut settings = Self {
            facts,
            version,
            remaps_now: false,
            in_swarm: Some(false),
            runtimes_by_flag: Vec::new(),
            values: BTreeMap::new(),
            by_flag: BTreeSet::new(),
        };
        for (key, value, by_flag) in set {
            settings.values.insert(key, value);
            if by_flag {
                settings.by_flag.insert(key);
            }
        }
        settings
    }

    /// Whether a flag sets a key.
    pub fn is_by_flag(&self, key: &str) -> bool {
        self.by_flag.contains(key)
    }

    /// The value of a key, where it is set.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Whether a key is set, to whatever.
    fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Whether a switch is on. To Go `null` is false.
    fn is_on(&self, key: &str, default: bool) -> bool {
        match self.get(key) {
            Some(value) => *value == Value::Bool(true),
            None => default,
        }
    }

    /// The text at a key; the empty one where there is none.
    fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The texts of a list; `null` is the empty text to Go. A flag that is given once is no list.
    fn texts(&self, key: &str) -> Vec<&str> {
        match self.get(key) {
            Some(Value::Array(items)) => steps::counted(items)
                .map(|item| item.as_str().unwrap_or_default())
                .collect(),
            Some(Value::String(text)) if self.by_flag.contains(key) => vec![text],
            _ => Vec::new(),
        }
    }

    /// The entries of an object.
    fn table(&self, key: &str) -> Option<&Map<String, Value>> {
        self.get(key).and_then(Value::as_object)
    }

    /// Whether the default bridge takes its network from a pool.
    fn needs_bridge_pool(&self) -> bool {
        self.text("bridge").is_empty() && self.text("bip").is_empty()
    }

    /// Whether the version is known, and before this one.
    fn before(&self, major: u32, minor: u32) -> bool {
        self.version
            .is_some_and(|version| version < Version { major, minor })
    }

    /// Whether the version is known, and this one or later.
    fn from(&self, major: u32, minor: u32) -> bool {
        self.version
            .is_some_and(|version| version >= Version { major, minor })
    }
}

/// The value of a field as Go finds it: in any case of its letters, of several the last.
fn field<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    let found = object.iter().rfind(|(key, _)| {
        steps::count(1);
        key.eq_ignore_ascii_case(name)
    });
    found
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// Whether it is known that nothing is at a path.
fn is_absent(facts: &Facts, path: &str) -> bool {
    facts
        .node(path)
        .known()
        .is_some_and(|node| node.kind == Kind::Absent)
}

/// An address with a zero before a number, as in `010.0.0.1`. What was built with Go before 1.17 reads
/// it, and 20.10 was built with several.
fn has_leading_zero(settings: &Settings<'_>, text: &str) -> bool {
    !settings.from(23, 0)
        && text
            .split(['.', '/'])
            .any(|part| part.len() > 1 && part.starts_with('0'))
}

/// Whether a value is a number that Go's `int` holds.
fn is_integer(value: &Value) -> bool {
    value.is_i64()
}
