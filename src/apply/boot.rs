//! Which boot of the host this is.

use super::journal::Log;
use crate::facts::Look;
use crate::host::ReadHost;

/// Whether the host has booted since a transaction began.
pub(super) fn booted(host: &dyn ReadHost, log: &Log) -> bool {
    log.begin.boot.is_some() && log.begin.boot != boot_id(host)
}

/// The kernel's name for the running boot, where it can be read (random(4)).
pub(super) fn boot_id(host: &dyn ReadHost) -> Option<String> {
    let node = host
        .node("/proc/sys/kernel/random/boot_id", Look::Content)
        .ok()?;
    Some(node.content?.as_str()?.trim().to_owned())
}
