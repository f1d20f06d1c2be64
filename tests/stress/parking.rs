//! Everybody sleeps, all the time: a lost wake-up would stop the stream for good.
//!
//! The rings are so small, and the patience of all sides so short, that nearly every event needs a wake-up on each edge: the
//! consumers' for the next event, the producer's for room, a dependant's for its upstream, an onlooker's for progress.

use std::time::{Duration, Instant};

use super::*;
use ringbus::wait::Park;
use ringbus::{Parking, ProgressError};

/// Sleeping takes microseconds and not nanoseconds.
const SLOWER: u64 = 40;

/// As long as nobody takes who is not stuck.
const STUCK: Duration = Duration::from_secs(60);

fn patience(random: &mut Random) -> Park {
    Park::after_looks(random.below(4))
}

/// Reads to the end, and checks every word.
fn drain(mut consumer: RequiredConsumer<[u64; 8], Park>, end: u64) -> Reader {
    Box::new(move || {
        let mut expected = 0;
        let ended = loop {
            match consumer.read() {
                Ok(batch) => {
                    for (sequence, event) in &batch {
                        assert_eq!(sequence.get(), expected);
                        check(expected, event);
                        expected += 1;
                    }
                    batch.acknowledge();
                }
                Err(end) => break end,
            }
        };
        assert_eq!((ended, expected), (End::Closed, end));
        in_turn(|| drop(consumer));
        Counts { joined: 1, delivered: expected, ..Counts::default() }
    })
}

fn everybody_sleeps(parking: Parking, events: u64, random: &mut Random) -> String {
    let events = (events / SLOWER).max(1_000);
    let (mut producer, ring) = Ring::<[u64; 8]>::builder()
        .capacity(4)
        .parking(parking)
        .wait(patience(random))
        .build()
        .expect("the settings keep the rules");
    let join = |name: &str, random: &mut Random| ring.required(name).wait(patience(random)).join();
    let first = join("first", random).expect("there is a place");
    let other = join("other", random).expect("there is a place");
    let after = ring.required("after").after(&[&first, &other]).wait(patience(random));
    let after = after.join().expect("there is a place");
    let progress = after.progress();
    let onlooker: Reader = Box::new(move || {
        // Each waits for the next, so that it sleeps as often as the others.
        for sequence in 0..events {
            match progress.wait_for_with(
                Sequence::new(sequence),
                Instant::now() + STUCK,
                &mut Park::after_looks(0),
            ) {
                Ok(()) => assert!(progress.position().get() > sequence),
                Err(ProgressError::Left { position, .. }) => assert_eq!(position.get(), events),
                Err(other) => panic!("{other}"),
            }
        }
        Counts::default()
    });
    let readers = vec![drain(first, events), drain(other, events), drain(after, events), onlooker];
    let mut chance = random.split();
    let publish = move || {
        for sequence in 0..events {
            if chance.one_in(16) {
                thread::yield_now();
            }
            assert_eq!(producer.publish(&event_at(sequence)).map(Sequence::get), Ok(sequence));
        }
        assert_eq!(producer.close().map(Sequence::get), Ok(events));
    };
    let counts = run(publish, readers);
    assert_eq!(counts.delivered, 3 * events);
    let waits = ring.stats().waits;
    format!("{counts}; the producer waited {} times", waits.count)
}

/// By `membarrier`, where the system has it.
pub(super) fn asymmetric(events: u64, random: &mut Random) -> String {
    everybody_sleeps(Parking::Guaranteed, events, random)
}

/// By fences on both sides.
pub(super) fn fences(events: u64, random: &mut Random) -> String {
    everybody_sleeps(Parking::Fences, events, random)
}

/// Rings that live for some events only, and end in all ways while somebody sleeps: whoever sleeps through the end would never
/// come back.
pub(super) fn ends(events: u64, random: &mut Random) -> String {
    let rings = (events / 4_000).max(100);
    let mut ways = [0_u64; 5];
    for _ in 0..rings {
        let parking = if random.one_in(2) { Parking::Guaranteed } else { Parking::Fences };
        let builder = Ring::<[u64; 8]>::builder().capacity(4).parking(parking).wait(patience(random));
        let (mut producer, ring) = builder.build().expect("the settings keep the rules");
        let mut first = ring.required("first").wait(patience(random)).join().expect("there is a place");
        let mut second =
            ring.required("second").after(&[&first]).wait(patience(random)).join().expect("there is a place");
        let way = random.below(5) as usize;
        // At least one where the first stage ends it, after it has read that.
        let published = random.below(4).max(u64::from(way == 2 || way == 3));
        ways[way] += 1;
        let second_ends: Reader = Box::new(move || {
            let end = loop {
                match second.read() {
                    Ok(batch) => batch.acknowledge(),
                    Err(end) => break end,
                }
            };
            match way {
                0 => assert_eq!((end, second.position().get()), (End::Closed, published)),
                1 => assert_eq!(end, End::Stopped),
                2 => assert!(matches!(end, End::UpstreamLeft { upstream, .. } if &*upstream == "first")),
                3 => assert!(matches!(end, End::UpstreamFailed(failure) if &*failure.consumer == "first")),
                _ => assert_eq!((end, second.position().get()), (End::ProducerFailed, published)),
            }
            in_turn(|| second.leave());
            Counts::default()
        });
        let first_ends: Reader = Box::new(move || {
            while let Ok(batch) = first.read() {
                batch.acknowledge();
                if first.position().get() == published && way == 2 {
                    in_turn(|| first.leave());
                    return Counts::default();
                }
                if first.position().get() == published && way == 3 {
                    in_turn(|| first.fail("as was to be"));
                    return Counts::default();
                }
            }
            in_turn(|| drop(first));
            Counts::default()
        });
        let stopped = ring.clone();
        // Until the others have ended, where the first stage ends it.
        let mut kept = None;
        let publish = || {
            for sequence in 0..published {
                let _ = producer.publish(&event_at(sequence));
            }
            match way {
                0 => drop(producer.close()),
                1 => stopped.stop(),
                4 => {
                    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                        let _dropped_on_the_way = producer;
                        resume_unwind(Box::new("on purpose"));
                    }));
                    assert!(panicked.is_err());
                }
                _ => kept = Some(producer),
            }
        };
        run(publish, vec![first_ends, second_ends]);
    }
    format!("{rings} rings; closed, stopped, left, failed, panicked: {ways:?}")
}
