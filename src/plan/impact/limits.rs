//! `default-ulimits` and `cgroup-parent`: for every container at its next start, old ones too, unless
//! it has a limit or a parent of its own (docs.docker.com, dockerd, "Default ulimit settings",
//! "Default cgroup parent"; moby, daemon/oci_linux.go).

use super::{Impact, Turn, words};

/// Who gets them.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let mut all = ulimits(turn);
    all.extend(control_group(turn));
    all
}

fn control_group(turn: &Turn<'_>) -> Option<Impact> {
    let docker = turn.docker()?;
    turn.changes("cgroup-parent")?;
    let who = words::containers(&docker.containers);
    (!who.is_empty()).then(|| Impact {
        what: "are in another control group from their next start on, with its limits and accounting, unless they were created with a parent of their own".to_owned(),
        who,
        why: "cgroup-parent changes".to_owned(),
        size: None,
    })
}

fn ulimits(turn: &Turn<'_>) -> Vec<Impact> {
    let (Some(docker), Some(limits)) = (
        turn.docker(),
        turn.brings("default-ulimits").and_then(|it| it.as_object()),
    ) else {
        return Vec::new();
    };
    let names: Vec<&String> = limits.keys().collect();
    let who = words::containers(docker.containers.iter().filter(|it| {
        names
            .iter()
            .any(|name| !it.ulimits.iter().any(|own| own == *name))
    }));
    if who.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    vec![Impact {
        what: format!(
            "get the default limits ({}) when they start the next time",
            names.join(", ")
        ),
        who,
        why: "default-ulimits".to_owned(),
        size: None,
    }]
}
