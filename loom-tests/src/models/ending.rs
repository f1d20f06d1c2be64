//! How a stream ends: closed, by a producer that panics, by a required consumer that fails.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{Model, Pair, event, optional, publish, read_now, receive_now, required, ring};
use ringbus::{
    End, Failure, FailureCause, Producer, PublishError, ReadError, ReadFrom, RecvError, RequiredConsumer,
};

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "close",
        promise: "consumers drain what is published, then get Closed; to be dropped then is no failure",
        preemptions: Some(3),
        run: closes,
    },
    Model {
        name: "producer-panics",
        promise: "a required consumer drains, then gets ProducerFailed and nothing else",
        preemptions: None,
        run: producer_panics,
    },
    Model {
        name: "producer-panics-optional",
        promise: "an optional consumer drains, then gets ProducerFailed and nothing else",
        preemptions: None,
        run: producer_panics_unobserved,
    },
    Model {
        name: "abandoned",
        promise: "the producer's next publish names a required consumer that was dropped, and publishes nothing",
        preemptions: None,
        run: abandoned,
    },
    Model {
        name: "abandoned-claim",
        promise: "a claim made before a required consumer was dropped is not published after",
        preemptions: None,
        run: abandoned_during_a_claim,
    },
    Model {
        name: "poisoned",
        promise: "a blocked producer is told of the failure; a healthy consumer drains, then gets Poisoned",
        preemptions: Some(2),
        run: poisoned,
    },
    Model {
        name: "stop",
        promise: "what was published before a stop is read before it is told, by both kinds of consumer",
        preemptions: None,
        run: stops_after_a_publish,
    },
    Model {
        name: "stop-after-close",
        promise: "a ring that was closed is not stopped any more: who is behind its upstream drains",
        preemptions: Some(3),
        run: stops_after_the_close,
    },
    Model {
        name: "stop-graph",
        promise: "a dependant whose upstream left because of a stop gets Stopped",
        preemptions: None,
        run: stops_a_graph,
    },
    Model {
        name: "abandoned-full",
        promise: "what a failed consumer had not acknowledged is never overwritten",
        preemptions: None,
        run: abandoned_on_a_full_ring,
    },
];

/// Reads until the stream ends, and returns how many events there were and why it ended.
fn drain(consumer: &mut RequiredConsumer<Pair>) -> (u64, End) {
    loop {
        if read_now(consumer) > 0 {
            continue;
        }
        match consumer.try_read().map(|batch| batch.len()) {
            Err(ReadError::Ended(end)) => return (consumer.delivered(), end),
            _ => loom::thread::yield_now(),
        }
    }
}

fn closes() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || assert_eq!(drain(&mut consumer), (3, End::Closed)));
    publish(&mut producer, 0..3);
    assert_eq!(producer.close().map(ringbus::Sequence::get), Ok(3));
    reading.join().expect("the consumer's assertions hold");
    // It was dropped on a closed ring, and so has not failed: its place is free.
    required(&ring, "next").leave();
}

fn panic_with(producer: Producer<Pair>) {
    let _ = catch_unwind(AssertUnwindSafe(move || {
        let _dropped_by_the_panic = producer;
        resume_unwind(Box::new("the core has a bug"));
    }));
}

fn producer_panics() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || assert_eq!(drain(&mut consumer), (2, End::ProducerFailed)));
    publish(&mut producer, 0..2);
    panic_with(producer);
    reading.join().expect("the consumer's assertions hold");
}

fn producer_panics_unobserved() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 0);
    let mut monitor = optional(&ring, ReadFrom::Newest, ReadFrom::Newest);
    let reading = loom::thread::spawn(move || {
        let end = loop {
            match receive_now(&mut monitor) {
                Err(RecvError::Ended(end)) => break end,
                Err(RecvError::Empty) => loom::thread::yield_now(),
                _ => {}
            }
        };
        assert_eq!((end, monitor.delivered() + monitor.missed()), (End::ProducerFailed, 2));
    });
    publish(&mut producer, 0..2);
    panic_with(producer);
    reading.join().expect("the consumer's assertions hold");
}

fn abandoned() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 1);
    let consumer = required(&ring, "careless");
    let dropping = loom::thread::spawn(move || drop(consumer));
    // May still go through: the failure may come later.
    let early = producer.try_publish(&event(0));
    dropping.join().expect("dropping does not panic");
    let refused = producer.try_publish(&event(1)).expect_err("a required consumer has failed");
    let PublishError::Poisoned(failure) = &refused else { panic!("{refused}") };
    let Failure { consumer, cause, position, .. } = &**failure;
    assert_eq!((&**consumer, *cause, position.get()), ("careless", FailureCause::Abandoned, 0));
    assert_eq!(
        ring.cursor().get(),
        u64::from(early.is_ok()),
        "nothing is published after the failure was seen"
    );
    assert_eq!(ring.end(), Some(End::Poisoned(failure.clone())));
    assert_eq!(producer.publish_batch(&[event(1)]), Err(refused));
}

fn abandoned_on_a_full_ring() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let consumer = required(&ring, "careless");
    publish(&mut producer, 0..2);
    let dropping = loom::thread::spawn(move || drop(consumer));
    assert!(producer.try_publish(&event(2)).is_err(), "either full or poisoned");
    dropping.join().expect("dropping does not panic");
}

fn abandoned_during_a_claim() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 1);
    let consumer = required(&ring, "careless");
    let mut claim = producer.claim(1).expect("room");
    claim.push(&event(0)).expect("one is claimed");
    let dropping = loom::thread::spawn(move || drop(consumer));
    dropping.join().expect("dropping does not panic");
    assert!(matches!(claim.publish(), Err(PublishError::Poisoned(_))));
    assert_eq!(ring.cursor().get(), 0);
}

fn poisoned() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let careless = required(&ring, "careless");
    let mut healthy = required(&ring, "healthy");
    let reading = loom::thread::spawn(move || {
        drop(careless);
        let (delivered, end) = drain(&mut healthy);
        assert!(delivered <= 2, "the failed consumer's events were overwritten");
        assert!(matches!(end, End::Poisoned(failure) if &*failure.consumer == "careless"));
    });
    // Nothing is acknowledged: the third waits for room that never comes.
    let refused = (0..3).find_map(|number| producer.publish(&event(number)).err());
    assert!(matches!(refused, Some(PublishError::Poisoned(failure)) if failure.position.get() == 0));
    reading.join().expect("the consumer's assertions hold");
}

fn stops_after_a_publish() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let mut monitor = optional(&ring, ReadFrom::Newest, ReadFrom::Newest);
    let reading = loom::thread::spawn(move || {
        for _ in 0..2 {
            read_now(&mut consumer);
            if let Err(ReadError::Ended(end)) = consumer.try_read().map(|batch| batch.len()) {
                assert_eq!((end, consumer.position().get()), (End::Stopped, 1));
            }
            if let Err(RecvError::Ended(end)) = receive_now(&mut monitor) {
                assert_eq!((end, monitor.position().get()), (End::Stopped, 1));
            }
        }
        consumer.leave();
    });
    publish(&mut producer, 0..1);
    ring.stop();
    reading.join().expect("the consumers' assertions hold");
}

fn stops_after_the_close() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let mut first = required(&ring, "first");
    let mut second = ring.required("second").after(&[&first]).join().expect("a free place");
    publish(&mut producer, 0..1);
    let reading = loom::thread::spawn(move || {
        for _ in 0..2 {
            read_now(&mut second);
            if let Err(ReadError::Ended(end)) = second.try_read().map(|batch| batch.len()) {
                assert_eq!((end, second.position().get()), (End::Closed, 1));
            }
        }
        second.leave();
    });
    producer.close().expect("nobody has failed");
    ring.stop();
    read_now(&mut first);
    drop(first); // it has drained a closed ring
    reading.join().expect("the dependant's assertions hold");
}

fn stops_a_graph() {
    let (producer, ring) = ring::<Pair>(2, 1, 2);
    let mut first = required(&ring, "first");
    let mut second = ring.required("second").after(&[&first]).join().expect("a free place");
    let reading = loom::thread::spawn(move || {
        for _ in 0..2 {
            if let Err(ReadError::Ended(end)) = second.try_read().map(|batch| batch.len()) {
                assert_eq!(end, End::Stopped);
            }
        }
        second.leave();
    });
    ring.stop();
    assert!(matches!(first.try_read().map(|batch| batch.len()), Err(ReadError::Ended(End::Stopped))));
    drop(first); // no failure
    reading.join().expect("the dependant's assertions hold");
    drop(producer);
}
