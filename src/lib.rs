//! seaworthy makes a Docker host seaworthy.

pub mod facts;
pub mod formats;
