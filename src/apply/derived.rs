//! What activations write by themselves: recorded before and after, and put back by an undo.

use super::account;
use super::journal::{ActionRecord, DerivedBefore, Entry};
use super::perform::{now, perform, settle};
use super::run::{Failure, Run};
use super::same::same;
use super::strays;
use super::transaction::Derived;
use crate::change::{Action, State, StateRecord};
use crate::facts::Look;
use crate::host::{HostError, ReadHost};
use std::collections::BTreeMap;

/// What is there before, and the contents to be stored.
pub(super) fn before(
    host: &dyn ReadHost,
    derived: &[Derived],
) -> Result<(Vec<DerivedBefore>, Vec<State>), HostError> {
    let mut states = Vec::new();
    let before = derived
        .iter()
        .map(|derived| match derived {
            Derived::WholeFile { path } => {
                let state = now(host, path, Look::Content)?.ok_or_else(|| HostError::Refused {
                    path: path.clone(),
                    reason: "it is neither a file nor absent".to_owned(),
                })?;
                let record = state.record();
                states.push(state);
                Ok(DerivedBefore::WholeFile {
                    path: path.clone(),
                    state: record,
                })
            }
            Derived::Account { files, name } => {
                let mut had = BTreeMap::new();
                for file in files {
                    let content = host.node(file, Look::Content)?.content;
                    let has = content.is_some_and(|content| account::has(&content, name));
                    had.insert(file.clone(), has);
                }
                Ok(DerivedBefore::Account {
                    name: name.clone(),
                    beside: Some(strays::beside(host, had.keys())?),
                    had,
                })
            }
        })
        .collect::<Result<_, HostError>>()?;
    Ok((before, states))
}

/// What a generated file is now; `None` for what has no single state.
pub(super) fn state_now(
    host: &dyn ReadHost,
    derived: &DerivedBefore,
) -> Result<Option<StateRecord>, HostError> {
    match derived {
        DerivedBefore::WholeFile { path, .. } => {
            Ok(now(host, path, Look::Content)?.map(|state| state.record()))
        }
        DerivedBefore::Account { .. } => Ok(None),
    }
}

impl Run<'_> {
    /// What the activations made of each derived thing, brought to the disk: whoever
    /// wrote it did perhaps not care.
    pub(super) fn derived_after(&mut self) -> Result<Vec<Option<StateRecord>>, HostError> {
        let derived = self.journal.log().begin.derived.clone();
        for derived in &derived {
            let files: Vec<&String> = match derived {
                DerivedBefore::WholeFile { path, .. } => vec![path],
                DerivedBefore::Account { had, .. } => had.keys().collect(),
            };
            for file in files {
                settle(self.host, file)?;
            }
            if let DerivedBefore::Account { had, beside, .. } = derived {
                // A crash may have ended a tool that the daemon ran.
                self.remove_strays(had.keys(), beside.as_ref());
            }
        }
        derived
            .iter()
            .map(|derived| state_now(self.host, derived))
            .collect()
    }

    /// Before activations run again: lets them start from what they started from the first time,
    /// as they may have been interrupted half-way.
    pub(super) fn reset_derived(&mut self) -> Result<(), Failure> {
        if self.journal.log().activating.is_empty() {
            return Ok(());
        }
        for derived in self.journal.log().begin.derived.clone() {
            match derived {
                DerivedBefore::WholeFile { path, state } => self.put(&path, &state, true)?,
                DerivedBefore::Account { name, had, beside } => {
                    self.remove_half_account(&name, &had)?;
                    self.remove_strays(had.keys(), beside.as_ref());
                    continue;
                }
            };
        }
        Ok(())
    }

    /// dockerd makes an account that is not there, and refuses to start with one that has no
    /// subordinate ids ("no subuid ranges found for user"), so it never finishes what a loss of
    /// power has ended half-way.
    fn remove_half_account(
        &mut self,
        name: &str,
        had: &BTreeMap<String, bool>,
    ) -> Result<(), Failure> {
        let mut made = Vec::new();
        let mut is_whole = true;
        for file in had.iter().filter(|(_, had)| !**had).map(|(file, _)| file) {
            // A system without such a file has no account there either.
            let Some(content) = self.host.node(file, Look::Content)?.content else {
                continue;
            };
            if account::has(&content, name) {
                made.push(file);
            } else {
                is_whole = false;
            }
        }
        if is_whole {
            return Ok(());
        }
        for file in made {
            self.remove_account(file, name)?;
        }
        Ok(())
    }

    /// Of each derived thing, whether it is still what our activations made of it. Without a
    /// record of what they made the transaction was interrupted among them, and it is.
    pub(super) fn derived_ours(&self) -> Vec<bool> {
        let log = self.journal.log();
        let mut ours = Vec::new();
        for (index, derived) in log.begin.derived.iter().enumerate() {
            let DerivedBefore::WholeFile { state: before, .. } = derived else {
                ours.push(true);
                continue;
            };
            let after = log
                .derived_after
                .as_ref()
                .and_then(|after| after.get(index)?.as_ref());
            ours.push(match (after, state_now(self.host, derived)) {
                (None, _) => true,
                (Some(after), Ok(Some(now))) => same(&now, after) || same(&now, before),
                (Some(_), _) => false,
            });
        }
        ours
    }

    /// Puts back what is ours, after the undo's own activations. Returns what was left.
    pub(super) fn undo_derived(&mut self, ours: &[bool]) -> Vec<String> {
        let derived = self.journal.log().begin.derived.clone();
        let mut left = Vec::new();
        for (index, derived) in derived.iter().enumerate() {
            match derived {
                DerivedBefore::WholeFile { path, state } => {
                    if ours.get(index) == Some(&false) {
                        self.note(format!(
                            "{path} was changed since and is left as it is now; it is generated \
                             from other files"
                        ));
                        continue;
                    }
                    let put = self.put(path, state, true);
                    if let Err(error) = put.or_else(|_| self.put(path, state, true)) {
                        left.push(self.left(path, state, &error.to_string()));
                    }
                }
                DerivedBefore::Account { name, had, beside } => {
                    for file in had.iter().filter(|(_, had)| !**had).map(|(file, _)| file) {
                        let done = self
                            .remove_account(file, name)
                            .or_else(|_| self.remove_account(file, name));
                        if let Err(error) = done {
                            left.push(format!("{file}: the lines of {name} are left: {error}"));
                        }
                    }
                    self.remove_strays(had.keys(), beside.as_ref());
                }
            }
        }
        left
    }

    fn remove_account(&mut self, file: &str, name: &str) -> Result<(), Failure> {
        let Some(State::File {
            attributes,
            content,
        }) = now(self.host, file, Look::Content)?
        else {
            return Ok(());
        };
        if !account::has(&content, name) {
            settle(self.host, file)?;
            return Ok(());
        }
        let after = State::File {
            attributes: attributes.clone(),
            content: account::without(&content, name),
        };
        let action = Action {
            path: file.to_owned(),
            before: State::File {
                attributes,
                content,
            },
            after,
        };
        self.write_anyway(&Entry::Writing {
            action: ActionRecord::from(&action),
        });
        perform(self.host, &self.id, &action, self.settings.mutation)?;
        Ok(())
    }
}
