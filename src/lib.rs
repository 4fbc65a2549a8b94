//! seaworthy makes a Docker host seaworthy: it audits the host against the CIS Docker Benchmark,
//! plans what would harden it, applies the plan as one transaction, and takes it back.
//!
//! Start at [`facts`] (what is), then [`change`] (what may be done), [`checks`] (what should be),
//! [`plan`], and [`apply`]. Everything up to `plan` is pure; only `apply` changes a host, through
//! one trait, [`host::Host`].
//!
//! | module | what it is |
//! |---|---|
//! | [`facts`] | words for what is |
//! | [`options`] | the keys of daemon.json: one row each, with all that is known of it |
//! | [`formats`] | text ⇄ values: daemon.json, audit rules, environment files, units, command lines |
//! | [`engine`] | what dockerd refuses of the values in its configuration |
//! | [`change`] | words for what may be done |
//! | [`policy`] | what the people of a site decided |
//! | [`checks`] | one file per kind of check: verdict and the edits that would satisfy it |
//! | [`probes`] | one file per bespoke check |
//! | [`catalog`] | the controls: loading, validation, selection |
//! | [`audit`] | judging facts by the catalog |
//! | [`plan`] | edits folded into actions, diffs, impact |
//! | [`host`] | the doors to a host |
//! | [`collect`] | facts from a host |
//! | [`apply`] | executor, journal, undo, recovery, history |
//! | [`render`] | reports, plans and journals for people |
//! | [`cli`] | one file per verb, exit status, error printing |

pub mod apply;
pub mod audit;
pub mod catalog;
pub mod change;
pub mod checks;
pub mod cli;
pub mod collect;
pub mod engine;
pub mod facts;
pub mod formats;
pub mod host;
pub mod options;
pub mod plan;
pub mod policy;
pub mod probes;
pub mod render;
