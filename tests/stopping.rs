//! `Ring::stop`: everybody returns, whatever they wait for, and learns that it was a stop.

mod common;

use std::thread;

use common::{
    Announce, Waiting, all_forms, at, in_time, much_later, panic_quietly, poisoned, publish_up_to, ring,
    take_all, three_published, waiting_forms,
};
use ringbus::wait::{Park, WaitStrategy};
use ringbus::worker::{Shutdown, on_each};
use ringbus::{
    End, FailureCause, OptionalConsumer, ProgressError, PublishError, ReadError, ReadFrom, RecvError,
    RequiredConsumer, Ring,
};

/// Nothing more comes, in any form, because of a stop.
#[track_caller]
fn assert_stopped(
    required: &mut RequiredConsumer<u64, impl WaitStrategy>,
    optional: &mut OptionalConsumer<u64>,
) {
    let mut buffer = Vec::with_capacity(1);
    for _ in 0..2 {
        assert_eq!(required.try_read().unwrap_err(), ReadError::Ended(End::Stopped));
        assert_eq!(required.read().unwrap_err(), End::Stopped);
        assert_eq!(required.read_deadline(much_later()).unwrap_err(), ReadError::Ended(End::Stopped));
        assert_eq!(required.poll(|_, _, _| unreachable!()), Err(ReadError::Ended(End::Stopped)));
        assert_eq!(optional.try_recv(), Err(RecvError::Ended(End::Stopped)));
        assert_eq!(optional.recv(), Err(RecvError::Ended(End::Stopped)));
        assert_eq!(optional.recv_deadline(much_later()), Err(RecvError::Ended(End::Stopped)));
        assert_eq!(optional.recv_many(&mut buffer), Err(RecvError::Ended(End::Stopped)));
    }
}

#[test]
fn every_form_of_publishing_returns_stopped() {
    for form in all_forms() {
        let (mut producer, ring, audit) = three_published(8);
        ring.stop();
        assert_eq!(ring.end(), None, "not before the producer has noticed");
        assert_eq!(form(&mut producer), Err(PublishError::Stopped));
        assert_eq!((ring.end(), ring.stats().end), (Some(End::Stopped), Some(End::Stopped)));
        for again in all_forms() {
            assert_eq!(again(&mut producer), Err(PublishError::Stopped), "for good");
        }
        assert_eq!((ring.cursor(), producer.next_sequence()), (at(3), at(3)));
        assert_eq!(ring.stats().refused, 0);
        assert_eq!(producer.close(), Ok(at(3)));
        drop(audit);
        assert_eq!(ring.end(), Some(End::Stopped), "an end is final");
    }
}

#[test]
fn a_claim_that_was_made_before_a_stop_is_not_published() {
    let (mut producer, ring, _audit) = three_published(8);
    let mut claim = producer.claim(2).unwrap();
    claim.push(&90).unwrap();
    ring.stop();
    claim.push(&91).unwrap();
    assert_eq!(claim.publish(), Err(PublishError::Stopped));
    assert_eq!((ring.cursor(), ring.end()), (at(3), Some(End::Stopped)));
}

#[test]
fn a_producer_that_waits_for_room_returns() {
    in_time("a producer that waits for room", || {
        for form in waiting_forms() {
            let (announce, waiting) = Announce::new();
            let (mut producer, ring) = Ring::builder().capacity(8).wait(announce).build().unwrap();
            let audit = ring.required("audit").join().unwrap();
            publish_up_to(&mut producer, 8);
            let published = stopped_meanwhile(&ring, &waiting, || form(&mut producer));
            assert_eq!(published, Err(PublishError::Stopped));
            assert_eq!((ring.cursor(), ring.end()), (at(8), Some(End::Stopped)));
            drop(audit);
        }
    });
}

/// Lets `wait` wait on its own thread, stops the ring meanwhile, and says what the wait returned.
fn stopped_meanwhile<T: Send>(ring: &Ring<u64>, waiting: &Waiting, wait: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let waiter = scope.spawn(wait);
        waiting.has_begun();
        ring.stop();
        waiter.join().unwrap()
    })
}

#[test]
fn waiting_consumers_return_while_the_producer_does_nothing() {
    in_time("waiting consumers", || {
        for deadline in [false, true] {
            let (producer, ring) = ring(8);
            let (announce, waiting) = Announce::new();
            let mut audit = ring.required("audit").wait(announce).join().unwrap();
            let read = || match deadline {
                true => audit.read_deadline(much_later()).map(|batch| batch.len()),
                false => audit.read().map(|batch| batch.len()).map_err(ReadError::Ended),
            };
            assert_eq!(stopped_meanwhile(&ring, &waiting, read), Err(ReadError::Ended(End::Stopped)));
            drop(producer);
        }
        type Form = fn(&mut OptionalConsumer<u64, Announce>) -> Result<(), RecvError>;
        let forms: [Form; 4] = [
            |consumer| consumer.recv().map(drop),
            |consumer| consumer.recv_deadline(much_later()).map(drop),
            |consumer| consumer.recv_many(&mut Vec::with_capacity(1)).map(drop),
            |consumer| consumer.recv_many_deadline(&mut Vec::with_capacity(1), much_later()).map(drop),
        ];
        for form in forms {
            let (_producer, ring) = ring(8);
            let (announce, waiting) = Announce::new();
            let mut monitor = ring.optional("monitor").wait(announce).join().unwrap();
            let received = stopped_meanwhile(&ring, &waiting, || form(&mut monitor));
            assert_eq!(received, Err(RecvError::Ended(End::Stopped)));
        }
    });
}

#[test]
fn consumers_read_what_is_there_first() {
    for producer_notices in [false, true] {
        let (mut producer, ring, mut audit) = three_published(8);
        let mut monitor = ring.optional("monitor").start(ReadFrom::NewestMinus(2)).join().unwrap();
        ring.stop();
        if producer_notices {
            assert_eq!(producer.publish(&90), Err(PublishError::Stopped));
        }
        assert_eq!(take_all(&mut audit), [1, 2]);
        assert_eq!((monitor.recv(), monitor.recv()), (Ok((at(1), 1)), Ok((at(2), 2))));
        assert_stopped(&mut audit, &mut monitor);
        assert_eq!((audit.lag(), monitor.lag()), (0, 0));
    }
}

#[test]
fn consumers_that_join_after_a_stop_learn_of_it() {
    let (_producer, ring, _audit) = three_published(8);
    ring.stop();
    let mut late = ring.required("late").join().unwrap();
    assert_stopped(&mut late, &mut ring.optional("late").join().unwrap());
}

#[test]
fn the_stages_of_a_stopped_pipeline_say_stopped() {
    for upstream_has_gone in [false, true] {
        let (_producer, ring, mut audit) = three_published(8);
        let mut second = ring.required("second").after(&[&audit]).join().unwrap();
        let mut third = ring.required("third").after(&[&audit, &second]).join().unwrap();
        let mut monitor = ring.optional("monitor").join().unwrap();
        ring.stop();
        assert_eq!(take_all(&mut audit), [1, 2]);
        if upstream_has_gone {
            drop(audit);
        }
        assert_stopped(&mut second, &mut monitor);
        if upstream_has_gone {
            second.leave();
        }
        assert_stopped(&mut third, &mut monitor);
    }
}

#[test]
fn who_is_dropped_after_a_stop_has_not_failed() {
    let (mut producer, ring, audit) = three_published(8);
    let panics = ring.required("panics").join().unwrap();
    ring.stop();
    drop(audit);
    let panicked = thread::spawn(move || {
        let _dropped_on_the_way = panics;
        panic_quietly();
    });
    assert!(panicked.join().is_err());
    assert_eq!(ring.stats().consumers.len(), 0, "they have left");
    assert_eq!(producer.publish(&90), Err(PublishError::Stopped));
    assert_eq!(producer.close(), Ok(at(3)));
    assert_eq!(ring.end(), Some(End::Stopped));
}

#[test]
fn a_failure_before_a_stop_stands() {
    for (publishes, drops) in [(true, false), (false, false), (false, true)] {
        let (mut producer, ring, audit) = three_published(8);
        let mut healthy = ring.required("healthy").join().unwrap();
        audit.fail("no disk");
        ring.stop();
        let failure = if drops {
            drop(producer);
            let Some(End::Poisoned(failure)) = ring.end() else { panic!("{:?}", ring.end()) };
            failure
        } else {
            let error = if publishes { producer.publish(&90) } else { producer.close() };
            poisoned(&error.unwrap_err())
        };
        assert_eq!((&*failure.consumer, failure.cause), ("audit", FailureCause::Failed));
        assert_eq!((failure.position, failure.message.as_deref()), (at(1), Some("no disk")));
        assert_eq!(ring.end(), Some(End::Poisoned(failure.clone())));
        assert_eq!(healthy.try_read().unwrap_err(), ReadError::Ended(End::Poisoned(failure)));
    }
}

#[test]
fn the_producer_may_close_or_be_dropped_after_a_stop() {
    for closes in [false, true] {
        let (producer, ring, mut audit) = three_published(8);
        ring.stop();
        if closes {
            assert_eq!(producer.close(), Ok(at(3)));
        } else {
            drop(producer);
        }
        assert_eq!(ring.end(), Some(End::Stopped));
        assert_eq!(take_all(&mut audit), [1, 2]);
        assert_eq!(audit.try_read().unwrap_err(), ReadError::Ended(End::Stopped));
    }
}

#[test]
fn a_stop_after_the_end_changes_nothing() {
    let (producer, ring, mut audit) = three_published(8);
    producer.close().unwrap();
    ring.stop();
    assert_eq!(ring.end(), Some(End::Closed));
    assert_eq!(take_all(&mut audit), [1, 2]);
    assert_eq!(audit.try_read().unwrap_err(), ReadError::Ended(End::Closed));
}

#[test]
fn a_second_stop_and_one_by_a_clone_are_the_same() {
    let (mut producer, ring, _audit) = three_published(8);
    ring.clone().stop();
    ring.stop();
    assert_eq!(producer.publish(&90), Err(PublishError::Stopped));
    ring.stop();
    assert_eq!(producer.publish(&90), Err(PublishError::Stopped));
    assert_eq!(ring.end(), Some(End::Stopped));
}

#[test]
fn the_messages_say_stopped() {
    assert_eq!(End::Stopped.to_string(), "the ring was stopped: whoever runs it has asked all to end");
    assert_eq!(
        PublishError::Stopped.to_string(),
        "the ring is closed: it was stopped; nothing more can be published on it"
    );
}

#[test]
fn everybody_returns_from_a_running_ring() {
    in_time("a running ring", || {
        for round in 0..15 {
            let (mut producer, ring) = ring(8);
            let consumers: Vec<_> = (0..3).map(|_| ring.required("required").join().unwrap()).collect();
            let after = ring.required("after").after(&[&consumers[0]]).join().unwrap();
            let mut monitor = ring.optional("monitor").join().unwrap();
            thread::scope(|scope| {
                for mut consumer in consumers.into_iter().chain([after]) {
                    scope.spawn(move || {
                        let end = loop {
                            match consumer.read() {
                                Ok(batch) => batch.acknowledge(),
                                Err(end) => break end,
                            }
                        };
                        assert_eq!(end, End::Stopped);
                    });
                }
                scope.spawn(move || while !matches!(monitor.recv(), Err(RecvError::Ended(End::Stopped))) {});
                scope.spawn(move || {
                    while let Ok(sequence) = producer.publish(&7) {
                        assert!(sequence < at(u64::MAX));
                    }
                    assert_eq!(producer.publish(&7), Err(PublishError::Stopped));
                });
                common::eventually("the ring runs", || ring.cursor() >= at(10 * round));
                ring.stop();
            });
            assert_eq!(ring.end(), Some(End::Stopped));
        }
    });
}

#[test]
fn a_stop_ends_a_pipeline_of_workers_and_nobody_has_failed() {
    for round in 0..25 {
        let (mut producer, ring) = ring(8);
        let quiet = || on_each(|_: &u64, _, _| Ok::<(), String>(()));
        let journal = ring.required("journal").wait(Park::default()).join().unwrap();
        let gateway = ring.required("gateway").after(&[&journal]).wait(Park::default()).join().unwrap();
        let journal = journal.into_worker().spawn(quiet()).unwrap();
        let gateway = gateway.into_worker().spawn(quiet()).unwrap();
        publish_up_to(&mut producer, round % 8);
        ring.stop();
        let stopped = Shutdown::Ended(End::Stopped);
        for worker in [journal, gateway] {
            assert_eq!(in_time("a worker", move || worker.join().unwrap().reason), stopped);
        }
        assert_eq!(producer.publish(&0), Err(PublishError::Stopped));
    }
}

#[test]
fn a_stop_releases_who_waits_for_what_will_not_be_published() {
    in_time("waits for progress", || {
        let (mut producer, ring) = ring(8);
        let mut journal = ring.required("journal").join().unwrap();
        let progress = journal.progress();
        publish_up_to(&mut producer, 1);
        let waiting = thread::spawn(move || progress.wait_for(at(1), much_later()));
        ring.stop();
        let never = ProgressError::NeverPublished { sequence: at(1), end: End::Stopped };
        assert_eq!(waiting.join().unwrap(), Err(never));
        assert_eq!(take_all(&mut journal), [0]);
        assert_eq!(journal.try_read().unwrap_err(), ReadError::Ended(End::Stopped));
    });
}
