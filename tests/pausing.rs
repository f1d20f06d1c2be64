//! Pause and resume: a paused consumer holds nobody up, and is told exactly what passed. And groups that start together.

mod common;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use common::{Dice, assert_law, at, eventually, in_time, publish_up_to, ring, take_all};
use ringbus::stats::{ConsumerState, ConsumerStats};
use ringbus::worker::on_each;
use ringbus::{
    End, GroupError, JoinError, OptionalConsumer, PauseError, Paused, Producer, PublishError, ReadError,
    ReadFrom, RecvError, RequiredConsumer, Ring, Upstream,
};

/// What the statistics say of the consumer `name`; all of them obey the law.
#[track_caller]
fn seen(ring: &Ring<u64>, name: &str) -> ConsumerStats {
    let stats = ring.stats();
    assert_law(&stats);
    stats.consumer(name).expect("it is there").clone()
}

/// The state, position and four numbers of the law that the statistics give for the consumer `name`.
#[track_caller]
fn numbers(ring: &Ring<u64>, name: &str) -> (ConsumerState, u64, [u64; 4]) {
    let seen = seen(ring, name);
    (seen.state, seen.position.get(), [seen.delivered, seen.missed, seen.let_pass, seen.lag])
}

#[test]
fn a_paused_required_consumer_lets_pass_and_holds_nobody_up() {
    let (mut producer, ring) = ring(8);
    publish_up_to(&mut producer, 2);
    let mut risk = ring.required("risk").join().unwrap();
    publish_up_to(&mut producer, 7);
    risk.try_read().unwrap().acknowledge_first(3).unwrap();
    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Running, 5, [3, 0, 0, 2]));
    assert_eq!((risk.delivered(), risk.let_pass(), risk.lag()), (3, 0, 2));

    let paused = risk.pause().unwrap();
    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Paused, 5, [3, 0, 2, 0]), "the unread pass as well");
    publish_up_to(&mut producer, 100);
    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Paused, 5, [3, 0, 95, 0]));
    assert!(ring.stats().gated_by().is_none());
    assert_eq!(paused.resume(), 95);

    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Running, 100, [3, 0, 95, 0]));
    assert_eq!((risk.position(), risk.delivered(), risk.let_pass(), risk.lag()), (at(100), 3, 95, 0));
    assert_eq!(risk.try_read().unwrap_err(), ReadError::Empty);
    // It gates again.
    publish_up_to(&mut producer, 108);
    assert_eq!(producer.try_publish(&0), Err(PublishError::Full { needed: 1 }));
    assert_eq!(&*ring.stats().gated_by().unwrap().name, "risk");
    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Running, 100, [3, 0, 95, 8]));
    assert_eq!(take_all(&mut risk), (100..108).collect::<Vec<_>>());
    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Running, 108, [11, 0, 95, 0]));
    assert_eq!((risk.delivered(), risk.leave()), (11, at(108)));
}

#[test]
fn a_paused_optional_consumer_lets_pass_and_misses_nothing() {
    let (mut producer, ring) = ring(8);
    publish_up_to(&mut producer, 2);
    let mut monitor = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 6);
    assert_eq!(monitor.recv(), Ok((at(2), 2)));
    assert_eq!(monitor.skip_to(ReadFrom::NewestMinus(2)), Ok(1));
    assert_eq!(numbers(&ring, "monitor"), (ConsumerState::Running, 4, [1, 1, 0, 2]));

    let paused = monitor.pause();
    publish_up_to(&mut producer, 100);
    assert_eq!(numbers(&ring, "monitor"), (ConsumerState::Paused, 4, [1, 1, 96, 0]));
    assert_eq!(paused.resume(), 96);
    assert_eq!(numbers(&ring, "monitor"), (ConsumerState::Running, 100, [1, 1, 96, 0]));
    assert_eq!(monitor.try_recv(), Err(RecvError::Empty));
    publish_up_to(&mut producer, 101);
    assert_eq!(monitor.recv(), Ok((at(100), 100)));
    assert_eq!((monitor.delivered(), monitor.missed(), monitor.let_pass(), monitor.lag()), (2, 1, 96, 0));
    assert_eq!(numbers(&ring, "monitor"), (ConsumerState::Running, 101, [2, 1, 96, 0]));
}

#[test]
fn dropping_a_pause_ends_it() {
    let (mut producer, ring) = ring(8);
    let mut risk = ring.required("risk").join().unwrap();
    let mut monitor = ring.optional("monitor").join().unwrap();
    let both: (Paused<'_, RequiredConsumer<u64>>, Paused<'_, OptionalConsumer<u64>>) =
        (risk.pause().unwrap(), monitor.pause());
    publish_up_to(&mut producer, 20);
    drop(both);
    assert_eq!((risk.let_pass(), monitor.let_pass()), (20, 20));
    publish_up_to(&mut producer, 22);
    assert_eq!(take_all(&mut risk), [20, 21]);
    assert_eq!((monitor.recv(), monitor.recv()), (Ok((at(20), 20)), Ok((at(21), 21))));
    risk.leave();
}

#[test]
fn many_pauses_add_up() {
    let mut dice = Dice(5);
    let (mut producer, ring) = ring(16);
    let mut risk = ring.required("risk").join().unwrap();
    let mut monitor = ring.optional("monitor").join().unwrap();
    let (mut next, mut passed, mut delivered) = (0, 0, 0);
    for _ in 0..200 {
        next += dice.below(16 - risk.lag() + 1);
        publish_up_to(&mut producer, next);
        let acknowledged = dice.below(risk.lag() + 1);
        if acknowledged > 0 {
            risk.try_read().unwrap().acknowledge_first(acknowledged as usize).unwrap();
            delivered += acknowledged;
        }
        let pause = (risk.pause().unwrap(), monitor.pause());
        next += dice.below(40);
        publish_up_to(&mut producer, next);
        passed = next - delivered;
        assert_eq!(numbers(&ring, "risk").2, [delivered, 0, passed, 0]);
        drop(pause);
        assert_eq!((risk.delivered(), risk.let_pass(), risk.position()), (delivered, passed, at(next)));
        assert_eq!((monitor.delivered(), monitor.let_pass(), monitor.lag()), (0, next, 0));
        assert_eq!(numbers(&ring, "risk"), (ConsumerState::Running, next, [delivered, 0, passed, 0]));
    }
    assert!(delivered > 100 && passed > 1_000);
    risk.leave();
}

#[test]
fn an_upstream_cannot_pause_and_a_leaf_can() {
    let (mut producer, ring) = ring(8);
    let mut first = ring.required("first").join().unwrap();
    let mut second = ring.required("second").after(&[&first]).join().unwrap();
    let refused = PauseError::HasDependants { consumer: "first".into() };
    assert_eq!(first.pause().unwrap_err(), refused);
    assert_eq!(
        refused.to_string(),
        "consumer `first` cannot pause: others come after it and would wait with it; pause those, or let them leave first"
    );
    publish_up_to(&mut producer, 3);
    assert_eq!(take_all(&mut first), [0, 1, 2]);
    assert_eq!(second.try_read().unwrap().len(), 3);

    let paused = second.pause().unwrap();
    for end in 4..20 {
        publish_up_to(&mut producer, end);
        take_all(&mut first);
    }
    publish_up_to(&mut producer, 20);
    assert_eq!(paused.resume(), 20);
    // It goes on at the cursor, where its upstream has not come yet.
    assert_eq!((second.position(), second.try_read().unwrap_err()), (at(20), ReadError::Empty));
    publish_up_to(&mut producer, 21);
    assert_eq!(take_all(&mut first), [19, 20]);
    assert_eq!(take_all(&mut second), [20]);
    assert_eq!(first.pause().unwrap_err(), refused);
    second.leave();
    let paused = first.pause().unwrap();
    publish_up_to(&mut producer, 40);
    assert_eq!(paused.resume(), 19);
    first.leave();
}

#[test]
fn a_dependant_that_is_paused_learns_how_its_upstream_ended() {
    let (mut producer, ring) = ring(8);
    let first = ring.required("first").join().unwrap();
    let mut second = ring.required("second").after(&[&first]).join().unwrap();
    let paused = second.pause().unwrap();
    first.leave();
    publish_up_to(&mut producer, 30);
    assert_eq!(paused.resume(), 30);
    let left = End::UpstreamLeft { upstream: "first".into(), position: at(0) };
    assert_eq!(second.try_read().unwrap_err(), ReadError::Ended(left));
    // The place of the first was kept.
    second.leave();
    let places = ring.max_required();
    let all: Vec<_> = (0..places).map(|_| ring.required("next").join().unwrap()).collect();
    assert_eq!(all.len(), places);
}

#[test]
fn nobody_joins_after_a_paused_one() {
    let (mut producer, ring) = ring(8);
    let mut first = ring.required("first").join().unwrap();
    let progress = first.progress();
    let paused = first.pause().unwrap();
    let refused = JoinError::UpstreamPaused { consumer: "second".into(), upstream: "first".into() };
    assert_eq!(ring.required("second").after(&[&progress]).join().unwrap_err(), refused);
    assert!(refused.to_string().contains("`second` cannot come after `first`, which is paused"));
    publish_up_to(&mut producer, 20);
    assert_eq!(paused.resume(), 20);
    let mut second = ring.required("second").after(&[&progress]).join().unwrap();
    publish_up_to(&mut producer, 21);
    assert_eq!(second.try_read().unwrap_err(), ReadError::Empty);
    assert_eq!(take_all(&mut first), [20]);
    assert_eq!(take_all(&mut second), [20]);
    assert_eq!((second.leave(), first.leave()), (at(21), at(21)));
}

#[test]
fn who_is_paused_at_the_end_drains_nothing() {
    let (mut producer, ring) = ring(8);
    let mut risk = ring.required("risk").join().unwrap();
    let mut monitor = ring.optional("monitor").join().unwrap();
    let (paused, pausing) = (risk.pause().unwrap(), monitor.pause());
    publish_up_to(&mut producer, 30);
    producer.close().unwrap();
    assert_eq!((paused.resume(), pausing.resume()), (30, 30));
    assert_eq!(risk.try_read().unwrap_err(), ReadError::Ended(End::Closed));
    assert_eq!(monitor.try_recv(), Err(RecvError::Ended(End::Closed)));
    drop(risk);
    assert_eq!(ring.end(), Some(End::Closed));
}

#[test]
fn a_leaked_pause_holds_nobody_up_and_ends_at_the_next_read() {
    let (mut producer, ring) = ring(8);
    let mut risk = ring.required("risk").join().unwrap();
    common::leak(risk.pause().unwrap());
    publish_up_to(&mut producer, 30);
    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Paused, 0, [0, 0, 30, 0]));
    assert_eq!(risk.try_read().unwrap_err(), ReadError::Empty);
    assert_eq!(numbers(&ring, "risk"), (ConsumerState::Running, 30, [0, 0, 30, 0]));
    publish_up_to(&mut producer, 31);
    assert_eq!(take_all(&mut risk), [30]);
    common::leak(risk.pause().unwrap());
    drop(producer);
    assert_eq!(risk.read().unwrap_err(), End::Closed);
}

#[test]
fn who_leaves_in_a_leaked_pause_leaves_where_it_began() {
    let (mut producer, ring) = ring(8);
    let mut risk = ring.required("risk").join().unwrap();
    common::leak(risk.pause().unwrap());
    publish_up_to(&mut producer, 30);
    assert_eq!(risk.leave(), at(0));
    assert!(ring.stats().consumers.is_empty());
}

#[test]
fn who_fails_in_a_leaked_pause_fails_where_it_would_have_gone_on() {
    let (mut producer, ring) = ring(8);
    let mut risk = ring.required("risk").join().unwrap();
    common::leak(risk.pause().unwrap());
    publish_up_to(&mut producer, 30);
    drop(risk);
    let failure = common::poisoned(&producer.publish(&30).unwrap_err());
    assert_eq!(failure.position, at(30), "nothing from there on is overwritten");
    assert_law(&ring.stats());
}

#[test]
fn a_second_pause_after_a_leaked_one_holds_nobody_up() {
    let (mut producer, ring) = ring(8);
    let mut risk = ring.required("risk").join().unwrap();
    common::leak(risk.pause().unwrap());
    let paused = risk.pause().unwrap();
    publish_up_to(&mut producer, 20);
    paused.resume();
    assert_law(&ring.stats());
    for end in 21..40 {
        assert_eq!(producer.try_publish(&0), Ok(at(end - 1)));
        if let Ok(batch) = risk.try_read() {
            batch.acknowledge();
        }
    }
    risk.leave();
}

#[test]
fn a_pause_gives_up_what_was_seen_and_not_read() {
    let (mut producer, ring) = ring(8);
    let mut risk = ring.required("risk").batch_limit(2).join().unwrap();
    publish_up_to(&mut producer, 5);
    // More was seen than one batch may have.
    risk.try_read().unwrap().acknowledge();
    common::leak(risk.pause().unwrap());
    publish_up_to(&mut producer, 30);
    assert_eq!(risk.try_read().unwrap_err(), ReadError::Empty, "2 to 4 have been overwritten");
    risk.leave();
}

/// Pauses and resumes, again and again, while the producer runs. Every event outside of the pauses comes, once.
fn goes_on_where_it_resumed(events: u64, mut consumer: RequiredConsumer<u64>) -> [u64; 2] {
    let (mut expected, mut passed) = (consumer.joined_at(), 0);
    let mut dice = Dice(3);
    loop {
        for _ in 0..dice.below(5) {
            let batch = match consumer.read() {
                Ok(batch) => batch,
                Err(end) => {
                    assert_eq!((end, consumer.position()), (End::Closed, at(events)));
                    assert_eq!(consumer.let_pass(), passed);
                    return [consumer.delivered(), passed];
                }
            };
            assert_eq!(batch.first_sequence(), expected);
            for (sequence, event) in &batch {
                assert_eq!((sequence, *event), (expected, expected.get()));
                expected += 1;
            }
            batch.acknowledge();
        }
        let paused = consumer.pause().unwrap();
        (0..dice.below(2_000)).for_each(|_| std::hint::spin_loop());
        let let_pass = paused.resume();
        expected += let_pass;
        passed += let_pass;
        assert_eq!(consumer.position(), expected);
    }
}

#[test]
fn every_event_after_the_resume_comes_while_the_producer_runs() {
    const EVENTS: u64 = 20_000;
    in_time("pauses while the producer runs", || {
        let (mut producer, ring) = ring(64);
        let pausing: Vec<_> = (0..2).map(|_| ring.required("pausing").join().unwrap()).collect();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let pausing: Vec<_> = pausing
                .into_iter()
                .map(|consumer| scope.spawn(|| goes_on_where_it_resumed(EVENTS, consumer)))
                .collect();
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    assert_law(&ring.stats());
                    thread::yield_now();
                }
            });
            for event in 0..EVENTS {
                producer.publish(&event).unwrap();
            }
            producer.close().unwrap();
            let numbers: Vec<_> = pausing.into_iter().map(|consumer| consumer.join().unwrap()).collect();
            done.store(true, Relaxed);
            for [delivered, passed] in numbers {
                assert_eq!(delivered + passed, EVENTS);
                assert!(delivered > 0);
            }
        });
    });
}

/// Nobody can come after a worker whose pause is asked for again before it has woken from the last one.
#[test]
fn nobody_joins_after_a_worker_that_is_about_to_pause_again() {
    in_time("pauses and joins", || {
        let (mut producer, ring) = ring(8);
        let worker = ring.required("journal").join().unwrap().into_worker();
        let worker = worker.spawn(on_each(|_: &u64, _, _| Ok::<(), String>(()))).unwrap();
        let progress = worker.progress().unwrap();
        let began = Instant::now();
        for round in 0..20_000 {
            if began.elapsed() > Duration::from_secs(1) {
                break; // a busy machine
            }
            worker.pause().unwrap();
            if round % 2 == 0 {
                eventually("it pauses", || seen(&ring, "journal").state == ConsumerState::Paused);
            }
            worker.resume().unwrap();
            (0..round % 64).for_each(|_| std::hint::spin_loop());
            worker.pause().unwrap();
            (0..round % 256).for_each(|_| std::hint::spin_loop());
            let joined = ring.required("late").after(&[&progress]).join();
            assert_eq!(joined.unwrap_err().to_string().matches("which is paused").count(), 1, "{round}");
            worker.resume().unwrap();
        }
        producer.publish(&0).unwrap();
        drop(producer);
        worker.join().unwrap();
    });
}

/// A ring of 8 at 2, with `first` that joined at 0, `second`, after the first, that joined at 1, and `third` that joined at 2.
fn three_joined() -> (Producer<u64>, Ring<u64>, [RequiredConsumer<u64>; 3]) {
    let (mut producer, ring) = ring(8);
    let first = ring.required("first").join().unwrap();
    publish_up_to(&mut producer, 1);
    let second = ring.required("second").after(&[&first]).join().unwrap();
    publish_up_to(&mut producer, 2);
    let third = ring.required("third").join().unwrap();
    (producer, ring, [first, second, third])
}

#[test]
fn a_group_starts_at_the_highest_of_its_starts() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (mut producer, ring, consumers) = three_joined();
        let mut consumers = consumers.map(Some);
        let mut group = order.map(|index| consumers[index].take().unwrap());
        publish_up_to(&mut producer, 5);
        assert_eq!(numbers(&ring, "first").2, [0, 0, 0, 5]);
        let [a, b, c] = &mut group;
        assert_eq!(ring.start_together(&mut [a, b, c]), Ok(at(2)));
        for consumer in &group {
            assert_eq!((consumer.joined_at(), consumer.position()), (at(2), at(2)));
            assert_eq!((consumer.delivered(), consumer.lag()), (0, 3));
            assert_eq!(numbers(&ring, consumer.name()), (ConsumerState::Running, 2, [0, 0, 0, 3]));
        }
        // All gate there.
        publish_up_to(&mut producer, 10);
        assert_eq!(producer.try_publish(&0), Err(PublishError::Full { needed: 1 }));
        group.sort_by_key(|consumer| consumer.name().to_owned());
        for consumer in &mut group {
            assert_eq!(take_all(consumer), (2..10).collect::<Vec<_>>());
        }
        assert_eq!(group.map(RequiredConsumer::leave), [at(10); 3]);
    }
}

#[test]
fn groups_that_need_no_change() {
    let (mut producer, ring, [first, second, mut third]) = three_joined();
    assert_eq!(ring.start_together(&mut []), Ok(at(2)), "the cursor");
    assert_eq!(ring.start_together(&mut [&mut third]), Ok(at(2)));
    assert_eq!(ring.start_together(&mut [&mut third]), Ok(at(2)), "again");
    publish_up_to(&mut producer, 3);
    assert_eq!(take_all(&mut third), [2]);
    for consumer in [second, first, third] {
        consumer.leave();
    }
}

#[test]
fn a_group_is_of_one_ring() {
    for name in ["ring", "other"] {
        let (_producer, ring, [mut first, mut second, third]) = three_joined();
        let (_other_producer, other) = Ring::<u64>::builder().name(name).build().unwrap();
        let mut foreign = other.required("foreign").join().unwrap();
        let refused = GroupError::OtherRing { consumer: "foreign".into(), ring: "ring".into() };
        assert_eq!(ring.start_together(&mut [&mut first, &mut foreign, &mut second]), Err(refused.clone()));
        assert_eq!((first.joined_at(), second.joined_at()), (at(0), at(1)), "nothing has changed");
        assert!(refused.to_string().contains("`foreign` does not read ring `ring`"));
        drop((first, second, third));
    }
}

#[test]
fn a_group_has_not_started() {
    let (_producer, ring, [mut first, mut second, mut third]) = three_joined();
    first.try_read().unwrap().acknowledge_first(1).unwrap();
    let refused = GroupError::HasStarted { consumer: "first".into(), position: at(1) };
    let started = ring.start_together(&mut [&mut third, &mut second, &mut first]);
    assert_eq!(started, Err(refused.clone()));
    assert_eq!((second.joined_at(), third.joined_at()), (at(1), at(2)), "nothing has changed");
    assert!(refused.to_string().contains("`first` has started on its own and stands at 1"));
}

#[test]
fn who_comes_after_one_of_a_group_belongs_to_it() {
    let (_producer, ring, [mut first, mut second, mut third]) = three_joined();
    let refused = GroupError::DependantOutside { consumer: "first".into() };
    assert_eq!(ring.start_together(&mut [&mut third, &mut first]), Err(refused.clone()));
    assert_eq!(first.position(), at(0), "nothing has changed");
    assert!(refused.to_string().contains("a consumer that comes after `first` is not in the group"));
    // The upstream of one of them need not be among them.
    assert_eq!(ring.start_together(&mut [&mut third, &mut second]), Ok(at(2)));
    // A second dependant of the first is outside, although as many edges lead to it as before.
    let outside = ring.required("outside").after(&[&first]).join().unwrap();
    let fourth = [&second as &dyn Upstream, &third];
    let mut fourth = ring.required("fourth").after(&fourth).join().unwrap();
    let started = ring.start_together(&mut [&mut first, &mut second, &mut third, &mut fourth]);
    assert_eq!(started, Err(refused));
    outside.leave();
    let started = ring.start_together(&mut [&mut first, &mut second, &mut third, &mut fourth]);
    assert_eq!(started, Ok(at(2)));
    for consumer in [fourth, second, first, third] {
        assert_eq!(consumer.leave(), at(2));
    }
}

#[test]
fn groups_start_together_while_the_producer_runs() {
    in_time("groups start while the producer runs", || {
        let (mut producer, ring) = ring(16);
        let enough = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !enough.load(Relaxed) {
                    let next = producer.next_sequence().get();
                    producer.publish(&next).unwrap();
                }
            });
            for _ in 0..150 {
                let mut first = ring.required("first").join().unwrap();
                let mut second = ring.required("second").after(&[&first]).join().unwrap();
                let mut third = ring.required("third").after(&[&second]).join().unwrap();
                let joined = third.joined_at();
                assert!(first.joined_at() <= second.joined_at() && second.joined_at() <= joined);
                let start = ring.start_together(&mut [&mut third, &mut first, &mut second]).unwrap();
                assert_eq!(start, joined);
                assert_law(&ring.stats());
                for stage in [&mut first, &mut second, &mut third] {
                    let batch = stage.read().unwrap();
                    assert_eq!(batch.first_sequence(), start);
                    assert!(batch.iter().all(|(sequence, event)| sequence == at(*event)));
                    batch.acknowledge();
                }
                assert_eq!(third.delivered(), third.position().since(start));
                for stage in [third, second, first] {
                    stage.leave();
                }
            }
            enough.store(true, Relaxed);
        });
    });
}
