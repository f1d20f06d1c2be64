//! Who is compared: one file each, with one function that does the work.
//!
//! A contender builds its ring with `work.capacity` slots, hands [`Tally`](crate::work::Tally) to its consumer, and returns what
//! [`Source::send_all`](crate::work::Source::send_all) measured, with its own way to send one event. Each is set up for the
//! lowest delay that its documentation offers, and waits by spinning.

use crate::measurement::Measurement;
use crate::work::Work;

mod crossbeam_channel;
mod disruptor;
mod ringbus;
mod rtrb;

#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Work) -> Measurement,
}

/// The first is what the others are measured by.
pub(crate) const ALL: &[Contender] = &[
    Contender { name: "ringbus", run: ringbus::spinning },
    Contender { name: "ringbus, Gather", run: ringbus::gathering },
    Contender { name: "disruptor", run: disruptor::run },
    Contender { name: "rtrb", run: rtrb::run },
    Contender { name: "crossbeam-channel", run: crossbeam_channel::run },
];

/// The contender of that name.
pub(crate) fn find(name: &str) -> Result<&'static Contender, String> {
    ALL.iter().find(|contender| contender.name == name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|contender| contender.name).collect();
        format!("there is no such contender; there are {}", names.join(", "))
    })
}
