//! What the benches share: the events, the ways to publish them, and who runs where.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

use criterion::Criterion;
use ringbus::wait::{BusySpin, WaitStrategy};
use ringbus::{Event, Producer, RequiredConsumer, Ring};

pub(crate) mod cores;
pub(crate) mod schedstat;
pub(crate) mod spread;

/// The capacities that every criterion bench runs at: one ring that stays in a core's own caches, and one that does not.
pub(crate) const CAPACITIES: [usize; 2] = [1_024, 65_536];

/// An event of `W` words. The first is its sequence, the others tell their place.
pub(crate) type Words<const W: usize> = [u64; W];

fn template<const W: usize>() -> Words<W> {
    std::array::from_fn(|place| place as u64)
}

/// The sum of all words of an event: what each consumer does with it, so that it reads the whole payload.
#[inline(always)]
pub(crate) fn checksum<const W: usize>(event: &Words<W>) -> u64 {
    event.iter().fold(0, |sum, word| sum.wrapping_add(*word))
}

/// The sum of the checksums of all events with these sequences.
pub(crate) fn expected_checksum<const W: usize>(sequences: Range<u64>) -> u64 {
    let places = checksum(&template::<W>());
    sequences.fold(0, |sum, sequence| sum.wrapping_add(sequence).wrapping_add(places))
}

/// How events get on the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// One event, one store of the cursor.
    Single,
    /// So many events from a slice, one store of the cursor.
    Batch(usize),
    /// So many slots claimed, filled one by one, and published by one store of the cursor.
    Claim(usize),
}

impl Way {
    /// Those that a ring of this capacity has room for.
    pub(crate) fn all(capacity: usize) -> impl Iterator<Item = Self> {
        [Self::Single, Self::Batch(10), Self::Batch(64), Self::Batch(1_000), Self::Claim(64)]
            .into_iter()
            .filter(move |way| way.events() <= capacity / 4)
    }

    /// How many events one call publishes.
    pub(crate) fn events(self) -> usize {
        match self {
            Self::Single => 1,
            Self::Batch(events) | Self::Claim(events) => events,
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Single => "single".into(),
            Self::Batch(events) => format!("batch {events}"),
            Self::Claim(events) => format!("claim {events}"),
        }
    }

    /// Publishes so many times. Each event is stamped with its sequence, in memory, as a caller's would be.
    #[inline(never)]
    pub(crate) fn repeat<const W: usize, S: WaitStrategy>(
        self,
        producer: &mut Producer<Words<W>, S>,
        times: u64,
    ) where
        Words<W>: Event,
    {
        const GOES_ON: &str = "no consumer fails, and the ring has room for this batch";
        let mut event = template();
        let mut next = producer.next_sequence().get();
        match self {
            Self::Single => {
                for _ in 0..times {
                    event[0] = next;
                    next += 1;
                    producer.publish(black_box(&event)).expect(GOES_ON);
                }
            }
            Self::Batch(events) => {
                let mut batch = vec![event; events];
                for _ in 0..times {
                    for event in &mut batch {
                        event[0] = next;
                        next += 1;
                    }
                    producer.publish_batch(black_box(&batch)).expect(GOES_ON);
                }
            }
            Self::Claim(events) => {
                for _ in 0..times {
                    let mut claim = producer.claim(events).expect(GOES_ON);
                    for _ in 0..events {
                        event[0] = next;
                        next += 1;
                        claim.push(black_box(&event)).expect(GOES_ON);
                    }
                    claim.publish().expect(GOES_ON);
                }
            }
        }
    }
}

/// A ring whose producer spins, for two threads that have a core each.
pub(crate) fn spinning_ring<E: Event>(capacity: usize) -> (Producer<E, BusySpin>, Ring<E>) {
    Ring::builder().capacity(capacity).wait(BusySpin).build().expect("a good capacity")
}

/// A required consumer that spins.
pub(crate) fn spinning_consumer<E: Event>(ring: &Ring<E>) -> RequiredConsumer<E, BusySpin> {
    ring.required("bench").wait(BusySpin).join().expect("a free place")
}

/// Many short measurements rather than a few long ones, on the producer's core. Arguments of the command line win.
pub(crate) fn criterion() -> Criterion {
    cores::pin(cores::Side::Producer);
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args()
}
