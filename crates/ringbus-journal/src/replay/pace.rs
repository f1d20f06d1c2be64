//! When a record is due.

use std::time::Duration;

/// How fast a journal is replayed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Speed {
    /// As fast as the bus takes the records.
    Full,
    /// As fast as it was: a block begins as long after the first as its time says.
    Recorded,
    /// So many times as fast as it was. (A number that is not above 0 is taken for 1.)
    Times(f64),
    /// A block each so often.
    EachBlock(Duration),
}

/// Knows when blocks are due.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    /// The first block's time.
    began: Option<i64>,
    blocks: u32,
}

impl Pace {
    pub(super) fn new(speed: Speed) -> Self {
        Self { speed, began: None, blocks: 0 }
    }

    /// Whether blocks are ever waited for.
    pub(super) fn is_full(&self) -> bool {
        self.speed == Speed::Full
    }

    /// A block of this time begins: how long after the first that is due.
    pub(super) fn block(&mut self, time: i64) -> Duration {
        let since_first = time.saturating_sub(*self.began.get_or_insert(time));
        let recorded = Duration::from_nanos(u64::try_from(since_first).unwrap_or(0));
        let number = self.blocks;
        self.blocks = number.saturating_add(1);
        match self.speed {
            Speed::Full => Duration::ZERO,
            Speed::Recorded => recorded,
            Speed::Times(times) => {
                let times = if times > 0.0 { times } else { 1.0 };
                Duration::try_from_secs_f64(recorded.as_secs_f64() / times).unwrap_or(Duration::MAX)
            }
            Speed::EachBlock(interval) => interval.saturating_mul(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(speed: Speed) -> [Duration; 4] {
        let mut pace = Pace::new(speed);
        [1_000, 4_000, 3_000, 61_000].map(|time| pace.block(time))
    }

    #[test]
    fn blocks_are_due_as_the_speed_says() {
        let nanos = |of: [u64; 4]| of.map(Duration::from_nanos);
        assert_eq!(due(Speed::Full), nanos([0; 4]));
        assert_eq!(due(Speed::Recorded), nanos([0, 3_000, 2_000, 60_000]));
        assert_eq!(due(Speed::Times(2.0)), nanos([0, 1_500, 1_000, 30_000]));
        assert_eq!(due(Speed::Times(0.5)), nanos([0, 6_000, 4_000, 120_000]));
        for wrong in [0.0, -1.0, f64::NAN] {
            assert_eq!(due(Speed::Times(wrong)), nanos([0, 3_000, 2_000, 60_000]));
        }
        assert_eq!(due(Speed::EachBlock(Duration::from_nanos(7))), nanos([0, 7, 14, 21]));
    }

    #[test]
    fn no_time_is_too_far() {
        let mut pace = Pace::new(Speed::Times(1e-300));
        assert_eq!(pace.block(i64::MIN), Duration::ZERO);
        assert_eq!(pace.block(i64::MAX), Duration::MAX);
        assert_eq!(pace.block(i64::MIN), Duration::ZERO);
    }
}
