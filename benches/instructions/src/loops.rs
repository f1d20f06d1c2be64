//! The loops that are counted. Each handles [`EVENTS`] events, or a little less if its batches do not divide them.
//!
//! A loop is a function that is not inlined, so that callgrind can collect within it alone. What others do meanwhile (a
//! consumer has to be fed) is not collected, apart from the call.

use ringbus::Ring;
use ringbus::wait::BusySpin;

use crate::event::Words;

mod publish;
mod read;

/// Two laps: what happens once a lap is in the counts.
const EVENTS: u64 = 2 * CAPACITY as u64;
const CAPACITY: usize = 65_536;

type Producer<const W: usize> = ringbus::Producer<Words<W>, BusySpin>;

/// A function to be counted.
pub(crate) struct Counted {
    /// Its path, without type arguments.
    pub(crate) function: &'static str,
    /// Sets up, and calls it once. Returns how many events it handled.
    pub(crate) run: Box<dyn Fn() -> u64>,
}

impl Counted {
    fn new(function: &'static str, run: impl Fn() -> u64 + 'static) -> Self {
        Self { function, run: Box::new(run) }
    }
}

/// What ringbus does, and the same without ringbus.
pub(crate) struct Loop {
    /// Names it in the table and in the record.
    pub(crate) name: String,
    pub(crate) subject: Counted,
    pub(crate) harness: Counted,
    /// Whether its assembly is printed where no loop is named.
    pub(crate) listed: bool,
}

impl Loop {
    fn new(name: impl Into<String>, subject: Counted, harness: Counted) -> Self {
        Self { name: name.into(), subject, harness, listed: false }
    }

    fn listed(self) -> Self {
        Self { listed: true, ..self }
    }
}

pub(crate) fn all() -> Vec<Loop> {
    publish::all().into_iter().chain(read::all()).collect()
}

/// What callgrind does not collect, wherever it is called.
pub(crate) const NOT_COUNTED: &str = read::PUBLISH_NEXT;

fn ring<const W: usize>() -> (Producer<W>, Ring<Words<W>>) {
    Ring::builder().capacity(CAPACITY).wait(BusySpin).build().expect("the settings are right")
}
