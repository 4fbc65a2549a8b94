//! What the daemon's raw answers mean.
//!
//! Only the fields that are used are looked at, each by itself: whatever else a daemon says, and
//! whatever new value it has for an enumeration, does not matter here.

use super::DockerAnswers;
use crate::facts::{Container, Docker, Image, Mount, MountKind, Network, Port, Seen, Swarm, Usage};
use crate::options::{LOOPBACK, LOOPBACK_SINCE, Version};
use serde_json::Value;
use std::collections::BTreeMap;

/// The networks that every daemon has.
const PREDEFINED: [&str; 3] = ["bridge", "host", "none"];

impl DockerAnswers {
    /// The facts in these answers. A field that is missing is empty, `false` or 0, unless it is noted
    /// in [`Self::hidden`].
    pub fn facts(&self) -> Docker {
        let info = &self.info;
        let networks = items(&self.networks);
        let bridge = networks
            .iter()
            .find(|network| text(network, "/Name") == "bridge");
        Docker {
            version: text(&self.version, "/Version"),
            live_restore: flag(info, "/LiveRestoreEnabled"),
            security_options: texts(info, "/SecurityOptions"),
            logging_driver: text(info, "/LoggingDriver"),
            storage_driver: text(info, "/Driver"),
            experimental: flag(info, "/ExperimentalBuild"),
            debug: flag(info, "/Debug"),
            root_dir: text(info, "/DockerRootDir"),
            authorization_plugins: texts(info, "/Plugins/Authorization"),
            insecure_registries: insecure_registries(info, &text(&self.version, "/Version")),
            swarm: swarm(info),
            bridge_options: bridge.map(options).unwrap_or_default(),
            containers: self.containers.iter().map(container).collect(),
            images: items(&self.images).iter().map(image).collect(),
            networks: networks
                .iter()
                .map(|network| Network {
                    id: text(network, "/Id"),
                    name: text(network, "/Name"),
                    driver: text(network, "/Driver"),
                })
                .filter(|network| !PREDEFINED.contains(&network.name.as_str()))
                .collect(),
            volumes: self
                .volumes
                .pointer("/Volumes")
                .map(items)
                .unwrap_or_default()
                .iter()
                .map(|volume| text(volume, "/Name"))
                .collect(),
            usage: Seen::default(),
            hidden: self.hidden.clone(),
        }
    }
}

/// What `GET /system/df` means; `None` when there are no sizes in it.
///
/// Up to API 1.51 there is a list for each kind of thing, from 1.52 (Docker 29) on a total as well
/// (docs.docker.com, "Docker Engine API version history"). A size of -1 was not calculated.
pub(crate) fn usage(answer: &Value) -> Option<Usage> {
    let listed = |list: &str, size: &str| -> u64 {
        let things = answer.pointer(list).map(items).unwrap_or_default();
        // Cache records that are shared are layers of images, too.
        let own = things.iter().filter(|thing| !flag(thing, "/Shared"));
        own.map(|thing| number(thing, size)).sum()
    };
    let total = |kind: &str| answer.pointer(&format!("/{kind}/TotalSize"));
    if total("ImageUsage").is_none() && answer.get("LayersSize").is_none() {
        return None;
    }
    let either = |kind: &str, otherwise: u64| match total(kind) {
        Some(size) => size.as_u64().unwrap_or_default(),
        None => otherwise,
    };
    Some(Usage {
        images: either("ImageUsage", number(answer, "/LayersSize")),
        containers: either("ContainerUsage", listed("/Containers", "/SizeRw")),
        volumes: either("VolumeUsage", listed("/Volumes", "/UsageData/Size")),
        build_cache: either("BuildCacheUsage", listed("/BuildCache", "/Size")),
    })
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn texts(value: &Value, pointer: &str) -> Vec<String> {
    value
        .pointer(pointer)
        .map(items)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

/// 0 for what is missing or negative.
fn number(value: &Value, pointer: &str) -> u64 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

/// The names and values of an object, sorted: the typed client keeps them in no order.
fn fields<'a>(value: &'a Value, pointer: &str) -> BTreeMap<&'a str, &'a Value> {
    let object = value.pointer(pointer).and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn names(value: &Value, pointer: &str) -> Vec<String> {
    fields(value, pointer)
        .into_keys()
        .map(str::to_owned)
        .collect()
}

fn options(network: &Value) -> BTreeMap<String, String> {
    let options = network.pointer("/Options").and_then(Value::as_object);
    options
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// `error` and states that are not known are treated as membership, which is the careful reading.
fn swarm(info: &Value) -> Swarm {
    match text(info, "/Swarm/LocalNodeState").as_str() {
        "" | "inactive" => Swarm::Inactive,
        _ => Swarm::Active,
    }
}

/// Networks and single registries; the loopback networks are always listed by the daemon itself, until
/// 29.10 made them a default that can be taken away.
fn insecure_registries(info: &Value, version: &str) -> Vec<String> {
    let mut found = texts(info, "/RegistryConfig/InsecureRegistryCIDRs");
    let is_choice = Version::parse(version).is_some_and(|version| version >= LOOPBACK_SINCE);
    found.retain(|network| is_choice || !LOOPBACK.contains(&network.as_str()));
    let single = info
        .pointer("/RegistryConfig/IndexConfigs")
        .and_then(Value::as_object);
    found.extend(
        single
            .into_iter()
            .flatten()
            .filter(|(_, registry)| registry.get("Secure") == Some(&Value::Bool(false)))
            .map(|(name, _)| name.clone()),
    );
    found
}

fn container(inspected: &Value) -> Container {
    Container {
        id: text(inspected, "/Id"),
        name: text(inspected, "/Name").trim_start_matches('/').to_owned(),
        image: text(inspected, "/Config/Image"),
        running: flag(inspected, "/State/Running"),
        // Containers of old clients have an empty policy, which is `no`.
        restart_policy: match text(inspected, "/HostConfig/RestartPolicy/Name") {
            policy if policy.is_empty() => "no".to_owned(),
            policy => policy,
        },
        marked_stopped: Seen::default(),
        auto_remove: flag(inspected, "/HostConfig/AutoRemove"),
        network_mode: text(inspected, "/HostConfig/NetworkMode"),
        pid: u32::try_from(number(inspected, "/State/Pid")).unwrap_or_default(),
        started_at: text(inspected, "/State/StartedAt"),
        image_id: text(inspected, "/Image"),
        privileged: flag(inspected, "/HostConfig/Privileged"),
        userns_mode: text(inspected, "/HostConfig/UsernsMode"),
        pid_mode: text(inspected, "/HostConfig/PidMode"),
        ipc_mode: text(inspected, "/HostConfig/IpcMode"),
        devices: each(inspected, "/HostConfig/Devices", |device| {
            text(device, "/PathOnHost")
        }),
        mounts: each(inspected, "/Mounts", mount),
        ports: ports(inspected),
        exposed: names(inspected, "/Config/ExposedPorts"),
        links: texts(inspected, "/HostConfig/Links")
            .iter()
            .map(|link| linked(link))
            .collect(),
        networks: names(inspected, "/NetworkSettings/Networks"),
        has_ipv6: fields(inspected, "/NetworkSettings/Networks")
            .values()
            .any(|endpoint| !text(endpoint, "/GlobalIPv6Address").is_empty()),
        log_driver: text(inspected, "/HostConfig/LogConfig/Type"),
        no_new_privileges: no_new_privileges(&texts(inspected, "/HostConfig/SecurityOpt")),
        own_seccomp: texts(inspected, "/HostConfig/SecurityOpt")
            .iter()
            .any(|option| option.starts_with("seccomp=") || option.starts_with("seccomp:")),
        user: text(inspected, "/Config/User"),
        command: std::iter::once(text(inspected, "/Path"))
            .chain(texts(inspected, "/Args"))
            .filter(|word| !word.is_empty())
            .collect(),
        layers: layers(inspected),
        setuid: Seen::default(),
        read_only: flag(inspected, "/HostConfig/ReadonlyRootfs"),
        ulimits: each(inspected, "/HostConfig/Ulimits", |limit| {
            text(limit, "/Name")
        }),
        swarm_task: fields(inspected, "/Config/Labels").contains_key("com.docker.swarm.task.id"),
        compose_project: fields(inspected, "/Config/Labels")
            .get("com.docker.compose.project")
            .and_then(|project| project.as_str())
            .unwrap_or_default()
            .to_owned(),
    }
}

fn each<T>(value: &Value, pointer: &str, read: impl Fn(&Value) -> T) -> Vec<T> {
    let list = value.pointer(pointer).map(items).unwrap_or_default();
    list.iter().map(read).collect()
}

fn mount(listed: &Value) -> Mount {
    let kind = match text(listed, "/Type").as_str() {
        "bind" => MountKind::Bind,
        "volume" => MountKind::Volume,
        _ => MountKind::Other,
    };
    Mount {
        kind,
        source: match kind {
            // Its source is a path below the data root.
            MountKind::Volume => text(listed, "/Name"),
            MountKind::Bind | MountKind::Other => text(listed, "/Source"),
        },
        destination: text(listed, "/Destination"),
        writable: flag(listed, "/RW"),
    }
}

/// The ports that are published now; of a container that does not run those that were asked for.
fn ports(inspected: &Value) -> Vec<Port> {
    let at = |pointer: &str| -> Vec<Port> {
        let mut found: Vec<Port> = fields(inspected, pointer)
            .into_iter()
            .flat_map(|(container, bindings)| {
                items(bindings).iter().map(|binding| Port {
                    host_ip: text(binding, "/HostIp"),
                    host_port: text(binding, "/HostPort"),
                    container: container.to_owned(),
                })
            })
            .collect();
        found.sort();
        found.dedup();
        found
    };
    let now = at("/NetworkSettings/Ports");
    if now.is_empty() {
        at("/HostConfig/PortBindings")
    } else {
        now
    }
}

/// The container in `/db:/web/database`, which is what `--link db:database` of `web` becomes.
fn linked(link: &str) -> String {
    let target = link.split(':').next().unwrap_or_default();
    target.trim_start_matches('/').to_owned()
}

/// The layers of the image, which overlay2 lists as overlayfs does in its mount option `lowerdir`
/// (docs.docker.com, "OverlayFS storage driver"); other drivers, and the image store of containerd,
/// list none.
fn layers(inspected: &Value) -> Vec<String> {
    text(inspected, "/GraphDriver/Data/LowerDir")
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

/// `no-new-privileges`, `no-new-privileges:true`, `no-new-privileges=false`; the last one counts
/// (moby, daemon/daemon_unix.go).
fn no_new_privileges(options: &[String]) -> Option<bool> {
    options.iter().rev().find_map(|option| {
        let rest = option.strip_prefix("no-new-privileges")?;
        match rest.strip_prefix([':', '=']) {
            None if rest.is_empty() => Some(true),
            None => None,
            Some(value) => value.parse().ok(),
        }
    })
}

fn image(listed: &Value) -> Image {
    let mut tags = texts(listed, "/RepoTags");
    // Up to API 1.43 an image without a tag says so like this.
    tags.retain(|tag| tag != "<none>:<none>");
    Image {
        id: text(listed, "/Id"),
        tags,
        size: number(listed, "/Size"),
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
