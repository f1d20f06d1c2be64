//! Statistics: every number, exactly; whom the producer waited for; and sampled latency.

mod common;

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::{Announce, Dice, assert_law, at, in_time, much_later, poisoned, publish_up_to, take_all};
use ringbus::stats::{ConsumerKind, ConsumerState, ConsumerStats, Stats, Waits};
use ringbus::wait::{Turn, WaitStrategy};
use ringbus::{Batch, End, Producer, PublishError, ReadFrom, RecvError, RequiredConsumer, Ring};

/// State, where it joined and stands, and the four numbers of the law.
type Numbers = (ConsumerState, [u64; 2], [u64; 4]);

fn numbers(seen: &ConsumerStats) -> Numbers {
    let ConsumerStats { state, joined_at, position, delivered, missed, let_pass, lag, .. } = *seen;
    (state, [joined_at.get(), position.get()], [delivered, missed, let_pass, lag])
}

/// The numbers of the consumer `name`.
#[track_caller]
fn of(stats: &Stats, name: &str) -> Numbers {
    numbers(stats.consumer(name).unwrap_or_else(|| panic!("no {name}")))
}

const RUNNING: ConsumerState = ConsumerState::Running;

#[test]
fn every_field_is_exact() {
    let before = Instant::now();
    let (mut producer, ring) =
        Ring::<u64>::builder().name("orders").capacity(8).first_sequence(at(100)).build().unwrap();
    let stats = ring.stats();
    assert_eq!((&*stats.ring, stats.capacity, stats.first_sequence), ("orders", 8, at(100)));
    assert_eq!((stats.cursor, stats.published(), &stats.end), (at(100), 0, &None));
    assert_eq!((stats.waits, stats.refused), (Waits::default(), 0));
    assert!(stats.consumers.is_empty() && stats.gated_by().is_none() && stats.consumer("audit").is_none());

    let mut audit = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 103);
    let risk = ring.required("risk").after(&[&audit]).join().unwrap();
    let mut monitor = ring.optional("monitor").start(ReadFrom::Sequence(at(101))).join().unwrap();
    publish_up_to(&mut producer, 106);
    audit.try_read().unwrap().acknowledge_first(4).unwrap();
    monitor.recv().unwrap();
    let stats = ring.stats();
    assert_law(&stats);
    assert_eq!((stats.cursor, stats.published(), stats.first_sequence), (at(106), 6, at(100)));
    assert_eq!(
        stats.consumers.iter().map(|seen| &*seen.name).collect::<Vec<_>>(),
        ["audit", "risk", "monitor"]
    );
    let kinds = [ConsumerKind::Required, ConsumerKind::Required, ConsumerKind::Optional];
    assert_eq!(stats.consumers.iter().map(|seen| seen.kind).collect::<Vec<_>>(), kinds);
    assert_eq!(of(&stats, "audit"), (RUNNING, [100, 104], [4, 0, 0, 2]));
    assert_eq!(of(&stats, "risk"), (RUNNING, [103, 103], [0, 0, 0, 3]));
    assert_eq!(of(&stats, "monitor"), (RUNNING, [101, 102], [1, 0, 0, 4]));
    assert_eq!(&*stats.gated_by().unwrap().name, "risk");
    assert!(stats.consumers.iter().all(|seen| seen.waits == Waits::default() && seen.latency.is_none()));

    assert!(before <= stats.taken_at && stats.taken_at <= Instant::now());
    assert!(stats.age <= before.elapsed());
    producer.close().unwrap();
    drop((risk, audit, monitor));
    let stats = ring.stats();
    assert_eq!((stats.published(), stats.consumers.len(), stats.end), (6, 0, Some(End::Closed)));
}

#[test]
fn who_was_overrun_has_missed_and_who_moved_ahead_too() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_batch(2).build().unwrap();
    let mut monitor = ring.optional("monitor").resume(ReadFrom::Oldest { headroom: 0 }).join().unwrap();
    publish_up_to(&mut producer, 21);
    // An overrun counts when it is noticed.
    assert_eq!(of(&ring.stats(), "monitor"), (RUNNING, [0, 0], [0, 0, 0, 21]));
    assert_eq!(monitor.recv(), Err(RecvError::Lagged { missed: 15, resumed_at: at(15) }));
    assert_eq!(of(&ring.stats(), "monitor"), (RUNNING, [0, 15], [0, 15, 0, 6]));
    let mut buffer = Vec::with_capacity(2);
    assert_eq!(monitor.recv_many(&mut buffer).unwrap().count, 2);
    assert_eq!(monitor.skip_to(ReadFrom::NewestMinus(1)), Ok(3));
    let paused = monitor.pause();
    publish_up_to(&mut producer, 30);
    assert_eq!(of(&ring.stats(), "monitor"), (ConsumerState::Paused, [0, 20], [2, 18, 10, 0]));
    paused.resume();
    publish_up_to(&mut producer, 31);
    let stats = ring.stats();
    assert_eq!(of(&stats, "monitor"), (RUNNING, [0, 30], [2, 18, 10, 1]));
    assert!(stats.gated_by().is_none(), "an optional consumer gates nobody");
}

#[test]
fn a_paused_consumer_gates_nobody_and_a_failed_one_for_good() {
    let (mut producer, ring) = common::ring(8);
    let mut paused = ring.required("paused").join().unwrap();
    let mut fails = ring.required("fails").join().unwrap();
    let stays = ring.required("stays").join().unwrap();
    publish_up_to(&mut producer, 5);
    fails.try_read().unwrap().acknowledge_first(2).unwrap();
    assert_eq!(&*ring.stats().gated_by().unwrap().name, "paused", "the first of the slowest");
    let pause = paused.pause().unwrap();
    assert_eq!(&*ring.stats().gated_by().unwrap().name, "stays");
    stays.leave();
    fails.fail("no disk");
    publish_fails(&mut producer);
    let stats = ring.stats();
    assert_law(&stats);
    assert_eq!(stats.consumers.len(), 2, "who has left is not there");
    assert_eq!(of(&stats, "paused"), (ConsumerState::Paused, [0, 0], [0, 0, 5, 0]));
    assert_eq!(of(&stats, "fails"), (ConsumerState::Failed, [0, 2], [2, 0, 0, 3]));
    assert_eq!(&*stats.gated_by().unwrap().name, "fails");
    assert!(matches!(stats.end, Some(End::Poisoned(failure)) if &*failure.consumer == "fails"));
    pause.resume();
    drop(paused);
    assert_eq!(ring.stats().consumers.len(), 1);
}

fn publish_fails(producer: &mut Producer<u64>) {
    assert_eq!(&*poisoned(&producer.publish(&0).unwrap_err()).consumer, "fails");
}

#[test]
fn who_has_left_is_not_seen_though_its_place_is_kept() {
    let (_producer, ring) = common::ring(8);
    let first = ring.required("first").join().unwrap();
    let second = ring.required("second").after(&[&first]).join().unwrap();
    let monitors: Vec<_> =
        ["one", "two", "three"].into_iter().map(|name| ring.optional(name).join().unwrap()).collect();
    let names = || ring.stats().consumers.iter().map(|seen| seen.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(), ["first", "second", "one", "two", "three"]);
    first.leave();
    let [_one, two, _three]: [_; 3] = monitors.try_into().unwrap();
    drop(two);
    assert_eq!(names(), ["second", "one", "three"]);
    second.leave();
    assert_eq!(names(), ["one", "three"]);
}

#[test]
fn kinds_and_states_have_names() {
    assert_eq!(
        [ConsumerKind::Required, ConsumerKind::Optional].map(|kind| kind.to_string()),
        ["required", "optional"]
    );
    let states = [ConsumerState::Running, ConsumerState::Paused, ConsumerState::Failed];
    assert_eq!(states.map(|state| state.to_string()), ["running", "paused", "failed"]);
}

#[test]
fn rates_are_events_over_time() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).first_sequence(at(50)).build().unwrap();
    let earlier = ring.stats();
    assert_eq!((earlier.rate_since(&earlier), earlier.average_rate()), (0.0, 0.0));
    publish_up_to(&mut producer, 1_050);
    let mut later = ring.stats();
    later.taken_at = earlier.taken_at + Duration::from_millis(250);
    later.age = Duration::from_millis(500);
    assert_eq!((later.rate_since(&earlier), later.average_rate()), (4_000.0, 2_000.0));
    assert_eq!((later.rate_since(&later), earlier.rate_since(&later)), (0.0, 0.0));
}

#[test]
fn only_calls_that_found_no_room_are_refused() {
    let (mut producer, ring) = common::ring(8);
    let _slow = ring.required("slow").join().unwrap();
    publish_up_to(&mut producer, 8);
    assert_eq!(ring.stats().refused, 0);
    let full = Err(PublishError::Full { needed: 1 });
    assert_eq!(producer.try_publish(&0), full);
    assert_eq!((ring.stats().refused, ring.stats().waits), (1, Waits::default()));
    producer.try_publish_batch(&[0, 0]).unwrap_err();
    producer.try_claim(2).unwrap_err();
    assert_eq!((ring.stats().refused, ring.stats().waits), (3, Waits::default()));
    // A batch that is too long, or empty, is none of the consumers' doing.
    producer.try_publish_batch(&[0; 3]).unwrap_err();
    producer.try_publish_batch(&[]).unwrap();
    assert_eq!(ring.stats().refused, 3);
    assert_eq!(producer.publish_deadline(&0, common::soon()), full);
    producer.publish_batch_deadline(&[0], common::soon()).unwrap_err();
    producer.claim_deadline(1, common::soon()).unwrap_err();
    let stats = ring.stats();
    assert_eq!((stats.refused, stats.waits.count), (6, 3));
}

/// A ring of 8 whose producer says when it waits.
fn announcing() -> (Producer<u64, Announce>, Ring<u64>, common::Waiting) {
    let (announce, waiting) = Announce::new();
    let (producer, ring) = Ring::builder().capacity(8).wait(announce).build().unwrap();
    (producer, ring, waiting)
}

/// Lets the producer wait for room, and does `ends` then.
fn one_wait<W: WaitStrategy, T>(
    producer: &mut Producer<u64, W>,
    waiting: &common::Waiting,
    ends: impl FnOnce() -> T,
) -> T {
    thread::scope(|scope| {
        let publishing = scope.spawn(|| drop(producer.publish_deadline(&0, much_later())));
        waiting.has_begun();
        let ended = ends();
        publishing.join().unwrap();
        ended
    })
}

#[test]
fn waits_are_charged_to_the_slowest() {
    in_time("waits", || {
        let (mut producer, ring, waiting) = announcing();
        let mut fast = ring.required("fast").join().unwrap();
        let mut slow = ring.required("slow").join().unwrap();
        publish_up_to(&mut producer, 8);
        take_all(&mut fast);
        let mut total = Duration::ZERO;
        for count in 1..4 {
            let began = Instant::now();
            let (waits, held) = one_wait(&mut producer, &waiting, || {
                let held = Instant::now();
                while held.elapsed() < Duration::from_millis(1) {
                    thread::yield_now();
                }
                let (waits, held) = (ring.stats().waits, held.elapsed());
                slow.try_read().unwrap().acknowledge_first(1).unwrap();
                (waits, held)
            });
            assert_eq!(waits.count, count - 1, "a wait counts when it is over");
            let stats = ring.stats();
            let seen = stats.consumer("slow").unwrap().waits;
            assert_eq!((stats.waits, seen.count), (seen, count));
            assert!(seen.total >= total + held && seen.total <= total + began.elapsed());
            assert_eq!(stats.consumer("fast").unwrap().waits, Waits::default());
            assert_eq!(stats.refused, 0);
            total = seen.total;
            take_all(&mut fast);
        }
        // Now it is the other's turn.
        take_all(&mut slow);
        publish_up_to(&mut producer, 19);
        take_all(&mut slow);
        one_wait(&mut producer, &waiting, || assert_eq!(take_all(&mut fast).len(), 8));
        let stats = ring.stats();
        let waits = |name| stats.consumer(name).unwrap().waits;
        assert_eq!((stats.waits.count, waits("slow").count, waits("fast").count), (4, 3, 1));
        assert_eq!((waits("slow").total, stats.waits.total), (total, total + waits("fast").total));
        fast.leave();
        slow.leave();
    });
}

#[test]
fn a_wait_counts_however_it_ends() {
    in_time("waits that end in a failure", || {
        type Ends = fn(&Ring<u64>, RequiredConsumer<u64>);
        let ends: [Ends; 3] = [
            |_, slow| slow.fail("no disk"),
            |_, slow| assert_eq!(slow.leave(), at(0)),
            |ring, slow| {
                ring.stop();
                common::leak(slow);
            },
        ];
        for (ends, still_there) in ends.into_iter().zip([true, false, true]) {
            let (mut producer, ring, waiting) = announcing();
            let slow = ring.required("slow").join().unwrap();
            publish_up_to(&mut producer, 8);
            one_wait(&mut producer, &waiting, || ends(&ring, slow));
            let stats = ring.stats();
            assert_eq!((stats.waits.count, stats.refused), (1, 0));
            assert_eq!(stats.consumer("slow").map(|slow| slow.waits), still_there.then_some(stats.waits));
        }
    });
}

#[test]
fn a_newcomer_is_not_charged_for_a_former_owner_of_its_place() {
    in_time("waits of a former owner", || {
        let (mut producer, ring, waiting) = announcing();
        let mut former = ring.required("slow").join().unwrap();
        publish_up_to(&mut producer, 8);
        one_wait(&mut producer, &waiting, || former.try_read().unwrap().acknowledge_first(1).unwrap());
        assert_eq!(ring.stats().consumers[0].waits.count, 1);
        former.leave();
        let mut newcomer = ring.required("slow").join().unwrap();
        assert_eq!(ring.stats().consumers[0].waits, Waits::default());
        publish_up_to(&mut producer, 17);
        let before = ring.stats().waits;
        one_wait(&mut producer, &waiting, || take_all(&mut newcomer));
        let stats = ring.stats();
        assert_eq!((stats.waits.count, stats.consumers[0].waits.count), (2, 1));
        assert_eq!(stats.consumers[0].waits.total, stats.waits.total - before.total);
        newcomer.leave();
    });
}

/// Waits for a word before it looks again.
#[derive(Debug)]
struct OnCommand(Sender<()>, Receiver<()>);

impl WaitStrategy for OnCommand {
    fn wait(&mut self, _: &Turn) {
        self.0.send(()).unwrap();
        self.1.recv().unwrap();
    }
}

#[test]
fn a_newcomer_is_not_charged_for_a_wait_that_began_before_it_came() {
    in_time("a wait for a former owner that is not over", || {
        let (begun, has_begun) = channel();
        let (go, may_go) = channel();
        let (mut producer, ring) =
            Ring::<u64>::builder().capacity(8).wait(OnCommand(begun, may_go)).build().unwrap();
        let former = ring.required("slow").join().unwrap();
        publish_up_to(&mut producer, 8);
        let newcomer = thread::scope(|scope| {
            scope.spawn(|| producer.publish(&8).unwrap());
            has_begun.recv().unwrap();
            former.leave();
            let newcomer = ring.required("newcomer").join().unwrap();
            go.send(()).unwrap();
            newcomer
        });
        let stats = ring.stats();
        assert_eq!((stats.waits.count, stats.consumers.len()), (1, 1));
        assert_eq!(stats.consumers[0].waits, Waits::default());
        newcomer.leave();
    });
}

#[test]
fn the_law_holds_while_everything_runs() {
    const EVENTS: u64 = 20_000;
    in_time("the law", || {
        let (mut producer, ring) = common::ring(256);
        let mut first = ring.required("first").join().unwrap();
        let mut second = ring.required("second").after(&[&first]).join().unwrap();
        let mut monitor = ring.optional("monitor").join().unwrap();
        let mut pausing = ring.optional("pausing").join().unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let looking = scope.spawn(|| {
                let mut earlier = ring.stats();
                while !done.load(Relaxed) {
                    let stats = ring.stats();
                    assert_law(&stats);
                    assert!(stats.cursor >= earlier.cursor && stats.rate_since(&earlier) >= 0.0);
                    for seen in &stats.consumers {
                        let before = earlier.consumer(&seen.name);
                        assert!(before.is_none_or(|before| before.position <= seen.position));
                    }
                    earlier = stats;
                    thread::yield_now();
                }
            });
            scope.spawn(move || while first.read().map(Batch::acknowledge).is_ok() {});
            scope.spawn(
                move || while second.poll(|_, _, _| {}) != Err(ringbus::ReadError::Ended(End::Closed)) {},
            );
            scope.spawn(move || while monitor.recv() != Err(RecvError::Ended(End::Closed)) {});
            scope.spawn(move || {
                while pausing.recv() != Err(RecvError::Ended(End::Closed)) {
                    drop(pausing.pause());
                }
            });
            for event in 0..EVENTS {
                producer.publish(&event).unwrap();
            }
            producer.close().unwrap();
            done.store(true, Relaxed);
            looking.join().unwrap();
        });
    });
}

/// One thread does everything, so that what a snapshot sees of the consumers is new while it is taken.
#[test]
fn the_law_holds_while_positions_move_fast() {
    in_time("the law, again", || {
        let (mut producer, ring) = common::ring(8);
        let mut audit = ring.required("audit").join().unwrap();
        let mut monitor = ring.optional("monitor").join().unwrap();
        let enough = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !enough.load(Relaxed) {
                    producer.publish(&7).unwrap();
                    audit.try_read().unwrap().acknowledge();
                    monitor.try_recv().unwrap();
                }
            });
            for _ in 0..5_000 {
                assert_law(&ring.stats());
            }
            enough.store(true, Relaxed);
        });
    });
}

/// How many of the sequences in `from..to` are sampled.
fn samples(from: u64, to: u64, every: u64) -> u64 {
    to.div_ceil(every) - from.div_ceil(every)
}

fn sampling(capacity: usize, every: u64) -> (Producer<u64>, Ring<u64>) {
    Ring::builder().capacity(capacity).sample_latency(NonZero::new(every).unwrap()).build().unwrap()
}

/// How many samples there are of the consumer `name`.
#[track_caller]
fn sampled(ring: &Ring<u64>, name: &str) -> u64 {
    ring.stats().consumer(name).unwrap().latency.as_ref().expect("it is measured").len()
}

#[test]
fn latency_is_sampled_of_one_event_in_so_many() {
    for every in [1, 2, 3, 5, 8, 9, 64, 1_000, u64::MAX] {
        let (mut producer, ring) = sampling(8, every);
        let mut dice = Dice(every.wrapping_mul(7) | 1);
        let mut whole = ring.required("whole").join().unwrap();
        let mut parts = ring.required("parts").after(&[&whole]).join().unwrap();
        assert_eq!((sampled(&ring, "whole"), sampled(&ring, "parts")), (0, 0));
        let mut late = None;
        let mut next = 0;
        for turn in 0.. {
            if next > 2_000 {
                break;
            }
            let count = dice.below(3);
            match dice.below(4) {
                0 => drop(producer.try_claim(2)), // and made again
                1 if count > 0 => {
                    let Ok(mut claim) = producer.try_claim(2) else { continue };
                    (0..count).for_each(|_| claim.push(&0).unwrap());
                    claim.publish().unwrap();
                    next += count;
                }
                2 => next += producer.try_publish_batch(&[0; 2][..count as usize]).map_or(0, |_| count),
                _ => next += u64::from(producer.try_publish(&0).is_ok()),
            }
            assert_eq!(producer.next_sequence(), at(next));
            if next > 777 && late.is_none() {
                late = Some(ring.required("late").join().unwrap());
            }
            if dice.below(3) == 0 && whole.lag() > 0 {
                take_all_unchecked(&mut whole);
            }
            if let Ok(batch) = parts.try_read() {
                let count = dice.below(batch.len() as u64 + 1);
                batch.acknowledge_first(count as usize).unwrap();
            }
            if let Some(late) = &mut late
                && late.lag() > 4
            {
                take_all_unchecked(late);
            }
            if turn % 64 > 0 {
                continue;
            }
            for consumer in [Some(&whole), Some(&parts), late.as_ref()].into_iter().flatten() {
                let expected = samples(consumer.joined_at().get(), consumer.position().get(), every);
                assert_eq!(sampled(&ring, consumer.name()), expected, "one in {every}");
            }
        }
        assert!(late.as_ref().is_some_and(|late| late.delivered() > 100));
        late.map(RequiredConsumer::leave);
        parts.leave();
        whole.leave();
    }
}

fn take_all_unchecked(consumer: &mut RequiredConsumer<u64>) {
    consumer.try_read().unwrap().acknowledge();
}

#[test]
fn what_a_pause_or_a_group_passes_over_is_not_sampled() {
    let (mut producer, ring) = sampling(8, 3);
    let mut risk = ring.required("risk").join().unwrap();
    publish_up_to(&mut producer, 5);
    let mut late = ring.required("late").join().unwrap();
    assert_eq!(ring.start_together(&mut [&mut risk, &mut late]), Ok(at(5)));
    assert_eq!((sampled(&ring, "risk"), sampled(&ring, "late")), (0, 0));
    publish_up_to(&mut producer, 8);
    take_all(&mut risk);
    assert_eq!(sampled(&ring, "risk"), samples(5, 8, 3));
    late.leave();
    let paused = risk.pause().unwrap();
    publish_up_to(&mut producer, 100);
    paused.resume();
    publish_up_to(&mut producer, 107);
    take_all(&mut risk);
    assert_eq!(sampled(&ring, "risk"), samples(5, 8, 3) + samples(100, 107, 3));
    risk.leave();
}

fn let_pass(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        thread::yield_now();
    }
}

/// What lies this far apart is told apart by a histogram of two digits.
const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn latency_is_the_time_from_room_to_acknowledgement() {
    for (every, first) in [1, 2, 3].into_iter().flat_map(|every| (0..9).map(move |first| (every, first))) {
        let (mut producer, ring) = sampling(8, every);
        publish_up_to(&mut producer, first * every);
        let mut risk = ring.required("risk").join().unwrap();
        let began = Instant::now();
        // This one waits for a moment, the others that fit into the ring do not; each has its own time.
        publish_up_to(&mut producer, first * every + 1);
        let_pass(MOMENT);
        publish_up_to(&mut producer, first * every + 8);
        take_all(&mut risk);
        let longest = began.elapsed();
        let latency = ring.stats().consumer("risk").unwrap().latency.clone().unwrap();
        assert_eq!(latency.len(), samples(0, 8, every));
        assert!(latency.max() >= MOMENT.as_nanos() as u64 * 98 / 100, "one in {every} from {first}");
        assert!(latency.max() <= longest.as_nanos() as u64 * 102 / 100 + 1_000);
        risk.leave();
    }
}

#[test]
fn a_claim_that_is_made_again_counts_from_the_first_time() {
    let (mut producer, ring) = sampling(8, 4);
    let mut risk = ring.required("risk").join().unwrap();
    drop(producer.claim(1).unwrap()); // a smaller one
    let_pass(MOMENT);
    let mut claim = producer.claim(2).unwrap();
    claim.push(&0).unwrap();
    claim.publish().unwrap();
    take_all_unchecked(&mut risk);
    let latency = ring.stats().consumers[0].latency.clone().unwrap();
    assert_eq!(latency.len(), 1);
    assert!(latency.max() >= MOMENT.as_nanos() as u64 * 98 / 100);
    risk.leave();
}

#[test]
fn latency_is_not_measured_unless_asked_for_nor_of_optional_consumers() {
    let (_producer, ring) = common::ring(8);
    let _audit = ring.required("audit").join().unwrap();
    assert!(ring.stats().consumers[0].latency.is_none());
    let (_producer, ring) = sampling(8, 1);
    let _monitor = ring.optional("monitor").join().unwrap();
    assert!(ring.stats().consumers[0].latency.is_none());
}
