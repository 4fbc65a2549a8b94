//! A journal whose last records are gone: the disk never had them although it said so, or the file was
//! restored from an older copy. A torn record shows; whole ones that are missing do not. So the
//! host is asked: a step that was never announced has not been made.

use super::journal::StepRecord;
use super::perform::{look_for, now};
use super::run::Run;
use super::same::{on_the_way, same};
use crate::change::StateRecord;
use std::collections::BTreeMap;

impl Run<'_> {
    /// Every path of the transaction that is not as it was before, in sentences, if one of them is as
    /// only a step can have made it that the journal does not announce; empty otherwise.
    ///
    /// Nothing may be taken back then: for all that is known it was committed long ago.
    pub(super) fn unannounced(&self) -> Vec<String> {
        let log = self.journal.log();
        if log.undo.is_some() {
            // Whatever was announced stands before that record.
            return Vec::new();
        }
        let mut paths: BTreeMap<&str, Vec<(usize, &StepRecord)>> = BTreeMap::new();
        for (index, step) in log.begin.steps.iter().enumerate() {
            let steps = paths.entry(&step.action.path).or_default();
            steps.push((index, step));
        }
        let mut is_lost = false;
        let mut changed = Vec::new();
        for (path, steps) in &paths {
            let first = &steps[0].1.action;
            let look = look_for(&first.before, &first.after);
            // What cannot be seen proves nothing; the undo finds out.
            let Ok(Some(now)) = now(self.host, path, look) else {
                continue;
            };
            let now = now.record();
            is_lost |= self.is_unannounced(&now, steps);
            if !same(&now, &first.before) {
                changed.push((*path, &first.before));
            }
        }
        if !is_lost {
            return Vec::new();
        }
        changed
            .into_iter()
            .map(|(path, before)| self.left(path, before, "it is not as it was before"))
            .collect()
    }

    /// Whether the state of a path is the work of one of its steps that was never announced.
    fn is_unannounced(&self, now: &StateRecord, steps: &[(usize, &StepRecord)]) -> bool {
        let log = self.journal.log();
        let (begun, others): (Vec<_>, Vec<_>) = steps
            .iter()
            .map(|(index, step)| (log.begun.contains(index), &step.action))
            .partition(|(begun, _)| *begun);
        let announced = begun.iter().any(|(_, action)| {
            same(now, &action.before)
                || same(now, &action.after)
                || on_the_way(now, &action.before, &action.after)
        }) || others
            .first()
            .is_some_and(|(_, next)| same(now, &next.before));
        let off = log.begin.undo_live_restore.as_ref().map(|off| &off.action);
        let is_off = begun.is_empty()
            && off.is_some_and(|off| off.path == steps[0].1.action.path && same(now, &off.after));
        !announced
            && (is_off
                || others.iter().any(|(_, action)| {
                    same(now, &action.after)
                        || on_the_way(now, &action.before, &action.after)
                        || is_half_made(now, &action.before, &action.after)
                }))
    }
}

/// A folder is made with other attributes than it has in the end.
fn is_half_made(now: &StateRecord, before: &StateRecord, after: &StateRecord) -> bool {
    let folder = |state: &StateRecord| matches!(state, StateRecord::Folder { .. });
    *before == StateRecord::Absent && folder(after) && folder(now)
}
