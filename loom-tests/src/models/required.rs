//! Required consumers: what is published is read in place, and not overwritten before it is acknowledged.

use super::{Model, Pair, event, publish, read_now, read_up_to, required, ring};
use ringbus::{ReadError, Sequence};

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "required",
        promise: "a required consumer reads every event in place, in order, and the producer waits for it",
        preemptions: Some(3),
        run: reads_every_event,
    },
    Model {
        name: "gate",
        promise: "never more than a ring's worth is published beyond the slowest of two required consumers",
        preemptions: Some(2),
        run: waits_for_the_slowest,
    },
    Model {
        name: "redelivery",
        promise: "an unacknowledged batch keeps its slots, and is delivered again",
        preemptions: Some(3),
        run: delivers_again,
    },
    Model {
        name: "poll",
        promise: "a polled batch is acknowledged in parts, each only when it has been handled",
        preemptions: Some(2),
        run: polls,
    },
    Model {
        name: "batch",
        promise: "a batch becomes visible at once",
        preemptions: None,
        run: shows_whole_batches,
    },
];

fn reads_every_event() {
    const EVENTS: u64 = 4;
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || {
        read_up_to(&mut consumer, EVENTS);
        assert_eq!((consumer.delivered(), consumer.lag()), (EVENTS, 0));
        consumer.leave();
    });
    publish(&mut producer, 0..EVENTS);
    reading.join().expect("the consumer's assertions hold");
}

fn waits_for_the_slowest() {
    const EVENTS: u64 = 4;
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let (mut eager, mut slow) = (required(&ring, "eager"), required(&ring, "slow"));
    let reading = loom::thread::spawn(move || {
        while slow.position().get() < EVENTS {
            let ahead = read_now(&mut eager);
            assert!(
                eager.position().since(slow.position()) <= 2,
                "more than a ring's worth beyond the slowest"
            );
            if ahead + read_now(&mut slow) == 0 {
                loom::thread::yield_now();
            }
        }
        eager.leave();
        slow.leave();
    });
    publish(&mut producer, 0..EVENTS);
    reading.join().expect("the consumers' assertions hold");
}

fn delivers_again() {
    const EVENTS: u64 = 4;
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || {
        let first = loop {
            match consumer.try_read() {
                Ok(batch) => break batch.len(),
                Err(error) => assert_eq!(error, ReadError::Empty),
            }
            loom::thread::yield_now();
        };
        let again = consumer.try_read().expect("what was not acknowledged is there again");
        assert_eq!(again.first_sequence(), Sequence::new(0));
        assert!(
            again.len() >= first && again.len() <= 2,
            "at least what was there, at most the ring's worth"
        );
        assert_eq!(*again.iter().next().expect("a batch has an event").1, event(0));
        again.acknowledge_first(1).expect("one is there");
        assert_eq!(consumer.position(), Sequence::new(1));
        read_up_to(&mut consumer, EVENTS);
        consumer.leave();
    });
    publish(&mut producer, 0..EVENTS);
    reading.join().expect("the consumer's assertions hold");
}

fn polls() {
    const EVENTS: u64 = 5;
    let (mut producer, ring) = ring::<Pair>(4, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || {
        let mut expected = 0;
        while expected < EVENTS {
            let polled = consumer.poll(|read, sequence, _| {
                assert_eq!((sequence.get(), *read), (expected, event(expected)));
                expected += 1;
            });
            if polled.is_err() {
                loom::thread::yield_now();
            }
        }
        assert_eq!(consumer.delivered(), EVENTS);
        consumer.leave();
    });
    publish(&mut producer, 0..EVENTS);
    reading.join().expect("the consumer's assertions hold");
}

fn shows_whole_batches() {
    let (mut producer, ring) = ring::<Pair>(4, 2, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || {
        while consumer.position() < Sequence::new(6) {
            let Ok(batch) = consumer.try_read() else {
                loom::thread::yield_now();
                continue;
            };
            assert_eq!(batch.len() % 2, 0, "saw part of a batch");
            for (sequence, read) in &batch {
                assert_eq!(*read, event(sequence.get()));
            }
            batch.acknowledge();
        }
        consumer.leave();
    });
    producer.publish_batch(&[event(0), event(1)]).expect("room");
    let mut claim = producer.claim(2).expect("room");
    claim.push(&event(77)).expect("claimed");
    drop(claim); // reveals nothing, and the next claim takes the same slots
    let mut claim = producer.claim(2).expect("room");
    for number in 2..4 {
        claim.push(&event(number)).expect("claimed");
    }
    assert_eq!(claim.publish(), Ok(Sequence::new(2)));
    producer.publish_batch(&[event(4), event(5)]).expect("the consumer makes room");
    reading.join().expect("the consumer's assertions hold");
}
