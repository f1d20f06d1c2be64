//! Someone who looks on, and takes his time.

use std::convert::Infallible;
use std::thread;
use std::time::Duration;

use ringbus::Sequence;
use ringbus::bus::{Bus, RecordRef, Subscriber};

/// An optional subscriber that is deliberately slow: it sleeps a fixed time for each record, as if it sent it over a bad
/// line. The core does not notice; what it was too slow for, it is told, and counts.
///
/// Once the bus is closed nobody overtakes it any more, and it reads the rest without sleeping.
#[derive(Debug)]
pub struct Monitor<const PAYLOAD: usize> {
    delay: Duration,
    bus: Bus<PAYLOAD>,
    records: u64,
    /// Records for which it has not slept.
    owed: u32,
    missed: u64,
    gaps: u64,
    largest_gap: u64,
}

impl<const PAYLOAD: usize> Monitor<PAYLOAD> {
    /// Takes `delay` for each record of `bus`.
    #[must_use]
    pub fn new(delay: Duration, bus: Bus<PAYLOAD>) -> Self {
        Self { delay, bus, records: 0, owed: 0, missed: 0, gaps: 0, largest_gap: 0 }
    }

    /// How many records it got.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many sequences it missed, in all gaps.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// How many times it was overrun.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// The most sequences that it missed in a row.
    #[must_use]
    pub fn largest_gap(&self) -> u64 {
        self.largest_gap
    }
}

impl<const PAYLOAD: usize> Subscriber for Monitor<PAYLOAD> {
    type Error = Infallible;

    fn record(&mut self, _: RecordRef<'_>) -> Result<(), Infallible> {
        self.records += 1;
        self.owed += 1;
        Ok(())
    }

    fn batch_ended(&mut self) -> Result<(), Infallible> {
        // In one piece: the operating system's timer is too coarse for single records.
        let owed = std::mem::take(&mut self.owed);
        if self.bus.end().is_none() {
            thread::sleep(self.delay * owed);
        }
        Ok(())
    }

    fn lagged(&mut self, missed: u64, _resumed_at: Sequence) -> Result<(), Infallible> {
        self.missed += missed;
        self.gaps += 1;
        self.largest_gap = self.largest_gap.max(missed);
        Ok(())
    }
}
