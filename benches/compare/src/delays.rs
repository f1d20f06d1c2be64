//! How long events were under way.

use hdrhistogram::Histogram;

use crate::clock::Clock;
use crate::record::Figures;

/// In ticks of a [`Clock`], three digits of each.
#[derive(Clone, Debug)]
pub(crate) struct Delays(Histogram<u64>);

impl Delays {
    /// What is longer counts as this: more than ten seconds, whatever the clock.
    const LONGEST: u64 = 100_000_000_000;

    pub(crate) fn new() -> Self {
        Self(Histogram::new_with_bounds(1, Self::LONGEST, 3).expect("good bounds"))
    }

    #[inline(always)]
    pub(crate) fn record(&mut self, ticks: u64) {
        self.0.saturating_record(ticks);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Where each delay is of so many hand-overs, one after the other; the figures are for one.
    pub(crate) fn figures(&self, clock: &Clock, hand_overs: u64, offered: Option<f64>, sent: f64) -> Figures {
        let at = |quantile| clock.nanoseconds(self.0.value_at_quantile(quantile)) / hand_overs;
        Figures::Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: at(1.0),
            offered,
            sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn figures_are_nanoseconds_of_one_hand_over() {
        let clock = Clock::start();
        let mut delays = Delays::new();
        delays.record(clock.ticks(Duration::from_secs(1)));
        delays.clear();
        for microseconds in 1..=1_000 {
            delays.record(clock.ticks(Duration::from_micros(2 * microseconds)));
        }
        let Figures::Latency { p50, p90, p99, p999, max, offered, sent } =
            delays.figures(&clock, 2, None, 5.0)
        else {
            panic!("delays are latencies");
        };
        for (figure, expected) in [(p50, 500), (p90, 900), (p99, 990), (p999, 999), (max, 1_000)] {
            let error = figure as f64 / (1_000.0 * f64::from(expected)) - 1.0;
            assert!(error.abs() < 0.002, "{figure} ns, expected {expected} us");
        }
        assert_eq!((offered, sent), (None, 5.0));
    }
}
