//! An optional consumer that takes its time.

use std::ops::Range;
use std::thread;
use std::time::Duration;

use ringbus::bus::{OptionalSubscription, Tally};
use ringbus::{RecvError, Sequence};

use crate::event::Event;

/// What the monitor saw.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) name: String,
    /// The events it got: where each began on the bus, and its fingerprint.
    pub(crate) got: Vec<(Sequence, u64)>,
    /// The sequences it was told to have missed.
    pub(crate) missed: Vec<Range<u64>>,
    /// In slots, as the bus counts them.
    pub(crate) tally: Tally,
    pub(crate) lag: u64,
}

/// Reads to the end of the stream, and rests after each few events: so it is overrun when the core is fast.
pub(crate) fn watch<const PAYLOAD: usize>(
    mut subscription: OptionalSubscription<PAYLOAD>,
    rest: Duration,
) -> Watched {
    const EVENTS_A_REST: usize = 16;
    let (mut got, mut missed) = (Vec::new(), Vec::new());
    loop {
        match subscription.recv() {
            Ok(record) => {
                got.push((record.sequence(), Event::on_bus(&record).fingerprint()));
                if got.len() % EVENTS_A_REST == 0 {
                    thread::sleep(rest);
                }
            }
            Err(RecvError::Lagged { missed: count, resumed_at }) => {
                missed.push(resumed_at.get() - count..resumed_at.get());
            }
            Err(RecvError::Ended(_)) => break,
            Err(error) => unreachable!("a waiting receive has no other answer: {error}"),
        }
    }
    Watched {
        name: subscription.name().to_owned(),
        got,
        missed,
        tally: subscription.tally(),
        lag: subscription.lag(),
    }
}
