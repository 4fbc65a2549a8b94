//! The daemon's own process.

use super::Kept;
use serde::{Deserialize, Serialize};

/// The process that listens on the API socket: the daemon itself, not whatever is called dockerd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DaemonProcess {
    /// Its id.
    pub pid: u32,
    /// The command line that it was started with (proc_pid_cmdline(5)), the program first.
    pub argv: Kept<Vec<String>>,
    /// When it was started, in microseconds since 1970; 0 where that is not known.
    #[serde(skip_serializing_if = "is_unknown")]
    pub started: i64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_unknown(started: &i64) -> bool {
    *started == 0
}
