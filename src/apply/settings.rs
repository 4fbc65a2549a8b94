//! What the executor may be told.

use std::time::Duration;

/// The folder with journals and backups.
pub const STATE: &str = "/var/lib/seaworthy";

/// Settings of the executor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long one activation may take, and how long the services may take to become healthy.
    pub deadline: Duration,
    /// How long the services must stay up after dockerd was restarted before anything is committed;
    /// none when zero.
    pub settle: Duration,
    /// The folder with journals and backups, as the host sees it.
    pub state: String,
    /// A deliberate error, so that the crash tests can show that they would find it.
    #[doc(hidden)]
    pub mutation: Mutation,
}

impl Settings {
    /// The deadline of an undo: whoever has little patience with a new configuration still wants
    /// the old one back, and a daemon on a busy host needs its time for that.
    pub(super) fn undo_deadline(&self) -> Duration {
        self.deadline.max(Self::default().deadline)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(120),
            settle: Duration::from_secs(30),
            state: STATE.to_owned(),
            mutation: Mutation::None,
        }
    }
}

/// Ways to be wrong. Each breaks one promise of the protocol, and a test asserts that the modelled
/// crashes catch it; nothing but tests sets one.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// The executor as it is.
    None,
    /// `intent` is written after the step that it announces.
    LateIntent,
    /// `begin` is only written together with `commit`.
    NoBegin,
    /// `rolled-back` is written before the services are restarted.
    EarlyRolledBack,
    /// A new file is not brought to the disk before it takes its name.
    NoFileSync,
    /// Names are not brought to the disk after a change.
    NoFolderSync,
    /// The undo leaves the kernel's audit rules as the load left them.
    ForgetKernel,
    /// The undo switches live-restore off by a restart.
    NoLiveRestoreStep,
    /// What activations write is not put back.
    ForgetDerived,
    /// A restored file is not announced before it is restored.
    NoUndoingRecord,
    /// The undo of a rollback that containers outlive restarts the daemon while live-restore is off.
    StayOff,
}
