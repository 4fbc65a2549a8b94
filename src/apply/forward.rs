//! The way forward: steps, activations, a look at the services, `commit`. It can be entered again
//! after a crash, as every part asks the journal and the host what is already done.

use super::boot::boot_id;
use super::confirm::{is_guard, micros};
use super::journal::{Entry, StepRecord};
use super::kernel;
use super::outcome::Event;
use super::perform::{is, look_for, now, perform, settle};
use super::run::{Failure, Run};
use super::same::{on_the_way, same};
use super::settings::Mutation;
use super::transaction::{Step, Transaction};
use crate::change::{Activation, Expectation};
use crate::host::HostError;
use std::time::Duration;

/// Rules are in the kernel when their loading has ended; a busy kernel may take a moment to list them.
const LOAD_PATIENCE: Duration = Duration::from_secs(5);

impl Run<'_> {
    /// Does everything and commits.
    pub(super) fn forward(&mut self, transaction: &Transaction) -> Result<(), Failure> {
        let of = transaction.all_steps().count();
        let prelude = transaction.prelude().map(|_| transaction.guards());
        // systemd reads its units as soon as they are written: a daemon that restarts by itself
        // must not meet a daemon.json with a flag that its old command line repeats.
        let units = transaction
            .all_steps()
            .enumerate()
            .filter(|(_, step)| is_of_unit(&step.action.path))
            .map(|(index, _)| index)
            .last()
            .filter(|_| transaction.activations.contains(&Activation::ReloadUnits));
        let told_at = of - transaction.afterwards.len();
        for (index, step) in transaction.all_steps().enumerate().take(told_at) {
            self.step(index, of, step)?;
            // Once the next step has begun the file no longer has this explicit value.
            if prelude == Some(index)
                && self.journal.log().begun.iter().all(|&begun| begun <= index)
            {
                self.reload_live_restore(transaction.live_restore_on.is_some(), false)?;
            }
            if units == Some(index) {
                self.activate(Activation::ReloadUnits, false)?;
            }
        }
        self.reset_derived()?;
        for &activation in &transaction.activations {
            if units.is_some() && activation == Activation::ReloadUnits {
                continue;
            }
            self.stop_if_interrupted()?;
            if activation == Activation::RestartDocker && !transaction.afterwards.is_empty() {
                // What the restart relies on.
                self.reload_live_restore(true, false)?;
            }
            self.activate(activation, false)?;
            if activation == Activation::LoadAuditRules {
                self.check_loaded(transaction)?;
            }
        }
        if !transaction.afterwards.is_empty() && !self.is_begun(told_at) {
            // While live-restore is on a daemon that gives up costs no container.
            let mut expect = transaction.expect.clone();
            expect.daemon.remove("live-restore");
            self.check(&expect, true)?;
            self.watch(transaction, &expect)?;
        }
        for (index, step) in transaction.all_steps().enumerate().skip(told_at) {
            self.step(index, of, step)?;
            if index == told_at && !self.is_begun(index + 1) {
                self.reload_live_restore(false, false)?;
            }
        }
        self.stop_if_interrupted()?;
        self.change_kernel(transaction)?;
        for settle in &transaction.settle {
            self.put(&settle.path, &settle.to.record(), true)?;
        }
        self.check(&transaction.expect, true)?;
        // Otherwise that was looked at before, and one that goes on after a crash restarts nothing.
        if transaction.afterwards.is_empty() {
            self.watch(transaction, &transaction.expect)?;
        }
        let files = self.derived_after()?;
        let kernel = if self.has_kernel() {
            Some(kernel::list(self.host)?)
        } else {
            None
        };
        self.write(&Entry::DerivedAfter { files, kernel })?;
        self.stop_if_interrupted()?;
        if let Some(confirm) = &transaction.confirm {
            let until = self.host.now() + micros(confirm.within);
            let boot = boot_id(self.host);
            self.write(&Entry::ConfirmUntil { until, boot })?;
        }
        self.commit_tried = true;
        self.write(&Entry::Commit)?;
        self.say(Event::Committed);
        Ok(())
    }

    /// Whether there are audit rules in a kernel to look after: not where what began on a running
    /// host is finished on its disk.
    fn has_kernel(&self) -> bool {
        self.host.is_live() && self.journal.log().begin.kernel_before.is_some()
    }

    fn is_begun(&self, index: usize) -> bool {
        self.journal.log().begun.contains(&index)
    }

    fn stop_if_interrupted(&self) -> Result<(), Failure> {
        if self.watcher.interrupted() {
            return Err(Failure::Interrupted);
        }
        Ok(())
    }

    fn step(&mut self, index: usize, of: usize, step: &Step) -> Result<(), Failure> {
        let action = &step.action;
        if self.journal.log().done.contains_key(&index) {
            return Ok(());
        }
        self.stop_if_interrupted()?;
        self.say(Event::Step {
            number: index + 1,
            of,
            what: step.what.clone(),
        });
        let resumed = self.journal.log().begun.contains(&index);
        let mut skipped = false;
        if !resumed || !is(self.host, &action.path, &action.after)? {
            self.require_before(step, resumed)?;
            let late = self.settings.mutation == Mutation::LateIntent;
            if !resumed && !late {
                self.write(&Entry::Intent { step: index })?;
            }
            let performed = perform(self.host, &self.id, action, self.settings.mutation);
            if !resumed
                && matches!(performed, Err(HostError::Refused { .. }))
                // It may have been the last word about a change that was made.
                && !is(self.host, &action.path, &action.after).unwrap_or(true)
            {
                self.untouched.insert(index);
            }
            skipped = !performed?;
            if late {
                self.write(&Entry::Intent { step: index })?;
            }
        } else {
            settle(self.host, &action.path)?;
        }
        if skipped {
            self.note(format!("{} is kept, as something is in it", action.path));
        }
        self.write(&Entry::Done {
            step: index,
            skipped,
        })?;
        Ok(())
    }

    /// Nothing is changed that is not what the plan was made for, looked at just before.
    fn require_before(&self, step: &Step, resumed: bool) -> Result<(), Failure> {
        let record = StepRecord::from(step).action;
        let look = look_for(&record.before, &record.after);
        let fits = now(self.host, &record.path, look)?.is_some_and(|now| {
            let now = now.record();
            same(&now, &record.before)
                || (resumed && on_the_way(&now, &record.before, &record.after))
        });
        if fits {
            Ok(())
        } else {
            Err(Failure::Changed { path: record.path })
        }
    }

    /// Rules that did not get into the kernel will not by a restart of auditd either, and where its
    /// unit requires them to be loaded (audit 4) it would stay down: so it is left running.
    fn check_loaded(&mut self, transaction: &Transaction) -> Result<(), Failure> {
        if transaction.expect.watches.is_empty() {
            return Ok(());
        }
        let loaded = Expectation {
            watches: transaction.expect.watches.clone(),
            ..Expectation::default()
        };
        let patience = self.settings.deadline.min(LOAD_PATIENCE);
        let watcher = &*self.watcher;
        let healthy = self
            .host
            .healthy(&loaded, patience, &|| watcher.interrupted());
        healthy.map_err(|sentences| self.unhealthy(&loaded, sentences))
    }

    /// In a rollback: rules that the former apply brought go, also where only the kernel still has
    /// them. While auditing is locked nothing can change.
    fn change_kernel(&mut self, transaction: &Transaction) -> Result<(), Failure> {
        let Some(change) = &transaction.kernel else {
            return Ok(());
        };
        if kernel::is_locked(transaction.pending.as_deref()) || !self.has_kernel() {
            return Ok(());
        }
        let now = kernel::list(self.host)?;
        let mut wanted = kernel::without(&now, &change.remove);
        wanted.extend(kernel::without(&change.add, &now));
        self.settle_kernel(&wanted)
    }

    /// Waits until the services are as expected; `heed` says whether a signal ends that.
    pub(super) fn check(&mut self, expected: &Expectation, heed: bool) -> Result<(), Failure> {
        if !self.host.is_live() {
            return Ok(());
        }
        self.say(Event::Checking);
        let watcher = &*self.watcher;
        let interrupted = || heed && watcher.interrupted();
        let deadline = if heed {
            self.settings.deadline
        } else {
            self.settings.undo_deadline()
        };
        let healthy = self.host.healthy(expected, deadline, &interrupted);
        if healthy.is_err() && heed {
            self.stop_if_interrupted()?;
        }
        healthy.map_err(|sentences| self.unhealthy(expected, sentences))
    }

    /// A daemon that was restarted can come up and give up a little later.
    fn watch(&mut self, transaction: &Transaction, expect: &Expectation) -> Result<(), Failure> {
        let time = self.settings.settle;
        let restarted = transaction.activations.contains(&Activation::RestartDocker);
        if !restarted || time.is_zero() || !self.host.is_live() {
            return Ok(());
        }
        self.say(Event::Watching { time });
        let watcher = &*self.watcher;
        let steady = self.host.steady(expect, time, self.settings.deadline, &|| {
            watcher.interrupted()
        });
        if steady.is_err() {
            self.stop_if_interrupted()?;
        }
        steady.map_err(|sentences| self.unhealthy(expect, sentences))
    }

    /// Keeps the own words of the services that are not as they should be.
    fn unhealthy(&mut self, expected: &Expectation, sentences: Vec<String>) -> Failure {
        let what = sentences.join("; ");
        for (runs, unit) in [
            (expected.docker_runs, "docker.service"),
            (expected.auditd_runs, "auditd.service"),
        ] {
            if runs {
                self.keep_log(&what, unit);
            }
        }
        Failure::Unhealthy(sentences)
    }
}

/// Whether systemd reads this file, or one in this folder: those of our boot service are for a boot.
fn is_of_unit(path: &str) -> bool {
    path.starts_with("/etc/systemd/system/") && !is_guard(path)
}
