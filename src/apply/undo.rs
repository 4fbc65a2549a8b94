//! The undo. It needs nothing but the journal and the backups, so it is the same after a failure
//! and after a crash, and it can be interrupted and begun again at any point.

use super::journal::{Entry, StepRecord};
use super::outcome::{Event, Outcome};
use super::perform::{beside, look_for, now, settle, sweep};
use super::run::{Failure, Run};
use super::same::{on_the_way, same};
use super::settings::Mutation;
use super::transaction::Derived;
use crate::change::StateRecord;
use crate::host::HostError;

impl Run<'_> {
    /// Takes back everything begun. `crashed` when another process began it: then nobody knows
    /// what the services have seen since.
    pub(super) fn undo(&mut self, why: &str, crashed: bool) -> Outcome {
        if crashed {
            let unannounced = self.unannounced();
            if !unannounced.is_empty() {
                let why = "records are missing at the end of its journal, so it is not known how \
                           far it came; nothing was taken back"
                    .to_owned();
                return self.end(why, unannounced, true);
            }
        }
        let (why, ours) = match self.journal.log().undo.clone() {
            Some(begun) => begun,
            None => (why.to_owned(), self.derived_ours()),
        };
        let begin = Entry::UndoBegin {
            why: why.clone(),
            ours: ours.clone(),
        };
        let recorded = self.journal.log().undo.is_some() || self.write_anyway(&begin);
        if !recorded && self.commit_tried {
            // The disk may say that it is committed. To undo now could leave a host that is
            // neither, with a journal that sees nothing wrong.
            return self.end(
                why,
                vec![format!(
                    "{}: cannot be written, so it is not known whether everything is committed; \
                     everything was changed as planned, and nothing was taken back",
                    self.journal.path()
                )],
                false,
            );
        }
        self.say(Event::UndoBegun { why: why.clone() });
        let mut left = Vec::new();
        if self.journal.log().touched() {
            self.undo_all(crashed, &ours, &mut left);
        }
        self.end(why, left, true)
    }

    fn undo_all(&mut self, crashed: bool, ours: &[bool], left: &mut Vec<String>) {
        self.sweep(left);
        let begin = self.journal.log().begin.clone();
        self.undo_afterwards(&begin, left);
        let kept = begin.keeps && self.keep_containers(crashed, &begin);
        if !begin.keeps {
            self.undo_live_restore(crashed);
        }
        // What keeps the containers goes last, when the services run on the former files again.
        let last = if kept { begin.prelude_at + 1 } else { 0 };
        let steps = begin.steps.iter().enumerate();
        for (index, step) in steps.take(begin.first_afterwards()).skip(last).rev() {
            self.undo_begun(index, step, left);
        }
        if self.settings.mutation == Mutation::EarlyRolledBack && left.is_empty() {
            self.write_anyway(&Entry::RolledBack);
        }
        let told = self.undo_services(crashed, left);
        if kept {
            self.let_containers_go(&begin);
            for (index, step) in begin.steps.iter().enumerate().take(last).rev() {
                self.undo_begun(index, step, left);
            }
        }
        if self.settings.mutation != Mutation::ForgetDerived {
            left.extend(self.undo_derived(ours));
        }
        if !told.is_empty() {
            self.check_undone(&told, left);
        }
    }

    /// Takes a step back if it was begun, trying twice.
    pub(super) fn undo_begun(&mut self, index: usize, step: &StepRecord, left: &mut Vec<String>) {
        if !self.journal.log().begun.contains(&index) || self.untouched.contains(&index) {
            return;
        }
        let done = self
            .undo_step(index, step)
            .or_else(|_| self.undo_step(index, step));
        if let Err(error) = done {
            let action = &step.action;
            let log = self.journal.log();
            // Of several steps of a path the first one begun has the former content.
            let mut begun = log.begin.steps.iter().enumerate();
            let first = begun
                .find(|(at, first)| log.begun.contains(at) && first.action.path == action.path)
                .map_or(step, |(_, first)| first);
            let text = self.left(&action.path, &first.action.before, &error.to_string());
            // Two steps of one path have one reason.
            if !left
                .iter()
                .any(|left| left.starts_with(&format!("{}: ", action.path)))
            {
                left.push(text);
            }
        }
    }

    /// Removes new content that never got its name.
    fn sweep(&mut self, left: &mut Vec<String>) {
        let begin = &self.journal.log().begin;
        let mut paths: Vec<String> = begin
            .steps
            .iter()
            .map(|step| step.action.path.clone())
            .collect();
        for derived in &begin.derived {
            match derived.derived() {
                Derived::WholeFile { path } => paths.push(path),
                Derived::Account { files, .. } => paths.extend(files),
            }
        }
        paths.sort();
        paths.dedup();
        for path in paths {
            let done = sweep(self.host, &path, &self.id);
            if let Err(error) = done.or_else(|_| sweep(self.host, &path, &self.id)) {
                left.push(format!("{}: {error}", beside(&path, &self.id)));
            }
        }
    }

    fn undo_step(&mut self, index: usize, step: &StepRecord) -> Result<(), Failure> {
        let action = &step.action;
        let path = &action.path;
        let Some(now) = now(self.host, path, look_for(&action.before, &action.after))? else {
            return Err(Failure::Changed { path: path.clone() });
        };
        let now = now.record();
        if same(&now, &action.before) {
            return match settle(self.host, path) {
                // The door that refuses to touch it has refused the change, too.
                Err(HostError::Refused { .. }) => Ok(()),
                settled => Ok(settled?),
            };
        }
        let earlier = &self.journal.log().begin.steps[..index];
        if earlier
            .iter()
            .any(|earlier| earlier.action.path == *path && same(&now, &earlier.action.before))
        {
            // An undo that was interrupted had already come further back; that step says the rest.
            return Ok(());
        }
        if !self.is_ours(&now, index, step) {
            return Err(Failure::Changed { path: path.clone() });
        }
        self.say(Event::Restoring { path: path.clone() });
        if !self.journal.log().undoing.contains(&index)
            && self.settings.mutation != Mutation::NoUndoingRecord
        {
            self.write_anyway(&Entry::Undoing { step: index });
        }
        if self.put(path, &action.before, false)? {
            self.write_anyway(&Entry::Undone { step: index });
        } else {
            self.note(format!("{path} is kept, as something is in it"));
        }
        Ok(())
    }

    /// Whether what is there now is of our making: the new state, a stage on the way to it, or
    /// an intermediate content of the undo.
    fn is_ours(&self, now: &StateRecord, index: usize, step: &StepRecord) -> bool {
        let action = &step.action;
        let log = self.journal.log();
        let off = log.begin.undo_live_restore.as_ref();
        // A later step of the path may not have been taken back, as its content cannot be written.
        let mut later = log.begin.steps.iter().enumerate().skip(index + 1);
        let is_of_later = later.any(|(at, later)| {
            log.begun.contains(&at)
                && later.action.path == action.path
                && (same(now, &later.action.before) || same(now, &later.action.after))
        });
        let folder = |state: &StateRecord| matches!(state, StateRecord::Folder { .. });
        is_of_later
            || same(now, &action.after)
            || on_the_way(now, &action.before, &action.after)
            || off.is_some_and(|off| {
                off.action.path == action.path && same(now, &off.action.after)
            })
            // A folder is made with other attributes than it has in the end.
            || (folder(now)
                && (folder(&action.after) || folder(&action.before))
                && (action.before == StateRecord::Absent || action.after == StateRecord::Absent))
    }

    /// The sentence about something that is not as it was.
    pub(super) fn left(&self, path: &str, before: &StateRecord, why: &str) -> String {
        let former = match (before, before.digest()) {
            (_, Some(digest)) => format!(
                "its former content is in {} (mode {}, owner {}:{})",
                self.store.backup(digest),
                before.attributes().map(|a| a.mode).unwrap_or_default(),
                before.attributes().map_or(0, |a| a.uid),
                before.attributes().map_or(0, |a| a.gid),
            ),
            (StateRecord::Absent, _) => "it did not exist before".to_owned(),
            _ => match before.attributes() {
                Some(a) => format!("it had mode {} and owner {}:{}", a.mode, a.uid, a.gid),
                None => String::new(),
            },
        };
        format!("{path}: {why}; {former}")
    }

    /// Records and says how the undo ended.
    fn end(&mut self, why: String, mut left: Vec<String>, record: bool) -> Outcome {
        if record && left.is_empty() {
            if self.write_anyway(&Entry::RolledBack) {
                self.say(Event::RolledBack);
                return Outcome::RolledBack { why };
            }
            left.push(format!(
                "{}: cannot be written; everything else is as it was before",
                self.journal.path()
            ));
        } else if record {
            self.write_anyway(&Entry::Stuck {
                why: why.clone(),
                left: left.clone(),
            });
        }
        for text in &left {
            self.say(Event::Left { text: text.clone() });
        }
        self.say(Event::Stuck);
        Outcome::Stuck { why, left }
    }
}
