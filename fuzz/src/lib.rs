//! What the fuzz targets do with their input: one function for each parser, which reads the input and checks what
//! the parser's documentation promises of the result.
//!
//! Of the same functions `tests/fuzz_replay` makes ordinary tests that read every file in `corpus`. A check that
//! does not hold panics.

mod accounts;
mod audit_rules;
mod daemon_json;
mod environment;
mod host;
mod journal;
mod merge;
mod saved_plan;
mod secrets;
mod site;
mod units;

pub use accounts::{accounts, os_release};
pub use audit_rules::{audit_listing, audit_rules, audit_status};
pub use daemon_json::daemon_json;
pub use environment::environment;
pub use host::{docker_answers, host};
pub use journal::journal;
pub use merge::merge;
pub use saved_plan::saved_plan;
pub use secrets::secrets;
pub use site::{control, policy};
pub use units::{command_line, env_file, unit, unit_show};

/// The body of a target.
pub type Body = fn(&[u8]);

/// Every target by its name, which is also that of its folder in `corpus`.
pub const TARGETS: [(&str, Body); 19] = [
    ("accounts", accounts),
    ("audit_listing", audit_listing),
    ("audit_rules", audit_rules),
    ("audit_status", audit_status),
    ("command_line", command_line),
    ("control", control),
    ("daemon_json", daemon_json),
    ("docker_answers", docker_answers),
    ("env_file", env_file),
    ("environment", environment),
    ("host", host),
    ("journal", journal),
    ("merge", merge),
    ("os_release", os_release),
    ("policy", policy),
    ("saved_plan", saved_plan),
    ("secrets", secrets),
    ("unit", unit),
    ("unit_show", unit_show),
];

/// The input where it is text: all parsers but those of daemon.json and of journals get text.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Whether a text is fit for a terminal: nothing in it moves the cursor or changes colours.
fn is_printable(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\t'))
}

/// Whether a path names what it says: absolute, without `.` and `..`.
fn is_plain(path: &str) -> bool {
    path.starts_with('/') && path.split('/').all(|part| !matches!(part, "." | ".."))
}
