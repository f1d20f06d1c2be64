//! Who tells the world.

use std::convert::Infallible;

use exchange::events::{BlockClosed, Trade};
use ringbus::bus::{Header, RecordRef, Subscriber};

/// A block that a gateway has acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acted {
    pub(crate) height: u64,
    /// The core's state hash at its end.
    pub(crate) state_hash: u64,
}

/// Tells the world what has happened, once that cannot be taken back any more: it comes after the journal. Here it counts what it would
/// tell, and calls `acted` at the end of each block.
///
/// It begins where this run does. What the last run had made durable and not told yet, a real one would find in the journal, from the
/// sequence on that it had told last.
pub(crate) struct Gateway<F> {
    /// The executions that it could send out.
    pub(crate) trades: u64,
    state_hash: u64,
    acted: F,
}

impl<F: FnMut(Acted) + Send + 'static> Gateway<F> {
    pub(crate) fn new(acted: F) -> Self {
        Self { trades: 0, state_hash: 0, acted }
    }
}

impl<F: FnMut(Acted) + Send + 'static> Subscriber for Gateway<F> {
    type Error = Infallible;

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        if record.get::<Trade>().is_some() {
            self.trades += 1;
        } else if let Some(closed) = record.get::<BlockClosed>() {
            self.state_hash = closed.state_hash;
        }
        Ok(())
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), Infallible> {
        (self.acted)(Acted { height: header.block_height, state_hash: self.state_hash });
        Ok(())
    }
}
