//! `log-driver`: for containers created from now on (docs.docker.com, "Configure logging drivers").

use super::{Impact, Turn, words};

/// Who keeps another driver.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let (Some(docker), Some(driver)) = (
        turn.docker(),
        turn.brings("log-driver").and_then(|it| it.as_str()),
    ) else {
        return Vec::new();
    };
    let others: Vec<_> = docker
        .containers
        .iter()
        .filter(|it| it.log_driver != driver)
        .collect();
    if others.is_empty() {
        return Vec::new();
    }
    let mut drivers: Vec<&str> = others
        .iter()
        .map(|it| it.log_driver.as_str())
        .filter(|driver| !driver.is_empty())
        .collect();
    drivers.sort_unstable();
    drivers.dedup();
    let theirs = match drivers[..] {
        [] => String::new(),
        _ => format!(" ({})", drivers.join(", ")),
    };
    if turn.remaps().is_some() {
        // All must be created again.
        return vec![Impact {
            what: format!("containers log to {driver} once they are created again"),
            who: words::containers(others),
            why: format!("log-driver = {driver}"),
            size: None,
        }];
    }
    vec![Impact {
        what: format!(
            "only containers created from now on log to {driver}; these keep their driver{theirs} until they are created again"
        ),
        who: words::containers(others),
        why: format!("log-driver = {driver}"),
        size: None,
    }]
}
