//! `no-new-privileges`: for containers created from now on; the others keep what they were created
//! with (moby, daemon/daemon_unix.go; dockerd(8)).

use super::{Impact, Turn, words};
use crate::facts::{Container, Docker};
use serde_json::Value;

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
    let images = images_of_users(docker);
    if !images.is_empty() {
        all.push(Impact {
            what: "a hint only: containers of these images start as an ordinary user, and may need sudo, su or ping to work once they are created again"
                .to_owned(),
            who: images,
            why: "their setuid programs were not looked for; `find / -xdev -perm -4000` in the container lists them"
                .to_owned(),
            size: None,
        });
    }
    all
}

/// The images of containers whose process is not root's from the start: root needs no setuid
/// program.
fn images_of_users(docker: &Docker) -> Vec<String> {
    let mut images: Vec<String> = docker
        .containers
        .iter()
        .filter(|it| it.no_new_privileges.is_none() && starts_as_user(it))
        .map(|it| format!("image {}", words::plain(&it.image)))
        .collect();
    images.sort();
    images.dedup();
    images
}

fn starts_as_user(container: &Container) -> bool {
    let user = container.user.split(':').next().unwrap_or_default();
    !matches!(user, "" | "0" | "root")
}
