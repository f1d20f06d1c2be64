//! How long things took, in nanoseconds.

use hdrhistogram::Histogram;

/// Of one run, without the first tenth of it, while caches and clocks warm up.
#[derive(Clone, Debug)]
pub(crate) struct Delays {
    histogram: Histogram<u64>,
    first: u64,
}

/// The median, and what one in a hundred and one in a thousand exceeds, and the largest.
pub(crate) type Quantiles = [f64; 4];

pub(crate) const COLUMNS: &str = "p50, ns | p99 | p99.9 | max";

impl Delays {
    /// For a run of so many.
    pub(crate) fn of(count: u64) -> Self {
        let histogram = Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("good bounds");
        Self { histogram, first: count / 10 }
    }

    #[inline(always)]
    pub(crate) fn record(&mut self, number: u64, nanoseconds: u64) {
        if number >= self.first {
            self.histogram.saturating_record(nanoseconds);
        }
    }

    pub(crate) fn quantiles(&self) -> Quantiles {
        [0.5, 0.99, 0.999, 1.0].map(|quantile| self.histogram.value_at_quantile(quantile) as f64)
    }
}
