//! The doors to a host.
//!
//! [`ReadHost`] is all that `collect` and therefore `audit` and `plan` can reach: it cannot change
//! anything. [`Host`] adds the few things that change a host; only `apply` takes one. The
//! operations are as small as the kernel's own, so that a modelled host in the tests can lose
//! power between any two of them.

mod answers;
mod audit;
mod change;
mod commands;
mod docker;
mod error;
mod health;
pub mod linux;
mod lock;
mod look;
mod named;
mod patience;
pub(crate) mod services;
mod syslog;
mod timer;
mod tree;
mod validate;

pub use error::HostError;
pub use linux::LinuxHost;
pub use lock::{Lock, lock, lock_holder};
pub use named::{read_named, read_regular};
pub use patience::Patience;
pub use syslog::{LogEntry, MESSAGE_ID};

use crate::change::{Activation, Expectation};
use crate::facts::{Attributes, Bytes, Cause, Hidden, Look, Node, Usage};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// What a program that only reports printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The raw answers of the Docker API, as JSON: a new value in a newer daemon must not cost us the
/// rest of the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DockerAnswers {
    /// `GET /version`.
    pub version: Value,
    /// `GET /info`.
    pub info: Value,
    /// `GET /networks`.
    pub networks: Value,
    /// `GET /containers/ID/json` of each container that `GET /containers/json?all=1` lists, as far as
    /// there was an answer.
    pub containers: Vec<Value>,
    /// `GET /images/json`.
    pub images: Value,
    /// `GET /volumes`.
    pub volumes: Value,
    /// What was asked for, and why it is not here.
    pub hidden: Vec<Hidden>,
}

/// What the daemon thinks of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It would read it.
    Accepted,
    /// It would not start; in its own words.
    Refused(String),
    /// It could not be asked, and why.
    NotChecked(String),
}

/// The first moment of 9999-12-29, in microseconds since 1970: what is to come within a day after it
/// is still a date.
const LATEST: i64 = 253_402_041_600_000_000;

/// What a clock says, as [`ReadHost::now`] counts.
fn moment(clock: SystemTime) -> i64 {
    match clock.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).map_or(LATEST, |now| now.min(LATEST)),
        // Before 1970.
        Err(_) => 0,
    }
}

/// Reading a host. Nothing here changes anything, not even a timestamp (but atime).
pub trait ReadHost {
    /// Whether this is the running system: false for a mounted image or a folder, where nothing
    /// is run and no service is asked.
    fn is_live(&self) -> bool;

    /// Whether we are root there.
    fn is_root(&self) -> bool;

    /// What is at `path` (absolute, as the host sees it). Absence is an answer, not an error. The
    /// final component is not followed when it is a symbolic link.
    ///
    /// # Errors
    /// When it cannot be seen.
    fn node(&self, path: &str, look: Look) -> Result<Node, HostError>;

    /// Runs a program that only reports, with a clean environment. `program` is a plain name and
    /// is looked up in the system's own folders, or an absolute path.
    ///
    /// # Errors
    /// [`HostError::NotInstalled`] when there is no such program, others when it cannot be run
    /// or does not end in time. An exit status other than 0 is not an error here.
    fn report(&self, program: &str, arguments: &[&str]) -> Result<Output, HostError>;

    /// Where a program is in the system's own folders, not following a final symbolic link.
    fn program(&self, name: &str) -> Option<String>;

    /// How many bytes a file system that a folder is on still has for us; `None` when that is not
    /// known.
    fn room(&self, folder: &str) -> Option<u64> {
        let _ = folder;
        None
    }

    /// How many bytes a file that we write may have (`RLIMIT_FSIZE`, setrlimit(2)); `None` when there
    /// is no limit.
    fn largest_file(&self) -> Option<u64> {
        None
    }

    /// Whether this process may have so many bytes of memory more (`RLIMIT_AS`, `RLIMIT_DATA`,
    /// setrlimit(2)).
    fn has_memory(&self, bytes: usize) -> bool {
        let _ = bytes;
        true
    }

    /// A look at the whole host begins, or ends: meanwhile all questions, to programs and to the
    /// daemon, have one deadline together ([`Patience::all`]) besides that of each.
    fn look_begins(&self) {}

    /// See [`Self::look_begins`].
    fn look_ends(&self) {}

    /// Asks the Docker daemon on a unix socket for everything we read from it. What it does not
    /// answer in time, or not in a way that can be read, is named in [`DockerAnswers::hidden`].
    ///
    /// # Errors
    /// When nobody answers there, or the daemon does not say who it is and how it is set.
    fn docker(&self, socket: &str) -> Result<DockerAnswers, HostError>;

    /// Asks the Docker daemon what its images, containers and volumes take on the disk. It walks
    /// through all volumes for the answer, so this takes long and is asked only where it counts.
    ///
    /// # Errors
    /// When there is no answer in time, or none with sizes.
    fn docker_usage(&self, socket: &str) -> Result<Usage, HostError> {
        Err(HostError::Docker {
            socket: socket.to_owned(),
            reason: "no daemon is asked here".to_owned(),
            cause: Cause::NotAsked,
        })
    }

    /// Asks the daemon's own program whether it would start with this daemon.json, without
    /// starting it and without a trace on the host. `command` is the command line of its unit, the
    /// program first.
    ///
    /// # Errors
    /// When the program cannot be run.
    fn validate_daemon_json(&self, text: &str, command: &[String]) -> Result<Verdict, HostError> {
        let _ = (text, command);
        Ok(Verdict::NotChecked("nothing is run here".to_owned()))
    }

    /// Whether this host can roll back by itself: whether a timer of systemd can run `program`, now
    /// and after a boot.
    ///
    /// # Errors
    /// Why not.
    fn can_arm(&self, program: &str) -> Result<(), HostError> {
        Err(HostError::Refused {
            path: program.to_owned(),
            reason: "nothing on this host would run it in time".to_owned(),
        })
    }

    /// The time now, in microseconds since 1970: what the clock says, between 1970 and the last days
    /// of the year 9999, beyond which no date can be written (RFC 3339) and no name sorts.
    fn now(&self) -> i64 {
        moment(SystemTime::now())
    }

    /// When something happened, in microseconds since 1970, of which systemd says that it happened
    /// `monotonic` microseconds after boot (`CLOCK_MONOTONIC`). 0 where that is not known, as on
    /// hosts that do not run.
    fn wall_clock(&self, monotonic: u64) -> i64 {
        let _ = monotonic;
        0
    }

    /// When something happened, in microseconds since 1970, of which the kernel says that it happened
    /// `since_boot` microseconds after boot, time asleep included (`CLOCK_BOOTTIME`). 0 where that is not
    /// known, as on hosts that do not run.
    fn since_boot(&self, since_boot: u64) -> i64 {
        let _ = since_boot;
        0
    }
}

/// Changing a host. Each operation is one step that a crash may precede or follow; none of them is
/// durable before the matching `sync`.
///
/// Paths are absolute as the host sees them. No operation follows a symbolic link in the final
/// component, and all refuse parents that somebody but root could have put there.
pub trait Host: ReadHost {
    /// Makes a new file that must not exist yet, with its content and attributes.
    fn create(
        &mut self,
        path: &str,
        content: &Bytes,
        attributes: &Attributes,
    ) -> Result<(), HostError>;

    /// Adds bytes to the end of an existing file.
    fn append(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError>;

    /// Renames a file over another one in the same folder, atomically.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), HostError>;

    /// Removes a file.
    fn remove(&mut self, path: &str) -> Result<(), HostError>;

    /// Makes a folder that must not exist yet.
    fn make_folder(&mut self, path: &str, attributes: &Attributes) -> Result<(), HostError>;

    /// Removes a folder, which must be empty.
    fn remove_folder(&mut self, path: &str) -> Result<(), HostError>;

    /// Sets mode, owner, group and extended attributes.
    fn set_attributes(&mut self, path: &str, attributes: &Attributes) -> Result<(), HostError>;

    /// Brings a file's content and attributes to the disk (fsync(2)).
    fn sync(&mut self, path: &str) -> Result<(), HostError>;

    /// Brings the names in a folder to the disk.
    fn sync_folder(&mut self, path: &str) -> Result<(), HostError>;

    /// Tells a service to take notice, and waits until it has or `deadline` has passed. Does
    /// nothing where the host is not live.
    fn activate(&mut self, activation: Activation, deadline: Duration) -> Result<(), HostError>;

    /// Adds a rule to the kernel, or takes one out again: `auditctl` with these words.
    fn audit_rule(&mut self, words: &[String]) -> Result<(), HostError>;

    /// Waits until the services are as expected, at most `deadline`, and no longer when
    /// `interrupted` says so.
    ///
    /// # Errors
    /// The sentences that are still not true then. An empty list is never an error.
    fn healthy(
        &mut self,
        expected: &Expectation,
        deadline: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Vec<String>>;

    /// Looks for this long whether the services stay up, and are the same processes in the end, and
    /// then, at most `deadline`, whether all is as expected. Ends early, and without an error, when
    /// `interrupted` says so.
    ///
    /// # Errors
    /// What did not last.
    fn steady(
        &mut self,
        expected: &Expectation,
        time: Duration,
        deadline: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Vec<String>>;

    /// Starts a container by its name; nothing happens to one that runs. Returns whether it had to
    /// be started.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    fn start_container(&mut self, name: &str, deadline: Duration) -> Result<bool, HostError>;

    /// The last lines of a service's own log, oldest first; empty when there are none.
    fn service_log(&self, unit: &str, since_seconds: u64) -> Vec<String>;

    /// Has something outside of this process run `program` with these arguments after this time,
    /// whatever becomes of us, until the next boot. Does nothing where that is already so for this
    /// transaction.
    ///
    /// # Errors
    /// When it is not certain that it will.
    fn arm(
        &mut self,
        id: &str,
        after: Duration,
        program: &str,
        arguments: &[String],
    ) -> Result<(), HostError> {
        let _ = (id, after, arguments);
        self.can_arm(program)
    }

    /// Takes [`Self::arm`] back. Safe to repeat.
    ///
    /// # Errors
    /// When it may still run; it finds nothing to do then.
    fn disarm(&mut self, id: &str) -> Result<(), HostError> {
        let _ = id;
        Ok(())
    }

    /// Leaves a message in the system log of a running host, if it takes one.
    fn log(&mut self, entry: &LogEntry) {
        let _ = entry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_any_year_is_a_date() {
        let day = Duration::from_secs(24 * 60 * 60);
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (clock, micros) in [
            (SystemTime::UNIX_EPOCH - day, 0),
            (SystemTime::UNIX_EPOCH - 36_525_000 * day, 0),
            (at(0), 0),
            (at(1_795_342_530), 1_795_342_530_000_000),
            (at(253_402_300_799), LATEST),
            (at(253_402_300_800), LATEST),
            (at(1 << 50), LATEST),
        ] {
            assert_eq!(moment(clock), micros);
        }
        let last = jiff::Timestamp::from_microsecond(LATEST).unwrap();
        assert_eq!(last.to_string(), "9999-12-29T00:00:00Z");
        assert!(last.checked_add(day).is_ok());
    }
}
