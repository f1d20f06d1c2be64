//! ringbus: one required consumer.

use ringbus::wait::{BusySpin, Gather};
use ringbus::{Ring, WaitStrategy};

use crate::measurement::Measurement;
use crate::work::{Work, consume};

/// Spinning on both sides, like the others.
pub(super) fn spinning(work: &Work) -> Measurement {
    run(work, BusySpin)
}

/// The same, but the consumer lets events gather: throughput for latency.
pub(super) fn gathering(work: &Work) -> Measurement {
    run(work, Gather::new(BusySpin))
}

fn run(work: &Work, wait: impl WaitStrategy + 'static) -> Measurement {
    let (source, mut tally) = work.sides();
    let (mut producer, ring) =
        Ring::builder().capacity(work.capacity).wait(BusySpin).build().expect("a good capacity");
    let mut consumer = ring.required("sum").wait(wait).join().expect("a free place");
    let consuming = consume(move || {
        while let Ok(batch) = consumer.read() {
            batch.for_each(|event, _, _| tally.take(event));
        }
    });
    let measurement = source.send_all(&mut producer, |producer, event| {
        producer.publish(&event).expect("the consumer stays");
    });
    drop(producer); // ends the consumer
    consuming.join().expect("the consumer does not panic");
    measurement
}
