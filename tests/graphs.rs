//! Consumer graphs: who comes after others gets what those have acknowledged, all of it and nothing else, however the stream
//! or an upstream ends.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use common::{Announce, Dice, at, in_time, panic_quietly, poisoned, publish_up_to, ring, take_all};
use ringbus::wait::WaitStrategy;
use ringbus::{
    End, FailureCause, JoinError, Producer, ProgressError, PublishError, ReadError, RequiredConsumer, Ring,
    Upstream,
};

/// Who comes after whom: the consumer with the number of the line comes after those in it.
type Graph = &'static [&'static [usize]];

const PIPELINE: Graph = &[&[], &[0], &[1]];
const DIAMOND: Graph = &[&[], &[0], &[0], &[1, 2]];
const FIVE_STAGES: Graph = &[&[], &[0], &[1], &[2], &[3]];
const ALL_TO_ALL: Graph = &[&[], &[], &[0, 1], &[0, 1, 2]];

#[derive(Clone, Copy)]
enum Acknowledges {
    Whole,
    /// Any part of a batch, none too.
    Parts,
    /// Whole batches of at most 3.
    Limited,
}

impl Acknowledges {
    const ALL: [Self; 3] = [Self::Whole, Self::Parts, Self::Limited];
}

/// Reads to the end. Says in `handled` how far it has come before it acknowledges, and checks that those it comes after have
/// come as far. Returns how many events it got.
fn run_stage(
    mut consumer: RequiredConsumer<u64>,
    me: usize,
    upstream: &[usize],
    how: Acknowledges,
    handled: &[AtomicU64],
) -> u64 {
    let mut dice = Dice(me as u64 + 1);
    let mut expected = consumer.joined_at();
    loop {
        let batch = match consumer.read() {
            Ok(batch) => batch,
            Err(end) => {
                assert_eq!((end, consumer.position()), (End::Closed, expected));
                return consumer.delivered();
            }
        };
        assert_eq!(batch.first_sequence(), expected);
        let mut events = 0;
        for (sequence, event) in &batch {
            assert_eq!((sequence, *event), (expected + events, sequence.get()));
            for &other in upstream {
                assert!(handled[other].load(Relaxed) > *event, "{me} reads {event} before {other} is done");
            }
            events += 1;
        }
        assert_eq!(batch.len() as u64, events);
        let count = match how {
            Acknowledges::Parts => dice.below(events + 1),
            Acknowledges::Limited if events > 3 => panic!("more than the limit"),
            _ => events,
        };
        expected += count;
        handled[me].store(expected.get(), Relaxed);
        batch.acknowledge_first(count as usize).unwrap();
    }
}

/// Publishes all events below `end`, in every form that waits.
fn publish_variously(producer: &mut Producer<u64>, end: u64) {
    let mut dice = Dice(99);
    let mut next = producer.next_sequence().get();
    while next < end {
        let events: Vec<u64> = (next..end).take(dice.below(4) as usize).collect();
        match dice.below(3) {
            0 => assert_eq!(producer.publish_batch(&events), Ok(at(next))),
            1 if !events.is_empty() => {
                let mut claim = producer.claim(events.len()).unwrap();
                events.iter().for_each(|event| claim.push(event).unwrap());
                claim.publish().unwrap();
            }
            _ => events.iter().for_each(|event| assert_eq!(producer.publish(event), Ok(at(*event)))),
        }
        next += events.len() as u64;
        assert_eq!(producer.next_sequence(), at(next));
    }
}

/// Every stage of `graph`, on a thread of its own, gets all events of three rings; each acknowledges in each way once.
fn everything_comes_through(graph: Graph) {
    const EVENTS: u64 = 7_000;
    in_time("a graph", move || {
        for turn in 0..3 {
            let (mut producer, ring) = ring(32 << (2 * turn));
            let mut consumers: Vec<RequiredConsumer<u64>> = Vec::new();
            let how = |stage: usize| Acknowledges::ALL[(stage + turn) % 3];
            for (stage, upstream) in graph.iter().enumerate() {
                let upstream: Vec<_> = upstream.iter().map(|&at| &consumers[at] as &dyn Upstream).collect();
                let mut joining = ring.required("stage").after(&upstream);
                if matches!(how(stage), Acknowledges::Limited) {
                    joining = joining.batch_limit(3);
                }
                consumers.push(joining.join().unwrap());
            }
            let handled: Vec<_> = graph.iter().map(|_| AtomicU64::new(0)).collect();
            let handled = handled.as_slice();
            thread::scope(|scope| {
                let stages: Vec<_> = (0..)
                    .zip(consumers)
                    .map(|(me, consumer)| {
                        scope.spawn(move || run_stage(consumer, me, graph[me], how(me), handled))
                    })
                    .collect();
                publish_variously(&mut producer, EVENTS);
                assert_eq!(producer.close(), Ok(at(EVENTS)));
                for stage in stages {
                    assert_eq!(stage.join().unwrap(), EVENTS);
                }
            });
            assert_eq!((ring.end(), ring.stats().consumers.len()), (Some(End::Closed), 0));
        }
    });
}

#[test]
fn everything_comes_through_a_pipeline() {
    everything_comes_through(PIPELINE);
}

#[test]
fn everything_comes_through_a_diamond() {
    everything_comes_through(DIAMOND);
}

#[test]
fn everything_comes_through_five_stages() {
    everything_comes_through(FIVE_STAGES);
}

#[test]
fn everything_comes_through_a_graph_with_all_edges() {
    everything_comes_through(ALL_TO_ALL);
}

/// `count` unread events are there.
#[track_caller]
fn assert_unread(consumer: &mut RequiredConsumer<u64, impl WaitStrategy>, count: usize) {
    match consumer.try_read() {
        Ok(batch) => assert_eq!(batch.len(), count),
        Err(error) => assert_eq!((error, count), (ReadError::Empty, 0)),
    }
}

#[track_caller]
fn acknowledge(consumer: &mut RequiredConsumer<u64, impl WaitStrategy>, count: usize) {
    consumer.try_read().unwrap().acknowledge_first(count).unwrap();
}

/// Nothing more, and why; in every form, and again.
#[track_caller]
fn assert_ended(consumer: &mut RequiredConsumer<u64, impl WaitStrategy>, end: &End) {
    for _ in 0..2 {
        assert_eq!(consumer.try_read().unwrap_err(), ReadError::Ended(end.clone()));
        assert_eq!(consumer.read_deadline(common::much_later()).unwrap_err(), ReadError::Ended(end.clone()));
        assert_eq!(consumer.poll(|_, _, _| unreachable!()), Err(ReadError::Ended(end.clone())));
        assert_eq!(consumer.read().unwrap_err(), *end);
    }
}

fn upstream_left(upstream: &str, position: u64) -> End {
    End::UpstreamLeft { upstream: upstream.into(), position: at(position) }
}

/// A pipeline of two, `first` and `second`, on a ring of 16 with 5 events.
fn pair() -> (Producer<u64>, Ring<u64>, RequiredConsumer<u64>, RequiredConsumer<u64>) {
    let (mut producer, ring) = ring(16);
    let first = ring.required("first").join().unwrap();
    let second = ring.required("second").after(&[&first]).join().unwrap();
    publish_up_to(&mut producer, 5);
    (producer, ring, first, second)
}

#[test]
fn stages_may_go_in_any_order_once_the_ring_is_closed_and_they_have_drained() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for leaves in [false, true] {
            let (mut producer, ring) = ring(16);
            let first = ring.required("first").join().unwrap();
            let second = ring.required("second").after(&[&first]).join().unwrap();
            let third = ring.required("third").after(&[&second]).join().unwrap();
            let mut stages = [Some(first), Some(second), Some(third)];
            publish_up_to(&mut producer, 5);
            producer.close().unwrap();
            let mut drained = 0;
            for going in order {
                for stage in &mut stages[drained..=going.max(drained)] {
                    let Some(stage) = stage else { continue };
                    if stage.lag() > 0 {
                        assert_eq!(take_all(stage), [0, 1, 2, 3, 4]);
                    }
                    assert_ended(stage, &End::Closed);
                }
                drained = drained.max(going);
                let gone = stages[going].take().unwrap();
                if leaves {
                    assert_eq!(gone.leave(), at(5));
                }
            }
            assert_eq!(ring.end(), Some(End::Closed));
        }
    }
}

#[test]
fn a_dependant_drains_what_an_upstream_that_left_had_acknowledged_and_then_learns_of_it() {
    let (mut producer, ring, mut first, mut second) = pair();
    acknowledge(&mut first, 3);
    acknowledge(&mut second, 1);
    assert_eq!(first.leave(), at(3));
    publish_up_to(&mut producer, 9);
    assert_eq!(take_all(&mut second), [1, 2]);
    assert_ended(&mut second, &upstream_left("first", 3));
    assert_eq!((second.position(), second.lag(), ring.end()), (at(3), 6, None));
    // It still gates.
    publish_up_to(&mut producer, 19);
    assert_eq!(producer.try_publish(&90), Err(PublishError::Full { needed: 1 }));
    assert_eq!(
        upstream_left("first", 3).to_string(),
        "consumer `first`, which this one comes after, left at sequence 3; leave too, or join anew after others"
    );
    // The stream's end is not this consumer's: it lacks events.
    producer.close().unwrap();
    assert_ended(&mut second, &upstream_left("first", 3));
}

#[test]
fn an_upstream_that_left_at_the_end_of_a_stream_is_no_loss() {
    let (producer, _ring, mut first, mut second) = pair();
    acknowledge(&mut first, 5);
    first.leave();
    acknowledge(&mut second, 4);
    assert_unread(&mut second, 1);
    acknowledge(&mut second, 1);
    assert_ended(&mut second, &upstream_left("first", 5));
    producer.close().unwrap();
    assert_ended(&mut second, &End::Closed);
}

#[test]
fn a_dependant_that_waits_learns_that_its_upstream_left() {
    in_time("a dependant that waits", || {
        let (_producer, ring, mut first, second) = pair();
        let (announce, waiting) = Announce::new();
        let mut third = ring.required("third").after(&[&first, &second]).wait(announce).join().unwrap();
        acknowledge(&mut first, 5);
        let end = thread::scope(|scope| {
            let reading = scope.spawn(|| third.read().map(|batch| batch.len()));
            waiting.has_begun();
            assert_eq!(second.leave(), at(0));
            reading.join().unwrap()
        });
        // It joined at 5, its upstream left before.
        assert_eq!(end, Err(upstream_left("second", 0)));
    });
}

#[test]
fn a_dependant_of_a_failed_upstream_drains_and_is_told_and_the_producer_is_poisoned() {
    type Fails = fn(RequiredConsumer<u64>);
    let cases: [(Fails, FailureCause, Option<&str>); 3] = [
        (|first| first.fail("the disk is full"), FailureCause::Failed, Some("the disk is full")),
        (drop, FailureCause::Abandoned, None),
        (
            |first| {
                let panicked = thread::spawn(move || {
                    let _dropped_on_the_way = first;
                    panic_quietly()
                });
                assert!(panicked.join().is_err());
            },
            FailureCause::Panicked,
            None,
        ),
    ];
    for (fails, cause, message) in cases {
        for acknowledged in [3, 5] {
            let (mut producer, ring, mut first, mut second) = pair();
            acknowledge(&mut first, acknowledged);
            fails(first);
            assert_eq!(take_all(&mut second), (0..acknowledged as u64).collect::<Vec<_>>());
            let Err(ReadError::Ended(End::UpstreamFailed(failure))) = second.try_read() else {
                panic!("its upstream has failed")
            };
            assert_eq!((&*failure.consumer, failure.cause), ("first", cause));
            assert_eq!((failure.position, failure.message.as_deref()), (at(acknowledged as u64), message));
            assert_ended(&mut second, &End::UpstreamFailed(Arc::clone(&failure)));
            assert_eq!(ring.end(), None, "not before the producer has noticed");
            assert_eq!(poisoned(&producer.publish(&90).unwrap_err()), failure);
            let end = match acknowledged {
                5 => End::Poisoned(failure),
                _ => End::UpstreamFailed(failure),
            };
            assert_ended(&mut second, &end);
        }
    }
}

#[test]
fn the_slowest_upstream_counts() {
    let (mut producer, ring) = ring(16);
    let mut left = ring.required("left").join().unwrap();
    let mut right = ring.required("right").join().unwrap();
    // The second call adds to the first.
    let mut both = ring.required("both").after(&[&left]).after(&[&right]).join().unwrap();
    publish_up_to(&mut producer, 10);
    assert_unread(&mut both, 0);
    acknowledge(&mut left, 4);
    assert_unread(&mut both, 0);
    acknowledge(&mut right, 1);
    assert_unread(&mut both, 1);
    acknowledge(&mut right, 6);
    assert_unread(&mut both, 4);
    acknowledge(&mut both, 4);
    assert_unread(&mut both, 0);
    acknowledge(&mut left, 6);
    assert_unread(&mut both, 3);
    assert_eq!([both, left, right].map(RequiredConsumer::leave), [at(4), at(10), at(7)]);
}

#[test]
fn one_of_two_upstreams_leaves_and_its_final_position_counts() {
    for gone_is_first in [true, false] {
        let (mut producer, ring) = ring(16);
        let mut gone = ring.required("gone").join().unwrap();
        let mut stays = ring.required("stays").join().unwrap();
        let upstream: [&dyn Upstream; 2] = if gone_is_first { [&gone, &stays] } else { [&stays, &gone] };
        let mut both = ring.required("both").after(&upstream).join().unwrap();
        publish_up_to(&mut producer, 10);
        acknowledge(&mut gone, 4);
        gone.leave();
        assert_unread(&mut both, 0);
        acknowledge(&mut stays, 2);
        assert_eq!(take_all(&mut both), [0, 1]);
        assert_unread(&mut both, 0);
        acknowledge(&mut stays, 5);
        assert_eq!(take_all(&mut both), [2, 3]);
        assert_ended(&mut both, &upstream_left("gone", 4));
        acknowledge(&mut stays, 3);
        assert_ended(&mut both, &upstream_left("gone", 4));
    }
}

#[test]
fn two_upstreams_leave_and_the_earlier_final_position_counts() {
    let (mut producer, ring) = ring(16);
    let mut far = ring.required("far").join().unwrap();
    let mut near = ring.required("near").join().unwrap();
    let mut both = ring.required("both").after(&[&far, &near]).join().unwrap();
    publish_up_to(&mut producer, 10);
    acknowledge(&mut far, 7);
    acknowledge(&mut near, 4);
    assert_eq!((far.leave(), near.leave()), (at(7), at(4)));
    assert_eq!(take_all(&mut both), [0, 1, 2, 3]);
    assert_ended(&mut both, &upstream_left("near", 4));
}

#[test]
fn consumers_of_another_ring_are_refused() {
    for name in ["orders", "trades"] {
        let (_producer, ring) = Ring::<u64>::builder().name("trades").build().unwrap();
        let (_other_producer, other) = Ring::<u64>::builder().name(name).build().unwrap();
        let mine = ring.required("mine").join().unwrap();
        let foreign = other.required("foreign").join().unwrap();
        let refused = JoinError::OtherRing {
            consumer: "late".into(),
            ring: "trades".into(),
            upstream: "foreign".into(),
            other: name.into(),
        };
        assert_eq!(ring.required("late").after(&[&mine, &foreign]).join().unwrap_err(), refused);
        assert_eq!(ring.required("late").after(&[&foreign.progress()]).join().unwrap_err(), refused);
        // The refusal left no trace: `mine` has no dependants, so it can pause, and no place was taken.
        let mut mine = mine;
        assert_eq!(mine.pause().unwrap().resume(), 0);
        assert_eq!(ring.stats().consumers.len(), 1);
        assert!(refused.to_string().contains(&format!("`foreign`, which reads another ring (`{name}`)")));
    }
}

#[test]
fn an_upstream_that_has_gone_is_refused() {
    let gone = JoinError::UpstreamGone { consumer: "late".into(), upstream: "first".into() };
    let (_producer, ring, first, second) = pair();
    let progress = first.progress();
    first.leave();
    // Its place is kept for `second`.
    assert_eq!(ring.required("late").after(&[&progress]).join().unwrap_err(), gone);
    second.leave();
    assert_eq!(ring.required("late").after(&[&progress]).join().unwrap_err(), gone);
    let _newcomer = ring.required("newcomer").join().unwrap();
    assert_eq!(ring.required("late").after(&[&progress]).join().unwrap_err(), gone);

    let (_producer, ring, first, _second) = pair();
    let progress = first.progress();
    drop(first);
    assert_eq!(ring.required("late").after(&[&progress]).join().unwrap_err(), gone);
}

#[test]
fn a_place_is_kept_while_somebody_comes_after_its_owner() {
    let (mut producer, ring) = Ring::<u64>::builder().name("orders").max_required(2).build().unwrap();
    let first = ring.required("first").join().unwrap();
    let second = ring.required("second").after(&[&first]).join().unwrap();
    let refused =
        JoinError::TooManyRequired { consumer: "third".into(), ring: "orders".into(), max_required: 2 };
    assert_eq!(ring.required("third").join().unwrap_err(), refused);
    first.leave();
    assert_eq!(ring.required("third").join().unwrap_err(), refused);
    publish_up_to(&mut producer, 3);
    second.leave();
    // Both places are free now.
    let third = ring.required("third").join().unwrap();
    let fourth = ring.required("fourth").after(&[&third]).join().unwrap();
    assert_eq!(ring.required("fifth").join().unwrap_err().to_string().matches("all 2 places").count(), 1);
    // Here the dependant goes first.
    fourth.leave();
    let fifth = ring.required("fifth").join().unwrap();
    third.leave();
    let sixth = ring.required("sixth").join().unwrap();
    assert_eq!((fifth.leave(), sixth.leave()), (at(3), at(3)));
}

#[test]
fn a_place_with_two_dependants_is_kept_until_both_have_gone() {
    let (_producer, ring) = Ring::<u64>::builder().max_required(3).build().unwrap();
    let first = ring.required("first").join().unwrap();
    let second = ring.required("second").after(&[&first, &first]).join().unwrap();
    let third = ring.required("third").after(&[&first]).join().unwrap();
    first.leave();
    second.leave();
    let _fourth = ring.required("fourth").join().unwrap();
    assert!(ring.required("fifth").join().is_err(), "the third comes after the first");
    third.leave();
    let _fifth = ring.required("fifth").join().unwrap();
    let _sixth = ring.required("sixth").join().unwrap();
}

#[test]
fn a_newcomer_in_a_place_is_not_mistaken_for_its_former_owner() {
    let (mut producer, ring) = ring(16);
    let mut former = ring.required("former").join().unwrap();
    publish_up_to(&mut producer, 5);
    acknowledge(&mut former, 3);
    let progress = former.progress();
    former.leave();
    let mut newcomer = ring.required("newcomer").join().unwrap();
    publish_up_to(&mut producer, 9);
    acknowledge(&mut newcomer, 2);
    assert_eq!(newcomer.position(), at(7));
    assert_eq!((progress.name(), progress.position()), ("former", at(3)));
    assert_eq!(progress.wait_for(at(2), common::soon()), Ok(()));
    let left = ProgressError::Left { consumer: "former".into(), position: at(3) };
    for sequence in [3, 5, 6, 20] {
        assert_eq!(progress.wait_for(at(sequence), common::much_later()), Err(left.clone()));
    }
    newcomer.leave();
}

#[test]
fn who_joins_behind_a_lagging_upstream_gets_everything_from_the_cursor_on() {
    let (mut producer, ring, mut first, second) = pair();
    second.leave();
    acknowledge(&mut first, 1);
    let mut late = ring.required("late").after(&[&first]).join().unwrap();
    assert_eq!((late.joined_at(), late.lag()), (at(5), 0));
    publish_up_to(&mut producer, 8);
    for _ in 1..5 {
        assert_unread(&mut late, 0);
        acknowledge(&mut first, 1);
    }
    assert_unread(&mut late, 0);
    acknowledge(&mut first, 1);
    assert_eq!(take_all(&mut late), [5]);
    acknowledge(&mut first, 2);
    assert_eq!(take_all(&mut late), [6, 7]);
    assert_eq!((late.delivered(), late.lag()), (3, 0));
    assert_eq!((late.leave(), first.leave()), (at(8), at(8)));
}

#[test]
fn a_full_ring_waits_for_the_last_stage() {
    let (mut producer, ring) = ring(8);
    let mut first = ring.required("first").join().unwrap();
    let mut second = ring.required("second").after(&[&first]).join().unwrap();
    let mut third = ring.required("third").after(&[&second]).join().unwrap();
    publish_up_to(&mut producer, 8);
    let full = Err(PublishError::Full { needed: 1 });
    assert_eq!((take_all(&mut first).len(), producer.try_publish(&8)), (8, full.clone()));
    assert_eq!((take_all(&mut second).len(), producer.try_publish(&8)), (8, full.clone()));
    assert_eq!(&*ring.stats().gated_by().unwrap().name, "third");
    acknowledge(&mut third, 1);
    assert_eq!((producer.try_publish(&8), producer.try_publish(&9)), (Ok(at(8)), full));
    assert_eq!([third, second, first].map(RequiredConsumer::leave), [at(1), at(8), at(8)]);
}

/// Reads `count` events or more, and checks that none lies between them or is ahead of the upstream's own count.
fn read_some(consumer: &mut RequiredConsumer<u64>, count: u64, upstream: &AtomicU64) {
    while consumer.delivered() < count {
        let expected = consumer.position();
        let batch = consumer.read().unwrap();
        for (index, (sequence, event)) in (0..).zip(&batch) {
            assert_eq!((sequence, *event), (expected + index, sequence.get()));
            assert!(upstream.load(Relaxed) > *event);
        }
        batch.acknowledge();
    }
}

#[test]
fn dependants_join_and_leave_while_everything_runs() {
    in_time("dependants come and go", || {
        let (mut producer, ring) = ring(16);
        let mut first = ring.required("first").join().unwrap();
        let progress = first.progress();
        let (handled, enough) = (AtomicU64::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut event = 0;
                while !enough.load(Relaxed) {
                    producer.publish(&event).unwrap();
                    event += 1;
                }
                producer.close().unwrap();
            });
            scope.spawn(|| {
                while let Ok(batch) = first.read() {
                    handled.store(batch.first_sequence().get() + batch.len() as u64, Relaxed);
                    batch.acknowledge();
                }
            });
            let mut last_joined_at = at(0);
            for round in 0..200 {
                let mut second = ring.required("second").after(&[&progress]).join().unwrap();
                let mut third = ring.required("third").after(&[&second, &progress]).join().unwrap();
                assert!(last_joined_at <= second.joined_at() && second.joined_at() <= third.joined_at());
                last_joined_at = third.joined_at();
                let past_the_third = third.joined_at().since(second.joined_at()) + 1;
                read_some(&mut second, past_the_third.max(round % 12), &handled);
                let (second_handled, count) = (AtomicU64::new(second.position().get()), round % 2);
                read_some(&mut third, count, &second_handled);
                if round % 3 == 0 {
                    let position = second.leave();
                    // The third drains to there.
                    let rest = position.since(third.joined_at());
                    read_some(&mut third, rest, &second_handled);
                    assert_eq!(
                        third.read().unwrap_err(),
                        End::UpstreamLeft { upstream: "second".into(), position }
                    );
                    assert_eq!(third.leave(), position);
                } else {
                    third.leave();
                    second.leave();
                }
            }
            enough.store(true, Relaxed);
        });
    });
}
