//! Which state the machine is in. There are virtual machines on which a cache line goes from core to core twenty times slower at one
//! minute than at the next, for everybody alike; each measurement says how it was right before and right after.

use std::thread;
use std::time::{Duration, Instant};

use crate::cores::{Side, core, pin};
use crate::hand_off::Echo;

/// What a hand-off took before and after a measurement, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The cores were near each other.
    Near,
    /// They were far apart.
    Far,
    /// Not the same before and after.
    Changed,
    /// There were not two cores.
    Unknown,
}

impl State {
    /// What takes as long as this, or longer, is far.
    const FAR_NS: f64 = 100.0;

    pub(crate) fn of(hand_off_ns: Option<[f64; 2]>) -> Self {
        match hand_off_ns.map(|both| both.map(|nanoseconds| nanoseconds >= Self::FAR_NS)) {
            Some([false, false]) => Self::Near,
            Some([true, true]) => Self::Far,
            Some(_) => Self::Changed,
            None => Self::Unknown,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Far => "far",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }
}

/// How long a cache line takes now from the producer's core to the consumer's, nanoseconds: the median of some means. `None`: there
/// are not two cores to be had.
pub(crate) fn hand_off_ns() -> Option<f64> {
    const MEANS: usize = 5;
    core(Side::Consumer)?;
    // On a thread of its own, because a workload may want the calling one to run anywhere.
    let timing = thread::spawn(|| {
        pin(Side::Producer);
        let mut echo = Echo::start();
        let mut means: [f64; MEANS] = std::array::from_fn(|_| mean_ns(&mut echo));
        means.sort_by(f64::total_cmp);
        means[MEANS / 2]
    });
    Some(timing.join().expect("timing does not panic"))
}

/// For one way, over about a millisecond.
fn mean_ns(echo: &mut Echo) -> f64 {
    const BETWEEN_LOOKS: u32 = 32;
    let start = Instant::now();
    let mut ways = 0;
    loop {
        (0..BETWEEN_LOOKS).for_each(|_| echo.round_trip());
        ways += 2 * BETWEEN_LOOKS;
        let passed = start.elapsed();
        if passed >= Duration::from_millis(1) {
            return passed.as_nanos() as f64 / f64::from(ways);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_counts_only_if_it_lasted() {
        assert_eq!(State::of(Some([30.0, 99.9])), State::Near);
        assert_eq!(State::of(Some([100.0, 3_000.0])), State::Far);
        assert_eq!(State::of(Some([30.0, 100.0])), State::Changed);
        assert_eq!(State::of(Some([3_000.0, 80.0])), State::Changed);
        assert_eq!(State::of(None), State::Unknown);
    }

    #[test]
    fn a_hand_off_takes_some_time() {
        assert!(hand_off_ns().is_none_or(|nanoseconds| nanoseconds > 0.0));
    }
}
