//! Commit-confirm: a committed transaction that is taken back unless somebody confirms it.
//!
//! Two things outside of this process see to that, both there before the first change:
//!
//! * a timer of systemd that runs `rollback --yes --unconfirmed ID`; it is gone with a boot;
//! * for a boot, a service that runs `rollback --yes --unconfirmed`. Its files are steps of the
//!   transaction, so an undo takes them away like everything else. A unit is usually enabled by a
//!   symbolic link, which is no state that we know how to restore; `Wants=` in a drop-in of
//!   multi-user.target is by systemd.unit(5) the same, and is a plain file.
//!
//! Neither decides anything: [`due`] asks the journal. So a timer or a file that is left behind,
//! by a crash between `confirmed` and its removal, does no harm and is swept later. systemd is not
//! told to read its units again: a boot reads them anyway, and until then nothing shall start it.

use super::boot::boot_id;
use super::error::{ApplyError, JournalError};
use super::history::{self, step};
use super::journal::{End, Entry, Journal, Log};
use super::outcome::Outcome;
use super::perform::{is, perform};
use super::settings::Settings;
use super::store::Store;
use super::transaction::{Step, Transaction};
use crate::change::{Action, State};
use crate::facts::{Attributes, Look, Mode};
use crate::host::{Host, HostError, LogEntry, ReadHost};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

const FOLDER: &str = "/etc/systemd/system/multi-user.target.d";
const DROP_IN: &str = "/etc/systemd/system/multi-user.target.d/50-seaworthy-confirm.conf";
const SERVICE: &str = "/etc/systemd/system/seaworthy-confirm.service";

/// That a transaction wants to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Seconds from its commit.
    pub within: u64,
    /// The absolute path of the program that takes it back otherwise.
    pub program: String,
    /// Seconds that a service may take for that.
    #[serde(default = "default_deadline")]
    pub deadline: u64,
}

fn default_deadline() -> u64 {
    Settings::default().deadline.as_secs()
}

impl Confirmation {
    /// [`Self::within`] as a length of time.
    pub(super) fn time(&self) -> Duration {
        Duration::from_secs(self.within)
    }

    /// The words after the program's name that take back what is overdue.
    pub fn arguments(&self, id: Option<&str>) -> Vec<String> {
        let mut words = vec![
            "rollback".to_owned(),
            "--yes".to_owned(),
            format!("--deadline={}", self.deadline),
            "--unconfirmed".to_owned(),
        ];
        words.extend(id.map(str::to_owned));
        words
    }
}

/// Starts the timer, unless it runs.
pub(super) fn arm(
    host: &mut dyn Host,
    id: &str,
    confirmation: &Confirmation,
) -> Result<(), HostError> {
    let arguments = confirmation.arguments(Some(id));
    host.arm(id, confirmation.time(), &confirmation.program, &arguments)
}

/// Whether a path is one of the files that roll back at a boot.
pub(super) fn is_guard(path: &str) -> bool {
    [FOLDER, DROP_IN, SERVICE].contains(&path)
}

/// The same transaction, to be confirmed: what rolls back at a boot comes first, so that it is
/// there while everything else is changed.
///
/// # Errors
/// When this host cannot roll back by itself.
pub fn guarded(
    host: &dyn ReadHost,
    mut transaction: Transaction,
    confirmation: Confirmation,
) -> Result<Transaction, ApplyError> {
    host.can_arm(&confirmation.program)
        .map_err(|source| ApplyError::Unguarded { source })?;
    let attributes = |mode| Attributes {
        mode: Mode(mode),
        ..Attributes::default()
    };
    let file = |text: &str| State::File {
        attributes: attributes(0o644),
        content: text.into(),
    };
    let folder = State::Folder {
        attributes: attributes(0o755),
    };
    let drop_in = file(
        "# Written by seaworthy; gone with `seaworthy confirm`.\n\
         [Unit]\nWants=seaworthy-confirm.service\n",
    );
    let mut steps = Vec::new();
    for (path, after, what) in [
        (SERVICE, file(&unit(&confirmation)), "create"),
        (FOLDER, folder, "make the folder"),
        (DROP_IN, drop_in, "create"),
    ] {
        let node = host.node(path, Look::Content)?;
        let before = State::of(&node).ok_or_else(|| HostError::Refused {
            path: path.to_owned(),
            reason: "it is neither a file, a folder nor absent".to_owned(),
        })?;
        if path == FOLDER && matches!(before, State::Folder { .. }) {
            continue;
        }
        steps.push(Step {
            action: Action {
                path: path.to_owned(),
                before,
                after,
            },
            controls: Vec::new(),
            what: format!("{what} {path}: takes this back at a boot before it is confirmed"),
        });
    }
    steps.append(&mut transaction.steps);
    transaction.steps = steps;
    transaction.confirm = Some(confirmation);
    Ok(transaction)
}

fn unit(confirmation: &Confirmation) -> String {
    let program = &confirmation.program;
    let arguments = confirmation.arguments(None).join(" ");
    format!(
        "# Written by seaworthy; gone with `seaworthy confirm`.\n\
         [Unit]\n\
         Description=Roll back what was not confirmed before this boot\n\
         After=docker.service auditd.service\n\
         RequiresMountsFor=/var/lib/seaworthy\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart={program} {arguments}\n"
    )
}

/// A transaction that waits to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaiting {
    /// Which.
    pub id: String,
    /// Microseconds until it is taken back; 0 when that is due.
    pub left: i64,
    /// Whether the host was booted since it began.
    pub rebooted: bool,
}

/// The transaction that waits to be confirmed, if there is one.
///
/// # Errors
/// When a journal cannot be read or is damaged.
pub fn awaiting(
    host: &dyn ReadHost,
    settings: &Settings,
) -> Result<Option<Awaiting>, JournalError> {
    Ok(awaiting_among(host, &history::logs(host, settings)?))
}

/// The same among these, oldest first.
pub(super) fn awaiting_among(host: &dyn ReadHost, logs: &[Log]) -> Option<Awaiting> {
    // One that was ever taken back is settled, also when that was taken back in turn: somebody
    // has decided by hand then.
    let mut reverted = BTreeSet::new();
    for log in logs.iter().rev() {
        let id = &log.begin.id;
        if log.end != Some(End::Committed) {
            continue;
        }
        if let Some(until) = awaits(log).filter(|_| !reverted.contains(id)) {
            return Some(Awaiting {
                id: id.clone(),
                left: left(host, log, until),
                // The one that finished it, perhaps: the timer was armed again then.
                rebooted: log.confirm_boot.as_ref().or(log.begin.boot.as_ref())
                    != boot_id(host).as_ref(),
            });
        }
        reverted.extend(log.begin.reverts.clone());
    }
    None
}

/// Until when a committed transaction waits, going by its own journal alone.
pub(super) fn awaits(log: &Log) -> Option<i64> {
    log.begin.confirm.as_ref()?;
    // The record is written before `commit`.
    log.confirm_until.filter(|_| !log.confirmed)
}

/// The time that is left: never more than was asked for, whatever the clock was set to since.
fn left(host: &dyn ReadHost, log: &Log, until: i64) -> i64 {
    let within = log.begin.confirm.as_ref().map_or(0, |c| c.within);
    (until - host.now()).clamp(0, micros(within))
}

pub(super) fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000)
}

/// What is to be done about transactions that nobody has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// Ask again after so many microseconds.
    Later {
        /// What waits.
        id: String,
        /// How long.
        micros: i64,
    },
    /// This one was interrupted: recover it, then ask again.
    Recover(String),
    /// Take this one back.
    RollBack(String),
}

/// What whoever rolls back unattended has to do: the timer, for the transaction that it names,
/// and a boot, for any.
///
/// # Errors
/// When a journal cannot be read or is damaged.
pub fn due(
    host: &dyn ReadHost,
    settings: &Settings,
    id: Option<&str>,
) -> Result<Due, JournalError> {
    let logs = history::logs(host, settings)?;
    let waiting = awaiting_among(host, &logs);
    if let Some(log) = logs.iter().rev().find(|log| log.end.is_none()) {
        let unfinished = log.begin.id.clone();
        // The lock is ours, so its process is gone: nobody will come to confirm it.
        let guarded = log.begin.confirm.is_some() && id.is_none_or(|id| id == unfinished);
        let rollback = log.begin.reverts.is_some()
            && log.begin.reverts == waiting.as_ref().map(|waiting| waiting.id.clone());
        return Ok(if guarded || rollback {
            Due::Recover(unfinished)
        } else {
            Due::Nothing
        });
    }
    Ok(match waiting {
        Some(waiting) if id.is_none_or(|id| id == waiting.id) => {
            if waiting.left == 0 || waiting.rebooted {
                Due::RollBack(waiting.id)
            } else {
                // The boot's, too: where a boot id outlives the timer, as in a container or over
                // a soft-reboot, nobody else waits.
                Due::Later {
                    id: waiting.id,
                    micros: waiting.left,
                }
            }
        }
        _ => Due::Nothing,
    })
}

/// Makes the transaction that waits permanent. From the record on nothing takes it back by itself;
/// what would have done so is removed after that. Returns sentences about what is left of it.
///
/// # Errors
/// When no such transaction waits, or the record cannot be written: it is not confirmed then.
pub fn confirm(
    host: &mut dyn Host,
    settings: &Settings,
    id: &str,
    by: &str,
) -> Result<Vec<String>, ApplyError> {
    let store = Store::new(&settings.state);
    if awaiting(host, settings)?.is_none_or(|waiting| waiting.id != id) {
        return Err(ApplyError::NotAwaiting { id: id.to_owned() });
    }
    let mut journal = Journal::open(host, &store, id)?;
    journal.write(host, &Entry::Confirmed { by: by.to_owned() })?;
    host.log(&LogEntry {
        message: format!("transaction {id} is confirmed"),
        is_warning: false,
        transaction: id.to_owned(),
        outcome: "confirmed",
        controls: journal.log().begin.controls.clone(),
        reverts: None,
        by: by.to_owned(),
    });
    Ok(settle(host, settings, id))
}

/// Removes what crashes have left of transactions that wait no longer.
///
/// # Errors
/// When a journal cannot be read or is damaged.
pub fn sweep(host: &mut dyn Host, settings: &Settings) -> Result<Vec<String>, JournalError> {
    let logs = history::logs(host, settings)?;
    if awaiting_among(host, &logs).is_some() || logs.iter().any(|log| log.end.is_none()) {
        return Ok(Vec::new());
    }
    let over = |log: &&Log| log.begin.confirm.is_some() && log.end == Some(End::Committed);
    Ok(match logs.iter().rev().find(over) {
        Some(log) => settle(host, settings, &log.begin.id),
        None => Vec::new(),
    })
}

/// Stops the timer and puts the place of the boot service back. Nothing depends on it any more, so
/// failures are only told.
pub(super) fn settle(host: &mut dyn Host, settings: &Settings, id: &str) -> Vec<String> {
    let mut left = disarm(host, id);
    let store = Store::new(&settings.state);
    let log = match Journal::read(host, &store, id) {
        Ok(log) => log,
        Err(error) => {
            left.push(error.to_string());
            return left;
        }
    };
    let ours = |record: &&super::StepRecord| is_guard(&record.action.path);
    for record in log.begin.steps.iter().filter(ours).rev() {
        if let Err(error) = put_back(host, settings, &store, id, record) {
            left.push(format!("{} is left: {error}", record.action.path));
        }
    }
    left
}

fn put_back(
    host: &mut dyn Host,
    settings: &Settings,
    store: &Store,
    id: &str,
    record: &super::StepRecord,
) -> Result<(), JournalError> {
    let action = step(host, store, record)?.action;
    // Whoever edited it meanwhile wants it.
    if is(host, &action.path, &action.after)? {
        perform(host, id, &action.inverse(), settings.mutation)?;
    }
    Ok(())
}

/// After a transaction: a guard that is no longer needed goes.
pub(super) fn after(
    host: &mut dyn Host,
    settings: &Settings,
    id: &str,
    guarded: bool,
    taken_back: Option<&str>,
    outcome: &Outcome,
) -> Vec<String> {
    if *outcome == Outcome::Committed {
        return taken_back.map_or_else(Vec::new, |id| settle(host, settings, id));
    }
    // Its files were steps, and are taken back as such. Where that is not certain the timer is to
    // look again.
    let back = matches!(outcome, Outcome::RolledBack { .. });
    if guarded && back {
        disarm(host, id)
    } else {
        Vec::new()
    }
}

/// Stops the timer, or says that it runs on.
fn disarm(host: &mut dyn Host, id: &str) -> Vec<String> {
    let stopped = host.disarm(id);
    let left = stopped
        .err()
        .map(|error| format!("the timer runs on and will find nothing to do: {error}"));
    left.into_iter().collect()
}
