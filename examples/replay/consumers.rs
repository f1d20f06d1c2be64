//! The two consumers: a store that must get everything, and a monitor that takes its time.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::time::{Duration, Instant};
use std::{hash, thread};

use hdrhistogram::Histogram;
use ringbus::{End, OptionalConsumer, RecvError, RequiredConsumer};

use crate::fragment::{Assembly, Fragment};

/// What went by: counted on the core's side and on the consumers', to be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// Blocks of different heights in a row: a block that appears twice is one.
    pub(crate) blocks: u32,
    pub(crate) kinds: BTreeMap<u16, u64>,
    /// How many blocks have so many events.
    pub(crate) block_sizes: BTreeMap<u64, u64>,
    /// Of kinds and contents, in order.
    pub(crate) checksum: u64,
    height: Option<u64>,
    events_in_block: u64,
}

impl Tally {
    /// Counts an event. Returns whether it is the first of a block.
    pub(crate) fn add(&mut self, height: u64, kind: u16, encoded: &[u8]) -> bool {
        let is_new_block = self.height != Some(height);
        if is_new_block {
            self.end_block();
            self.height = Some(height);
            self.blocks += 1;
        }
        self.events_in_block += 1;
        self.events += 1;
        self.bytes += encoded.len() as u64;
        *self.kinds.entry(kind).or_default() += 1;
        let mut hasher = hash::DefaultHasher::new();
        hasher.write_u64(self.checksum);
        hasher.write_u16(kind);
        hasher.write(encoded);
        self.checksum = hasher.finish();
        is_new_block
    }

    fn end_block(&mut self) {
        if self.height.take().is_some() {
            *self.block_sizes.entry(self.events_in_block).or_default() += 1;
        }
        self.events_in_block = 0;
    }
}

/// What a consumer has seen of the stream.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) tally: Tally,
    /// Events lost, whole or in part.
    pub(crate) missed_events: u64,
    /// The same in slots, as the ring counts them.
    pub(crate) delivered_slots: u64,
    pub(crate) missed_slots: u64,
    /// The largest lag seen, slots.
    pub(crate) largest_lag: u64,
    pub(crate) lag: u64,
    pub(crate) end: End,
}

/// What the store keeps besides.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) seen: Seen,
    /// From publish to handled, nanoseconds.
    pub(crate) latency: Histogram<u64>,
}

/// The required consumer: reads in place, and acknowledges batch by batch.
pub(crate) fn store(mut consumer: RequiredConsumer<Fragment>, start: Instant) -> Stored {
    let mut tally = Tally::default();
    let mut assembly = Assembly::default();
    const HOUR: u64 = 3_600_000_000_000;
    let mut latency = Histogram::new_with_bounds(1, HOUR, 3).expect("the bounds are in order");
    let mut largest_lag = 0;
    let end = loop {
        let batch = match consumer.read() {
            Ok(batch) => batch,
            Err(end) => break end,
        };
        largest_lag = largest_lag.max(batch.len() as u64);
        batch.for_each(|fragment, _sequence, _end_of_batch| {
            if let Some(encoded) = assembly.add(fragment) {
                tally.add(fragment.height, fragment.kind, encoded);
                latency.saturating_record(start.elapsed().as_nanos() as u64 - fragment.published_at);
            }
        });
    };
    tally.end_block();
    let seen = Seen {
        name: consumer.name().to_owned(),
        tally,
        missed_events: 0,
        delivered_slots: consumer.delivered(),
        missed_slots: 0,
        largest_lag,
        lag: consumer.lag(),
        end,
    };
    Stored { seen, latency }
}

/// The optional consumer: rests after each few events, and so is overrun when the core is fast.
pub(crate) fn watch(mut consumer: OptionalConsumer<Fragment>, rest: Duration) -> Seen {
    const EVENTS_A_REST: u64 = 16;
    let mut tally = Tally::default();
    let mut assembly = Assembly::default();
    let (mut next_event, mut missed_events, mut largest_lag) = (0, 0, 0);
    let end = loop {
        match consumer.recv() {
            Ok((_, fragment)) => {
                if let Some(encoded) = assembly.add(&fragment) {
                    // Events are numbered, so that a gap tells how many were lost, in part or whole.
                    missed_events += fragment.event - next_event;
                    next_event = fragment.event + 1;
                    tally.add(fragment.height, fragment.kind, encoded);
                    if tally.events % EVENTS_A_REST == 0 {
                        largest_lag = largest_lag.max(consumer.lag());
                        thread::sleep(rest);
                    }
                }
            }
            Err(RecvError::Lagged { .. }) => assembly.interrupt(),
            Err(RecvError::Ended(end)) => break end,
            Err(error) => unreachable!("a waiting receive has no other answer: {error}"),
        }
    };
    tally.end_block();
    Seen {
        name: consumer.name().to_owned(),
        tally,
        missed_events,
        delivered_slots: consumer.delivered(),
        missed_slots: consumer.missed(),
        largest_lag,
        lag: consumer.lag(),
        end,
    }
}
