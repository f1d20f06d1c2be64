//! A core that counts all that it does, whatever becomes of its file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ringbus::bus::Bus;
use ringbus::{End, ReadError};

use super::pattern::{CAPACITY, PAYLOAD, check, emit_a_block, event, publish_some};
use super::process::{Random, Role, say, told};
use super::roles::build;

/// A core with consumers of both kinds, until it is told to finish. Numbers: whether it is a bus; whether contents are what they were.
pub(crate) fn core(role: &Role) {
    let (is_bus, is_intact) = (role.numbers[0] == 1, role.numbers[1] == 1);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            drop(told());
            is_over.store(true, Ordering::Relaxed);
        });
        if is_bus { bus_core(role, is_intact, &is_over) } else { ring_core(role, is_intact, &is_over) }
    });
}

fn ring_core(role: &Role, is_intact: bool, is_over: &AtomicBool) {
    let (mut producer, ring) = build::<8>(role, 0).unwrap();
    let mut audit = ring.required("audit").join().unwrap();
    let mut monitor = ring.optional("monitor").join().unwrap();
    let mut random = Random::new(6);
    thread::scope(|scope| {
        let audited = scope.spawn(move || {
            let mut count = 0;
            loop {
                let polled = audit.poll(|found, sequence, _| {
                    assert_eq!(sequence.get(), count);
                    assert!(!is_intact || *found == event(count), "event {count} is not what was published");
                    count += 1;
                });
                match polled {
                    Err(ReadError::Empty) => thread::yield_now(),
                    Err(ReadError::Ended(End::Closed)) => break,
                    answer => drop(answer.unwrap()),
                }
            }
            assert_eq!((audit.position().get(), audit.delivered(), audit.lag()), (count, count, 0));
            audit.leave();
            count
        });
        let first = producer.next_sequence().get();
        say("runs");
        while !is_over.load(Ordering::Relaxed) {
            producer.heartbeat();
            publish_some(&mut producer, &mut random);
            // It is overrun, and counts all the same.
            let _ = monitor.try_recv();
            assert_eq!(monitor.delivered() + monitor.missed(), monitor.position().get() - first);
        }
        let cursor = producer.next_sequence();
        assert_eq!((ring.cursor(), ring.stats().cursor, ring.stats().refused), (cursor, cursor, 0));
        assert_eq!(producer.close(), Ok(cursor));
        say(format!("finished {cursor} {}", audited.join().unwrap()));
    });
}

fn bus_core(role: &Role, is_intact: bool, is_over: &AtomicBool) {
    let builder = Bus::<PAYLOAD>::builder("scribbled").capacity(CAPACITY).shared(&role.path);
    let (mut writer, bus) = builder.build().unwrap();
    let mut audit = bus.subscribe("audit").required().join().unwrap();
    let mut random = Random::new(7);
    thread::scope(|scope| {
        let audited = scope.spawn(move || {
            let mut next = 0;
            loop {
                let polled = audit.poll(|record| {
                    assert!(record.sequence().get() >= next);
                    next = record.sequence().get() + if is_intact { check(record) } else { 1 };
                });
                match polled {
                    Err(ReadError::Empty) => thread::yield_now(),
                    Err(ReadError::Ended(End::Closed)) => break,
                    answer => drop(answer.unwrap()),
                }
            }
            let tally = audit.tally();
            assert_eq!((audit.position().get(), tally.passed), (tally.total(), tally.total()));
            assert!(!is_intact || next == tally.total());
            audit.leave();
            tally.total()
        });
        say("runs");
        for height in 1.. {
            emit_a_block(&mut writer, height, &mut random);
            writer.heartbeat();
            if is_over.load(Ordering::Relaxed) {
                break;
            }
        }
        let cursor = writer.next_sequence();
        assert_eq!(writer.close(), Ok(cursor));
        say(format!("finished {cursor} {}", audited.join().unwrap()));
    });
}
