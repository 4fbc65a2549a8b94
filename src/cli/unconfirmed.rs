//! `seaworthy rollback --yes --unconfirmed [ID]`: what the timer runs, and a boot. Nobody watches,
//! so it waits where others would refuse, and reads nothing that it can do without.

use super::apply::{execute, refuse_ordinary_users, settings, take_lock, watched};
use super::arguments::{Global, RollbackVerb};
use super::confirm::tell;
use super::context::Context;
use super::failure::Failure;
use super::result::status;
use super::rollback::{planned, tell_left};
use super::{Done, OK, ROLLED_BACK, print};
use crate::apply::{self, Applied, Due, Outcome, Rollback};
use crate::host::{HostError, Lock};
use crate::render::clean;
use std::time::{Duration, Instant};

/// How often a rollback that failed is tried.
const TRIES: u32 = 3;

/// How often it is looked whether somebody has confirmed meanwhile, or the lock is free.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) fn run(global: &Global, verb: &RollbackVerb) -> Done {
    if global.root.is_some() {
        return Err(Failure::plain(
            "`--unconfirmed` is about the running host",
            "sudo seaworthy rollback --help",
        ));
    }
    let mut context = Context::unattended(global)?;
    refuse_ordinary_users(&context, "rollback")?;
    let settings = settings(&context);
    // By a clock that nobody sets: the time that is left must pass once only.
    let mut ends = None;
    let mut tries = 0;
    loop {
        let lock = wait_for_lock(&context)?;
        let due = apply::due(&context.host, &settings, verb.id.as_deref());
        let due = match due.map_err(|error| context.journal_failure(error))? {
            Due::Later { id, micros }
                if Instant::now() >= *ends.get_or_insert_with(|| Instant::now() + left(micros)) =>
            {
                Due::RollBack(id)
            }
            due => due,
        };
        match due {
            Due::Nothing => {
                let left = apply::sweep(&mut context.host, &settings)
                    .map_err(|error| context.journal_failure(error))?;
                tell(&left);
                print::note("Nothing to roll back: no transaction is overdue.");
                return Ok(OK);
            }
            Due::Later { micros, .. } => {
                drop(lock);
                let left = left(micros);
                std::thread::sleep(left.clamp(Duration::from_millis(100), PAUSE));
            }
            Due::Recover(id) => {
                let applied = watched(&mut context, |host, watcher| {
                    apply::recover(host, &id, &settings, watcher)
                })?;
                say(&applied);
                if matches!(applied.outcome, Outcome::Stuck { .. }) {
                    return Ok(status(&applied));
                }
            }
            Due::RollBack(id) => {
                let status = roll_back(&mut context, &id)?;
                tries += 1;
                // A daemon may need longer than it was given, or a container another start.
                if status != ROLLED_BACK || tries == TRIES {
                    return Ok(status);
                }
                drop(lock);
                std::thread::sleep(PAUSE);
            }
        }
    }
}

fn left(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Whoever holds the lock is at work for minutes at most, or asks somebody who may never answer:
/// what they would apply is refused anyway, so there is nothing to give up for.
fn wait_for_lock(context: &Context) -> Result<Lock, Failure> {
    loop {
        match take_lock(context) {
            Err(HostError::Locked { .. }) => std::thread::sleep(PAUSE),
            taken => return taken.map_err(|error| Failure::refused(error, "seaworthy history")),
        }
    }
}

/// What cannot be merged stays, whatever else there is to do: a host that may be out of reach is
/// better off with most of it back than with none.
fn roll_back(context: &mut Context, id: &str) -> Done {
    print::note(&format!(
        "Transaction {id} was not confirmed. What it changed is taken back."
    ));
    let Rollback {
        mut transaction,
        refused,
    } = planned(context, id, true)?;
    // Without facts it is taken back all the same: the executor looks for itself.
    if let Ok(facts) = context.facts_of_any_host() {
        transaction.fit_to_today(&facts);
    }
    let applied = execute(context, &transaction)?;
    say(&applied);
    Ok(tell_left(context, id, &refused, status(&applied)))
}

fn say(applied: &Applied) {
    for log in &applied.service_logs {
        for line in &log.lines {
            print::note(&format!("{}: {}", clean(&log.unit), clean(line)));
        }
    }
    tell(&applied.notes);
    if let Outcome::RolledBack { why } | Outcome::Stuck { why, .. } = &applied.outcome {
        print::note(&clean(why));
    }
}
