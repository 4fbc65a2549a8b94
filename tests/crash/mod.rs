//! All or nothing, whatever happens: see `explore`.

#![allow(
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used, // in helpers of tests too
    clippy::expect_used,
    clippy::print_stdout
)]

mod confirm;
mod disk;
mod explore;
mod faults;
mod lost;
mod model;
mod mutations;
mod scenarios;
