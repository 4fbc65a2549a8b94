//! `seccomp-profile`: for every container at its next start, old ones too, unless it is privileged or
//! was created with a profile of its own (moby, daemon/seccomp_linux.go).

use super::{Impact, Turn, words};
use crate::facts::Container;
use serde_json::Value;

/// The profile from then on, in words; `None` where it stays.
fn becomes(turn: &Turn<'_>) -> Option<String> {
    let is_unconfined = turn.docker().is_some_and(|docker| {
        docker
            .security_options
            .iter()
            .any(|option| option == "name=seccomp,profile=unconfined")
    });
    let changes = turn.changes("seccomp-profile").is_some();
    let ends = is_unconfined && turn.starts();
    if !(changes || ends) {
        return None;
    }
    Some(match turn.then("seccomp-profile").and_then(Value::as_str) {
        None | Some("" | "builtin") => "Docker's own profile".to_owned(),
        Some("unconfined") => return None,
        Some(path) => format!("the profile {}", words::plain(path)),
    })
}

fn is_limited(container: &Container) -> bool {
    !container.privileged && !container.own_seccomp
}

/// Why that disrupts something here.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let profile = becomes(turn)?;
    let running: Vec<&Container> = turn
        .docker()?
        .running()
        .filter(|it| is_limited(it))
        .collect();
    (!running.is_empty()).then(|| {
        format!(
            "system calls that {profile} does not allow fail in containers that run here, from their next start on: {}",
            words::names(running)
        )
    })
}

/// Whom it limits.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let (Some(profile), Some(docker)) = (becomes(turn), turn.docker()) else {
        return Vec::new();
    };
    let who = words::containers(docker.containers.iter().filter(|it| is_limited(it)));
    if who.is_empty() {
        return Vec::new();
    }
    vec![Impact {
        what: format!(
            "can use only the system calls that {profile} allows, from their next start on"
        ),
        who,
        why: "seccomp-profile changes, and they have no profile of their own".to_owned(),
        size: None,
    }]
}
