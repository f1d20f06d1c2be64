//! What a thread that spins has lost.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::latency::histogram;

/// The times between two looks at the clock that are longer than looking takes.
#[derive(Clone, Debug)]
pub(crate) struct Gaps {
    /// Of those longer than [`LONGEST_LOOK`](Self::LONGEST_LOOK); nanoseconds.
    pub(crate) histogram: Histogram<u64>,
    /// Without those at the ends of gaps.
    looks: u64,
    looking: u64,
    lost: u64,
}

impl Gaps {
    /// Nanoseconds. What is longer is a gap.
    pub(crate) const LONGEST_LOOK: u64 = 1_000;

    pub(crate) fn new() -> Self {
        Self { histogram: histogram(), looks: 0, looking: 0, lost: 0 }
    }

    /// So many nanoseconds have passed since the last look.
    #[inline(always)]
    pub(crate) fn look(&mut self, nanoseconds: u64) {
        if nanoseconds <= Self::LONGEST_LOOK {
            self.looks += 1;
            self.looking += nanoseconds;
        } else {
            self.gap(nanoseconds);
        }
    }

    #[cold]
    fn gap(&mut self, nanoseconds: u64) {
        self.lost += nanoseconds;
        self.histogram.saturating_record(nanoseconds);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("they have the same bounds");
        self.looks += other.looks;
        self.looking += other.looking;
        self.lost += other.lost;
    }

    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// All in all.
    pub(crate) fn watched(&self) -> Duration {
        Duration::from_nanos(self.looking + self.lost)
    }

    pub(crate) fn looks(&self) -> u64 {
        self.looks
    }

    pub(crate) fn lost_percent(&self) -> f64 {
        share(self.lost as f64, (self.looking + self.lost) as f64) * 100.0
    }

    pub(crate) fn per_second(&self) -> f64 {
        share(self.count() as f64, self.watched().as_secs_f64())
    }

    /// What one look at the clock takes, in nanoseconds.
    pub(crate) fn look_nanoseconds(&self) -> f64 {
        share(self.looking as f64, self.looks as f64)
    }

    /// Nanoseconds, to three digits; 0 if there was none.
    pub(crate) fn worst(&self) -> u64 {
        self.histogram.max()
    }
}

/// 0 of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_a_look_is_lost() {
        let mut gaps = Gaps::new();
        for nanoseconds in [20, 30, 1_000, 1_001, 25, 8_000, 40, 9_999] {
            gaps.look(nanoseconds);
        }
        assert_eq!((gaps.count(), gaps.looks()), (3, 5));
        assert_eq!(gaps.watched(), Duration::from_nanos(20_115));
        assert!((gaps.lost_percent() - 19_000.0 / 20_115.0 * 100.0).abs() < 1e-9);
        assert!((gaps.look_nanoseconds() - 223.0).abs() < 1e-9);
        assert!((gaps.per_second() - 3.0 / 20_115e-9).abs() < 1e-3);
        assert_eq!(gaps.worst() / 10, 999, "to three digits");
    }

    #[test]
    fn gaps_of_several_rounds_add_up() {
        let (mut first, mut second) = (Gaps::new(), Gaps::new());
        first.look(10);
        first.look(5_000);
        second.look(30);
        second.look(2_000);
        first.add(&second);
        assert_eq!((first.count(), first.looks(), first.watched()), (2, 2, Duration::from_nanos(7_040)));
        assert!((first.look_nanoseconds() - 20.0).abs() < 1e-9);
    }

    #[test]
    fn of_nothing_nothing_is_lost() {
        let gaps = Gaps::new();
        let figures = [gaps.lost_percent(), gaps.per_second(), gaps.look_nanoseconds()];
        assert_eq!((figures, gaps.worst()), ([0.0; 3], 0));
    }
}
