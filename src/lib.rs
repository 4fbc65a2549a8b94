//! seaworthy makes a Docker host seaworthy.

pub mod apply;
pub mod audit;
pub mod catalog;
pub mod change;
pub mod checks;
pub mod collect;
pub mod facts;
pub mod formats;
pub mod host;
pub mod plan;
pub mod policy;
pub mod probes;
