//! What the running daemon says over its API.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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

    /// The first number of the version: 26 of `26.1.5+dfsg1`.
    pub fn major(&self) -> Option<u32> {
        major(&self.version)
    }

    /// The value of a daemon.json key that is in effect, where the API shows it; `None` where it
    /// does not. That of `userns-remap` is `on` or empty: the API does not say for whom it is on.
    pub fn effective(&self, key: &str) -> Option<Value> {
        let listed = |name| Some(json!(self.has_security_option(name)));
        match key {
            "live-restore" => Some(json!(self.live_restore)),
            "log-driver" => Some(json!(self.logging_driver)),
            "storage-driver" => Some(json!(self.storage_driver)),
            "experimental" => Some(json!(self.experimental)),
            "debug" => Some(json!(self.debug)),
            "authorization-plugins" => Some(json!(self.authorization_plugins)),
            "icc" => Some(json!(self.bridge_options.get(ENABLE_ICC)? == "true")),
            "insecure-registries" => Some(json!(self.insecure_registries)),
            "userns-remap" if self.has_security_option("userns") => Some(json!("on")),
            "userns-remap" => Some(json!("")),
            "selinux-enabled" => listed("selinux"),
            // Before 24.0 /info did not say.
            "no-new-privileges" if self.major()? >= 24 => listed("no-new-privileges"),
            _ => None,
        }
    }

    /// Whether the value in effect is the wanted one; `None` where the API does not show it.
    pub fn is_in_effect(&self, key: &str, wanted: &Value) -> Option<bool> {
        let seen = self.effective(key)?;
        if key == "userns-remap" {
            // `root` is accepted and means off.
            let wanted = !matches!(wanted.as_str(), None | Some("" | "root"));
            return Some(wanted == (seen == "on"));
        }
        Some(seen == *wanted)
    }

    /// Whether a restart leaves the default bridge as it is, whatever is configured: the daemon does
    /// not touch it while live-restore keeps containers running (docs.docker.com, "Live restore";
    /// it logs "updated network configuration will not take affect").
    pub fn keeps_bridge_over_restart(&self) -> bool {
        self.live_restore && self.running().next().is_some()
    }

    /// Containers that run now.
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

/// One container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    /// Started with `--rm`: a stop deletes it.
    pub auto_remove: bool,
    /// `default`, `bridge`, `host`, `none`, `container:…` or a network's name.
    pub network_mode: String,
    /// Process id of its first process, 0 when it does not run.
    pub pid: u32,
    /// When it was started, RFC 3339, as the API says it.
    pub started_at: String,
    /// A task of a swarm service (label `com.docker.swarm.task.id`): swarm replaces one that
    /// stops by a new container, and nobody else is to start it.
    pub swarm_task: bool,
}

impl Container {
    /// Whether a restart of the daemon brings it back whatever it was doing: `on-failure` does not
    /// count, as a process that ends well on SIGTERM stays down (docs.docker.com, "Start containers
    /// automatically").
    pub fn comes_back(&self) -> bool {
        matches!(self.restart_policy.as_str(), "always" | "unless-stopped")
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
