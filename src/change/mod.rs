//! Words for what may be done to a host.
//!
//! Three layers, each a closed set, so that "what can this tool do to my host?" has a short answer:
//!
//! * an [`Edit`] is what one check asks for ("set this key", "take away these bits");
//! * an [`Action`] is what happens to one path, with the whole state [`Action::before`] and
//!   [`Action::after`]: the planner folds all edits of a path into one. Undo is a swap, drift a
//!   comparison, a diff a rendering;
//! * an [`Activation`] makes a service notice.

mod activation;
mod edit;
mod state;

pub use activation::{Activation, Expectation};
pub use edit::{DropInSetting, Edit};
pub use state::{Digest, State, StateRecord};

use serde::{Deserialize, Serialize};

/// A change of one path from one whole state to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Absolute path on the host. The final component is never a symbolic link.
    pub path: String,
    /// What must be there when the change is made.
    pub before: State,
    /// What is there afterwards.
    pub after: State,
}

impl Action {
    /// The change that takes this one back.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self {
            path: self.path,
            before: self.after,
            after: self.before,
        }
    }

    /// What kind of change it is.
    pub fn kind(&self) -> ActionKind {
        match (&self.before, &self.after) {
            (State::Absent, State::Folder { .. }) => ActionKind::MakeFolder,
            (State::Folder { .. }, State::Absent) => ActionKind::RemoveFolder,
            (_, State::Absent) => ActionKind::Remove,
            (State::Absent, _) => ActionKind::Create,
            (State::File { content: old, .. }, State::File { content: new, .. }) if old != new => {
                ActionKind::Replace
            }
            _ => ActionKind::Attributes,
        }
    }
}

/// The closed set of things that can happen to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// A new file.
    Create,
    /// A file gets other content (and perhaps other attributes).
    Replace,
    /// A file goes away.
    Remove,
    /// Mode, owner, group or extended attributes only.
    Attributes,
    /// A new folder.
    MakeFolder,
    /// An empty folder goes away.
    RemoveFolder,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Attributes;

    #[test]
    fn the_inverse_of_the_inverse_is_the_action() {
        let file = |text: &str| State::File {
            attributes: Attributes::default(),
            content: text.into(),
        };
        let folder = State::Folder {
            attributes: Attributes::default(),
        };
        for (before, after, kind, back) in [
            (
                State::Absent,
                file("a"),
                ActionKind::Create,
                ActionKind::Remove,
            ),
            (
                file("a"),
                file("b"),
                ActionKind::Replace,
                ActionKind::Replace,
            ),
            (
                State::Absent,
                folder,
                ActionKind::MakeFolder,
                ActionKind::RemoveFolder,
            ),
        ] {
            let action = Action {
                path: "/etc/x".into(),
                before,
                after,
            };
            assert_eq!(action.kind(), kind);
            assert_eq!(action.clone().inverse().kind(), back);
            assert_eq!(action.clone().inverse().inverse(), action);
        }
    }
}
