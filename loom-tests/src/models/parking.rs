//! Parking: nobody sleeps through what it waits for. loom reports a lost wake-up as a deadlock.
//!
//! On the path where both barriers are fences. They would hide a missing fence elsewhere: no other models use such rings.

use super::{Model, Pair, event};
use ringbus::wait::Park;
use ringbus::{End, Parking, Producer, PublishError, RequiredConsumer, Ring, Upstream};

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "park-consumer",
        promise: "a sleeping consumer is woken by a publish",
        preemptions: None,
        run: consumer_sleeps,
    },
    Model {
        name: "park-producer",
        promise: "a producer that sleeps for room is woken by an acknowledgement",
        preemptions: Some(3),
        run: producer_sleeps,
    },
    Model {
        name: "park-dependant",
        promise: "a sleeping dependant is woken by its upstream's acknowledgement",
        preemptions: Some(3),
        run: dependant_sleeps,
    },
    Model {
        name: "park-both",
        promise: "a producer and a consumer that wait for each other in turn wake each other",
        preemptions: Some(2),
        run: both_sleep,
    },
    Model {
        name: "park-several",
        promise: "two sleeping consumers are both woken by one publish",
        preemptions: Some(3),
        run: several_sleep,
    },
    Model {
        name: "park-join",
        promise: "a producer that sleeps because of a joiner's first store is woken by its second",
        preemptions: Some(3),
        run: sleeps_while_another_joins,
    },
    Model {
        name: "park-close",
        promise: "a sleeping consumer is woken by the close",
        preemptions: None,
        run: sleeps_until_the_close,
    },
    Model {
        name: "park-stop",
        promise: "a sleeping consumer is woken by a stop",
        preemptions: None,
        run: sleeps_until_the_stop,
    },
    Model {
        name: "park-leave",
        promise: "a producer that sleeps for room is woken when the slowest consumer leaves",
        preemptions: Some(3),
        run: sleeps_until_the_slowest_leaves,
    },
    Model {
        name: "park-fail",
        promise: "a producer that sleeps for room is woken, and told, when a consumer fails",
        preemptions: Some(3),
        run: sleeps_until_a_failure,
    },
    Model {
        name: "park-pause",
        promise: "a producer that sleeps for room is woken when the slowest consumer pauses",
        preemptions: Some(2),
        run: sleeps_until_a_pause,
    },
];

fn ring(capacity: usize, max_required: usize) -> (Producer<Pair, Park>, Ring<Pair>) {
    Ring::builder()
        .capacity(capacity)
        .max_batch(1)
        .max_required(max_required)
        .parking(Parking::Fences)
        .wait(Park::after_looks(0))
        .build_model()
        .expect("a tiny ring")
}

fn sleeper(ring: &Ring<Pair>, name: &str, upstream: &[&dyn Upstream]) -> RequiredConsumer<Pair, Park> {
    ring.required(name).after(upstream).wait(Park::after_looks(0)).join().expect("a free place")
}

/// Sleeps until there is something, and acknowledges it.
fn read(consumer: &mut RequiredConsumer<Pair, Park>) {
    let batch = consumer.read().expect("the ring is open");
    for (sequence, read) in &batch {
        assert_eq!(*read, event(sequence.get()));
    }
    batch.acknowledge();
}

fn publish_parking(producer: &mut Producer<Pair, Park>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        producer.publish(&event(number)).expect("nobody has failed");
    }
}

fn consumer_sleeps() {
    let (mut producer, ring) = ring(2, 1);
    let mut consumer = sleeper(&ring, "consumer", &[]);
    let sleeping = loom::thread::spawn(move || {
        read(&mut consumer);
        consumer
    });
    publish_parking(&mut producer, 0..1);
    sleeping.join().expect("the consumer's assertions hold").leave();
}

fn producer_sleeps() {
    let (mut producer, ring) = ring(2, 1);
    let mut consumer = sleeper(&ring, "consumer", &[]);
    publish_parking(&mut producer, 0..2);
    let sleeping = loom::thread::spawn(move || {
        publish_parking(&mut producer, 2..3);
        producer
    });
    read(&mut consumer);
    drop(sleeping.join().expect("the producer's assertions hold"));
    consumer.leave();
}

fn dependant_sleeps() {
    let (mut producer, ring) = ring(2, 2);
    let mut first = sleeper(&ring, "first", &[]);
    let mut second = sleeper(&ring, "second", &[&first]);
    publish_parking(&mut producer, 0..1);
    let sleeping = loom::thread::spawn(move || {
        read(&mut second);
        second
    });
    read(&mut first);
    sleeping.join().expect("the dependant's assertions hold").leave();
    first.leave();
}

fn both_sleep() {
    let (mut producer, ring) = ring(2, 1);
    let mut consumer = sleeper(&ring, "consumer", &[]);
    let sleeping = loom::thread::spawn(move || {
        while consumer.position().get() < 3 {
            read(&mut consumer);
        }
        consumer
    });
    publish_parking(&mut producer, 0..3);
    sleeping.join().expect("the consumer's assertions hold").leave();
}

fn several_sleep() {
    let (mut producer, ring) = ring(2, 2);
    let sleeping: Vec<_> = ["one", "two"]
        .into_iter()
        .map(|name| {
            let mut consumer = sleeper(&ring, name, &[]);
            loom::thread::spawn(move || {
                read(&mut consumer);
                consumer
            })
        })
        .collect();
    publish_parking(&mut producer, 0..1);
    for sleeping in sleeping {
        sleeping.join().expect("the consumers' assertions hold").leave();
    }
}

fn sleeps_while_another_joins() {
    let (mut producer, ring) = ring(2, 1);
    let joining = loom::thread::spawn(move || {
        let mut consumer = sleeper(&ring, "newcomer", &[]);
        while consumer.position().get() < 3 {
            read(&mut consumer);
        }
        consumer
    });
    publish_parking(&mut producer, 0..3);
    joining.join().expect("the consumer's assertions hold").leave();
}

fn sleeps_until_the_close() {
    let (producer, ring) = ring(2, 1);
    let mut consumer = sleeper(&ring, "consumer", &[]);
    let sleeping = loom::thread::spawn(move || assert_eq!(consumer.read().err(), Some(End::Closed)));
    producer.close().expect("nobody has failed");
    sleeping.join().expect("the consumer's assertions hold");
}

fn sleeps_until_the_stop() {
    let (producer, ring) = ring(2, 1);
    let mut consumer = sleeper(&ring, "consumer", &[]);
    let sleeping = loom::thread::spawn(move || assert_eq!(consumer.read().err(), Some(End::Stopped)));
    ring.stop();
    sleeping.join().expect("the consumer's assertions hold");
    assert_eq!(producer.close().map(ringbus::Sequence::get), Ok(0));
}

fn sleeps_until_the_slowest_leaves() {
    let (mut producer, ring) = ring(2, 1);
    let consumer = sleeper(&ring, "consumer", &[]);
    publish_parking(&mut producer, 0..2);
    let sleeping = loom::thread::spawn(move || publish_parking(&mut producer, 2..3));
    consumer.leave();
    sleeping.join().expect("the producer's assertions hold");
}

fn sleeps_until_a_failure() {
    let (mut producer, ring) = ring(2, 1);
    let consumer = sleeper(&ring, "consumer", &[]);
    publish_parking(&mut producer, 0..2);
    let sleeping = loom::thread::spawn(move || {
        let refused = producer.publish(&event(2)).expect_err("a required consumer has failed");
        assert!(matches!(refused, PublishError::Poisoned(failure) if failure.position.get() == 0));
    });
    drop(consumer);
    sleeping.join().expect("the producer's assertions hold");
}

fn sleeps_until_a_pause() {
    let (mut producer, ring) = ring(2, 1);
    let mut consumer = sleeper(&ring, "consumer", &[]);
    publish_parking(&mut producer, 0..2);
    let sleeping = loom::thread::spawn(move || publish_parking(&mut producer, 2..3));
    let paused = consumer.pause().expect("nobody comes after it");
    sleeping.join().expect("the producer's assertions hold");
    assert_eq!(paused.resume(), 3);
    consumer.leave();
}
