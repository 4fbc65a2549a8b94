//! What the daemon was asked for and did not show: whom a plan concerns there is not known.

use super::{Impact, Turn, words};
use crate::facts::{Docker, Facts, Hidden, Part, Seen};

/// The fields of `/info` that decide what a restart does to containers.
const DECIDES: [&str; 4] = [
    "LiveRestoreEnabled",
    "DockerRootDir",
    "Driver",
    "SecurityOptions",
];

/// What of it may be stopped, deleted or started by a restart, or lose something by a setting.
fn concerned(docker: &Docker) -> impl Iterator<Item = &Hidden> {
    let is_setting = |part: &Part| matches!(part, Part::Info(_));
    docker
        .hidden
        .iter()
        .filter(move |hidden| !is_setting(&hidden.part))
}

/// Why a restart of docker.service may disrupt something that could not be seen.
pub(super) fn disruption(facts: &Facts) -> Option<String> {
    let docker = facts.docker.known()?;
    let hidden: Vec<String> = concerned(docker)
        .map(|hidden| words::plain(&hidden.to_string()))
        .collect();
    (!hidden.is_empty()).then(|| {
        format!(
            "it restarts docker.service, and what that does here is not known, as this could not be seen: {}",
            hidden.join(", ")
        )
    })
}

/// Why nothing that restarts docker.service is planned: how the daemon is set decides what becomes of
/// its containers.
pub(super) fn danger(facts: &Facts) -> Option<(String, String)> {
    match &facts.docker {
        Seen::Known(docker) => {
            let decides = |part: &Part| match part {
                Part::Info(field) => DECIDES.contains(&field.as_str()),
                _ => false,
            };
            let hidden = docker.hidden.iter().find(|it| decides(&it.part))?;
            Some((
                format!(
                    "it restarts docker.service, and how the daemon is set could not be seen: {hidden}"
                ),
                "docker info".to_owned(),
            ))
        }
        Seen::Unseen(unseen) => {
            let service = facts.units.get("docker.service")?;
            (service.active == "unknown").then(|| {
                (
                    format!(
                        "it needs a restart of docker.service, and systemd does not say whether that runs: {}",
                        unseen.unseen
                    ),
                    "systemctl status docker.service".to_owned(),
                )
            })
        }
    }
}

/// Who that is.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let Some(docker) = turn.docker().filter(|_| turn.restarts) else {
        return Vec::new();
    };
    let (mut who, mut why) = (Vec::new(), Vec::new());
    for hidden in concerned(docker) {
        who.push(words::plain(&hidden.part.to_string()));
        why.push(words::plain(&hidden.why.unseen));
    }
    if who.is_empty() {
        return Vec::new();
    }
    why.dedup();
    vec![Impact {
        what: "could not be seen: what becomes of them is not known".to_owned(),
        who,
        why: why.join("; "),
        size: None,
    }]
}
