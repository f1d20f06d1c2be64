//! rtrb: a bounded queue, one push and one pop for each event.

use rtrb::{PushError, RingBuffer};

use crate::measurement::Measurement;
use crate::work::{Work, consume};

pub(super) fn run(work: &Work) -> Measurement {
    let (source, mut tally) = work.sides();
    let (mut producer, mut consumer) = RingBuffer::new(work.capacity);
    let consuming = consume(move || {
        while tally.wants_more() {
            if let Ok(event) = consumer.pop() {
                tally.take(&event);
            }
        }
    });
    let measurement = source.send_all(&mut producer, |producer, mut event| {
        while let Err(PushError::Full(refused)) = producer.push(event) {
            event = refused;
        }
    });
    consuming.join().expect("the consumer does not panic");
    measurement
}
