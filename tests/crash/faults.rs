//! Everything that can fail, failing once; a stop asked for at every moment; a panic.

use super::explore::{Case, FIRST, SECOND, Silent, case, compare, keeping, rollback, settings};
use super::model::{DAEMON, Mishap, Model, STATE};
use super::scenarios;
use seaworthy::apply::{
    Applied, ApplyError, Event, Mutation, Outcome, Watcher, apply, history, recover, unfinished,
};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many moments before the end of an apply everything is done but `commit`: its two, the two
/// that bring it to the disk, and the two that give the reserved room back.
const TO_COMMIT: u64 = 6;

/// What is wrong after an apply during which one thing failed.
fn verdict(case: &Case, host: &mut Model, result: Result<Applied, ApplyError>) -> &'static str {
    let (ends, _) = case.ends();
    let outcome = match result {
        Err(_) => "nothing was changed",
        Ok(applied) => match applied.outcome {
            Outcome::Committed => "committed",
            Outcome::RolledBack { .. } => "rolled back",
            Outcome::Stuck { left, .. } => {
                assert!(!left.is_empty());
                // One more failure, in the middle of an undo: what is left can be recovered.
                let mut again = host.with(Mishap::None);
                let id = &applied.id;
                let applied = recover(&mut again, id, &case.settings, &mut Silent).unwrap();
                assert!(
                    matches!(applied.outcome, Outcome::RolledBack { .. }),
                    "{}: {left:?} {applied:?}",
                    case.name
                );
                *host = again;
                "stuck, then recovered"
            }
            Outcome::NothingToDo => panic!("there was something to do"),
        },
    };
    assert_eq!(
        unfinished(host, &case.settings).unwrap(),
        None,
        "{}",
        case.name
    );
    // Where the one failure was to switch live-restore off, the containers run again, not still.
    host.killed.clear();
    case.verdict(&ends, host)
        .unwrap_or_else(|wrong| panic!("{}: {outcome}: {wrong}", case.name));
    outcome
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for scenario in scenarios::all() {
        let case = case(scenario, Mutation::None);
        cases.push(rollback(&case, SECOND));
        cases.push(case);
    }
    cases.push(keeping(Mutation::None));
    cases.extend(
        scenarios::refused()
            .into_iter()
            .map(|scenario| case(scenario, Mutation::None)),
    );
    cases
}

#[test]
fn every_operation_may_fail_once() {
    let mut count = std::collections::BTreeMap::<_, u32>::new();
    for case in cases() {
        let (ends, clean) = case.ends();
        let faults = (0..clean.ticks()).map(Mishap::FaultAt);
        for mishap in faults.chain((0..clean.looks()).map(Mishap::BlindAt)) {
            let mut host = case.host.with(mishap);
            let result = case.apply(&mut host);
            let mut host = host.with(Mishap::None);
            let outcome = verdict(&case, &mut host, result);
            // Two failures, of which one is in the undo, may leave something, and then it is said.
            assert!(
                outcome != "stuck, then recovered" || !ends.is_committed(),
                "{} {mishap:?}",
                case.name
            );
            *count.entry(outcome).or_default() += 1;
        }
    }
    println!("{count:?}");
}

#[test]
fn a_panic_on_the_way_is_taken_back() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(|| {
        for case in cases() {
            let (ends, clean) = case.ends();
            if !ends.is_committed() {
                continue;
            }
            for at in 0..clean.ticks() {
                let mut host = case.host.with(Mishap::PanicAt(at));
                let result = catch_unwind(AssertUnwindSafe(|| case.apply(&mut host)));
                let mut host = host.with(Mishap::None);
                if let Ok(result) = result {
                    verdict(&case, &mut host, result);
                    continue;
                }
                // Before the beginning nothing has to be taken back, at most tidied up.
                if let Some(id) = unfinished(&host, &case.settings).unwrap() {
                    recover(&mut host, &id, &case.settings, &mut Silent).unwrap();
                }
                case.verdict(&ends, &host).unwrap();
            }
        }
    });
    std::panic::set_hook(hook);
    result.unwrap();
}

/// Asks to stop after some events, and panics at every one of them.
struct Nervous {
    events: Cell<u32>,
    stop_after: u32,
}

impl Watcher for Nervous {
    fn event(&mut self, _: Event) {
        self.events.set(self.events.get() + 1);
        panic!("the terminal is gone");
    }

    fn interrupted(&self) -> bool {
        self.events.get() >= self.stop_after
    }
}

#[test]
fn a_stop_is_possible_between_any_two_steps() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(|| {
        for case in cases() {
            let mut outcomes = Vec::new();
            for stop_after in 0..30 {
                let mut host = case.host.with(Mishap::None);
                let mut watcher = Nervous {
                    events: Cell::new(0),
                    stop_after,
                };
                let result = apply(
                    &mut host,
                    case.id,
                    &case.transaction,
                    &case.settings,
                    &mut watcher,
                );
                outcomes.push(verdict(&case, &mut host, result));
            }
            assert_eq!(outcomes[0], "rolled back");
            outcomes.dedup();
            assert!(outcomes.len() <= 2, "{outcomes:?}");
        }
    });
    std::panic::set_hook(hook);
    result.unwrap();
}

#[test]
fn a_host_that_changed_is_refused_and_not_touched() {
    for case in cases() {
        let Some(step) = case.transaction.all_steps().next() else {
            continue;
        };
        let path = step.action.path.clone();
        let mut host = case.host.clone();
        if host.disk.get(&path).is_none() {
            host.file(&path, "somebody was faster", 0o644);
        } else {
            host.disk
                .set(&path, seaworthy::facts::Attributes::default());
            if !host.disk.get(&path).unwrap().folder {
                host.disk.write(&path, b"somebody was faster");
            }
        }
        let before = host.fingerprint();
        match case.apply(&mut host) {
            Err(ApplyError::Stale { paths }) => assert!(paths.contains(&path), "{paths:?}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(host.fingerprint(), before, "{}", case.name);
    }
}

#[test]
fn an_edit_between_crash_and_recovery_is_left_and_reported() {
    let case = case(scenarios::all().remove(0), Mutation::None);
    let (_, clean) = case.ends();
    let mut host = case.host.with(Mishap::CrashAt(clean.ticks() - TO_COMMIT));
    let _ = case.apply(&mut host);
    let mut host = host.after(super::model::Fate::Killed);
    host.disk.write(DAEMON, b"\n\n");
    let applied = recover(&mut host, FIRST, &case.settings, &mut Silent).unwrap();
    let Outcome::Stuck { left, .. } = applied.outcome else {
        panic!("{applied:?}");
    };
    let backup = format!("{STATE}/backups/");
    assert!(
        left[0].contains(DAEMON) && left[0].contains(&backup),
        "{left:?}"
    );
    assert!(host.text(DAEMON).unwrap().ends_with("\n\n"));
    assert_eq!(unfinished(&host, &case.settings).unwrap(), None);
    let records = history(&host, &case.settings).unwrap();
    assert_eq!(records[0].left, left);
}

#[test]
fn a_second_apply_waits_for_the_recovery_of_the_first() {
    let case = case(scenarios::all().remove(0), Mutation::None);
    let (_, clean) = case.ends();
    let mut host = case.host.with(Mishap::CrashAt(clean.ticks() - TO_COMMIT));
    let _ = case.apply(&mut host);
    let mut host = host.after(super::model::Fate::Killed);
    let before = host.fingerprint();
    let second = apply(
        &mut host,
        SECOND,
        &case.transaction,
        &case.settings,
        &mut Silent,
    );
    assert!(
        matches!(&second, Err(ApplyError::Unfinished { id }) if id == FIRST),
        "{second:?}"
    );
    assert_eq!(host.fingerprint(), before);
}

#[test]
fn a_damaged_journal_or_backup_is_never_acted_upon() {
    let case = case(scenarios::all().remove(0), Mutation::None);
    let (ends, clean) = case.ends();
    let mut host = case.host.with(Mishap::CrashAt(clean.ticks() - TO_COMMIT));
    let _ = case.apply(&mut host);
    let crashed = host.after(super::model::Fate::Killed);
    let journal = format!("{STATE}/transactions/{FIRST}/journal");
    let text = crashed.text(&journal).unwrap();
    for at in (0..text.find('\n').unwrap()).step_by(37) {
        let mut damaged = text.clone().into_bytes();
        damaged[at] ^= 1;
        let mut host = crashed.clone();
        host.disk.truncate(&journal);
        host.disk.write(&journal, &damaged);
        let before = host.snapshot();
        assert!(recover(&mut host, FIRST, &case.settings, &mut Silent).is_err());
        assert_eq!(host.snapshot(), before);
    }
    for name in crashed.disk.entries(&format!("{STATE}/backups")) {
        let mut host = crashed.clone();
        let path = format!("{STATE}/backups/{name}");
        host.disk.write(&path, b"damage");
        let applied = recover(&mut host, FIRST, &case.settings, &mut Silent).unwrap();
        match applied.outcome {
            // The damaged one was the new content, which the undo does not need.
            Outcome::RolledBack { .. } => {
                compare(&host.snapshot(), ends.start()).unwrap();
            }
            Outcome::Stuck { left, .. } => assert!(left[0].contains(&path), "{left:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_container_that_does_not_start_again_at_once_is_waited_for() {
    for (held, is_back) in [(1, true), (7, true), (1000, false)] {
        let mut case = case(scenarios::refused().remove(0), Mutation::None);
        case.host.held = held;
        let mut host = case.host.with(Mishap::None);
        let applied = case.apply(&mut host).unwrap();
        let rolled_back = matches!(applied.outcome, Outcome::RolledBack { .. });
        assert_eq!(rolled_back, is_back, "{held}: {applied:?}");
        assert_eq!(host.containers["job"], is_back);
    }
}

#[test]
fn a_folder_that_somebody_uses_is_kept() {
    let case = case(scenarios::all().remove(1), Mutation::None);
    let (_, mut host) = case.ends();
    let folder = case.transaction.steps[0].action.path.clone();
    host.file(&format!("{folder}/theirs.conf"), "[Socket]\n", 0o644);
    let back = Case {
        name: "rollback".to_owned(),
        transaction: seaworthy::apply::inverse(&host, &case.settings, FIRST).unwrap(),
        host: host.clone(),
        id: SECOND,
        settings: settings(Mutation::None),
    };
    let applied = back.apply(&mut host).unwrap();
    assert_eq!(applied.outcome, Outcome::Committed);
    assert!(applied.notes[0].contains(&folder), "{:?}", applied.notes);
    assert_eq!(host.disk.entries(&folder), ["theirs.conf"]);
    let again = seaworthy::apply::inverse(&host, &case.settings, SECOND).unwrap();
    assert_eq!(again.steps.len(), 1);
}

#[test]
fn what_a_crash_before_the_beginning_left_is_swept() {
    let case = case(scenarios::all().remove(0), Mutation::None);
    let folder = format!("{STATE}/transactions");
    let journal = format!("{folder}/{FIRST}/journal");
    let mut swept = 0;
    for at in 0.. {
        let mut host = case.host.with(Mishap::CrashAt(at));
        let _ = case.apply(&mut host);
        let mut host = host.after(super::model::Fate::Killed);
        if host.disk.get(&journal).is_some() {
            break;
        }
        swept += usize::from(!host.disk.entries(&folder).is_empty());
        apply(
            &mut host,
            SECOND,
            &case.transaction,
            &case.settings,
            &mut Silent,
        )
        .unwrap();
        assert_eq!(host.disk.entries(&folder), [SECOND]);
    }
    assert!(swept > 10, "{swept}");
}
