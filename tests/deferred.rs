//! Deferring: a required consumer reads on, and acknowledges later.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use common::{
    Announce, Dozing, assert_law, at, in_time, leak, panic_quietly, poisoned, publish_up_to, ring, take_all,
};
use ringbus::wait::WaitStrategy;
use ringbus::worker::on_each;
use ringbus::{AcknowledgeError, End, GroupError, PublishError, ReadError, RequiredConsumer};

const FULL: PublishError = PublishError::Full { needed: 1 };

/// The events that are there now, deferred.
#[track_caller]
fn defer_all(consumer: &mut RequiredConsumer<u64, impl WaitStrategy>) -> Vec<u64> {
    let batch = consumer.try_read().unwrap();
    assert!(batch.iter().all(|(sequence, event)| sequence == at(*event)));
    let events = batch.iter().map(|(_, event)| *event).collect();
    batch.defer();
    events
}

/// Its position, what was delivered, what was deferred, and the lag.
fn numbers(consumer: &RequiredConsumer<u64, impl WaitStrategy>) -> [u64; 4] {
    [consumer.position().get(), consumer.delivered(), consumer.deferred(), consumer.lag()]
}

#[test]
fn reads_go_on_behind_what_was_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 3);
    assert_eq!(defer_all(&mut journal), [0, 1, 2]);
    assert_eq!(numbers(&journal), [0, 0, 3, 3]);
    assert_eq!(journal.try_read().unwrap_err(), ReadError::Empty);
    assert_eq!(journal.read_deadline(Instant::now()).unwrap_err(), ReadError::Empty);
    publish_up_to(&mut producer, 5);
    drop(journal.try_read().unwrap());
    publish_up_to(&mut producer, 6);
    let batch = journal.try_read().unwrap();
    assert_eq!((batch.first_sequence(), batch.len()), (at(3), 3), "not deferred: delivered again");
    assert_eq!(batch.slices(), (&[3, 4, 5][..], &[][..]));
    batch.defer();
    assert_eq!(numbers(&journal), [0, 0, 6, 6]);
    assert_law(&ring.stats());
    journal.acknowledge_deferred();
    assert_eq!(numbers(&journal), [6, 6, 0, 0]);
    assert_law(&ring.stats());
    journal.acknowledge_deferred();
    assert_eq!(numbers(&journal), [6, 6, 0, 0], "there was nothing deferred");
    publish_up_to(&mut producer, 14);
    let batch = journal.try_read().unwrap();
    assert_eq!(batch.slices(), (&[6, 7][..], &[8, 9, 10, 11, 12, 13][..]));
    batch.acknowledge();
    journal.leave();
}

#[test]
fn a_part_of_a_batch_can_be_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").batch_limit(3).join().unwrap();
    publish_up_to(&mut producer, 5);
    let refused = journal.try_read().unwrap().defer_first(4);
    assert_eq!(refused, Err(AcknowledgeError { count: 4, len: 3 }));
    assert_eq!(numbers(&journal), [0, 0, 0, 5]);
    journal.try_read().unwrap().defer_first(0).unwrap();
    assert_eq!(numbers(&journal), [0, 0, 0, 5]);
    journal.try_read().unwrap().defer_first(2).unwrap();
    assert_eq!(numbers(&journal), [0, 0, 2, 5]);
    assert_eq!(defer_all(&mut journal), [2, 3, 4]);
    assert_eq!(numbers(&journal), [0, 0, 5, 5]);
    journal.leave();
}

#[test]
fn the_producer_has_room_when_what_was_deferred_is_acknowledged() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    for lap in 0..3 {
        let start = 8 * lap;
        publish_up_to(&mut producer, start + 5);
        defer_all(&mut journal);
        publish_up_to(&mut producer, start + 8);
        assert_eq!(producer.try_publish(&90), Err(FULL));
        assert_eq!(defer_all(&mut journal), [start + 5, start + 6, start + 7]);
        assert_eq!(producer.try_publish(&90), Err(FULL), "a lap is deferred");
        assert_eq!(journal.try_read().unwrap_err(), ReadError::Empty);
        assert_eq!(numbers(&journal), [start, start, 8, 8]);
        journal.acknowledge_deferred();
        assert_eq!(numbers(&journal), [start + 8, start + 8, 0, 0]);
    }
    publish_up_to(&mut producer, 32);
    assert_eq!(producer.try_publish(&90), Err(FULL));
    journal.leave();
}

#[test]
fn acknowledging_a_later_event_acknowledges_what_was_deferred() {
    let ways: [fn(&mut RequiredConsumer<u64>); 4] = [
        |journal| journal.try_read().unwrap().acknowledge_first(1).unwrap(),
        |journal| {
            journal.try_read().unwrap().defer_first(1).unwrap();
            journal.acknowledge_deferred();
        },
        |journal| {
            let polling = AssertUnwindSafe(|| {
                let _ = journal.poll(|event, _, _| {
                    if *event == 4 {
                        panic_quietly()
                    }
                });
            });
            assert!(catch_unwind(polling).is_err());
        },
        |journal| {
            let mut events = Vec::new();
            let batch = journal.try_read().unwrap();
            batch.for_each(|event, sequence, end| events.push((*event, sequence, end)));
            assert_eq!(events, [(3, at(3), false), (4, at(4), true)]);
        },
    ];
    for (way, position) in ways.into_iter().zip([4, 4, 4, 5]) {
        let (mut producer, ring) = ring(8);
        let mut journal = ring.required("journal").join().unwrap();
        publish_up_to(&mut producer, 3);
        defer_all(&mut journal);
        publish_up_to(&mut producer, 5);
        way(&mut journal);
        assert_eq!(numbers(&journal), [position, position, 0, 5 - position]);
        journal.leave();
    }
}

#[test]
fn acknowledging_none_acknowledges_nothing_that_was_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 3);
    defer_all(&mut journal);
    publish_up_to(&mut producer, 4);
    journal.try_read().unwrap().acknowledge_first(0).unwrap();
    assert_eq!(numbers(&journal), [0, 0, 3, 4]);
    // The handler panics at the first event.
    assert!(catch_unwind(AssertUnwindSafe(|| journal.poll(|_, _, _| panic_quietly()))).is_err());
    assert_eq!(numbers(&journal), [0, 0, 3, 4]);
    assert_eq!(defer_all(&mut journal), [3], "delivered again");
    journal.leave();
}

#[test]
fn who_comes_after_gets_nothing_that_is_only_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    let mut gateway = ring.required("gateway").after(&[&journal]).join().unwrap();
    let progress = journal.progress();
    publish_up_to(&mut producer, 4);
    journal.try_read().unwrap().acknowledge_first(1).unwrap();
    defer_all(&mut journal);
    assert_eq!(progress.position(), at(1));
    assert_eq!(defer_all(&mut gateway), [0]);
    assert_eq!(gateway.try_read().unwrap_err(), ReadError::Empty);
    journal.acknowledge_deferred();
    assert_eq!(progress.position(), at(4));
    // Behind what it has itself deferred.
    assert_eq!(take_all(&mut gateway), [1, 2, 3]);
    assert_eq!(numbers(&gateway), [4, 4, 0, 0]);
    gateway.leave();
    journal.leave();
}

#[test]
fn the_end_comes_behind_what_was_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    let mut gateway = ring.required("gateway").after(&[&journal]).join().unwrap();
    publish_up_to(&mut producer, 5);
    journal.try_read().unwrap().defer_first(3).unwrap();
    producer.close().unwrap();
    assert_eq!(defer_all(&mut journal), [3, 4]);
    assert_eq!(journal.try_read().unwrap_err(), ReadError::Ended(End::Closed));
    assert_eq!(numbers(&journal), [0, 0, 5, 5]);
    assert_eq!(gateway.try_read().unwrap_err(), ReadError::Empty, "there is more to come");
    journal.acknowledge_deferred();
    assert_eq!(numbers(&journal), [5, 5, 0, 0]);
    assert_eq!(journal.try_read().unwrap_err(), ReadError::Ended(End::Closed));
    assert_eq!(journal.leave(), at(5));
    assert_eq!(take_all(&mut gateway), [0, 1, 2, 3, 4]);
    assert_eq!(gateway.try_read().unwrap_err(), ReadError::Ended(End::Closed));
}

#[test]
fn a_stop_is_told_behind_what_was_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 2);
    defer_all(&mut journal);
    ring.stop();
    assert_eq!(journal.try_read().unwrap_err(), ReadError::Ended(End::Stopped));
    assert_eq!(numbers(&journal), [0, 0, 2, 2]);
    journal.acknowledge_deferred();
    assert_eq!(journal.leave(), at(2));
}

#[test]
fn who_leaves_has_not_acknowledged_what_it_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    let mut gateway = ring.required("gateway").after(&[&journal]).join().unwrap();
    publish_up_to(&mut producer, 4);
    journal.try_read().unwrap().acknowledge_first(1).unwrap();
    defer_all(&mut journal);
    assert_eq!(journal.leave(), at(1));
    // The dependant has read all of it, and acknowledged nothing.
    assert_eq!(defer_all(&mut gateway), [0]);
    let left = ReadError::Ended(End::UpstreamLeft { upstream: "journal".into(), position: at(1) });
    assert_eq!(gateway.try_read().unwrap_err(), left);
    gateway.acknowledge_deferred();
    assert_eq!(gateway.try_read().unwrap_err(), left);
    assert_eq!(numbers(&gateway), [1, 1, 0, 3]);
    gateway.leave();
}

#[test]
fn who_fails_has_not_acknowledged_what_it_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 4);
    journal.try_read().unwrap().acknowledge_first(1).unwrap();
    defer_all(&mut journal);
    drop(journal);
    assert_eq!(poisoned(&producer.publish(&4).unwrap_err()).position, at(1));
    assert_law(&ring.stats());
}

#[test]
fn a_pause_lets_pass_what_was_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 5);
    journal.try_read().unwrap().acknowledge_first(1).unwrap();
    journal.try_read().unwrap().defer_first(2).unwrap();
    let paused = journal.pause().unwrap();
    assert_law(&ring.stats());
    publish_up_to(&mut producer, 30);
    assert_eq!(paused.resume(), 29, "two that were deferred, two that were not, and 25 since");
    assert_eq!((numbers(&journal), journal.let_pass()), ([30, 1, 0, 0], 29));
    journal.acknowledge_deferred();
    assert_eq!(numbers(&journal), [30, 1, 0, 0]);
    publish_up_to(&mut producer, 32);
    assert_eq!(defer_all(&mut journal), [30, 31]);
    assert_eq!((numbers(&journal), journal.let_pass()), ([30, 1, 2, 2], 29));
    assert_law(&ring.stats());
    journal.leave();
}

#[test]
fn nothing_is_acknowledged_in_a_leaked_pause() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 5);
    defer_all(&mut journal);
    leak(journal.pause().unwrap());
    assert_eq!(numbers(&journal), [0, 0, 0, 5]);
    journal.acknowledge_deferred();
    // It would hold the producer up if it gated.
    publish_up_to(&mut producer, 30);
    assert_eq!(numbers(&journal), [0, 0, 0, 30]);
    assert_eq!(journal.leave(), at(0));
}

#[test]
fn a_read_waits_for_what_comes_behind_the_deferred() {
    in_time("a read behind deferred events", || {
        let (mut producer, ring) = ring(8);
        let (wait, waiting) = Announce::new();
        let mut journal = ring.required("journal").wait(wait).join().unwrap();
        publish_up_to(&mut producer, 3);
        defer_all(&mut journal);
        let reading = thread::spawn(move || {
            let events = journal.read().map(|batch| (batch.first_sequence(), batch.len())).unwrap();
            (journal, events)
        });
        waiting.has_begun();
        publish_up_to(&mut producer, 4);
        let (journal, events) = reading.join().unwrap();
        assert_eq!(events, (at(3), 1));
        assert_eq!(journal.leave(), at(0));
    });
}

#[test]
fn sleepers_are_woken_around_deferred_events() {
    in_time("sleepers and deferred events", || {
        let (mut producer, ring) = ring(8);
        let (wait, dozes) = Dozing::new();
        let mut journal = ring.required("journal").wait(wait).join().unwrap();
        publish_up_to(&mut producer, 3);
        defer_all(&mut journal);
        let reading = thread::spawn(move || {
            let len = journal.read().unwrap().len();
            (journal, len)
        });
        // A consumer that has only deferred events sleeps, and is woken by the next.
        dozes.have_come_to(1);
        publish_up_to(&mut producer, 4);
        let (mut journal, len) = reading.join().unwrap();
        assert_eq!(len, 1);
        defer_all(&mut journal);
        publish_up_to(&mut producer, 8);
        // A producer that waits for deferred slots goes on when they are acknowledged.
        let (about_to, waits) = channel();
        let publishing = thread::spawn(move || {
            about_to.send(producer.try_publish(&8)).unwrap();
            let published = producer.publish(&8);
            (producer, published)
        });
        assert_eq!(waits.recv().unwrap(), Err(FULL));
        journal.acknowledge_deferred();
        let (_producer, published) = publishing.join().unwrap();
        assert_eq!(published, Ok(at(8)));
        journal.leave();
    });
}

#[test]
fn a_worker_gets_again_what_was_deferred() {
    let (mut producer, ring) = ring(8);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 5);
    journal.try_read().unwrap().acknowledge_first(1).unwrap();
    journal.try_read().unwrap().defer_first(2).unwrap();
    let (seen, events) = channel();
    let each = on_each(move |event: &u64, _, _| seen.send(*event));
    let worker = journal.into_worker().spawn(each).unwrap();
    producer.close().unwrap();
    worker.join().unwrap();
    assert_eq!(events.iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn who_has_deferred_has_started() {
    let (mut producer, ring) = ring(8);
    let mut first = ring.required("first").join().unwrap();
    publish_up_to(&mut producer, 3);
    let mut second = ring.required("second").join().unwrap();
    defer_all(&mut first);
    let refused = GroupError::HasStarted { consumer: "first".into(), position: at(3) };
    assert_eq!(ring.start_together(&mut [&mut first, &mut second]), Err(refused));
    assert_eq!((numbers(&first), second.position()), ([0, 0, 3, 3], at(3)));
    second.leave();
    first.leave();
}
