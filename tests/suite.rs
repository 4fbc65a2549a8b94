//! All tests that need more than one module: one binary, a module per subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking"
)]

mod auditctl;
mod auditing;
mod bad_input;
mod crash;
mod daemon_answers;
mod demo;
mod dockerd;
mod families;
mod flags;
mod format_1;
mod fuzz_replay;
mod growth;
mod harden;
mod hints;
mod impact;
mod laws;
mod layers;
mod options;
mod restart;
mod unread;
mod versions;
