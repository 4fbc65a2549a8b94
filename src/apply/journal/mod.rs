//! The journal of one transaction: `transactions/ID/journal`, one JSON record per line.
//!
//! A record is on the disk before the change that it announces is made. The first one, `begin`,
//! holds the whole transaction; the file appears under its name only when that record is complete,
//! so a journal without `begin` does not exist.

mod entry;
mod line;
mod log;
mod writer;

pub use entry::{ActionRecord, StepRecord};

pub(super) use entry::{Begin, DerivedBefore, Entry};
pub(super) use log::{End, Log};
pub(super) use writer::Journal;
