//! What shall be done, complete and as pure data. The executor decides nothing: it only does this,
//! or takes it back.

use super::confirm::{Confirmation, is_guard};
use crate::change::{Action, Activation, Expectation, State};
use crate::checks::GENERATED_RULES;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Everything the executor needs to know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transaction {
    /// Ids of the controls that are served.
    pub controls: Vec<String>,
    /// What is written, in this order.
    pub steps: Vec<Step>,
    /// What is told to services, in this order, once, after the steps.
    pub activations: Vec<Activation>,
    /// What the activations themselves write.
    pub derived: Vec<Derived>,
    /// What must be true afterwards.
    pub expect: Expectation,
    /// What must be true after an undo.
    pub expect_undone: Expectation,
    /// Set when this transaction switches live-restore on: the daemon's configuration with an
    /// explicit `"live-restore": false`.
    ///
    /// A daemon that has it on leaves containers running when it stops, and the next one, which has
    /// it off, kills them for good. So an undo first writes this content, has the daemon
    /// reload it, and only then restores the file and restarts the daemon.
    pub undo_live_restore: Option<Step>,
    /// The same for a transaction that switches live-restore off: done, reloaded and
    /// verified before everything else.
    pub live_restore_off: Option<Step>,
    /// Set when containers go on running over the restart of this transaction, although
    /// live-restore was off: the former configuration of the daemon with `"live-restore": true`. It
    /// is written, reloaded and verified before everything else, and an undo keeps the containers
    /// by the same content: it restarts the daemon on it, and switches live-restore off by
    /// [`Self::undo_live_restore`] and a reload after that.
    pub live_restore_on: Option<Step>,
    /// In a rollback whose restart containers outlive, as they have outlived the one of the original:
    /// what is written after the services were told. Until then daemon.json has its former content
    /// with `"live-restore": true`; the first of these makes that an explicit `false`, which is
    /// reloaded and verified, and the last puts the former content in place. Empty otherwise.
    pub afterwards: Vec<Step>,
    /// In a rollback: when the original began, in microseconds since 1970, if its restart was one
    /// that containers have outlived. Those that run since before then are as they were.
    pub kept_since: Option<i64>,
    /// Derived files that are put into a known state after the activations: in a rollback, where
    /// the activations would otherwise leave their own idea of the former content.
    pub settle: Vec<Settle>,
    /// In a rollback: what becomes of the kernel's audit rules after they were loaded.
    pub kernel: Option<KernelChange>,
    /// The transaction that this one takes back.
    pub reverts: Option<String>,
    /// The keys of daemon.json that a daemon which has run since before this transaction has not read
    /// after it; `None` where that is not known, or none of them was written.
    pub unread_keys: Option<BTreeSet<String>>,
    /// Why it is not effective yet although it is committed: "reboot" while auditing is locked.
    pub pending: Option<String>,
    /// Who asked for it, the user behind sudo included.
    pub by: String,
    /// The command line that asked for it.
    pub command: String,
    /// Version of seaworthy.
    pub tool: String,
    /// Sentences for whoever reads the outcome; they change nothing.
    pub notes: Vec<String>,
    /// How the daemon is started, when it must be asked about its new configuration before
    /// anything is changed.
    pub daemon: Option<DaemonStart>,
    /// Set when it is taken back unless it is confirmed; see [`super::guarded`].
    pub confirm: Option<Confirmation>,
}

/// How the daemon is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonStart {
    /// Its configuration file.
    pub config: String,
    /// The command line that its unit has once everything is written, the program first.
    pub command: Vec<String>,
    /// That is another one than now, so that the daemon must be asked even where its configuration file stays.
    pub command_changes: bool,
}

impl Transaction {
    /// The step that is made, reloaded and verified before all others that concern the host itself.
    pub fn prelude(&self) -> Option<&Step> {
        self.live_restore_off
            .as_ref()
            .or(self.live_restore_on.as_ref())
    }

    /// How many steps come before the prelude: what rolls back at a boot is there first.
    pub(super) fn guards(&self) -> usize {
        self.steps
            .iter()
            .take_while(|step| is_guard(&step.action.path))
            .count()
    }

    /// All steps in the order in which they are made.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let (guards, others) = self.steps.split_at(self.guards());
        guards
            .iter()
            .chain(self.prelude())
            .chain(others)
            .chain(&self.afterwards)
    }

    /// Whether there is nothing to write, nobody to tell, and nothing to put on record: a rollback
    /// that finds everything back in its place still says that the other one is not in effect.
    pub fn is_empty(&self) -> bool {
        self.all_steps().next().is_none() && self.activations.is_empty() && self.reverts.is_none()
    }
}

/// One change and why it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The change.
    pub action: Action,
    /// Ids of the controls that want it.
    pub controls: Vec<String>,
    /// The change as a person would say it.
    pub what: String,
}

/// Something that an activation writes by itself, and that therefore belongs to the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Derived {
    /// A file that is generated from others, such as `/etc/audit/audit.rules`.
    WholeFile {
        /// The file.
        path: String,
    },
    /// An account that a service makes for itself, such as `dockremap`. An undo takes its lines
    /// out of each file that had none before, and touches nothing else in these files.
    Account {
        /// passwd(5), group(5), shadow(5), gshadow(5), subuid(5), subgid(5).
        files: Vec<String>,
        /// The account's name.
        name: String,
    },
}

impl Derived {
    /// What augenrules writes when it is told to load the rules.
    pub(super) fn generated_rules() -> impl Iterator<Item = Self> {
        GENERATED_RULES.into_iter().map(|path| Self::WholeFile {
            path: path.to_owned(),
        })
    }
}

/// The state of a derived file after the activations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// The file.
    pub path: String,
    /// What shall be there.
    pub to: State,
}

/// A change of the kernel's audit rules, as `auditctl -l` prints them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelChange {
    /// Rules that go.
    pub remove: Vec<String>,
    /// Rules that come.
    pub add: Vec<String>,
}
