//! What publishing costs the producer: alone, and with one required consumer.
//!
//! `required` drains the consumer inline, on the same thread, whenever the ring is full: its time is the sum of writing,
//! reading and checksumming, without any traffic between cores. `fences` is alone, on a ring that wakes sleepers by full
//! fences where the others need none. One criterion iteration is one call.
//!
//! ```text
//! cargo bench --bench publish
//! ```

use std::sync::{Arc, Mutex};
use std::time::Instant;

use criterion::{Criterion, Throughput};
use ringbus::wait::{BusySpin, Turn, WaitStrategy};
use ringbus::{Event, Parking, RequiredConsumer, Ring};

use common::{CAPACITIES, Way, Words, checksum, expected_checksum, spinning_consumer};

mod common;

/// Waits for room by reading: the consumer lives on the producer's thread.
#[derive(Debug)]
struct Inline<const W: usize>(Arc<Mutex<Option<Sum<W>>>>)
where
    Words<W>: Event;

#[derive(Debug)]
struct Sum<const W: usize>
where
    Words<W>: Event,
{
    consumer: RequiredConsumer<Words<W>, BusySpin>,
    sum: u64,
}

impl<const W: usize> Sum<W>
where
    Words<W>: Event,
{
    fn drain(&mut self) {
        let Self { consumer, sum } = self;
        let batch = consumer.try_read().expect("called when there is something to read");
        batch.for_each(|event, _, _| *sum = sum.wrapping_add(checksum(event)));
    }
}

impl<const W: usize> WaitStrategy for Inline<W>
where
    Words<W>: Event,
{
    fn wait(&mut self, _: &Turn) {
        self.0.lock().expect("no panic").as_mut().expect("only a consumer can hold the ring up").drain();
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Setting {
    Alone,
    Fences,
    Required,
}

fn publish<const W: usize>(criterion: &mut Criterion, capacity: usize, setting: Setting)
where
    Words<W>: Event,
{
    let (name, parking) = match setting {
        Setting::Alone => ("alone", Parking::WhereFree),
        Setting::Fences => ("fences", Parking::Fences),
        Setting::Required => ("required", Parking::WhereFree),
    };
    let mut group = criterion.benchmark_group(format!("publish/{name}/{capacity}/{} B", W * 8));
    for way in Way::all(capacity) {
        let reader = Arc::default();
        let (mut producer, ring) = Ring::<Words<W>>::builder()
            .capacity(capacity)
            .parking(parking)
            .wait(Inline(Arc::clone(&reader)))
            .build()
            .expect("a good capacity");
        if setting == Setting::Required {
            *reader.lock().expect("no panic") = Some(Sum { consumer: spinning_consumer(&ring), sum: 0 });
        }
        group.throughput(Throughput::Elements(way.events() as u64));
        group.bench_function(way.name(), |bencher| {
            bencher.iter_custom(|times| {
                let start = Instant::now();
                way.repeat(&mut producer, times);
                start.elapsed()
            });
        });
        let reader = reader.lock().expect("no panic").take();
        if let Some(mut reader) = reader {
            if reader.consumer.lag() > 0 {
                reader.drain();
            }
            assert_eq!(reader.sum, expected_checksum::<W>(0..reader.consumer.leave().get()));
        }
    }
}

fn main() {
    let mut criterion = common::criterion();
    for setting in [Setting::Alone, Setting::Required] {
        for capacity in CAPACITIES {
            publish::<4>(&mut criterion, capacity, setting);
            publish::<8>(&mut criterion, capacity, setting);
            publish::<32>(&mut criterion, capacity, setting);
        }
    }
    publish::<8>(&mut criterion, CAPACITIES[0], Setting::Fences);
    criterion.final_summary();
}
