//! systemd units: from the manager where one runs, else from the files.
//!
//! Command lines are taken from the unit files in both cases: `systemctl show` prints words
//! without their quotes.

use super::files::Files;
use super::unit_files::UnitFiles;
use super::{manager, openrc, reason};
use crate::facts::{Cause, Inherited, Kept, Kind, Look, Reading, UnitState, Unread, Unseen};
use crate::formats::unit::{
    Unit, parse, show_environment_files, show_exec_argv, start, variables_used,
};
use crate::host::services::{listened_path, shown};
use std::collections::{BTreeMap, BTreeSet};

const SERVICE: &str = "docker.service";

const UNITS: [&str; 6] = [
    SERVICE,
    "docker.socket",
    "containerd.service",
    "auditd.service",
    "audit-rules.service",
    "snap.docker.dockerd.service",
];

const PROPERTIES: &str = "--property=Id,LoadState,FragmentPath,DropInPaths,ActiveState,MainPID,\
    ExecStart,ExecStartPost,Environment,EnvironmentFiles,RefuseManualStop,NeedDaemonReload,\
    UnitFileState,Listen,ExecMainStartTimestampMonotonic,TriggeredBy";

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

/// The services and sockets of a host.
pub(super) struct Units {
    /// Them.
    pub(super) by_name: BTreeMap<String, UnitState>,
    /// What docker.service uses of the manager's environment.
    pub(super) inherited: BTreeMap<String, Inherited>,
    /// Whether a manager told us of them.
    pub(super) manager: Manager,
}

/// The units that exist.
pub(super) fn collect(files: &mut Files<'_>) -> Units {
    let names: Vec<&str> = UNITS.to_vec();
    let (told, manager) = match told(files, &names) {
        Ok(Some(told)) => (Some(told), Manager::Told),
        Ok(None) => (None, Manager::None),
        Err(unseen) => (None, Manager::Silent(unseen)),
    };
    if manager == Manager::None
        && let Some(by_name) = openrc::collect(files)
    {
        return Units {
            by_name,
            inherited: BTreeMap::new(),
            manager,
        };
    }
    let manager_runs = told.is_some();
    let environment = manager::environment(files, manager_runs);
    let found = UnitFiles::list(files);
    let mut reader = Reader {
        files,
        found,
        inherited: environment.variables,
        docker: Unit::default(),
    };
    let mut units = BTreeMap::new();
    let mut triggers = BTreeSet::new();
    for name in UNITS {
        let unit = match &told {
            Some(told) => told.get(name).map(|properties| {
                if name == SERVICE {
                    let names = properties.get("TriggeredBy").map_or("", String::as_str);
                    triggers.extend(names.split_whitespace().map(str::to_owned));
                }
                reader.told(name, properties)
            }),
            None => reader.by_files(name),
        };
        units.extend(unit.map(|unit| (name.to_owned(), unit)));
    }
    if units.contains_key(SERVICE) {
        units.extend(reader.other_sockets(&triggers, manager_runs));
    }
    let used = variables_used(&reader.docker);
    let mut inherited = reader.inherited;
    inherited.retain(|name, _| used.contains(name));
    if let Some(service) = units.get_mut(SERVICE)
        && !used.is_empty()
    {
        service.unread.extend(environment.unread);
    }
    if matches!(manager, Manager::Silent(_)) {
        for unit in units.values_mut() {
            NOT_TOLD.clone_into(&mut unit.active);
        }
    }
    Units {
        by_name: units,
        inherited,
        manager,
    }
}

/// The properties of units, by name.
type Told = BTreeMap<String, BTreeMap<String, String>>;

/// What systemd says of units that exist, by name; `None` where none runs.
fn told(files: &mut Files<'_>, names: &[&str]) -> Result<Option<Told>, Unseen> {
    if !files.host().is_live() {
        return Ok(None);
    }
    let arguments: Vec<&str> = ["show", "--no-pager", PROPERTIES]
        .into_iter()
        .chain(names.iter().copied())
        .collect();
    let silent = |files: &mut Files<'_>, unseen: Unseen| {
        let booted = files.look(BOOTED, Look::Attributes);
        if booted.is_some_and(|node| node.kind == Kind::Folder) {
            Err(unseen)
        } else {
            Ok(None)
        }
    };
    let output = match files.host().report("systemctl", &arguments) {
        Ok(output) => output,
        Err(error) => return silent(files, reason(&error)),
    };
    let blocks = shown(&output.stdout);
    if output.status != Some(0) || blocks.len() != names.len() {
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
    let exists = |block: &BTreeMap<String, String>| {
        !matches!(
            block.get("LoadState").map(String::as_str),
            None | Some("" | "not-found")
        )
    };
    Ok(Some(
        names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(blocks)
            .filter(|(_, block)| exists(block))
            .collect(),
    ))
}

struct Reader<'f, 'h> {
    files: &'f mut Files<'h>,
    found: UnitFiles,
    inherited: BTreeMap<String, Inherited>,
    /// docker.service as its files say.
    docker: Unit,
}

impl Reader<'_, '_> {
    /// A unit that systemd knows, from its files as far as they can be read.
    fn told(&mut self, name: &str, properties: &BTreeMap<String, String>) -> UnitState {
        let get = |key: &str| properties.get(key).map_or("", String::as_str);
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
                Ok(started) if main_pid != 0 => self.files.host().wall_clock(started),
                _ => 0,
            },
            main_pid,
            refuses_stop: get("RefuseManualStop") == "yes",
            needs_reload: get("NeedDaemonReload") == "yes",
            enabled: get("UnitFileState").to_owned(),
            not_loaded: match get("LoadState") {
                "loaded" => String::new(),
                other => other.to_owned(),
            },
            ..UnitState::default()
        };
        // The manager does not list a name that is not UTF-8, although it reads the file.
        let mut unread = Vec::new();
        self.found.drop_ins(self.files, name, &mut unread);
        let (_, complete) = self.read(name, &mut unit);
        unit.unread.extend(unread);
        if !complete {
            unit.argv = show_exec_argv(get("ExecStart")).unwrap_or_default().into();
            unit.origins = Kept::default();
            unit.unfollowed.clear();
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
        unit
    }

    fn by_files(&mut self, name: &str) -> Option<UnitState> {
        Some(self.unit_of_files(name)?.0)
    }

    /// A unit as its files say, its text, and whether that is all of it.
    fn unit_of_files(&mut self, name: &str) -> Option<(UnitState, Unit, bool)> {
        let mut unread = Vec::new();
        let found = self.found.fragment(name, &mut unread);
        if found.is_none() && unread.is_empty() {
            return None;
        }
        let at = found.unwrap_or_default();
        let fragment = self.files.followed(&at).unwrap_or_else(|| at.clone());
        if fragment == "/dev/null" {
            let unit = UnitState {
                fragment: at,
                enabled: "masked".to_owned(),
                not_loaded: "masked".to_owned(),
                ..UnitState::default()
            };
            return Some((unit, Unit::default(), true));
        }
        let mut drop_ins = self.found.drop_ins(self.files, name, &mut unread);
        drop_ins.retain(|path| self.files.followed(path).as_deref() != Some("/dev/null"));
        let mut unit = UnitState {
            fragment,
            drop_ins,
            ..UnitState::default()
        };
        let (text, complete) = self.read(name, &mut unit);
        let complete = complete && unread.is_empty();
        unit.unread.extend(unread);
        let refuses = text.last("Unit", "RefuseManualStop");
        unit.refuses_stop = matches!(refuses.as_deref(), Some("yes" | "true" | "on" | "1"));
        self.enabled(name, &text).clone_into(&mut unit.enabled);
        Some((unit, text, complete))
    }

    /// Fills in what the unit's files say, and says whether all of them could be read.
    fn read(&mut self, name: &str, unit: &mut UnitState) -> (Unit, bool) {
        let paths: Vec<String> = std::iter::once(&unit.fragment)
            .chain(&unit.drop_ins)
            .filter(|path| !path.is_empty())
            .cloned()
            .collect();
        let mut texts = Vec::new();
        for path in &paths {
            texts.push(match self.files.reading(path) {
                Reading::Text(text) => text.into_owned(),
                // A link that leads nowhere is passed over.
                Reading::Absent => String::new(),
                Reading::Unread(unseen) => {
                    unit.unread.push(Unread {
                        path: path.clone(),
                        why: unseen.unseen,
                        hint: unseen.hint,
                    });
                    String::new()
                }
            });
        }
        let has_fragment = paths.first().is_some_and(|path| self.files.may_exist(path));
        let complete = unit.unread.is_empty() && has_fragment;
        let text = parse(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        unit.unread.extend(text.faults.iter().map(|fault| {
            Unread {
                path: paths
                    .get(fault.text)
                    .copied()
                    .unwrap_or_default()
                    .to_owned(),
                why: format!(
                    "line {}: {}, and systemd reads no further",
                    fault.line, fault.what
                ),
                hint: format!("systemd-analyze verify {name}"),
            }
        }));
        let files = &mut *self.files;
        let mut started = start(&text, &paths, &self.inherited, &mut |path| {
            files.reading(path).into_owned()
        });
        unit.argv = started.argv().into();
        unit.origins = started.origins().into();
        unit.unfollowed = started.open_questions();
        unit.environment_files = started.environment_files;
        unit.unread.append(&mut started.unread);
        unit.start_post = text.values("Service", "ExecStartPost");
        unit.listen = text
            .values("Socket", "ListenStream")
            .into_iter()
            .find(|path| path.starts_with('/'));
        if name == SERVICE {
            self.docker = text.clone();
        }
        (text, complete)
    }

    /// The sockets that systemd hands over to docker.service besides docker.socket: those that name it
    /// (`Service=`, systemd.socket(5)), that it names (`Sockets=`, systemd.service(5)), and of which the
    /// manager says so.
    fn other_sockets(
        &mut self,
        triggers: &BTreeSet<String>,
        manager_runs: bool,
    ) -> BTreeMap<String, UnitState> {
        let named: BTreeSet<String> = self
            .docker
            .values("Service", "Sockets")
            .iter()
            .flat_map(|line| line.split_whitespace().map(str::to_owned))
            .collect();
        let mut candidates = self.found.of_type("socket");
        candidates.extend(
            triggers
                .iter()
                .filter(|it| it.ends_with(".socket"))
                .cloned(),
        );
        candidates.extend(named.iter().cloned());
        let mut sockets = BTreeMap::new();
        for name in candidates {
            if UNITS.contains(&name.as_str()) {
                continue;
            }
            let read = self.unit_of_files(&name);
            let feeds = read.as_ref().is_some_and(|(_, text, complete)| {
                text.last("Socket", "Service").as_deref() == Some(SERVICE)
                    // Where nobody says what an unread one is for, it may be for this.
                    || (!complete && !manager_runs)
            });
            if feeds || named.contains(&name) || triggers.contains(&name) {
                let unit = read.map(|(unit, ..)| unit).unwrap_or_default();
                sockets.insert(name, unit);
            }
        }
        if manager_runs && !sockets.is_empty() {
            let found: Vec<String> = sockets.keys().cloned().collect();
            let found: Vec<&str> = found.iter().map(String::as_str).collect();
            for (name, properties) in told(self.files, &found).ok().flatten().unwrap_or_default() {
                let unit = self.told(&name, &properties);
                sockets.insert(name, unit);
            }
        }
        sockets
    }

    /// Whether a target or another unit pulls it in.
    fn enabled(&mut self, name: &str, text: &Unit) -> &'static str {
        if self.found.is_wanted(self.files, name) {
            return "enabled";
        }
        let installs = ["WantedBy", "RequiredBy"]
            .iter()
            .any(|key| !text.values("Install", key).is_empty());
        if installs { "disabled" } else { "static" }
    }
}
