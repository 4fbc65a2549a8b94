//! What is left alone on a host because somebody else decides it there: an image, a snap, another service
//! manager, a user's own daemon.

use super::Layout;
use super::daemon::was_seen_down;
use super::installation::{INIT_SCRIPT, INIT_SETTINGS, Installation, NIXOS, OSTREE, SNAP_CONFIG};
use crate::change::Edit;
use crate::facts::Facts;

/// Why edits are not made on this host although they would cure, and the command that helps.
pub fn hands_off(edits: &[Edit], facts: &Facts) -> Option<(String, String)> {
    let about_docker = |edit: &&Edit| !matches!(edit, Edit::EnvironmentVariable { .. });
    if facts.exists(NIXOS) && !edits.is_empty() {
        return Some((
            "NixOS generates these files from its own configuration, and the next rebuild would undo this"
                .to_owned(),
            "editor /etc/nixos/configuration.nix && nixos-rebuild switch".to_owned(),
        ));
    }
    if let Some(mark) = OSTREE.iter().find(|mark| facts.exists(mark))
        && let Some(path) = edits.iter().find_map(|edit| match edit {
            Edit::Access { path, .. } if facts.resolved(path).starts_with("/usr/") => Some(path),
            // /lib is a link to usr/lib there, as everywhere.
            Edit::Access { path, .. } if path.starts_with("/lib/") => Some(path),
            _ => None,
        })
    {
        return Some((
            format!("{path} comes from an image that ostree checks out ({mark} exists), read-only"),
            format!("rpm-ostree status; ls -l {path}"),
        ));
    }
    let (installation, source) = Installation::of(facts);
    match installation {
        Installation::Snap => edits.iter().find_map(|edit| snapped(edit, &source)),
        Installation::Desktop => edits.iter().find(about_docker).map(|_| {
            (
                format!("Docker Desktop ({source}) writes its settings itself"),
                "systemctl --user start docker-desktop".to_owned(),
            )
        }),
        Installation::Rootless(user) => edits
            .iter()
            .find(|edit| match edit {
                Edit::DaemonKey { .. } | Edit::DaemonFlag { .. } | Edit::RestartDocker | Edit::RestartContainers | Edit::DropIn(_) => true,
                Edit::Access { path, .. } => user.owns(path),
                Edit::AuditWatch(watch) => user.owns(&watch.path),
                Edit::BootFolder { .. }
                | Edit::EnvironmentVariable { .. }
                | Edit::LoadAuditRules => false,
            })
            .map(|_| {
                let name = user.title();
                (
                    format!("Docker is rootless here ({source}): its configuration and its service belong to {name}"),
                    format!(
                        "editor {} && systemctl --user --machine={name}@ restart docker",
                        Installation::Rootless(user).config()
                    ),
                )
            }),
        Installation::OpenRc if facts.host.live => openrc_runs(edits, facts),
        // Where none runs, as in the build of an image, the next start reads what is written.
        Installation::ByHand if !was_seen_down(facts) => edits
            .iter()
            .find(|edit| {
                matches!(
                    edit,
                    Edit::DaemonKey { .. }
                        | Edit::DaemonFlag { .. }
                        | Edit::RestartDocker
                        | Edit::RestartContainers
                        | Edit::DropIn(_)
                )
            })
            .map(|_| {
                (
                    format!(
                        "no service that this program knows starts the daemon here ({source}), so it could not be restarted and watched"
                    ),
                    "ps -C dockerd -o pid,ppid,lstart,args".to_owned(),
                )
            }),
        Installation::OpenRc
        | Installation::Systemd
        | Installation::ByHand
        | Installation::None => None,
    }
}

/// Whether an edit would be lost with the next revision of the snap.
fn snapped(edit: &Edit, source: &str) -> Option<(String, String)> {
    let of_revision = |path: &str| {
        ["/snap/", "/var/snap/docker/current/", "/run/snap."]
            .iter()
            .any(|folder| path.starts_with(folder))
    };
    match edit {
        Edit::EnvironmentVariable { .. } | Edit::LoadAuditRules => None,
        Edit::AuditWatch(watch) if !of_revision(&watch.path) => None,
        Edit::AuditWatch(_) | Edit::BootFolder { .. } => Some((
            format!(
                "Docker is a snap here ({source}): a watch stays with the revision that is current when it is loaded, and each refresh brings another"
            ),
            "snap list --all docker".to_owned(),
        )),
        Edit::DaemonKey { .. }
        | Edit::DaemonFlag { .. }
        | Edit::RestartDocker
        | Edit::RestartContainers
        | Edit::DropIn(_)
        | Edit::Access { .. } => Some((
            format!(
                "Docker is a snap here ({source}): each of its revisions has its own files, which the snap writes itself, so that this would be lost"
            ),
            format!("editor {SNAP_CONFIG} && snap restart docker"),
        )),
    }
}

/// This program can restart services and watch them come up with systemd only.
fn openrc_runs(edits: &[Edit], facts: &Facts) -> Option<(String, String)> {
    edits.iter().find_map(|edit| match edit {
        Edit::DaemonKey { .. } | Edit::DaemonFlag { .. } | Edit::RestartDocker | Edit::RestartContainers | Edit::DropIn(_) => Some((
            format!(
                "OpenRC runs Docker here ({INIT_SCRIPT}), and this program can restart it and watch it come up with systemd only"
            ),
            match edit {
                // Not the file alone: with a flag for the same key the daemon would not start.
                Edit::DaemonFlag { .. } => format!(
                    "editor {INIT_SETTINGS} {} && rc-service docker restart",
                    Layout::of(facts).config
                ),
                _ => format!(
                    "editor {} && rc-service docker restart",
                    Layout::of(facts).config
                ),
            },
        )),
        Edit::AuditWatch(_) | Edit::LoadAuditRules | Edit::BootFolder { .. } => Some((
            "OpenRC runs auditd here, and this program can load rules and watch auditd with systemd only"
                .to_owned(),
            "editor /etc/audit/audit.rules && rc-service auditd reload_rules".to_owned(),
        )),
        Edit::Access { .. } | Edit::EnvironmentVariable { .. } => None,
    })
}
