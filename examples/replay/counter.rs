//! A required consumer that counts what it is told.

use std::convert::Infallible;

use ringbus::bus::{Header, RecordRef, Subscriber};

use crate::event::Event;
use crate::tally::Tally;

/// Counts. It knows of the file nothing but what the bus brings.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    pub(crate) tally: Tally,
}

impl Subscriber for Counter {
    type Error = Infallible;

    fn block_begun(&mut self, header: &Header) -> Result<(), Infallible> {
        self.tally.block(header.block_height).begun += 1;
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        self.tally.add(record.block_height(), &Event::on_bus(&record));
        Ok(())
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), Infallible> {
        self.tally.block(header.block_height).ended += 1;
        Ok(())
    }
}
