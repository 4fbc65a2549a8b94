//! Where the parts of Docker are on this host, derived from the units, flags and files seen.

use super::Place;
use super::installation::Installation;
use crate::facts::{Facts, Kind, Look, Requests, Seen};
use crate::formats::command_line::{self, Flags};
use crate::formats::daemon_json::{Document, ParseError};
use serde_json::Value;

/// Folders in which packages put programs, in the order in which they are searched.
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// The daemon's configuration file as it stands.
#[derive(Debug, Clone)]
pub enum DaemonJson {
    /// It was read; a missing file reads as an empty document.
    Read(Document),
    /// It does not parse, so the daemon would not start with it.
    Broken(ParseError),
    /// It is not a plain file that can be read: why, and what to do about it.
    Unreadable(String, String),
}

/// Facts seen as "where is what".
#[derive(Debug)]
pub struct Layout<'a> {
    facts: &'a Facts,
    /// What kind of installation this is.
    pub installation: Installation,
    /// Flags of docker.service's start command.
    pub flags: Flags,
    /// Path of the daemon's configuration file.
    pub config: String,
}

impl<'a> Layout<'a> {
    /// Reads the facts.
    pub fn of(facts: &'a Facts) -> Self {
        let (installation, _) = Installation::of(facts);
        let flags = command_line::parse(
            facts
                .units
                .get(installation.service())
                .map_or(&[][..], |unit| &unit.argv),
        );
        let config = flags
            .last("config-file")
            .map_or_else(|| installation.config(), str::to_owned);
        Self {
            facts,
            installation,
            flags,
            config,
        }
    }

    /// What must be looked at to know where things are.
    pub fn requests(&self) -> Requests {
        let mut requests = Requests::from([
            (self.config.clone(), Look::Content),
            ("/etc/group".to_owned(), Look::Content),
            (parent(&self.config).to_owned(), Look::Attributes),
        ]);
        requests.extend(Installation::requests(self.facts));
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
                (Kind::Absent, _) => DaemonJson::Read(Document::empty()),
                (Kind::File, Some(content)) => match Document::parse(&content.0) {
                    Ok(document) => DaemonJson::Read(document),
                    Err(error) => DaemonJson::Broken(error),
                },
                (Kind::File, None) => by_hand("it is larger than 1 MiB"),
                (Kind::Link, _) => by_hand("it is a symbolic link, and none is followed"),
                (Kind::Folder, _) => by_hand("it is a folder"),
                _ => by_hand("it is not a regular file"),
            },
        }
    }

    /// The value of an option as a flag or the file sets it, and where; `None` at its default.
    /// A flag wins, as dockerd refuses to start when both are set.
    pub fn configured(&self, key: &str) -> Option<(Value, String)> {
        if let Some(flag) = self.flags.sets_key(key) {
            return Some((
                flag_value(&self.flags, key),
                format!("flag {flag} of docker.service"),
            ));
        }
        let DaemonJson::Read(document) = self.daemon_json() else {
            return None;
        };
        document.get(key).map(|value| {
            let line = document.line_of(key).unwrap_or(1);
            (value.clone(), format!("{}:{line}", self.config))
        })
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

    /// Whether a daemon runs that could be asked, whoever started it.
    pub fn daemon_is_up(&self) -> bool {
        let service = self.facts.units.get(self.installation.service());
        service.is_some_and(crate::facts::UnitState::is_active)
            || self.facts.docker.known().is_some()
            || matches!(self.installation, Installation::Rootless(_))
                && self.facts.host.live
                && self
                    .api_socket()
                    .is_some_and(|socket| self.facts.exists(&socket))
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

    /// Whether the daemon runs, as far as its unit says.
    pub fn docker_runs(&self) -> bool {
        self.facts
            .units
            .get("docker.service")
            .is_some_and(crate::facts::UnitState::is_active)
    }

    /// The id of a group in the host's own group file (group(5)).
    pub fn group(&self, name: &str) -> Option<u32> {
        crate::formats::accounts::id_of(self.facts.text("/etc/group")?, name)
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

    fn api_socket(&self) -> Option<String> {
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

    fn entries(&self, folder: &str) -> Vec<String> {
        match self.facts.node(folder) {
            Seen::Known(node) => node
                .entries
                .iter()
                .flatten()
                .map(|name| format!("{folder}/{name}"))
                .collect(),
            Seen::Unseen(_) => Vec::new(),
        }
    }

    fn certificates(&self) -> Vec<String> {
        self.entries(&self.installation.certificates())
            .iter()
            .flat_map(|registry| self.entries(registry))
            .filter(|path| {
                [".crt", ".cert", ".key"]
                    .iter()
                    .any(|end| path.ends_with(end))
            })
            .collect()
    }
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
    let flag = command_line::flag_of_key(key);
    if let Some(value) = command_line::is_boolean_flag(flag)
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
