//! The test of the test: executors that are wrong in one way each must be found out.

use super::explore::{SECOND, case, keeping, rollback};
use super::scenarios;
use seaworthy::apply::Mutation;

fn found(mutation: Mutation) -> Option<String> {
    scenarios::all()
        .into_iter()
        .map(|scenario| case(scenario, mutation))
        .chain([keeping(mutation)])
        .chain(
            scenarios::refused()
                .into_iter()
                .map(|scenario| case(scenario, mutation)),
        )
        .find_map(|case| {
            case.explore().err().or_else(|| {
                let committed = case.ends().0.is_committed();
                let back = committed.then(|| rollback(&case, SECOND));
                back.and_then(|back| back.explore().err())
            })
        })
}

macro_rules! caught {
    ($($name:ident: $mutation:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            let violation = found(Mutation::$mutation).expect("the crashes must find it");
            println!("{violation}");
        }
    )*};
}

caught! {
    an_intent_written_late_is_caught: LateIntent,
    a_missing_begin_is_caught: NoBegin,
    rolled_back_written_before_the_restart_is_caught: EarlyRolledBack,
    content_that_is_not_synced_is_caught: NoFileSync,
    names_that_are_not_synced_are_caught: NoFolderSync,
    forgotten_kernel_rules_are_caught: ForgetKernel,
    live_restore_switched_off_by_a_restart_is_caught: NoLiveRestoreStep,
    forgotten_generated_files_are_caught: ForgetDerived,
    an_undo_that_is_not_announced_is_caught: NoUndoingRecord,
    a_restart_without_live_restore_is_caught: StayOff,
}

#[test]
fn a_key_that_comes_before_its_flag_goes_is_caught() {
    let mut scenario = scenarios::flags();
    scenario.transaction.steps.rotate_right(1);
    let violation = case(scenario, Mutation::None).explore().unwrap_err();
    assert!(violation.contains("is a flag and a key"), "{violation}");
}
