//! ringfire: a ring in shared memory, here between threads of one process, each end with a mapping of its own.
//!
//! Events go in by `try_push`. `push` does the same, but sleeps where the ring is full. So does `push_batch`, which takes
//! events from a slice, so that they would have to be put there first; consumers find an event by the stamp of its slot, so
//! that it shows them each by itself all the same. Everything comes out by `recv_batch`, which copies what is there to a
//! buffer: a consumer cannot read in place. The ring is lossless (`LosslessBackpressure`) for consumers that get everything,
//! and overwrites (`LossyLatestWins`) for one that may be overrun; that one is told of losses by `lapped_count`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{array, env, fs, process};

use ringfire::{FlowControl, RingConsumer, RingProducer, RingProducerBuilder, RingfireError};

use super::Measure;
use super::polling::{Open, poll};
use crate::Outcome;
use crate::carrier::{Carrier, Delivery, Event, Graph, Handler, Lossy, Sender, Setting, Shape, Wait};
use crate::workloads::{Measured, Task, Workload, graph};

pub(super) struct Ringfire;

/// Events that a consumer takes at once: so many as in the library's own benchmark with a reader on another core.
const BUFFER: usize = 64;

pub(super) struct Pushing<E: Event> {
    producer: RingProducer<E>,
    wait: Wait,
    _open: Vec<Open>,
}

impl<E: Event> Sender<E> for Pushing<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        while self.producer.try_push(&event).is_err() {
            self.wait.once();
        }
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        events.for_each(|event| self.send(event));
    }
}

impl Carrier for Ringfire {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        carry(setting, [handler])
    }
}

/// It has no consumers that come after others.
pub(super) struct FanOut;

impl Measure for FanOut {
    fn takes(workload: &Workload) -> bool {
        matches!(workload.task, Task::Graph(Shape::FanOut, _))
    }

    fn measure(workload: &Workload, duration: Duration) -> Outcome<Measured> {
        Ok(graph::measure::<Self>(Shape::FanOut, workload.sends(), workload, duration))
    }
}

impl Graph for FanOut {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(setting: Setting, shape: Shape, handlers: [impl Handler<E>; 3]) -> Self::Sender<E> {
        assert_eq!(shape, Shape::FanOut, "it has no other");
        carry(setting, handlers)
    }
}

/// To each handler, without a loss.
fn carry<E: Event, const CONSUMERS: usize>(
    setting: Setting,
    handlers: [impl Handler<E>; CONSUMERS],
) -> Pushing<E> {
    // The producer looks for no more consumers than there are.
    let builder = RingProducerBuilder::new(setting.capacity as u64)
        .flow_control(FlowControl::LosslessBackpressure)
        .max_readers(CONSUMERS);
    let (producer, consumers) = build::<E, CONSUMERS>(builder);
    let open = consumers.into_iter().zip(handlers).map(|(mut consumer, mut handler)| {
        let mut buffer = [E::default(); BUFFER];
        poll(setting, move || {
            let found = consumer.recv_batch(&mut buffer);
            buffer[..found].iter().try_for_each(&mut handler)?;
            ControlFlow::Continue(found > 0)
        })
    });
    Pushing { producer, wait: setting.wait, _open: open.collect() }
}

impl Lossy for Ringfire {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(
        setting: Setting,
        mut handler: impl FnMut(Delivery<'_, E>) -> ControlFlow<()> + Send + 'static,
    ) -> Self::Sender<E> {
        let (producer, [mut consumer]) = build(RingProducerBuilder::new(setting.capacity as u64));
        let mut buffer = [E::default(); BUFFER];
        let mut missed = 0;
        let open = poll(setting, move || {
            let found = consumer.recv_batch(&mut buffer);
            if consumer.lapped_count() > missed {
                handler(Delivery::Missed(consumer.lapped_count() - missed))?;
                missed = consumer.lapped_count();
            }
            buffer[..found].iter().try_for_each(|event| handler(Delivery::Event(event)))?;
            ControlFlow::Continue(found > 0)
        });
        Pushing { producer, wait: setting.wait, _open: vec![open] }
    }
}

/// A new ring, with as many consumers as wanted. Its file is gone when this returns: the mappings keep the memory.
fn build<E: Event, const CONSUMERS: usize>(
    builder: RingProducerBuilder,
) -> (RingProducer<E>, [RingConsumer<E>; CONSUMERS]) {
    static RINGS: AtomicU64 = AtomicU64::new(0);
    // Relaxed, and no pair: each ring gets a number of its own, that is all.
    let ring = RINGS.fetch_add(1, Ordering::Relaxed);
    let path = shared_memory().join(format!("ringbus-compare-{}-{ring}", process::id()));
    let failed = |error: RingfireError| -> ! { panic!("a ring in {}: {error}", path.display()) };
    let producer = builder.build(&path).unwrap_or_else(|error| failed(error));
    let consumers = array::from_fn(|_| RingConsumer::attach(&path).unwrap_or_else(|error| failed(error)));
    fs::remove_file(&path).unwrap_or_else(|error| failed(error.into()));
    (producer, consumers)
}

/// Where Linux keeps shared memory; elsewhere, a file is mapped.
fn shared_memory() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() { shared } else { env::temp_dir() }
}
