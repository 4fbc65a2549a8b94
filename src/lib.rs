//! seaworthy makes a Docker host seaworthy.

pub mod change;
pub mod facts;
pub mod formats;
