//! What the running daemon says over its API.

use super::{Hidden, Part, Seen};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The option of the default bridge that `icc` sets.
pub const ENABLE_ICC: &str = "com.docker.network.bridge.enable_icc";

/// The daemon's own account of itself: `/version`, `/info`, the default bridge, and the
/// containers, images and volumes that exist.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Docker {
    /// Server version, `26.1.5+dfsg1`.
    pub version: String,
    /// `/info` `LiveRestoreEnabled`.
    pub live_restore: bool,
    /// `/info` `SecurityOptions`: `name=userns`, `name=seccomp,profile=builtin`, …
    pub security_options: Vec<String>,
    /// `/info` `LoggingDriver`: the default for new containers.
    pub logging_driver: String,
    /// `/info` `Driver`: the storage driver.
    pub storage_driver: String,
    /// `/info` `ExperimentalBuild`.
    pub experimental: bool,
    /// `/info` `Debug`.
    pub debug: bool,
    /// `/info` `DockerRootDir`; with userns-remap it has `UID.GID` at its end.
    pub root_dir: String,
    /// `/info` `Plugins.Authorization`.
    pub authorization_plugins: Vec<String>,
    /// Registries that are talked to without TLS verification; 127.0.0.0/8 and ::1/128, which
    /// the daemon always lists, are left out.
    pub insecure_registries: Vec<String>,
    /// Swarm membership.
    pub swarm: Swarm,
    /// Options of the default bridge network; empty when it does not exist.
    pub bridge_options: BTreeMap<String, String>,
    /// All containers, stopped ones too.
    pub containers: Vec<Container>,
    /// All images.
    pub images: Vec<Image>,
    /// All networks but the predefined ones.
    pub networks: Vec<Network>,
    /// Names of all volumes.
    pub volumes: Vec<String>,
    /// What all of it takes on the disk; measured only for a plan that asks for it.
    pub usage: Seen<Usage>,
    /// What the daemon was asked for and did not show. What is in the other fields is not all there is
    /// then: whoever says that there is none of something must look here first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Hidden>,
}

/// What the daemon's things take on the disk, in bytes (`GET /system/df`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Usage {
    /// The layers of all images, each once.
    pub images: u64,
    /// What containers have written into their own layers.
    pub containers: u64,
    /// Volumes of the driver `local`.
    pub volumes: u64,
    /// The build cache.
    pub build_cache: u64,
}

impl Docker {
    /// Whether `/info` lists the security option `name=NAME`.
    pub fn has_security_option(&self, name: &str) -> bool {
        self.security_options.iter().any(|option| {
            option
                .split(',')
                .any(|part| part.strip_prefix("name=") == Some(name))
        })
    }

    /// Whether `userns-remap` is in effect.
    pub fn is_remapped(&self) -> bool {
        self.has_security_option("userns")
    }

    /// The first number of the version: 26 of `26.1.5+dfsg1`.
    pub fn major(&self) -> Option<u32> {
        major(&self.version)
    }

    /// The containers that exist and were not shown; the whole list counts as one. Nobody may say
    /// then that no container does this or that.
    pub fn hidden_containers(&self) -> impl Iterator<Item = &Hidden> {
        let is_one = |part: &Part| matches!(part, Part::Containers | Part::Container(_));
        self.hidden
            .iter()
            .filter(move |hidden| is_one(&hidden.part))
    }

    /// Whether a container runs, or may: one that was not shown may.
    pub fn may_run_containers(&self) -> bool {
        self.running().next().is_some() || self.hidden_containers().next().is_some()
    }

    /// Whether this data root, links followed, is the daemon's, as far as it says; with remapping it
    /// names a folder below it.
    pub fn has_root(&self, root: &str) -> bool {
        self.root_dir.is_empty()
            || self.root_dir == root
            || self.root_dir.starts_with(&format!("{root}/"))
    }

    /// Whether a restart leaves the default bridge as it is, whatever is configured: the daemon does
    /// not touch it while live-restore keeps containers running (docs.docker.com, "Live restore";
    /// it logs "updated network configuration will not take affect").
    pub fn keeps_bridge_over_restart(&self) -> bool {
        self.live_restore && self.may_run_containers()
    }

    /// Whether live-restore keeps this container running over a restart of the daemon. Before 24.0.8
    /// a starting daemon deletes one with `--rm` although it runs (moby pull request 46857; seen with
    /// 20.10.5 and 20.10.24, and no more with 26.1.5 and 28.5.2).
    pub fn live_restore_keeps(&self, container: &Container) -> bool {
        let deletes = || {
            let mut numbers = self
                .version
                .split(|c: char| !c.is_ascii_digit())
                .map_while(|number| number.parse::<u32>().ok());
            let mut next = || numbers.next();
            match (next(), next(), next()) {
                (Some(major), Some(minor), Some(patch)) => (major, minor, patch) < (24, 0, 8),
                // It could be one of those.
                _ => true,
            }
        };
        !(container.auto_remove && deletes())
    }

    /// Containers that are known to run now; see [`Self::may_run_containers`].
    pub fn running(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(|container| container.running)
    }
}

/// The first number of a version: 26 of `26.1.5+dfsg1`.
pub fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// `/info` `Swarm.LocalNodeState`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Swarm {
    /// Not a member.
    #[default]
    Inactive,
    /// A member, or about to be one, or locked: treated alike, as live-restore is refused.
    Active,
}

/// One container: what it was created with, and how it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
// Each is one answer of the API, and none of them excludes another one.
#[allow(clippy::struct_excessive_bools)]
pub struct Container {
    /// Full id.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// Image as it was named at creation.
    pub image: String,
    /// Whether it runs (paused and restarting count).
    pub running: bool,
    /// `no`, `always`, `unless-stopped`, `on-failure`.
    pub restart_policy: String,
    /// Docker has noted that somebody has stopped it, for which any signal counts that was sent by
    /// `docker kill`, also to a container that goes on running (moby, daemon/kill.go; pull request
    /// 53415): `unless-stopped` does not bring it back then. The API does not show it, and only root can
    /// read the daemon's own record of the container. It is looked at only where `unless-stopped` decides.
    #[serde(default = "not_marked", skip_serializing_if = "is_not_marked")]
    pub marked_stopped: Seen<bool>,
    /// Started with `--rm`: a stop deletes it.
    pub auto_remove: bool,
    /// `default`, `bridge`, `host`, `none`, `container:…` or a network's name.
    pub network_mode: String,
    /// Process id of its first process, 0 when it does not run.
    pub pid: u32,
    /// When it was started, RFC 3339, as the API says it.
    pub started_at: String,
    /// Id of its image.
    pub image_id: String,
    /// `--privileged`.
    pub privileged: bool,
    /// `host`: exempt from userns-remap; otherwise empty.
    pub userns_mode: String,
    /// `host`, `container:…` or empty.
    pub pid_mode: String,
    /// `host`, `private`, `shareable`, `container:…`, `none` or empty.
    pub ipc_mode: String,
    /// Devices of the host that it was given.
    pub devices: Vec<String>,
    /// What is mounted into it.
    pub mounts: Vec<Mount>,
    /// Ports published on the host.
    pub ports: Vec<Port>,
    /// Ports that it is said to listen on, `80/tcp`.
    pub exposed: Vec<String>,
    /// Names of the containers that it is linked to (`--link`, default bridge).
    pub links: Vec<String>,
    /// Names of the networks that it is attached to.
    pub networks: Vec<String>,
    /// One of them gave it an IPv6 address.
    pub has_ipv6: bool,
    /// Its log driver.
    pub log_driver: String,
    /// `--security-opt no-new-privileges`, where it was said: otherwise it got what the daemon had
    /// configured on the day when it was created, which the API does not show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_new_privileges: Option<bool>,
    /// It was created with a seccomp profile of its own, or with none (`--security-opt seccomp=…`).
    pub own_seccomp: bool,
    /// Whom its process starts as; empty for root.
    pub user: String,
    /// The program that it starts, and its arguments.
    pub command: Vec<String>,
    /// The folders of the host that its image's layers are in, the topmost first; empty where the
    /// storage driver does not say.
    pub layers: Vec<String>,
    /// The programs in it that gain rights; looked for only for a plan.
    pub setuid: Seen<Setuid>,
    /// `--read-only`.
    pub read_only: bool,
    /// Names of the limits that it has of its own (`--ulimit`).
    pub ulimits: Vec<String>,
    /// A task of a swarm service: the swarm starts another one when it stops.
    pub swarm_task: bool,
    /// The Compose project that it belongs to; empty when it does to none.
    pub compose_project: String,
}

/// What facts mean that do not say it.
fn not_marked() -> Seen<bool> {
    Seen::Known(false)
}

fn is_not_marked(marked: &Seen<bool>) -> bool {
    *marked == not_marked()
}

impl Container {
    /// Whether a restart of the daemon brings it back whatever it was doing: `on-failure` does not
    /// count, as a process that ends well on SIGTERM stays down (docs.docker.com, "Start containers
    /// automatically").
    pub fn comes_back(&self) -> bool {
        match self.restart_policy.as_str() {
            "always" => true,
            "unless-stopped" => self.marked_stopped == Seen::Known(false),
            _ => false,
        }
    }

    /// Whether it can be promised that it runs: a task of a swarm is replaced by another one, and
    /// what was started with `--rm` is deleted whenever it ends, by itself, too.
    pub fn can_be_started_again(&self) -> bool {
        !self.swarm_task && !self.auto_remove
    }

    /// Whether it has been running without a stop since this moment, in microseconds since 1970; not
    /// where that is not known.
    pub fn has_run_since(&self, moment: i64) -> bool {
        self.running
            && self
                .started_at
                .parse::<Timestamp>()
                .is_ok_and(|started| started.as_microsecond() < moment)
    }

    /// Whether it may rely on programs that gain rights: its process is not root's from the start,
    /// and whether it may gain rights was left to the daemon.
    pub fn may_need_setuid(&self) -> bool {
        let user = self.user.split(':').next().unwrap_or_default();
        self.no_new_privileges.is_none() && !matches!(user, "" | "0" | "root")
    }

    /// Whether it is on the default bridge.
    pub fn is_on_default_bridge(&self) -> bool {
        self.networks.iter().any(|network| network == "bridge")
            || matches!(self.network_mode.as_str(), "default" | "bridge")
    }
}

/// The programs in an image that run with other rights than those who start them: setuid, setgid
/// or with capabilities of their own (execve(2), capabilities(7)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setuid {
    /// Their paths in the container, sorted.
    pub programs: Vec<String>,
    /// Those of them that the start of the container names, each with the script that does so;
    /// empty for the command itself.
    pub named: BTreeMap<String, String>,
}

/// What kind of thing is mounted into a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountKind {
    /// A path of the host.
    Bind,
    /// A volume.
    Volume,
    /// Anything else: `tmpfs`, `npipe`, `cluster`, `image`, …
    #[default]
    Other,
}

/// One thing mounted into a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mount {
    /// What kind of thing.
    pub kind: MountKind,
    /// The path on the host, or the name of the volume.
    pub source: String,
    /// Where it is in the container.
    pub destination: String,
    /// Whether it is mounted for writing.
    pub writable: bool,
}

/// One port published on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Port {
    /// Address on the host; empty for all.
    pub host_ip: String,
    /// Port on the host; empty when it is chosen at the start.
    pub host_port: String,
    /// Port and protocol in the container, `80/tcp`.
    pub container: String,
}

impl fmt::Display for Port {
    /// `80/tcp`, `127.0.0.1:80/tcp`, `[::1]:80/tcp`: what is taken on the host.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host_ip.as_str() {
            "" | "0.0.0.0" | "::" => {}
            ip if ip.contains(':') => write!(f, "[{ip}]:")?,
            ip => write!(f, "{ip}:")?,
        }
        let protocol = self.container.split_once('/').map_or("tcp", |(_, it)| it);
        write!(f, "{}/{protocol}", self.host_port)
    }
}

/// One image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Image {
    /// Full id.
    pub id: String,
    /// `repository:tag`, several or none.
    pub tags: Vec<String>,
    /// Size in bytes.
    pub size: u64,
}

/// One network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Full id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Driver.
    pub driver: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_daemons_delete_what_was_started_with_rm() {
        for (version, keeps) in [
            ("20.10.5+dfsg1", false),
            ("20.10.24+dfsg1", false),
            ("23.0.6", false),
            ("24.0.7-ce", false),
            ("24.0.8", true),
            ("26.1.5+dfsg1", true),
            ("29.0.0-rc.1", true),
            ("", false),
            ("26", false),
        ] {
            let docker = Docker {
                version: version.to_owned(),
                ..Docker::default()
            };
            let container = |auto_remove| Container {
                auto_remove,
                ..Container::default()
            };
            assert_eq!(
                docker.live_restore_keeps(&container(true)),
                keeps,
                "{version}"
            );
            assert!(docker.live_restore_keeps(&container(false)), "{version}");
        }
    }

    #[test]
    fn whether_it_runs_since_before() {
        let moment = 1_795_342_530_000_001;
        for (started_at, before) in [
            ("2026-11-22T10:15:30Z", true),
            ("2026-11-22T10:15:30.000001234Z", false),
            ("2026-11-22T12:15:29.5+02:00", true),
            ("2026-11-22T10:15:31Z", false),
            ("", false),
        ] {
            let mut container = Container {
                running: true,
                started_at: started_at.to_owned(),
                ..Container::default()
            };
            assert_eq!(container.has_run_since(moment), before, "{started_at}");
            container.running = false;
            assert!(!container.has_run_since(moment));
        }
    }
}
