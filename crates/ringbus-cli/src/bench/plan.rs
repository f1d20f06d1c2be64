//! How the time is divided.

use std::time::Duration;

use super::throughput::WORKLOADS;

/// How often each measurement is repeated, and how long it takes each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) hand_off: Duration,
    /// Of each workload.
    pub(crate) throughput: Duration,
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
}

impl Plan {
    const ROUNDS: u32 = 7;
    const QUICK_ROUNDS: u32 = 3;

    /// In so long.
    pub(crate) fn of(time: Duration) -> Self {
        Self::in_rounds(time, Self::ROUNDS)
    }

    /// Whether everything works.
    pub(crate) fn quick() -> Self {
        Self::in_rounds(Duration::from_millis(500), Self::QUICK_ROUNDS)
    }

    /// Half of the time for throughput, three tenths for latency, and most of the rest for jitter.
    fn in_rounds(time: Duration, rounds: u32) -> Self {
        let round = time / rounds;
        Self {
            rounds,
            hand_off: round.mul_f64(0.02),
            throughput: round.mul_f64(0.5) / WORKLOADS.len() as u32,
            latency: round.mul_f64(0.3),
            jitter: round.mul_f64(0.18),
        }
    }

    /// All measurements of all rounds.
    pub(crate) fn steps(&self) -> u64 {
        u64::from(self.rounds) * (WORKLOADS.len() as u64 + 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_time_is_used_and_no_more() {
        for (plan, seconds) in [(Plan::of(Duration::from_secs(10)), 10.0), (Plan::quick(), 0.5)] {
            let Plan { rounds, hand_off, throughput, latency, jitter } = plan;
            let round = hand_off + throughput * WORKLOADS.len() as u32 + latency + jitter;
            assert!(((round * rounds).as_secs_f64() / seconds - 1.0).abs() < 1e-6, "{plan:?}");
        }
    }
}
