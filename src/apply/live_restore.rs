//! Switching live-restore on or off without losing a container.
//!
//! A daemon that has it on leaves containers running when it stops; the next one, which has it
//! off, kills what it finds, and only some restart policies bring those back. So it is
//! switched off in the running daemon first: an explicit `false` in the file, a reload, and a look.
//! In the same way it is switched on before a restart that containers are to outlive.

use super::journal::{Begin, Entry};
use super::outcome::Event;
use super::perform::{look_for, now};
use super::run::{Failure, Run};
use super::same::same;
use super::settings::Mutation;
use crate::change::{Activation, Expectation};
use serde_json::Value;
use std::time::Duration;

/// How long a running daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Run<'_> {
    /// Has the daemon reload its file with the explicit value, and verifies that it did: a reload
    /// that fails is only logged. A daemon that does not run needs nothing.
    pub(super) fn reload_live_restore(&mut self, on: bool, undo: bool) -> Result<(), Failure> {
        let runs = Expectation {
            docker_runs: true,
            ..Expectation::default()
        };
        // Asked twice: to take a running daemon for a stopped one would cost its containers.
        let patience = self.settings.deadline.min(PATIENCE);
        let never = || false;
        if self.host.healthy(&runs, patience, &never).is_err()
            && self.host.healthy(&runs, patience, &never).is_err()
        {
            return Ok(());
        }
        self.activate(Activation::ReloadDocker, undo)?;
        self.say(Event::Checking);
        let switched = Expectation {
            daemon: [("live-restore".to_owned(), Value::Bool(on))].into(),
            ..runs
        };
        self.host
            .healthy(&switched, self.settings.deadline, &never)
            .map_err(Failure::Unhealthy)
    }

    /// Before everything else of an undo: switches live-restore off where the transaction has
    /// switched it on. A failure here is not the end: the file must be restored anyway, and whether a
    /// container was lost is looked at in the end.
    pub(super) fn undo_live_restore(&mut self, crashed: bool) {
        let log = self.journal.log();
        let Some(off) = log.begin.undo_live_restore.clone() else {
            return;
        };
        let told = [Activation::ReloadDocker, Activation::RestartDocker]
            .iter()
            .any(|activation| log.activating.contains(activation));
        if !(told || crashed) || self.settings.mutation == Mutation::NoLiveRestoreStep {
            return;
        }
        let action = &off.action;
        match now(
            self.host,
            &action.path,
            look_for(&action.before, &action.after),
        ) {
            Ok(Some(now)) => {
                let now = now.record();
                if !same(&now, &action.before) && !same(&now, &action.after) {
                    return;
                }
            }
            _ => return,
        }
        let switched = self
            .put(&action.path, &action.after, true)
            .or_else(|_| self.put(&action.path, &action.after, true))
            .and_then(|_| {
                self.reload_live_restore(false, true)
                    .or_else(|_| self.reload_live_restore(false, true))
            });
        if let Err(error) = switched {
            self.note(format!(
                "live-restore could not be switched off before the restart: {error}"
            ));
        }
    }

    /// Before the undo of a transaction that containers have outlived: puts the content in place on
    /// which they outlive the restart of the undo, too, and has a daemon that runs read it. False
    /// where nothing of that was begun.
    pub(super) fn keep_containers(&mut self, crashed: bool, begin: &Begin) -> bool {
        let at = begin.prelude_at;
        let Some(prelude) = begin.steps.get(at) else {
            return false;
        };
        let log = self.journal.log();
        if !log.begun.contains(&at) {
            return false;
        }
        let action = &prelude.action;
        let told = !log.activating.is_empty() || (crashed && log.undoes_what_services_read());
        let look = look_for(&action.before, &action.after);
        let Ok(Some(now)) = now(self.host, &action.path, look) else {
            // The step itself says what is wrong there.
            return true;
        };
        let now = now.record();
        if same(&now, &action.before) && !told {
            return false;
        }
        let ours = begin
            .steps
            .iter()
            .chain(&begin.undo_live_restore)
            .filter(|step| step.action.path == action.path)
            .any(|step| same(&now, &step.action.before) || same(&now, &step.action.after));
        if !ours {
            return true;
        }
        // After a crash this says that a daemon may have been started on a file of ours.
        if !log.undoing.contains(&at) {
            self.write_anyway(&Entry::Undoing { step: at });
        }
        let kept = self
            .put(&action.path, &action.after, true)
            .or_else(|_| self.put(&action.path, &action.after, true))
            .and_then(|_| {
                self.reload_live_restore(true, true)
                    .or_else(|_| self.reload_live_restore(true, true))
            });
        if let Err(error) = kept {
            self.note(format!(
                "live-restore could not be switched on before the restart: {error}"
            ));
        }
        true
    }

    /// Before everything else of an undo of a rollback that containers have outlived: takes back
    /// what was written after the restart, and has the daemon switch live-restore on again, so that
    /// they outlive the restart of the undo, too.
    pub(super) fn undo_afterwards(&mut self, begin: &Begin, left: &mut Vec<String>) {
        let at = begin.first_afterwards();
        if begin.afterwards == 0 || !self.journal.log().begun.contains(&at) {
            return;
        }
        for (index, step) in begin.steps.iter().enumerate().skip(at).rev() {
            self.undo_begun(index, step, left);
        }
        let path = &begin.steps[at].action.path;
        let is_left = left
            .iter()
            .any(|left| left.starts_with(&format!("{path}: ")));
        if is_left || self.settings.mutation == Mutation::StayOff {
            return;
        }
        let on = self
            .reload_live_restore(true, true)
            .or_else(|_| self.reload_live_restore(true, true));
        if let Err(error) = on {
            self.note(format!(
                "live-restore could not be switched on before the restart: {error}"
            ));
        }
    }

    /// After the services of an undo that keeps containers were told: switches live-restore off again by a reload, so
    /// that the former file can be put back without a restart. Where it does not go off the look at
    /// the end finds it.
    pub(super) fn let_containers_go(&mut self, begin: &Begin) {
        let Some(off) = &begin.undo_live_restore else {
            return;
        };
        let path = &off.action.path;
        let look = look_for(&off.action.before, &off.action.after);
        let ours = now(self.host, path, look)
            .ok()
            .flatten()
            .is_some_and(|now| {
                let now = now.record();
                same(&now, &off.action.before) || same(&now, &off.action.after)
            });
        if ours {
            let switched = self
                .put(path, &off.action.after, true)
                .or_else(|_| self.put(path, &off.action.after, true))
                .and_then(|_| {
                    self.reload_live_restore(false, true)
                        .or_else(|_| self.reload_live_restore(false, true))
                });
            if let Err(error) = switched {
                self.note(format!("live-restore could not be switched off: {error}"));
            }
        }
    }
}
