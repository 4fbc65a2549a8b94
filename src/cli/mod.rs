//! The command line: one file per verb, exit status, error printing.

mod apply;
mod arguments;
mod audit;
mod confirm;
mod context;
mod defect;
mod demo;
mod destination;
mod ending;
mod explain;
mod failure;
mod harden;
mod history;
mod interrupt;
mod limits;
mod plan;
mod print;
mod progress;
mod recover;
mod result;
mod rollback;
mod show;
mod site;
mod today;
mod unconfirmed;

pub use arguments::Arguments;

use arguments::Verb;
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

/// What a verb ends with when it did what it was asked: the exit status.
type Done = Result<u8, Failure>;

/// Nothing to object.
const OK: u8 = 0;
/// Findings, or changes pending with `--detailed-exitcode`.
const FINDINGS: u8 = 1;
/// Usage, configuration, stale plan, lock, rights: the host was not touched.
const REFUSED: u8 = 2;
/// It failed, and the host is as it was before.
const ROLLED_BACK: u8 = 3;
/// The undo is incomplete: a person is needed.
const STUCK: u8 = 4;

/// Runs the program.
pub fn main() -> ExitCode {
    ExitCode::from(defect::guarded(run))
}

fn run() -> u8 {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return print::usage(error),
    };
    print::colours(arguments.global.color);
    let global = &arguments.global;
    let done = match &arguments.verb {
        Verb::Audit(verb) => audit::run(global, verb),
        Verb::Plan(verb) => plan::run(global, verb),
        Verb::Show(verb) => show::run(global, verb),
        Verb::Apply(verb) => apply::run(global, verb),
        Verb::Confirm(verb) => confirm::run(global, verb),
        Verb::Rollback(verb) => rollback::run(global, verb),
        Verb::Recover(verb) => recover::run(global, verb),
        Verb::History(verb) => history::run(global, verb),
        Verb::Explain(verb) => explain::run(global, verb),
        Verb::Harden(verb) => harden::run(global, verb),
        Verb::Demo => demo::run(global),
        Verb::Completions(verb) => print::completions(verb.shell),
        Verb::Man => print::man(),
    };
    match done {
        Ok(status) => status,
        Err(failure) => {
            print::failure(&failure);
            failure.status
        }
    }
}
