//! disruptor: the LMAX pattern, with consumers on threads that the library manages.
//!
//! Handlers get each event in place. Where each thread has a core, the producer waits for room by `publish` and `batch_publish`,
//! and consumers by `BusySpin`, which its documentation calls the strategy of lowest latency, or by `BusySpinWithSpinLoopHint`,
//! which often was faster here. For more threads than cores it has no strategy that gives the core up: it gets ours, and the
//! producer gives the core up between two `try_publish`.

use std::marker::PhantomData;
use std::thread;

use disruptor::wait_strategies::WaitStrategy;
use disruptor::{
    BusySpin, BusySpinWithSpinLoopHint, MultiConsumerBarrier, ProcessorSettings, Producer, Sequence,
    SingleConsumerBarrier, SingleProducer, build_single_producer,
};

use super::by_shape::ByShape;
use super::waits_elsewhere::WaitsElsewhere;
use crate::carrier::{Carrier, Event, Graph, Handler, Sender, Setting, Shape, Wait};

/// With a strategy for consumers that have a core each.
pub(super) struct Disruptor<S>(PhantomData<S>);

pub(super) type Spinning = Disruptor<BusySpin>;
pub(super) type Hinting = Disruptor<BusySpinWithSpinLoopHint>;

pub(super) trait Spin: WaitStrategy + 'static {
    const STRATEGY: Self;
}

impl Spin for BusySpin {
    const STRATEGY: Self = Self;
}

impl Spin for BusySpinWithSpinLoopHint {
    const STRATEGY: Self = Self;
}

/// Waits for room by the library's own means: it spins.
pub(super) struct Publishing<P: Send + 'static> {
    producer: WaitsElsewhere<P>,
}

impl<E: Event, P: Producer<E> + Send + 'static> Sender<E> for Publishing<P> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        self.producer.publish(|slot| *slot = event);
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        self.producer.batch_publish(events.len(), |slots| {
            for (slot, event) in slots.zip(events) {
                *slot = event;
            }
        });
    }
}

/// Waits for room as it is told.
pub(super) struct Trying<P: Send + 'static> {
    producer: WaitsElsewhere<P>,
    wait: Wait,
}

impl<P: Send + 'static> Trying<P> {
    fn new(producer: P, wait: Wait) -> Self {
        Self { producer: WaitsElsewhere::new(producer), wait }
    }
}

impl<E: Event, P: Producer<E> + Send + 'static> Sender<E> for Trying<P> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        while self.producer.try_publish(|slot| *slot = event).is_err() {
            self.wait.once();
        }
    }

    #[inline(always)]
    fn send_batch(&mut self, mut events: impl ExactSizeIterator<Item = E>) {
        let batch = events.len();
        loop {
            let sent = self.producer.try_batch_publish(batch, |slots| {
                for (slot, event) in slots.zip(&mut events) {
                    *slot = event;
                }
            });
            if sent.is_ok() {
                break;
            }
            self.wait.once();
        }
    }
}

/// The producer waits for one consumer, or for several.
type ForOne<E> = SingleProducer<E, SingleConsumerBarrier>;
type ForSeveral<E> = SingleProducer<E, MultiConsumerBarrier>;

impl<S: Spin> Carrier for Disruptor<S> {
    type Sender<E: Event> = Publishing<ForOne<E>>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        match setting.wait {
            Wait::Spin => carry(setting, S::STRATEGY, handler),
            Wait::Yield => carry(setting, Yield, handler),
        }
    }
}

fn carry<E: Event>(
    setting: Setting,
    strategy: impl WaitStrategy + 'static,
    mut handler: impl Handler<E>,
) -> Publishing<ForOne<E>> {
    let mut builder = build_single_producer(setting.capacity, E::default, strategy);
    if let Some(core) = setting.core {
        builder = builder.pin_at_core(core.id);
    }
    let producer = builder.handle_events_with(move |event: &E, _, _| _ = handler(event)).build();
    Publishing { producer: WaitsElsewhere::new(producer) }
}

impl<S: Spin> Graph for Disruptor<S> {
    type Sender<E: Event> = ByShape<Trying<ForSeveral<E>>, Trying<ForOne<E>>>;

    fn open<E: Event>(setting: Setting, shape: Shape, handlers: [impl Handler<E>; 3]) -> Self::Sender<E> {
        match setting.wait {
            Wait::Spin => connect(setting, shape, S::STRATEGY, handlers),
            Wait::Yield => connect(setting, shape, Yield, handlers),
        }
    }
}

fn connect<E: Event>(
    setting: Setting,
    shape: Shape,
    strategy: impl WaitStrategy + 'static,
    handlers: [impl Handler<E>; 3],
) -> ByShape<Trying<ForSeveral<E>>, Trying<ForOne<E>>> {
    let builder = build_single_producer(setting.capacity, E::default, strategy);
    let [first, second, third] =
        handlers.map(|mut handler| move |event: &E, _: Sequence, _: bool| _ = handler(event));
    match shape {
        Shape::FanOut => {
            let builder =
                builder.handle_events_with(first).handle_events_with(second).handle_events_with(third);
            ByShape::FanOut(Trying::new(builder.build(), setting.wait))
        }
        Shape::Pipeline => {
            let builder = builder.handle_events_with(first).and_then();
            let builder = builder.handle_events_with(second).and_then();
            let builder = builder.handle_events_with(third);
            ByShape::Pipeline(Trying::new(builder.build(), setting.wait))
        }
    }
}

/// Gives the core up between two looks.
#[derive(Clone, Copy)]
struct Yield;

impl WaitStrategy for Yield {
    #[inline]
    fn wait_for(&self, _: Sequence) {
        thread::yield_now();
    }
}
