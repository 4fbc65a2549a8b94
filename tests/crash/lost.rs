//! A disk that loses whole records at the end of a journal, although it had said that it has them. What
//! is left is a journal without a fault in it, of an earlier moment.

use super::explore::{Case, FIRST, Silent, case, settings};
use super::model::{Fate, Mishap, Model, STATE};
use super::scenarios;
use seaworthy::apply::{Mutation, Outcome, RecordOutcome, history, recover, unfinished};

/// The host with the last records of its journal gone, fewest first, down to the beginning.
fn shorter(host: &Model) -> Vec<Model> {
    let path = format!("{STATE}/transactions/{FIRST}/journal");
    let Some(text) = host.text(&path) else {
        return Vec::new();
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    (1..lines.len())
        .rev()
        .map(|kept| {
            let mut host = host.with(Mishap::None);
            host.disk.truncate(&path);
            host.disk.write(&path, lines[..kept].concat().as_bytes());
            host.disk.sync_all();
            host
        })
        .collect()
}

/// How often a recovery put everything back, and how often it named what is not as it was.
#[derive(Debug, Default)]
struct Count {
    back: u32,
    named: u32,
}

/// Files that are not as they were before, of those that the transaction's steps are about.
fn changed(case: &Case, host: &Model) -> Vec<String> {
    let (before, now) = (case.host.snapshot(), host.snapshot());
    let steps = case.transaction.all_steps();
    let mut paths: Vec<String> = steps
        .map(|step| step.action.path.clone())
        .filter(|path| before.files.get(path) != now.files.get(path))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn judge(case: &Case, host: &Model, count: &mut Count) {
    let settings = settings(Mutation::None);
    let Some(id) = unfinished(host, &settings).unwrap() else {
        return;
    };
    let mut recovered = host.with(Mishap::None);
    let applied = recover(&mut recovered, &id, &settings, &mut Silent).unwrap();
    let record = history(&recovered, &settings).unwrap().pop().unwrap();
    match applied.outcome {
        Outcome::RolledBack { .. } => {
            assert_eq!(record.outcome, RecordOutcome::RolledBack);
            let left = changed(case, &recovered);
            assert!(left.is_empty(), "{}: {left:?}", case.name);
            count.back += 1;
        }
        Outcome::Stuck { left, .. } => {
            assert_eq!(record.outcome, RecordOutcome::Stuck);
            // Nobody knows whether it was committed long ago: not one path is touched …
            assert_eq!(host.snapshot().files, recovered.snapshot().files);
            // … and each is named that is not as it was, and no other one.
            let mut named: Vec<String> = left
                .iter()
                .map(|text| text.split(": ").next().unwrap().to_owned())
                .collect();
            named.sort();
            assert_eq!(named, changed(case, host), "{}", case.name);
            // The next one says the same.
            let again = recover(&mut recovered, &id, &settings, &mut Silent).unwrap();
            assert!(matches!(again.outcome, Outcome::Stuck { .. }));
            count.named += 1;
        }
        other => panic!("{}: {other:?}", case.name),
    }
}

#[test]
fn a_journal_that_lost_whole_records_never_says_that_all_is_as_it_was_when_it_is_not() {
    let mut count = Count::default();
    for scenario in scenarios::all() {
        let case = case(scenario, Mutation::None);
        let (_, clean) = case.ends();
        for at in 0..=clean.ticks() {
            let mut crashed = case.host.with(Mishap::CrashAt(at));
            let _ = case.apply(&mut crashed);
            for host in shorter(&crashed.after(Fate::Killed)) {
                judge(&case, &host, &mut count);
            }
        }
        // Committed, for a month perhaps.
        for host in shorter(&clean) {
            judge(&case, &host, &mut count);
        }
    }
    println!("{count:?}");
    assert!(count.back > 100 && count.named > 100, "{count:?}");
}
