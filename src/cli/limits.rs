//! Limits that a shell or a service manager has set for us (setrlimit(2)).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Seconds of CPU before the kernel ends us for good: more than an undo takes.
const NOTICE: u64 = 10;

/// Takes what we may have: the limits that a process may raise for itself are for programs that run
/// away, and an undo that meets one half-way leaves a host that is neither. What only the
/// administrator may raise stays, and is looked at before anything is begun
/// ([`crate::host::ReadHost::largest_file`]).
///
/// A limit of CPU time is the other way round: at the hard one the kernel sends SIGKILL, so its notice
/// (SIGXCPU) must come before.
pub(super) fn take_what_we_may_have() {
    for resource in [
        Resource::Fsize,
        Resource::Nofile,
        Resource::As,
        Resource::Data,
    ] {
        let limit = getrlimit(resource);
        let raised = Rlimit {
            current: limit.maximum,
            ..limit
        };
        // Where the kernel refuses that it stays as it is, and is met as an error.
        let _ = setrlimit(resource, raised);
    }
    let limit = getrlimit(Resource::Cpu);
    if let Some(current) = notice(limit.current, limit.maximum) {
        let earlier = Rlimit {
            current: Some(current),
            ..limit
        };
        let _ = setrlimit(Resource::Cpu, earlier);
    }
}

/// The limit at which SIGXCPU comes in time before SIGKILL, where it would not.
fn notice(current: Option<u64>, maximum: Option<u64>) -> Option<u64> {
    let maximum = maximum?;
    let wanted = maximum.saturating_sub(NOTICE.min(maximum / 2));
    current
        .is_none_or(|current| current > wanted)
        .then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_comes_before_the_end() {
        for (current, maximum, wanted) in [
            (None, None, None),
            (Some(5), None, None),
            (Some(60), Some(60), Some(50)),
            (Some(20), Some(60), None),
            (Some(4), Some(4), Some(2)),
        ] {
            assert_eq!(notice(current, maximum), wanted, "{current:?} {maximum:?}");
        }
    }
}
