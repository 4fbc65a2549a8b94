//! `builder`: the types of its parts, and what its garbage collection needs (moby
//! `daemon/config/builder.go`, `builder/builder-next/worker/gc.go`).

use super::{Complaint, Settings, field};
use crate::formats::go::size;
use serde_json::{Map, Value};

const KEY: &str = "builder";

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let Some(builder) = settings.table(KEY) else {
        return;
    };
    let complaint = |why: String| {
        Complaint::new(
            KEY,
            format!("`{KEY}`: {why}"),
            "see docs.docker.com, \"Build garbage collection\"",
        )
    };
    let wrong = wrong(settings, builder);
    found.extend(wrong.map(complaint));
}

/// An object at a key; `Err` where something else is there.
fn object<'v>(
    of: &'v Map<String, Value>,
    key: &str,
) -> Result<Option<&'v Map<String, Value>>, String> {
    match field(of, key) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("`{key}` is no object")),
    }
}

fn wrong(settings: &Settings<'_>, builder: &Map<String, Value>) -> Option<String> {
    parts(settings, builder).err()
}

fn parts(settings: &Settings<'_>, builder: &Map<String, Value>) -> Result<(), String> {
    let switch = |of: &Map<String, Value>, key: &str| match field(of, key) {
        Some(value) if !value.is_boolean() => Err(format!("`{key}` is not true or false")),
        _ => Ok(()),
    };
    let text = |of: &Map<String, Value>, key: &str| match field(of, key) {
        Some(value) if !value.is_string() => Err(format!("`{key}` is no text")),
        _ => Ok(()),
    };
    if let Some(allowed) = object(builder, "entitlements")? {
        switch(allowed, "network-host")?;
        switch(allowed, "security-insecure")?;
    }
    let Some(gc) = object(builder, "gc")? else {
        return Ok(());
    };
    switch(gc, "enabled")?;
    text(gc, "defaultKeepStorage")?;
    let policies = match field(gc, "policy") {
        None => &[][..],
        Some(Value::Array(policies)) => policies,
        Some(_) => return Err("`policy` is no list".to_owned()),
    };
    // 28 collects unless it is told not to, and takes what is not said as nothing.
    let is_new = settings.from(28, 0);
    let is_on = match field(gc, "enabled") {
        Some(value) => *value == Value::Bool(true),
        None => is_new,
    };
    let keep = field(gc, "defaultKeepStorage")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if is_on && !keep.is_empty() && size::bytes(keep).is_none() {
        return Err(format!(
            "`defaultKeepStorage` is {keep:?}, which is no size"
        ));
    }
    for policy in policies {
        let policy = match policy {
            Value::Null => continue,
            Value::Object(policy) => policy,
            _ => return Err("`policy` has something that is no object".to_owned()),
        };
        switch(policy, "all")?;
        text(policy, "keepStorage")?;
        filter(settings, policy)?;
        let keep = field(policy, "keepStorage")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let may_be_empty = is_new || settings.version.is_none();
        if is_on && !(may_be_empty && keep.is_empty()) && size::bytes(keep).is_none() {
            return Err(format!("a policy keeps {keep:?}, which is no size"));
        }
    }
    Ok(())
}

fn filter(settings: &Settings<'_>, policy: &Map<String, Value>) -> Result<(), String> {
    match field(policy, "filter") {
        // The form of old: `{"unused-for": {"2200h": true}}`.
        None | Some(Value::Object(_)) => Ok(()),
        Some(Value::Array(items)) => {
            let is_new = settings.from(28, 0);
            let is_text = |item: &Value| {
                let text = item.as_str();
                let time = text.and_then(|text| text.strip_prefix("unused-for="));
                // A duration or a moment; both begin with a digit.
                let is_time =
                    time.is_none_or(|time| time.starts_with(|c: char| c.is_ascii_digit()));
                text.is_some_and(|text| text.contains('=') || !settings.before(23, 0))
                    && (is_time || !is_new)
            };
            if items.iter().all(is_text) {
                Ok(())
            } else {
                Err("`filter` has something that is no NAME=VALUE".to_owned())
            }
        }
        Some(_) => Err("`filter` is no list".to_owned()),
    }
}
