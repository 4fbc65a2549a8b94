//! What becomes different: what a restart of the daemon brings into effect, whose access changes,
//! what is watched from now on.
//!
//! A restart brings everything into effect that is configured by then, not only what a plan writes:
//! a key that somebody wrote last week and that still waits counts, too.

use crate::change::{Activation, Edit};
use crate::checks::{Layout, key_changed_since_start, rule_files};
use crate::facts::{Docker, Facts, Kind, Mode, Seen};
use crate::formats::audit_rules::{self, Watch};
use crate::options;
use crate::plan::Plan;
use crate::plan::restart::{Restart, is_reloaded};
use serde_json::Value;
use std::collections::BTreeMap;

/// The daemon.json keys whose effects are told.
fn told() -> impl Iterator<Item = &'static str> {
    options::rows().filter(|row| row.told).map(|row| row.name)
}

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
    /// What is configured then.
    configured: BTreeMap<&'static str, Value>,
    /// Whose access changes.
    pub(super) access: Vec<AccessChange>,
    /// Watches that are new.
    pub(super) watches: Vec<Watch>,
}

impl<'a> Turn<'a> {
    /// What a whole plan does.
    pub(super) fn of_plan(facts: &'a Facts, plan: &Plan, restart: Restart) -> Self {
        let after = &plan.forecast;
        let layout = Layout::of(after);
        let old = watches(facts);
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
            configured: told()
                .filter_map(|key| Some((key, layout.configured(key)?.0)))
                .collect(),
            access: access.collect(),
            watches: watches(after)
                .into_iter()
                .filter(|watch| !old.contains(watch))
                .collect(),
        }
    }

    /// What these edits do by themselves.
    pub(super) fn of_edits(facts: &'a Facts, edits: &[Edit]) -> Self {
        let layout = Layout::of(facts);
        let mut turn = Self {
            facts,
            restarts: false,
            keeps: false,
            configured: told()
                .filter_map(|key| Some((key, layout.configured(key)?.0)))
                .collect(),
            access: Vec::new(),
            watches: Vec::new(),
        };
        for edit in edits {
            match edit {
                Edit::DaemonKey { key, value } => {
                    turn.restarts |= !is_reloaded(edit, facts);
                    if let Some(known) = told().find(|known| known == key) {
                        match value {
                            Some(value) => turn.configured.insert(known, value.clone()),
                            None => turn.configured.remove(known),
                        };
                    }
                }
                Edit::RestartDocker | Edit::RestartContainers | Edit::DaemonFlag { .. } => {
                    turn.restarts = true;
                }
                Edit::AuditWatch(watch) => turn.watches.push(watch.clone()),
                Edit::Access {
                    path,
                    clear,
                    uid,
                    gid,
                } => {
                    let Seen::Known(node) = facts.node(path) else {
                        continue;
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

fn access_of(node: &crate::facts::Node) -> Access {
    Access {
        mode: node.mode,
        uid: node.uid,
        gid: node.gid,
    }
}

/// What the rule files watch.
fn watches(facts: &Facts) -> Vec<Watch> {
    rule_files(facts)
        .iter()
        .flat_map(|file| audit_rules::watches(facts.text(file).unwrap_or_default()))
        .collect()
}
