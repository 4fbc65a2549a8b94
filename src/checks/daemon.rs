//! Whether the daemon runs.

use super::installation::Installation;
use super::{Evidence, Judgement, Layout, Outcome};
use crate::facts::{Cause, Facts, Seen, UnitState};

/// Whether the daemon runs, as far as that is known. Where it may run, what its files say is not what it
/// does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// It runs and says what it does.
    Answers,
    /// It does not run: in an image, or as its manager says, or as nothing of it is there.
    Down,
    /// It may run, and did not say what it does.
    Unclear,
}

impl Daemon {
    /// What the facts show.
    pub fn of(facts: &Facts) -> Self {
        let unseen = match &facts.docker {
            Seen::Known(_) => return Self::Answers,
            Seen::Unseen(unseen) => unseen,
        };
        let layout = Layout::of(facts);
        // A user's own daemon is not asked unless it is named: its socket is there while it runs.
        let is_users_own = matches!(layout.installation, Installation::Rootless(_))
            && facts.host.live
            && layout
                .api_socket()
                .is_some_and(|socket: String| facts.exists(&socket));
        let is_said_down = || {
            let service = facts.units.get(layout.installation.service());
            !facts.host.live || service.is_some_and(UnitState::is_down)
        };
        let is_down = was_seen_down(facts) || unseen.cause == Cause::Unsaid && is_said_down();
        if is_down && !is_users_own {
            Self::Down
        } else {
            Self::Unclear
        }
    }

    /// Unknown, as only the running daemon can say it and did not: what its files say, and why it did
    /// not.
    pub(super) fn unsaid(
        configured: Evidence,
        why: String,
        source: &str,
        hint: String,
    ) -> Judgement {
        Judgement {
            outcome: Outcome::Unknown,
            evidence: vec![
                configured,
                Evidence::new(why, "its own word", source).hint(hint),
            ],
            ..Judgement::default()
        }
    }
}

/// That no daemon runs was seen. It is all that can be asked before the [`Layout`] is known: a part of
/// [`Daemon::Down`].
pub(super) fn was_seen_down(facts: &Facts) -> bool {
    matches!(&facts.docker, Seen::Unseen(unseen) if unseen.cause == Cause::NotRunning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Docker, HostIdentity, Unseen};

    #[test]
    fn only_what_says_that_it_does_not_run_makes_it_down() {
        let facts = |live: bool, active: &str, docker: Seen<Docker>| {
            let unit = UnitState {
                active: active.to_owned(),
                ..UnitState::default()
            };
            Facts {
                host: HostIdentity {
                    live,
                    ..HostIdentity::default()
                },
                units: [("docker.service".to_owned(), unit)].into(),
                docker,
                ..Facts::default()
            }
        };
        let unseen = |cause| Seen::Unseen(Unseen::new("it was not seen", "").because(cause));
        assert_eq!(
            Daemon::of(&facts(true, "inactive", Seen::Known(Docker::default()))),
            Daemon::Answers
        );
        for cause in [
            Cause::NotThere,
            Cause::Refused,
            Cause::NotPermitted,
            Cause::NoAnswer,
            Cause::TooBig,
            Cause::BadAnswer,
            Cause::NotAsked,
        ] {
            for active in ["", "active", "inactive", "unknown"] {
                let found = Daemon::of(&facts(true, active, unseen(cause)));
                assert_eq!(found, Daemon::Unclear, "{cause:?} {active}");
            }
        }
        for (live, active, cause, expected) in [
            (true, "", Cause::NotRunning, Daemon::Down),
            (false, "", Cause::NotRunning, Daemon::Down),
            (false, "", Cause::Unsaid, Daemon::Down),
            (true, "inactive", Cause::Unsaid, Daemon::Down),
            (true, "failed", Cause::Unsaid, Daemon::Down),
            (true, "active", Cause::Unsaid, Daemon::Unclear),
            (true, "unknown", Cause::Unsaid, Daemon::Unclear),
            (true, "", Cause::Unsaid, Daemon::Unclear),
        ] {
            let found = Daemon::of(&facts(live, active, unseen(cause)));
            assert_eq!(found, expected, "{live} {active} {cause:?}");
        }
    }
}
