//! As fast as it goes.

use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytemuck::AnyBitPattern;
use ringbus::wait::BusySpin;
use ringbus::{Event, Producer, ReadFrom, RequiredConsumer, Ring};

use crate::common::cores::{Side, pin};
use crate::common::schedstat::SchedStat;
use crate::common::{Way, Words, checksum, spinning_consumer};
use crate::event::{event, sum_of};
use crate::setting::{Placed, Setting};

/// Nanoseconds an event: until it is published, or, where there is a required consumer, until that has read it. Measured anew if something
/// else took the producer's core, where nobody of these is.
pub(crate) fn nanoseconds_an_event<const W: usize>(setting: Setting, way: Way, duration: Duration) -> f64
where
    Words<W>: Event + AnyBitPattern,
{
    const TRIES: usize = 3;
    for _ in 1..TRIES {
        if let (took, false) = measure::<W>(setting, way, duration) {
            return took;
        }
    }
    measure::<W>(setting, way, duration).0
}

/// The same, once; and whether it was disturbed.
fn measure<const W: usize>(setting: Setting, way: Way, duration: Duration) -> (f64, bool)
where
    Words<W>: Event + AnyBitPattern,
{
    let Placed { mut producer, ring, path, _directory } = setting.ring::<W>();
    let company = setting.company.join(path.as_deref());
    let reading = setting.is_required.then(|| add_up(spinning_consumer(&ring)));
    let published = publish(&mut producer, way, setting.capacity, duration);
    let end = producer.next_sequence().get();
    let mut took = published.took;
    match reading {
        Some(reading) => {
            let began = Instant::now();
            drop(producer); // closes the ring, and so ends the consumer
            let (sum, done) = reading.join().expect("the consumer does not panic");
            assert_eq!(sum, sum_of::<W>(0, end));
            took += done.saturating_duration_since(began);
        }
        None => {
            check_the_last(&ring, end);
            drop(producer);
        }
    }
    for child in company {
        child.finish::<u64>();
    }
    (took.as_nanos() as f64 / published.events as f64, published.is_disturbed)
}

pub(crate) struct Published {
    pub(crate) events: u64,
    pub(crate) took: Duration,
    /// The thread waited for its core for more than a fiftieth of the time.
    is_disturbed: bool,
}

/// Publishes a lap to warm up, and then for that long.
pub(crate) fn publish<const W: usize>(
    producer: &mut Producer<Words<W>, BusySpin>,
    way: Way,
    capacity: usize,
    duration: Duration,
) -> Published
where
    Words<W>: Event,
{
    const BETWEEN_LOOKS: usize = 4_096;
    let mut batch = vec![[0; W]; way.events()];
    repeat(producer, &mut batch, capacity);
    let first = producer.next_sequence().get();
    let before = SchedStat::of_this_thread();
    let start = Instant::now();
    let took = loop {
        repeat(producer, &mut batch, BETWEEN_LOOKS);
        let passed = start.elapsed();
        if passed >= duration {
            break passed;
        }
    };
    let waited =
        before.zip(SchedStat::of_this_thread()).map(|(before, after)| after.waiting - before.waiting);
    let is_disturbed = waited.is_some_and(|waited| waited > took / 50);
    Published { events: producer.next_sequence().get() - first, took, is_disturbed }
}

/// Publishes about so many events, in such batches. Each has its sequence for a number.
#[inline(never)]
pub(crate) fn repeat<const W: usize>(
    producer: &mut Producer<Words<W>, BusySpin>,
    batch: &mut [Words<W>],
    events: usize,
) where
    Words<W>: Event,
{
    const GOES_ON: &str = "nobody fails, and the ring has room for such a batch";
    let mut next = producer.next_sequence().get();
    if batch.len() == 1 {
        for number in next..next + events as u64 {
            producer.publish(&event(number)).expect(GOES_ON);
        }
        return;
    }
    for _ in 0..events / batch.len() {
        for (place, number) in batch.iter_mut().zip(next..) {
            *place = event(number);
        }
        next += batch.len() as u64;
        producer.publish_batch(batch).expect(GOES_ON);
    }
}

/// A thread on the other core that reads to the end. Returns the sum of all checksums, and when it was done.
fn add_up<const W: usize>(mut consumer: RequiredConsumer<Words<W>, BusySpin>) -> JoinHandle<(u64, Instant)>
where
    Words<W>: Event,
{
    let ready = Arc::new(Barrier::new(2));
    let reading = thread::spawn({
        let ready = Arc::clone(&ready);
        move || {
            pin(Side::Consumer);
            ready.wait();
            let mut sum = 0u64;
            while let Ok(batch) = consumer.read() {
                batch.for_each(|event, _, _| sum = sum.wrapping_add(checksum(event)));
            }
            (sum, Instant::now())
        }
    });
    ready.wait();
    reading
}

/// Nobody has read: what is on the ring must be right.
fn check_the_last<const W: usize>(ring: &Ring<Words<W>>, end: u64)
where
    Words<W>: Event,
{
    let oldest = ReadFrom::Oldest { headroom: 0 };
    let mut checking = ring.optional("check").start(oldest).join().expect("it starts at the oldest");
    let (first, mut sum) = (checking.position().get(), 0u64);
    while let Ok((_, event)) = checking.try_recv() {
        sum = sum.wrapping_add(checksum(&event));
    }
    assert_eq!((checking.position().get(), sum), (end, sum_of::<W>(first, end)));
}
