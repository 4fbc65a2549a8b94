//! The only code that changes a host: a journaled transaction that is either made as a whole or
//! taken back as a whole, whatever happens in between.
//!
//! * [`apply`] makes a [`Transaction`]: everything needed to take it back is on the disk before
//!   the first change, every change is announced in the journal before it is made, and `commit` is
//!   written only when the services are as expected.
//! * Any failure on the way, an interruption and a panic included, leads to the undo, which needs
//!   nothing but the journal and the backups. So [`recover`] after a crash is the same undo.
//! * [`inverse`] turns a committed transaction into the one that takes it back; that one is applied
//!   like any other and can be taken back too. [`rollback`] is the same on the host as it is now:
//!   what somebody edited since stays, by the rules of [`merge`](fn@merge).
//! * [`history`] and [`unfinished`] read the journals; [`prune`](fn@prune) removes what nobody needs.
//!
//! The folder below [`Settings::state`]:
//!
//! ```text
//! backups/SHA256            contents, named by their SHA-256; never changed, only added
//! transactions/ID/journal   one JSON record per line, see `journal`
//! ```

mod account;
mod boot;
mod by_hand;
mod confirm;
mod derived;
mod error;
mod execute;
mod forward;
mod from_plan;
mod history;
mod inverse;
mod journal;
mod kernel;
mod live_restore;
mod lost;
mod merge;
mod outcome;
mod outlive;
mod perform;
mod preflight;
mod prepare;
mod prune;
mod rollback;
mod run;
mod same;
mod settings;
mod store;
mod strays;
mod today;
mod transaction;
mod undo;
mod undo_services;

pub use confirm::{Awaiting, Confirmation, Due, awaiting, confirm, due, guarded, sweep};
pub use error::{ApplyError, JournalError, in_words};
pub use execute::{Remaining, apply, recover, remaining, resume};
pub use history::{
    Record, RecordOutcome, history, moment, next_id, stuck, unfinished, unread_keys,
};
pub use inverse::inverse;
pub use journal::{ActionRecord, StepRecord};
pub use merge::{Merged, Refusal, merge};
pub use outcome::{Applied, Event, Outcome, ServiceLog, Watcher};
pub use prune::{Keep, Pruned, prune};
pub use rollback::{Rollback, rollback};
pub use settings::{Mutation, STATE, Settings};
pub use transaction::{DaemonStart, Derived, KernelChange, Settle, Step, Transaction};
