//! Signals: Ctrl-C, a terminal that goes away, and a polite kill ask the executor to take back what
//! it began; the process then ends by itself.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a signal arrived.
#[derive(Debug, Clone)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on these signals are only noted.
    ///
    /// # Errors
    /// When the kernel refuses a handler.
    pub(super) fn listen() -> std::io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// Whether one arrived.
    pub(super) fn arrived(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
