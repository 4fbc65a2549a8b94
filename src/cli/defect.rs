//! What people see of a defect in this program: a sentence of ours, how far the run had come, and an
//! exit status that means what it always means.
//!
//! A panic while the host is being changed never gets here: the executor takes back what it began.

use super::{REFUSED, STUCK, print};
use crate::audit::TOOL;
use crate::formats::inert;
use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};

/// How far the host has been changed by this run.
static HOW_FAR: AtomicU8 = AtomicU8::new(UNTOUCHED);

/// Nothing was changed.
const UNTOUCHED: u8 = u8::MAX;
/// The executor is at work.
const UNDER_WAY: u8 = u8::MAX - 1;

/// From now on the host may be in the middle of a change.
pub(super) fn changing() {
    HOW_FAR.store(UNDER_WAY, Ordering::SeqCst);
}

/// Nothing was changed after all.
pub(super) fn unchanged() {
    HOW_FAR.store(UNTOUCHED, Ordering::SeqCst);
}

/// The change has ended with this exit status; whatever comes now is only told.
pub(super) fn changed(status: u8) {
    HOW_FAR.store(status, Ordering::SeqCst);
}

/// Runs the program, or what is left of it after a panic: the exit status.
pub(super) fn guarded(run: impl FnOnce() -> u8) -> u8 {
    std::panic::set_hook(Box::new(tell));
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| ended(HOW_FAR.load(Ordering::SeqCst)))
}

/// Every panic, also one that the executor makes good.
fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    print::note(&sentence(panic.payload(), place.as_deref()));
    // Only with RUST_BACKTRACE, as everywhere.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        print::note(&trace.to_string());
    }
}

fn sentence(panic: &(dyn Any + Send), place: Option<&str>) -> String {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason is given");
    format!(
        "error: a defect in {TOOL}, not in your host: {} ({})",
        inert::line(what),
        inert::line(place.unwrap_or("no place is given"))
    )
}

/// Says how far the run had come, and with which status it ends.
fn ended(how_far: u8) -> u8 {
    let (status, said, hint) = match how_far {
        UNTOUCHED => (
            REFUSED,
            "Nothing was changed on the host.",
            "seaworthy --version",
        ),
        UNDER_WAY => (
            STUCK,
            "The host may be in the middle of a change.",
            "sudo seaworthy recover",
        ),
        status => (
            status,
            "The change itself had ended before that; only the report of it is missing.",
            "seaworthy history",
        ),
    };
    print::note(&format!(
        "{said} Please report the line above, with the command that you typed.\ntry: {hint}"
    ));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_as_far_as_the_run_had_come() {
        assert_eq!(guarded(|| 1), 1);
        assert_eq!(guarded(|| panic!("a test of the last resort")), REFUSED);
        assert_eq!(ended(UNDER_WAY), STUCK);
        for status in [0, 3, 4] {
            assert_eq!(ended(status), status);
        }
    }

    #[test]
    fn a_panic_is_one_line_that_says_where() {
        for (panic, said) in [
            (
                Box::new("no\n\u{1b}[2Jsuch") as Box<dyn Any + Send>,
                "no<U+000A><U+001B>[2Jsuch (src/a.rs:1:2)",
            ),
            (Box::new("such".to_owned()), "such (src/a.rs:1:2)"),
            (Box::new(1), "no reason is given (src/a.rs:1:2)"),
        ] {
            let sentence = sentence(&*panic, Some("src/a.rs:1:2"));
            assert_eq!(
                sentence,
                format!("error: a defect in {TOOL}, not in your host: {said}")
            );
        }
    }
}
