//! So many events per second.

use std::num::NonZero;
use std::time::{Duration, Instant};

use ringbus::Sequence;

use crate::interrupt::NAP;

/// About so many events come of a transaction.
const EVENTS_OF_TRANSACTION: u32 = 5;
/// So often a block is made, if the rate allows it.
const BLOCKS_A_SECOND: u32 = 10;
/// The most transactions in a block.
const MOST_TRANSACTIONS: u32 = 100;
/// Who is so late (because the rate is too high, or the machine slept) does not make up for it.
const LATE: Duration = Duration::from_secs(1);

/// Says when the next block is due.
pub(super) struct Pace {
    rate: NonZero<u32>,
    next: Sequence,
    due: Instant,
}

impl Pace {
    /// From now and from sequence 0 on.
    pub(super) fn new(rate: NonZero<u32>) -> Self {
        Self { rate, next: Sequence::new(0), due: Instant::now() }
    }

    /// Blocks are as large as the rate asks for.
    pub(super) fn transactions_per_block(&self) -> u32 {
        (self.rate.get() / BLOCKS_A_SECOND / EVENTS_OF_TRANSACTION).clamp(1, MOST_TRANSACTIONS)
    }

    /// All before `next` is published.
    pub(super) fn published(&mut self, next: Sequence) {
        let events = next.since(self.next);
        self.next = next;
        self.due += Duration::from_secs_f64(events as f64 / f64::from(self.rate.get()));
        let now = Instant::now();
        if self.due + LATE < now {
            self.due = now;
        }
    }

    /// How long to sleep now, before asking again. `None`: the next block is due.
    pub(super) fn nap(&self) -> Option<Duration> {
        let left = self.due.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.min(NAP))
    }
}
