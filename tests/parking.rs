//! `Park`: whoever sleeps is woken by whatever it waits for, in every kind of [`Parking`]. Each scenario is repeated with the
//! wake-up at another moment, before, in, and after falling asleep; a wake-up that is lost hangs, and that is told.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use common::{Dice, Dozes, Dozing, at, in_time, much_later, panic_quietly, poisoned, soon, take_all};
use ringbus::wait::{Park, Turn, WaitStrategy};
use ringbus::{
    End, FailureCause, Parking, Producer, ProgressError, PublishError, ReadError, ReadFrom, RequiredConsumer,
    Ring, RingBuilder, Sequence,
};

const MODES: [Parking; 3] = [Parking::WhereFree, Parking::Guaranteed, Parking::Fences];
const ROUNDS: u64 = 48;

/// A ring of 8, in one of the modes.
fn builder(parking: Parking) -> RingBuilder<u64> {
    Ring::builder().capacity(8).parking(parking)
}

/// Lets `sleep` go to sleep, then does `wake`, a little later each time. Returns what the sleeper was woken with.
fn woken<T: Send>(round: u64, asleep: &Dozes, sleep: impl FnOnce() -> T + Send, wake: impl FnOnce()) -> T {
    let before = asleep.so_far();
    thread::scope(|scope| {
        let sleeper = scope.spawn(sleep);
        asleep.have_come_to(before + 1);
        let moment = Dice(round + 1).below(1 << (round % 16));
        (0..moment).for_each(|_| std::hint::spin_loop());
        wake();
        sleeper.join().unwrap()
    })
}

/// Runs a scenario many times in each mode.
fn in_every_mode(scenario: fn(Parking, u64)) {
    for parking in MODES {
        in_time(&format!("{parking:?}"), move || (0..ROUNDS).for_each(|round| scenario(parking, round)));
    }
}

fn fill(producer: &mut Producer<u64, impl WaitStrategy>) {
    common::publish_up_to(producer, 8);
}

/// What a consumer that reads in one of the two waiting forms gets.
fn read_one(
    round: u64,
    consumer: &mut RequiredConsumer<u64, impl WaitStrategy>,
) -> Result<Vec<u64>, ReadError> {
    let batch = if round.is_multiple_of(2) {
        consumer.read().map_err(ReadError::Ended)
    } else {
        consumer.read_deadline(much_later())
    }?;
    Ok(batch.iter().map(|(_, event)| *event).collect())
}

/// What a producer gets that publishes one event in one of the waiting forms.
fn publish_one(
    round: u64,
    producer: &mut Producer<u64, impl WaitStrategy>,
) -> Result<Sequence, PublishError> {
    let event = producer.next_sequence().get();
    let claim = match round % 6 {
        0 => return producer.publish(&event),
        1 => return producer.publish_deadline(&event, much_later()),
        2 => return producer.publish_batch(&[event]),
        3 => return producer.publish_batch_deadline(&[event], much_later()),
        4 => producer.claim(1),
        _ => producer.claim_deadline(1, much_later()),
    };
    let mut claim = claim?;
    claim.push(&event).unwrap();
    claim.publish()
}

#[test]
fn a_consumer_is_woken_by_every_form_of_publishing() {
    in_every_mode(|parking, round| {
        let (mut producer, ring) = builder(parking).build().unwrap();
        let (dozing, asleep) = Dozing::new();
        let mut consumer = ring.required("audit").wait(dozing).join().unwrap();
        let read = woken(
            round,
            &asleep,
            || read_one(round / 6, &mut consumer),
            || drop(publish_one(round, &mut producer)),
        );
        assert_eq!(read, Ok(vec![0]));
    });
}

#[test]
fn a_consumer_is_woken_by_the_end_of_the_stream() {
    in_every_mode(|parking, round| {
        let (producer, ring) = builder(parking).build().unwrap();
        let (dozing, asleep) = Dozing::new();
        let mut consumer = ring.required("audit").wait(dozing).join().unwrap();
        type Way = fn(Producer<u64>);
        let ways: [(Way, End); 3] = [
            (|producer| assert_eq!(producer.close(), Ok(at(0))), End::Closed),
            (drop, End::Closed),
            (
                |producer| {
                    let panicked = catch_unwind(AssertUnwindSafe(|| {
                        let _dropped_on_the_way = producer;
                        panic_quietly()
                    }));
                    assert!(panicked.is_err());
                },
                End::ProducerFailed,
            ),
        ];
        let (way, end) = &ways[round as usize % 3];
        let read = woken(round, &asleep, || read_one(round / 3, &mut consumer), || way(producer));
        assert_eq!(read, Err(ReadError::Ended(end.clone())));
    });
}

#[test]
fn a_consumer_is_woken_by_a_stop_while_the_producer_does_nothing() {
    in_every_mode(|parking, round| {
        let (_producer, ring) = builder(parking).build().unwrap();
        let (dozing, asleep) = Dozing::new();
        let mut consumer = ring.required("audit").wait(dozing).join().unwrap();
        let read = woken(round, &asleep, || read_one(round, &mut consumer), || ring.stop());
        assert_eq!(read, Err(ReadError::Ended(End::Stopped)));
    });
}

/// A producer that sleeps for room, because of `audit`, and what wakes it.
fn producer_is_woken(
    round: u64,
    parking: Parking,
    wake: impl FnOnce(&Ring<u64>, RequiredConsumer<u64>),
) -> Result<Sequence, PublishError> {
    let (dozing, asleep) = Dozing::new();
    let (mut producer, ring) = builder(parking).wait(dozing).build().unwrap();
    let audit = ring.required("audit").join().unwrap();
    fill(&mut producer);
    woken(round, &asleep, || publish_one(round, &mut producer), || wake(&ring, audit))
}

#[test]
fn a_producer_is_woken_by_an_acknowledgement() {
    in_every_mode(|parking, round| {
        let published = producer_is_woken(round, parking, |_, mut audit| {
            let batch = audit.read().unwrap();
            match round % 3 {
                0 => batch.acknowledge(),
                1 => batch.acknowledge_first(1).unwrap(),
                _ => assert_eq!(batch.for_each(|_, _, _| {}), 8),
            }
            common::leak(audit);
        });
        assert_eq!(published, Ok(at(8)));
    });
}

#[test]
fn a_producer_is_woken_by_whoever_leaves_or_pauses() {
    in_every_mode(|parking, round| {
        let published = producer_is_woken(round, parking, |ring, mut audit| {
            if round.is_multiple_of(2) {
                audit.leave();
            } else {
                common::leak(audit.pause().unwrap());
                assert_eq!(ring.stats().consumers.len(), 1);
                common::leak(audit);
            }
        });
        assert_eq!(published, Ok(at(8)));
    });
}

#[test]
fn a_producer_is_woken_by_a_failure() {
    in_every_mode(|parking, round| {
        let fails: fn(RequiredConsumer<u64>) =
            if round.is_multiple_of(2) { drop } else { |audit| audit.fail("no disk") };
        let published = producer_is_woken(round, parking, |_, audit| fails(audit));
        let failure = poisoned(&published.unwrap_err());
        assert_eq!((&*failure.consumer, failure.position), ("audit", at(0)));
        let cause = [FailureCause::Abandoned, FailureCause::Failed][round as usize % 2];
        assert_eq!(
            (failure.cause, failure.message.as_deref()),
            (cause, (round % 2 == 1).then_some("no disk"))
        );
    });
}

#[test]
fn a_producer_is_woken_by_a_stop() {
    in_every_mode(|parking, round| {
        let published = producer_is_woken(round, parking, |ring, audit| {
            ring.stop();
            drop(audit);
        });
        assert_eq!(published, Err(PublishError::Stopped));
    });
}

/// What a dependant that sleeps gets. Its upstream `first` has 3 unread events, and the producer does nothing but what `wake`
/// does.
fn dependant_is_woken(
    round: u64,
    parking: Parking,
    wake: impl FnOnce(&Ring<u64>, Producer<u64>, RequiredConsumer<u64>),
) -> Result<Vec<u64>, ReadError> {
    let (mut producer, ring) = builder(parking).build().unwrap();
    let (dozing, asleep) = Dozing::new();
    let first = ring.required("first").join().unwrap();
    let mut second = ring.required("second").after(&[&first]).wait(dozing).join().unwrap();
    common::publish_up_to(&mut producer, 3);
    woken(round, &asleep, || read_one(round, &mut second), || wake(&ring, producer, first))
}

#[test]
fn a_dependant_is_woken_by_its_upstreams_acknowledgement() {
    in_every_mode(|parking, round| {
        let count = 1 + round as usize % 3;
        let read = dependant_is_woken(round, parking, |_, producer, mut first| {
            first.read().unwrap().acknowledge_first(count).unwrap();
            common::leak((producer, first));
        });
        assert_eq!(read, Ok([0, 1, 2][..count].to_vec()));
    });
}

#[test]
fn a_dependant_is_woken_when_its_upstream_leaves_or_fails() {
    in_every_mode(|parking, round| {
        let leaves = round.is_multiple_of(2);
        let read = dependant_is_woken(round, parking, |_, producer, first| {
            common::leak(producer);
            if leaves { assert_eq!(first.leave(), at(0)) } else { first.fail("no disk") }
        });
        match read {
            Err(ReadError::Ended(End::UpstreamLeft { upstream, position })) if leaves => {
                assert_eq!((&*upstream, position), ("first", at(0)));
            }
            Err(ReadError::Ended(End::UpstreamFailed(failure))) if !leaves => {
                assert_eq!((&*failure.consumer, failure.message.as_deref()), ("first", Some("no disk")));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_dependant_is_woken_by_a_stop() {
    in_every_mode(|parking, round| {
        let read = dependant_is_woken(round, parking, |ring, producer, first| {
            ring.stop();
            common::leak((producer, first));
        });
        assert_eq!(read, Err(ReadError::Ended(End::Stopped)));
    });
}

#[test]
fn a_dependant_with_nothing_to_drain_is_woken_by_the_end() {
    in_every_mode(|parking, round| {
        let (producer, ring) = builder(parking).build().unwrap();
        let (dozing, asleep) = Dozing::new();
        let first = ring.required("first").join().unwrap();
        let mut second = ring.required("second").after(&[&first]).wait(dozing).join().unwrap();
        let read = woken(round, &asleep, || read_one(round, &mut second), || drop(producer));
        assert_eq!(read, Err(ReadError::Ended(End::Closed)));
    });
}

#[test]
fn who_waits_for_progress_is_woken() {
    in_every_mode(|parking, round| {
        let (mut producer, ring) = builder(parking).build().unwrap();
        let (mut dozing, asleep) = Dozing::new();
        let mut journal = ring.required("journal").join().unwrap();
        common::publish_up_to(&mut producer, 3);
        let progress = journal.progress();
        let mut wait_for = |sequence| progress.wait_for_with(at(sequence), much_later(), &mut dozing);
        let acknowledged =
            woken(round, &asleep, || wait_for(1), || journal.read().unwrap().acknowledge_first(2).unwrap());
        assert_eq!(acknowledged, Ok(()));
        let answer = match round % 4 {
            0 => woken(round, &asleep, || wait_for(2), || assert_eq!(journal.leave(), at(2))),
            1 => woken(round, &asleep, || wait_for(2), || drop(journal)),
            2 => woken(round, &asleep, || wait_for(3), || drop(producer)),
            _ => {
                let woken_by_resume = || {
                    let paused = journal.pause().unwrap();
                    common::publish_up_to(&mut producer, 5);
                    assert_eq!(paused.resume(), 3);
                };
                let answer = woken(round, &asleep, || wait_for(4), woken_by_resume);
                journal.leave();
                answer
            }
        };
        let consumer = "journal".into();
        match (round % 4, answer.unwrap_err()) {
            (0, left) => assert_eq!(left, ProgressError::Left { consumer, position: at(2) }),
            (1, ProgressError::Failed(failure)) => assert_eq!(failure.position, at(2)),
            (2, never) => {
                assert_eq!(never, ProgressError::NeverPublished { sequence: at(3), end: End::Closed });
            }
            (3, passed) => assert_eq!(passed, ProgressError::NotDelivered { consumer, sequence: at(4) }),
            (_, other) => panic!("{other:?}"),
        }
    });
}

/// Goes to sleep at the first fruitless look.
#[derive(Debug)]
struct SleepsAtOnce;

impl WaitStrategy for SleepsAtOnce {
    fn wait(&mut self, turn: &Turn) {
        Park::default().wait(turn);
    }

    fn parks(&self, _: &Turn) -> bool {
        true
    }
}

/// Four consumers, `edges[i]` of which is whom the next comes after, and the producer fall asleep over every event.
fn a_crowd_of_sleepers_gets_everything(in_a_row: bool) {
    const EVENTS: u64 = 1_500;
    for parking in MODES {
        in_time(&format!("a crowd, {parking:?}"), move || {
            let (mut producer, ring) = builder(parking).capacity(4).wait(SleepsAtOnce).build().unwrap();
            let mut consumers: Vec<RequiredConsumer<u64, SleepsAtOnce>> = Vec::new();
            for _ in 0..4 {
                let mut joining = ring.required("sleeper").wait(SleepsAtOnce);
                if in_a_row && let Some(last) = consumers.last() {
                    joining = joining.after(&[last]);
                }
                consumers.push(joining.join().unwrap());
            }
            let progress = consumers[3].progress();
            thread::scope(|scope| {
                for mut consumer in consumers {
                    scope.spawn(move || {
                        let mut sum = 0;
                        while let Ok(batch) = consumer.read() {
                            sum += batch.iter().map(|(_, event)| event).sum::<u64>();
                            batch.acknowledge();
                        }
                        assert_eq!((consumer.delivered(), sum), (EVENTS, (0..EVENTS).sum()));
                    });
                }
                scope.spawn(move || {
                    for event in 0..EVENTS {
                        let seen = progress.wait_for_with(at(event), much_later(), &mut SleepsAtOnce);
                        assert_eq!(seen, Ok(()));
                    }
                });
                for event in 0..EVENTS {
                    assert_eq!(producer.publish(&event), Ok(at(event)));
                }
                producer.close().unwrap();
            });
        });
    }
}

#[test]
fn four_consumers_and_the_producer_sleep_and_wake() {
    a_crowd_of_sleepers_gets_everything(false);
}

#[test]
fn a_pipeline_of_four_and_the_producer_sleep_and_wake() {
    a_crowd_of_sleepers_gets_everything(true);
}

#[test]
fn a_pair_that_parks_gets_everything() {
    for parking in MODES {
        in_time("a pair", move || {
            let (mut producer, ring) = builder(parking).wait(Park::default()).build().unwrap();
            let mut audit = ring.required("audit").wait(Park::default()).join().unwrap();
            let mut monitor = ring.optional("monitor").wait(Park::default()).join().unwrap();
            thread::scope(|scope| {
                scope.spawn(move || {
                    let mut expected = 0;
                    while let Ok(batch) = audit.read() {
                        assert!(
                            batch.iter().map(|(_, event)| *event).eq(expected..expected + batch.len() as u64)
                        );
                        expected += batch.len() as u64;
                        batch.acknowledge();
                    }
                    assert_eq!(expected, 2_000);
                });
                scope.spawn(move || while !matches!(monitor.recv(), Err(ringbus::RecvError::Ended(_))) {});
                for event in 0..2_000 {
                    producer.publish(&event).unwrap();
                }
                drop(producer);
            });
        });
    }
}

#[test]
fn one_publish_wakes_all_who_sleep() {
    in_every_mode(|parking, round| {
        let (mut producer, ring) = builder(parking).build().unwrap();
        let (asleep, consumers): (Vec<_>, Vec<_>) = (0..4)
            .map(|_| {
                let (dozing, asleep) = Dozing::new();
                (asleep, ring.required("sleeper").wait(dozing).join().unwrap())
            })
            .unzip();
        thread::scope(|scope| {
            let sleeping: Vec<_> = consumers
                .into_iter()
                .map(|mut consumer| {
                    scope.spawn(move || {
                        let read = consumer.read().map(|batch| batch.len());
                        consumer.leave();
                        read
                    })
                })
                .collect();
            asleep.iter().for_each(|asleep| asleep.have_come_to(1));
            (0..1 << (round % 14)).for_each(|_| std::hint::spin_loop());
            producer.publish(&7).unwrap();
            for sleeper in sleeping {
                assert_eq!(sleeper.join().unwrap(), Ok(1));
            }
        });
    });
}

#[test]
fn a_deadline_ends_the_sleep() {
    for parking in MODES {
        in_time("a deadline", move || {
            let (dozing, producers) = Dozing::new();
            let (mut producer, ring) = builder(parking).wait(dozing).build().unwrap();
            let (dozing, consumers) = Dozing::new();
            let mut audit = ring.required("audit").wait(dozing).join().unwrap();
            for lap in 1..4 {
                while consumers.so_far() < lap {
                    let deadline = soon();
                    assert_eq!(audit.read_deadline(deadline).unwrap_err(), ReadError::Empty);
                    assert!(Instant::now() >= deadline);
                }
                common::publish_up_to(&mut producer, 8 * lap);
                while producers.so_far() < lap {
                    let (deadline, full) = (soon(), PublishError::Full { needed: 1 });
                    assert_eq!(producer.publish_deadline(&8, deadline), Err(full));
                    assert!(Instant::now() >= deadline);
                }
                let position = audit.position();
                let waited = audit.progress().wait_for(position, soon());
                assert_eq!(waited, Err(ProgressError::Deadline { consumer: "audit".into(), position }));
                assert_eq!(take_all(&mut audit).len(), 8);
            }
            audit.leave();
        });
    }
}

#[test]
fn who_gives_up_does_not_take_the_others_wake_up_along() {
    for parking in MODES {
        in_time("one gives up", move || {
            for round in 0..5 {
                let (mut producer, ring) = builder(parking).build().unwrap();
                let (dozing, asleep) = Dozing::new();
                let mut stays = ring.required("stays").wait(dozing).join().unwrap();
                let (dozing, asleep_too) = Dozing::new();
                let mut gives_up = ring.required("gives up").wait(dozing).join().unwrap();
                let read = woken(
                    round,
                    &asleep,
                    || read_one(round, &mut stays),
                    || {
                        while asleep_too.so_far() == 0 {
                            assert_eq!(gives_up.read_deadline(soon()).unwrap_err(), ReadError::Empty);
                        }
                        producer.publish(&0).unwrap();
                    },
                );
                assert_eq!(read, Ok(vec![0]));
            }
        });
    }
}

#[test]
fn who_is_unparked_by_somebody_else_looks_again_and_sleeps_on() {
    for parking in MODES {
        in_time("unparked", move || {
            let (mut producer, ring) = builder(parking).build().unwrap();
            let (dozing, asleep) = Dozing::new();
            let mut audit = ring.required("audit").wait(dozing).join().unwrap();
            thread::scope(|scope| {
                let sleeper = scope.spawn(move || {
                    let len = audit.read().unwrap().len();
                    audit.leave();
                    len
                });
                asleep.have_come_to(1);
                for _ in 0..100 {
                    sleeper.thread().unpark();
                    thread::yield_now();
                }
                producer.publish(&7).unwrap();
                assert_eq!(sleeper.join().unwrap(), 1);
            });
        });
    }
}

/// Fails if it is asked whether it parks.
#[derive(Debug)]
struct NeverAsked(Park);

impl WaitStrategy for NeverAsked {
    fn wait(&mut self, turn: &Turn) {
        self.0.wait(turn);
    }

    fn parks(&self, _: &Turn) -> bool {
        panic!("nobody wakes an optional consumer");
    }
}

#[test]
fn an_optional_consumer_that_parks_naps_and_receives() {
    for parking in MODES {
        in_time("an optional consumer", move || {
            let (mut producer, ring) = builder(parking).build().unwrap();
            let mut monitor = ring.optional("monitor").wait(NeverAsked(Park::default())).join().unwrap();
            let mut parks = ring.optional("parks").wait(Park::default()).join().unwrap();
            thread::scope(|scope| {
                let receiving = scope.spawn(move || (monitor.recv(), monitor.recv()));
                for _ in 0..300 {
                    thread::yield_now();
                }
                producer.publish(&7).unwrap();
                assert_eq!(parks.recv(), Ok((at(0), 7)));
                assert_eq!(parks.recv_deadline(soon()), Err(ringbus::RecvError::Empty));
                drop(producer);
                let (first, second) = receiving.join().unwrap();
                assert_eq!(first, Ok((at(0), 7)));
                assert_eq!(second, Err(ringbus::RecvError::Ended(End::Closed)));
            });
            assert_eq!(parks.skip_to(ReadFrom::Newest), Ok(0));
        });
    }
}
