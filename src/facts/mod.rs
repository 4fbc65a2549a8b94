//! Words for what is: everything seaworthy knows about a host, as one serialisable value.
//!
//! [`Facts`] is filled by `collect` through the read-only door and judged by pure code. It never
//! holds an opinion. What could not be seen is kept as [`Seen::Unseen`] with the reason and with
//! what would make it visible, so that a blind spot can never be mistaken for a good answer.
//!
//! Example facts in the control files are overlays on a sample host and are merged with
//! [`Facts::overlaid`].

mod auditing;
mod content;
mod docker;
mod hidden;
mod kept;
mod node;
mod process;
mod reading;
pub mod steps;
mod unit;

pub use auditing::{Auditing, RuleLoader};
pub use content::Bytes;
pub use docker::{
    Container, Docker, ENABLE_ICC, Image, Mount, MountKind, Network, Port, Setuid, Swarm, Usage,
    major,
};
pub use hidden::{Hidden, NotSeen, Part};
pub use kept::Kept;
pub use node::{Attributes, Kind, Mode, Node};
pub use process::DaemonProcess;
pub use reading::{NOT_UTF8, Reading, is_understood, too_large, too_much};
pub use unit::{Inherited, Origin, UnitState, Unread};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A value that was seen, or the reason why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Seen<T> {
    /// It was seen. Tried first: a list of two words would read as an [`Unseen`] too.
    Known(T),
    /// It could not be seen.
    Unseen(Unseen),
}

/// Why something could not be seen, and what would make it visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// The reason, as a clause: "permission denied".
    pub unseen: String,
    /// What to do about it; empty when nothing is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// The kind of reason, where something is decided by it.
    #[serde(default, skip_serializing_if = "Cause::is_unsaid")]
    pub cause: Cause,
}

/// What kind of reason there is for not seeing something: what code decides by, while the sentence is
/// for people. Only [`Cause::NotRunning`] says that there is nothing to see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Another one, or none is known.
    #[default]
    Unsaid,
    /// It does not run: its service manager says so, or nothing of it is there. Also in an image.
    NotRunning,
    /// Something that runs should have a socket or a file here, and there is none.
    NotThere,
    /// Nobody listens where somebody should (`ECONNREFUSED`).
    Refused,
    /// More rights are needed.
    NotPermitted,
    /// No answer, or only a part of one, within its deadline.
    NoAnswer,
    /// The answer is larger than what is read.
    TooBig,
    /// There is an answer, and it is not one: an error, another protocol, other data.
    BadAnswer,
    /// It was not asked, as asking could change something.
    NotAsked,
}

impl Cause {
    /// Whether nothing is known of it.
    // serde calls it with a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_unsaid(&self) -> bool {
        *self == Self::Unsaid
    }
}

impl Unseen {
    /// A reason and what would help.
    pub fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            unseen: why.into(),
            hint: hint.into(),
            cause: Cause::Unsaid,
        }
    }

    /// The same with the kind of reason.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }
}

impl<T> Seen<T> {
    /// Something that could not be seen.
    pub fn unseen(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unseen(Unseen::new(why, hint))
    }

    /// The value, if it was seen.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unseen(_) => None,
        }
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self::unseen("it was not looked at", "")
    }
}

/// Everything known about one host at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// Which host this is.
    pub host: HostIdentity,
    /// Files, folders and sockets by absolute path; absence is a known [`Node`] too.
    pub files: BTreeMap<String, Seen<Node>>,
    /// systemd units by name (`docker.service`); a unit that does not exist is left out.
    pub units: BTreeMap<String, UnitState>,
    /// Variables that the manager gives to every service, those that docker.service uses.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inherited: BTreeMap<String, Inherited>,
    /// What the running Docker daemon says of itself.
    pub docker: Seen<Docker>,
    /// The process that owns the daemon's API socket.
    pub daemon_process: Seen<DaemonProcess>,
    /// The socket that `DOCKER_HOST` names, where that is not one of docker.service's: then nothing that
    /// its files say is about the daemon that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_socket: Option<String>,
    /// The version of the `docker` command-line client, `None` when there is none.
    pub docker_client: Seen<Option<String>>,
    /// The version of the daemon's binary: from the API, or else from `dockerd --version`.
    pub docker_version: Seen<String>,
    /// The keys of the daemon's configuration file that the running daemon has not read, although the
    /// file was changed since it started; `None` where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_keys: Option<BTreeSet<String>>,
    /// The kernel's audit rules and who loads them.
    pub auditing: Auditing,
}

/// Which host the facts are about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostIdentity {
    /// The host's name.
    pub name: String,
    /// `/etc/machine-id` (machine-id(5)), or empty.
    pub machine_id: String,
    /// `PRETTY_NAME` of os-release(5).
    pub os: String,
    /// Whether services can be asked and told: false for a folder given with `--root`.
    pub live: bool,
    /// Whether the facts were collected as root.
    pub root: bool,
}

impl Facts {
    /// The node at `path`; not looked at is unseen, never absent.
    pub fn node(&self, path: &str) -> Seen<&Node> {
        steps::count(1);
        match self.files.get(path) {
            Some(Seen::Known(node)) => Seen::Known(node),
            Some(Seen::Unseen(unseen)) => Seen::Unseen(unseen.clone()),
            None => Seen::default(),
        }
    }

    /// Whether something (not a dangling name) is known to be at `path`.
    pub fn exists(&self, path: &str) -> bool {
        self.node(path)
            .known()
            .is_some_and(|node| node.kind != Kind::Absent)
    }

    /// The text of a regular file, when it was read and is UTF-8 as a whole. Nothing may be taken for
    /// unset because this is `None`: [`Self::reading`] tells why.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path) {
            Some(Seen::Known(node)) => node.content.as_ref().and_then(Bytes::as_str),
            _ => None,
        }
    }

    /// Follows the chain of symbolic links that starts at `path`, as far as it was seen, and
    /// returns where it ends. At most 16 links, so a loop ends too.
    pub fn resolved(&self, path: &str) -> String {
        let mut at = path.to_owned();
        for _ in 0..16 {
            steps::count(1);
            let Some(Seen::Known(node)) = self.files.get(&at) else {
                break;
            };
            let Some(target) = node.target.as_deref() else {
                break;
            };
            at = link_target(&at, target);
        }
        at
    }

    /// Where `path` really is: links are followed in every part of it, as far as they were seen, as
    /// realpath(3) does.
    pub fn real_path(&self, path: &str) -> String {
        self.walk(path).0
    }

    /// The paths that must be seen to know where `path` really is, as far as that is known now: its
    /// parts from the root on, itself included.
    pub fn way_to(&self, path: &str) -> Vec<String> {
        self.walk(path).1
    }

    fn walk(&self, path: &str) -> (String, Vec<String>) {
        let parts = |path: &str| -> VecDeque<String> {
            path.split('/')
                .filter(|part| !matches!(*part, "" | "."))
                .map(str::to_owned)
                .collect()
        };
        let mut rest = parts(path);
        let (mut at, mut way, mut links) = (String::new(), Vec::new(), 0);
        while let Some(part) = rest.pop_front() {
            if part == ".." {
                at.truncate(at.rfind('/').unwrap_or_default());
                continue;
            }
            let next = format!("{at}/{part}");
            let target = self
                .node(&next)
                .known()
                .and_then(|node| node.target.as_deref());
            match target {
                // As many as the kernel follows: path_resolution(7).
                Some(target) if links < 40 => {
                    links += 1;
                    if target.starts_with('/') {
                        at.clear();
                    }
                    for part in parts(target).into_iter().rev() {
                        rest.push_front(part);
                    }
                }
                _ => at.clone_from(&next),
            }
            way.push(next);
        }
        if at.is_empty() {
            at.push('/');
        }
        (at, way)
    }

    /// These facts with `overlay` merged in: tables are merged key by key, all else is replaced.
    ///
    /// # Errors
    /// When the result no longer has the shape of facts (a misspelt key, for example).
    pub fn overlaid(&self, overlay: &serde_json::Value) -> Result<Self, serde_json::Error> {
        let mut base = serde_json::to_value(self)?;
        merge(&mut base, overlay);
        serde_json::from_value(base)
    }
}

/// The absolute path that a symbolic link at `link` with content `target` names, with `.` and `..`
/// taken out by name.
fn link_target(link: &str, target: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    if !target.starts_with('/') {
        parts.extend(link.split('/').filter(|part| !part.is_empty()));
        parts.pop();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

/// A request to look at one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// What it is and its attributes; where a link points.
    Attributes,
    /// The names in a folder too.
    Entries,
    /// The content of a regular file too (at most [`LARGEST_FILE`]).
    Content,
}

/// The largest file whose content is read, in bytes: 16 MiB. No configuration file of Docker, auditd
/// or PAM comes near it; what a larger one says is unknown.
pub const LARGEST_FILE: u64 = 16 << 20;

/// The most that is read of all files together in one run, in bytes: 64 MiB. All of it is held in
/// memory at once, as a plan is made of it. The files beyond it are unknown.
pub const MOST_CONTENT: u64 = 64 << 20;

/// What to look at next, given what is known so far. Collecting repeats until nothing is added,
/// as one file names another: a unit names the daemon's configuration, that names the data root.
pub type Requests = BTreeMap<String, Look>;

fn merge(base: &mut serde_json::Value, overlay: &serde_json::Value) {
    match (base, overlay) {
        (serde_json::Value::Object(base), serde_json::Value::Object(overlay)) => {
            // What was unseen is replaced as a whole once an example says what is there.
            if base.contains_key("unseen") || overlay.contains_key("unseen") {
                base.clear();
            }
            for (key, value) in overlay {
                merge(
                    base.entry(key.clone()).or_insert(serde_json::Value::Null),
                    value,
                );
            }
        }
        (base, overlay) => *base = overlay.clone(),
    }
}
