//! ringbus: consumers with what the builders choose, apart from the capacity and the wait strategy that the workload prescribes.

use std::ops::ControlFlow;

use core_affinity::CoreId;
use ringbus::wait::{BusySpin, Turn, Yield};
use ringbus::{Producer, Received, RecvError, RequiredConsumer, Ring, WaitStrategy};

use super::consume;
use crate::carrier::{Carrier, Delivery, Event, Graph, Handler, Lossy, Sender, Setting, Shape, Wait};

#[cfg(feature = "shared")]
pub(super) use in_file::InFile;
pub(super) use onlookers::WithOnlookers;

#[cfg(feature = "shared")]
mod in_file;
mod onlookers;

/// As it is.
pub(super) type Plain = Ringbus<true>;

/// Required consumers that never let the producer get ahead.
pub(super) type Unpaced = Ringbus<false>;

pub(super) struct Ringbus<const PACED: bool>;

/// The producer's strategy, asked only while the ring is full.
#[derive(Debug)]
pub(super) enum ForRoom {
    Spin(BusySpin),
    Yield(Yield),
}

impl From<Wait> for ForRoom {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Spin => Self::Spin(BusySpin),
            Wait::Yield => Self::Yield(Yield),
        }
    }
}

impl WaitStrategy for ForRoom {
    fn wait(&mut self, turn: &Turn) {
        match self {
            Self::Spin(strategy) => strategy.wait(turn),
            Self::Yield(strategy) => strategy.wait(turn),
        }
    }
}

const GOES_ON: &str = "no consumer fails, and the ring has room for the batch";

fn build<E: Event>(setting: Setting) -> (Producer<E, ForRoom>, Ring<E>) {
    Ring::builder().capacity(setting.capacity).wait(setting.wait.into()).build().expect("a good capacity")
}

impl<E: Event> Sender<E> for Producer<E, ForRoom> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        self.publish(&event).expect(GOES_ON);
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        let mut claim = self.claim(events.len()).expect(GOES_ON);
        for event in events {
            claim.push(&event).expect(GOES_ON);
        }
        claim.publish().expect(GOES_ON);
    }
}

impl<const PACED: bool> Carrier for Ringbus<PACED> {
    type Sender<E: Event> = Producer<E, ForRoom>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let (producer, ring) = build(setting);
        read_one::<PACED, E>(setting, &ring, handler);
        producer
    }
}

fn read_one<const PACED: bool, E: Event>(setting: Setting, ring: &Ring<E>, handler: impl Handler<E>) {
    match setting.wait {
        Wait::Spin => {
            let consumer = ring.required("sum").wait(BusySpin).paced(PACED).join().expect("a free place");
            read(setting.core, consumer, handler);
        }
        Wait::Yield => {
            let consumer = ring.required("sum").wait(Yield).paced(PACED).join().expect("a free place");
            read(setting.core, consumer, handler);
        }
    }
}

impl Graph for Plain {
    type Sender<E: Event> = Producer<E, ForRoom>;

    fn open<E: Event>(setting: Setting, shape: Shape, handlers: [impl Handler<E>; 3]) -> Self::Sender<E> {
        let (producer, ring) = build(setting);
        match setting.wait {
            Wait::Spin => read_all(setting.core, &ring, shape, || BusySpin, handlers),
            Wait::Yield => read_all(setting.core, &ring, shape, || Yield, handlers),
        }
        producer
    }
}

fn read_all<E: Event, W: WaitStrategy + 'static>(
    core: Option<CoreId>,
    ring: &Ring<E>,
    shape: Shape,
    strategy: impl Fn() -> W,
    handlers: [impl Handler<E>; 3],
) {
    let mut consumers: Vec<RequiredConsumer<E, W>> = Vec::new();
    for name in ["first", "second", "third"] {
        let builder = ring.required(name).wait(strategy());
        let builder = match (shape, consumers.last()) {
            (Shape::Pipeline, Some(upstream)) => builder.after(&[upstream]),
            _ => builder,
        };
        let consumer = builder.join().expect("a free place");
        consumers.push(consumer);
    }
    for (consumer, handler) in consumers.into_iter().zip(handlers) {
        read(core, consumer, handler);
    }
}

/// In place, all that is there at once.
fn read<E: Event, W: WaitStrategy + 'static>(
    core: Option<CoreId>,
    mut consumer: RequiredConsumer<E, W>,
    mut handler: impl Handler<E>,
) {
    consume(core, move || {
        let mut goes_on = true;
        while goes_on && let Ok(batch) = consumer.read() {
            batch.for_each(|event, _, _| goes_on = handler(event).is_continue());
        }
        consumer.leave();
    });
}

impl Lossy for Plain {
    type Sender<E: Event> = Producer<E, ForRoom>;

    fn open<E: Event>(
        setting: Setting,
        handler: impl FnMut(Delivery<'_, E>) -> ControlFlow<()> + Send + 'static,
    ) -> Self::Sender<E> {
        let (producer, ring) = build(setting);
        let mut consumer = ring.optional("sum").wait(BusySpin).join().expect("the ring has just been built");
        receive(setting.core, move |events| consumer.recv_many(events), handler);
        producer
    }
}

/// Copies, all that is there at once.
fn receive<E: Event>(
    core: Option<CoreId>,
    mut recv_many: impl FnMut(&mut Vec<E>) -> Result<Received, RecvError> + Send + 'static,
    mut handler: impl FnMut(Delivery<'_, E>) -> ControlFlow<()> + Send + 'static,
) {
    consume(core, move || {
        // As many as stay in a core's first cache while they are handled.
        let mut events = Vec::with_capacity(256);
        loop {
            events.clear();
            let missed = match recv_many(&mut events) {
                Ok(received) => received.missed,
                Err(RecvError::Lagged { missed, .. }) => missed,
                Err(RecvError::Ended(_)) => break,
                Err(error) => panic!("it waits, and the buffer has room: {error}"),
            };
            if missed > 0 {
                _ = handler(Delivery::Missed(missed));
            }
            if events.iter().any(|event| handler(Delivery::Event(event)).is_break()) {
                break;
            }
        }
    });
}
