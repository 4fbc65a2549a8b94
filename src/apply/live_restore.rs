//! Switching live-restore off without losing a container.
//!
//! A daemon that has it on leaves containers running when it stops; the next one, which has it
//! off, kills what it finds, and only some restart policies bring those back. So it is
//! switched off in the running daemon first: an explicit `false` in the file, a reload, and a look.

use super::outcome::Event;
use super::run::{Failure, Run};
use crate::change::{Activation, Expectation};
use serde_json::Value;
use std::time::Duration;

/// How long a running daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Run<'_> {
    /// Has the daemon reload its file with the explicit `false`, and verifies that it did: a reload
    /// that fails is only logged. A daemon that does not run needs nothing.
    pub(super) fn reload_live_restore_off(&mut self, undo: bool) -> Result<(), Failure> {
        let runs = Expectation {
            docker_runs: true,
            ..Expectation::default()
        };
        // Asked twice: to take a running daemon for a stopped one would cost its containers.
        let patience = self.settings.deadline.min(PATIENCE);
        let never = || false;
        if self.host.healthy(&runs, patience, &never).is_err()
            && self.host.healthy(&runs, patience, &never).is_err()
        {
            return Ok(());
        }
        self.activate(Activation::ReloadDocker, undo)?;
        self.say(Event::Checking);
        let off = Expectation {
            daemon: [("live-restore".to_owned(), Value::Bool(false))].into(),
            ..runs
        };
        self.host
            .healthy(&off, self.settings.deadline, &never)
            .map_err(Failure::Unhealthy)
    }
}
