//! Consumers that put looks off get the same events as those that do not. (When they put them off: the tests of `src/pace.rs`.)

use std::thread;

use ringbus::wait::Yield;
use ringbus::{End, RecvError, Ring};

const EVENTS: u64 = 400_000;

/// No two words are the same, so that a torn event is noticed.
fn event(number: u64) -> [u64; 8] {
    std::array::from_fn(|place| number.wrapping_mul(8) + place as u64)
}

fn required(capacity: usize, is_paced: bool) {
    let (mut producer, ring) = Ring::<[u64; 8]>::builder().capacity(capacity).wait(Yield).build().unwrap();
    let mut consumer = ring.required("all").wait(Yield).paced(is_paced).join().unwrap();
    let consuming = thread::spawn(move || {
        let mut next = 0;
        let end = loop {
            match consumer.read() {
                Ok(batch) => {
                    batch.for_each(|read, sequence, _| {
                        assert_eq!((sequence.get(), *read), (next, event(next)));
                        next += 1;
                    });
                }
                Err(end) => break end,
            }
        };
        (next, end)
    });
    (0..EVENTS).for_each(|number| _ = producer.publish(&event(number)).unwrap());
    producer.close().unwrap();
    assert_eq!(consuming.join().unwrap(), (EVENTS, End::Closed));
}

/// One by one, or many at once.
fn optional(capacity: usize, is_paced: bool, many: bool) {
    let (mut producer, ring) = Ring::<[u64; 8]>::builder().capacity(capacity).build().unwrap();
    let mut consumer = ring.optional("some").wait(Yield).paced(is_paced).join().unwrap();
    let consuming = thread::spawn(move || {
        let (mut events, mut next, mut received, mut missed) = (Vec::with_capacity(100), 0, 0, 0);
        loop {
            let answer = if many {
                events.clear();
                consumer.recv_many(&mut events).map(|received| (received.missed, received.first))
            } else {
                consumer.recv().map(|(sequence, read)| {
                    events = vec![read];
                    (0, sequence)
                })
            };
            match answer {
                Ok((missed_before, first)) => {
                    missed += missed_before;
                    assert_eq!(first.get(), next + missed_before);
                    next = first.get();
                    for read in &events {
                        assert_eq!(*read, event(next));
                        next += 1;
                        received += 1;
                    }
                }
                Err(RecvError::Lagged { missed: lost, resumed_at }) => {
                    missed += lost;
                    next += lost;
                    assert_eq!(resumed_at.get(), next);
                }
                Err(RecvError::Ended(end)) => break assert_eq!(end, End::Closed),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((consumer.delivered(), consumer.missed(), consumer.lag()), (received, missed, 0));
        received + missed
    });
    (0..EVENTS).for_each(|number| _ = producer.publish(&event(number)).unwrap());
    producer.close().unwrap();
    assert_eq!(consuming.join().unwrap(), EVENTS);
}

#[test]
fn required_consumers_get_everything() {
    for is_paced in [true, false] {
        required(1_024, is_paced);
        required(65_536, is_paced);
    }
}

#[test]
fn optional_consumers_get_or_miss_everything() {
    for is_paced in [true, false] {
        for many in [true, false] {
            optional(1_024, is_paced, many);
            optional(65_536, is_paced, many);
        }
    }
}

#[test]
fn many_reads_after_one_look_are_each_checked_for_an_overrun() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_batch(2).build().unwrap();
    let mut consumer = ring.optional("slow").join().unwrap();
    (0..4).for_each(|number| _ = producer.publish(&number).unwrap());
    assert_eq!(consumer.try_recv().unwrap().1, 0, "the look that shows four");
    (4..8).for_each(|number| _ = producer.publish(&number).unwrap());
    // The last six, less the headroom of an eighth: 3 to 7.
    let Err(RecvError::Lagged { missed, resumed_at }) = consumer.try_recv() else {
        panic!("1 may be overwritten")
    };
    assert_eq!((missed, resumed_at.get()), (2, 3));
    assert_eq!(consumer.try_recv().unwrap().1, 3);
    let read: Vec<_> = std::iter::from_fn(|| consumer.try_recv().ok()).map(|(_, event)| event).collect();
    assert_eq!(read, [4, 5, 6, 7]);
    assert_eq!((consumer.delivered(), consumer.missed()), (6, 2));
}
