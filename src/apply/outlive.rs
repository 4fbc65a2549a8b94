//! Live-restore in a rollback: which containers outlive its restart, and how the daemon is told.

use super::{Step, Transaction};
use crate::change::{Action, Activation, State};
use crate::checks::{BRIDGE_EVENT, Layout};
use crate::facts::{Container, Docker, Facts, Seen};
use crate::formats::daemon_json::Document;
use serde_json::Value;

impl Transaction {
    /// A daemon that keeps its containers over a restart must be told before the file no longer
    /// says so, or the next daemon kills them.
    pub(super) fn switch_live_restore_off(&mut self, facts: &Facts, config: &str) {
        let Seen::Known(docker) = &facts.docker else {
            return;
        };
        if !docker.live_restore || self.live_restore_off.is_some() {
            return;
        }
        let Some(step) = self
            .steps
            .iter_mut()
            .find(|step| step.action.path == config)
        else {
            return;
        };
        let stays_on = has_live_restore(&step.action.after)
            && keeps_root(facts, docker, &step.action.before, &step.action.after);
        let (false, Some(explicit)) = (stays_on, step.action.before.with_live_restore(false))
        else {
            return;
        };
        let before = std::mem::replace(&mut step.action.before, explicit.clone());
        self.live_restore_off = Some(Step {
            what: format!("{config}: live-restore explicitly off"),
            action: Action {
                path: config.to_owned(),
                before,
                after: explicit,
            },
            controls: Vec::new(),
        });
    }

    /// Containers that have outlived the restart of the original, and run since, are as they were
    /// before it: they outlive the restart of the rollback, too. One that was started since has
    /// what is taken back, and a restart puts an end to that.
    pub(super) fn keep_containers(&mut self, facts: &Facts) {
        let (Seen::Known(docker), Some(since)) = (&facts.docker, self.kept_since) else {
            return;
        };
        let lasting: Vec<&Container> = docker
            .running()
            .filter(|container| docker.live_restore_keeps(container))
            .collect();
        let icc_waits = self
            .expect
            .daemon
            .get("icc")
            .is_some_and(|wanted| docker.is_in_effect("icc", wanted) == Some(false));
        // One that was not shown may have been started since.
        if !docker.live_restore
            || docker.hidden_containers().next().is_some()
            || lasting.is_empty()
            || !lasting
                .iter()
                .all(|container| container.has_run_since(since))
            || icc_waits
            || !self.activations.contains(&Activation::RestartDocker)
        {
            return;
        }
        let Some(off) = &self.live_restore_off else {
            return;
        };
        let Some(step) = self
            .steps
            .iter_mut()
            .find(|step| step.action.path == off.action.path)
        else {
            return;
        };
        let former = step.action.after.clone();
        // A failure leads back to the file as it is now, by a restart that they outlive, too.
        let both_ways = has_live_restore(&off.action.before)
            && keeps_root(facts, docker, &off.action.before, &former);
        let (true, Some(kept), Some(explicit)) = (
            both_ways,
            former.with_live_restore(true),
            former.with_live_restore(false),
        ) else {
            return;
        };
        let path = off.action.path.clone();
        let afterwards = |before: &State, after: &State, what: String| Step {
            what,
            action: Action {
                path: path.clone(),
                before: before.clone(),
                after: after.clone(),
            },
            controls: Vec::new(),
        };
        self.afterwards = vec![
            afterwards(&kept, &explicit, off.what.clone()),
            afterwards(&explicit, &former, step.what.clone()),
        ];
        step.action.before = off.action.before.clone();
        step.what = format!("{}, but for live-restore", step.what);
        step.action.after = kept;
        self.live_restore_off = None;
        self.expect.containers = lasting
            .into_iter()
            .filter(|container| container.can_be_started_again())
            .map(|container| container.name.clone())
            .collect();
    }

    /// While live-restore keeps containers running the daemon does not touch its default bridge: what
    /// is put back for it takes effect when they stop.
    pub(super) fn leave_the_bridge(&mut self, facts: &Facts) {
        let Seen::Known(docker) = &facts.docker else {
            return;
        };
        if self.live_restore_off.is_some() || !docker.keeps_bridge_over_restart() {
            return;
        }
        self.expect_undone.daemon.remove("icc");
        if let Some(wanted) = self.expect.daemon.remove("icc")
            && docker.is_in_effect("icc", &wanted) == Some(false)
        {
            self.pending.get_or_insert_with(|| BRIDGE_EVENT.to_owned());
        }
    }
}

/// Whether a daemon.json switches live-restore on.
pub(super) fn has_live_restore(state: &State) -> bool {
    key_of(state, "live-restore") == Some(Value::Bool(true))
}

/// Whether a daemon that reads either file has the root that this one has. Containers must not run
/// on under one that the next daemon does not know.
fn keeps_root(facts: &Facts, docker: &Docker, one: &State, other: &State) -> bool {
    let same = |key: &str| key_of(one, key) == key_of(other, key);
    let is_in_effect = |key: &str, unset: &str| {
        let wanted = key_of(one, key).unwrap_or_else(|| Value::from(unset));
        docker.is_in_effect(key, &wanted) != Some(false)
    };
    let root = match key_of(one, "data-root") {
        Some(Value::String(root)) => root,
        _ => Layout::of(facts).data_root(),
    };
    ["userns-remap", "data-root", "storage-driver"]
        .iter()
        .all(|key| same(key))
        && is_in_effect("userns-remap", "")
        && is_in_effect("storage-driver", &docker.storage_driver)
        && docker.has_root(&facts.real_path(&root))
}

/// The value of a key of a daemon.json; `None` also where it cannot be read.
pub(super) fn key_of(state: &State, key: &str) -> Option<Value> {
    let document = Document::parse(state.text().as_bytes()).ok()?;
    document.get(key).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::today::tests::{host, rollback};
    use super::*;
    use crate::facts::Attributes;

    #[test]
    fn a_bridge_that_containers_go_on_using_is_not_waited_for() {
        let running = Container {
            name: "web".into(),
            running: true,
            ..Container::default()
        };
        let docker = Docker {
            live_restore: true,
            containers: vec![running],
            bridge_options: [(crate::facts::ENABLE_ICC.to_owned(), "false".to_owned())].into(),
            ..Docker::default()
        };
        let mut transaction = rollback(&[Activation::RestartDocker]);
        transaction.steps[0].action.after = State::File {
            attributes: Attributes::default(),
            content: "{\n  \"live-restore\": true\n}\n".into(),
        };
        transaction.expect.daemon = [("icc".to_owned(), Value::Bool(true))].into();
        transaction.fit_to_today(&host("active", docker));
        assert!(transaction.live_restore_off.is_none());
        assert!(transaction.expect.daemon.is_empty());
        assert_eq!(transaction.pending.as_deref(), Some(BRIDGE_EVENT));
    }

    /// The rollback of a transaction that has kept containers, on the day after; `edit` changes the
    /// host or the rollback.
    fn rollback_of_kept(edit: impl Fn(&mut Transaction, &mut Docker)) -> (Transaction, Facts) {
        let running = |name: &str, started_at: &str| Container {
            name: name.to_owned(),
            running: true,
            started_at: started_at.to_owned(),
            ..Container::default()
        };
        let mut docker = Docker {
            version: "20.10.24".to_owned(),
            live_restore: true,
            containers: vec![running("web", "2026-11-22T10:15:29Z")],
            bridge_options: [(crate::facts::ENABLE_ICC.to_owned(), "true".to_owned())].into(),
            ..Docker::default()
        };
        let mut transaction = rollback(&[Activation::RestartDocker]);
        transaction.kept_since = Some(1_795_342_530_000_000);
        transaction.expect.daemon = [
            ("icc".to_owned(), Value::Bool(true)),
            ("live-restore".to_owned(), Value::Bool(false)),
        ]
        .into();
        edit(&mut transaction, &mut docker);
        let facts = host("active", docker);
        transaction.fit_to_today(&facts);
        (transaction, facts)
    }

    fn file(text: &str) -> State {
        State::File {
            attributes: Attributes::default(),
            content: text.into(),
        }
    }

    #[test]
    fn containers_that_run_since_before_outlive_the_rollback() {
        let (transaction, facts) = rollback_of_kept(|_, docker| {
            docker.containers.push(Container {
                name: "job".into(),
                running: true,
                auto_remove: true,
                ..Container::default()
            });
        });
        assert!(transaction.live_restore_off.is_none());
        let texts: Vec<_> = transaction
            .all_steps()
            .map(|step| (step.action.before.text(), step.action.after.text()))
            .collect();
        let hardened = "{\n  \"icc\": false,\n  \"live-restore\": true\n}\n";
        let with = |value| format!("{{\n  \"live-restore\": {value}\n}}\n");
        assert_eq!(
            texts,
            [
                (hardened, with(true).as_str()),
                (&with(true), &with(false)),
                (&with(false), "")
            ]
        );
        assert_eq!(
            transaction.all_steps().last().unwrap().action.after,
            State::Absent
        );
        assert_eq!(transaction.expect.containers, ["web"]);
        assert_eq!(transaction.expect_undone.containers, ["web"]);
        // It was never in effect, so there is nothing to wait for.
        assert_eq!(transaction.pending, None);
        assert_eq!(
            transaction.impact_today(&facts),
            [
                "docker.service restarts, and live-restore keeps these containers running: web",
                "docker.service restarts, and docker deletes these containers, which were started with --rm: job"
            ]
        );
    }

    #[test]
    fn a_rollback_stops_containers_where_only_that_takes_everything_back() {
        type Edit = fn(&mut Transaction, &mut Docker);
        let edits: [(&str, Edit); 8] = [
            ("the original stopped them, too", |transaction, _| {
                transaction.kept_since = None;
            }),
            (
                "one was started since, with what is taken back",
                |_, docker| {
                    docker.containers[0].started_at = "2026-11-22T10:15:31Z".to_owned();
                },
            ),
            ("the bridge has what is taken back", |_, docker| {
                docker
                    .bridge_options
                    .insert(crate::facts::ENABLE_ICC.to_owned(), "false".to_owned());
            }),
            ("another root", |transaction, _| {
                transaction.steps[0].action.after = State::File {
                    attributes: Attributes::default(),
                    content: "{\"userns-remap\": \"default\"}".into(),
                };
            }),
            ("none runs", |_, docker| docker.containers.clear()),
            ("live-restore was switched off since", |_, docker| {
                docker.live_restore = false;
            }),
            (
                "the file as it is would not keep them after a failure",
                |transaction, _| {
                    transaction.steps[0].action.before = file("{\"icc\": false}");
                    transaction.live_restore_off = Some(Step {
                        what: String::new(),
                        action: Action {
                            path: "/etc/docker/daemon.json".into(),
                            before: file("{\"icc\": false}"),
                            after: file("{\"icc\": false, \"live-restore\": false}"),
                        },
                        controls: Vec::new(),
                    });
                },
            ),
            (
                "the root is another one than the file says",
                |transaction, docker| {
                    "/var/lib/docker".clone_into(&mut docker.root_dir);
                    let action = &mut transaction.steps[0].action;
                    action.before =
                        file("{\"live-restore\": true, \"data-root\": \"/srv/docker\"}");
                    action.after = file("{\"data-root\": \"/srv/docker\"}");
                },
            ),
        ];
        for (why, edit) in edits {
            let (transaction, facts) = rollback_of_kept(edit);
            assert!(transaction.afterwards.is_empty(), "{why}");
            let off = transaction.live_restore_off.is_some();
            assert_eq!(off, facts.docker.known().unwrap().live_restore, "{why}");
        }
    }

    #[test]
    fn another_root_stops_containers_also_where_live_restore_stays_on() {
        let file = |text: &str| State::File {
            attributes: Attributes::default(),
            content: text.into(),
        };
        let docker = Docker {
            live_restore: true,
            ..Docker::default()
        };
        let mut transaction = rollback(&[Activation::RestartDocker]);
        let action = &mut transaction.steps[0].action;
        action.before = file("{\"live-restore\": true, \"userns-remap\": \"default\"}");
        action.after = file("{\"live-restore\": true}");
        transaction.fit_to_today(&host("active", docker));
        let off = transaction.live_restore_off.unwrap();
        assert!(off.action.after.text().contains("\"live-restore\": false"));
        assert_eq!(
            transaction.steps[0].action.after.text(),
            "{\"live-restore\": true}"
        );
    }
}
