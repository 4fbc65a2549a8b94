//! One change of one path, made so that a crash leaves the former or the new state, and read back.

use super::same::same;
use super::settings::Mutation;
use crate::change::{Action, State, StateRecord};
use crate::checks::parent;
use crate::facts::{Kind, Look};
use crate::host::{Host, HostError, ReadHost};
use std::io;

/// The name under which new content is prepared. It ends in neither `.conf` nor `.rules`, so that
/// nothing that reads the folder at the wrong moment takes it for real.
pub(super) fn beside(path: &str, id: &str) -> String {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let parent = parent(path).trim_end_matches('/');
    format!("{parent}/.{name}.seaworthy-{id}")
}

/// What to look at to compare a path with these states.
pub(super) fn look_for(one: &StateRecord, other: &StateRecord) -> Look {
    match (one, other) {
        (StateRecord::File { .. }, _) | (_, StateRecord::File { .. }) => Look::Content,
        _ => Look::Attributes,
    }
}

/// What is at a path now, `None` for what is never changed.
pub(super) fn now(host: &dyn ReadHost, path: &str, look: Look) -> Result<Option<State>, HostError> {
    Ok(State::of(&host.node(path, look)?))
}

/// Whether a path has the state that is wanted.
pub(super) fn is(host: &dyn ReadHost, path: &str, wanted: &State) -> Result<bool, HostError> {
    let record = wanted.record();
    let now = now(host, path, look_for(&record, &record))?;
    Ok(now.is_some_and(|now| same(&now.record(), &record)))
}

/// Removes what an interrupted change of this path left beside it.
pub(super) fn sweep(host: &mut dyn Host, path: &str, id: &str) -> Result<(), HostError> {
    let temporary = beside(path, id);
    if host.node(&temporary, Look::Attributes)?.kind != Kind::Absent {
        host.remove(&temporary)?;
    }
    Ok(())
}

/// Brings what is at a path, or that nothing is there, to the disk. What we see may be the work of
/// a process that died before it got to that, and a loss of power would take it away again.
pub(super) fn settle(host: &mut dyn Host, path: &str) -> Result<(), HostError> {
    match host.node(path, Look::Attributes)?.kind {
        Kind::File => host.sync(path)?,
        Kind::Folder => host.sync_folder(path)?,
        _ => {}
    }
    if host.node(parent(path), Look::Attributes)?.kind == Kind::Folder {
        host.sync_folder(parent(path))?;
    }
    Ok(())
}

/// Makes a change and reads it back. Returns whether there was something to make: a folder that
/// others use is not removed.
pub(super) fn perform(
    host: &mut dyn Host,
    id: &str,
    action: &Action,
    mutation: Mutation,
) -> Result<bool, HostError> {
    let path = action.path.as_str();
    match (&action.before, &action.after) {
        (State::Absent, State::Absent) => {}
        (State::Folder { .. }, State::Absent) => {
            if in_use(host, path)? {
                return Ok(false);
            }
            host.remove_folder(path)?;
            sync_names(host, path, mutation)?;
        }
        (_, State::Absent) => {
            host.remove(path)?;
            sync_names(host, path, mutation)?;
        }
        (State::Absent, State::Folder { attributes }) => {
            host.make_folder(path, attributes)?;
            host.sync_folder(path)?;
            sync_names(host, path, mutation)?;
        }
        (
            State::File { content: old, .. },
            State::File {
                attributes,
                content,
            },
        ) if old == content => {
            host.set_attributes(path, attributes)?;
            host.sync(path)?;
        }
        (
            _,
            State::File {
                attributes,
                content,
            },
        ) => {
            sweep(host, path, id)?;
            let new = beside(path, id);
            host.create(&new, content, attributes)?;
            if mutation != Mutation::NoFileSync {
                host.sync(&new)?;
            }
            host.rename(&new, path)?;
            sync_names(host, path, mutation)?;
        }
        (_, State::Folder { attributes } | State::Opaque { attributes }) => {
            host.set_attributes(path, attributes)?;
            match host.node(path, Look::Attributes)?.kind {
                Kind::File => host.sync(path)?,
                Kind::Folder => host.sync_folder(path)?,
                // A socket cannot be opened, and lives where nothing survives a boot.
                _ => sync_names(host, path, mutation)?,
            }
        }
    }
    if is(host, path, &action.after)? {
        Ok(true)
    } else {
        // Not a refusal: those are from before a change.
        Err(HostError::file(
            path,
            "read back",
            io::Error::other("after the change it is not what was written"),
        ))
    }
}

/// Whether something is in a folder.
pub(super) fn in_use(host: &dyn ReadHost, path: &str) -> Result<bool, HostError> {
    let node = host.node(path, Look::Entries)?;
    Ok(node.entries.is_some() && !node.is_empty_folder())
}

fn sync_names(host: &mut dyn Host, path: &str, mutation: Mutation) -> Result<(), HostError> {
    if mutation == Mutation::NoFolderSync {
        return Ok(());
    }
    host.sync_folder(parent(path))
}
