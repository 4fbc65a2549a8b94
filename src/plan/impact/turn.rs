//! What becomes different: what a restart of the daemon brings into effect, whose access changes,
//! what is watched from now on.
//!
//! A restart brings everything into effect that is configured by then, not only what a plan writes:
//! a key that somebody wrote last week and that still waits counts, too.

use crate::change::{Activation, Edit};
use crate::checks::{DaemonJson, Layout, key_changed_since_start, rule_files};
use crate::facts::{Docker, Facts, Kind, Mode, Reading, Seen, Unseen};
use crate::formats::audit_rules::{self, Watch};
use crate::formats::inert;
use crate::options;
use crate::plan::Plan;
use crate::plan::restart::{Restart, is_reloaded};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

/// Mode, owner and group of a path before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccessChange {
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) before: Access,
    pub(super) after: Access,
}

/// Who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) mode: Mode,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// What becomes different on a host.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    /// The host as it is.
    pub(super) facts: &'a Facts,
    /// Whether docker.service restarts.
    pub(super) restarts: bool,
    /// Whether running containers outlive that.
    pub(super) keeps: bool,
    /// What is configured now.
    was: BTreeMap<&'static str, Value>,
    /// What is configured then.
    configured: BTreeMap<&'static str, Value>,
    /// The keys that edits set or take out, in the file or from the command line.
    pub(super) keys: Vec<String>,
    /// Whose access changes.
    pub(super) access: Vec<AccessChange>,
    /// Watches that are new.
    pub(super) watches: Vec<Watch>,
    /// What was asked for and could not be seen: whoever it would have named is not known.
    blind: RefCell<BTreeMap<String, Unseen>>,
}

impl<'a> Turn<'a> {
    /// What a whole plan does.
    pub(super) fn of_plan(facts: &'a Facts, plan: &Plan, restart: Restart) -> Self {
        let after = &plan.forecast;
        let blind = RefCell::default();
        // There may be millions.
        let old: HashSet<Watch> = watches(facts, &blind).into_iter().collect();
        let access = after.files.iter().filter_map(|(path, node)| {
            let (node, before) = (node.known()?, facts.node(path));
            let before = *before.known()?;
            // What is new takes nothing away from anybody.
            let change = AccessChange {
                path: path.clone(),
                kind: before.kind,
                before: access_of(before),
                after: access_of(node),
            };
            (before.kind != Kind::Absent && change.before != change.after).then_some(change)
        });
        Self {
            facts,
            restarts: plan.activates(Activation::RestartDocker),
            keeps: restart.keeps(),
            was: configured(facts),
            configured: configured(after),
            keys: Vec::new(),
            access: access.collect(),
            watches: watches(after, &blind)
                .into_iter()
                .filter(|watch| !old.contains(watch))
                .collect(),
            blind,
        }
    }

    /// What these edits do by themselves.
    pub(super) fn of_edits(facts: &'a Facts, edits: &[Edit]) -> Self {
        let was = configured(facts);
        let mut turn = Self {
            facts,
            restarts: false,
            keeps: false,
            configured: was.clone(),
            was,
            keys: Vec::new(),
            access: Vec::new(),
            watches: Vec::new(),
            blind: RefCell::default(),
        };
        for edit in edits {
            match edit {
                Edit::DaemonKey { key, value } => {
                    turn.restarts |= !is_reloaded(edit, facts);
                    turn.set(key, value.clone());
                }
                Edit::DaemonFlag { key } => {
                    turn.restarts = true;
                    // Then the file decides.
                    let in_file = Layout::of(facts).in_file(key);
                    turn.set(key, in_file.map(|(value, _)| value));
                }
                Edit::RestartDocker | Edit::RestartContainers => turn.restarts = true,
                Edit::AuditWatch(watch) => turn.watches.push(watch.clone()),
                Edit::Access {
                    path,
                    clear,
                    uid,
                    gid,
                } => {
                    let node = match facts.node(path) {
                        Seen::Known(node) => node,
                        Seen::Unseen(unseen) => {
                            turn.blind.get_mut().insert(path.clone(), unseen);
                            continue;
                        }
                    };
                    let before = access_of(node);
                    turn.access.push(AccessChange {
                        path: path.clone(),
                        kind: node.kind,
                        before,
                        after: Access {
                            mode: before.mode.without(*clear),
                            uid: uid.unwrap_or(before.uid),
                            gid: gid.unwrap_or(before.gid),
                        },
                    });
                }
                Edit::BootFolder { .. }
                | Edit::EnvironmentVariable { .. }
                | Edit::DropIn(_)
                | Edit::LoadAuditRules => {}
            }
        }
        turn
    }

    fn set(&mut self, key: &str, value: Option<Value>) {
        self.keys.push(key.to_owned());
        if let Some(row) = options::row(key).filter(|row| row.depends.is_some()) {
            match value {
                Some(value) => self.configured.insert(row.name, value),
                None => self.configured.remove(row.name),
            };
        }
    }

    /// Whether the next start of the daemon is on what is configured then: the restart, the boot of an
    /// image, or whenever somebody starts a daemon that does not run.
    pub(super) fn starts(&self) -> bool {
        self.restarts || !self.facts.host.live || !Layout::of(self.facts).docker_runs()
    }

    /// The value of a key now and then, where they differ: of the running daemon's flag, where it has
    /// one, and else as configured.
    pub(super) fn changes(&self, key: &str) -> Option<(Option<Value>, Option<&Value>)> {
        let by_flag = Layout::of(self.facts).by_running_flag(key);
        let was = by_flag
            .map(|(value, _)| value)
            .or_else(|| self.was.get(key).cloned());
        let then = self.configured.get(key);
        (self.starts() && was.as_ref() != then).then_some((was, then))
    }

    /// Whether a switch that is off goes on; `default` is what it is where nothing sets it.
    pub(super) fn switches_on(&self, key: &str, default: bool) -> bool {
        let is_on = |value: Option<&Value>| match value {
            // To dockerd `null` is false where a switch is expected.
            Some(Value::Bool(false) | Value::Null) => false,
            Some(_) => true,
            None => default,
        };
        self.changes(key)
            .is_some_and(|(was, then)| !is_on(was.as_ref()) && is_on(then))
    }

    /// What is configured for a key once all of it is done.
    pub(super) fn then(&self, key: &str) -> Option<&Value> {
        self.configured.get(key)
    }

    /// Whether a switch whose default is off is on then.
    pub(super) fn is_on(&self, key: &str) -> bool {
        self.then(key) == Some(&Value::Bool(true))
    }

    /// Whether a switch is set to off then.
    pub(super) fn is_off(&self, key: &str) -> bool {
        matches!(self.then(key), Some(Value::Bool(false) | Value::Null))
    }

    /// What a file of this host holds. One that is there and could not be read is noted: what it would
    /// have said is part of what the edits disrupt ([`Self::blindness`]).
    pub(super) fn reading(&self, path: &str) -> Reading<'a> {
        read(self.facts, path, &self.blind)
    }

    /// The lines of a file, none where it is not there; as [`Self::reading`].
    pub(super) fn table(&self, path: &str) -> Cow<'a, str> {
        table(self.facts, path, &self.blind)
    }

    /// Whether something is at a path of this host. What could not be seen is noted, as by
    /// [`Self::reading`].
    pub(super) fn exists(&self, path: &str) -> bool {
        match self.facts.node(path) {
            Seen::Known(node) => node.kind != Kind::Absent,
            Seen::Unseen(unseen) => {
                self.blind.borrow_mut().insert(path.to_owned(), unseen);
                false
            }
        }
    }

    /// What those who were asked until now could not see, `/etc/group (permission denied)`: whom it
    /// would have named is not known. `None` where they saw all of it.
    pub(super) fn blindness(&self) -> Option<String> {
        let blind = self.blind.borrow();
        let paths: Vec<String> = blind
            .iter()
            .map(|(path, why)| format!("{} ({})", inert::line(path), inert::line(&why.unseen)))
            .collect();
        (!paths.is_empty()).then(|| paths.join(", "))
    }

    /// The first path of those, to be looked at by hand.
    pub(super) fn blind_at(&self) -> Option<String> {
        self.blind.borrow().keys().next().cloned()
    }

    /// What the running daemon said of itself.
    pub(super) fn docker(&self) -> Option<&'a Docker> {
        self.facts.docker.known()
    }

    /// The value of a key that the restart brings into effect; `None` where it is in effect
    /// already, is not set, or nothing restarts.
    pub(super) fn brings(&self, key: &str) -> Option<&Value> {
        let value = self.configured.get(key).filter(|_| self.restarts)?;
        let in_effect = self
            .docker()
            .and_then(|docker| docker.is_in_effect(key, value))
            .unwrap_or_else(|| self.was_read(key, value));
        (!in_effect).then_some(value)
    }

    /// Whether the restart switches something off.
    pub(super) fn switches_off(&self, key: &str) -> bool {
        // To dockerd `null` is false where a switch is expected.
        matches!(self.brings(key), Some(Value::Bool(false) | Value::Null))
    }

    /// For whom the restart begins to remap users: `default`, or an account.
    pub(super) fn remaps(&self) -> Option<&str> {
        // `root` is accepted and maps nothing (moby, daemon/daemon_unix.go).
        self.brings("userns-remap")?
            .as_str()
            .filter(|user| !matches!(user.split(':').next(), None | Some("" | "root")))
    }

    /// Of what the API does not show: the daemon has read the file in which it stands.
    fn was_read(&self, key: &str, value: &Value) -> bool {
        let layout = Layout::of(self.facts);
        !key_changed_since_start(self.facts, &layout.config, key)
            && layout
                .configured(key)
                .is_some_and(|(configured, _)| configured == *value)
    }
}

/// What is configured for the keys that anything can depend on, the file read once.
fn configured(facts: &Facts) -> BTreeMap<&'static str, Value> {
    let layout = Layout::of(facts);
    let document = match layout.daemon_json() {
        DaemonJson::Read(document) => Some(document),
        DaemonJson::Broken(_) | DaemonJson::Unreadable(..) => None,
    };
    let value = |key: &str| match layout.by_flag(key) {
        Some((value, _)) => Some(value),
        None => document.as_ref()?.get(key).cloned(),
    };
    options::rows()
        .filter(|row| row.depends.is_some())
        .filter_map(|row| Some((row.name, value(row.name)?)))
        .collect()
}

fn access_of(node: &crate::facts::Node) -> Access {
    Access {
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
    }
}

/// What the rule files watch.
fn watches(facts: &Facts, blind: &RefCell<BTreeMap<String, Unseen>>) -> Vec<Watch> {
    rule_files(facts)
        .iter()
        .flat_map(|file| audit_rules::watches(&table(facts, file, blind)))
        .collect()
}

fn table<'f>(
    facts: &'f Facts,
    path: &str,
    blind: &RefCell<BTreeMap<String, Unseen>>,
) -> Cow<'f, str> {
    match read(facts, path, blind) {
        Reading::Text(text) => text,
        Reading::Absent | Reading::Unread(_) => Cow::Borrowed(""),
    }
}

fn read<'f>(
    facts: &'f Facts,
    path: &str,
    blind: &RefCell<BTreeMap<String, Unseen>>,
) -> Reading<'f> {
    let reading = facts.reading(path);
    if let Reading::Unread(unseen) = &reading {
        blind.borrow_mut().insert(path.to_owned(), unseen.clone());
    }
    reading
}
