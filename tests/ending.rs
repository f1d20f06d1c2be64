//! How a stream ends: closed, by the failure of its producer, or by that of a required consumer; and that everybody learns
//! which.

mod common;

use std::thread;

use common::{
    Announce, Waiting, all_forms, at, much_later, panic_quietly, poisoned, publish_up_to, ring, take_all,
    three_published, waiting_forms,
};
use ringbus::{
    End, Failure, FailureCause, OptionalConsumer, ReadError, ReadFrom, RecvError, RequiredConsumer, Ring,
};

#[track_caller]
fn assert_failure(failure: &Failure, consumer: &str, cause: FailureCause, position: u64) {
    assert_eq!(&*failure.consumer, consumer);
    assert_eq!(failure.cause, cause);
    assert_eq!(failure.position, at(position));
}

/// Drops `held` by a panic of a thread.
fn panic_with<T: Send + 'static>(held: T) {
    let panicked = thread::spawn(move || {
        let _dropped_on_the_way = held;
        panic_quietly();
    });
    assert!(panicked.join().is_err());
}

/// Both kinds of consumer get the unread events `from..3`, and then `end`, for ever.
#[track_caller]
fn assert_drained_to(
    end: &End,
    required: &mut RequiredConsumer<u64>,
    optional: &mut OptionalConsumer<u64>,
    from: u64,
) {
    assert_eq!(take_all(required), (from..3).collect::<Vec<_>>());
    for number in from..3 {
        assert_eq!(optional.recv(), Ok((at(number), number)));
    }
    let mut buffer = Vec::with_capacity(1);
    for _ in 0..3 {
        assert_eq!(required.read().unwrap_err(), *end);
        assert_eq!(required.try_read().unwrap_err(), ReadError::Ended(end.clone()));
        assert_eq!(required.read_deadline(much_later()).unwrap_err(), ReadError::Ended(end.clone()));
        assert_eq!(required.poll(|_, _, _| unreachable!()), Err(ReadError::Ended(end.clone())));
        assert_eq!(optional.recv(), Err(RecvError::Ended(end.clone())));
        assert_eq!(optional.try_recv(), Err(RecvError::Ended(end.clone())));
        assert_eq!(optional.recv_many(&mut buffer), Err(RecvError::Ended(end.clone())));
    }
    assert_eq!((required.lag(), optional.lag()), (0, 0));
}

#[test]
fn a_closed_ring_is_drained_and_then_says_closed() {
    let (producer, ring, mut audit) = three_published(16);
    let mut monitor = ring.optional("monitor").start(ReadFrom::NewestMinus(2)).join().unwrap();
    assert_eq!(ring.end(), None);
    assert_eq!(producer.close(), Ok(at(3)), "the final cursor");
    assert_eq!((ring.end(), ring.cursor()), (Some(End::Closed), at(3)));
    assert_drained_to(&End::Closed, &mut audit, &mut monitor, 1);
    assert_eq!(End::Closed.to_string(), "the ring is closed: the producer has finished");
}

#[test]
fn dropping_the_producer_closes_the_ring() {
    let (producer, ring, mut audit) = three_published(16);
    let mut monitor = ring.optional("monitor").start(ReadFrom::NewestMinus(2)).join().unwrap();
    drop(producer);
    assert_eq!((ring.end(), ring.cursor()), (Some(End::Closed), at(3)));
    assert_drained_to(&End::Closed, &mut audit, &mut monitor, 1);
}

#[test]
fn a_ring_may_be_closed_before_anything_is_published() {
    let (producer, ring) = Ring::<u64>::builder().first_sequence(at(1 << 62)).build().unwrap();
    let mut audit = ring.required("audit").join().unwrap();
    assert_eq!(producer.close(), Ok(at(1 << 62)));
    assert_eq!(ring.cursor(), at(1 << 62));
    assert_eq!(audit.read().unwrap_err(), End::Closed);
    assert_eq!((audit.delivered(), audit.lag()), (0, 0));
}

#[test]
fn a_panic_of_the_producer_is_told_after_draining() {
    let (producer, ring, mut audit) = three_published(16);
    let mut monitor = ring.optional("monitor").start(ReadFrom::NewestMinus(2)).join().unwrap();
    panic_with(producer);
    assert_eq!(ring.end(), Some(End::ProducerFailed));
    assert_drained_to(&End::ProducerFailed, &mut audit, &mut monitor, 1);
    assert_eq!(
        End::ProducerFailed.to_string(),
        "the producer panicked: the stream stops in the middle; restart the core from what was kept of it"
    );
}

#[test]
fn consumers_join_a_closed_ring_and_get_its_end() {
    let (producer, ring, audit) = three_published(16);
    producer.close().unwrap();
    let mut late = ring.required("late").join().unwrap();
    assert_eq!((late.joined_at(), late.lag()), (at(3), 0));
    assert_eq!(late.read().unwrap_err(), End::Closed);
    let mut replay = ring.optional("replay").start(ReadFrom::Sequence(at(1))).join().unwrap();
    assert_eq!(replay.recv(), Ok((at(1), 1)));
    assert_eq!(replay.recv(), Ok((at(2), 2)));
    assert_eq!(replay.recv(), Err(RecvError::Ended(End::Closed)));
    let mut newest = ring.optional("newest").join().unwrap();
    assert_eq!(newest.recv(), Err(RecvError::Ended(End::Closed)));
    assert_eq!(audit.leave(), at(1));
}

#[test]
fn the_ring_keeps_what_was_published_after_its_producer_is_gone() {
    let (producer, ring, mut audit) = three_published(16);
    drop((producer, ring));
    assert_eq!(take_all(&mut audit), [1, 2]);
    assert_eq!(audit.read().unwrap_err(), End::Closed);
}

#[test]
fn a_consumer_dropped_after_the_ring_was_closed_has_not_failed() {
    let (producer, ring, audit) = three_published(16);
    let mut other = ring.required("other").join().unwrap();
    producer.close().unwrap();
    drop(audit);
    panic_with(ring.required("late").join().unwrap());
    for _ in 0..ring.max_required() {
        drop(ring.required("late").join().expect("the places are free again"));
    }
    assert_eq!(ring.end(), Some(End::Closed));
    assert_eq!(other.read().unwrap_err(), End::Closed);
}

#[test]
fn a_consumer_that_left_has_not_failed() {
    let (mut producer, ring, audit) = three_published(16);
    audit.leave();
    publish_up_to(&mut producer, 40);
    assert_eq!(producer.close(), Ok(at(40)));
    assert_eq!(ring.end(), Some(End::Closed));
}

#[test]
fn every_form_returns_poisoned_with_the_name_of_the_consumer_that_was_dropped() {
    for form in all_forms() {
        let (mut producer, ring, audit) = three_published(16);
        drop(audit);
        assert_eq!(ring.end(), None, "not before the producer has noticed");
        let error = form(&mut producer).unwrap_err();
        let failure = poisoned(&error);
        assert_failure(&failure, "audit", FailureCause::Abandoned, 1);
        assert_eq!(ring.end(), Some(End::Poisoned(failure)));
        for again in all_forms() {
            assert_eq!(again(&mut producer), Err(error.clone()), "every later call gives the same");
        }
        assert_eq!((producer.next_sequence(), ring.cursor()), (at(3), at(3)));
        assert_eq!(producer.close(), Err(error));
    }
}

#[test]
fn the_messages_name_the_consumer_the_cause_and_the_position() {
    let (mut producer, _ring, audit) = three_published(16);
    drop(audit);
    let error = producer.publish(&90).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ring is closed: required consumer `audit` was dropped without `leave()` at sequence 1; build a new ring once the \
         cause is mended"
    );
    let (mut producer, _ring, audit) = three_published(16);
    panic_with(audit);
    let error = producer.publish(&90).unwrap_err();
    assert_eq!(poisoned(&error).to_string(), "required consumer `audit` panicked at sequence 1");
    assert_eq!(
        End::Poisoned(poisoned(&error)).to_string(),
        "the ring is poisoned: required consumer `audit` panicked at sequence 1; build a new ring once the cause is mended, \
         and start it where the consumers stopped"
    );
}

#[test]
fn a_consumer_whose_thread_panics_has_failed_at_the_event_it_was_handling() {
    let (mut producer, _ring, mut audit) = three_published(16);
    let panicked = thread::spawn(move || {
        audit
            .poll(|event, _, _| {
                if *event == 2 {
                    panic_quietly()
                }
            })
            .unwrap();
    });
    assert!(panicked.join().is_err());
    let failure = poisoned(&producer.publish(&90).unwrap_err());
    assert_failure(&failure, "audit", FailureCause::Panicked, 2);
}

#[test]
fn a_failure_between_claim_and_publish_is_noticed() {
    let (mut producer, ring, audit) = three_published(16);
    let mut claim = producer.claim(2).unwrap();
    claim.push(&90).unwrap();
    drop(audit);
    claim.push(&91).unwrap();
    let error = claim.publish().unwrap_err();
    assert_failure(&poisoned(&error), "audit", FailureCause::Abandoned, 1);
    assert_eq!((producer.next_sequence(), ring.cursor()), (at(3), at(3)));
    assert_eq!(producer.publish(&90), Err(error));
}

#[test]
fn a_producer_that_waits_for_room_learns_of_the_failure() {
    for form in waiting_forms() {
        let (announce, waiting) = Announce::new();
        let (mut producer, ring) = Ring::<u64>::builder().capacity(8).wait(announce).build().unwrap();
        let audit = ring.required("audit").join().unwrap();
        publish_up_to(&mut producer, 8);
        let published = thread::scope(|scope| {
            let publishing = scope.spawn(|| form(&mut producer));
            waiting.has_begun();
            drop(audit);
            publishing.join().unwrap()
        });
        assert_failure(&poisoned(&published.unwrap_err()), "audit", FailureCause::Abandoned, 0);
        assert_eq!(ring.cursor(), at(8));
    }
}

#[test]
fn healthy_consumers_drain_and_then_get_the_same_failure() {
    let (mut producer, ring) = ring(16);
    let mut healthy = ring.required("healthy").join().unwrap();
    let failing = ring.required("failing").join().unwrap();
    let mut monitor = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 3);
    drop(failing);
    let failure = poisoned(&producer.publish(&90).unwrap_err());
    assert_failure(&failure, "failing", FailureCause::Abandoned, 0);
    assert_drained_to(&End::Poisoned(failure), &mut healthy, &mut monitor, 0);
}

#[test]
fn consumers_that_join_a_poisoned_ring_learn_of_the_failure() {
    let (mut producer, ring, audit) = three_published(16);
    drop(audit);
    let end = End::Poisoned(poisoned(&producer.publish(&90).unwrap_err()));
    assert_eq!(ring.required("late").join().unwrap().read().unwrap_err(), end);
    assert_eq!(ring.optional("late").join().unwrap().recv(), Err(RecvError::Ended(end)));
}

#[test]
fn the_healthy_go_on_until_the_producer_notices() {
    let (mut producer, ring, audit) = three_published(16);
    let mut healthy = ring.required("healthy").join().unwrap();
    publish_up_to(&mut producer, 5);
    drop(audit);
    assert_eq!(take_all(&mut healthy), [3, 4]);
    assert_eq!(healthy.try_read().unwrap_err(), ReadError::Empty);
    let failure = poisoned(&producer.publish(&90).unwrap_err());
    assert_eq!(healthy.try_read().unwrap_err(), ReadError::Ended(End::Poisoned(failure)));
}

#[test]
fn the_first_of_two_failures_stands() {
    let (mut producer, ring, audit) = three_published(16);
    let second = ring.required("second").join().unwrap();
    let third = ring.required("third").join().unwrap();
    drop(second);
    panic_with(audit);
    let error = producer.publish(&90).unwrap_err();
    assert_failure(&poisoned(&error), "second", FailureCause::Abandoned, 3);
    drop(third);
    assert_eq!(producer.publish(&90), Err(error.clone()));
    assert_eq!(ring.end(), Some(End::Poisoned(poisoned(&error))));
}

#[test]
fn closing_a_ring_whose_consumer_has_failed_says_so() {
    let (producer, ring, audit) = three_published(16);
    drop(audit);
    let failure = poisoned(&producer.close().unwrap_err());
    assert_failure(&failure, "audit", FailureCause::Abandoned, 1);
    assert_eq!(ring.end(), Some(End::Poisoned(failure)));
}

#[test]
fn dropping_the_producer_of_a_ring_whose_consumer_has_failed_poisons_it() {
    let (producer, ring, audit) = three_published(16);
    let mut healthy = ring.required("healthy").join().unwrap();
    drop(audit);
    drop(producer);
    let Some(End::Poisoned(failure)) = ring.end() else { panic!("{:?}", ring.end()) };
    assert_failure(&failure, "audit", FailureCause::Abandoned, 1);
    assert_eq!(healthy.read().unwrap_err(), End::Poisoned(failure));
}

#[test]
fn an_end_is_final() {
    let (mut producer, ring, audit) = three_published(16);
    drop(audit);
    let failure = poisoned(&producer.publish(&90).unwrap_err());
    panic_with(producer);
    assert_eq!(ring.end(), Some(End::Poisoned(failure)), "poisoned first, whatever the producer does then");
}

#[test]
fn what_a_failed_consumer_had_not_acknowledged_is_not_overwritten() {
    let (mut producer, ring) = ring(8);
    let mut audit = ring.required("audit").join().unwrap();
    let mut witness = ring.required("witness").join().unwrap();
    publish_up_to(&mut producer, 8);
    audit.try_read().unwrap().acknowledge_first(6).unwrap();
    let held = witness.try_read().unwrap();
    drop(audit);
    for _ in 0..20 {
        for form in all_forms() {
            poisoned(&form(&mut producer).unwrap_err());
        }
    }
    assert_eq!(held.slices().0, [0, 1, 2, 3, 4, 5, 6, 7]);
    held.acknowledge();
    witness.leave();
    for form in all_forms() {
        poisoned(&form(&mut producer).unwrap_err());
    }
    let mut recovery = ring.optional("recovery").start(ReadFrom::Sequence(at(6))).join().unwrap();
    assert_eq!(recovery.recv(), Ok((at(6), 6)));
    assert_eq!(recovery.recv(), Ok((at(7), 7)));
}

#[test]
fn a_failed_consumer_never_frees_its_place() {
    let (_producer, ring) = Ring::<u64>::builder().capacity(8).max_required(1).build().unwrap();
    drop(ring.required("audit").join().unwrap());
    assert!(ring.required("next").join().is_err());
}

/// Lets `wait` wait on its own thread, ends the stream meanwhile, and says what the wait returned.
fn ended_meanwhile<T: Send>(waiting: &Waiting, wait: impl FnOnce() -> T + Send, end: impl FnOnce()) -> T {
    thread::scope(|scope| {
        let waiter = scope.spawn(wait);
        waiting.has_begun();
        end();
        waiter.join().unwrap()
    })
}

#[test]
fn a_waiting_required_consumer_returns_when_the_ring_ends() {
    for deadline in [false, true] {
        for fails in [false, true] {
            let (mut producer, ring, audit) = three_published(16);
            let (announce, waiting) = Announce::new();
            let mut consumer = ring.required("waiting").wait(announce).join().unwrap();
            let read = || {
                if deadline {
                    consumer.read_deadline(much_later()).map(|batch| batch.len())
                } else {
                    consumer.read().map(|batch| batch.len()).map_err(ReadError::Ended)
                }
            };
            if fails {
                drop(audit);
                let read = ended_meanwhile(&waiting, read, || drop(producer.publish(&90)));
                let failure = poisoned(&producer.close().unwrap_err());
                assert_eq!(read, Err(ReadError::Ended(End::Poisoned(failure))));
            } else {
                let read = ended_meanwhile(&waiting, read, || drop(producer.close()));
                assert_eq!(read, Err(ReadError::Ended(End::Closed)));
            }
        }
    }
}

#[test]
fn a_waiting_optional_consumer_returns_when_the_ring_ends() {
    type Form = fn(&mut OptionalConsumer<u64, Announce>) -> Result<(), RecvError>;
    let forms: [Form; 4] = [
        |consumer| consumer.recv().map(drop),
        |consumer| consumer.recv_deadline(much_later()).map(drop),
        |consumer| consumer.recv_many(&mut Vec::with_capacity(1)).map(drop),
        |consumer| consumer.recv_many_deadline(&mut Vec::with_capacity(1), much_later()).map(drop),
    ];
    for form in forms {
        let (producer, ring) = common::ring(8);
        let (announce, waiting) = Announce::new();
        let mut consumer = ring.optional("waiting").wait(announce).join().unwrap();
        let received = ended_meanwhile(&waiting, || form(&mut consumer), || drop(producer.close()));
        assert_eq!(received, Err(RecvError::Ended(End::Closed)));

        let (producer, ring) = common::ring(8);
        let (announce, waiting) = Announce::new();
        let mut consumer = ring.optional("waiting").wait(announce).join().unwrap();
        let received = ended_meanwhile(&waiting, || form(&mut consumer), || panic_with(producer));
        assert_eq!(received, Err(RecvError::Ended(End::ProducerFailed)));
    }
}
