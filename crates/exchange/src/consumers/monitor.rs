//! Someone who looks on, and takes his time.

use std::convert::Infallible;
use std::thread;
use std::time::Duration;

use ringbus::worker::{Events, Handler};
use ringbus::{Ring, Sequence};

use crate::event::Event;

/// An optional consumer that is deliberately slow: it sleeps a fixed time for each event, as if it sent it over a bad
/// line. The core does not notice; what it was too slow for, it is told, and counts.
///
/// Once the ring is closed nobody overtakes it any more, and it reads the rest without sleeping.
#[derive(Debug)]
pub struct Monitor {
    delay: Duration,
    ring: Ring<Event>,
    events: u64,
    missed: u64,
    gaps: u64,
    largest_gap: u64,
}

impl Monitor {
    /// Takes `delay` for each event of `ring`.
    #[must_use]
    pub fn new(delay: Duration, ring: Ring<Event>) -> Self {
        Self { delay, ring, events: 0, missed: 0, gaps: 0, largest_gap: 0 }
    }

    /// How many events it got.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How many events it missed, in all gaps.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// How many times it was overrun.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// The most events that it missed in a row.
    #[must_use]
    pub fn largest_gap(&self) -> u64 {
        self.largest_gap
    }
}

impl Handler<Event> for Monitor {
    type Error = Infallible;

    fn batch(&mut self, events: &mut Events<'_, Event>) -> Result<(), Infallible> {
        let count = events.len() as u32;
        self.events += u64::from(count);
        if self.ring.end().is_none() {
            // In one piece: the operating system's timer is too coarse for single events.
            thread::sleep(self.delay * count);
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
