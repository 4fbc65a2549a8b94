//! Signals: Ctrl-C, a terminal that goes away, a polite kill, and whatever else would end us by
//! default, ask the executor to take back what it began; the process then ends by itself.

use nix::libc;
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signals that end a process by default and that are sent from outside: by people, terminals,
/// service managers, timers and limits (signal(7)). Those that say that the program itself is
/// broken (SIGSEGV, SIGABRT, …) are not among them; SIGPIPE is ignored by the runtime.
const NOTED: [i32; 13] = [
    SIGINT,
    SIGTERM,
    SIGHUP,
    SIGQUIT,
    SIGUSR1,
    SIGUSR2,
    SIGALRM,
    SIGVTALRM,
    SIGPROF,
    SIGIO,
    SIGXCPU,
    libc::SIGPWR,
    libc::SIGSTKFLT,
];

/// Whether a signal arrived.
#[derive(Debug, Clone)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on these signals, and the real-time ones, are only noted. What we were started with
    /// as ignored stays so: whoever started us with nohup(1) wants us to outlive the terminal. (An
    /// ignored SIGINT only says that a script started us in the background.)
    ///
    /// Programs that we run have what we were started with: execve(2) takes handlers away.
    ///
    /// # Errors
    /// When the kernel refuses a handler.
    pub(super) fn listen() -> std::io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let real_time = libc::SIGRTMIN()..=libc::SIGRTMAX();
        for signal in NOTED.into_iter().chain(real_time) {
            if signal != SIGINT && is_ignored(signal) {
                continue;
            }
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Self(flag))
    }

    /// Whether one arrived.
    pub(super) fn arrived(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// From now on a file that grows beyond a limit (`RLIMIT_FSIZE`, setrlimit(2)) is an error of the
/// write, which is taken back like any other, and no signal that ends us.
///
/// # Errors
/// When the kernel refuses a handler.
pub(super) fn survive_file_limits() -> std::io::Result<()> {
    if is_ignored(SIGXFSZ) {
        return Ok(());
    }
    // A handler and not SIG_IGN, which programs that we run would inherit.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// Whether we were started with this signal ignored, as /proc/self/status says (`proc_pid_status(5)`).
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, signal))
}

fn ignores(status: &str, signal: i32) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals() {
        let status = "SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        assert!(ignores(status, SIGHUP));
        assert!(!ignores(status, SIGINT) && !ignores(status, SIGTERM));
        assert!(!ignores("", SIGHUP));
    }
}
