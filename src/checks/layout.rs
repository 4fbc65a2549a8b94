//! Where the parts of Docker are on this host, derived from the units, flags and files seen.

use super::Place;
use super::blind::doubt;
use super::daemon::was_seen_down;
use super::installation::{INIT_SETTINGS, Installation};
use super::start::explains;
use super::startable::Refusal;
use crate::facts::{Docker, Facts, Kind, Look, Requests, Seen, Unseen, too_large};
use crate::formats::command_line::{self, Flags};
use crate::formats::daemon_json::{Document, ParseError};
use crate::options;
use serde_json::Value;
use std::cell::OnceCell;
use std::sync::Arc;

/// Folders in which packages put programs, in the order in which they are searched.
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// The daemon's configuration file as it stands.
#[derive(Debug, Clone)]
pub enum DaemonJson {
    /// It was read; a missing file reads as an empty document.
    Read(Arc<Document>),
    /// It does not parse, so the daemon would not start with it.
    Broken(ParseError),
    /// It is not a plain file that can be read: why, and what to do about it.
    Unreadable(String, String),
}

/// Facts seen as "where is what".
#[derive(Debug)]
pub struct Layout<'a> {
    pub(super) facts: &'a Facts,
    /// What kind of installation this is.
    pub installation: Installation,
    /// Flags that the daemon will be started with next: those of docker.service's start command, or of the process
    /// that runs where there is no such command that can be read.
    pub flags: Flags,
    /// Path of the daemon's configuration file at its next start.
    pub config: String,
    /// The configuration file that the running daemon has read, where its process was found.
    pub running_config: Option<String>,
    /// Flags that the daemon was started with, where its process was found.
    pub running: Option<Flags>,
    /// Why [`Self::flags`] may not be all with which the daemon will be started next, if so: part of what
    /// starts it was not seen or is not followed.
    pub blind: Option<Unseen>,
    /// [`Self::flags`] are those of the process.
    from_process: bool,
    /// What must be looked at, once it was asked for.
    requests: OnceCell<Requests>,
    /// What the daemon refuses of the values, once it was asked for.
    pub(super) value_refusals: OnceCell<Vec<Refusal>>,
}

impl<'a> Layout<'a> {
    /// Keys whose flags are never taken away: they belong to how the package wires the daemon up with its socket unit,
    /// containerd and the data that exists.
    pub const KEPT_KEYS: [&'static str; 5] =
        ["hosts", "containerd", "data-root", "graph", "exec-root"];

    /// Reads the facts.
    pub fn of(facts: &'a Facts) -> Self {
        let (installation, _) = Installation::of(facts);
        let unit = facts.units.get(installation.service());
        let argv = unit.map(|unit| &unit.argv);
        let running = facts
            .daemon_process
            .known()
            .map(|process| command_line::of(&process.argv));
        let recognised = argv
            .and_then(|argv| argv.first())
            .is_some_and(|program| command_line::is_dockerd(program));
        let (flags, from_process) = match &running {
            Some(running) if !recognised => (running.clone(), true),
            _ => (argv.map(command_line::of).unwrap_or_default(), false),
        };
        let is_wrapped = installation == Installation::Snap;
        let blind = unit
            .and_then(|unit| Some((unit, doubt(unit, is_wrapped)?)))
            .filter(|(unit, _)| running.is_none() || !explains(facts, unit))
            .map(|(_, unseen)| unseen)
            .or_else(|| match (&installation, &facts.daemon_process) {
                (Installation::ByHand, Seen::Unseen(unseen)) if !was_seen_down(facts) => {
                    Some(Unseen::new(
                        format!("which process the daemon is: {}", unseen.unseen),
                        unseen.hint.clone(),
                    ))
                }
                // A user's own daemon is found by the users there are.
                (Installation::None, _) => facts.reading("/etc/passwd").unread().map(|unseen| {
                    Unseen::new(format!("/etc/passwd: {}", unseen.unseen), &unseen.hint)
                }),
                _ => None,
            });
        let config_of = |flags: &Flags| config_of(flags, &installation);
        Self {
            facts,
            config: config_of(&flags),
            running_config: running.as_ref().map(config_of),
            installation,
            flags,
            running,
            blind,
            from_process,
            requests: OnceCell::new(),
            value_refusals: OnceCell::new(),
        }
    }

    /// What must happen before the daemon starts as its unit's files say: systemd may not have read them yet.
    pub fn event_of_restart(&self) -> &'static str {
        let unit = self.facts.units.get(self.installation.service());
        if self.installation == Installation::ByHand {
            "the daemon restarts"
        } else if unit.is_some_and(|unit| unit.needs_reload) {
            "systemd is reloaded and docker.service restarts"
        } else {
            "docker.service restarts"
        }
    }

    /// The command that changes how the daemon is started, by hand.
    pub fn edit_start(&self) -> String {
        match self.installation {
            Installation::OpenRc => format!("editor {INIT_SETTINGS}"),
            _ => "systemctl edit docker.service".to_owned(),
        }
    }

    /// The facts that are read.
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// What must be looked at to know where things are.
    pub fn requests(&self) -> Requests {
        self.requests.get_or_init(|| self.wanted()).clone()
    }

    fn wanted(&self) -> Requests {
        let mut requests = Requests::from([
            (self.config.clone(), Look::Content),
            ("/etc/group".to_owned(), Look::Content),
            (parent(&self.config).to_owned(), Look::Attributes),
        ]);
        requests.extend(Installation::requests(self.facts));
        requests.extend(super::startable::requests(self.facts, self));
        requests.extend(self.swarm_requests());
        let dockerd = self.facts.units.get(self.installation.service());
        if let Some(program) = dockerd.and_then(|unit| unit.argv.first()) {
            requests.extend(self.chain(program));
        }
        requests
    }

    /// A path, and what the links at its end lead to, as far as they were followed.
    fn chain(&self, path: &str) -> Requests {
        let mut requests = Requests::from([(path.to_owned(), Look::Attributes)]);
        requests.insert(self.facts.resolved(path), Look::Attributes);
        requests
    }

    /// The daemon's configuration file.
    pub fn daemon_json(&self) -> DaemonJson {
        let by_hand =
            |why: &str| DaemonJson::Unreadable(why.to_owned(), format!("ls -ld {}", self.config));
        match self.facts.node(&self.config) {
            Seen::Unseen(unseen) => DaemonJson::Unreadable(unseen.unseen, unseen.hint),
            Seen::Known(node) => match (node.kind, &node.content) {
                (Kind::Absent, _) => DaemonJson::Read(Arc::default()),
                (Kind::File, Some(content)) => match Document::of(content) {
                    Ok(document) => DaemonJson::Read(document),
                    Err(error) => DaemonJson::Broken(error),
                },
                (Kind::File, None) => by_hand(&too_large()),
                (Kind::Link, _) => by_hand("it is a symbolic link, and none is followed"),
                (Kind::Folder, _) => by_hand("it is a folder"),
                _ => by_hand("it is not a regular file"),
            },
        }
    }

    /// Whether a restart would start the daemon with other flags than it runs with now, whatever else is changed; so it
    /// may where systemd has not read the unit's files and is made to.
    pub fn waits_for_restart(&self, units_are_reloaded: bool) -> bool {
        let unit = self.facts.units.get("docker.service");
        let needs_reload = unit.is_some_and(|unit| unit.needs_reload);
        if needs_reload {
            return units_are_reloaded;
        }
        self.running
            .as_ref()
            .is_some_and(|running| *running != self.flags)
    }

    /// The value of an option as a flag or the file sets it, and where; `None` at its default.
    /// A flag wins, as dockerd refuses to start when both are set.
    pub fn configured(&self, key: &str) -> Option<(Value, String)> {
        self.by_flag(key).or_else(|| self.in_file(key))
    }

    /// Whether an option runs with the value that it is configured with, as far as the API shows it; not
    /// where a restart would bring another one.
    pub fn runs_as_configured(&self, key: &str, docker: &Docker) -> bool {
        self.configured(key)
            .is_none_or(|(value, _)| docker.is_in_effect(key, &value) != Some(false))
    }

    /// The value that a flag will give an option at the next start, and where the flag stands; of several the last.
    pub fn by_flag(&self, key: &str) -> Option<(Value, String)> {
        let (words, is_placed) = self.flag_and_place(key)?;
        let source = if is_placed {
            words
        } else {
            format!("flag {words} of docker.service")
        };
        Some((flag_value(&self.flags, key), source))
    }

    /// The flag that will set an option at the next start, secrets masked, and where it stands, if that
    /// is known.
    pub fn flag_in_words(&self, key: &str) -> Option<String> {
        Some(self.flag_and_place(key)?.0)
    }

    fn flag_and_place(&self, key: &str) -> Option<(String, bool)> {
        let flag = self.flags.last_of_key(key)?;
        // A flag can hold a secret, as the options of a log driver do.
        let typed = flag.shown();
        let unit = self.facts.units.get("docker.service");
        let origin = unit.and_then(|unit| unit.origins.get(flag.words.start));
        Some(match (&self.facts.daemon_process, origin) {
            (Seen::Known(process), _) if self.from_process => (
                format!("{typed} on the command line of process {}", process.pid),
                true,
            ),
            (_, Some(origin)) => (format!("{typed} {origin}"), true),
            (_, None) => (typed, false),
        })
    }

    /// The value that the configuration file gives an option, and the line.
    pub fn in_file(&self, key: &str) -> Option<(Value, String)> {
        let DaemonJson::Read(document) = self.daemon_json() else {
            return None;
        };
        document.get(key).map(|value| {
            let line = document.line_of(key).unwrap_or(1);
            (value.clone(), format!("{}:{line}", self.config))
        })
    }

    /// What the file says of an option that a flag sets, too: the daemon refuses to start with both. Only `runtimes` are
    /// merged.
    pub fn conflict(&self, key: &str) -> Option<(Value, String)> {
        if key == "runtimes" || self.flags.last_of_key(key).is_none() {
            return None;
        }
        self.in_file(key)
    }

    /// The value that a flag of the running daemon gives an option, and the flag; no daemon can be running that has
    /// both this and a key in its file.
    pub fn by_running_flag(&self, key: &str) -> Option<(Value, String)> {
        let running = self.running.as_ref()?;
        let typed = running.last_of_key(key)?.shown();
        let pid = self.facts.daemon_process.known()?.pid;
        let source = format!("{typed} on the command line of process {pid}");
        Some((flag_value(running, key), source))
    }

    fn configured_text(&self, key: &str) -> Option<String> {
        match self.configured(key)?.0 {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The folder that holds images, containers and volumes, as configured.
    pub fn data_root(&self) -> String {
        self.configured_text("data-root")
            .or_else(|| self.configured_text("graph"))
            .unwrap_or_else(|| self.installation.data_root())
    }

    /// Whether Docker is installed at all, as far as can be seen.
    pub fn docker_is_installed(&self) -> bool {
        self.installation != Installation::None
            || PROGRAM_FOLDERS
                .iter()
                .any(|folder| self.facts.exists(&format!("{folder}/dockerd")))
    }

    /// Why the daemon could not be asked, and what would help. A user's own one is not asked unless it
    /// is named, and starting the host's would not help.
    pub fn not_asked(&self, unseen: &crate::facts::Unseen) -> (String, String) {
        match (&self.installation, self.api_socket()) {
            (Installation::Rootless(_), Some(socket)) => (
                "it is a user's own, and DOCKER_HOST does not name it".to_owned(),
                format!("DOCKER_HOST=unix://{socket} seaworthy audit"),
            ),
            _ => (unseen.unseen.clone(), unseen.hint.clone()),
        }
    }

    /// Whether a unit of systemd starts the daemon.
    pub fn is_started_by_systemd(&self) -> bool {
        matches!(
            self.installation,
            Installation::Systemd | Installation::Snap
        )
    }

    /// Whether the daemon runs as docker.service, as far as the unit says.
    pub fn docker_runs(&self) -> bool {
        self.installation != Installation::ByHand
            && self
                .facts
                .units
                .get("docker.service")
                .is_some_and(crate::facts::UnitState::is_active)
    }

    /// The id of a group in the host's own group file (group(5)).
    pub fn group(&self, name: &str) -> Option<u32> {
        crate::formats::accounts::id_of(&self.facts.table("/etc/group"), name)
    }

    /// The paths that stand for a place on this host, and whether each will exist once the
    /// services run: sockets and folders below `/run` are not there while they are down.
    pub fn paths(&self, place: &Place) -> Vec<String> {
        let unit = |name: &str| {
            self.facts
                .units
                .get(name)
                .map(|unit| unit.fragment.clone())
                .filter(|fragment| !fragment.is_empty())
                .into_iter()
                .collect()
        };
        match place {
            Place::Path(path) => vec![path.clone()],
            Place::Program(name) => self.program(name).into_iter().collect(),
            Place::Dockerd => {
                // The snap's service starts snap(8), which starts the rest.
                let from_unit = self
                    .facts
                    .units
                    .get(self.installation.service())
                    .and_then(|unit| unit.argv.first())
                    .filter(|program| program.starts_with('/'))
                    .filter(|_| self.installation != Installation::Snap);
                match from_unit {
                    Some(program) => vec![self.facts.resolved(program)],
                    None => self.program("dockerd").into_iter().collect(),
                }
            }
            Place::DataRoot => vec![self.data_root()],
            Place::DaemonJson => vec![self.config.clone()],
            Place::DockerService => match self.installation.user_unit() {
                Some(unit) => vec![unit],
                // Where no systemd runs it is a file that may be used one day.
                None if self.installation == Installation::ByHand => unit("docker.service"),
                None => unit(self.installation.service()),
            },
            Place::DockerSocketUnit => unit("docker.socket"),
            Place::ApiSocket => self.api_socket().into_iter().collect(),
            Place::ContainerdSocket => vec![self.containerd_socket()],
            Place::ContainerdConfig => vec!["/etc/containerd/config.toml".to_owned()],
            Place::RegistryCertificates => self.certificates(),
            Place::TlsCa => self.configured_text("tlscacert").into_iter().collect(),
            Place::TlsCertificate => self.configured_text("tlscert").into_iter().collect(),
            Place::TlsKey => self.configured_text("tlskey").into_iter().collect(),
        }
    }

    /// What must be looked at to know the paths of a place.
    pub fn place_requests(&self, place: &Place) -> Requests {
        let mut requests = self.requests();
        match place {
            Place::Program(name) => {
                for folder in self.program_folders() {
                    requests.extend(self.chain(&format!("{folder}/{name}")));
                }
            }
            Place::Dockerd => {
                for folder in self.program_folders() {
                    requests.extend(self.chain(&format!("{folder}/dockerd")));
                }
            }
            Place::ContainerdSocket => {
                requests.extend(self.place_requests(&Place::Program("containerd".to_owned())));
            }
            Place::RegistryCertificates => {
                let folder = self.installation.certificates();
                requests.insert(folder.clone(), Look::Entries);
                for registry in self.entries(&folder) {
                    requests.insert(registry, Look::Entries);
                }
            }
            _ => {}
        }
        requests
    }

    fn program_folders(&self) -> impl Iterator<Item = &'static str> {
        let own = self.installation.programs().iter();
        own.chain(&PROGRAM_FOLDERS).copied()
    }

    fn program(&self, name: &str) -> Option<String> {
        self.program_folders()
            .map(|folder| format!("{folder}/{name}"))
            .find(|path| self.facts.exists(path))
            .map(|path| self.facts.resolved(&path))
    }

    pub(super) fn api_socket(&self) -> Option<String> {
        if let Some(socket) = &self.facts.other_socket {
            return Some(socket.clone());
        }
        let listen = self
            .facts
            .units
            .get("docker.socket")
            .filter(|_| self.installation == Installation::Systemd)
            .and_then(|unit| unit.listen.clone());
        let from_flag = || {
            self.flags
                .all("host")
                .iter()
                .find_map(|host| host.strip_prefix("unix://"))
                .map(str::to_owned)
        };
        let from_unit = || self.installation.api_socket();
        // /var/run is a link to /run everywhere that systemd runs (file-hierarchy(7)).
        listen.or_else(from_flag).or_else(from_unit).map(|path| {
            path.strip_prefix("/var/run/")
                .map_or(path.clone(), |rest| format!("/run/{rest}"))
        })
    }

    /// `--containerd`, or the socket of a containerd that dockerd starts itself
    /// (dockerd(8), `--containerd` and `--exec-root`).
    fn containerd_socket(&self) -> String {
        if let Some(socket) = self.flags.last("containerd") {
            return socket.to_owned();
        }
        if let Some(socket) = self.installation.containerd_socket() {
            return socket;
        }
        if self.facts.units.contains_key("containerd.service") {
            return "/run/containerd/containerd.sock".to_owned();
        }
        let exec_root = self
            .configured_text("exec-root")
            .unwrap_or_else(|| "/var/run/docker".to_owned());
        format!("{exec_root}/containerd/containerd.sock")
    }
}

fn config_of(flags: &Flags, installation: &Installation) -> String {
    flags
        .last("config-file")
        .map_or_else(|| installation.config(), str::to_owned)
}

/// The folder that a path is in.
pub(crate) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}

/// The value of a flag in the shape that daemon.json gives it.
fn flag_value(flags: &Flags, key: &str) -> Value {
    let flag = options::flag_of_key(key);
    if let Some(value) = options::is_boolean_flag(flag)
        .then(|| flags.boolean(flag))
        .flatten()
    {
        return Value::Bool(value);
    }
    if flag == key {
        flags.last(flag).map_or(Value::Null, Value::from)
    } else {
        // The file has the plural, a list or a table; the flag is given once for each item.
        Value::from(flags.all(flag))
    }
}
