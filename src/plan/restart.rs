//! How the daemon is brought to read its new configuration, with the least disruption.
//!
//! | what runs | how |
//! |---|---|
//! | only keys change that a reload brings into effect | a reload, no restart |
//! | no containers | one restart |
//! | containers, and live-restore is on | one restart, which they outlive |
//! | containers, and live-restore is to be on | first live-restore alone, by a reload; then one restart, which they outlive |
//! | containers that must not outlive it | live-restore off by a reload, where it is on; then one restart, which stops them |
//!
//! What a daemon does with containers: docs.docker.com, "Live restore". Containers must not outlive
//! a restart after which the daemon has another root: it would not know them, and they would run
//! on, invisible. A swarm's daemon refuses live-restore. While containers run over a restart the
//! daemon leaves the default bridge as it is, so somebody may want them to stop.

use super::Options;
use crate::change::{Action, Edit, State};
use crate::checks::{DaemonJson, Layout};
use crate::facts::{Docker, Facts, Seen, Swarm};
use crate::options::{Reload, row};
use serde_json::Value;

/// What becomes of running containers when docker.service restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restart {
    /// They stop, or there are none.
    Stopping,
    /// They would go on, and must not: live-restore goes off first.
    StoppingFirst,
    /// They go on.
    Keeping,
    /// They go on, once live-restore was switched on.
    KeepingFirst,
}

impl Restart {
    /// Whether running containers outlive it.
    pub(super) fn keeps(self) -> bool {
        matches!(self, Self::Keeping | Self::KeepingFirst)
    }

    /// How a restart from the one state to the other is to go. `after` has the files as they become.
    pub(super) fn of(before: &Facts, after: &Facts, options: &Options) -> Self {
        let Seen::Known(docker) = &before.docker else {
            return Self::Stopping;
        };
        if !docker.may_run_containers() {
            return Self::Stopping;
        }
        let stays_on = configured_live_restore(after);
        let must_stop = options.restart_containers
            || docker.swarm == Swarm::Active
            || changes_root(docker, after);
        match (docker.live_restore, stays_on && !must_stop) {
            (true, true) => Self::Keeping,
            (true, false) => Self::StoppingFirst,
            (false, true) if can_be_reloaded(before, after) => Self::KeepingFirst,
            (false, _) => Self::Stopping,
        }
    }

    /// Why the containers that must stop would go on, and what helps: no reload switches live-restore
    /// off that a flag has switched on, and a file that repeats a flag is refused.
    pub(super) fn leaves_behind(self, before: &Facts) -> Option<(String, String)> {
        if self != Self::StoppingFirst {
            return None;
        }
        let layout = Layout::of(before);
        let (_, flag) = layout
            .by_running_flag("live-restore")
            .or_else(|| layout.by_flag("live-restore"))?;
        let running: Vec<&str> = before
            .docker
            .known()?
            .running()
            .map(|container| container.name.as_str())
            .collect();
        Some((
            format!(
                "what runs must stop before this restart, and live-restore keeps it running: it is on by {flag}, which no reload switches off: {}",
                running.join(", ")
            ),
            format!("docker stop {}", running.join(" ")),
        ))
    }

    /// Whether running containers could outlive a restart, as far as it is known before anything is
    /// planned: `live_restore` says that live-restore will be wished for.
    pub(super) fn may_keep(before: &Facts, live_restore: bool, options: &Options) -> bool {
        let Seen::Known(docker) = &before.docker else {
            return false;
        };
        !options.restart_containers
            && docker.swarm == Swarm::Inactive
            && (docker.live_restore || (live_restore && can_be_reloaded(before, before)))
    }

    /// The content of the daemon's configuration that is written and reloaded before everything
    /// else, as a change of what is there now.
    pub(super) fn prelude(self, before: &Facts) -> Option<Action> {
        let on = match self {
            Self::KeepingFirst => true,
            Self::StoppingFirst => false,
            Self::Stopping | Self::Keeping => return None,
        };
        let path = Layout::of(before).config;
        let Seen::Known(node) = before.node(&path) else {
            return None;
        };
        let before = State::of(node)?;
        let after = before.with_live_restore(on)?;
        Some(Action {
            path,
            before,
            after,
        })
    }
}

fn configured_live_restore(facts: &Facts) -> bool {
    let configured = Layout::of(facts).configured("live-restore");
    configured.is_some_and(|(value, _)| value == Value::Bool(true))
}

/// Whether the next daemon has another root: for images, containers and volumes it is another one.
fn changes_root(docker: &Docker, after: &Facts) -> bool {
    let layout = Layout::of(after);
    let remap = layout.configured("userns-remap").map(|(value, _)| value);
    let wanted = remap.unwrap_or_else(|| Value::from(""));
    if docker.is_in_effect("userns-remap", &wanted) == Some(false) {
        return true;
    }
    let driver = layout.configured("storage-driver").map(|(value, _)| value);
    if driver.is_some_and(|wanted| docker.is_in_effect("storage-driver", &wanted) == Some(false)) {
        return true;
    }
    !docker.has_root(&after.real_path(&layout.data_root()))
}

/// Whether live-restore can be switched on by a reload: the file can be read as it is, and neither
/// it nor a flag, of the unit or of the running daemon, decides otherwise. A file that is on already
/// has not been read by the daemon; who knows what else of it has not. A daemon with a flag that its
/// file repeats reads nothing of it.
fn can_be_reloaded(before: &Facts, after: &Facts) -> bool {
    let flags = |facts: &Facts| Layout::of(facts).flags.sets_key("live-restore").is_some();
    let layout = Layout::of(before);
    let conflicts = match (&layout.running, layout.daemon_json()) {
        (Some(running), DaemonJson::Read(document)) => document
            .keys()
            .into_iter()
            .chain(["live-restore"])
            .any(|key| key != "runtimes" && running.sets_key(key).is_some()),
        _ => false,
    };
    !conflicts
        && !flags(before)
        && !flags(after)
        && !configured_live_restore(before)
        && Restart::KeepingFirst.prelude(before).is_some()
}

/// Whether a reload brings this into effect, and is enough. It reverts nothing, so it is asked for only where the key
/// is set, and the running daemon must be the one that reads it.
pub(super) fn is_reloaded(edit: &Edit, facts: &Facts) -> bool {
    let Edit::DaemonKey {
        key,
        value: Some(Value::Bool(true)),
    } = edit
    else {
        return false;
    };
    row(key).is_some_and(|row| row.reload == Reload::Enough)
        && facts
            .docker
            .known()
            .is_some_and(|docker| docker.effective(key) == Some(Value::Bool(false)))
        && can_be_reloaded(facts, facts)
}
