//! What userns-remap puts out of sight.
//!
//! The daemon keeps everything below another root for each mapping, `DATA-ROOT/UID.GID`
//! (docs.docker.com, "Isolate containers with a user namespace"). Nothing is deleted: it comes back
//! with the former mapping.

use super::{Impact, Turn, words};
use crate::checks::Layout;
use crate::facts::{Docker, Hidden, Part, Seen, Swarm};
use crate::plan::forecast::Fate;

/// What vanishes, and how much that is.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let (Some(_), Some(docker)) = (turn.remaps(), turn.docker()) else {
        return Vec::new();
    };
    let who = things(docker);
    let nothing = who.is_empty() && not_shown(docker).next().is_none();
    vec![Impact {
        what: if nothing {
            "the daemon changes to another root; it holds nothing yet that could vanish"
        } else {
            "the daemon changes to another root, and these vanish from view until it is changed back"
        }
        .to_owned(),
        who,
        why: "userns-remap keeps images, containers, volumes, networks, the build cache and plugins apart for each mapping".to_owned(),
        size: (!nothing).then(|| takes(docker)),
    }]
}

/// Why that disrupts something here.
pub(super) fn disruption(turn: &Turn<'_>) -> Option<String> {
    turn.remaps()?;
    let Some(docker) = turn.docker() else {
        // A daemon that runs and was not seen restarts, which is reason enough.
        let layout = Layout::of(turn.facts);
        let root = layout.data_root();
        let used = match turn.facts.node(&turn.facts.real_path(&root)) {
            Seen::Known(node) => node.entries.is_some() && !node.is_empty_folder(),
            Seen::Unseen(_) => true,
        };
        return (used && !layout.docker_runs()).then(|| {
            format!("the daemon changes to another root, and what {root} holds vanishes from view")
        });
    };
    let mut parts: Vec<String> = [
        (docker.containers.len(), "container"),
        (docker.images.len(), "image"),
        (docker.volumes.len(), "volume"),
        (docker.networks.len(), "network"),
    ]
    .into_iter()
    .filter_map(|(count, noun)| words::counted(count, noun))
    .collect();
    if docker.swarm == Swarm::Active {
        parts.push("the membership in a swarm".to_owned());
    }
    parts.extend(not_shown(docker).map(|hidden| words::plain(&hidden.to_string())));
    (!parts.is_empty()).then(|| {
        format!(
            "the daemon changes to another root, and what exists now vanishes from view: {}",
            words::listed(&parts)
        )
    })
}

/// What there may be and was not shown.
fn not_shown(docker: &Docker) -> impl Iterator<Item = &Hidden> {
    docker
        .hidden
        .iter()
        .filter(|hidden| !matches!(hidden.part, Part::Info(_)))
}

fn things(docker: &Docker) -> Vec<String> {
    // What was started with `--rm` does not come back.
    let mut who = words::containers(
        docker
            .containers
            .iter()
            .filter(|container| Fate::over_restart(container, false).0 != Fate::Deleted),
    );
    who.extend(docker.images.iter().map(words::image));
    who.extend(
        docker
            .volumes
            .iter()
            .map(|name| format!("volume {}", words::plain(name))),
    );
    who.extend(
        docker
            .networks
            .iter()
            .map(|network| format!("network {}", words::plain(&network.name))),
    );
    if docker.swarm == Swarm::Active {
        who.push("this host's membership in its swarm".to_owned());
    }
    who
}

fn takes(docker: &Docker) -> String {
    let images = || words::size(docker.images.iter().map(|image| image.size).sum());
    match &docker.usage {
        Seen::Known(usage) => {
            let parts: Vec<String> = [
                ("images", usage.images),
                ("containers", usage.containers),
                ("volumes", usage.volumes),
                ("the build cache", usage.build_cache),
            ]
            .into_iter()
            .filter(|(_, bytes)| *bytes > 0)
            .map(|(what, bytes)| format!("{what} {}", words::size(bytes)))
            .collect();
            if parts.is_empty() {
                "they take nothing on the disk".to_owned()
            } else {
                format!("on the disk they take: {}", words::listed(&parts))
            }
        }
        usage if *usage == Seen::default() => format!(
            "on the disk the images take at most {}; containers and volumes are measured for a plan that does this",
            images()
        ),
        Seen::Unseen(unseen) => format!(
            "on the disk the images take at most {}; containers and volumes are not measured: {}",
            images(),
            unseen.unseen
        ),
    }
}
