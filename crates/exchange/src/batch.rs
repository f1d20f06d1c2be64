//! The events of one call, numbered.

use crate::event::{Event, Header};
use crate::payload::Payload;

/// Adds events to a buffer, and numbers them.
pub(crate) struct Batch<'a> {
    /// Of the last event.
    header: Header,
    first: u32,
    out: &'a mut Vec<Event>,
}

impl<'a> Batch<'a> {
    /// Goes on after `last`, the header of the block's last event.
    pub(crate) fn after(last: Header, out: &'a mut Vec<Event>) -> Self {
        Self { header: last, first: last.number, out }
    }

    pub(crate) fn push(&mut self, payload: Payload) {
        self.header.number += 1;
        self.out.push(Event::new(self.header, payload));
    }

    /// How many events the batch has.
    pub(crate) fn len(&self) -> u32 {
        self.header.number - self.first
    }

    /// The number of the block's last event.
    pub(crate) fn number(&self) -> u32 {
        self.header.number
    }
}
