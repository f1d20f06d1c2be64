//! Wait strategies: whichever a side uses, the stream arrives; and what a strategy is told.

mod common;

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{at, much_later, publish_up_to};
use ringbus::wait::{BackOff, BusySpin, Sleep, SpinHint, Turn, WaitStrategy, Yield};
use ringbus::{End, OptionalConsumer, PublishError, ReadError, RecvError, RequiredConsumer, Ring};

const EVENTS: u64 = 20_000;

/// How many events came, and their sum.
fn read_to_the_end(mut consumer: RequiredConsumer<u64, impl WaitStrategy>) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0);
    loop {
        match consumer.read() {
            Ok(batch) => {
                for (sequence, event) in &batch {
                    assert_eq!((sequence, *event), (at(count), count));
                    count += 1;
                    sum += *event;
                }
                batch.acknowledge();
            }
            Err(end) => {
                assert_eq!(end, End::Closed);
                return (count, sum);
            }
        }
    }
}

/// How many events came or were missed.
fn receive_to_the_end(mut consumer: OptionalConsumer<u64, impl WaitStrategy>) -> u64 {
    let (mut delivered, mut missed) = (0, 0);
    loop {
        match consumer.recv() {
            Ok((sequence, event)) => {
                assert_eq!((sequence, event), (at(delivered + missed), delivered + missed));
                delivered += 1;
            }
            Err(RecvError::Lagged { missed: more, .. }) => missed += more,
            Err(error) => {
                assert_eq!(error, RecvError::Ended(End::Closed));
                assert_eq!((consumer.delivered(), consumer.missed()), (delivered, missed));
                return delivered + missed;
            }
        }
    }
}

/// One producer, five required and two optional consumers on a ring of 64: more threads than this machine may have cores.
fn a_crowd_gets_everything<W: WaitStrategy + 'static>(strategy: fn() -> W) {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(64).wait(strategy()).build().unwrap();
    let required: Vec<_> = (0..5)
        .map(|_| ring.required("required").wait(strategy()).join().unwrap())
        .map(|consumer| thread::spawn(move || read_to_the_end(consumer)))
        .collect();
    let optional: Vec<_> = (0..2)
        .map(|_| ring.optional("optional").wait(strategy()).join().unwrap())
        .map(|consumer| thread::spawn(move || receive_to_the_end(consumer)))
        .collect();
    for event in 0..EVENTS {
        producer.publish(&event).unwrap();
    }
    assert_eq!(producer.close(), Ok(at(EVENTS)));
    for consumer in required {
        assert_eq!(consumer.join().unwrap(), (EVENTS, (0..EVENTS).sum()));
    }
    for consumer in optional {
        assert_eq!(consumer.join().unwrap(), EVENTS);
    }
}

#[test]
fn a_crowd_with_spin_hints_gets_everything() {
    a_crowd_gets_everything(|| SpinHint);
}

#[test]
fn a_crowd_that_yields_gets_everything() {
    a_crowd_gets_everything(|| Yield);
}

#[test]
fn a_crowd_that_backs_off_gets_everything() {
    a_crowd_gets_everything(BackOff::default);
}

#[test]
fn a_crowd_that_sleeps_gets_everything() {
    a_crowd_gets_everything(Sleep::default);
}

/// One producer and one required consumer, each with its own strategy.
fn a_pair_gets_everything(
    events: u64,
    producers: impl WaitStrategy + 'static,
    consumers: impl WaitStrategy + 'static,
) {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(64).wait(producers).build().unwrap();
    let consumer = ring.required("required").wait(consumers).join().unwrap();
    let reading = thread::spawn(move || read_to_the_end(consumer));
    for event in 0..events {
        producer.publish(&event).unwrap();
    }
    drop(producer);
    assert_eq!(reading.join().unwrap(), (events, (0..events).sum()));
}

#[test]
fn a_pair_that_spins_gets_everything() {
    a_pair_gets_everything(1_000, BusySpin, BusySpin);
}

#[test]
fn a_strategy_may_be_chosen_at_run_time() {
    let by_name = |name: &str| -> Box<dyn WaitStrategy> {
        match name {
            "spin" => Box::new(SpinHint),
            "sleep" => Box::new(Sleep::new(Duration::from_micros(1))),
            _ => Box::new(Yield),
        }
    };
    for [producers, consumers] in [["spin", "sleep"], ["sleep", "yield"], ["yield", "spin"]] {
        a_pair_gets_everything(EVENTS, by_name(producers), by_name(consumers));
    }
}

/// Writes down what it is told, and acts in round 3.
struct Diary {
    turns: Sender<(u64, Option<Duration>)>,
    act: Box<dyn FnMut() + Send>,
}

impl Diary {
    fn new(act: impl FnMut() + Send + 'static) -> (Self, Receiver<(u64, Option<Duration>)>) {
        let (turns, written) = channel();
        (Self { turns, act: Box::new(act) }, written)
    }
}

impl fmt::Debug for Diary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Diary")
    }
}

impl WaitStrategy for Diary {
    fn wait(&mut self, turn: &Turn) {
        self.turns.send((turn.round(), turn.remaining())).unwrap();
        if turn.round() == 3 {
            (self.act)();
        }
        thread::yield_now();
    }
}

/// One wait without a deadline, then one with: four rounds each, from 0, and the time that remains is `None`, or shrinks.
#[track_caller]
fn assert_two_waits_of_four_rounds(written: &Receiver<(u64, Option<Duration>)>) {
    let turns: Vec<_> = written.try_iter().collect();
    let (without, with) = turns.split_at(4);
    assert_eq!(without, [(0, None), (1, None), (2, None), (3, None)]);
    assert_eq!(with.iter().map(|(round, _)| *round).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let remaining: Vec<_> =
        with.iter().map(|(_, remaining)| remaining.expect("there is a deadline")).collect();
    assert!(remaining.is_sorted_by(|earlier, later| earlier >= later), "{remaining:?}");
    assert!(remaining[0] <= Duration::from_secs(3_600) && remaining[3] > Duration::ZERO, "{remaining:?}");
}

#[test]
fn a_required_consumers_strategy_is_told_rounds_from_0_and_the_time_that_remains() {
    let (mut producer, ring) = common::ring(16);
    let (diary, written) = Diary::new(move || drop(producer.publish(&7)));
    let mut consumer = ring.required("audit").wait(diary).join().unwrap();
    for _ in 0..3 {
        consumer.read().unwrap().acknowledge();
        consumer.read_deadline(much_later()).unwrap().acknowledge();
        assert_two_waits_of_four_rounds(&written);
    }
}

#[test]
fn an_optional_consumers_strategy_is_told_rounds_from_0_and_the_time_that_remains() {
    let (mut producer, ring) = common::ring(16);
    let (diary, written) = Diary::new(move || drop(producer.publish(&7)));
    let mut consumer = ring.optional("monitor").wait(diary).join().unwrap();
    let mut buffer = Vec::with_capacity(2);
    consumer.recv().unwrap();
    consumer.recv_deadline(much_later()).unwrap();
    assert_two_waits_of_four_rounds(&written);
    consumer.recv_many(&mut buffer).unwrap();
    consumer.recv_many_deadline(&mut buffer, much_later()).unwrap();
    assert_two_waits_of_four_rounds(&written);
}

#[test]
fn the_producers_strategy_is_told_rounds_from_0_and_the_time_that_remains() {
    let consumer = Arc::new(Mutex::new(None::<RequiredConsumer<u64>>));
    let acknowledging = Arc::clone(&consumer);
    let (diary, written) = Diary::new(move || {
        acknowledging.lock().unwrap().as_mut().unwrap().try_read().unwrap().acknowledge_first(1).unwrap();
    });
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).wait(diary).build().unwrap();
    *consumer.lock().unwrap() = Some(ring.required("audit").join().unwrap());
    publish_up_to(&mut producer, 8);
    for _ in 0..3 {
        producer.publish(&0).unwrap();
        producer.publish_deadline(&0, much_later()).unwrap();
        assert_two_waits_of_four_rounds(&written);
    }
}

#[test]
fn a_strategy_is_not_asked_where_there_is_nothing_to_wait_for() {
    let (diary, producers) = Diary::new(|| {});
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).wait(diary).build().unwrap();
    let (diary, consumers) = Diary::new(|| {});
    let mut required = ring.required("required").wait(diary).join().unwrap();
    assert_eq!(required.try_read().unwrap_err(), ReadError::Empty, "the try forms never wait");
    for event in 0..100 {
        producer.publish(&event).unwrap();
        required.read().unwrap().acknowledge();
    }
    publish_up_to(&mut producer, 108);
    assert_eq!(producer.try_publish(&0), Err(PublishError::Full { needed: 1 }));
    let passed = Instant::now();
    assert_eq!(producer.publish_deadline(&0, passed), Err(PublishError::Full { needed: 1 }));
    assert_eq!(producers.try_iter().chain(consumers.try_iter()).count(), 0);
}
