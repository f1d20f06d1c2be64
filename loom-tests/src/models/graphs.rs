//! Consumers that come after others.

use super::{Effect, Model, Pair, event, publish, read_now, required, ring};
use ringbus::{End, ReadError, RequiredConsumer, Ring, Upstream};

pub(super) const MODELS: &[Model] = &[
    Model {
        name: "follow",
        promise: "a dependant reads only what its upstream has acknowledged, and sees what that one did before",
        preemptions: None,
        run: follows,
    },
    Model {
        name: "follow-deferred",
        promise: "what its upstream has deferred a dependant does not read before it is acknowledged",
        preemptions: None,
        run: follows_what_was_deferred,
    },
    Model {
        name: "follow-slowest",
        promise: "a dependant reads up to the slower of two, of which one leaves",
        preemptions: Some(3),
        run: follows_the_slower,
    },
    Model {
        name: "final-position",
        promise: "a dependant drains to where its upstream left, and is told",
        preemptions: None,
        run: drains_to_the_final_position,
    },
    Model {
        name: "orderly-shutdown",
        promise: "an upstream that leaves an ended ring early is no loss: its dependant gets everything, then Closed",
        preemptions: None,
        run: shuts_down_in_order,
    },
    Model {
        name: "place-under-dependant",
        promise: "a place whose owner has left is not given away while a dependant reads its gate",
        preemptions: Some(3),
        run: keeps_the_place,
    },
    Model {
        name: "join-behind",
        promise: "who joins after a lagging upstream waits for it, and gets every event from where it joined on",
        preemptions: Some(3),
        run: joins_behind,
    },
    Model {
        name: "start-together",
        promise: "a group starts at one sequence, while the producer runs, and nothing from there on is overwritten",
        preemptions: Some(2),
        run: starts_together,
    },
];

fn after(ring: &Ring<Pair>, name: &str, upstream: &[&dyn Upstream]) -> RequiredConsumer<Pair> {
    ring.required(name).after(upstream).join().expect("a free place")
}

/// Reads until there is nothing more to come, at most so many times; returns how it ended, if it did.
fn poll(consumer: &mut RequiredConsumer<Pair>, polls: u32) -> Option<End> {
    for _ in 0..polls {
        if read_now(consumer) == 0 {
            match consumer.try_read() {
                Err(ReadError::Ended(end)) => return Some(end),
                _ => loom::thread::yield_now(),
            }
        }
    }
    None
}

fn follows() {
    follows_effect(|journal, durable| {
        durable.take_place();
        read_now(journal);
    });
}

fn follows_what_was_deferred() {
    follows_effect(|journal, durable| {
        journal.try_read().expect("one is there").defer();
        durable.take_place();
        journal.acknowledge_deferred();
    });
}

/// The dependant sees the effect, if it reads the event.
fn follows_effect(acknowledge: impl FnOnce(&mut RequiredConsumer<Pair>, &Effect)) {
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let mut journal = required(&ring, "journal");
    let mut gateway = after(&ring, "gateway", &[&journal]);
    let durable = Effect::new();
    let seen = durable.clone();
    let following = loom::thread::spawn(move || {
        for _ in 0..2 {
            if read_now(&mut gateway) > 0 {
                seen.assert_seen();
            }
        }
        gateway.leave();
    });
    publish(&mut producer, 0..1);
    acknowledge(&mut journal, &durable);
    following.join().expect("the dependant's assertions hold");
    journal.leave();
}

fn follows_the_slower() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 3);
    let (mut fast, slow) = (required(&ring, "fast"), required(&ring, "slow"));
    let mut last = after(&ring, "last", &[&fast, &slow]);
    publish(&mut producer, 0..2);
    let following = loom::thread::spawn(move || {
        let end = poll(&mut last, 3);
        assert!(last.position().get() <= 1, "read what the slower had not acknowledged");
        if let Some(end) = end {
            assert!(
                matches!(end, End::UpstreamLeft { upstream, position } if &*upstream == "slow" && position.get() == 1)
            );
            assert_eq!(last.position().get(), 1, "did not drain");
        }
        last.leave();
    });
    let mut slow = slow;
    slow.try_read().expect("two are there").acknowledge_first(1).expect("one is there");
    read_now(&mut fast);
    slow.leave();
    following.join().expect("the dependant's assertions hold");
    fast.leave();
}

fn drains_to_the_final_position() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let mut first = required(&ring, "first");
    let mut second = after(&ring, "second", &[&first]);
    publish(&mut producer, 0..2);
    let following = loom::thread::spawn(move || {
        let end = poll(&mut second, 2);
        assert!(second.position().get() <= 1, "read what its upstream had not acknowledged");
        if let Some(end) = end {
            assert!(
                matches!(&end, End::UpstreamLeft { upstream, position } if &**upstream == "first" && position.get() == 1)
            );
            assert_eq!(second.position().get(), 1, "did not drain");
        }
        second.leave();
    });
    first.try_read().expect("two are there").acknowledge_first(1).expect("one is there");
    first.leave();
    following.join().expect("the dependant's assertions hold");
}

fn shuts_down_in_order() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let mut first = required(&ring, "first");
    let mut second = after(&ring, "second", &[&first]);
    let following = loom::thread::spawn(move || {
        if let Some(end) = poll(&mut second, 2) {
            assert_eq!((second.position().get(), end), (1, End::Closed));
        }
        second.leave();
    });
    publish(&mut producer, 0..1);
    // Before the close, so that only the departure can tell that the close had been seen.
    read_now(&mut first);
    producer.close().expect("nobody has failed");
    drop(first); // it has drained a closed ring
    following.join().expect("the dependant's assertions hold");
}

fn keeps_the_place() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 2);
    let mut first = required(&ring, "first");
    let mut second = after(&ring, "second", &[&first]);
    publish(&mut producer, 0..1);
    read_now(&mut first);
    let following = loom::thread::spawn(move || {
        let end = poll(&mut second, 2);
        assert!(second.position().get() <= 1, "read what its upstream had not acknowledged");
        assert!(end.is_none_or(|end| matches!(end, End::UpstreamLeft { .. })));
        second.leave();
    });
    first.leave();
    publish(&mut producer, 1..3);
    // Refused, or in another place, unless the dependant has gone.
    if let Ok(newcomer) = ring.required("newcomer").join() {
        newcomer.leave();
    }
    following.join().expect("the dependant's assertions hold");
}

fn joins_behind() {
    let (mut producer, ring) = ring::<Pair>(4, 1, 2);
    let mut first = required(&ring, "first");
    publish(&mut producer, 0..2);
    let upstream = first.progress();
    let following = loom::thread::spawn(move || {
        let mut second = after(&ring, "second", &[&upstream]);
        let joined_at = second.joined_at();
        assert!((2..=3).contains(&joined_at.get()), "it joins at the cursor");
        for _ in 0..2 {
            if let Ok(batch) = second.try_read() {
                assert_eq!((batch.first_sequence(), batch.len()), (joined_at, 1));
                assert_eq!(batch.iter().next().map(|(_, read)| *read), Some(event(2)));
                batch.acknowledge();
            }
        }
        second.leave();
    });
    read_now(&mut first);
    publish(&mut producer, 2..3);
    read_now(&mut first);
    following.join().expect("the dependant's assertions hold");
    first.leave();
}

fn starts_together() {
    let (mut producer, ring) = ring::<Pair>(2, 1, 2);
    let starting = loom::thread::spawn(move || {
        let mut one = required(&ring, "one");
        let mut two = required(&ring, "two");
        let start = ring.start_together(&mut [&mut one, &mut two]).expect("neither has read");
        assert_eq!((one.joined_at(), two.joined_at()), (start, start));
        for consumer in [&mut one, &mut two] {
            let read = read_now(consumer);
            assert_eq!(consumer.position().since(start), read);
        }
        one.leave();
        two.leave();
    });
    publish(&mut producer, 0..3);
    starting.join().expect("the consumers' assertions hold");
}
