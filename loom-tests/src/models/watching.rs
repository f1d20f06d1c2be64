//! Pauses, progress marks and statistics: those who look on, and those who look away.

use super::{Effect, Model, Pair, optional, publish, read_now, receive_now, required, ring};
use ringbus::{ProgressError, ReadFrom, Sequence};
use std::time::Instant;

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "pause",
        promise: "a paused consumer holds nothing up, its reads are over before slots are written, and it resumes without a gap",
        preemptions: Some(3),
        run: pauses,
    },
    Model {
        name: "progress",
        promise: "who sees an event acknowledged sees what the consumer did before",
        preemptions: None,
        run: sees_what_was_done,
    },
    Model {
        name: "progress-departure",
        promise: "who waits for an event that a consumer acknowledged before it left is not told that it left without",
        preemptions: None,
        run: waits_for_one_that_leaves,
    },
    Model {
        name: "progress-reuse",
        promise: "a handle on a consumer that has left never shows the progress of the next in its place",
        preemptions: Some(3),
        run: outlives_its_consumer,
    },
    Model {
        name: "stats",
        promise: "in a snapshot no required consumer is ahead of the cursor",
        preemptions: None,
        run: takes_a_snapshot,
    },
    Model {
        name: "stats-optional",
        promise: "in a snapshot no optional consumer is ahead of the cursor",
        preemptions: None,
        run: takes_a_snapshot_of_an_optional_consumer,
    },
];

fn pauses() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || {
        // Read and not acknowledged: pausing alone says that the reading is over.
        if let Ok(batch) = consumer.try_read() {
            assert_eq!(batch.first_sequence().get(), 0);
            drop(batch);
        }
        let paused = consumer.pause().expect("nobody comes after it");
        let let_pass = paused.resume();
        assert_eq!((consumer.position().get(), consumer.delivered()), (let_pass, 0));
        let read = read_now(&mut consumer);
        assert_eq!(consumer.position().get(), let_pass + read);
        consumer.leave();
    });
    publish(&mut producer, 0..4);
    reading.join().expect("the consumer's assertions hold");
}

fn sees_what_was_done() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut journal = required(&ring, "journal");
    let progress = journal.progress();
    publish(&mut producer, 0..1);
    let durable = Effect::new();
    let seen = durable.clone();
    let waiting = loom::thread::spawn(move || {
        if progress.position().get() == 1 {
            seen.assert_seen();
        }
    });
    durable.take_place();
    read_now(&mut journal);
    waiting.join().expect("the assertions hold");
    journal.leave();
}

fn waits_for_one_that_leaves() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut journal = required(&ring, "journal");
    let progress = journal.progress();
    publish(&mut producer, 0..1);
    let waiting = loom::thread::spawn(move || {
        // One look: the deadline has passed.
        let waited = progress.wait_for(Sequence::new(0), Instant::now());
        assert!(matches!(waited, Ok(()) | Err(ProgressError::Deadline { .. })), "it had been acknowledged");
    });
    read_now(&mut journal);
    journal.leave();
    waiting.join().expect("the assertions hold");
}

fn outlives_its_consumer() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 1);
    let mut first = required(&ring, "first");
    publish(&mut producer, 0..1);
    let progress = first.progress();
    let waiting = loom::thread::spawn(move || {
        assert!(progress.position().get() <= 1, "that is the next one's progress");
    });
    read_now(&mut first);
    first.leave();
    publish(&mut producer, 1..3);
    let mut second = required(&ring, "second");
    assert_eq!(second.joined_at().get(), 3);
    publish(&mut producer, 3..4);
    read_now(&mut second);
    waiting.join().expect("the assertions hold");
    second.leave();
}

fn takes_a_snapshot() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || {
        read_now(&mut consumer);
        consumer
    });
    let looking = loom::thread::spawn(move || {
        let stats = ring.stats();
        let consumer = &stats.consumers[0];
        assert_eq!(consumer.delivered + consumer.lag, stats.cursor.get());
    });
    publish(&mut producer, 0..1);
    looking.join().expect("the assertions hold");
    reading.join().expect("the consumer's assertions hold").leave();
}

fn takes_a_snapshot_of_an_optional_consumer() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 0);
    let mut consumer = optional(&ring, ReadFrom::Newest, ReadFrom::Newest);
    let reading = loom::thread::spawn(move || {
        let _ = receive_now(&mut consumer);
        consumer
    });
    let looking = loom::thread::spawn(move || {
        let stats = ring.stats();
        let consumer = &stats.consumers[0];
        assert_eq!(consumer.delivered + consumer.missed + consumer.lag, stats.cursor.get());
    });
    publish(&mut producer, 0..1);
    looking.join().expect("the assertions hold");
    drop(reading.join().expect("the consumer's assertions hold"));
}
