//! Whom a plan concerns on this host, and which cures disrupt something here.

use super::Plan;
use crate::catalog::{Applicability, Control};
use crate::change::{Activation, Edit};
use crate::checks::Layout;
use crate::facts::{Facts, Seen};
use serde::{Deserialize, Serialize};

/// One effect of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// What happens.
    pub what: String,
    /// To whom: `container web`, `image busybox:latest`; empty when to nobody.
    pub who: Vec<String>,
    /// Why.
    pub why: String,
}

/// Why curing this finding disrupts something on this host, `None` when it does not.
pub(super) fn disruption(control: &Control, edits: &[Edit], facts: &Facts) -> Option<String> {
    if control.remediation.applicability == Applicability::Disruptive {
        return Some(first_sentence(&control.remediation.impact));
    }
    let restarts = edits
        .iter()
        .any(|edit| matches!(edit, Edit::DaemonKey { .. } | Edit::RestartDocker));
    if !restarts {
        return None;
    }
    let remaps = edits.iter().any(
        |edit| matches!(edit, Edit::DaemonKey { key, value: Some(_) } if key == "userns-remap"),
    );
    match &facts.docker {
        Seen::Known(docker) => {
            let running: Vec<&str> = docker
                .running()
                .map(|container| container.name.as_str())
                .collect();
            if remaps
                && !(docker.containers.is_empty()
                    && docker.images.is_empty()
                    && docker.volumes.is_empty())
            {
                return Some(format!(
                    "the daemon changes to another root, and what exists now vanishes from view: {}",
                    counted(&[
                        (docker.containers.len(), "container"),
                        (docker.images.len(), "image"),
                        (docker.volumes.len(), "volume"),
                    ])
                ));
            }
            if !running.is_empty() {
                return Some(format!(
                    "it restarts docker.service, and {} here: {}",
                    match running.len() {
                        1 => "a container runs".to_owned(),
                        count => format!("{count} containers run"),
                    },
                    running.join(", ")
                ));
            }
            edits.contains(&Edit::RestartDocker).then(|| {
                "it restarts docker.service, which brings into effect what was written there before"
                    .to_owned()
            })
        }
        Seen::Unseen(unseen) => {
            let layout = Layout::of(facts);
            if layout.docker_runs() {
                return Some(format!(
                    "it restarts docker.service, and the containers could not be seen: {}",
                    unseen.unseen
                ));
            }
            // The daemon does not run: whether something would vanish shows in its folder.
            let used = match facts.node(&layout.data_root()) {
                Seen::Known(node) => node.entries.as_ref().is_some_and(|names| !names.is_empty()),
                Seen::Unseen(_) => true,
            };
            (remaps && used).then(|| {
                format!(
                    "the daemon changes to another root, and what {} holds vanishes from view",
                    layout.data_root()
                )
            })
        }
    }
}

/// What no flag releases: why, and what helps.
///
/// With live-restore a restart leaves containers running. Under another root the daemon does not
/// know them: they would run on, invisible, and their ports could be given to others.
pub(super) fn danger(edits: &[Edit], facts: &Facts) -> Option<(String, String)> {
    let remaps = edits
        .iter()
        .any(|edit| matches!(edit, Edit::DaemonKey { key, .. } if key == "userns-remap"));
    let docker = facts.docker.known()?;
    (remaps && docker.keeps_bridge_over_restart()).then(|| {
        let names: Vec<&str> = docker
            .running()
            .map(|container| container.name.as_str())
            .collect();
        (
            format!(
                "live-restore would leave running containers behind under the former root, invisible to the daemon: {}",
                names.join(", ")
            ),
            "docker stop $(docker ps -q)".to_owned(),
        )
    })
}

/// Whom the steps and activations of a plan concern.
pub(super) fn impact(facts: &Facts, plan: &Plan) -> Vec<Impact> {
    let mut all = Vec::new();
    if plan.activates(Activation::RestartDocker) {
        let who = facts.docker.known().map_or_else(Vec::new, |docker| {
            docker
                .running()
                .map(|container| format!("container {}", container.name))
                .collect()
        });
        let what = match (&facts.docker, who.is_empty()) {
            (Seen::Unseen(_), _) => {
                "docker.service restarts; which containers run could not be seen"
            }
            (_, true) => "docker.service restarts once; no container runs now",
            (Seen::Known(docker), false) if docker.live_restore => {
                "docker.service restarts once; live-restore keeps these containers running"
            }
            (_, false) => {
                "docker.service restarts once; these containers stop, and come back only by their restart policy"
            }
        };
        all.push(Impact {
            what: what.to_owned(),
            who,
            why: format!("{} changes", Layout::of(facts).config),
        });
        let remapped = |facts: &Facts| {
            facts
                .docker
                .known()
                .is_some_and(|docker| docker.has_security_option("userns"))
        };
        if !remapped(facts)
            && remapped(&plan.forecast)
            && let Seen::Known(docker) = &facts.docker
        {
            let mut who: Vec<String> = docker
                .containers
                .iter()
                .map(|container| format!("container {}", container.name))
                .collect();
            who.extend(
                docker
                    .images
                    .iter()
                    .map(|image| format!("image {}", image.tags.first().unwrap_or(&image.id))),
            );
            who.extend(
                docker
                    .volumes
                    .iter()
                    .map(|volume| format!("volume {volume}")),
            );
            all.push(Impact {
                what: if who.is_empty() {
                    "the daemon changes to another root; it holds nothing yet that could vanish"
                } else {
                    "the daemon changes to another root, and these vanish from view until it is changed back"
                }
                .to_owned(),
                who,
                why: "userns-remap keeps images, containers and volumes apart for each mapping".to_owned(),
            });
        }
    }
    if plan.activates(Activation::LoadAuditRules) {
        all.push(Impact {
            what: "the kernel records more events, with the key docker".to_owned(),
            who: Vec::new(),
            why: "audit watches; a busy data root fills the log faster".to_owned(),
        });
    }
    if plan
        .steps
        .iter()
        .any(|step| step.controls.iter().any(|id| id == "content-trust"))
    {
        all.push(Impact {
            what: "`docker pull`, `run` and `build` of unsigned images fail".to_owned(),
            who: vec!["everybody who logs in from now on".to_owned()],
            why: "DOCKER_CONTENT_TRUST=1; Docker's own Notary service ends on 2026-12-08"
                .to_owned(),
        });
    }
    all
}

fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.split_once(". ") {
        Some((first, _)) => first.to_owned(),
        None => line.trim_end_matches('.').to_owned(),
    }
}

/// `2 containers and 1 image`, without what there is none of.
fn counted(parts: &[(usize, &str)]) -> String {
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!("{count} {noun}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
