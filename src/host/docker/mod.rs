//! Asking the Docker daemon over its unix socket.
//!
//! Answers are read as JSON without types: one value that a newer daemon has invented must not cost
//! us the rest. What could not be had is noted by its name, and only where the daemon says nothing of
//! itself at all is it the daemon that was not seen.

mod act;
mod client;

pub(super) use act::start;

use super::{DockerAnswers, HostError, Patience};
use crate::facts::{Cause, Hidden, Part, Unseen, Usage};
use client::{Client, Silence, prefix};
use serde_json::Value;
use std::time::Instant;

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything that is read from the daemon; see [`super::ReadHost::docker`].
    Everything,
    /// Settings and containers. Images and volumes say nothing about health, and a daemon that takes
    /// its time to list many of them is not ill.
    Health,
}

/// The fields of `/info` that every daemon sends whatever they are (moby, api/types/system/info.go:
/// none of them has `omitempty`): one that is missing is not `false`.
const INFO: [(&str, Shape); 9] = [
    ("LiveRestoreEnabled", Value::is_boolean),
    ("LoggingDriver", Value::is_string),
    ("Driver", Value::is_string),
    ("DockerRootDir", Value::is_string),
    ("SecurityOptions", is_list),
    ("RegistryConfig", Value::is_object),
    ("Plugins", Value::is_object),
    ("Debug", Value::is_boolean),
    ("ExperimentalBuild", Value::is_boolean),
];

/// Whether a value is what it should be.
type Shape = fn(&Value) -> bool;

/// A list; Go writes an empty one as `null`, too.
fn is_list(value: &Value) -> bool {
    value.is_array() || value.is_null()
}

/// What the daemon says of itself.
pub(super) fn ask(
    socket: &str,
    scope: Scope,
    patience: Patience,
    ends: Instant,
) -> Result<DockerAnswers, HostError> {
    let silent = |path: &str, silence: &Silence| {
        // That nobody is there at all is not a matter of what was asked.
        let reason = match silence.cause {
            Cause::Refused | Cause::NotPermitted | Cause::NotThere => silence.reason.clone(),
            _ => format!("GET {path}: {}", silence.reason),
        };
        failed(socket, silence.cause, reason)
    };
    let mut client = open(socket, patience, ends)?;
    let version = client
        .one("/version")
        .and_then(|answer| shaped(answer, |it| it.get("Version").is_some_and(Value::is_string)))
        .map_err(|silence| silent("/version", &silence))?;
    let prefix = prefix(&version);
    let mut paths = vec!["/info", "/networks", "/containers/json?all=1"];
    if scope == Scope::Everything {
        paths.extend(["/images/json", "/volumes"]);
    }
    let asked: Vec<String> = paths.iter().map(|path| format!("{prefix}{path}")).collect();
    let mut answers = client.all(&asked).into_iter();
    let mut next = |shape: Shape| match answers.next() {
        Some(answer) => answer.and_then(|answer| shaped(answer, shape)),
        None => Err(Silence::new(Cause::NotAsked, "it was not asked")),
    };
    let mut found = DockerAnswers {
        version,
        info: next(Value::is_object).map_err(|silence| silent("/info", &silence))?,
        ..DockerAnswers::default()
    };
    for (field, is_right) in INFO {
        if !found.info.get(field).is_some_and(is_right) {
            let why = Unseen::new(format!("GET /info: there is no {field} in the answer"), "");
            found.hidden.push(Hidden {
                part: Part::Info(field.to_owned()),
                why: why.because(Cause::BadAnswer),
            });
        }
    }
    let mut or_hidden = |path: &str, part: Part, answer: Result<Value, Silence>| {
        answer.unwrap_or_else(|silence| {
            found.hidden.push(hidden(path, part, &silence));
            Value::Null
        })
    };
    found.networks = or_hidden("/networks", Part::Networks, next(is_list));
    let containers = or_hidden("/containers/json", Part::Containers, next(is_list));
    if scope == Scope::Everything {
        found.images = or_hidden("/images/json", Part::Images, next(is_list));
        found.volumes = or_hidden("/volumes", Part::Volumes, next(Value::is_object));
    }
    inspect(&mut client, &prefix, &containers, &mut found);
    Ok(found)
}

/// Asks about each container of the list.
fn inspect(client: &mut Client, prefix: &str, list: &Value, found: &mut DockerAnswers) {
    let mut listed = Vec::new();
    for summary in list.as_array().into_iter().flatten() {
        let id = summary.get("Id").and_then(Value::as_str);
        // It goes into a path: nothing but an id.
        let is_id = |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        match id.filter(is_id) {
            Some(id) => listed.push((id, name_of(summary, id))),
            None => found.hidden.push(Hidden {
                part: Part::Container(name_of(summary, id.unwrap_or("without an id"))),
                why: Unseen::new("the list of containers has no id for it", "")
                    .because(Cause::BadAnswer),
            }),
        }
    }
    let asked: Vec<String> = listed
        .iter()
        .map(|(id, _)| format!("{prefix}/containers/{id}/json"))
        .collect();
    for ((id, name), answer) in listed.into_iter().zip(client.all(&asked)) {
        match answer.and_then(|answer| shaped(answer, is_container)) {
            Ok(container) => found.containers.push(container),
            // It was removed since.
            Err(silence) if silence.gone => {}
            Err(silence) => {
                let short = &id[..id.len().min(12)];
                let path = format!("/containers/{short}/json");
                let part = Part::Container(name);
                found.hidden.push(hidden(&path, part, &silence));
            }
        }
    }
}

/// Whether an answer is about a container: whoever has these fields has the others.
fn is_container(answer: &Value) -> bool {
    answer
        .pointer("/State/Running")
        .is_some_and(Value::is_boolean)
        && answer.get("HostConfig").is_some_and(Value::is_object)
}

/// The name of a container in the list; its id where it has none.
fn name_of(summary: &Value, id: &str) -> String {
    let name = summary.pointer("/Names/0").and_then(Value::as_str);
    name.map_or(id, |name| name.trim_start_matches('/'))
        .to_owned()
}

fn shaped(answer: Value, is_right: impl Fn(&Value) -> bool) -> Result<Value, Silence> {
    if is_right(&answer) {
        return Ok(answer);
    }
    Err(Silence::new(
        Cause::BadAnswer,
        "the answer is not what this call answers",
    ))
}

fn hidden(path: &str, part: Part, silence: &Silence) -> Hidden {
    let why = Unseen::new(format!("GET {path}: {}", silence.reason), "");
    Hidden {
        part,
        why: why.because(silence.cause),
    }
}

fn open(socket: &str, patience: Patience, ends: Instant) -> Result<Client, HostError> {
    Client::new(socket, patience, ends)
        .map_err(|error| failed(socket, Cause::Unsaid, error.to_string()))
}

/// Whether the daemon answers at all.
pub(super) fn ping(socket: &str, patience: Patience, ends: Instant) -> Result<(), HostError> {
    let answer = open(socket, patience, ends)?.plain("/_ping");
    let failure = |silence: Silence| failed(socket, silence.cause, silence.reason);
    answer.map(|_| ()).map_err(failure)
}

/// What everything takes on the disk; see [`super::ReadHost::docker_usage`].
pub(super) fn usage(socket: &str, patience: Patience, ends: Instant) -> Result<Usage, HostError> {
    const PATH: &str = "/system/df";
    let failure = |silence: Silence| {
        let reason = format!("GET {PATH}: {}", silence.reason);
        failed(socket, silence.cause, reason)
    };
    let answer = open(socket, patience, ends)?.one(PATH).map_err(failure)?;
    super::answers::usage(&answer).ok_or_else(|| {
        failure(Silence::new(
            Cause::BadAnswer,
            "there are no sizes in the answer",
        ))
    })
}

fn failed(socket: &str, cause: Cause, reason: String) -> HostError {
    HostError::Docker {
        socket: socket.to_owned(),
        reason,
        cause,
    }
}

#[cfg(test)]
mod tests;
