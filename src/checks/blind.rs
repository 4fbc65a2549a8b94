//! What a verdict rests on and could not be seen.
//!
//! A file of the unit that could not be read, a setting that is not followed, a socket unit with a name
//! that cannot be looked at: any of them may say something else than what was seen. Whatever passes, or
//! does not concern the host, only because nothing else is known is unknown then. What fails, fails.

use super::layout::Layout;
use super::{Check, Evidence, Judgement, Outcome, Place};
use crate::facts::{Facts, UnitState, Unread, Unseen};
use crate::formats::command_line;
use crate::probes::ProbeName;

/// What may say how the daemon is started, and is not known: of the unit that starts it.
pub(super) fn doubt(unit: &UnitState, is_wrapped: bool) -> Option<Unseen> {
    // The manager has told the command, without quotes: nothing in it is open but variables.
    let is_told = unit.origins.is_empty()
        && !unit.argv.is_empty()
        && !unit.active.is_empty()
        && !unit.needs_reload
        && !unit.argv.iter().any(|word| word.contains('$'));
    if let Some(unread) = unit.unread.first().filter(|_| !is_told) {
        return Some(in_words(unread));
    }
    if let Some(setting) = unit.unfollowed.first() {
        return Some(Unseen::new(
            setting.clone(),
            format!("systemctl cat {}", name_of(unit)),
        ));
    }
    let program = unit.argv.first()?;
    (!is_wrapped && !command_line::is_dockerd(program)).then(|| {
        Unseen::new(
            format!("it starts `{program}`"),
            format!("systemctl cat {}", name_of(unit)),
        )
    })
}

fn name_of(unit: &UnitState) -> &str {
    unit.fragment.rsplit('/').next().unwrap_or_default()
}

fn in_words(unread: &Unread) -> Unseen {
    Unseen::new(
        format!("{}: {}", unread.path, unread.why),
        unread.hint.clone(),
    )
}

impl Check {
    /// The same verdict where all that it rests on was seen; else no better than unknown.
    pub(super) fn doubted(&self, layout: &Layout<'_>, judgement: Judgement) -> Judgement {
        if !matches!(
            judgement.outcome,
            Outcome::Pass | Outcome::NotApplicable | Outcome::Manual
        ) {
            return judgement;
        }
        let Some(unseen) = self.blind_spot(layout) else {
            return judgement;
        };
        let wanted = "to be seen, as it may say something else";
        let mut evidence = vec![Evidence::new(unseen.unseen, wanted, "").hint(unseen.hint)];
        evidence.extend(judgement.evidence);
        Judgement {
            outcome: Outcome::Unknown,
            evidence,
            ..Judgement::default()
        }
    }

    fn blind_spot(&self, layout: &Layout<'_>) -> Option<Unseen> {
        let facts = layout.facts;
        let place = match self {
            Self::DaemonOption(_) => return layout.blind.clone(),
            Self::Probe(probe) => {
                return match probe.name {
                    ProbeName::ContentTrust => None,
                    ProbeName::DaemonJson => layout.blind.clone(),
                    ProbeName::DaemonUnit => unread_unit(facts, "docker.service"),
                    ProbeName::DaemonTls => layout.blind.clone().or_else(|| unread_sockets(facts)),
                };
            }
            Self::AuditWatch(check) => &check.place,
            Self::FileAccess(check) => &check.place,
        };
        match place {
            Place::Dockerd
            | Place::DataRoot
            | Place::DaemonJson
            | Place::ContainerdSocket
            | Place::TlsCa
            | Place::TlsCertificate
            | Place::TlsKey => layout.blind.clone(),
            Place::ApiSocket => layout.blind.clone().or_else(|| unread_sockets(facts)),
            Place::DockerService => unlisted(facts, "docker.service"),
            Place::DockerSocketUnit => unlisted(facts, "docker.socket"),
            Place::RegistryCertificates => layout.unlisted_certificates(),
            Place::Path(_) | Place::Program(_) | Place::ContainerdConfig => None,
        }
    }
}

fn unread_unit(facts: &Facts, name: &str) -> Option<Unseen> {
    facts.units.get(name)?.unread.first().map(in_words)
}

/// A socket unit that may be the daemon's and was not read.
fn unread_sockets(facts: &Facts) -> Option<Unseen> {
    facts
        .units
        .iter()
        .filter(|(name, _)| name.ends_with(".socket"))
        .find_map(|(_, unit)| unit.unread.first().map(in_words))
}

/// A file of a unit that cannot even be looked at, so that nobody knows who may write it.
fn unlisted(facts: &Facts, name: &str) -> Option<Unseen> {
    let unit = facts.units.get(name)?;
    let is_listed = |path: &String| {
        *path == unit.fragment
            || unit.drop_ins.contains(path)
            || unit.environment_files.contains(path)
    };
    let unread = unit.unread.iter().find(|it| !is_listed(&it.path))?;
    Some(in_words(unread))
}
