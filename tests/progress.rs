//! `Progress`: how far a consumer has come, and waiting for it.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use common::{Announce, at, in_time, much_later, poisoned, publish_up_to, ring, soon, take_all};
use ringbus::wait::{BusySpin, SpinHint};
use ringbus::worker::{Shutdown, on_each};
use ringbus::{
    End, FailureCause, Producer, Progress, ProgressError, ReadError, RequiredConsumer, Ring, Sequence,
};

/// A ring of 16 at 8, with `journal`, which joined at 2 and has acknowledged up to 5.
fn stands_at_5() -> (Producer<u64>, Ring<u64>, RequiredConsumer<u64>, Progress) {
    let (mut producer, ring) = ring(16);
    publish_up_to(&mut producer, 2);
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 8);
    journal.try_read().unwrap().acknowledge_first(3).unwrap();
    let progress = journal.progress();
    (producer, ring, journal, progress)
}

/// What a wait gives that does not have to wait, in both forms and by a clone.
#[track_caller]
fn at_once(progress: &Progress, sequence: u64) -> Result<(), ProgressError> {
    // A deadline that has passed: it looks once in any case.
    let answer = progress.wait_for(at(sequence), Instant::now());
    assert_eq!(progress.clone().wait_for_with(at(sequence), Instant::now(), &mut BusySpin), answer);
    answer
}

/// A wait for `sequence` is in vain, because the consumer stays at `position`.
#[track_caller]
fn assert_waits(progress: &Progress, sequence: u64, position: u64) {
    let deadline = soon();
    let in_vain = ProgressError::Deadline { consumer: "journal".into(), position: at(position) };
    assert_eq!(progress.wait_for(at(sequence), deadline), Err(in_vain.clone()));
    assert!(Instant::now() >= deadline);
    assert_eq!(progress.wait_for_with(at(sequence), Instant::now(), &mut SpinHint), Err(in_vain));
}

fn not_delivered(sequence: u64) -> Result<(), ProgressError> {
    Err(ProgressError::NotDelivered { consumer: "journal".into(), sequence: at(sequence) })
}

#[test]
fn what_is_acknowledged_is_seen_at_once_and_nothing_beyond() {
    let (mut producer, _ring, mut journal, progress) = stands_at_5();
    assert_eq!((progress.name(), progress.position()), ("journal", at(5)));
    for sequence in 2..5 {
        assert_eq!(at_once(&progress, sequence), Ok(()));
    }
    for sequence in [5, 7, 8, 1 << 40] {
        assert_waits(&progress, sequence, 5);
    }
    journal.try_read().unwrap().acknowledge_first(1).unwrap();
    assert_eq!((at_once(&progress, 5), progress.position()), (Ok(()), at(6)));
    assert_waits(&progress, 6, 6);
    publish_up_to(&mut producer, 20);
    assert_eq!(take_all(&mut journal).len(), 14);
    assert_eq!((at_once(&progress, 19), progress.position()), (Ok(()), at(20)));
    journal.leave();
}

#[test]
fn what_was_published_before_the_consumer_joined_is_not_for_it() {
    let (_producer, _ring, journal, progress) = stands_at_5();
    for sequence in [0, 1] {
        assert_eq!(at_once(&progress, sequence), not_delivered(sequence));
    }
    assert_eq!(at_once(&progress, 2), Ok(()));
    journal.leave();
    assert_eq!(at_once(&progress, 1), not_delivered(1));
}

#[test]
fn what_a_group_gave_up_is_not_for_its_consumers() {
    let (mut producer, ring) = ring(16);
    let mut journal = ring.required("journal").join().unwrap();
    let progress = journal.progress();
    publish_up_to(&mut producer, 3);
    let mut store = ring.required("store").join().unwrap();
    assert_waits(&progress, 1, 0);
    assert_eq!(ring.start_together(&mut [&mut journal, &mut store]), Ok(at(3)));
    assert_eq!((at_once(&progress, 2), progress.position()), (not_delivered(2), at(3)));
    assert_waits(&progress, 3, 3);
    journal.leave();
    store.leave();
}

#[test]
fn what_a_pause_let_pass_is_not_delivered() {
    let (mut producer, _ring, mut journal, progress) = stands_at_5();
    let paused = journal.pause().unwrap();
    publish_up_to(&mut producer, 30);
    assert_eq!(progress.position(), at(5), "where the pause began");
    assert_eq!(at_once(&progress, 4), Ok(()));
    assert_eq!(at_once(&progress, 1), not_delivered(1));
    for sequence in [5, 29, 30] {
        assert_waits(&progress, sequence, 5);
    }
    assert_eq!(paused.resume(), 25);
    assert_eq!((at_once(&progress, 4), progress.position()), (Ok(()), at(30)));
    for sequence in 5..30 {
        assert_eq!(at_once(&progress, sequence), not_delivered(sequence));
    }
    assert_waits(&progress, 30, 30);
    publish_up_to(&mut producer, 32);
    journal.try_read().unwrap().acknowledge_first(1).unwrap();
    assert_eq!(at_once(&progress, 30), Ok(()));
    assert_waits(&progress, 31, 31);
    journal.leave();
    assert_eq!((at_once(&progress, 29), at_once(&progress, 30)), (not_delivered(29), Ok(())));
}

#[test]
fn what_lies_between_two_pauses_counts_as_let_pass() {
    let (mut producer, _ring, mut journal, progress) = stands_at_5();
    let paused = journal.pause().unwrap();
    publish_up_to(&mut producer, 10);
    paused.resume();
    publish_up_to(&mut producer, 12);
    assert_eq!(take_all(&mut journal), [10, 11]);
    assert_eq!(at_once(&progress, 11), Ok(()), "there is no second pause yet");
    let paused = journal.pause().unwrap();
    publish_up_to(&mut producer, 40);
    assert_eq!((progress.position(), at_once(&progress, 4)), (at(12), Ok(())));
    paused.resume();
    for sequence in [5, 9, 10, 11, 39] {
        assert_eq!(at_once(&progress, sequence), not_delivered(sequence));
    }
    assert_eq!(at_once(&progress, 4), Ok(()));
    assert_waits(&progress, 40, 40);
    journal.leave();
}

#[test]
fn what_an_earlier_pause_let_pass_is_known_during_a_later_one() {
    let (mut producer, _ring, mut journal, progress) = stands_at_5();
    journal.pause().unwrap().resume();
    publish_up_to(&mut producer, 12);
    assert_eq!(take_all(&mut journal), [8, 9, 10, 11]);
    let paused = journal.pause().unwrap();
    for sequence in [5, 7, 8, 11] {
        assert_eq!(progress.wait_for(at(sequence), soon()), not_delivered(sequence));
    }
    assert_waits(&progress, 12, 12);
    paused.resume();
    journal.leave();
}

#[test]
fn who_has_left_will_not_come_further() {
    let (mut producer, ring, journal, progress) = stands_at_5();
    assert_eq!(journal.leave(), at(5));
    publish_up_to(&mut producer, 40);
    let left = ProgressError::Left { consumer: "journal".into(), position: at(5) };
    assert_eq!(
        left.to_string(),
        "consumer `journal` left at sequence 5, before it came there; ask another consumer"
    );
    for sequence in [5, 39, 40, 100] {
        assert_eq!(at_once(&progress, sequence), Err(left.clone()));
    }
    assert_eq!((at_once(&progress, 4), progress.position()), (Ok(()), at(5)));
    // Somebody else in its place, by the same name.
    let mut other = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 50);
    take_all(&mut other);
    assert_eq!((at_once(&progress, 45), progress.position()), (Err(left), at(5)));
    assert_eq!(at_once(&other.progress(), 45), Ok(()));
    other.leave();
}

#[test]
fn who_was_paused_when_it_left_stays_where_the_pause_began() {
    let (mut producer, _ring, mut journal, progress) = stands_at_5();
    common::leak(journal.pause().unwrap());
    publish_up_to(&mut producer, 40);
    assert_eq!(journal.leave(), at(5));
    let left = ProgressError::Left { consumer: "journal".into(), position: at(5) };
    assert_eq!((at_once(&progress, 4), at_once(&progress, 5)), (Ok(()), Err(left)));
}

#[test]
fn who_has_failed_will_not_come_further() {
    let (mut producer, _ring, journal, progress) = stands_at_5();
    journal.fail("the disk is full");
    assert_eq!((at_once(&progress, 4), progress.position()), (Ok(()), at(5)));
    let Err(ProgressError::Failed(failure)) = at_once(&progress, 5) else { panic!("it has failed") };
    assert_eq!(
        (&*failure.consumer, failure.cause, failure.position),
        ("journal", FailureCause::Failed, at(5))
    );
    assert_eq!(failure.message.as_deref(), Some("the disk is full"));
    assert_eq!(
        ProgressError::Failed(failure.clone()).to_string(),
        "required consumer `journal` failed at sequence 5: the disk is full; what follows will not be acknowledged"
    );
    assert_eq!(poisoned(&producer.publish(&0).unwrap_err()), failure);
    assert_eq!(at_once(&progress, 100), Err(ProgressError::Failed(failure)));
}

#[test]
fn what_lies_beyond_the_end_will_never_be_published() {
    let (producer, _ring, mut journal, progress) = stands_at_5();
    producer.close().unwrap();
    let never = |sequence| Err(ProgressError::NeverPublished { sequence: at(sequence), end: End::Closed });
    assert_eq!(at_once(&progress, 8), never(8));
    assert_eq!(at_once(&progress, 1 << 40), never(1 << 40));
    assert_waits(&progress, 7, 5);
    assert_eq!(take_all(&mut journal), [5, 6, 7]);
    assert_eq!((at_once(&progress, 7), at_once(&progress, 8)), (Ok(()), never(8)));
    drop(journal);
    assert_eq!(at_once(&progress, 7), Ok(()));

    let (mut producer, ring, _journal, progress) = stands_at_5();
    ring.stop();
    // Also before the producer has noticed.
    let stopped = || Err(ProgressError::NeverPublished { sequence: at(8), end: End::Stopped });
    assert_eq!(at_once(&progress, 8), stopped());
    assert_waits(&progress, 7, 5);
    producer.publish(&0).unwrap_err();
    assert_eq!(at_once(&progress, 8), stopped());
}

#[test]
fn who_waits_by_any_strategy_returns_when_it_is_so() {
    in_time("waits for progress", || {
        type Does = fn(&mut Option<Producer<u64>>, RequiredConsumer<u64>) -> Option<RequiredConsumer<u64>>;
        let left = ProgressError::Left { consumer: "journal".into(), position: at(5) };
        let never = ProgressError::NeverPublished { sequence: at(8), end: End::Closed };
        let cases: [(Does, u64, Result<(), ProgressError>); 4] = [
            (
                |_, mut journal| {
                    take_all(&mut journal);
                    Some(journal)
                },
                7,
                Ok(()),
            ),
            (
                |_, journal| {
                    journal.leave();
                    None
                },
                5,
                Err(left),
            ),
            (
                |producer, journal| {
                    drop(producer.take());
                    Some(journal)
                },
                8,
                Err(never),
            ),
            (
                |producer, mut journal| {
                    let paused = journal.pause().unwrap();
                    publish_up_to(producer.as_mut().unwrap(), 12);
                    paused.resume();
                    Some(journal)
                },
                9,
                not_delivered(9),
            ),
        ];
        for (does, sequence, answer) in cases {
            let (producer, _ring, journal, progress) = stands_at_5();
            let mut producer = Some(producer);
            let (mut announce, waiting) = Announce::new();
            let (answered, journal) = thread::scope(|scope| {
                let waiter =
                    scope.spawn(|| progress.wait_for_with(at(sequence), much_later(), &mut announce));
                waiting.has_begun();
                let journal = does(&mut producer, journal);
                (waiter.join().unwrap(), journal)
            });
            assert_eq!(answered, answer);
            journal.map(RequiredConsumer::leave);
        }
    });
}

/// Four threads wait for every event, while others are published and acknowledged in all sizes; what the consumer wrote before it
/// acknowledged is there.
#[test]
fn several_threads_see_what_was_done_before_the_acknowledgement() {
    const EVENTS: u64 = 5_000;
    in_time("several threads wait", || {
        let (mut producer, ring) = Ring::<u64>::builder().capacity(64).build().unwrap();
        let mut journal = ring.required("journal").join().unwrap();
        let progress = journal.progress();
        let written: Vec<AtomicU64> = (0..EVENTS).map(|_| AtomicU64::new(0)).collect();
        let waits_for = |sequence: Sequence| {
            assert_eq!(progress.wait_for(sequence, much_later()), Ok(()));
            assert_eq!(written[sequence.get() as usize].load(Relaxed), sequence.get() + 1);
            assert!(progress.position() > sequence);
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut turn = 0;
                loop {
                    let batch = match journal.read() {
                        Ok(batch) => batch,
                        Err(end) => break assert_eq!(end, End::Closed),
                    };
                    turn += 1;
                    let count = (turn % 5 + 1).min(batch.len());
                    for (sequence, _) in batch.iter().take(count) {
                        written[sequence.get() as usize].store(sequence.get() + 1, Relaxed);
                    }
                    batch.acknowledge_first(count).unwrap();
                }
                assert_eq!(journal.try_read().unwrap_err(), ReadError::Ended(End::Closed));
            });
            for waiter in 0..3 {
                scope.spawn(move || (0..EVENTS).skip(waiter).step_by(waiter + 1).map(at).for_each(waits_for));
            }
            for event in 0..EVENTS {
                let sequence = producer.publish(&event).unwrap();
                if event % 16 == 0 {
                    waits_for(sequence);
                }
            }
            producer.close().unwrap();
        });
    });
}

#[test]
fn workers_are_joined_into_a_pipeline_by_their_progress() {
    const EVENTS: u64 = 20_000;
    in_time("a pipeline of workers", || {
        let (mut producer, ring) = ring(32);
        let handled = Arc::new(AtomicU64::new(0));
        let written = handled.clone();
        let journal = on_each(move |event: &u64, sequence: Sequence, _| {
            written.store(sequence.get() + 1, Relaxed);
            if at(*event) == sequence { Ok(()) } else { Err("out of order") }
        });
        let journal = ring.required("journal").join().unwrap().into_worker().spawn(journal).unwrap();
        let mut expected = 0;
        let gateway = on_each(move |event: &u64, sequence: Sequence, _| {
            expected += 1;
            let in_order = (sequence, *event) == (at(expected - 1), expected - 1);
            if in_order && handled.load(Relaxed) > *event { Ok(()) } else { Err(format!("at {expected}")) }
        });
        let after_journal = ring.required("gateway").after(&[&journal.progress().unwrap()]);
        let gateway = after_journal.join().unwrap().into_worker().spawn(gateway).unwrap();
        for event in 0..EVENTS {
            producer.publish(&event).unwrap();
        }
        let durable = journal.progress().unwrap();
        assert_eq!(durable.wait_for(at(EVENTS - 1), much_later()), Ok(()));
        assert_eq!(producer.close(), Ok(at(EVENTS)));
        let (gateway, journal) = (gateway.join().unwrap(), journal.join().unwrap());
        assert_eq!((gateway.reason, gateway.stats.delivered), (Shutdown::Ended(End::Closed), EVENTS));
        assert_eq!((journal.reason, journal.stats.delivered), (Shutdown::Ended(End::Closed), EVENTS));
    });
}
