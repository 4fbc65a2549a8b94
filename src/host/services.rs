//! Telling systemd and Docker to take notice of what was written.

use super::commands::{Runner, how_it_ended};
use super::{HostError, Output};
use crate::formats::unit::show_properties;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

const SERVICE: &str = "docker.service";
const SOCKET: &str = "docker.socket";

/// How long stopping may take: systemd kills a unit after 90 s (`DefaultTimeoutStopSec=`), and
/// the containers of a daemon without live-restore end before that.
const STOP_DEADLINE: Duration = Duration::from_secs(120);

/// How long a request to the manager itself may take, which only changes its books.
const MANAGER_DEADLINE: Duration = Duration::from_secs(60);

/// What `systemctl show` prints: the properties of each unit, in the order of the request.
pub(crate) fn shown(text: &str) -> Vec<BTreeMap<String, String>> {
    text.split("\n\n")
        .map(show_properties)
        .filter(|properties| !properties.is_empty())
        .collect()
}

/// What systemd says of a unit.
struct Found {
    active: String,
    enabled: String,
}

/// `None` where there is no such unit.
fn find(runner: &dyn Runner, unit: &str) -> Result<Option<Found>, HostError> {
    let output = runner.succeed(
        "systemctl",
        &[
            "show",
            "--no-pager",
            "--property=LoadState,ActiveState,UnitFileState",
            unit,
        ],
        MANAGER_DEADLINE,
    )?;
    let blocks = shown(&output.stdout);
    let block = blocks.first();
    let get = |key| {
        block
            .and_then(|block| block.get(key))
            .map_or("", String::as_str)
    };
    Ok(match get("LoadState") {
        "" | "not-found" => None,
        _ => Some(Found {
            active: get("ActiveState").to_owned(),
            enabled: get("UnitFileState").to_owned(),
        }),
    })
}

/// `systemctl daemon-reload`.
pub(super) fn reload_units(runner: &dyn Runner, deadline: Duration) -> Result<(), HostError> {
    runner.succeed("systemctl", &["daemon-reload"], deadline)?;
    Ok(())
}

/// Sends SIGHUP to the daemon. That it has read its file again shows only in its answers. Where it
/// does not run there is nobody to tell.
pub(super) fn reload_docker(runner: &dyn Runner, deadline: Duration) -> Result<(), HostError> {
    match find(runner, SERVICE)? {
        Some(found) if is_up(&found.active) => {
            // Not `reload`: a unit may lack ExecReload=. `--kill-who` is the spelling that old
            // and new versions of systemctl both know.
            let arguments = ["kill", "--signal=HUP", "--kill-who=main", SERVICE];
            runner.succeed("systemctl", &arguments, deadline)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn is_up(active: &str) -> bool {
    matches!(active, "active" | "reloading")
}

/// One restart of docker.service.
///
/// The unit has no timeout of its own (`TimeoutStartSec=0`), so the deadline is ours; and it is
/// refused after three starts within a minute, failed ones and those of `Restart=` included, so
/// the counters are cleared before. Where the unit is not up when this begins (a restart has
/// failed before and is now taken back), whatever systemd is still trying is stopped first.
///
/// # Errors
/// When the daemon did not come up. Both units are stopped then, so that nothing goes on trying
/// and no client starts the daemon through the socket meanwhile.
pub(super) fn restart_docker(runner: &dyn Runner, deadline: Duration) -> Result<(), HostError> {
    let Some(service) = find(runner, SERVICE)? else {
        return Err(HostError::Refused {
            path: SERVICE.to_owned(),
            reason: "there is no such unit".to_owned(),
        });
    };
    let socket = find(runner, SOCKET)?;
    let mut units = vec![SERVICE];
    if socket.is_some() {
        units.push(SOCKET);
    }
    let result = if is_up(&service.active) {
        reset_failed(runner, &units)?;
        runner.succeed("systemctl", &["restart", SERVICE], deadline)
    } else {
        stop(runner, &units)?;
        reset_failed(runner, &units)?;
        // A socket that nobody uses stays as it is: a daemon that opens its own would clash.
        let used = socket.is_some_and(|socket| {
            socket.active == "active" || socket.active == "failed" || socket.enabled == "enabled"
        });
        let arguments: &[&str] = if used {
            &["start", SOCKET, SERVICE]
        } else {
            &["start", SERVICE]
        };
        runner.succeed("systemctl", arguments, deadline)
    };
    match result {
        Ok(_) => Ok(()),
        Err(error) => {
            // The first error says what is wrong; stopping is what we owe the host in any case.
            let _ = stop(runner, &units);
            Err(error)
        }
    }
}

fn stop(runner: &dyn Runner, units: &[&str]) -> Result<Output, HostError> {
    let arguments: Vec<&str> = std::iter::once("stop")
        .chain(units.iter().copied())
        .collect();
    runner.succeed("systemctl", &arguments, STOP_DEADLINE)
}

fn reset_failed(runner: &dyn Runner, units: &[&str]) -> Result<Output, HostError> {
    let arguments: Vec<&str> = std::iter::once("reset-failed")
        .chain(units.iter().copied())
        .collect();
    let output = runner.run("systemctl", &arguments, MANAGER_DEADLINE)?;
    // A unit that is not loaded has no counter: nothing to clear is no failure.
    if output.status == Some(0) || output.stderr.contains("not loaded") {
        return Ok(output);
    }
    Err(HostError::Command {
        command: format!("systemctl {}", arguments.join(" ")),
        how: how_it_ended(&output),
        stderr: output.stderr,
    })
}

/// What `systemctl is-active` says: `active`, `failed`, …
pub(super) fn active_state(runner: &dyn Runner, unit: &str) -> String {
    match runner.run("systemctl", &["is-active", unit], MANAGER_DEADLINE) {
        Ok(output) => output.stdout.trim().to_owned(),
        Err(HostError::NotInstalled { .. }) => openrc_state(runner, unit),
        Err(error) => error.to_string(),
    }
}

/// What OpenRC says of the same service, in systemd's words (openrc-run(8): `status` exits with 3 for
/// one that is stopped and with 32 for one that has crashed).
fn openrc_state(runner: &dyn Runner, unit: &str) -> String {
    let service = unit.strip_suffix(".service").unwrap_or(unit);
    match runner.run("rc-service", &[service, "status"], MANAGER_DEADLINE) {
        Ok(output) => match output.status {
            Some(0) => "active".to_owned(),
            Some(3) => "inactive".to_owned(),
            Some(32) => "failed".to_owned(),
            _ => how_it_ended(&output),
        },
        Err(error) => error.to_string(),
    }
}

/// What a unit is at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MainProcess {
    active: String,
    pid: String,
}

impl MainProcess {
    /// Whether it is the same process as before. A unit that reloads is as well as one that does
    /// not, and what systemd did not tell in time is no news.
    pub(super) fn is_still(&self, before: &Self) -> bool {
        self == before || (self.pid == before.pid && is_up(&self.active)) || self.pid.is_empty()
    }
}

impl fmt::Display for MainProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.pid.as_str(), "" | "0") {
            write!(f, "{}", self.active)
        } else {
            write!(f, "{} (process {})", self.active, self.pid)
        }
    }
}

/// What systemd says of a unit's main process.
pub(super) fn main_process(runner: &dyn Runner, unit: &str) -> MainProcess {
    let arguments = ["show", "--no-pager", "--property=ActiveState,MainPID", unit];
    match runner.run("systemctl", &arguments, MANAGER_DEADLINE) {
        Ok(output) => {
            let mut properties = show_properties(&output.stdout);
            let mut take = |key| properties.remove(key).unwrap_or_default();
            MainProcess {
                active: take("ActiveState"),
                pid: take("MainPID"),
            }
        }
        Err(HostError::NotInstalled { .. }) => MainProcess {
            active: openrc_state(runner, unit),
            pid: String::new(),
        },
        Err(error) => MainProcess {
            active: error.to_string(),
            pid: String::new(),
        },
    }
}

/// The path that docker.socket listens on, as systemd knows it.
pub(super) fn listening_socket(runner: &dyn Runner) -> Option<String> {
    let arguments = ["show", "--no-pager", "--property=Listen", SOCKET];
    let output = runner.run("systemctl", &arguments, MANAGER_DEADLINE).ok()?;
    listened_path(show_properties(&output.stdout).get("Listen")?)
}

/// The first path in the values of `Listen=`: `/run/docker.sock (Stream)`.
pub(crate) fn listened_path(values: &str) -> Option<String> {
    values
        .lines()
        .filter_map(|value| value.strip_suffix(" (Stream)"))
        .find(|path| path.starts_with('/'))
        .map(str::to_owned)
}

/// The last lines that a unit wrote itself, oldest first.
pub(super) fn log(runner: &dyn Runner, unit: &str, since_seconds: u64) -> Vec<String> {
    let since = format!("--since=-{since_seconds}s");
    let arguments = [
        "--unit",
        unit,
        &since,
        "--lines=20",
        "--output=cat",
        "--no-pager",
        "--quiet",
    ];
    match runner.run("journalctl", &arguments, MANAGER_DEADLINE) {
        Ok(output) if output.status == Some(0) => {
            let said = crate::formats::secrets::words(&output.stdout);
            said.lines().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[path = "services_tests.rs"]
mod tests;
