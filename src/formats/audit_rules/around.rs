//! What must be known of a host to say what auditctl makes of a line there.

use super::tables::{Machine, Release};

/// What is at a path when rules are loaded, links followed in all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Folder,
    /// Something else.
    Other,
    /// Nothing.
    Missing,
    /// It was not seen.
    Unseen,
}

/// An account or a group by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Its number.
    Is(u32),
    /// There is none.
    Missing,
    /// It was not seen.
    Unseen,
}

/// The host as far as auditctl and the kernel look at it while rules are loaded.
pub trait Around {
    /// The machine; `None` where it is not known.
    fn machine(&self) -> Option<Machine>;
    /// The release of auditctl; `None` where it is not known.
    fn release(&self) -> Option<Release>;
    /// An account.
    fn user(&self, name: &str) -> Account;
    /// A group.
    fn group(&self, name: &str) -> Account;
    /// What is at an absolute path.
    fn place(&self, path: &str) -> Place;
}

/// A host of which nothing is known: for reading a line by itself.
#[derive(Debug)]
pub struct Nowhere;

impl Around for Nowhere {
    fn machine(&self) -> Option<Machine> {
        None
    }

    fn release(&self) -> Option<Release> {
        None
    }

    fn user(&self, _: &str) -> Account {
        Account::Unseen
    }

    fn group(&self, _: &str) -> Account {
        Account::Unseen
    }

    fn place(&self, _: &str) -> Place {
        Place::Unseen
    }
}
