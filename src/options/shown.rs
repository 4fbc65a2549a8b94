//! What the API shows of the options in effect, and what a restart makes of that.

use super::row::LOOPBACK_SINCE;
use super::{Depends, Preset, Row, row};
use crate::facts::{Docker, ENABLE_ICC, Hidden, Part, major};
use serde_json::{Value, json};

impl Docker {
    /// What hides the value of a daemon.json key that is in effect, where the API would show it and
    /// did not this time.
    pub fn hides(&self, key: &str) -> Option<&Hidden> {
        let at = row(key)?.shown?.at;
        let part = match at.strip_prefix("/info ") {
            Some(field) => Part::Info(field.split('.').next()?.to_owned()),
            None => Part::Networks,
        };
        self.hidden.iter().find(|hidden| hidden.part == part)
    }

    /// The value of a daemon.json key that is in effect, where the API shows it; `None` where it
    /// does not, or did not this time ([`Self::hides`]). That of `userns-remap` is `on` or empty: the
    /// API does not say for whom it is on.
    pub fn effective(&self, key: &str) -> Option<Value> {
        if self.hides(key).is_some() {
            return None;
        }
        (row(key)?.shown?.read)(self)
    }

    /// Whether the value in effect is the wanted one; `None` where the API does not show it.
    pub fn is_in_effect(&self, key: &str, wanted: &Value) -> Option<bool> {
        let seen = self.effective(key)?;
        if key == "userns-remap" {
            return Some(remaps(wanted) == (seen == "on"));
        }
        // With the image store of containerd the daemon names the snapshotter, and takes the name of
        // the former driver for it.
        if key == "storage-driver" && seen == "overlayfs" && wanted == "overlay2" {
            return None;
        }
        Some(seen == *wanted)
    }
}

impl Row {
    /// The API's call and field that show it; `/info` where none does.
    pub fn place(&self) -> &'static str {
        self.shown.map_or("/info", |shown| shown.at)
    }
}

/// Whether a value of `userns-remap` remaps: `root` is accepted and means off
/// (moby `daemon/daemon_unix.go`, `setupRemappedRoot`).
pub fn remaps(value: &Value) -> bool {
    let user = value.as_str().and_then(|text| text.split(':').next());
    !matches!(user, None | Some("" | "root"))
}

/// To dockerd `null` is false where a switch is expected.
fn is_on(value: &Value) -> bool {
    *value == Value::Bool(true)
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn security_option(docker: &mut Docker, name: &str, on: bool) {
    let is_listed = docker.has_security_option(name);
    if on && !is_listed {
        docker.security_options.push(format!("name={name}"));
    } else if !on && is_listed {
        docker
            .security_options
            .retain(|option| !option.split(',').any(|part| part == format!("name={name}")));
    }
}

/// Before 24.0 /info did not say.
fn shows_no_new_privileges(docker: &Docker) -> Option<bool> {
    Some(major(&docker.version)? >= 24)
}

pub(super) const AUTHORIZATION: Row = Row::texts("authorization-plugins", "authorization-plugin")
    .reloaded()
    .shown(
        "/info Plugins.Authorization",
        |docker| Some(json!(docker.authorization_plugins)),
        Some(|docker, value| docker.authorization_plugins = texts(value)),
    )
    .serves(Depends::ApiClients);
pub(super) const DEBUG: Row = Row::switch("debug", Preset::Off)
    .reloaded()
    .shown(
        "/info Debug",
        |docker| Some(json!(docker.debug)),
        Some(|docker, value| docker.debug = is_on(value)),
    )
    .serves(Depends::LOG);
pub(super) const EXPERIMENTAL: Row = Row::switch("experimental", Preset::Off)
    .shown(
        "/info ExperimentalBuild",
        |docker| Some(json!(docker.experimental)),
        Some(|docker, value| docker.experimental = is_on(value)),
    )
    .serves(Depends::Checkpoints);
pub(super) const ICC: Row = Row::switch("icc", Preset::On)
    .shown(
        "network bridge, option enable_icc",
        |docker| Some(json!(docker.bridge_options.get(ENABLE_ICC)? == "true")),
        Some(|docker, value| {
            // Without a default bridge there is nothing to show.
            if !docker.bridge_options.is_empty() {
                let on = is_on(value).to_string();
                docker.bridge_options.insert(ENABLE_ICC.to_owned(), on);
            }
        }),
    )
    .of_bridge()
    .serves(Depends::DefaultBridge);
pub(super) const INSECURE: Row = Row::texts("insecure-registries", "insecure-registry")
    .preset(Preset::Since(
        LOOPBACK_SINCE,
        &Preset::Nothing,
        &Preset::Loopback,
    ))
    .reloaded()
    .shown(
        "/info RegistryConfig",
        |docker| Some(json!(docker.insecure_registries)),
        Some(|docker, value| docker.insecure_registries = texts(value)),
    )
    .serves(Depends::Registries);
pub(super) const LIVE_RESTORE: Row = Row::switch("live-restore", Preset::Off)
    .reload_is_enough()
    .shown(
        "/info LiveRestoreEnabled",
        |docker| Some(json!(docker.live_restore)),
        Some(|docker, value| docker.live_restore = is_on(value)),
    )
    .serves(Depends::Nobody("it only adds that containers outlive the daemon; a swarm, which it excludes, is told by the check"));
pub(super) const LOG_DRIVER: Row = Row::text("log-driver")
    .preset(Preset::Text("json-file"))
    .shown(
        "/info LoggingDriver",
        |docker| Some(json!(docker.logging_driver)),
        Some(|docker, value| {
            docker.logging_driver = match value.as_str() {
                Some(driver) => driver.to_owned(),
                None => "json-file".to_owned(),
            }
        }),
    )
    .serves(Depends::NewContainers);
pub(super) const NO_NEW_PRIVILEGES: Row = Row::switch("no-new-privileges", Preset::Off)
    .shown(
        "/info SecurityOptions",
        |docker| {
            shows_no_new_privileges(docker)?
                .then(|| json!(docker.has_security_option("no-new-privileges")))
        },
        Some(|docker, value| {
            let on = is_on(value) && shows_no_new_privileges(docker) == Some(true);
            security_option(docker, "no-new-privileges", on);
        }),
    )
    .serves(Depends::NewContainers);
pub(super) const SELINUX: Row = Row::switch("selinux-enabled", Preset::Off).shown(
    "/info SecurityOptions",
    |docker| Some(json!(docker.has_security_option("selinux"))),
    // It is on only where the host has it.
    None,
);
pub(super) const STORAGE_DRIVER: Row = Row::text("storage-driver")
    .shown(
        "/info Driver",
        |docker| Some(json!(docker.storage_driver)),
        // The daemon may have another name for it, or choose one.
        None,
    )
    .serves(Depends::Stored);
pub(super) const USERNS: Row = Row::text("userns-remap")
    .shown(
        "/info SecurityOptions",
        |docker| Some(json!(if docker.is_remapped() { "on" } else { "" })),
        Some(|docker, value| security_option(docker, "userns", remaps(value))),
    )
    .serves(Depends::Stored);
