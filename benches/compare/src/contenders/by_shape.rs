//! One type for the producers of both shapes, for libraries where those are of different types.

use crate::carrier::{Event, Sender};

pub(super) enum ByShape<F, P> {
    FanOut(F),
    Pipeline(P),
}

impl<E: Event, F: Sender<E>, P: Sender<E>> Sender<E> for ByShape<F, P> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        match self {
            Self::FanOut(sender) => sender.send(event),
            Self::Pipeline(sender) => sender.send(event),
        }
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        match self {
            Self::FanOut(sender) => sender.send_batch(events),
            Self::Pipeline(sender) => sender.send_batch(events),
        }
    }
}
