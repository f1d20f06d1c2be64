//! Joining and leaving while the producer runs.

use super::{Effect, Model, Pair, publish, read_now, required, ring};
use ringbus::{JoinError, RequiredConsumer, Ring};

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "join",
        promise: "from the sequence where a consumer joins on, nothing is overwritten before it acknowledges",
        preemptions: Some(3),
        run: joins_while_the_producer_runs,
    },
    Model {
        name: "two-joiners",
        promise: "the same for two consumers that join at the same time",
        preemptions: Some(2),
        run: two_join,
    },
    Model {
        name: "reuse",
        promise: "a place that was left serves a newcomer, and its former owner's reads are over before slots are written",
        preemptions: Some(3),
        run: a_place_is_reused,
    },
    Model {
        name: "leave",
        promise: "a consumer that leaves holds nothing up, and its reads are over before slots are written",
        preemptions: None,
        run: leaves_while_the_producer_runs,
    },
    Model {
        name: "join-sees",
        promise: "who joins sees what the producer did before it published the event before",
        preemptions: None,
        run: sees_what_came_before,
    },
];

/// Reads what is there in two looks, and checks that it is a run without a gap from where the consumer joined.
fn read_twice(consumer: &mut RequiredConsumer<Pair>) {
    let read = read_now(consumer) + read_now(consumer);
    assert_eq!(consumer.delivered(), read);
    assert_eq!(consumer.position().since(consumer.joined_at()), read);
}

fn join(ring: &Ring<Pair>) -> RequiredConsumer<Pair> {
    required(ring, "newcomer")
}

fn joins_while_the_producer_runs() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let joining = loom::thread::spawn(move || {
        let mut consumer = join(&ring);
        read_twice(&mut consumer);
        consumer.leave();
    });
    publish(&mut producer, 0..4);
    joining.join().expect("the consumer's assertions hold");
}

fn two_join() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let joiners: Vec<_> = (0..2)
        .map(|_| {
            let ring = ring.clone();
            loom::thread::spawn(move || {
                let mut consumer = join(&ring);
                let read = read_now(&mut consumer);
                assert_eq!(consumer.position().since(consumer.joined_at()), read);
                consumer.leave();
            })
        })
        .collect();
    publish(&mut producer, 0..3);
    for joiner in joiners {
        joiner.join().expect("the consumers' assertions hold");
    }
}

fn a_place_is_reused() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut first = required(&ring, "first");
    let reading = loom::thread::spawn(move || {
        read_now(&mut first);
        let refused = ring.required("second").join().expect_err("the only place is taken");
        assert!(matches!(refused, JoinError::TooManyRequired { max_required: 1, .. }));
        first.leave();
        let mut second = join(&ring);
        read_now(&mut second);
        assert_eq!(second.position().since(second.joined_at()), second.delivered());
        second.leave();
    });
    publish(&mut producer, 0..4);
    reading.join().expect("the consumers' assertions hold");
}

fn leaves_while_the_producer_runs() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let mut consumer = required(&ring, "consumer");
    let reading = loom::thread::spawn(move || {
        // Read and not acknowledged: leaving alone says that the reading is over.
        if let Ok(batch) = consumer.try_read() {
            assert_eq!(batch.first_sequence().get(), 0);
            drop(batch);
        }
        assert_eq!(consumer.leave().get(), 0, "the final position");
    });
    publish(&mut producer, 0..4);
    reading.join().expect("the consumer's assertions hold");
}

fn sees_what_came_before() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 1);
    let of_core = Effect::new();
    let seen = of_core.clone();
    let joining = loom::thread::spawn(move || {
        let consumer = join(&ring);
        if consumer.joined_at().get() == 2 {
            seen.assert_seen();
        }
        consumer.leave();
    });
    // No look at the gates, whose fence would order it, comes between this and the next publish.
    publish(&mut producer, 0..1);
    of_core.take_place();
    publish(&mut producer, 1..2);
    joining.join().expect("the consumer's assertions hold");
}
