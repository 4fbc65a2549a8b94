//! Bad input gets a clear error, and nothing is lost: each test runs the program on a sample host in
//! a folder and states the exit status, the message, and that every path is as it was.

mod audit_rules;
mod bytes;
mod daemon_json;
mod environment;
mod hosts;
mod inert;
mod kept_out;
mod later_edits;
mod out;
mod output;
mod pipes;
mod plans;
mod policy;
mod records;
mod room;
mod runs;
mod secrets;
mod signals;
mod site;
mod together;
mod tree;

pub(crate) use tree::{Manifest, Tree, is_root};
