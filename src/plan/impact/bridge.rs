//! `icc = false`: who shares the default bridge and may talk there.
//!
//! Only the default bridge is concerned. Links keep the exposed ports of their target open, and
//! ports published on all addresses can still be reached through the host
//! (docs.docker.com, "Bridge network driver").

use super::{Impact, Turn, words};
use crate::facts::{Container, Docker, Network};

/// Why that disrupts something here: two containers that run could be talking.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    let docker = turn.docker().filter(|_| turn.switches_off("icc"))?;
    let sharing = sharing(docker);
    (sharing.len() > 1).then(|| {
        format!(
            "{} containers on the default bridge could no longer reach each other: {}",
            sharing.len(),
            words::names(sharing)
        )
    })
}

fn sharing(docker: &Docker) -> Vec<&Container> {
    docker
        .running()
        .filter(|container| container.is_on_default_bridge())
        .collect()
}

/// Who loses what, who keeps what, and whom it does not concern.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let Some(docker) = turn.docker().filter(|_| turn.switches_off("icc")) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let sharing = sharing(docker);
    let later = if docker.keeps_bridge_over_restart() {
        "icc = false, once no container runs at a restart, as live-restore keeps the bridge until then"
    } else {
        "icc = false"
    };
    if sharing.len() > 1 {
        all.push(Impact {
            what: "containers on the default bridge no longer reach each other".to_owned(),
            who: words::containers(sharing.iter().copied()),
            why: format!("{later}; ports that they publish on the host stay open to all"),
            size: None,
        });
    } else if docker.hidden_containers().next().is_none() {
        all.push(Impact {
            what: match sharing.first() {
                Some(only) => format!("only {} is on the default bridge now", only.name),
                None => "no running container is on the default bridge now".to_owned(),
            },
            who: Vec::new(),
            why: format!("{later}: nobody there talks to anybody"),
            size: None,
        });
    }
    all.extend(links(docker, &sharing));
    let others: Vec<String> = docker
        .networks
        .iter()
        .filter(|network| is_used(docker, network))
        .map(|network| format!("network {}", words::plain(&network.name)))
        .collect();
    if !others.is_empty() {
        all.push(Impact {
            what: "these networks stay as they are".to_owned(),
            who: others,
            why: "icc concerns the default bridge only".to_owned(),
            size: None,
        });
    }
    all
}

fn is_used(docker: &Docker, network: &Network) -> bool {
    docker
        .running()
        .any(|container| container.networks.contains(&network.name))
}

/// Links between containers that run there.
fn links(docker: &Docker, sharing: &[&Container]) -> Option<Impact> {
    let mut who = Vec::new();
    let mut pairs = Vec::new();
    for from in sharing {
        for name in &from.links {
            let Some(to) = docker.running().find(|other| other.name == *name) else {
                continue;
            };
            who.push(words::container(from));
            pairs.push(if to.exposed.is_empty() {
                format!(
                    "{} reaches no port of {}, which exposes none",
                    from.name, name
                )
            } else {
                format!(
                    "{} reaches {} on {}",
                    from.name,
                    name,
                    to.exposed.join(", ")
                )
            });
        }
    }
    who.dedup();
    (!pairs.is_empty()).then(|| Impact {
        what: format!(
            "linked containers keep what is exposed: {}",
            pairs.join("; ")
        ),
        who,
        why: "`--link` opens the exposed ports of its target".to_owned(),
        size: None,
    })
}
