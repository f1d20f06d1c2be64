//! What reading costs a consumer whose events are there already: required, in place, and optional, by copy.
//!
//! Each criterion iteration fills three quarters of the ring, which is as much as an optional consumer can read, and times
//! how long the consumer takes to drain and checksum it. Reader and writer share a thread: no traffic between cores.
//!
//! ```text
//! cargo bench --bench read
//! ```

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use ringbus::{Event, Ring};

use common::{CAPACITIES, Way, Words, checksum, expected_checksum, spinning_consumer, spinning_ring};

mod common;

/// How many events an optional consumer copies by one validation.
const COPIED_AT_ONCE: usize = 64;

/// Times `drain`, which reads all that is published and returns the sum of the checksums.
fn time<const W: usize, C>(
    criterion: &mut Criterion,
    capacity: usize,
    name: &str,
    join: impl Fn(&Ring<Words<W>>) -> C,
    mut drain: impl FnMut(&mut C, usize) -> u64,
) where
    Words<W>: Event,
{
    let quarter = capacity / 4;
    let fill = 3 * quarter;
    let mut group = criterion.benchmark_group(format!("read/{capacity}/{} B", W * 8));
    group.throughput(Throughput::Elements(fill as u64));
    group.bench_function(name, |bencher| {
        let (mut producer, ring) = spinning_ring(capacity);
        let mut consumer = join(&ring);
        bencher.iter_custom(|times| {
            let mut total = Duration::ZERO;
            for _ in 0..times {
                let first = producer.next_sequence().get();
                Way::Batch(quarter).repeat(&mut producer, 3);
                let start = Instant::now();
                let sum = drain(&mut consumer, fill);
                total += start.elapsed();
                assert_eq!(sum, expected_checksum::<W>(first..producer.next_sequence().get()));
            }
            total
        });
        drop(producer); // so that the consumer may go too
    });
}

fn read<const W: usize>(criterion: &mut Criterion, capacity: usize)
where
    Words<W>: Event,
{
    time::<W, _>(criterion, capacity, "required for_each", spinning_consumer, |consumer, _| {
        let mut sum = 0u64;
        let batch = consumer.read().expect("open");
        batch.for_each(|event, _, _| sum = sum.wrapping_add(checksum(event)));
        sum
    });
    time::<W, _>(criterion, capacity, "required iter", spinning_consumer, |consumer, _| {
        let batch = consumer.read().expect("open");
        let sum = batch.iter().fold(0, |sum: u64, (_, event)| sum.wrapping_add(checksum(event)));
        batch.acknowledge();
        sum
    });
    let optional = |ring: &Ring<Words<W>>| ring.optional("bench").join().expect("starts at the newest");
    time::<W, _>(criterion, capacity, "optional try_recv", optional, |consumer, events| {
        (0..events).fold(0, |sum, _| {
            let (_, event) = consumer.try_recv().expect("published and not overwritten");
            sum.wrapping_add(checksum(&event))
        })
    });
    let mut buffer = Vec::with_capacity(COPIED_AT_ONCE);
    let name = format!("optional try_recv_many {COPIED_AT_ONCE}");
    time::<W, _>(criterion, capacity, &name, optional, |consumer, events| {
        let (mut sum, mut left) = (0, events);
        while left > 0 {
            buffer.clear();
            left -= consumer.try_recv_many(&mut buffer).expect("published and not overwritten").count;
            sum = buffer.iter().fold(sum, |sum: u64, event| sum.wrapping_add(checksum(event)));
        }
        sum
    });
}

fn main() {
    let mut criterion = common::criterion();
    for capacity in CAPACITIES {
        read::<4>(&mut criterion, capacity);
        read::<8>(&mut criterion, capacity);
        read::<32>(&mut criterion, capacity);
    }
    criterion.final_summary();
}
