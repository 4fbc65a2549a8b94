//! systemd units: from the manager where one runs, else from the files.
//!
//! Command lines are taken from the unit files in both cases: `systemctl show` prints words
//! without their quotes.

use super::files::Files;
use super::{openrc, reason};
use crate::facts::{Cause, Kind, Look, UnitState, Unseen};
use crate::formats::unit::{Unit, parse, show_environment_files, show_exec_argv, start};
use crate::host::services::{listened_path, shown};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

const UNITS: [&str; 6] = [
    "docker.service",
    "docker.socket",
    "containerd.service",
    "auditd.service",
    "audit-rules.service",
    "snap.docker.dockerd.service",
];

const PROPERTIES: &str = "--property=Id,LoadState,FragmentPath,DropInPaths,ActiveState,MainPID,\
    ExecStart,ExecStartPost,Environment,EnvironmentFiles,RefuseManualStop,NeedDaemonReload,\
    UnitFileState,Listen,ExecMainStartTimestampMonotonic";

/// Where systemd looks for units, the first folder wins (systemd.unit(5)).
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// There where systemd runs the host (sd_booted(3)).
const BOOTED: &str = "/run/systemd/system";

/// What `ActiveState` is said to be where systemd runs and does not answer.
const NOT_TOLD: &str = "unknown";

/// Whether somebody tells which units run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Manager {
    /// systemd does.
    Told,
    /// Nobody: there is no systemd, or the host does not run.
    None,
    /// systemd runs, and did not say: any unit may run.
    Silent(Unseen),
}

/// The units that exist, and whether a manager told us of them.
pub(super) fn collect(files: &mut Files<'_>) -> (BTreeMap<String, UnitState>, Manager) {
    let manager = match from_manager(files) {
        Ok(Some(units)) => return (units, Manager::Told),
        Ok(None) => Manager::None,
        Err(unseen) => Manager::Silent(unseen),
    };
    if manager == Manager::None
        && let Some(services) = openrc::collect(files)
    {
        return (services, manager);
    }
    let mut units: BTreeMap<String, UnitState> = UNITS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), from_files(files, name)?)))
        .collect();
    if matches!(manager, Manager::Silent(_)) {
        for unit in units.values_mut() {
            NOT_TOLD.clone_into(&mut unit.active);
        }
    }
    (units, manager)
}

/// What systemd says; `None` where none runs.
fn from_manager(files: &mut Files<'_>) -> Result<Option<BTreeMap<String, UnitState>>, Unseen> {
    if !files.host().is_live() {
        return Ok(None);
    }
    let arguments: Vec<&str> = ["show", "--no-pager", PROPERTIES]
        .into_iter()
        .chain(UNITS)
        .collect();
    let silent = |files: &mut Files<'_>, unseen: Unseen| match files.kind(BOOTED) {
        Kind::Folder => Err(unseen),
        _ => Ok(None),
    };
    let output = match files.host().report("systemctl", &arguments) {
        Ok(output) => output,
        Err(error) => return silent(files, reason(&error)),
    };
    let blocks = shown(&output.stdout);
    if output.status != Some(0) || blocks.len() != UNITS.len() {
        let said = output
            .stderr
            .lines()
            .next()
            .unwrap_or("nothing that could be read");
        let why = format!("`systemctl show` said: {said}");
        return silent(
            files,
            Unseen::new(why, "systemctl status").because(Cause::BadAnswer),
        );
    }
    let mut units = BTreeMap::new();
    for (name, properties) in UNITS.iter().zip(blocks) {
        let get = |key: &str| properties.get(key).map_or("", String::as_str);
        if matches!(get("LoadState"), "" | "not-found") {
            continue;
        }
        let main_pid = get("MainPID").parse().unwrap_or_default();
        let started = get("ExecMainStartTimestampMonotonic").parse();
        let mut unit = UnitState {
            fragment: get("FragmentPath").to_owned(),
            drop_ins: get("DropInPaths")
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            active: get("ActiveState").to_owned(),
            started: match started {
                Ok(started) if main_pid != 0 => files.host().wall_clock(started),
                _ => 0,
            },
            main_pid,
            refuses_stop: get("RefuseManualStop") == "yes",
            needs_reload: get("NeedDaemonReload") == "yes",
            enabled: get("UnitFileState").to_owned(),
            ..UnitState::default()
        };
        if !read_files(files, &mut unit) {
            unit.argv = show_exec_argv(get("ExecStart")).unwrap_or_default();
            unit.start_post = get("ExecStartPost")
                .lines()
                .filter_map(show_exec_argv)
                .map(|argv| argv.join(" "))
                .collect();
            unit.environment_files = show_environment_files(get("EnvironmentFiles"))
                .into_iter()
                .map(|(path, _)| path)
                .collect();
        }
        // The manager knows better: it has turned /var/run into /run, for example.
        if let Some(path) = listened_path(get("Listen")) {
            unit.listen = Some(path);
        }
        units.insert((*name).to_owned(), unit);
    }
    Ok(Some(units))
}

fn from_files(files: &mut Files<'_>, name: &str) -> Option<UnitState> {
    let at = FOLDERS
        .iter()
        .map(|folder| format!("{folder}/{name}"))
        .find(|path| files.kind(path) != Kind::Absent)?;
    let fragment = files.followed(&at)?;
    if fragment == "/dev/null" {
        return Some(UnitState {
            fragment: at,
            enabled: "masked".to_owned(),
            ..UnitState::default()
        });
    }
    let mut unit = UnitState {
        fragment,
        drop_ins: drop_ins(files, name),
        ..UnitState::default()
    };
    read_files(files, &mut unit);
    Some(unit)
}

/// The drop-ins in the order in which they apply: by file name, whatever folder they are in; of
/// several with one name the first folder's counts, and a link to /dev/null hides the others.
fn drop_ins(files: &mut Files<'_>, name: &str) -> Vec<String> {
    let kind = name.rsplit('.').next().unwrap_or_default();
    let mut found = Vec::new();
    for stem in [kind, name] {
        let mut by_name: BTreeMap<String, String> = BTreeMap::new();
        for folder in FOLDERS {
            let folder = format!("{folder}/{stem}.d");
            let names = files
                .look(&folder, Look::Entries)
                .and_then(|node| node.entries.clone())
                .unwrap_or_default();
            for name in names.into_iter().filter(|name| is_drop_in(name)) {
                let path = format!("{folder}/{name}");
                by_name.entry(name).or_insert(path);
            }
        }
        for path in by_name.into_values() {
            if files.followed(&path).as_deref() != Some("/dev/null") {
                found.push(path);
            }
        }
    }
    found
}

/// systemd reads `*.conf` only, and means the case.
fn is_drop_in(name: &str) -> bool {
    Path::new(name).extension() == Some(OsStr::new("conf"))
}

/// Fills in what the unit's files say; false when they cannot be read.
fn read_files(files: &mut Files<'_>, unit: &mut UnitState) -> bool {
    let paths: Vec<&str> = std::iter::once(&unit.fragment)
        .chain(&unit.drop_ins)
        .map(String::as_str)
        .collect();
    let texts: Option<Vec<String>> = paths.iter().map(|path| files.text(path)).collect();
    let Some(texts) = texts else {
        return false;
    };
    let text = parse(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let started = start(&text, &paths, &mut |path| files.text(path));
    unit.argv = started.argv();
    unit.origins = started.origins();
    unit.environment_files = started.environment_files;
    unit.start_post = text.values("Service", "ExecStartPost");
    unit.listen = text
        .values("Socket", "ListenStream")
        .into_iter()
        .find(|path| path.starts_with('/'));
    if unit.active.is_empty() {
        let refuses = text.last("Unit", "RefuseManualStop");
        unit.refuses_stop = matches!(refuses.as_deref(), Some("yes" | "true" | "on" | "1"));
        unit.enabled = enabled(files, &text, &unit.fragment).to_owned();
    }
    true
}

/// Whether one of the targets that the unit names pulls it in.
fn enabled(files: &mut Files<'_>, text: &Unit, fragment: &str) -> &'static str {
    let name = fragment.rsplit('/').next().unwrap_or_default();
    let mut links = Vec::new();
    for (key, folder) in [("WantedBy", "wants"), ("RequiredBy", "requires")] {
        for line in text.values("Install", key) {
            for target in line.split_whitespace() {
                links.push(format!("/etc/systemd/system/{target}.{folder}/{name}"));
            }
        }
    }
    if links.is_empty() {
        "static"
    } else if links.iter().any(|link| files.kind(link) != Kind::Absent) {
        "enabled"
    } else {
        "disabled"
    }
}
