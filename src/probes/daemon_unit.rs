//! Whether systemd would start docker.service again as its files stand.

use crate::checks::installation::Installation;
use crate::checks::{Evidence, Judgement, Layout, Outcome, unit_refusals};
use crate::facts::{Facts, Look, Requests};

const SERVICE: &str = "docker.service";

/// The files of the units, and the environment files.
pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    for name in [SERVICE, "docker.socket"] {
        let Some(unit) = facts.units.get(name) else {
            continue;
        };
        let paths = std::iter::once(&unit.fragment)
            .chain(&unit.drop_ins)
            .chain(&unit.environment_files)
            .filter(|path| path.starts_with('/'));
        for path in paths {
            requests.insert(path.clone(), Look::Content);
            requests.insert(facts.resolved(path), Look::Content);
        }
    }
    requests
}

pub(super) fn judge(layout: &Layout<'_>) -> Judgement {
    if layout.installation != Installation::Systemd {
        return Judgement::not_applicable(
            "no docker.service of systemd starts the daemon",
            SERVICE,
        );
    }
    let fragment = layout
        .paths(&crate::checks::Place::DockerService)
        .into_iter()
        .next()
        .unwrap_or_else(|| SERVICE.to_owned());
    let refusals = unit_refusals(layout.facts());
    let Some(first) = refusals.first() else {
        return Judgement::new(
            Outcome::Pass,
            Evidence::new("systemd reads it and has nothing to object", "", fragment),
        );
    };
    let (reason, cure) = (first.reason.clone(), first.cure.clone());
    let evidence = refusals
        .into_iter()
        .map(|it| Evidence::new(it.reason, it.wanted, it.source))
        .collect();
    Judgement::blocked(
        evidence,
        format!("{reason}; what it was meant to say is for its author to decide"),
        cure,
    )
}
