//! disrupt-rs: a fork of disruptor, used in the same way.
//!
//! Handlers on threads that the library manages, each event in place. Where each thread has a core: `publish`,
//! `batch_publish`, and `BusySpin` or `BusySpinWithSpinLoopHint`. For more threads than cores it has `YieldingWaitStrategy`,
//! which spins a hundred times before it gives the core up: it gets one of ours, which does so at once, and was up to four
//! times as fast here.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, Ordering, fence};
use std::thread;

use crossbeam_utils::CachePadded;
use disrupt_rs::wait_strategies::{
    BusySpinWaiter, BusySpinWithSpinLoopHintWaiter, NoopWakeupNotifier, WaitOutcome, WaitStrategy, Waiter,
};
use disrupt_rs::{
    Barrier, BusySpin, BusySpinWithSpinLoopHint, MultiConsumerBarrier, ProcessorSettings, Producer, Sequence,
    SingleConsumerBarrier, SingleProducer, build_single_producer,
};

use super::by_shape::ByShape;
use super::waits_elsewhere::WaitsElsewhere;
use crate::carrier::{Carrier, Event, Graph, Handler, Sender, Setting, Shape, Wait};

/// With a strategy for consumers that have a core each.
pub(super) struct DisruptRs<S>(PhantomData<S>);

pub(super) type Spinning = DisruptRs<BusySpin>;
pub(super) type Hinting = DisruptRs<BusySpinWithSpinLoopHint>;

pub(super) trait Spin {
    const STRATEGY: Waiting;
}

impl Spin for BusySpin {
    const STRATEGY: Waiting = Waiting::Spin;
}

impl Spin for BusySpinWithSpinLoopHint {
    const STRATEGY: Waiting = Waiting::Hint;
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
type ForOne<E> = SingleProducer<E, SingleConsumerBarrier, Waiting>;
type ForSeveral<E> = SingleProducer<E, MultiConsumerBarrier, Waiting>;

impl<S: Spin> Carrier for DisruptRs<S> {
    type Sender<E: Event> = Publishing<ForOne<E>>;

    fn open<E: Event>(setting: Setting, mut handler: impl Handler<E>) -> Self::Sender<E> {
        let mut builder = build_single_producer(setting.capacity, E::default, strategy::<S>(setting.wait));
        if let Some(core) = setting.core {
            builder = builder.pin_at_core(core.id);
        }
        let producer = builder.handle_events_with(move |event: &E, _, _| _ = handler(event)).build();
        Publishing { producer: WaitsElsewhere::new(producer) }
    }
}

impl<S: Spin> Graph for DisruptRs<S> {
    type Sender<E: Event> = ByShape<Trying<ForSeveral<E>>, Trying<ForOne<E>>>;

    fn open<E: Event>(setting: Setting, shape: Shape, handlers: [impl Handler<E>; 3]) -> Self::Sender<E> {
        let builder = build_single_producer(setting.capacity, E::default, strategy::<S>(setting.wait));
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
}

/// The library's strategies, and ours. Producers are of a type that names the strategy's: there has to be one for all.
#[derive(Clone, Copy)]
pub(super) enum Waiting {
    Spin,
    Hint,
    Yield,
}

fn strategy<S: Spin>(wait: Wait) -> Waiting {
    match wait {
        Wait::Spin => S::STRATEGY,
        Wait::Yield => Waiting::Yield,
    }
}

impl WaitStrategy for Waiting {
    type Waiter = ByStrategy;
    type Notifier = NoopWakeupNotifier;

    fn new_waiter(&self) -> ByStrategy {
        match self {
            Self::Spin => ByStrategy::Spin(BusySpin.new_waiter()),
            Self::Hint => ByStrategy::Hint(BusySpinWithSpinLoopHint.new_waiter()),
            Self::Yield => ByStrategy::Yield(Yielding),
        }
    }

    #[inline]
    fn notifier(&self) -> NoopWakeupNotifier {
        NoopWakeupNotifier
    }
}

pub(super) enum ByStrategy {
    Spin(BusySpinWaiter),
    Hint(BusySpinWithSpinLoopHintWaiter),
    Yield(Yielding),
}

impl Waiter for ByStrategy {
    #[inline]
    fn wait_for(
        &mut self,
        requested: Sequence,
        barrier: &impl Barrier,
        shutdown: &CachePadded<AtomicI64>,
    ) -> WaitOutcome {
        match self {
            Self::Spin(waiter) => waiter.wait_for(requested, barrier, shutdown),
            Self::Hint(waiter) => waiter.wait_for(requested, barrier, shutdown),
            Self::Yield(waiter) => waiter.wait_for(requested, barrier, shutdown),
        }
    }
}

/// Gives the core up between two looks.
pub(super) struct Yielding;

impl Waiter for Yielding {
    #[inline]
    fn wait_for(
        &mut self,
        requested: Sequence,
        barrier: &impl Barrier,
        shutdown: &CachePadded<AtomicI64>,
    ) -> WaitOutcome {
        loop {
            let upper = barrier.get_after(requested);
            if upper >= requested {
                // Acquire, for the Release store of the cursor that the barrier has read: the trait asks for it.
                fence(Ordering::Acquire);
                return WaitOutcome::Available { upper };
            }
            // Relaxed, as in the library's own strategies: nothing is read because of it.
            if shutdown.load(Ordering::Relaxed) == requested {
                return WaitOutcome::Shutdown;
            }
            thread::yield_now();
        }
    }
}
