//! Whether the docker client of everybody who logs in asks for signed images.
//!
//! `/etc/environment` is read by pam_env(8) at login, by cron on Debian, and by `systemd --user`.
//! The client honours `DOCKER_CONTENT_TRUST` up to version 28; from 29 on it ignores the variable
//! (Docker CLI release notes, 29.0), so that setting it would be a false assurance.

use crate::change::Edit;
use crate::checks::{Evidence, Judgement, Outcome};
use crate::facts::{Facts, Kind, Look, Reading, Requests, Seen};
use crate::formats::environment;

const FILE: &str = "/etc/environment";
const NAME: &str = "DOCKER_CONTENT_TRUST";
/// The first client version that ignores the variable.
const REMOVED_IN: u32 = 29;

pub(super) fn requests() -> Requests {
    Requests::from([(FILE.to_owned(), Look::Content)])
}

pub(super) fn judge(facts: &Facts) -> Judgement {
    match &facts.docker_client {
        Seen::Known(None) => {
            return Judgement::not_applicable("there is no docker client on this host", "docker");
        }
        Seen::Known(Some(version))
            if crate::facts::major(version).is_some_and(|major| major >= REMOVED_IN) =>
        {
            return Judgement::not_applicable(
                format!(
                    "the docker client {version} no longer reads {NAME} (since {REMOVED_IN}.0)"
                ),
                "docker --version",
            );
        }
        // A client that could not be asked may well read it: judge by the file.
        Seen::Known(Some(_)) | Seen::Unseen(_) => {}
    }
    let wanted = format!("{NAME}=1");
    let unknown =
        |why: String| Judgement::new(Outcome::Unknown, Evidence::new(why, wanted.clone(), FILE));
    let node = match facts.node(FILE) {
        Seen::Unseen(unseen) => {
            return Judgement::new(
                Outcome::Unknown,
                Evidence::new(unseen.unseen, wanted, FILE).hint(unseen.hint),
            );
        }
        Seen::Known(node) => node,
    };
    let text = match (node.kind, facts.reading(FILE)) {
        (Kind::Absent, _) => "".into(),
        (Kind::File, Reading::Text(text)) => text,
        (_, Reading::Unread(unseen)) => return unknown(unseen.unseen),
        _ => return unknown("it is not a regular file".to_owned()),
    };
    let text = text.as_ref();
    let found = environment::value(text, NAME);
    let evidence = match &found {
        Some(assignment) => Evidence::new(
            format!("{NAME}={}", assignment.value.escape_debug()),
            &wanted,
            format!("{FILE}:{}", assignment.line),
        ),
        None => Evidence::new(format!("{NAME} is not set"), &wanted, FILE),
    };
    if found.is_some_and(|assignment| assignment.value == "1") {
        return Judgement::new(Outcome::Pass, evidence);
    }
    if let Some(reason) = &node.fixed {
        return Judgement::blocked(
            vec![evidence],
            format!("{FILE}: {reason}"),
            format!("lsattr {FILE}; findmnt -T {FILE}"),
        );
    }
    Judgement::fail(
        vec![evidence],
        vec![Edit::EnvironmentVariable {
            path: FILE.to_owned(),
            name: NAME.to_owned(),
            value: "1".to_owned(),
        }],
    )
}
