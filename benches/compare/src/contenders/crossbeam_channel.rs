//! crossbeam-channel: a bounded channel, made for many senders and receivers, here with one of each.

use crossbeam_channel::{TrySendError, bounded};

use crate::measurement::Measurement;
use crate::work::{Work, consume};

pub(super) fn run(work: &Work) -> Measurement {
    let (source, mut tally) = work.sides();
    let (mut sender, receiver) = bounded(work.capacity);
    let consuming = consume(move || {
        while tally.wants_more() {
            if let Ok(event) = receiver.try_recv() {
                tally.take(&event);
            }
        }
    });
    let measurement = source.send_all(&mut sender, |sender, mut event| {
        while let Err(TrySendError::Full(refused)) = sender.try_send(event) {
            event = refused;
        }
    });
    consuming.join().expect("the consumer does not panic");
    measurement
}
