//! From one thread to another: a producer, and a required consumer that checksums every event, each on its own core.
//!
//! Timed from the first publish to the moment when the consumer has acknowledged the last event. Both sides spin: on a machine
//! with one core the figures mean nothing. One criterion iteration is one call to publish; the consumer's thread is started
//! anew for each sample, outside the time.
//!
//! ```text
//! cargo bench --bench one_to_one
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput};
use ringbus::wait::BusySpin;
use ringbus::{Event, Producer, Ring};

use common::cores::{Side, pin};
use common::{CAPACITIES, Way, Words, checksum, expected_checksum, spinning_consumer, spinning_ring};

mod common;

/// How long it takes until everything published by `times` calls has been acknowledged.
fn hand_over<const W: usize>(
    ring: &Ring<Words<W>>,
    producer: &mut Producer<Words<W>, BusySpin>,
    way: Way,
    times: u64,
) -> Duration
where
    Words<W>: Event,
{
    let first = producer.next_sequence();
    let end = first + times * way.events() as u64;
    let mut consumer = spinning_consumer(ring);
    let ready = AtomicBool::new(false);
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            pin(Side::Consumer);
            ready.store(true, Ordering::Release);
            let mut sum = 0u64;
            while consumer.position() < end {
                let batch = consumer.read().expect("open");
                batch.for_each(|event, _, _| sum = sum.wrapping_add(checksum(event)));
            }
            let done = Instant::now();
            consumer.leave();
            (done, sum)
        });
        while !ready.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let start = Instant::now();
        way.repeat(producer, times);
        let (done, sum) = reading.join().expect("the consumer does not panic");
        assert_eq!(sum, expected_checksum::<W>(first.get()..end.get()));
        done - start
    })
}

fn one_to_one<const W: usize>(criterion: &mut Criterion, capacity: usize)
where
    Words<W>: Event,
{
    let mut group = criterion.benchmark_group(format!("one_to_one/{capacity}/{} B", W * 8));
    group.sampling_mode(SamplingMode::Flat);
    for way in Way::all(capacity).filter(|way| !matches!(way, Way::Claim(_))) {
        let (mut producer, ring) = spinning_ring(capacity);
        group.throughput(Throughput::Elements(way.events() as u64));
        group.bench_function(way.name(), |bencher| {
            bencher.iter_custom(|times| hand_over(&ring, &mut producer, way, times));
        });
    }
}

fn main() {
    let mut criterion = common::criterion();
    for capacity in CAPACITIES {
        one_to_one::<4>(&mut criterion, capacity);
        one_to_one::<8>(&mut criterion, capacity);
        one_to_one::<32>(&mut criterion, capacity);
    }
    criterion.final_summary();
}
