//! `no-new-privileges`: for containers created from now on; the others keep what they were created
//! with (moby, daemon/daemon_unix.go; dockerd(8)).

use super::{Impact, Turn, words};
use crate::facts::{Docker, Seen, Setuid};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How a hint begins, which is not a finding.
const HINT: &str = "a hint only: containers of these images start as an ordinary user, and";

/// As many programs as are named: Debian's own are about ten.
const MOST_NAMES: usize = 16;

/// Whether it hints at programs in images, so that looking for them says more.
pub(in crate::plan) fn is_hint(impact: &Impact) -> bool {
    impact.what.starts_with(HINT)
}

/// Who keeps what he has, and whose image may need more.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let is_on = turn.brings("no-new-privileges") == Some(&Value::Bool(true));
    let Some(docker) = turn.docker().filter(|_| is_on) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut keeping = words::containers(
        docker
            .containers
            .iter()
            .filter(|it| it.no_new_privileges != Some(true)),
    );
    if turn.remaps().is_some() {
        // All must be created again.
        keeping.clear();
    }
    all.push(Impact {
        what: if keeping.is_empty() {
            "processes in containers created from now on cannot gain rights by setuid programs"
        } else {
            "processes in containers created from now on cannot gain rights by setuid programs; these keep what they were created with"
        }
        .to_owned(),
        who: keeping,
        why: "no-new-privileges = true".to_owned(),
        size: None,
    });
    all.extend(hints(docker));
    all
}

/// What is known of the images of containers that may rely on programs that gain rights: those of
/// which the same is known together, what is most likely to matter first.
fn hints(docker: &Docker) -> Vec<Impact> {
    let mut alike: BTreeMap<(u8, String, String), BTreeSet<String>> = BTreeMap::new();
    for container in docker.containers.iter().filter(|it| it.may_need_setuid()) {
        let image = format!("image {}", words::plain(&container.image));
        alike
            .entry(hint(&container.setuid))
            .or_default()
            .insert(image);
    }
    alike
        .into_iter()
        .map(|((_, what, why), who)| Impact {
            what: format!("{HINT} {what}"),
            who: who.into_iter().collect(),
            why,
            size: None,
        })
        .collect()
}

/// Where it comes, what is likely and why.
fn hint(setuid: &Seen<Setuid>) -> (u8, String, String) {
    let setuid = match setuid {
        Seen::Known(setuid) => setuid,
        Seen::Unseen(unseen) => {
            return (
                2,
                "may need sudo, su or ping to work once they are created again".to_owned(),
                format!(
                    "programs that gain rights were not looked for: {}; `find / -xdev -perm -4000` in the container lists them",
                    words::plain(&unseen.unseen)
                ),
            );
        }
    };
    if !setuid.named.is_empty() {
        let named = setuid.named.iter().map(|(program, script)| {
            if script.is_empty() {
                format!("{program} in the command")
            } else {
                format!("{program} in {script}")
            }
        });
        return (
            0,
            format!(
                "their entry points name programs that gain no rights once they are created again: {}",
                listed(named)
            ),
            "the programs are setuid, setgid or have capabilities; whether they are run is not known".to_owned(),
        );
    }
    if setuid.programs.is_empty() {
        return (
            3,
            "no program that gains rights was found in them".to_owned(),
            "looked for in the usual folders of their layers only".to_owned(),
        );
    }
    // Where they are, does not matter to a reader.
    let names: BTreeSet<&str> = setuid
        .programs
        .iter()
        .filter_map(|path| path.rsplit('/').next())
        .collect();
    (
        1,
        format!(
            "these programs in them gain no rights once they are created again: {}",
            listed(names.into_iter().map(str::to_owned))
        ),
        "they are setuid, setgid or have capabilities; nothing that was read of their start names them"
            .to_owned(),
    )
}

/// The first of them, and how many more there are, each on one line.
fn listed(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(MOST_NAMES);
    let mut shown: Vec<String> = all
        .take(MOST_NAMES)
        .map(|name| words::plain(&name))
        .collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    words::listed(&shown)
}
