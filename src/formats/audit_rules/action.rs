//! `-a`, `-A` and `-d`: a list and an action, in either order. See `audit_rule_setup` in auditctl.c of audit 3.0.9 to 4.2.1.

use super::bad::{Bad, Doubt};
use super::entry::List;
use super::line::Reader;
use super::tables::Release;

impl Reader<'_, '_> {
    /// `always,exit` or `exit,always`. False for the action "possible", with which a line is passed over.
    pub(super) fn list_and_action(&mut self, letter: char, value: &str) -> Result<bool, Bad> {
        if letter != 'd' && value.contains("task") && self.calls_added {
            return Err(Bad::CallsOfOtherList("task"));
        }
        self.lists += 1;
        if self.lists > 1 {
            return Err(Bad::TwoLists);
        }
        let bad = || Bad::BadList(value.to_owned());
        let (first, second) = value.split_once(',').ok_or_else(bad)?;
        if second.contains(',') {
            return Err(bad());
        }
        let earlier = if letter == 'd' {
            self.delete
        } else {
            self.add.map(|(list, _)| list)
        };
        let (list, action) = match action(first) {
            // Only a list that is not known yet is looked for behind the action.
            Some(found) if earlier.is_none() && found != Action::Possible => {
                (self.list_by_name(second).ok_or_else(bad)?, found)
            }
            Some(_) => return Err(bad()),
            None => {
                let list = self.list_by_name(first).ok_or_else(bad)?;
                (list, action(second).ok_or_else(bad)?)
            }
        };
        if action == Action::Possible {
            return Ok(false);
        }
        self.always = Some(action == Action::Always);
        if letter == 'd' {
            self.delete = Some(list);
        } else {
            self.add = Some((list, letter == 'A'));
        }
        Ok(true)
    }

    fn list_by_name(&mut self, name: &str) -> Option<List> {
        let list = if let Some(list) = List::by_name(name) {
            list
        } else {
            let list = List::by_name(&name.to_ascii_lowercase())?;
            // Newer ones mean no case.
            if self.since(
                Release(4, 0, 2),
                Release::OLDEST,
                "a list in capital letters",
            ) == Some(false)
            {
                return None;
            }
            list
        };
        if list == List::IoUring {
            // A matter of how it was built, from 3.1 on.
            if self
                .around
                .release()
                .is_some_and(|release| release < Release(3, 1, 0))
            {
                return None;
            }
            self.doubts(|| Doubt::Release("the list io_uring".to_owned()));
        }
        self.exclude |= list == List::Exclude;
        Some(list)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Always,
    Never,
    /// Taken, and does nothing.
    Possible,
}

fn action(word: &str) -> Option<Action> {
    match word {
        "always" => Some(Action::Always),
        "never" => Some(Action::Never),
        "possible" => Some(Action::Possible),
        _ => None,
    }
}
