//! Sampled latency from publish to acknowledge: of one event in so many, when the producer had room for it, and when each
//! required consumer had acknowledged it.
//!
//! It costs the hot path nothing while it is off, and little while it is on: the producer's limit is lowered to the next event
//! that is to be sampled, so that it takes the slow path there, where it looks at the clock; a consumer compares its
//! position with the next sample once an acknowledgement.

use std::num::NonZero;
use std::time::Instant;

pub(crate) use hdrhistogram::Histogram;

use crate::member::Member;
use crate::ring::Core;
use crate::sync::{AtomicU64, Relaxed, lock};

/// When the sampled events were claimed. Written by the producer before it publishes them, read by consumers when they have
/// acknowledged them, and before they acknowledge anything else: the cursor and the gates order it, as they do the slots.
#[derive(Debug)]
pub(crate) struct Stamps {
    every: u64,
    began: Instant,
    /// Nanoseconds since `began`, by number of the sample.
    stamps: Box<[AtomicU64]>,
}

impl Stamps {
    pub(crate) fn new(every: NonZero<u64>, capacity: u64) -> Self {
        let every = every.get();
        // Those of two laps, wherever they begin: a stamp is read after its slot was given up, when the producer may be up to a
        // lap ahead of the consumer.
        let samples = (2 * capacity / every + 2).next_power_of_two();
        Self { every, began: Instant::now(), stamps: (0..samples).map(|_| AtomicU64::new(0)).collect() }
    }

    /// From a nanosecond to an hour, by two digits; what took longer counts as that. Its size is fixed: recording does not
    /// allocate.
    pub(crate) fn histogram(&self) -> Histogram<u64> {
        const AN_HOUR: u64 = 3_600_000_000_000;
        Histogram::new_with_bounds(1, AN_HOUR, 2).expect("good bounds")
    }

    /// The first sampled sequence from `sequence` on.
    pub(crate) fn first_from(&self, sequence: u64) -> u64 {
        sequence.next_multiple_of(self.every)
    }

    fn stamp(&self, sampled: u64) -> &AtomicU64 {
        &self.stamps[(sampled / self.every) as usize & (self.stamps.len() - 1)]
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// The producer has claimed these sequences.
    pub(crate) fn claimed(&self, sequences: std::ops::Range<u64>) {
        let mut sampled = self.first_from(sequences.start);
        if sampled < sequences.end {
            let now = self.now();
            while sampled < sequences.end {
                self.stamp(sampled).store(now, Relaxed);
                sampled += self.every;
            }
        }
    }
}

/// A consumer's side: the next sample it has to take.
#[derive(Debug)]
pub(crate) struct Recorder {
    due: u64,
}

impl Recorder {
    const NEVER: u64 = u64::MAX;

    pub(crate) fn starting_at(stamps: Option<&Stamps>, start: u64) -> Self {
        Self { due: stamps.map_or(Self::NEVER, |stamps| stamps.first_from(start)) }
    }

    /// What is before `position` was not read.
    pub(crate) fn skip_to(&mut self, core: &Core, position: u64) {
        *self = Self::starting_at(core.stamps.as_ref(), position);
    }

    /// Everything below `position` has just been acknowledged.
    #[inline(always)]
    pub(crate) fn acknowledged(&mut self, position: u64, core: &Core, member: &Member) {
        if position > self.due {
            self.record(position, core, member);
        }
    }

    #[cold]
    #[inline(never)]
    fn record(&mut self, position: u64, core: &Core, member: &Member) {
        let (Some(stamps), Some(latency)) = (&core.stamps, &member.latency) else { return };
        let now = stamps.now();
        let mut histogram = lock(latency);
        while self.due < position {
            let claimed = stamps.stamp(self.due).load(Relaxed);
            histogram.saturating_record(now.saturating_sub(claimed));
            self.due += stamps.every;
        }
    }
}
