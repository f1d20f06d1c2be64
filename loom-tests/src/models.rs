//! The models: tiny programs over the shipped code, each of which asserts one promise in every interleaving.

mod ending;
mod graphs;
mod joining;
mod optional;
mod parking;
mod required;
mod shared;
mod watching;

use std::sync::Arc;

use loom::cell::UnsafeCell;
use ringbus::{Event, OptionalConsumer, Producer, ReadFrom, RecvError, RequiredConsumer, Ring, Sequence};

/// A model, and how many preemptions it is explored with: all interleavings that force a thread away from its processor
/// at most so often. `None`: all interleavings.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) promise: &'static str,
    pub(crate) preemptions: Option<usize>,
    run: fn(),
}

impl Model {
    /// Explores the model. Panics where an interleaving breaks the promise.
    pub(crate) fn explore(&self, more_preemptions: usize) -> usize {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = self.preemptions.map(|bound| bound + more_preemptions);
        builder.max_branches = 100_000;
        let run = self.run;
        let interleavings = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = interleavings.clone();
        builder.check(move || {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            run();
        });
        interleavings.load(std::sync::atomic::Ordering::Relaxed)
    }
}

pub(crate) fn all() -> Vec<&'static Model> {
    [
        required::MODELS,
        optional::MODELS,
        joining::MODELS,
        graphs::MODELS,
        watching::MODELS,
        ending::MODELS,
        parking::MODELS,
        shared::MODELS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Something that one thread does besides, once, and another is to see done: loom reports whoever looks without being ordered
/// behind.
#[derive(Clone)]
struct Effect(Arc<UnsafeCell<bool>>);

impl Effect {
    #[expect(clippy::arc_with_non_send_sync, reason = "loom's threads all run on one")]
    fn new() -> Self {
        Self(Arc::new(UnsafeCell::new(false)))
    }

    fn take_place(&self) {
        // SAFETY: done once, and loom fails the model if anybody looks meanwhile.
        self.0.with_mut(|done| unsafe { *done = true });
    }

    fn assert_seen(&self) {
        // SAFETY: loom fails the model if it is being written meanwhile.
        self.0.with(|done| assert!(unsafe { *done }, "it is not seen"));
    }
}

/// Two words that belong together: a torn copy shows.
type Pair = [u64; 2];

/// The event with this number.
fn event(number: u64) -> Pair {
    [number + 1, !(number + 1)]
}

fn ring<E: Event>(capacity: usize, max_batch: usize, max_required: usize) -> (Producer<E>, Ring<E>) {
    Ring::builder()
        .capacity(capacity)
        .max_batch(max_batch)
        .max_required(max_required)
        .build_model()
        .expect("a tiny ring")
}

/// A consumer that has joined before the producer starts.
fn required(ring: &Ring<Pair>, name: &str) -> RequiredConsumer<Pair> {
    ring.required(name).join().expect("a free place")
}

fn optional(ring: &Ring<Pair>, start: ReadFrom, resume: ReadFrom) -> OptionalConsumer<Pair> {
    ring.optional("optional").start(start).resume(resume).join().expect("a sequence that is on the ring")
}

/// Publishes events number `from..to`, one by one, waiting for room.
fn publish(producer: &mut Producer<Pair>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert_eq!(producer.publish(&event(number)), Ok(Sequence::new(number)));
    }
}

/// Reads what is there now in place, checks it, and acknowledges it. Returns how many events there were.
fn read_now(consumer: &mut RequiredConsumer<Pair>) -> u64 {
    let Ok(batch) = consumer.try_read() else { return 0 };
    for (sequence, read) in &batch {
        assert_eq!(*read, event(sequence.get()), "a required consumer read a wrong event");
    }
    let len = batch.len() as u64;
    batch.acknowledge();
    len
}

/// Reads, waiting, until all events below `end` have been acknowledged.
fn read_up_to(consumer: &mut RequiredConsumer<Pair>, end: u64) {
    while consumer.position().get() < end {
        if read_now(consumer) == 0 {
            loom::thread::yield_now();
        }
    }
}

/// Receives once, checks the event or the account of what was missed, and the law of conservation.
fn receive_now(consumer: &mut OptionalConsumer<Pair>) -> Result<(Sequence, Pair), RecvError> {
    let before = consumer.position();
    let received = consumer.try_recv();
    match &received {
        Ok((sequence, read)) => {
            assert_eq!(*sequence, before);
            assert_eq!(
                *read,
                event(sequence.get()),
                "an optional consumer accepted a torn or overwritten event"
            );
        }
        Err(RecvError::Lagged { missed, resumed_at }) => {
            assert!(*missed > 0);
            assert_eq!(resumed_at.since(before), *missed);
        }
        Err(_) => assert_eq!(consumer.position(), before),
    }
    assert_eq!(consumer.delivered() + consumer.missed(), consumer.position().since(consumer.joined_at()));
    received
}
