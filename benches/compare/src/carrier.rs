//! What a contender offers, in the terms of the workloads.
//!
//! A workload is written once, for every [`Carrier`]; a contender is a few lines that say how its library sends and receives. It
//! uses whatever its documentation offers that is fastest for the shape at hand: sends in batches by one call, reads all
//! that is there at once, in place where it can.

use std::ops::ControlFlow;

use bytemuck::Pod;
use core_affinity::CoreId;

/// What is carried.
pub(crate) trait Event: Pod + ringbus::Event + Default + Send + Sync + 'static {}

impl<E: Pod + ringbus::Event + Default + Send + Sync + 'static> Event for E {}

/// How a side waits, be it for events or for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Looks again at once: each thread has a core to itself.
    Spin,
    /// Gives the core up between two looks (`sched_yield`): there are more threads than cores.
    Yield,
}

impl Wait {
    /// After a fruitless look: for libraries that leave waiting to their users.
    #[inline(always)]
    pub(crate) fn once(self) {
        match self {
            Self::Spin => std::hint::spin_loop(),
            Self::Yield => std::thread::yield_now(),
        }
    }
}

/// What is to be built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Slots, a power of two.
    pub(crate) capacity: usize,
    pub(crate) wait: Wait,
    /// Where the consumer's thread runs. `None`: wherever the scheduler wants.
    pub(crate) core: Option<CoreId>,
}

/// What a consumer does with each event: it breaks after the last that it wants.
pub(crate) trait Handler<E>: FnMut(&E) -> ControlFlow<()> + Send + 'static {}

impl<E, H: FnMut(&E) -> ControlFlow<()> + Send + 'static> Handler<E> for H {}

/// Carries every event, in order, from one thread to one other.
pub(crate) trait Carrier {
    type Sender<E: Event>: Sender<E>;

    /// Starts a thread that calls `handler` for each event until it breaks, or until the sender is dropped and all that it sent
    /// is handled. (A library that runs consumers on threads of its own may go on calling a handler that breaks.)
    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E>;
}

/// The producer's end. Dropping it ends the consumers, and waits for nobody.
pub(crate) trait Sender<E>: Send + 'static {
    /// Waits while there is no room.
    fn send(&mut self, event: E);

    /// Sends all of `events` together: they become visible at once, if the library can do that. Waits while there is no room for
    /// them.
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>);
}

/// How several consumers hang together. Each gets every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Side by side.
    FanOut,
    /// Each after the one before.
    Pipeline,
}

/// Carries every event from one thread to three others.
pub(crate) trait Graph {
    type Sender<E: Event>: Sender<E>;

    /// As [`Carrier::open`], with the handlers in their order.
    fn open<E: Event>(setting: Setting, shape: Shape, handlers: [impl Handler<E>; 3]) -> Self::Sender<E>;
}

/// What a consumer that may be overrun gets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivery<'a, E> {
    Event(&'a E),
    /// So many were lost before the next, as the library tells. A library that does not tell never says this.
    Missed(u64),
}

/// Carries what the consumer has time for: the producer never waits.
pub(crate) trait Lossy {
    type Sender<E: Event>: Sender<E>;

    /// As [`Carrier::open`]. The handler may run for some events after it has broken.
    fn open<E: Event>(
        setting: Setting,
        handler: impl FnMut(Delivery<'_, E>) -> ControlFlow<()> + Send + 'static,
    ) -> Self::Sender<E>;
}
