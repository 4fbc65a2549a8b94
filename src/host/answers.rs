//! What the daemon's raw answers mean.
//!
//! Only the fields that are used are looked at, each by itself: whatever else a daemon says, and
//! whatever new value it has for an enumeration, does not matter here.

use super::DockerAnswers;
use crate::facts::{Container, Docker, Image, Network, Swarm};
use serde_json::Value;
use std::collections::BTreeMap;

/// The networks that every daemon has.
const PREDEFINED: [&str; 3] = ["bridge", "host", "none"];

impl DockerAnswers {
    /// The facts in these answers. A field that is missing is empty, `false` or 0.
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
            insecure_registries: insecure_registries(info),
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
        }
    }
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

/// Networks and single registries; the loopback networks are always listed by the daemon itself.
fn insecure_registries(info: &Value) -> Vec<String> {
    let mut found = texts(info, "/RegistryConfig/InsecureRegistryCIDRs");
    found.retain(|network| network != "127.0.0.0/8" && network != "::1/128");
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
        auto_remove: flag(inspected, "/HostConfig/AutoRemove"),
        network_mode: text(inspected, "/HostConfig/NetworkMode"),
        pid: inspected
            .pointer("/State/Pid")
            .and_then(Value::as_u64)
            .and_then(|pid| u32::try_from(pid).ok())
            .unwrap_or_default(),
        started_at: text(inspected, "/State/StartedAt"),
        swarm_task: inspected
            .pointer("/Config/Labels/com.docker.swarm.task.id")
            .is_some(),
    }
}

fn image(listed: &Value) -> Image {
    let mut tags = texts(listed, "/RepoTags");
    // Up to API 1.43 an image without a tag says so like this.
    tags.retain(|tag| tag != "<none>:<none>");
    Image {
        id: text(listed, "/Id"),
        tags,
        size: listed
            .pointer("/Size")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
