//! daemon.json key by key.

use crate::formats::daemon_json::Document;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The text that a rollback writes, and a sentence for each later edit that stays.
///
/// # Errors
/// Why the text of today cannot be edited, as a clause.
pub(super) fn merge(
    before: &Document,
    after: &Document,
    now: &Document,
) -> Result<(String, Vec<String>), String> {
    let mut seen = BTreeSet::new();
    let mut keys = now.keys();
    keys.extend(after.keys());
    keys.extend(before.keys());
    keys.retain(|key| seen.insert(*key));
    let mut changes: BTreeMap<String, Option<Value>> = BTreeMap::new();
    let mut stays = Vec::new();
    for key in keys {
        let (was, ours, is) = (before.get(key), after.get(key), now.get(key));
        let how = if is.is_some() { "set" } else { "removed" };
        if was == ours {
            if is != ours {
                stays.push(format!("`{key}` was {how} since and stays so"));
            }
            continue;
        }
        let (to, again) = back(was, ours, is);
        if to.as_ref() != is {
            changes.insert(key.to_owned(), to);
        }
        if again {
            stays.push(format!(
                "`{key}`, which the transaction changed, was {how} again since and stays so"
            ));
        }
    }
    let text = now.with(&changes).map_err(|error| error.to_string())?;
    Ok((text, stays))
}

/// What becomes of a value that the transaction changed, and whether somebody changed it again.
fn back(was: Option<&Value>, ours: Option<&Value>, is: Option<&Value>) -> (Option<Value>, bool) {
    if is == ours {
        return (was.cloned(), false);
    }
    if is == was {
        return (is.cloned(), false);
    }
    let empty = Map::new();
    let (Some(Value::Object(ours)), Some(Value::Object(is))) = (ours, is) else {
        return (is.cloned(), true);
    };
    // Somebody may have added to an object that we wrote: ours goes, theirs stays.
    let former = match was {
        None => &empty,
        Some(Value::Object(was)) => was,
        Some(_) => return (Some(Value::Object(is.clone())), true),
    };
    let mut to = is.clone();
    for key in former.keys().chain(ours.keys()) {
        if former.get(key) == ours.get(key) {
            continue;
        }
        match back(former.get(key), ours.get(key), is.get(key)).0 {
            Some(value) => to.insert(key.clone(), value),
            None => to.shift_remove(key),
        };
    }
    if to.is_empty() && was.is_none() {
        return (None, false);
    }
    (Some(Value::Object(to)), true)
}
