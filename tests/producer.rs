//! The producer: what becomes visible, when, under which sequence; and what happens when there is no room.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use common::{Announce, at, leak, much_later, panic_quietly, publish_up_to, ring, soon, take_all};
use ringbus::{ClaimFull, Producer, PublishError, ReadFrom, RequiredConsumer, Ring, Sequence};

type Published = Result<Sequence, PublishError>;

fn full(needed: usize) -> PublishError {
    PublishError::Full { needed }
}

/// A ring of 8 (max batch 2), full because its consumer has acknowledged nothing.
fn full_ring() -> (Producer<u64>, Ring<u64>, RequiredConsumer<u64>) {
    let (mut producer, ring) = ring(8);
    let consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 8);
    (producer, ring, consumer)
}

#[test]
fn on_a_full_ring_the_try_forms_return_full_and_write_nothing() {
    let (mut producer, ring, mut consumer) = full_ring();
    assert_eq!(producer.try_publish(&90), Err(full(1)));
    assert_eq!(producer.try_publish_batch(&[90, 91]), Err(full(2)));
    assert_eq!(producer.try_claim(2).unwrap_err(), full(2));
    assert_eq!((producer.next_sequence(), ring.cursor()), (at(8), at(8)));
    assert_eq!(take_all(&mut consumer), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(
        full(2).to_string(),
        "no room for 2 more: a required consumer has not acknowledged enough; try again, or use a form that waits"
    );
}

#[test]
fn on_a_full_ring_the_deadline_forms_return_full_not_before_the_deadline() {
    let (mut producer, ring, _consumer) = full_ring();
    let deadline = soon();
    assert_eq!(producer.publish_deadline(&90, deadline), Err(full(1)));
    assert!(Instant::now() >= deadline);
    let deadline = soon();
    assert_eq!(producer.publish_batch_deadline(&[90, 91], deadline), Err(full(2)));
    assert!(Instant::now() >= deadline);
    let deadline = soon();
    assert_eq!(producer.claim_deadline(2, deadline).unwrap_err(), full(2));
    assert!(Instant::now() >= deadline);
    assert_eq!(ring.cursor(), at(8));
}

#[test]
fn a_deadline_that_has_passed_still_allows_one_look() {
    let (mut producer, _ring, mut consumer) = full_ring();
    let passed = Instant::now();
    assert_eq!(producer.publish_deadline(&8, passed), Err(full(1)));
    consumer.try_read().unwrap().acknowledge_first(5).unwrap();
    assert_eq!(producer.publish_deadline(&8, passed), Ok(at(8)));
    assert_eq!(producer.publish_batch_deadline(&[9, 10], passed), Ok(at(9)));
    let mut claim = producer.claim_deadline(2, passed).unwrap();
    claim.push(&11).unwrap();
    assert_eq!(claim.publish(), Ok(at(11)));
}

/// Lets `publish` find the ring full, and makes room for 2 events meanwhile. What it publishes must be the events from 8 up to
/// `end`.
#[track_caller]
fn goes_on_when_room_appears(publish: fn(&mut Producer<u64, Announce>) -> Published, end: u64) {
    let (announce, waiting) = Announce::new();
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).wait(announce).build().unwrap();
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 8);
    let published = thread::scope(|scope| {
        let publishing = scope.spawn(|| publish(&mut producer));
        waiting.has_begun();
        consumer.try_read().unwrap().acknowledge_first(2).unwrap();
        publishing.join().unwrap()
    });
    assert_eq!(published, Ok(at(8)));
    assert_eq!(take_all(&mut consumer), (2..end).collect::<Vec<_>>());
}

#[test]
fn publish_waits_and_goes_on_when_room_appears() {
    goes_on_when_room_appears(|producer| producer.publish(&8), 9);
    goes_on_when_room_appears(|producer| producer.publish_deadline(&8, much_later()), 9);
}

#[test]
fn publish_batch_waits_and_goes_on_when_room_appears() {
    goes_on_when_room_appears(|producer| producer.publish_batch(&[8, 9]), 10);
    goes_on_when_room_appears(|producer| producer.publish_batch_deadline(&[8, 9], much_later()), 10);
}

#[test]
fn claim_waits_and_goes_on_when_room_appears() {
    fn fill(claim: Result<ringbus::Claim<'_, u64>, PublishError>) -> Published {
        let mut claim = claim?;
        claim.push(&8).unwrap();
        claim.push(&9).unwrap();
        claim.publish()
    }
    goes_on_when_room_appears(|producer| fill(producer.claim(2)), 10);
    goes_on_when_room_appears(|producer| fill(producer.claim_deadline(2, much_later())), 10);
}

#[test]
fn each_form_returns_the_sequence_of_its_first_event() {
    let (mut producer, ring) = Ring::builder().capacity(16).first_sequence(at(50)).build().unwrap();
    let mut consumer = ring.required("audit").join().unwrap();
    assert_eq!(producer.publish(&50), Ok(at(50)));
    assert_eq!(producer.try_publish(&51), Ok(at(51)));
    assert_eq!(producer.publish_deadline(&52, soon()), Ok(at(52)));
    assert_eq!(producer.publish_batch(&[53, 54]), Ok(at(53)));
    assert_eq!(producer.try_publish_batch(&[55]), Ok(at(55)));
    assert_eq!(producer.publish_batch_deadline(&[56, 57], soon()), Ok(at(56)));
    for (event, form) in (58..61).zip(["claim", "try_claim", "claim_deadline"]) {
        let mut claim = match form {
            "claim" => producer.claim(1),
            "try_claim" => producer.try_claim(1),
            _ => producer.claim_deadline(1, soon()),
        }
        .unwrap();
        claim.push(&event).unwrap();
        assert_eq!(claim.publish(), Ok(at(event)), "{form}");
    }
    assert_eq!((producer.next_sequence(), ring.cursor()), (at(61), at(61)));
    assert_eq!(take_all(&mut consumer), (50..61).collect::<Vec<_>>());
}

#[test]
fn a_batch_of_0_does_nothing_even_on_a_full_ring() {
    let (mut producer, ring, _consumer) = full_ring();
    assert_eq!(producer.publish_batch(&[]), Ok(at(8)));
    assert_eq!(producer.try_publish_batch(&[]), Ok(at(8)));
    assert_eq!(producer.publish_batch_deadline(&[], soon()), Ok(at(8)));
    assert_eq!(ring.cursor(), at(8));
}

#[test]
fn a_batch_longer_than_max_batch_is_an_error_that_names_both_and_writes_nothing() {
    let (mut producer, ring) = Ring::builder().capacity(16).max_batch(3).build().unwrap();
    let mut consumer = ring.required("audit").join().unwrap();
    let error = PublishError::BatchTooLong { len: 4, max_batch: 3 };
    assert_eq!(
        error.to_string(),
        "a batch of 4 events is longer than the ring's max batch of 3; split it, or build the ring with a higher max_batch"
    );
    let long = [90, 91, 92, 93];
    assert_eq!(producer.publish_batch(&long), Err(error.clone()));
    assert_eq!(producer.try_publish_batch(&long), Err(error.clone()));
    assert_eq!(producer.publish_batch_deadline(&long, much_later()), Err(error.clone()));
    assert_eq!(producer.claim(4).unwrap_err(), error);
    assert_eq!(producer.try_claim(4).unwrap_err(), error);
    assert_eq!(producer.claim_deadline(4, much_later()).unwrap_err(), error);
    assert_eq!(
        producer.claim(usize::MAX).unwrap_err(),
        PublishError::BatchTooLong { len: usize::MAX, max_batch: 3 }
    );
    assert_eq!((producer.next_sequence(), ring.cursor()), (at(0), at(0)));
    assert_eq!(producer.publish_batch(&[0, 1, 2]), Ok(at(0)));
    assert_eq!(take_all(&mut consumer), [0, 1, 2]);
}

#[test]
fn a_batch_takes_all_its_room_or_none() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 13);
    assert_eq!(producer.try_publish_batch(&[90; 4]), Err(full(4)));
    assert_eq!(producer.try_claim(4).unwrap_err(), full(4));
    assert_eq!(producer.try_publish_batch(&[13, 14, 15]), Ok(at(13)));
    assert_eq!(producer.try_publish(&16), Err(full(1)));
    assert_eq!(take_all(&mut consumer), (0..16).collect::<Vec<_>>());
}

#[test]
fn batches_and_claims_wrap_around_the_end_of_the_ring() {
    // A batch of 4 on a ring of 16 stands across its end for each of the three starts 13, 14 and 15.
    for start in 13..16 {
        for claimed in [false, true] {
            let (mut producer, ring) = ring(16);
            publish_up_to(&mut producer, start);
            let mut required = ring.required("audit").join().unwrap();
            let mut optional = ring.optional("monitor").join().unwrap();
            let events = [start, start + 1, start + 2, start + 3];
            let published = if claimed {
                let mut claim = producer.claim(4).unwrap();
                events.iter().for_each(|event| claim.push(event).unwrap());
                claim.publish()
            } else {
                producer.publish_batch(&events)
            };
            assert_eq!(published, Ok(at(start)));
            assert_eq!(take_all(&mut required), events);
            for event in events {
                assert_eq!(optional.try_recv(), Ok((at(event), event)));
            }
        }
    }
}

#[test]
fn a_claim_is_invisible_until_published_and_then_all_at_once() {
    let (mut producer, ring) = ring(16);
    let mut claim = producer.claim(3).unwrap();
    assert_eq!((claim.len(), claim.remaining(), claim.is_empty()), (0, 3, true));
    for (pushed, event) in (1..).zip([0, 1, 2]) {
        claim.push(&event).unwrap();
        assert_eq!((claim.len(), claim.remaining(), claim.is_empty()), (pushed, 3 - pushed, false));
        assert_eq!(ring.cursor(), at(0));
    }
    assert_eq!(claim.publish(), Ok(at(0)));
    assert_eq!(ring.cursor(), at(3));
}

#[test]
fn a_claim_reveals_exactly_what_was_pushed() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.required("audit").join().unwrap();
    let mut claim = producer.claim(4).unwrap();
    claim.push(&0).unwrap();
    claim.push(&1).unwrap();
    assert_eq!(claim.publish(), Ok(at(0)));
    assert_eq!((producer.next_sequence(), ring.cursor()), (at(2), at(2)));
    assert_eq!(producer.publish(&2), Ok(at(2)), "the slots given up are taken next");
    assert_eq!(take_all(&mut consumer), [0, 1, 2]);
}

#[test]
fn slots_that_a_claim_gave_up_are_room_again() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.required("audit").join().unwrap();
    for _ in 0..20 {
        drop(producer.try_claim(4).unwrap());
    }
    publish_up_to(&mut producer, 16);
    assert_eq!(producer.try_publish(&90), Err(full(1)));
    assert_eq!(take_all(&mut consumer), (0..16).collect::<Vec<_>>());
}

#[test]
fn a_claim_with_nothing_pushed_cannot_be_published() {
    let (mut producer, ring) = ring(16);
    assert_eq!(producer.claim(2).unwrap().publish(), Err(PublishError::NothingWritten));
    assert_eq!(
        PublishError::NothingWritten.to_string(),
        "nothing was pushed into the claim, so there is nothing to publish; drop the claim to give it up"
    );
    assert_eq!(ring.cursor(), at(0));
    assert_eq!(producer.publish(&0), Ok(at(0)));
}

#[test]
fn a_claim_of_0_takes_nothing_even_on_a_full_ring() {
    let (mut producer, ring, _consumer) = full_ring();
    let mut claim = producer.try_claim(0).unwrap();
    assert_eq!((claim.len(), claim.remaining(), claim.is_empty()), (0, 0, true));
    assert_eq!(claim.push(&90), Err(ClaimFull { claimed: 0 }));
    assert_eq!(claim.publish(), Err(PublishError::NothingWritten));
    assert_eq!(ring.cursor(), at(8));
}

#[test]
fn a_full_claim_refuses_more_and_keeps_what_it_has() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.required("audit").join().unwrap();
    let mut claim = producer.claim(2).unwrap();
    claim.push(&0).unwrap();
    claim.push(&1).unwrap();
    let error = claim.push(&90).unwrap_err();
    assert_eq!(error, ClaimFull { claimed: 2 });
    assert_eq!(error.to_string(), "all 2 claimed slots are filled; publish, and claim again");
    assert_eq!(claim.publish(), Ok(at(0)));
    assert_eq!(take_all(&mut consumer), [0, 1]);
}

/// Makes a claim end without being published, and checks that nothing of it is seen and its slots are taken next.
#[track_caller]
fn reveals_nothing(end: impl FnOnce(&mut Producer<u64>)) {
    let (mut producer, ring) = ring(16);
    let mut required = ring.required("audit").join().unwrap();
    let mut optional = ring.optional("monitor").start(ReadFrom::Newest).join().unwrap();
    publish_up_to(&mut producer, 5);
    end(&mut producer);
    assert_eq!((producer.next_sequence(), ring.cursor(), ring.end()), (at(5), at(5), None));
    let mut claim = producer.claim(4).unwrap();
    claim.push(&5).unwrap();
    assert_eq!(claim.publish(), Ok(at(5)));
    assert_eq!(take_all(&mut required), [0, 1, 2, 3, 4, 5]);
    let mut received = Vec::with_capacity(16);
    optional.try_recv_many(&mut received).unwrap();
    assert_eq!(received, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_dropped_claim_reveals_nothing() {
    reveals_nothing(|producer| {
        let mut claim = producer.claim(4).unwrap();
        claim.push(&90).unwrap();
        claim.push(&91).unwrap();
        drop(claim);
    });
}

#[test]
fn a_leaked_claim_reveals_nothing() {
    reveals_nothing(|producer| {
        let mut claim = producer.claim(4).unwrap();
        claim.push(&90).unwrap();
        claim.push(&91).unwrap();
        leak(claim);
    });
}

#[test]
fn a_panic_while_a_claim_is_filled_reveals_nothing() {
    reveals_nothing(|producer| {
        let filling = AssertUnwindSafe(|| {
            let mut claim = producer.claim(4).unwrap();
            claim.push(&90).unwrap();
            panic_quietly();
        });
        assert!(catch_unwind(filling).is_err());
    });
}
