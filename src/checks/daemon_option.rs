//! `kind = "daemon-option"`: one option of the daemon.
//!
//! Three states are kept apart: what is *configured* (daemon.json or a flag), what is *effective*
//! (the running daemon's own word, where its API has one), and what is *pending* (configured, and
//! effective once the daemon restarts).

use super::layout::{DaemonJson, Layout};
use super::startable::refusals_of;
use super::swarm::Membership;
use super::{Daemon, Evidence, Judgement, Outcome, Source};
use crate::change::Edit;
use crate::facts::{Facts, Seen, major};
use crate::formats::secrets::mask_value;
use crate::options::{Row, Version, row};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One daemon option and what it shall be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DaemonOption {
    /// The key in daemon.json.
    pub key: String,
    /// What it shall be.
    pub want: Want,
    /// What the remedy writes where `want` allows several values.
    #[serde(default)]
    pub set: Option<Value>,
    /// The value is a decision: it comes from the policy, and is manual while that is silent.
    #[serde(default)]
    pub policy: bool,
    /// Values that fail even while the policy is silent.
    #[serde(default)]
    pub always_fail: Vec<Value>,
    /// The daemon refuses it on a member of a swarm.
    #[serde(default)]
    pub not_in_swarm: bool,
    /// The first major version of dockerd that no longer has what this is about: from there on it
    /// concerns no host, unless something is configured all the same.
    #[serde(default)]
    pub void_from: Option<u32>,
}

/// What an option shall be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Want {
    /// Exactly this.
    Is(Value),
    /// None of these.
    IsNot(Vec<Value>),
    /// Anything that is not empty.
    Present(bool),
    /// Not set at all.
    Unset(bool),
    /// Not set, or an empty list.
    Empty(bool),
    /// A list without an item that starts with this.
    LacksItem(String),
}

impl Want {
    pub(super) fn accepts(&self, value: Option<&Value>, default: &Value) -> bool {
        // To dockerd `null` is false where a switch is expected.
        let off = Value::Bool(false);
        let actual = match value {
            Some(Value::Null) if default.is_boolean() => &off,
            Some(value) => value,
            None => default,
        };
        match self {
            Self::Is(wanted) => actual == wanted,
            Self::IsNot(refused) => !refused.contains(actual),
            Self::Present(_) => !is_empty(actual),
            Self::Unset(_) => value.is_none_or(is_empty),
            Self::Empty(_) => is_empty(actual),
            Self::LacksItem(prefix) => !items(actual).any(|item| item.starts_with(prefix.as_str())),
        }
    }

    /// In words: "false", "any value", "not set".
    pub(super) fn in_words(&self, key: &str) -> String {
        match self {
            Self::Is(value) => format!("{key} = {value}"),
            Self::IsNot(values) => {
                let values: Vec<String> = values
                    .iter()
                    .filter(|value| **value != json!(""))
                    .map(Value::to_string)
                    .collect();
                format!("{key} is not {}", values.join(" or "))
            }
            Self::Present(_) => format!("{key} is set"),
            Self::Unset(_) => format!("{key} is not set"),
            Self::Empty(_) => format!("{key} is empty"),
            Self::LacksItem(prefix) => format!("{key} has no {prefix}"),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn items(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// What dockerd does when an option is not set; `null` where there is no value that stands for it, and
/// `None` where that depends on the version, and the version is not known.
fn known_default(key: &str, facts: &Facts) -> Option<Value> {
    let version = facts.docker_version.known();
    let version = version.and_then(|version| Version::parse(version));
    row(key).map_or(Some(Value::Null), |row| row.default.value(version))
}

pub(super) fn default_of(key: &str, facts: &Facts) -> Value {
    known_default(key, facts).unwrap_or_default()
}

/// What brings the options of the default bridge into effect that a restart has left as they were
/// because containers went on running (docs.docker.com, "Live restore").
pub const BRIDGE_EVENT: &str =
    "the next boot, or a restart of docker.service while no container runs";

impl DaemonOption {
    /// What is to be said of an option that the daemon of a swarm's member refuses.
    fn in_swarm(&self, membership: Membership) -> Option<Judgement> {
        let what = format!(
            "this host is a member of a swarm, where the daemon refuses {}",
            self.key
        );
        match membership {
            Membership::None => None,
            Membership::Member(source) => Some(Judgement::not_applicable(what, source)),
            Membership::Unseen(path, unseen) => Some(Judgement::new(
                Outcome::Unknown,
                Evidence::new(
                    format!("whether {what}, could not be seen: {}", unseen.unseen),
                    self.want.in_words(&self.key),
                    path,
                )
                .hint(unseen.hint),
            )),
        }
    }

    /// Judges the option.
    pub fn judge(&self, layout: &Layout<'_>, policy: &Policy) -> Judgement {
        let facts = layout.facts;
        if !layout.docker_is_installed() {
            return Judgement::not_applicable("Docker is not installed", "docker.service");
        }
        if self.not_in_swarm
            && let Some(judgement) = self.in_swarm(layout.swarm())
        {
            return judgement;
        }
        let file = layout.daemon_json();
        match &file {
            DaemonJson::Broken(error) if self.flag(layout).is_none() => {
                return Judgement::new(
                    Outcome::Unknown,
                    Evidence::new(
                        format!("the file does not parse: {}", error.reason),
                        self.want.in_words(&self.key),
                        Source::at(&layout.config, error.line, Some(error.column)),
                    ),
                );
            }
            DaemonJson::Unreadable(why, hint) if self.flag(layout).is_none() => {
                return Judgement::new(
                    Outcome::Unknown,
                    Evidence::new(
                        why.clone(),
                        self.want.in_words(&self.key),
                        layout.config.clone(),
                    )
                    .hint(hint),
                );
            }
            // With a flag the file does not decide.
            DaemonJson::Read(_) | DaemonJson::Broken(_) | DaemonJson::Unreadable(..) => {}
        }

        let wanted = self.wanted(policy);
        let configured = layout.configured(&self.key);
        let default = default_of(&self.key, facts);
        let value = configured.as_ref().map(|(value, _)| value);
        let mut evidence = Evidence::new(
            match value {
                Some(value) => format!("{} = {}", self.key, shown(&self.key, value)),
                None if default.is_null() => format!("{} is not set", self.key),
                None => format!(
                    "{} is not set, and {}",
                    self.key,
                    its_default(facts, &default)
                ),
            },
            wanted.in_words(&self.key),
            configured
                .as_ref()
                .map_or_else(|| layout.config.clone(), |(_, source)| source.clone()),
        );
        if value.is_none() && known_default(&self.key, facts).is_none() {
            evidence.seen = format!(
                "{} is not set, and what that means depends on the version of dockerd, which is not known",
                self.key
            );
            return Judgement::new(Outcome::Unknown, evidence);
        }
        let undecided = self.policy && !policy.daemon.contains_key(&self.key);
        if let Some((in_file, source)) = layout.conflict(&self.key)
            && !undecided
        {
            // Whatever it says, the daemon will not start again. Without the flag the file decides.
            let evidence = vec![
                evidence,
                Evidence::new(
                    format!(
                        "{} = {} in the file, too, and the daemon refuses to start with both",
                        self.key,
                        shown(&self.key, &in_file)
                    ),
                    "either the flag or the file",
                    source,
                ),
            ];
            let mut edits = vec![Edit::DaemonFlag {
                key: self.key.clone(),
            }];
            if !wanted.accepts(Some(&in_file), &default) {
                edits = self.edits(facts, layout, policy, Some(&in_file));
            }
            return Judgement::fail(evidence, edits);
        }
        let always_fails = value.is_some_and(|value| self.always_fail.contains(value));
        if let (Some(gone), Some(version)) = (self.void_from, facts.docker_version.known())
            && major(version).is_some_and(|major| major >= gone)
            && wanted.accepts(value, &default)
        {
            return Judgement::not_applicable(
                format!(
                    "dockerd {version} no longer has what this is about (gone in {gone}.0), and {}",
                    evidence.seen
                ),
                evidence.source,
            );
        }
        if !always_fails
            && (undecided || wanted.accepts(value, &default))
            && let Some(refused) = self.refused(layout, value, &evidence)
        {
            return refused;
        }
        if wanted.accepts(value, &default) && !always_fails {
            return self.judge_running(facts, layout, &wanted, evidence);
        }
        if undecided && !always_fails {
            evidence.wanted = format!(
                "a decision: `{}` under [daemon] in {}",
                self.key,
                crate::policy::PATH
            );
            return Judgement::new(Outcome::Manual, evidence);
        }
        let mut all = vec![evidence];
        all.extend(self.other_in_effect(facts, layout, &wanted, value.unwrap_or(&default)));
        Judgement::fail(all, self.edits(facts, layout, policy, value))
    }

    /// The verdict where the daemon does not start with the value that is set, or may not: whatever it
    /// says, it will not be so for long.
    fn refused(
        &self,
        layout: &Layout<'_>,
        value: Option<&Value>,
        evidence: &Evidence,
    ) -> Option<Judgement> {
        value?;
        let refusals = refusals_of(layout, &self.key);
        let refusal = refusals
            .iter()
            .find(|refusal| refusal.certain)
            .or_else(|| refusals.first())?;
        let starts = if refusal.certain {
            "the daemon does not start with it"
        } else {
            "whether the daemon starts with it cannot be known"
        };
        let evidence = vec![
            evidence.clone(),
            Evidence::new(
                format!("{starts}: {}", refusal.reason),
                refusal.wanted.clone(),
                refusal.source.clone(),
            ),
        ];
        Some(if !refusal.certain {
            Judgement {
                outcome: Outcome::Unknown,
                evidence,
                ..Judgement::default()
            }
        } else if refusal.keys.len() == 1 {
            Judgement::blocked(
                evidence,
                format!("{starts}: {}", refusal.reason),
                refusal.cure.clone(),
            )
        } else {
            // Which of them is at fault is for the control of the other one, or for a person.
            Judgement::fail(evidence, Vec::new())
        })
    }

    fn flag(&self, layout: &Layout<'_>) -> Option<String> {
        layout.flags.sets_key(&self.key)
    }

    /// What the running daemon does, and where that shows; `None` where nothing shows it.
    fn in_effect(&self, facts: &Facts, layout: &Layout<'_>) -> Option<(Value, String)> {
        // The API says that users are remapped, and not to whom.
        let shown = facts
            .docker
            .known()
            .filter(|_| self.key != "userns-remap")
            .and_then(|docker| docker.effective(&self.key));
        match shown {
            Some(value) => Some((value, source_of_effective(&self.key).to_owned())),
            None => layout.by_running_flag(&self.key),
        }
    }

    /// Evidence that the running daemon still does something else than what is configured.
    fn other_in_effect(
        &self,
        facts: &Facts,
        layout: &Layout<'_>,
        wanted: &Want,
        configured: &Value,
    ) -> Option<Evidence> {
        let (value, source) = self.in_effect(facts, layout)?;
        (value != *configured && !configured.is_null()).then(|| {
            Evidence::new(
                format!(
                    "the running daemon has {} = {}, until {}",
                    self.key,
                    shown(&self.key, &value),
                    layout.event_of_restart()
                ),
                wanted.in_words(&self.key),
                source,
            )
        })
    }

    /// What is wanted here: the policy's value where one is given.
    fn wanted(&self, policy: &Policy) -> Want {
        match policy.daemon.get(&self.key) {
            Some(value) if self.policy => Want::Is(value.clone()),
            _ => self.want.clone(),
        }
    }

    /// The file is as wanted; does the running daemon agree?
    fn judge_running(
        &self,
        facts: &Facts,
        layout: &Layout<'_>,
        wanted: &Want,
        mut evidence: Evidence,
    ) -> Judgement {
        let docker = match &facts.docker {
            Seen::Known(docker) => docker,
            Seen::Unseen(_) if Daemon::of(facts) == Daemon::Down => {
                if facts.host.live {
                    evidence.seen.push_str(" (the daemon does not run)");
                }
                return Judgement::new(Outcome::Pass, evidence);
            }
            Seen::Unseen(unseen) => {
                let (why, hint) = layout.not_asked(unseen);
                let why = format!("the running daemon could not be asked: {why}");
                return Daemon::unsaid(evidence, why, "the Docker API", hint);
            }
        };
        let event = layout.event_of_restart();
        let restart =
            |evidence: Vec<Evidence>| Judgement::fail(evidence, vec![Edit::RestartDocker]);
        match docker.effective(&self.key) {
            // Any remapping satisfies a wish for one; the API does not say which.
            Some(effective) if self.key == "userns-remap" => {
                if is_empty(&effective) == matches!(wanted, Want::Present(_)) {
                    restart(vec![
                        evidence.pending(event),
                        Evidence::new(
                            "the running daemon does not remap users",
                            "it does",
                            "/info SecurityOptions",
                        ),
                    ])
                } else {
                    Judgement::new(Outcome::Pass, evidence)
                }
            }
            Some(effective) if wanted.accepts(Some(&effective), &Value::Null) => {
                Judgement::new(Outcome::Pass, evidence)
            }
            Some(effective) if self.key == "icc" && docker.keeps_bridge_over_restart() => {
                Judgement::fail(
                    vec![Evidence::new(
                        format!("the running daemon has {} = {effective}, and live-restore keeps containers running", self.key),
                        wanted.in_words(&self.key),
                        source_of_effective(&self.key),
                    )
                    .pending(BRIDGE_EVENT)],
                    vec![Edit::RestartContainers],
                )
            }
            Some(effective) => restart(vec![
                evidence.pending(event),
                Evidence::new(
                    format!("the running daemon has {} = {effective}", self.key),
                    wanted.in_words(&self.key),
                    source_of_effective(&self.key),
                ),
            ]),
            None if docker.hides(&self.key).is_some() => {
                let hidden = docker.hides(&self.key).map(ToString::to_string);
                let why = format!("the running daemon did not say: {}", hidden.unwrap_or_default());
                Daemon::unsaid(evidence, why, source_of_effective(&self.key), String::new())
            }
            None => match self.not_read(facts, layout, wanted) {
                Some(why) => restart(vec![evidence.pending(event), why]),
                None if self.may_not_be_read(facts, layout) => Judgement {
                    outcome: Outcome::Unknown,
                    evidence: vec![
                        evidence,
                        Evidence::new(
                            "when the daemon started is not known, nor whether it has read the file as it is",
                            "a file that is older than the daemon's process",
                            layout.config.clone(),
                        ),
                    ],
                    ..Judgement::default()
                },
                None => Judgement::new(Outcome::Pass, evidence),
            },
        }
    }

    /// The key is set in the file, and no flag may set it then.
    fn edits(
        &self,
        facts: &Facts,
        layout: &Layout<'_>,
        policy: &Policy,
        value: Option<&Value>,
    ) -> Vec<Edit> {
        let key = self.key.clone();
        let default = default_of(&self.key, facts);
        let mut edits = Vec::new();
        let value = match (policy.daemon.get(&self.key), &self.want) {
            (Some(value), _) if self.policy => {
                // Options belong to their driver: the daemon refuses those of another one.
                if self.key == "log-driver" {
                    edits.push(Edit::DaemonKey {
                        key: "log-opts".to_owned(),
                        value: policy.daemon.get("log-opts").cloned(),
                    });
                }
                Some(value.clone())
            }
            (_, Want::LacksItem(prefix)) => {
                let kept: Vec<&str> = value
                    .into_iter()
                    .flat_map(items)
                    .filter(|item| !item.starts_with(prefix.as_str()))
                    .collect();
                (!kept.is_empty()).then(|| json!(kept))
            }
            (_, Want::Is(wanted)) if *wanted != default => Some(wanted.clone()),
            // Without the key there would be something in the list.
            (_, Want::Empty(_)) if !is_empty(&default) => Some(json!([])),
            _ => self.set.clone(),
        };
        edits.insert(0, Edit::DaemonKey { key, value });
        let mut flags = Vec::new();
        edits.retain(|edit| {
            let Edit::DaemonKey { key, value } = edit else {
                return true;
            };
            let by_flag = layout.flags.sets_key(key).is_some();
            if by_flag {
                flags.push(Edit::DaemonFlag { key: key.clone() });
            }
            // What no file says need not be taken out of one.
            !by_flag || value.is_some() || layout.in_file(key).is_some()
        });
        flags.extend(edits);
        flags
    }
}

/// "the default of dockerd 26.1.5 is true"
fn its_default(facts: &Facts, default: &Value) -> String {
    match facts.docker_version.known() {
        Some(version) => format!("the default of dockerd {version} is {default}"),
        None => format!("the default is {default}"),
    }
}

fn source_of_effective(key: &str) -> &'static str {
    row(key).map_or("/info", Row::place)
}

/// A value for people to read, secrets masked.
pub(super) fn shown(key: &str, value: &Value) -> String {
    mask_value(key, value).to_string()
}
