//! As fast as it goes: one producer, and required consumers that sum up every word of each event.

use std::thread;
use std::time::{Duration, Instant};

use ringbus::wait::{BusySpin, WaitStrategy, Yield};
use ringbus::{Producer, Progress, RequiredConsumer, Ring, Sequence};
use serde::Serialize;

use super::event::{Event, Tally, numbered};
use super::failure::Failure;
use super::placement::{Placement, Waits};

/// Slots of each ring that is measured: the events are on their way through more than the caches next to a core.
pub(crate) const CAPACITY: usize = 65_536;

/// So much is sent before the clock is started, so that no slot is touched for the first time later.
const WARM_UP: u64 = 2 * CAPACITY as u64;

/// Between two looks at the clock.
const BETWEEN_LOOKS: u64 = 8_192;

/// Until a consumer has warmed up. Only one that is stuck takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const PANICS: &str = "a thread that measures does not panic";

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Workload {
    #[serde(rename = "workload")]
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) consumers: usize,
    /// How many events become visible at once.
    pub(crate) batch: usize,
}

pub(crate) const WORKLOADS: [Workload; 4] = [
    Workload { name: "one-to-one, single", meaning: "one consumer, on another core", consumers: 1, batch: 1 },
    Workload {
        name: "one-to-one, batches of 64",
        meaning: "64 by one store of the cursor",
        consumers: 1,
        batch: 64,
    },
    Workload {
        name: "one-to-three, single",
        meaning: "three consumers, that get each event",
        consumers: 3,
        batch: 1,
    },
    Workload {
        name: "one-to-three, batches of 64",
        meaning: "64 by one store of the cursor",
        consumers: 3,
        batch: 64,
    },
];

/// What one measurement came to.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) events_per_second: f64,
    /// With those of the warm-up.
    pub(crate) sent: Tally,
    /// By each consumer.
    pub(crate) received: Vec<Tally>,
}

/// Lasts from the first event after the warm-up to the moment when the last consumer has handled the last one.
pub(crate) fn measure(
    workload: &Workload,
    placement: &Placement,
    duration: Duration,
) -> Result<Measured, Failure> {
    match placement.waits {
        Waits::Spinning => measure_by(BusySpin, workload, placement, duration),
        Waits::Yielding => measure_by(Yield, workload, placement, duration),
    }
}

fn measure_by<W: WaitStrategy + Copy + 'static>(
    wait: W,
    workload: &Workload,
    placement: &Placement,
    duration: Duration,
) -> Result<Measured, Failure> {
    let (producer, ring) =
        Ring::<Event>::builder().name(workload.name).capacity(CAPACITY).wait(wait).build()?;
    let join = |place| ring.required(&format!("consumer {place}")).wait(wait).join();
    let consumers = (1..=workload.consumers).map(join).collect::<Result<Vec<_>, _>>()?;
    let progress: Vec<Progress> = consumers.iter().map(RequiredConsumer::progress).collect();
    // All are started from here, and none by one that is pinned: it would have its core.
    thread::scope(|scope| {
        let receiving = (1..).zip(consumers).map(|(thread, consumer)| {
            scope.spawn(move || {
                placement.pin(thread);
                receive(consumer)
            })
        });
        let receiving: Vec<_> = receiving.collect();
        let sending = scope.spawn(|| {
            placement.pin(0);
            send(producer, &progress, workload.batch, duration)
        });
        let sent = sending.join().expect(PANICS)?;
        let received: Vec<_> = receiving.into_iter().map(|thread| thread.join().expect(PANICS)).collect();
        let end = received.iter().map(|(_, end)| *end).max().unwrap_or(sent.start);
        Ok(Measured {
            events_per_second: sent.events as f64 / (end - sent.start).as_secs_f64(),
            sent: sent.tally,
            received: received.into_iter().map(|(tally, _)| tally).collect(),
        })
    })
}

/// All events until the producer closes the ring, and when that was noticed.
fn receive(mut consumer: RequiredConsumer<Event, impl WaitStrategy>) -> (Tally, Instant) {
    let mut tally = Tally::default();
    while let Ok(batch) = consumer.read() {
        batch.for_each(|event, _, _| tally.take(event));
    }
    (tally, Instant::now())
}

struct Sent {
    start: Instant,
    /// Since then.
    events: u64,
    /// With those before.
    tally: Tally,
}

fn send(
    mut producer: Producer<Event, impl WaitStrategy>,
    consumers: &[Progress],
    batch: usize,
    duration: Duration,
) -> Result<Sent, Failure> {
    publish(&mut producer, 0, WARM_UP, batch)?;
    for consumer in consumers {
        let last = Sequence::new(WARM_UP - 1);
        consumer.wait_for(last, Instant::now() + PATIENCE)?;
    }
    let start = Instant::now();
    let mut next = WARM_UP;
    loop {
        publish(&mut producer, next, next + BETWEEN_LOOKS, batch)?;
        next += BETWEEN_LOOKS;
        if start.elapsed() >= duration {
            break;
        }
    }
    producer.close()?;
    Ok(Sent { start, events: next - WARM_UP, tally: Tally::of_series(0, 1, next) })
}

/// The hot loops: each a function of its own that gets the producer by reference, as a user's would.
fn publish(
    producer: &mut Producer<Event, impl WaitStrategy>,
    first: u64,
    end: u64,
    batch: usize,
) -> Result<(), Failure> {
    if batch == 1 { publish_each(producer, first, end) } else { publish_batches(producer, first, end, batch) }
}

#[inline(never)]
fn publish_each(
    producer: &mut Producer<Event, impl WaitStrategy>,
    first: u64,
    end: u64,
) -> Result<(), Failure> {
    for number in first..end {
        producer.publish(&numbered(number))?;
    }
    Ok(())
}

/// There is a whole number of batches.
#[inline(never)]
fn publish_batches(
    producer: &mut Producer<Event, impl WaitStrategy>,
    first: u64,
    end: u64,
    batch: usize,
) -> Result<(), Failure> {
    for first in (first..end).step_by(batch) {
        let mut claim = producer.claim(batch)?;
        for number in first..first + batch as u64 {
            claim.push(&numbered(number)).expect("as many as were claimed");
        }
        claim.publish()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_consumer_gets_every_event() {
        let placement = Placement { cores: vec![], waits: Waits::Yielding };
        for workload in &WORKLOADS {
            assert_eq!(BETWEEN_LOOKS % workload.batch as u64, 0, "a batch would be cut");
            let measured = measure(workload, &placement, Duration::from_millis(1)).unwrap();
            assert!(measured.sent.events > WARM_UP, "{}", workload.name);
            assert_eq!(measured.received, vec![measured.sent; workload.consumers], "{}", workload.name);
            assert!(measured.events_per_second > 0.0);
        }
    }
}
