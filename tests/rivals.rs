//! Defects known of other disruptors and channels, each with a proof that it cannot happen here.
//!
//! One more, an event that is kept beyond its batch and changes under its reader, does not compile: see the documentation of
//! `RequiredConsumer`.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use common::{at, leak, panic_quietly, publish_up_to, ring, take_all};
use ringbus::{FailureCause, Producer, PublishError, ReadFrom, RecvError, Ring};

/// Tries every way of writing into a ring that has no room.
fn press(producer: &mut Producer<u64>) {
    const WRONG: u64 = u64::MAX;
    let passed = Instant::now();
    let full = |needed| PublishError::Full { needed };
    assert_eq!(producer.try_publish(&WRONG), Err(full(1)));
    assert_eq!(producer.publish_deadline(&WRONG, passed), Err(full(1)));
    assert_eq!(producer.try_publish_batch(&[WRONG; 2]), Err(full(2)));
    assert_eq!(producer.publish_batch_deadline(&[WRONG; 2], passed), Err(full(2)));
    assert_eq!(producer.try_claim(2).unwrap_err(), full(2));
    assert_eq!(producer.claim_deadline(2, passed).unwrap_err(), full(2));
    let mut nothing = producer.try_claim(0).unwrap();
    assert!(nothing.push(&WRONG).is_err());
}

/// Known elsewhere: a batch is released before its events are read.
#[test]
fn an_unacknowledged_batch_does_not_change_while_the_producer_tries_to_lap() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 5);
    take_all(&mut consumer);
    publish_up_to(&mut producer, 13);
    let batch = consumer.try_read().unwrap();
    let pressing = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..2_000 {
                press(&mut producer);
            }
            pressing.store(false, Ordering::Release);
        });
        while pressing.load(Ordering::Acquire) {
            assert_eq!(batch.slices(), (&[5, 6, 7][..], &[8, 9, 10, 11, 12][..]));
        }
    });
    assert_eq!(batch.slices(), (&[5, 6, 7][..], &[8, 9, 10, 11, 12][..]));
    batch.acknowledge();
    publish_up_to(&mut producer, 21);
}

/// Known elsewhere: a claim that was given up has spoilt slots that consumers still read.
#[test]
fn claims_that_are_given_up_touch_nothing_that_is_held() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 12);
    let batch = consumer.try_read().unwrap();
    for leaked in [false, true] {
        for _ in 0..100 {
            let mut claim = producer.try_claim(4).unwrap();
            while claim.push(&u64::MAX).is_ok() {}
            if leaked { leak(claim) } else { drop(claim) }
        }
    }
    assert_eq!(batch.slices().0, (0..12).collect::<Vec<_>>());
    batch.acknowledge();
    publish_up_to(&mut producer, 20);
    assert_eq!(take_all(&mut consumer), (12..20).collect::<Vec<_>>());
}

/// Known elsewhere: it waits for ever for room that there will never be.
#[test]
fn a_batch_longer_than_the_ring_is_an_error_at_once() {
    let (mut producer, ring) = ring(8);
    let _consumer = ring.required("audit").join().unwrap();
    let error = PublishError::BatchTooLong { len: 9, max_batch: 2 };
    assert_eq!(producer.publish_batch(&[0; 9]), Err(error.clone()));
    assert_eq!(producer.claim(9).unwrap_err(), error);
    assert_eq!(ring.cursor(), at(0));
}

/// Known elsewhere: the producer waits for ever for a consumer whose thread is gone.
#[test]
fn a_consumer_that_panics_does_not_wedge_the_producer() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    let panicking = thread::spawn(move || {
        while let Ok(batch) = consumer.read() {
            batch.for_each(|event, _, _| {
                if *event == 100 {
                    panic_quietly()
                }
            });
        }
    });
    let error = (0..).find_map(|event| producer.publish(&event).err()).unwrap();
    assert!(panicking.join().is_err());
    let PublishError::Poisoned(failure) = error else { panic!("{error}") };
    assert_eq!((&*failure.consumer, failure.cause), ("audit", FailureCause::Panicked));
    assert_eq!(failure.position, at(100));
    let published = producer.next_sequence();
    assert!(at(101) <= published && published <= at(108), "{published}");
}

/// Known elsewhere: the producer waits for ever for a poller that was dropped.
#[test]
fn a_dropped_consumer_is_not_waited_for() {
    let publish_three_laps = |producer: &mut Producer<u64>| -> Result<(), PublishError> {
        (0..24).try_for_each(|event| producer.publish(&event).map(drop))
    };

    let (mut producer, ring) = ring(8);
    drop(ring.required("dropped").join().unwrap());
    let Err(PublishError::Poisoned(failure)) = publish_three_laps(&mut producer) else { panic!("goes on") };
    assert_eq!((&*failure.consumer, failure.cause), ("dropped", FailureCause::Abandoned));
    assert_eq!(ring.cursor(), at(0));

    let (mut producer, ring) = common::ring(8);
    drop(ring.required("detached").detach_on_drop().join().unwrap());
    assert_eq!(publish_three_laps(&mut producer), Ok(()));
    ring.required("leaves").join().unwrap().leave();
    assert_eq!(publish_three_laps(&mut producer), Ok(()));
    assert_eq!(ring.cursor(), at(48));
}

/// Known elsewhere: a cached position that starts at 0 lets the producer lap a consumer that has read nothing.
#[test]
fn exactly_one_ring_of_events_fits_and_the_first_is_still_there() {
    for first in [0, 1, 7, 8, 1_000_003, 1 << 62] {
        for joined_after in [0, 3, 8, 13] {
            let (mut producer, ring) =
                Ring::<u64>::builder().capacity(8).first_sequence(at(first)).build().unwrap();
            let start = first + joined_after;
            publish_up_to(&mut producer, start);
            let mut consumer = ring.required("audit").join().unwrap();
            publish_up_to(&mut producer, start + 8);
            assert_eq!(producer.try_publish(&0), Err(PublishError::Full { needed: 1 }));
            assert_eq!(take_all(&mut consumer), (start..start + 8).collect::<Vec<_>>());
            publish_up_to(&mut producer, start + 16);
            assert_eq!(producer.try_publish(&0), Err(PublishError::Full { needed: 1 }));
        }
    }
}

/// Known elsewhere: the producer has looked for room, somebody joins, and it goes on to where nobody stood in the way.
#[test]
fn exactly_one_ring_of_events_fits_behind_who_joins_after_the_producer_has_looked() {
    for published in [0, 5, 8] {
        let (mut producer, ring) = ring(8);
        publish_up_to(&mut producer, published);
        drop(producer.try_claim(1).unwrap()); // looks, where it has not, at a cursor that is the newcomer's position
        let mut consumer = ring.required("audit").join().unwrap();
        publish_up_to(&mut producer, published + 8);
        assert_eq!(producer.try_publish(&0), Err(PublishError::Full { needed: 1 }));
        assert_eq!(take_all(&mut consumer), (published..published + 8).collect::<Vec<_>>());
    }
}

/// Known elsewhere: what was skipped is forgotten when nothing follows it at once.
#[test]
fn the_count_of_missed_events_survives_a_skip_to_an_empty_ring() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.optional("monitor").resume(ReadFrom::Newest).join().unwrap();
    let mut buffer = Vec::with_capacity(4);
    let (mut delivered, mut missed) = (0, 0);
    for round in 0..10 {
        let overrun = 13 + round;
        let end = ring.cursor() + overrun;
        publish_up_to(&mut producer, end.get());
        missed += overrun;
        let lagged = RecvError::Lagged { missed: overrun, resumed_at: end };
        if round % 2 == 0 {
            assert_eq!(consumer.try_recv(), Err(lagged));
        } else {
            assert_eq!(consumer.try_recv_many(&mut buffer).map(|_| ()), Err(lagged));
        }
        assert_eq!(consumer.try_recv(), Err(RecvError::Empty));
        assert_eq!(consumer.try_recv_many(&mut buffer), Err(RecvError::Empty));
        assert_eq!((consumer.delivered(), consumer.missed(), consumer.lag()), (delivered, missed, 0));

        publish_up_to(&mut producer, end.get() + 1);
        assert_eq!(consumer.try_recv(), Ok((end, end.get())));
        delivered += 1;
        assert_eq!((consumer.delivered(), consumer.missed(), consumer.lag()), (delivered, missed, 0));
        assert_eq!(ring.cursor(), at(delivered + missed));
    }
}
