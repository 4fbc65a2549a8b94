//! What will have become of everything that the daemon holds, and when each setting takes effect:
//! said before, so that it can be compared with what happened.

use super::Plan;
use super::restart::Restart;
use crate::change::Activation;
use crate::checks::{BRIDGE_EVENT, Layout};
use crate::facts::{Container, Facts, Seen};
use crate::formats::secrets::mask_value;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A forecast of what a plan does to this host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Forecast {
    /// All containers, stopped ones too.
    pub containers: Vec<ContainerForecast>,
    /// All images, by name or id.
    pub images: Vec<ObjectForecast>,
    /// All volumes.
    pub volumes: Vec<ObjectForecast>,
    /// All networks but the predefined ones.
    pub networks: Vec<ObjectForecast>,
    /// The daemon's options that change, or that were written and not read before.
    pub settings: Vec<SettingForecast>,
}

/// What becomes of one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerForecast {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Why.
    pub why: String,
}

/// What becomes of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It runs, and nothing touches it.
    Untouched,
    /// It runs on over the restart: the same process, the same start time.
    KeepsRunning,
    /// It is stopped and started again.
    Restarts,
    /// It is stopped, and comes back unless its process ends well on SIGTERM.
    MayStop,
    /// It is stopped and stays down.
    Stops,
    /// It does not run now, and is started.
    Starts,
    /// It is stopped, and docker deletes it (`--rm`): at this restart, or, where that changes to
    /// another root before docker has got to it, when the daemon is back under the former one.
    Deleted,
    /// It is stopped, and swarm starts a new container in its place.
    Replaced,
    /// The daemon does not know it any more, until it is changed back.
    Vanishes,
    /// It does not run, and will not.
    StaysStopped,
}

impl Fate {
    /// Whether the daemon runs it in the end, as far as that is certain.
    pub fn runs(self) -> bool {
        matches!(
            self,
            Self::Untouched | Self::KeepsRunning | Self::Restarts | Self::Starts
        )
    }

    /// What a restart makes of a container, and why; `keeps` when live-restore keeps this one (docs.docker.com, "Start containers
    /// automatically"; moby `restartmanager`).
    pub(super) fn over_restart(container: &Container, keeps: bool) -> (Self, &'static str) {
        let policy = container.restart_policy.as_str();
        if !container.running {
            return match policy {
                "always"
                    if !container.started_at.is_empty() && !is_never(&container.started_at) =>
                {
                    (
                        Self::Starts,
                        "its restart policy starts it with the daemon, also when somebody stopped it",
                    )
                }
                _ => (Self::StaysStopped, "it does not run"),
            };
        }
        if keeps {
            return (Self::KeepsRunning, "live-restore keeps it");
        }
        if container.auto_remove {
            return (
                Self::Deleted,
                "started with --rm, so docker deletes it when the daemon stops or starts again",
            );
        }
        if container.swarm_task {
            // Whether the stopped one is still there was seen to differ from one restart to the next,
            // with 20.10.24 and 26.1.5.
            return (
                Self::Replaced,
                "swarm starts a new container in its place, and may delete it",
            );
        }
        match policy {
            _ if container.comes_back() => (Self::Restarts, "its restart policy brings it back"),
            "unless-stopped" if container.marked_stopped.known().is_none() => (
                Self::MayStop,
                "whether docker has noted that somebody stopped it could not be seen, and unless-stopped would then leave it",
            ),
            "unless-stopped" => (
                Self::Stops,
                "docker has noted that somebody stopped it, as `docker kill` does with any signal, and unless-stopped then leaves it",
            ),
            "on-failure" => (
                Self::MayStop,
                "on-failure brings it back only when it ends with an error",
            ),
            _ => (Self::Stops, "it has no restart policy"),
        }
    }
}

/// What the API says of a container that was never started.
fn is_never(started_at: &str) -> bool {
    started_at.starts_with("0001-01-01")
}

/// What becomes of an image, a volume or a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectForecast {
    /// Its name.
    pub name: String,
    /// Its id, empty for volumes, which have none.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub id: String,
    /// What becomes of it.
    pub fate: ObjectFate,
}

/// What becomes of something that does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectFate {
    /// It is there.
    Stays,
    /// The daemon does not know it any more, until it is changed back.
    Vanishes,
}

/// When a setting of the daemon takes effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingForecast {
    /// The key of daemon.json.
    pub key: String,
    /// The value that is configured then; null where the key is gone.
    pub value: Value,
    /// When.
    pub effective: Effective,
    /// The event that it waits for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
}

/// Whether a setting is in effect when the plan was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effective {
    /// It is.
    Now,
    /// It waits for something.
    Pending,
}

/// The forecast of a plan. `keys` are those that it sets or removes.
pub(super) fn forecast(
    before: &Facts,
    plan: &Plan,
    restart: Restart,
    keys: &BTreeSet<&str>,
) -> Forecast {
    let mut forecast = Forecast {
        settings: settings(plan, keys),
        ..Forecast::default()
    };
    let (Seen::Known(docker), Some(after)) = (&before.docker, plan.forecast.docker.known()) else {
        return forecast;
    };
    let restarts = plan.activates(Activation::RestartDocker);
    let vanishes = restarts && docker.is_remapped() != after.is_remapped();
    let fate = if vanishes {
        ObjectFate::Vanishes
    } else {
        ObjectFate::Stays
    };
    forecast.containers = docker
        .containers
        .iter()
        .map(|container| {
            let (fate, why) = match (vanishes, restarts) {
                (true, _) => match Fate::over_restart(container, false) {
                    // Seen at once with 20.10.24, 26.1.5 and 28.5.2, and not always with 20.10.5, as
                    // the daemon does not wait for it when it stops.
                    (Fate::Deleted, _) => (
                        Fate::Deleted,
                        "started with --rm, so docker deletes it when the daemon stops, or when it is back under this root",
                    ),
                    _ => (Fate::Vanishes, "the daemon changes to another root"),
                },
                (false, true) => Fate::over_restart(
                    container,
                    restart.keeps() && docker.live_restore_keeps(container),
                ),
                (false, false) if container.running => (Fate::Untouched, "nothing is restarted"),
                (false, false) => (Fate::StaysStopped, "it does not run"),
            };
            ContainerForecast {
                name: container.name.clone(),
                id: container.id.clone(),
                fate,
                why: why.to_owned(),
            }
        })
        .collect();
    let object = |name: &str, id: &str| ObjectForecast {
        name: name.to_owned(),
        id: id.to_owned(),
        fate,
    };
    forecast.images = docker
        .images
        .iter()
        .map(|image| object(image.tags.first().unwrap_or(&image.id), &image.id))
        .collect();
    forecast.volumes = docker.volumes.iter().map(|name| object(name, "")).collect();
    forecast.networks = docker
        .networks
        .iter()
        .map(|network| object(&network.name, &network.id))
        .collect();
    forecast
}

fn settings(plan: &Plan, keys: &BTreeSet<&str>) -> Vec<SettingForecast> {
    let layout = Layout::of(&plan.forecast);
    let told = [Activation::ReloadDocker, Activation::RestartDocker]
        .iter()
        .any(|activation| plan.activates(*activation));
    keys.iter()
        .map(|key| {
            let value = layout
                .configured(key)
                .map_or(Value::Null, |(value, _)| value);
            let waits = plan
                .forecast
                .docker
                .known()
                .is_some_and(|docker| docker.is_in_effect(key, &value) == Some(false));
            let until = if !told {
                Some("docker.service starts".to_owned())
            } else if waits && !value.is_null() {
                Some(BRIDGE_EVENT.to_owned())
            } else {
                None
            };
            SettingForecast {
                key: (*key).to_owned(),
                // Hosts and tokens of options are nobody's business.
                value: mask_value(key, &value),
                effective: if until.is_some() {
                    Effective::Pending
                } else {
                    Effective::Now
                },
                until,
            }
        })
        .collect()
}
