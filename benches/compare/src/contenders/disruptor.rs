//! disruptor: single producer, one consumer on the thread that the library manages.

use disruptor::{BusySpin, ProcessorSettings, Producer, build_single_producer};

use crate::cores::{Side, core};
use crate::measurement::Measurement;
use crate::work::{Event, Work};

pub(super) fn run(work: &Work) -> Measurement {
    let (source, mut tally) = work.sides();
    let mut builder = build_single_producer(work.capacity, || Event::EMPTY, BusySpin);
    if let Some(core) = core(Side::Consumer) {
        builder = builder.pin_at_core(core.id);
    }
    let mut producer = builder.handle_events_with(move |event: &Event, _, _| tally.take(event)).build();
    source.send_all(&mut producer, |producer, event| producer.publish(|slot| *slot = event))
}
