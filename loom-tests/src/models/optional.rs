//! Optional consumers: what they accept is whole, and what they miss is counted.

use super::{Model, Pair, event, optional, publish, receive_now, ring};
use ringbus::{End, RecvError};

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "optional",
        promise: "an optional consumer accepts only whole events, and counts what it missed, with max batch 1",
        preemptions: Some(3),
        run: || single(2, 1, 4),
    },
    Model {
        name: "optional-late",
        promise: "the same on a ring whose window is two, so that it is overrun between its copy and its second look",
        preemptions: Some(2),
        run: || single(4, 2, 6),
    },
    Model {
        name: "optional-batches",
        promise: "the same where the producer publishes batches of 2",
        preemptions: None,
        run: batches,
    },
    Model {
        name: "optional-many",
        promise: "many events read by one validation: the overwritten prefix is dropped and counted, the rest is whole",
        preemptions: None,
        run: many,
    },
    Model {
        name: "optional-drains",
        promise: "after the close, delivered and missed are together all that was published",
        preemptions: Some(2),
        run: drains,
    },
];

fn single(capacity: usize, max_batch: usize, events: u64) {
    let (mut producer, ring) = ring::<Pair>(capacity, max_batch, 0);
    let mut consumer = optional(&ring);
    let reading = loom::thread::spawn(move || {
        for _ in 0..2 {
            let _ = receive_now(&mut consumer);
        }
    });
    publish(&mut producer, 0..events);
    reading.join().expect("the consumer's assertions hold");
}

fn batches() {
    let (mut producer, ring) = ring::<Pair>(4, 2, 0);
    let mut consumer = optional(&ring);
    let reading = loom::thread::spawn(move || {
        let _ = receive_now(&mut consumer);
    });
    for first in [0, 2, 4] {
        producer.publish_batch(&[event(first), event(first + 1)]).expect("nobody is waited for");
    }
    reading.join().expect("the consumer's assertions hold");
}

fn many() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 0);
    let mut consumer = optional(&ring);
    publish(&mut producer, 0..3);
    let reading = loom::thread::spawn(move || {
        let mut buffer = Vec::with_capacity(3);
        match consumer.try_recv_many(&mut buffer) {
            Ok(received) => {
                assert_eq!((received.count, received.count > 0), (buffer.len(), true));
                assert_eq!(received.first.get(), received.missed);
                for (read, number) in buffer.iter().zip(received.first.get()..) {
                    assert_eq!(
                        *read,
                        event(number),
                        "an optional consumer accepted a torn or overwritten event"
                    );
                }
                assert_eq!(consumer.delivered(), received.count as u64);
                assert_eq!(consumer.missed(), received.missed);
            }
            Err(RecvError::Lagged { missed, resumed_at }) => assert_eq!(resumed_at.get(), missed),
            Err(error) => panic!("three events are there: {error}"),
        }
        assert_eq!(consumer.delivered() + consumer.missed(), consumer.position().get());
    });
    publish(&mut producer, 3..6);
    reading.join().expect("the consumer's assertions hold");
}

fn drains() {
    const EVENTS: u64 = 3;
    let (mut producer, ring) = ring::<Pair>(2, 1, 0);
    let mut consumer = optional(&ring);
    let reading = loom::thread::spawn(move || {
        loop {
            match receive_now(&mut consumer) {
                Err(RecvError::Ended(end)) => break assert_eq!(end, End::Closed),
                Err(RecvError::Empty) => loom::thread::yield_now(),
                _ => {}
            }
        }
        assert_eq!((consumer.delivered() + consumer.missed(), consumer.lag()), (EVENTS, 0));
    });
    publish(&mut producer, 0..EVENTS);
    producer.close().expect("nobody has failed");
    reading.join().expect("the consumer's assertions hold");
}
