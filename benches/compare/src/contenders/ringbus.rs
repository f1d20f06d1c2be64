//! ringbus: one required consumer.

use ringbus::Ring;
use ringbus::wait::BusySpin;

use crate::measurement::Measurement;
use crate::work::{Work, consume};

pub(super) fn run(work: &Work) -> Measurement {
    let (source, mut tally) = work.sides();
    let (mut producer, ring) =
        Ring::builder().capacity(work.capacity).wait(BusySpin).build().expect("a good capacity");
    let mut consumer = ring.required("sum").wait(BusySpin).join().expect("a free place");
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
