//! Values that only a flag spells this way: `nofile=1024:2048`, `base=10.0.0.0/8,size=24`,
//! `NAME=PATH` (docker/go-units `ParseUlimit`, moby `opts/address_pools.go`, `opts/runtime.go`).

use super::{Complaint, Settings};
use crate::options::Shape;
use serde_json::{Map, Value, json};

/// Names of limits: setrlimit(2), without `as`, which Docker does not set.
const LIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    if settings.by_flag.contains("default-ulimits") {
        let mut limits = settings.texts("default-ulimits").into_iter();
        if let Some(wrong) = limits.find(|limit| !is_limit(limit)) {
            found.push(Complaint::new(
                "default-ulimits",
                format!("--default-ulimit is {wrong:?}, which is no limit"),
                "NAME=SOFT:HARD",
            ));
        }
    }
    for key in &settings.by_flag {
        let Some(row) = crate::options::row(key) else {
            continue;
        };
        let is_plain = matches!(row.shape, Shape::Switch | Shape::Integer);
        if is_plain
            && settings
                .get(key)
                .is_some_and(|value| !row.shape.fits(value))
        {
            found.push(Complaint::new(
                row.name,
                format!("the flag of `{key}` is not {}", row.shape),
                row.shape.to_string(),
            ));
        }
    }
    let is_runtime = |flag: &&String| {
        let (name, path) = flag.split_once('=').unwrap_or_default();
        !name.is_empty() && !path.is_empty() && name != "runc"
    };
    if let Some(wrong) = settings
        .runtimes_by_flag
        .iter()
        .find(|flag| !is_runtime(flag))
    {
        found.push(Complaint::new(
            "runtimes",
            format!("--add-runtime is {wrong:?}, which is not NAME=PATH with a name of its own"),
            "NAME=PATH",
        ));
    }
}

fn is_limit(text: &str) -> bool {
    let Some((name, limits)) = text.split_once('=') else {
        return false;
    };
    let numbers: Option<Vec<i64>> = limits.split(':').map(|limit| limit.parse().ok()).collect();
    LIMITS.contains(&name)
        && match numbers.as_deref() {
            Some([_]) => true,
            Some([soft, hard]) => soft <= hard || *hard == -1,
            _ => false,
        }
}

/// A pool as it stands in the file.
pub(super) fn pool(text: &str) -> Value {
    let mut pool = Map::new();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = match (key, value.parse::<i64>()) {
            ("size", Ok(size)) => json!(size),
            _ => json!(value),
        };
        pool.insert(key.to_owned(), value);
    }
    Value::Object(pool)
}
