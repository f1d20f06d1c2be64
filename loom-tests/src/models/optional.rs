//! Optional consumers: what they accept is whole, and what they miss is counted.

use super::{Model, Pair, event, optional, publish, receive_now, ring};
use ringbus::{End, OptionalConsumer, Producer, ReadFrom, RecvError, Ring, Sequence};

const OLDEST: ReadFrom = ReadFrom::Oldest { headroom: 0 };

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "optional",
        promise: "an optional consumer accepts only whole events, and counts what it missed, with max batch 1",
        preemptions: Some(3),
        run: single,
    },
    Model {
        name: "optional-batches",
        promise: "the same where the producer publishes batches of 2, and drops a claim of 2",
        preemptions: Some(3),
        run: batches,
    },
    Model {
        name: "optional-many",
        promise: "many events read by one validation: the overwritten prefix is dropped and counted, the rest is whole",
        preemptions: None,
        run: many,
    },
    Model {
        name: "optional-many-batches",
        promise: "the same where the producer publishes batches of 2",
        preemptions: Some(3),
        run: many_batches,
    },
    Model {
        name: "optional-prefix",
        promise: "events of which only the part in use is written and copied: it is whole, and of one event",
        preemptions: Some(3),
        run: prefixes,
    },
    Model {
        name: "optional-resumes",
        promise: "after an overrun it goes on where it wants to, and has counted what lies between",
        preemptions: Some(3),
        run: resumes,
    },
    Model {
        name: "optional-drains",
        promise: "after the close, delivered and missed are together all that was published",
        preemptions: Some(2),
        run: drains,
    },
];

fn single() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 0);
    let mut consumer = optional(&ring, ReadFrom::Newest, OLDEST);
    let reading = loom::thread::spawn(move || {
        for _ in 0..2 {
            let _ = receive_now(&mut consumer);
        }
    });
    publish(&mut producer, 0..4);
    reading.join().expect("the consumer's assertions hold");
}

/// Of events with an odd number only the first word is in use.
fn words_in_use(first_word: u64) -> usize {
    if first_word.is_multiple_of(2) { 1 } else { 2 }
}

fn prefixes() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 0);
    let mut consumer = optional(&ring, ReadFrom::Newest, OLDEST);
    let reading = loom::thread::spawn(move || {
        for _ in 0..2 {
            let mut bytes = [0; size_of::<Pair>()];
            let used = |head: &[u8]| 8 * words_in_use(u64::from_ne_bytes(head.try_into().expect("a word")));
            if let Ok((sequence, len)) = consumer.try_recv_prefix(&mut bytes, 8, used) {
                let words: Pair = std::array::from_fn(|word| {
                    u64::from_ne_bytes(bytes[8 * word..][..8].try_into().expect("a word"))
                });
                let expected = event(sequence.get());
                let in_use = words_in_use(expected[0]);
                assert_eq!(len, 8 * in_use, "accepted a length of another event");
                assert_eq!(words[..in_use], expected[..in_use], "accepted a torn or overwritten event");
            }
        }
    });
    for number in 0..4 {
        let [first, second] = event(number);
        let tail = second.to_ne_bytes();
        let mut claim = producer.claim(1).expect("nobody is waited for");
        claim
            .push_prefix(&first.to_ne_bytes(), &tail[..8 * (words_in_use(first) - 1)])
            .expect("one is claimed");
        claim.publish().expect("nobody is waited for");
    }
    reading.join().expect("the consumer's assertions hold");
}

/// A ring of 4 with batches of 2, and 4 events on it. The next look at the gates comes before event 4, and so no fence of a look
/// stands between the store of cursor 6 and event 7, which overwrites event 3.
fn ring_of_batches() -> (Producer<Pair>, Ring<Pair>) {
    let (mut producer, ring) = ring::<Pair>(4, 2, 0);
    publish(&mut producer, 0..4);
    (producer, ring)
}

/// Events 4 to 7, in two batches, with a claim of 2 in between that is dropped.
fn publish_batches(mut producer: Producer<Pair>) {
    producer.publish_batch(&[event(4), event(5)]).expect("nobody is waited for");
    let mut claim = producer.claim(2).expect("nobody is waited for");
    claim.push(&event(77)).expect("two are claimed");
    claim.push(&event(78)).expect("two are claimed");
    drop(claim);
    producer.publish_batch(&[event(6), event(7)]).expect("nobody is waited for");
}

fn batches() {
    let (producer, ring) = ring_of_batches();
    // The last slot of the second batch: what was written there is two beyond the cursor that came before it.
    let mut consumer = optional(&ring, ReadFrom::Sequence(Sequence::new(3)), OLDEST);
    let reading = loom::thread::spawn(move || {
        let _ = receive_now(&mut consumer);
    });
    publish_batches(producer);
    reading.join().expect("the consumer's assertions hold");
}

/// Receives many once, and checks the events and the account.
fn receive_many(consumer: &mut OptionalConsumer<Pair>, most: usize) {
    let mut buffer = Vec::with_capacity(most);
    let from = consumer.position();
    match consumer.try_recv_many(&mut buffer) {
        Ok(received) => {
            assert!(received.count > 0 && received.count == buffer.len());
            assert_eq!(received.first.since(from), received.missed);
            for (read, number) in buffer.iter().zip(received.first.get()..) {
                assert_eq!(*read, event(number), "an optional consumer accepted a torn or overwritten event");
            }
            assert_eq!((consumer.delivered(), consumer.missed()), (received.count as u64, received.missed));
        }
        Err(RecvError::Lagged { missed, resumed_at }) => assert_eq!(resumed_at.since(from), missed),
        Err(error) => panic!("events are there: {error}"),
    }
    assert_eq!(consumer.delivered() + consumer.missed(), consumer.position().since(consumer.joined_at()));
}

fn many() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 0);
    let mut consumer = optional(&ring, ReadFrom::Newest, OLDEST);
    publish(&mut producer, 0..3);
    let reading = loom::thread::spawn(move || receive_many(&mut consumer, 3));
    publish(&mut producer, 3..6);
    reading.join().expect("the consumer's assertions hold");
}

fn many_batches() {
    let (producer, ring) = ring_of_batches();
    let mut consumer = optional(&ring, ReadFrom::Sequence(Sequence::new(2)), OLDEST);
    let reading = loom::thread::spawn(move || receive_many(&mut consumer, 2));
    publish_batches(producer);
    reading.join().expect("the consumer's assertions hold");
}

fn resumes() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 0);
    publish(&mut producer, 0..3);
    // Overrun, or about to be.
    let mut consumer = optional(&ring, ReadFrom::Oldest { headroom: 0 }, ReadFrom::NewestMinus(1));
    let reading = loom::thread::spawn(move || {
        for _ in 0..2 {
            if let Err(RecvError::Lagged { resumed_at, .. }) = receive_now(&mut consumer) {
                assert!(resumed_at >= Sequence::new(3), "one behind a cursor of at least 4");
                assert!(consumer.lag() >= 1);
            }
        }
    });
    publish(&mut producer, 3..5);
    reading.join().expect("the consumer's assertions hold");
}

fn drains() {
    const EVENTS: u64 = 3;
    let (mut producer, ring) = ring::<Pair>(2, 1, 0);
    let mut consumer = optional(&ring, ReadFrom::Newest, OLDEST);
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
