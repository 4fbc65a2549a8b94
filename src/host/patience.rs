//! How long, and how much of it, an answer may be.

use std::time::Duration;

/// The deadlines and sizes of everything that is asked. Each question has its own, and all questions
/// of one look at a host have one together: what is late or too big is then unknown by its name, and
/// the rest is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long a connection may take. connect(2) to a unix socket whose queue is full waits for
    /// ever otherwise (unix(7)).
    pub connect: Duration,
    /// How long the first line of an answer and its headers may take.
    pub first_byte: Duration,
    /// How long a whole answer may take: the daemon's, and that of a program which only reports.
    pub answer: Duration,
    /// How long all questions of one look at a host may take together.
    pub all: Duration,
    /// The largest body of an answer, in bytes. `/containers/json` of a thousand containers is about
    /// 2 MiB.
    pub largest: u64,
    /// The bodies of all answers together, in bytes.
    pub together: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            all: Duration::from_secs(45),
            largest: 64 << 20,
            together: 128 << 20,
        }
    }
}

impl Patience {
    /// The deadline of a service (`--deadline`) that goes with the deadlines of [`Self::default`].
    const USUAL: Duration = Duration::from_secs(120);

    /// No question has less, however short the deadline is: a healthy daemon on a busy host takes so
    /// long at times.
    const SHORTEST: Duration = Duration::from_secs(1);

    /// The deadlines of somebody who gives services this long: shorter and longer in proportion, but
    /// none below a second. The sizes stay.
    #[must_use]
    pub fn scaled(service: Duration) -> Self {
        let usual = Self::default();
        let scale = |time: Duration| {
            let scaled = time.mul_f64(service.as_secs_f64() / Self::USUAL.as_secs_f64());
            scaled.max(Self::SHORTEST)
        };
        Self {
            connect: scale(usual.connect),
            first_byte: scale(usual.first_byte),
            answer: scale(usual.answer),
            all: scale(usual.all),
            ..usual
        }
    }

    /// No deadline is longer than this, but for that of all together, which is `all`.
    #[must_use]
    pub(super) fn at_most(answer: Duration, all: Duration) -> Self {
        let usual = Self::default();
        Self {
            connect: usual.connect.min(answer),
            first_byte: answer,
            answer,
            all,
            ..usual
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_of_a_service_scales_all() {
        assert_eq!(
            Patience::scaled(Duration::from_secs(120)),
            Patience::default()
        );
        for (service, expected) in [
            (3600, [150_000, 300_000, 600_000, 1_350_000]),
            (240, [10_000, 20_000, 40_000, 90_000]),
            (60, [2_500, 5_000, 10_000, 22_500]),
            (12, [1_000, 1_000, 2_000, 4_500]),
            (1, [1_000, 1_000, 1_000, 1_000]),
        ] {
            let it = Patience::scaled(Duration::from_secs(service));
            let found = [it.connect, it.first_byte, it.answer, it.all];
            assert_eq!(found.map(|time| time.as_millis()), expected, "{service}");
            assert_eq!((it.largest, it.together), (64 << 20, 128 << 20));
        }
    }
}
