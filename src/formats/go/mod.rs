//! How Go's library reads addresses, URLs and sizes, as dockerd is written in Go.

pub mod address;
pub mod size;
pub mod url;
