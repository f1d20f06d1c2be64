//! Rings that other processes look at: by way of the mirror of the cursor; and what they are told of the consumers.

use std::sync::Arc;

use super::{Model, Pair, event};
use ringbus::shared::{ModelObserver, ModelSeqlock};
use ringbus::{End, Producer, RecvError, Ring};

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "mirror",
        promise: "an observer accepts only whole events, and counts what it missed, by the mirror of the cursor alone",
        preemptions: Some(3),
        run: single,
    },
    Model {
        name: "mirror-batches",
        promise: "the same where the producer publishes batches of 2",
        preemptions: Some(3),
        run: batches,
    },
    Model {
        name: "mirror-drains",
        promise: "an observer drains what was published, then gets Closed: accepted and missed are together all",
        preemptions: Some(3),
        run: drains,
    },
    Model {
        name: "seqlock",
        promise: "words that were written together are read together, and none of them before what was written last",
        preemptions: Some(3),
        run: reports,
    },
];

fn ring(capacity: usize, max_batch: usize) -> (Producer<Pair>, Ring<Pair>) {
    let builder = Ring::builder().capacity(capacity).max_batch(max_batch).max_required(0);
    builder.mirrored().build_model().expect("a tiny ring")
}

/// Receives once. Returns how many events that accounts for.
fn observe(observer: &mut ModelObserver<Pair>) -> Result<u64, End> {
    match observer.try_recv() {
        Ok((sequence, read)) => {
            assert_eq!(read, event(sequence.get()), "an observer accepted a torn or overwritten event");
            Ok(1)
        }
        Err(RecvError::Lagged { missed, .. }) => Ok(missed),
        Err(RecvError::Empty) => Ok(0),
        Err(RecvError::Ended(end)) => Err(end),
        Err(error) => panic!("{error}"),
    }
}

fn single() {
    let (mut producer, ring) = ring(2, 1);
    let mut observer = ModelObserver::attach(&ring);
    let observing = loom::thread::spawn(move || {
        for _ in 0..2 {
            observe(&mut observer).expect("the ring is open");
        }
    });
    (0..4).for_each(|number| _ = producer.publish(&event(number)).expect("nobody is waited for"));
    observing.join().expect("the observer's assertions hold");
    std::mem::forget(producer);
}

/// As in `optional.rs`: the event that is overwritten is the last of the second batch.
fn batches() {
    let (mut producer, ring) = ring(4, 2);
    (0..4).for_each(|number| _ = producer.publish(&event(number)).expect("nobody is waited for"));
    let mut observer = ModelObserver::attach(&ring);
    assert_eq!(observe(&mut observer), Ok(1), "event 2");
    let observing = loom::thread::spawn(move || {
        observe(&mut observer).expect("the ring is open");
    });
    for first in [4, 6] {
        producer.publish_batch(&[event(first), event(first + 1)]).expect("nobody is waited for");
    }
    observing.join().expect("the observer's assertions hold");
    std::mem::forget(producer);
}

fn drains() {
    let (mut producer, ring) = ring(2, 1);
    let mut observer = ModelObserver::attach(&ring);
    let observing = loom::thread::spawn(move || {
        let mut seen = 0;
        loop {
            match observe(&mut observer) {
                Ok(0) => loom::thread::yield_now(),
                Ok(events) => seen += events,
                Err(end) => break (seen, end),
            }
        }
    });
    (0..2).for_each(|number| _ = producer.publish(&event(number)).expect("nobody is waited for"));
    producer.close().expect("nobody has failed");
    assert_eq!(observing.join().expect("the observer's assertions hold"), (2, End::Closed));
}

fn reports() {
    let lock = Arc::new(ModelSeqlock::default());
    lock.write(event(0));
    let reading = loom::thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            let first = lock.read().map(check);
            let second = lock.read().map(check);
            assert!(first.is_none() || second.is_none() || first <= second, "went back");
        }
    });
    lock.write(event(1));
    lock.write(event(2));
    reading.join().expect("the reader's assertions hold");
    assert_eq!(lock.read(), Some(event(2)));
}

/// Which event these words are.
fn check(words: Pair) -> u64 {
    assert_eq!(words, event(words[0] - 1), "read words of two states");
    words[0] - 1
}
