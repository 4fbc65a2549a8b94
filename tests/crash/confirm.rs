//! What nobody confirms is taken back, whatever crashes; what somebody confirms stays.

use super::explore::{Case, SECOND, Silent, case, compare, settings};
use super::model::{Fate, Mishap, Model};
use super::{disk::Unsynced, scenarios};
use seaworthy::apply::{
    ApplyError, Confirmation, Due, Mutation, Outcome, RecordOutcome, Settings, apply, awaiting,
    confirm, due, guarded, history, inverse, recover, sweep,
};

const WITHIN: i64 = 600;
const SERVICE: &str = "/etc/systemd/system/seaworthy-confirm.service";

/// The same transactions, to be confirmed.
fn cases(scenarios: Vec<scenarios::Scenario>) -> Vec<Case> {
    let mut cases: Vec<Case> = scenarios
        .into_iter()
        .map(|scenario| case(scenario, Mutation::None))
        .collect();
    for case in &mut cases {
        let confirmation = Confirmation {
            within: u64::try_from(WITHIN).unwrap(),
            program: "/usr/local/bin/seaworthy".to_owned(),
            deadline: 120,
        };
        case.transaction = guarded(&case.host, case.transaction.clone(), confirmation).unwrap();
        case.name = format!("{}, to be confirmed", case.name);
    }
    cases
}

/// What the timer (with an id) or a boot does until there is nothing left to do.
fn unattended(host: &mut Model, settings: &Settings, id: Option<&str>) {
    for turn in 1.. {
        assert!(turn < 9, "it never ends");
        let second = format!("{SECOND}{turn}");
        match due(host, settings, id).unwrap() {
            Due::Nothing => {
                if !host.is_dead() {
                    sweep(host, settings).unwrap();
                }
                return;
            }
            Due::Later { micros, .. } => host.later += micros,
            Due::Recover(id) => {
                let _ = recover(host, &id, settings, &mut Silent);
            }
            Due::RollBack(id) => {
                let Ok(transaction) = inverse(host, settings, &id) else {
                    return;
                };
                let _ = apply(host, &second, &transaction, settings, &mut Silent);
            }
        }
        if host.is_dead() {
            return;
        }
    }
}

#[test]
fn a_crash_anywhere_in_an_apply_to_be_confirmed_leaves_all_or_nothing() {
    for case in cases(scenarios::all()) {
        case.explore().unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

#[test]
fn the_timer_takes_back_what_nobody_confirms_and_what_a_lost_process_left() {
    for case in cases(scenarios::all()) {
        let (ends, clean) = case.ends();
        for at in 0..=clean.ticks() {
            let mut crashed = case.host.with(Mishap::CrashAt(at));
            let _ = case.apply(&mut crashed);
            for fate in [Fate::Killed, Fate::Power(Unsynced::Lost)] {
                let mut host = crashed.after(fate);
                let id = match fate {
                    // Whatever the process had begun, the timer was there first.
                    Fate::Killed if host.timers.contains(case.id) => Some(case.id),
                    Fate::Killed => {
                        compare(&host.snapshot(), ends.start()).unwrap();
                        continue;
                    }
                    Fate::Power(_) => None,
                };
                if id.is_none() && host.text(SERVICE).is_none() {
                    // The first step was not made, so nothing else was.
                    compare(&host.snapshot(), ends.start()).unwrap();
                    continue;
                }
                // A rollback may stop what an undo keeps.
                if awaiting(&host, &case.settings).unwrap().is_some() {
                    host.stopped = None;
                }
                unattended(&mut host, &case.settings, id);
                compare(&host.snapshot(), ends.start())
                    .unwrap_or_else(|wrong| panic!("{} {at} {fate:?}: {wrong}", case.name));
            }
        }
    }
}

#[test]
fn a_power_loss_anywhere_in_the_rollback_of_the_timer_is_made_good_at_the_boot() {
    for case in cases(scenarios::all()) {
        let (ends, mut committed) = case.ends();
        committed.disk.sync_all();
        // A rollback may stop what an undo keeps.
        committed.stopped = None;
        let committed = committed.with(Mishap::None);
        let mut clean = committed.clone();
        unattended(&mut clean, &case.settings, Some(case.id));
        compare(&clean.snapshot(), ends.start()).unwrap();
        assert!(clean.timers.is_empty());
        for at in 0..=clean.ticks() {
            let mut crashed = committed.with(Mishap::CrashAt(at));
            crashed.later = WITHIN * 1_000_000;
            unattended_until_crash(&mut crashed, &case);
            let mut host = crashed.after(Fate::Power(Unsynced::Lost));
            if host.text(SERVICE).is_some() {
                unattended(&mut host, &case.settings, None);
            }
            compare(&host.snapshot(), ends.start())
                .unwrap_or_else(|wrong| panic!("{} {at}: {wrong}", case.name));
        }
    }
}

fn unattended_until_crash(host: &mut Model, case: &Case) {
    let transaction = inverse(host, &case.settings, case.id).unwrap();
    let _ = apply(host, SECOND, &transaction, &case.settings, &mut Silent);
}

#[test]
fn a_failed_apply_disarms() {
    for case in cases(scenarios::refused()) {
        let mut host = case.host.clone();
        let applied = case.apply(&mut host).unwrap();
        assert!(matches!(applied.outcome, Outcome::RolledBack { .. }));
        assert!(host.timers.is_empty(), "{}", case.name);
        assert_eq!(host.text(SERVICE), None);
        assert_eq!(
            host.logged,
            [(case.id.to_owned(), "rolled-back".to_owned())]
        );
    }
}

#[test]
fn what_is_confirmed_stays() {
    for case in cases(scenarios::all()) {
        let (_, mut host) = case.ends();
        let settings = settings(Mutation::None);
        let record = history(&host, &settings).unwrap().remove(0);
        assert_eq!(record.outcome, RecordOutcome::PendingConfirmation);
        assert_eq!(record.seconds_left, Some(WITHIN));
        assert!(host.timers.contains(case.id) && host.text(SERVICE).is_some());

        // Nothing else is begun meanwhile.
        let refused = apply(&mut host, SECOND, &case.transaction, &settings, &mut Silent);
        assert!(matches!(refused, Err(ApplyError::Awaiting { .. })));

        assert_eq!(
            confirm(&mut host, &settings, case.id, "bob").unwrap(),
            Vec::<String>::new()
        );
        let outcomes: Vec<&str> = host.logged.iter().map(|(_, word)| word.as_str()).collect();
        assert_eq!(outcomes, ["pending-confirmation", "confirmed"]);
        assert!(host.timers.is_empty() && host.text(SERVICE).is_none());
        assert_eq!(awaiting(&host, &settings).unwrap(), None);
        let confirmed = host.snapshot();
        // A timer that was late, and a boot, change nothing.
        host.later = WITHIN * 2_000_000;
        unattended(&mut host, &settings, Some(case.id));
        unattended(&mut host, &settings, None);
        assert_eq!(host.snapshot(), confirmed);
        assert!(matches!(
            confirm(&mut host, &settings, case.id, "bob"),
            Err(ApplyError::NotAwaiting { .. })
        ));
        // It can be taken back by hand like any other.
        let back = inverse(&host, &settings, case.id).unwrap();
        let applied = apply(&mut host, SECOND, &back, &settings, &mut Silent).unwrap();
        assert_eq!(applied.outcome, Outcome::Committed);
        assert_eq!(host.snapshot().files, case.host.snapshot().files);
    }
}

#[test]
fn a_crash_anywhere_in_a_confirmation_confirms_or_does_not() {
    let case = cases(scenarios::all()).remove(0);
    let (ends, committed) = case.ends();
    let mut clean = committed.with(Mishap::None);
    confirm(&mut clean, &case.settings, case.id, "bob").unwrap();
    let wanted = [clean.snapshot(), clean.snapshot()];
    for at in 0..=clean.ticks() {
        let mut crashed = committed.with(Mishap::CrashAt(at));
        let _ = confirm(&mut crashed, &case.settings, case.id, "bob");
        let mut host = crashed.after(Fate::Killed);
        let stays = awaiting(&host, &case.settings).unwrap().is_none();
        unattended(&mut host, &case.settings, Some(case.id));
        let wanted = if stays { &wanted } else { ends.start() };
        compare(&host.snapshot(), wanted).unwrap_or_else(|wrong| panic!("{at}: {wrong}"));
    }
}
