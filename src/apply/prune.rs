//! Removing what nobody needs: journals of transactions that are over, and the backups that no
//! remaining journal names.
//!
//! The rule is careful. What is unfinished, stuck or in effect stays, however old it is: its
//! backups are the way back. What may go is what was rolled back by itself, what another
//! transaction took back, and a rollback whose own transaction goes with it or is gone already:
//! without the rollback's record a transaction that stays would seem to be in effect again.

use super::error::JournalError;
use super::history::{Record, RecordOutcome, history};
use super::settings::Settings;
use super::store::Store;
use crate::facts::{Kind, Look};
use crate::host::{Host, HostError};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// What stays although it could go. Without any of these, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many of the newest transactions.
    pub newest: Option<usize>,
    /// Whatever is younger.
    pub younger_than: Option<Duration>,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Ids of transactions, oldest first.
    pub transactions: Vec<String>,
    /// How many backups.
    pub backups: usize,
    /// Their size.
    pub bytes: u64,
    /// How many transactions are left.
    pub kept: usize,
}

/// Removes the journals that `keep` gives up, then the backups that no journal names. It may be
/// interrupted, and repeated.
///
/// # Errors
/// When a journal cannot be read or is damaged, and nothing was removed then; or when something
/// cannot be removed.
pub fn prune(
    host: &mut dyn Host,
    settings: &Settings,
    keep: &Keep,
) -> Result<Pruned, JournalError> {
    let store = Store::new(&settings.state);
    let records = history(host, settings)?;
    let now = host.now();
    let gone = removable(&records, keep, now);
    for id in &gone {
        remove(host, &store, id)?;
    }
    let mut pruned = Pruned {
        kept: records.len() - gone.len(),
        transactions: gone,
        ..Pruned::default()
    };
    backups(host, &store, &mut pruned)?;
    Ok(pruned)
}

/// The transactions that go, oldest first, which is also the order in which they can go one by
/// one: a rollback is younger than what it took back.
fn removable(records: &[Record], keep: &Keep, now: i64) -> Vec<String> {
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    let known: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    // That somebody took one of these back by hand is what keeps its confirmation from being due
    // again, also where that was taken back in turn.
    let unconfirmed: BTreeSet<&str> = records
        .iter()
        .filter(|record| record.unconfirmed)
        .map(|record| record.id.as_str())
        .collect();
    let newest = records.len().saturating_sub(keep.newest.unwrap_or(0));
    for record in &records[..newest] {
        let age = keep.younger_than.is_none_or(|age| {
            let at = record.at.parse::<Timestamp>();
            let limit = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
            // A time that cannot be read is not old.
            at.is_ok_and(|at| at.as_microsecond().saturating_add(limit) <= now)
        });
        let over = match record.outcome {
            RecordOutcome::RolledBack => true,
            RecordOutcome::Stuck
            | RecordOutcome::Unfinished
            | RecordOutcome::PendingConfirmation => false,
            RecordOutcome::Committed => match (&record.reverted_by, &record.reverts) {
                (Some(_), None) => true,
                (None, None) => false,
                (_, Some(of)) => {
                    // What was taken back again has no say over what it took back.
                    (record.reverted_by.is_some() && !unconfirmed.contains(of.as_str()))
                        || gone.contains(of.as_str())
                        || !known.contains(of.as_str())
                }
            },
        };
        if age && over {
            gone.insert(&record.id);
        }
    }
    records
        .iter()
        .filter(|record| gone.contains(record.id.as_str()))
        .map(|record| record.id.clone())
        .collect()
}

/// The journal first: a folder without one is a transaction that never began.
fn remove(host: &mut dyn Host, store: &Store, id: &str) -> Result<(), HostError> {
    host.remove(&store.journal(id))?;
    host.sync_folder(&store.transaction(id))?;
    store.forget(host, id);
    host.sync_folder(&store.transactions())
}

fn backups(host: &mut dyn Host, store: &Store, pruned: &mut Pruned) -> Result<(), JournalError> {
    let mut needed: BTreeSet<String> = BTreeSet::new();
    for id in store.names(host)? {
        if let Some(journal) = host.node(&store.journal(&id), Look::Content)?.content {
            needed.extend(digests(&journal.0));
        }
    }
    let folder = store.backups();
    let names = host
        .node(&folder, Look::Entries)?
        .entries
        .unwrap_or_default();
    for name in names {
        let path = format!("{folder}/{name}");
        // What has no such name is not ours to remove.
        if !is_digest(name.as_bytes()) || needed.contains(&name) {
            continue;
        }
        let node = host.node(&path, Look::Content)?;
        if node.kind == Kind::File {
            host.remove(&path)?;
            pruned.backups += 1;
            pruned.bytes += node.content.map_or(0, |content| content.0.len() as u64);
        }
    }
    if pruned.backups > 0 {
        host.sync_folder(&folder)?;
    }
    Ok(())
}

/// Every digest that a journal names, wherever: read from its bytes, so that no record that names
/// a backup can be forgotten here.
fn digests(journal: &[u8]) -> impl Iterator<Item = String> {
    journal
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| is_digest(word))
        .map(|word| String::from_utf8_lossy(word).into_owned())
}

fn is_digest(word: &[u8]) -> bool {
    word.len() == 64
        && word
            .iter()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, outcome: RecordOutcome, reverts: &str, reverted_by: &str) -> Record {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Record {
            id: id.to_owned(),
            at: format!("2026-11-{id}T00:00:00Z"),
            outcome,
            pending: None,
            confirm_until: None,
            seconds_left: None,
            unconfirmed: false,
            controls: Vec::new(),
            reverts: some(reverts),
            reverted_by: some(reverted_by),
            steps: Vec::new(),
            activations: Vec::new(),
            by: String::new(),
            command: String::new(),
            tool: String::new(),
            why: None,
            left: Vec::new(),
            service_logs: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn gone(records: &[Record], newest: Option<usize>, days: Option<u64>) -> String {
        let keep = Keep {
            newest,
            younger_than: days.map(|days| Duration::from_secs(days * 86_400)),
        };
        let now: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
        removable(records, &keep, now.as_microsecond()).join(" ")
    }

    #[test]
    fn only_what_is_over_goes() {
        use RecordOutcome::{Committed, PendingConfirmation, RolledBack, Stuck, Unfinished};
        let records = [
            record("01", Committed, "", ""),
            record("02", RolledBack, "", ""),
            record("03", Committed, "", "04"),
            record("04", Committed, "03", ""),
            record("05", Stuck, "", ""),
            record("06", Committed, "", ""),
            record("07", Committed, "06", "08"),
            record("08", Committed, "07", ""),
            record("09", Committed, "00", ""),
            record("10", Unfinished, "", ""),
            record("11", PendingConfirmation, "", ""),
        ];
        for (newest, days, wanted) in [
            (Some(0), None, "02 03 04 07 08 09"),
            (Some(9), None, "02"),
            (Some(8), None, "02 03"),
            (Some(99), None, ""),
            (None, Some(0), "02 03 04 07 08 09"),
            (None, Some(17), "02 03"),
            (None, Some(16), "02 03 04"),
            (Some(8), Some(16), "02 03"),
            (None, Some(365), ""),
        ] {
            assert_eq!(gone(&records, newest, days), wanted, "{newest:?} {days:?}");
        }
    }

    #[test]
    fn a_rollback_outlives_what_it_took_back() {
        use RecordOutcome::Committed;
        // The clock went back: the younger one says that it is older.
        let records = [
            record("15", Committed, "", "01"),
            record("01", Committed, "15", ""),
        ];
        assert_eq!(gone(&records, None, Some(10)), "");
    }

    #[test]
    fn a_confirmation_that_somebody_settled_by_hand_does_not_come_back() {
        use RecordOutcome::Committed;
        let mut records = [
            record("01", Committed, "", ""),
            record("02", Committed, "01", "03"),
            record("03", Committed, "02", ""),
        ];
        assert_eq!(gone(&records, Some(0), None), "02 03");
        records[0].unconfirmed = true;
        assert_eq!(gone(&records, Some(0), None), "");
        // Taken back for good: all of it may go.
        records[0].reverted_by = Some("02".to_owned());
        records[1].reverted_by = None;
        assert_eq!(gone(&records[..2], Some(0), None), "01 02");
    }

    #[test]
    fn digests_are_found_wherever_they_stand() {
        let one = "a".repeat(64);
        let text = format!(
            "{{\"x\":\"{one}\",\"y\":\"{one}0\",\"z\":{{\"{}\":1}}}}",
            "0".repeat(64)
        );
        assert_eq!(
            digests(text.as_bytes()).collect::<Vec<_>>(),
            [one, "0".repeat(64)]
        );
    }
}
