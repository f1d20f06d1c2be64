//! Settings of a subscription that is about to join.

use super::filter::Filter;
use super::optional::SubscribeOptional;
use super::required::SubscribeRequired;
use super::{Bus, Shared};

/// A subscription that is about to join: made by [`Bus::subscribe`].
#[must_use = "nothing has subscribed before `join` or `spawn` is called"]
#[derive(Debug)]
pub struct Subscribe<'bus, const PAYLOAD: usize> {
    pub(super) shared: &'bus Shared<PAYLOAD>,
    pub(super) name: Box<str>,
    pub(super) filter: Filter,
}

impl<'bus, const PAYLOAD: usize> Subscribe<'bus, PAYLOAD> {
    pub(super) fn new(bus: &'bus Bus<PAYLOAD>, name: &str) -> Self {
        Self { shared: &bus.shared, name: name.into(), filter: Filter::all() }
    }

    /// Which records it gets; all, unless set.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// It gets every record that passes the filter, in order, and the writer waits for it.
    pub fn required(self) -> SubscribeRequired<'bus, PAYLOAD> {
        SubscribeRequired::new(self)
    }

    /// It never holds the writer up, and is told how much it missed.
    pub fn optional(self) -> SubscribeOptional<'bus, PAYLOAD> {
        SubscribeOptional::new(self)
    }
}
