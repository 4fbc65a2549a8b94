//! What a restart of docker.service does to the containers that run: the daemon stops them, unless
//! live-restore is on, and starts those whose restart policy says so
//! (docs.docker.com, "Start containers automatically" and "Live restore").

use super::{Impact, Turn, words};
use crate::change::Edit;
use crate::checks::{DaemonJson, Layout, key_changed_since_start};
use crate::facts::{Container, Docker, Facts, MountKind, Seen};
use crate::plan::forecast::Fate;
use crate::plan::restart::is_reloaded;

/// Whom a restart stops.
pub(super) fn stops(facts: &Facts) -> Option<String> {
    match &facts.docker {
        Seen::Known(docker) => {
            let running: Vec<&Container> = docker.running().collect();
            (!running.is_empty()).then(|| {
                format!(
                    "it restarts docker.service, and {} here: {}",
                    match running.len() {
                        1 => "a container runs".to_owned(),
                        count => format!("{count} containers run"),
                    },
                    words::names(running)
                )
            })
        }
        // Without systemd nothing here restarts it.
        Seen::Unseen(unseen) => Layout::of(facts).docker_runs().then(|| {
            format!(
                "it restarts docker.service, and the containers could not be seen: {}",
                unseen.unseen
            )
        }),
    }
}

/// Whom a restart starts although somebody has stopped it.
pub(super) fn starts(facts: &Facts) -> Option<String> {
    let who = started(facts.docker.known()?);
    (!who.is_empty()).then(|| {
        format!(
            "the restart of docker.service starts what somebody has stopped, as its restart policy is always: {}",
            words::names(who)
        )
    })
}

fn started(docker: &Docker) -> Vec<&Container> {
    docker
        .containers
        .iter()
        .filter(|container| Fate::over_restart(container, true).0 == Fate::Starts)
        .collect()
}

/// Whom docker deletes at a restart that the others outlive.
pub(super) fn deletes(facts: &Facts) -> Option<String> {
    deleted(facts, |docker, container| {
        !docker.live_restore_keeps(container)
    })
}

/// Whom docker deletes at a restart that stops all: who asked for that may not have meant it.
pub(super) fn deletes_with_all(facts: &Facts) -> Option<String> {
    deleted(facts, |_, container| container.auto_remove)
}

fn deleted(facts: &Facts, is: fn(&Docker, &Container) -> bool) -> Option<String> {
    let docker = facts.docker.known()?;
    let deleted: Vec<&Container> = docker
        .running()
        .filter(|container| is(docker, container))
        .collect();
    (!deleted.is_empty()).then(|| {
        format!(
            "it restarts docker.service, which deletes containers that were started with --rm: {}",
            words::names(deleted)
        )
    })
}

/// That a restart brings more into effect than what these edits write: what somebody has written and
/// the daemon has not read.
pub(super) fn brings_more(facts: &Facts, edits: &[Edit]) -> Option<String> {
    let keys = unread(facts);
    if !keys.is_empty() {
        return Some(format!(
            "it restarts docker.service, which brings into effect what was written to {} since it started: {}",
            Layout::of(facts).config,
            keys.join(", ")
        ));
    }
    // systemd may have to read docker.service's files again for a flag.
    let reloads_units = edits
        .iter()
        .any(|edit| matches!(edit, Edit::DaemonFlag { .. }));
    let more =
        edits.contains(&Edit::RestartDocker) || Layout::of(facts).waits_for_restart(reloads_units);
    more.then(|| {
        "it restarts docker.service, which brings into effect what was written there before"
            .to_owned()
    })
}

/// The keys that a reload brings into effect in one version or another (docs.docker.com, "dockerd",
/// "Configuration reload behavior"; moby, daemon/reload.go).
const RELOADED: [&str; 22] = [
    "allow-nondistributable-artifacts",
    "authorization-plugins",
    "cluster-advertise",
    "cluster-store",
    "cluster-store-opts",
    "debug",
    "default-cgroupns-mode",
    "default-ipc-mode",
    "default-runtime",
    "default-shm-size",
    "default-stop-timeout",
    "features",
    "insecure-registries",
    "labels",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "network-diagnostic-port",
    "nri-opts",
    "registry-mirrors",
    "runtimes",
    "shutdown-timeout",
];

/// That a reload, for these edits, brings more into effect than they write.
pub(super) fn reload_brings_more(facts: &Facts, edits: &[Edit]) -> Option<String> {
    if !edits.iter().any(|edit| is_reloaded(edit, facts)) {
        return None;
    }
    let keys: Vec<String> = unread(facts)
        .into_iter()
        .filter(|key| RELOADED.contains(&key.as_str()))
        .collect();
    (!keys.is_empty()).then(|| {
        format!(
            "it reloads docker.service, which brings into effect what was written to {} since it started: {}",
            Layout::of(facts).config,
            keys.join(", ")
        )
    })
}

/// The keys of the file that were changed since the daemon started, but for those that the API shows to
/// be in effect. That a key was taken out of it cannot be seen.
fn unread(facts: &Facts) -> Vec<String> {
    let layout = Layout::of(facts);
    let DaemonJson::Read(document) = layout.daemon_json() else {
        return Vec::new();
    };
    let in_effect = |key: &str| {
        let (docker, value) = (facts.docker.known()?, document.get(key)?);
        docker.is_in_effect(key, value)
    };
    document
        .keys()
        .into_iter()
        .filter(|key| key_changed_since_start(facts, &layout.config, key))
        .filter(|key| in_effect(key) != Some(true))
        .map(str::to_owned)
        .collect()
}

/// Who stops, and who comes back.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    if !turn.restarts {
        return Vec::new();
    }
    let entry = |what: String, who: Vec<String>, why: &str| Impact {
        what,
        who,
        why: why.to_owned(),
        size: None,
    };
    let changes = format!("{} changes", Layout::of(turn.facts).config);
    let Some(docker) = turn.docker() else {
        return vec![entry(
            "docker.service restarts; which containers run could not be seen".to_owned(),
            Vec::new(),
            &changes,
        )];
    };
    let running: Vec<&Container> = docker.running().collect();
    let mut started = started(docker);
    if turn.remaps().is_some() {
        started.clear();
    }
    let starts = (!started.is_empty()).then(|| {
        entry(
            "are started, although somebody has stopped them".to_owned(),
            words::containers(started),
            "their restart policy is always",
        )
    });
    if running.is_empty() {
        let mut all = vec![entry(
            if docker.may_run_containers() {
                "docker.service restarts once; no container that could be seen runs now".to_owned()
            } else {
                "docker.service restarts once; no container runs now".to_owned()
            },
            Vec::new(),
            &changes,
        )];
        all.extend(starts);
        return all;
    }
    if turn.keeps {
        let (kept, deleted): (Vec<&Container>, Vec<&Container>) = running
            .into_iter()
            .partition(|container| docker.live_restore_keeps(container));
        let mut all = vec![entry(
            "docker.service restarts once; live-restore keeps these containers running".to_owned(),
            words::containers(kept),
            &changes,
        )];
        if !deleted.is_empty() {
            let (_, what, why) = FATES[0];
            all.push(entry(what.to_owned(), words::containers(deleted), why));
        }
        all.extend(starts);
        return all;
    }
    let mut all = vec![entry(
        format!(
            "docker.service restarts once, and {} stop{}",
            words::counted(running.len(), "container").unwrap_or_default(),
            in_use(&running)
        ),
        Vec::new(),
        &changes,
    )];
    let volumes = volumes(&running);
    if !volumes.is_empty() {
        all.push(entry(
            "are in use by containers that stop".to_owned(),
            volumes,
            "their processes get SIGTERM, and SIGKILL when they take too long",
        ));
    }
    let known: &[(Fate, &str, &str)] = if turn.remaps().is_some() {
        // Nothing of the former root is known to the daemon that starts.
        all.push(entry(
            "stop and do not come back, whatever their restart policy".to_owned(),
            words::containers(running.iter().copied()),
            "the daemon changes to another root, which does not know them",
        ));
        &UNDER_ANOTHER_ROOT
    } else {
        &FATES
    };
    for (fate, what, why) in known {
        // Whose policy is not what becomes of him is told apart.
        let (left, who): (Vec<&Container>, Vec<&Container>) = running
            .iter()
            .copied()
            .filter(|container| Fate::over_restart(container, false).0 == *fate)
            .partition(|container| {
                container.restart_policy == "unless-stopped" && *fate != Fate::Restarts
            });
        if !who.is_empty() {
            all.push(entry((*what).to_owned(), words::containers(who), why));
        }
        if !left.is_empty() && *fate == Fate::MayStop {
            all.push(entry(
                "stop, and come back unless somebody has stopped them before".to_owned(),
                words::containers(left),
                "their restart policy is unless-stopped, and what docker has noted of them could not be read",
            ));
        } else if !left.is_empty() {
            all.push(entry(
                "stop and stay down, although their restart policy is unless-stopped".to_owned(),
                words::containers(left),
                "docker has noted that somebody stopped them, as `docker kill` does with any signal; `docker restart` takes the note away",
            ));
        }
    }
    all.extend(starts);
    all
}

/// What becomes of whom, and why, where nothing that is stopped can come back.
const UNDER_ANOTHER_ROOT: [(Fate, &str, &str); 1] = [(
    Fate::Deleted,
    "are deleted by the restart or, at the latest, when the daemon is back under this root, with what they have written and their anonymous volumes",
    "they were started with --rm",
)];

/// What becomes of whom, and why; the first also where live-restore keeps the others.
const FATES: [(Fate, &str, &str); 5] = [
    (
        Fate::Deleted,
        "are deleted by the restart, with what they have written and their anonymous volumes",
        "they were started with --rm",
    ),
    (
        Fate::Restarts,
        "stop and come back",
        "their restart policy is always or unless-stopped",
    ),
    (
        Fate::MayStop,
        "stop, and come back only if their process ends with an error",
        "their restart policy is on-failure",
    ),
    (
        Fate::Stops,
        "stop and stay down until somebody starts them",
        "they have no restart policy",
    ),
    (
        Fate::Replaced,
        "stop, and the swarm starts new tasks in their place",
        "they are tasks of services",
    ),
];

/// The ports on which nobody answers meanwhile.
fn in_use(running: &[&Container]) -> String {
    let mut ports: Vec<String> = running
        .iter()
        .flat_map(|container| &container.ports)
        .filter(|port| !port.host_port.is_empty())
        .map(ToString::to_string)
        .collect();
    ports.sort_by_key(|port| {
        let number: String = port.chars().filter(char::is_ascii_digit).collect();
        (number.len(), port.clone())
    });
    ports.dedup();
    if ports.is_empty() {
        String::new()
    } else {
        format!(", so that nobody answers on {} meanwhile", ports.join(", "))
    }
}

/// The named volumes that they use.
fn volumes(running: &[&Container]) -> Vec<String> {
    let mut volumes: Vec<String> = running
        .iter()
        .flat_map(|container| &container.mounts)
        .filter(|mount| mount.kind == MountKind::Volume && !is_anonymous(&mount.source))
        .map(|mount| format!("volume {}", mount.source))
        .collect();
    volumes.sort();
    volumes.dedup();
    volumes
}

/// A volume that nobody named has 64 hexadecimal digits for a name.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
