//! What kind of installation of Docker a host has: that decides where things are and what can be judged.
//!
//! docs.docker.com, "Rootless mode", "Docker Desktop on Linux"; moby `contrib/init`; the docker snap's
//! `bin/dockerd-wrapper`.

use super::{Check, Evidence, Judgement, Layout, Outcome, Place};
use crate::facts::{Facts, Look, Requests, Seen};
use crate::formats::accounts::{self, User};
use crate::probes::ProbeName;

/// Who runs the daemon, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installation {
    /// systemd, as docker.service: the packages of Docker and of most distributions.
    Systemd,
    /// OpenRC, as `/etc/init.d/docker`: Alpine, Gentoo, Artix.
    OpenRc,
    /// snapd, as snap.docker.dockerd.service.
    Snap,
    /// An ordinary user, in a user namespace.
    Rootless(User),
    /// Docker Desktop, in a virtual machine of its own.
    Desktop,
    /// Nobody whose settings are known here: a person, runit or another supervisor, or whoever serves the
    /// socket that `DOCKER_HOST` names. Its process is all that says how it was started.
    ByHand,
    /// Nobody, as far as can be seen.
    None,
}

/// The snap's service.
pub const SNAP_SERVICE: &str = "snap.docker.dockerd.service";
/// What the snap writes, for each of its revisions another.
pub(super) const SNAP_CONFIG: &str = "/var/snap/docker/current/config/daemon.json";
/// The script of OpenRC.
pub(super) const INIT_SCRIPT: &str = "/etc/init.d/docker";
/// Where its settings are, the flags of the daemon among them.
pub(super) const INIT_SETTINGS: &str = "/etc/conf.d/docker";
/// Docker Desktop's own folder, on Linux and, seen from a WSL distribution, on Windows.
const DESKTOP: [&str; 2] = ["/opt/docker-desktop", "/mnt/wsl/docker-desktop"];
/// Folders of users who are logged in (pam_systemd(8)).
const RUN_USER: &str = "/run/user";
/// There on NixOS only; all else below /etc is generated there.
pub(super) const NIXOS: &str = "/etc/NIXOS";
/// There on hosts whose /usr is a checkout of an image (ostree(1)): when booted, and in an image.
pub(super) const OSTREE: [&str; 2] = ["/run/ostree-booted", "/ostree/repo"];

impl Installation {
    /// What the facts show, and where it shows.
    pub fn of(facts: &Facts) -> (Self, String) {
        let unit = |name: &str| facts.units.get(name);
        let answers_rootless = facts
            .docker
            .known()
            .is_some_and(|docker| docker.has_security_option("rootless"));
        if let Seen::Known(docker) = &facts.docker
            && answers_rootless
        {
            let owner = users(facts)
                .into_iter()
                .find(|user| docker.root_dir.starts_with(&format!("{}/", user.home)));
            return (
                Self::Rootless(owner.unwrap_or_default()),
                "/info SecurityOptions".to_owned(),
            );
        }
        if let Some(socket) = &facts.other_socket {
            return (Self::ByHand, format!("DOCKER_HOST={socket}"));
        }
        if let Some(service) = unit("docker.service") {
            if service.fragment.starts_with("/etc/init.d/") {
                return (Self::OpenRc, service.fragment.clone());
            }
            if facts.host.live && service.active.is_empty() {
                // Only a packaged file where no systemd runs.
                return by_hand(facts).unwrap_or((Self::ByHand, service.fragment.clone()));
            }
            if service.main_pid == 0
                && !service.is_active()
                && unit(SNAP_SERVICE).is_none_or(|snap| !snap.is_active())
                && let Some(by_hand) = by_hand(facts)
            {
                return by_hand;
            }
            // Docker's own packages bring docker.service for rootless users, too, and switch it off.
            let used = |name: &str| {
                unit(name).is_some_and(|unit| unit.shall_run() || unit.enabled == "enabled")
            };
            if used("docker.service")
                || used("docker.socket")
                || !(used(SNAP_SERVICE) || rootless(facts).is_some())
            {
                return (Self::Systemd, service.fragment.clone());
            }
        }
        if let Some(service) = unit(SNAP_SERVICE) {
            return (Self::Snap, service.fragment.clone());
        }
        if let Some(by_hand) = by_hand(facts) {
            return by_hand;
        }
        if let Some((user, source)) = rootless(facts) {
            return (Self::Rootless(user), source);
        }
        if let Some(folder) = DESKTOP.iter().find(|folder| facts.exists(folder)) {
            return (Self::Desktop, (*folder).to_owned());
        }
        (Self::None, "docker.service".to_owned())
    }

    /// What must be looked at to know.
    pub(super) fn requests(facts: &Facts) -> Requests {
        let mut requests = Requests::new();
        for path in DESKTOP.into_iter().chain(OSTREE).chain([NIXOS]) {
            requests.insert(path.to_owned(), Look::Attributes);
        }
        requests.insert("/etc/passwd".to_owned(), Look::Content);
        if facts.host.live {
            requests.insert(RUN_USER.to_owned(), Look::Entries);
            for uid in logged_in(facts) {
                requests.insert(format!("{RUN_USER}/{uid}/docker.sock"), Look::Attributes);
            }
        } else {
            // In an image nobody is logged in. On a running host homes are left alone: they may be
            // elsewhere, and looking would mount them.
            for user in users(facts) {
                requests.insert(user_unit(&user), Look::Attributes);
            }
        }
        requests
    }

    /// The host's own service that starts the daemon; empty where it has none. OpenRC's goes by the
    /// name that systemd gives it.
    pub fn service(&self) -> &'static str {
        match self {
            Self::Systemd | Self::OpenRc | Self::None => "docker.service",
            Self::Snap => SNAP_SERVICE,
            Self::Rootless(_) | Self::Desktop | Self::ByHand => "",
        }
    }

    /// The file that says how the daemon is started, where no unit of the host does.
    pub(super) fn user_unit(&self) -> Option<String> {
        match self {
            Self::Rootless(user) => Some(user_unit(user)),
            _ => None,
        }
    }

    /// The daemon's configuration file, unless a flag names another.
    pub(super) fn config(&self) -> String {
        match self {
            Self::Snap => SNAP_CONFIG.to_owned(),
            Self::Rootless(user) => format!("{}/.config/docker/daemon.json", user.home),
            Self::Systemd | Self::OpenRc | Self::Desktop | Self::ByHand | Self::None => {
                "/etc/docker/daemon.json".to_owned()
            }
        }
    }

    /// The data root, unless it is configured.
    pub(super) fn data_root(&self) -> String {
        match self {
            Self::Snap => "/var/snap/docker/common/var-lib-docker".to_owned(),
            Self::Rootless(user) => format!("{}/.local/share/docker", user.home),
            Self::Systemd | Self::OpenRc | Self::Desktop | Self::ByHand | Self::None => {
                "/var/lib/docker".to_owned()
            }
        }
    }

    /// The folder of registry certificates.
    pub(super) fn certificates(&self) -> String {
        match self {
            Self::Snap => "/var/snap/docker/common/etc/certs.d".to_owned(),
            Self::Rootless(user) => format!("{}/.config/docker/certs.d", user.home),
            Self::Systemd | Self::OpenRc | Self::Desktop | Self::ByHand | Self::None => {
                "/etc/docker/certs.d".to_owned()
            }
        }
    }

    /// The socket of the API, where neither a unit nor a flag names it.
    pub(super) fn api_socket(&self) -> Option<String> {
        match self {
            Self::Systemd | Self::OpenRc | Self::Snap | Self::ByHand => {
                Some("/run/docker.sock".to_owned())
            }
            Self::Rootless(user) => Some(user.socket()),
            Self::Desktop | Self::None => None,
        }
    }

    /// The socket of the containerd that belongs to it, where no flag names it.
    pub(super) fn containerd_socket(&self) -> Option<String> {
        match self {
            Self::Snap => Some("/run/snap.docker/containerd/containerd.sock".to_owned()),
            Self::Rootless(user) => Some(format!(
                "{RUN_USER}/{}/docker/containerd/containerd.sock",
                user.uid
            )),
            Self::Systemd | Self::OpenRc | Self::Desktop | Self::ByHand | Self::None => None,
        }
    }

    /// The folders in which its programs are looked for before all others.
    pub(super) fn programs(&self) -> &'static [&'static str] {
        match self {
            Self::Snap => &["/snap/docker/current/bin"],
            _ => &[],
        }
    }
}

impl User {
    /// The name, or the number where the name is not known here.
    pub(super) fn title(&self) -> String {
        if self.name.is_empty() {
            format!("the user {}", self.uid)
        } else {
            self.name.clone()
        }
    }

    /// The API socket of the user's own daemon.
    fn socket(&self) -> String {
        format!("{RUN_USER}/{}/docker.sock", self.uid)
    }

    pub(super) fn owns(&self, path: &str) -> bool {
        path.starts_with(&format!("{RUN_USER}/"))
            || (!self.home.is_empty() && path.starts_with(&format!("{}/", self.home)))
    }
}

/// A process that serves the API and that no service has started.
fn by_hand(facts: &Facts) -> Option<(Installation, String)> {
    let process = facts.daemon_process.known()?;
    Some((Installation::ByHand, format!("process {}", process.pid)))
}

/// Accounts of people.
fn users(facts: &Facts) -> Vec<User> {
    accounts::users(&facts.table("/etc/passwd"))
        .into_iter()
        .filter(|account| account.home.starts_with("/home/"))
        .collect()
}

fn user_unit(user: &User) -> String {
    format!("{}/.config/systemd/user/docker.service", user.home)
}

fn logged_in(facts: &Facts) -> Vec<u32> {
    match facts.node(RUN_USER) {
        Seen::Known(node) => node
            .entries
            .iter()
            .flatten()
            .filter_map(|name| name.parse().ok())
            .collect(),
        Seen::Unseen(_) => Vec::new(),
    }
}

/// The first user who has a daemon, and what shows it.
fn rootless(facts: &Facts) -> Option<(User, String)> {
    if !facts.host.live {
        return users(facts)
            .into_iter()
            .map(|user| (user_unit(&user), user))
            .find(|(unit, _)| facts.exists(unit))
            .map(|(unit, user)| (user, unit));
    }
    let uid = logged_in(facts)
        .into_iter()
        .find(|uid| facts.exists(&format!("{RUN_USER}/{uid}/docker.sock")))?;
    let account = accounts::users(&facts.table("/etc/passwd"))
        .into_iter()
        .find(|account| account.uid == uid)
        .unwrap_or(User {
            uid,
            ..User::default()
        });
    let socket = account.socket();
    Some((account, socket))
}

/// The verdict that an installation allows where the check itself would judge what is not there, or
/// is somebody else's.
pub(super) fn beyond_reach(check: &Check, facts: &Facts) -> Option<Judgement> {
    let (installation, source) = Installation::of(facts);
    match (&installation, check) {
        (Installation::Desktop, Check::AuditWatch(_) | Check::FileAccess(_)) => {
            Some(Judgement::not_applicable(
                "Docker Desktop keeps the daemon and its files in a virtual machine of its own",
                source,
            ))
        }
        (Installation::Desktop, Check::Probe(probe)) if probe.name == ProbeName::ContentTrust => {
            None
        }
        (Installation::Desktop, Check::DaemonOption(_) | Check::Probe(_)) => Some(Judgement::new(
            Outcome::Unknown,
            Evidence::new(
                "Docker Desktop keeps the daemon's configuration in a virtual machine of its own",
                "to be looked at in its window: Settings, Docker Engine",
                source,
            ),
        )),
        (Installation::ByHand, Check::AuditWatch(watch)) => not_this_daemons(facts, &watch.place),
        (Installation::ByHand, Check::FileAccess(access)) => not_this_daemons(facts, &access.place),
        (Installation::Rootless(user), Check::AuditWatch(watch)) => {
            not_the_hosts(user, facts, &watch.place)
        }
        (Installation::Rootless(user), Check::FileAccess(access)) => {
            not_the_hosts(user, facts, &access.place)
        }
        (Installation::Rootless(user), Check::DaemonOption(option))
            if option.key == "userns-remap" =>
        {
            Some(Judgement::not_applicable(
                format!(
                    "Docker is rootless here, as {}: all of it is in a user namespace already",
                    user.title()
                ),
                source,
            ))
        }
        _ => None,
    }
}

/// With `DOCKER_HOST` naming another daemon the units of docker.service are not what starts it.
fn not_this_daemons(facts: &Facts, place: &Place) -> Option<Judgement> {
    let socket = facts.other_socket.as_ref()?;
    matches!(place, Place::DockerService | Place::DockerSocketUnit).then(|| {
        Judgement::not_applicable(
            "the daemon that DOCKER_HOST names is not docker.service's",
            socket.clone(),
        )
    })
}

fn not_the_hosts(user: &User, facts: &Facts, place: &Place) -> Option<Judgement> {
    let paths = Layout::of(facts).paths(place);
    let path = paths.into_iter().find(|path| user.owns(path))?;
    Some(Judgement::not_applicable(
        format!("Docker is rootless here: this belongs to {}", user.title()),
        path,
    ))
}

#[cfg(test)]
#[path = "installation_tests.rs"]
mod tests;
