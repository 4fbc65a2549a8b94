//! What on a host can rely on what a remedy changes: of a key of daemon.json its row says it, and of
//! each other kind of change this file.
//!
//! Whoever is named by a plan is named for one of these reasons. A test holds the catalog to it: a
//! remedy that is carried out without asking has an answer here, and a sample host for it.

use super::watched;
use crate::change::Edit;
use crate::checks::Layout;
use crate::facts::Facts;
use crate::options::{self, Depends};
use serde_json::Value;

/// What can rely on what an edit changes.
pub fn depends(facts: &Facts, edit: &Edit) -> Depends {
    match edit {
        Edit::DaemonKey { key, .. } | Edit::DaemonFlag { key } => {
            options::depends(key).unwrap_or(Depends::Unknown)
        }
        Edit::Access { .. } => Depends::Access,
        Edit::AuditWatch(watch) if watched::covers_data_root(facts, watch) => Depends::AuditLog,
        Edit::AuditWatch(_) => Depends::Nobody("a watch records, and refuses nothing"),
        Edit::BootFolder { .. } => {
            Depends::Nobody("a folder is made at boot that containerd makes anyway")
        }
        Edit::EnvironmentVariable { .. } => Depends::ApiClients,
        Edit::DropIn(_) => {
            Depends::Nobody("it makes a change of the socket last, which is an edit of its own")
        }
        Edit::RestartDocker | Edit::RestartContainers => {
            Depends::Nobody("nothing is written; whom the restart concerns is told by the restart")
        }
        Edit::LoadAuditRules => Depends::Nobody("rules are loaded that are in the files already"),
    }
}

/// Why nobody can say whom these edits concern: a flag goes that the file repeats with another value,
/// for a key that is not in the table.
pub(super) fn unknown(facts: &Facts, edits: &[Edit]) -> Option<String> {
    let layout = Layout::of(facts);
    let differs = |key: &str| {
        let value = |set: Option<(Value, String)>| set.map(|(value, _)| value);
        value(layout.by_flag(key)) != value(layout.in_file(key))
    };
    let keys: Vec<String> = edits
        .iter()
        .filter_map(|edit| match edit {
            Edit::DaemonFlag { key } if options::depends(key).is_none() && differs(key) => {
                Some(key.clone())
            }
            _ => None,
        })
        .collect();
    (!keys.is_empty()).then(|| {
        format!(
            "the file says something else than the flag, and what relies on that is not known: {}",
            keys.join(", ")
        )
    })
}
