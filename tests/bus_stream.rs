//! Streams, on a real runtime and by hand: order, completeness, acknowledgement, losses, wake-ups, cancellation, ends.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use common::{at, panic_quietly, poisoned};
use ringbus::bus::{
    BlockStart, Bus, Emit, Filter, Hash, Kind, Lagged, Origin, OwnedRecord, RequiredStream, Topic,
    WriteError, Writer,
};
use ringbus::{End, FailureCause, PublishError};
use tokio::runtime::{Builder, Runtime};

const NUMBER: Kind = Kind::new(1);

/// A bus of so many slots, with a block open: sequence 0 is taken.
fn bus(capacity: usize) -> (Writer<64>, Bus<64>) {
    let (mut writer, bus) = Bus::<64>::builder("testnet").capacity(capacity).build().unwrap();
    writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) }).unwrap();
    (writer, bus)
}

fn say(writer: &mut Writer<64>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        try_to_say(writer, number).unwrap();
    }
}

fn try_to_say(writer: &mut Writer<64>, number: u64) -> Result<(), WriteError> {
    writer.emit_bytes(Origin::default(), NUMBER, Topic::default(), &number.to_le_bytes())
}

fn number(record: &OwnedRecord) -> u64 {
    u64::from_le_bytes(record.record().payload().try_into().unwrap())
}

fn runtimes() -> [Runtime; 2] {
    let build = |builder: &mut Builder| builder.enable_time().build().unwrap();
    [build(&mut Builder::new_current_thread()), build(Builder::new_multi_thread().worker_threads(3))]
}

/// Counts how often it was woken.
#[derive(Default)]
struct Counting(AtomicU64);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counting {
    fn new() -> (Arc<Self>, Waker) {
        let counting = Arc::new(Self::default());
        (Arc::clone(&counting), Waker::from(counting))
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Fails rather than hang.
    #[track_caller]
    fn is_woken(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.count() == 0 {
            assert!(Instant::now() < deadline, "nobody wakes it");
            thread::yield_now();
        }
    }
}

fn poll<T>(future: impl Future<Output = T>, waker: &Waker) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// What is there already.
#[track_caller]
fn ready<T>(future: impl Future<Output = T>) -> T {
    match poll(future, Waker::noop()) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it should be there"),
    }
}

#[track_caller]
fn pending<T>(future: impl Future<Output = T>, waker: &Waker) {
    assert!(poll(future, waker).is_pending(), "there should be nothing yet");
}

/// Takes everything, and checks that it is there: the numbers from 0, without a gap.
async fn take_all(stream: &mut RequiredStream<64>) -> u64 {
    let mut next = 0;
    while let Some(record) = stream.next().await {
        assert_eq!((number(&record), record.record().sequence()), (next, at(next + 1)));
        assert_eq!((record.record().kind(), record.record().order()), (NUMBER, next as u32 + 2));
        next += 1;
    }
    next
}

#[test]
fn a_stream_gets_again_what_was_deferred() {
    let (mut writer, bus) = bus(16);
    let mut subscription =
        bus.subscribe("numbers").filter(Filter::kinds([NUMBER])).required().join().unwrap();
    say(&mut writer, 0..4);
    let mut records = subscription.read().unwrap();
    (0..3).for_each(|expected| assert_eq!(records.next().unwrap().payload(), u64::to_le_bytes(expected)));
    records.defer();
    assert_eq!(subscription.deferred(), 3);
    let mut stream = subscription.into_stream();
    let (_, waker) = Counting::new();
    let mut context = Context::from_waker(&waker);
    for expected in 0..6 {
        if expected == 4 {
            assert!(pin!(stream.next()).poll(&mut context).is_pending());
            say(&mut writer, 4..6);
        }
        let Poll::Ready(Some(record)) = pin!(stream.next()).poll(&mut context) else {
            panic!("{expected} is there");
        };
        assert_eq!(number(&record), expected);
    }
    drop(writer);
}

#[test]
fn a_required_stream_gets_everything_in_order() {
    const COUNT: u64 = 20_000;
    for runtime in runtimes() {
        let (mut writer, bus) = bus(64);
        let mut stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
        let core = thread::spawn(move || say(&mut writer, 0..COUNT));
        let task = async move {
            let count = take_all(&mut stream).await;
            (count, stream.end().cloned(), stream.tally(), stream.position(), stream.next().await.is_none())
        };
        let (count, end, tally, position, stays_ended) = runtime.block_on(runtime.spawn(task)).unwrap();
        assert_eq!((count, end, stays_ended), (COUNT, Some(End::Closed), true));
        assert_eq!((tally.passed, tally.total(), position), (COUNT, COUNT, at(COUNT + 1)));
        core.join().unwrap();
    }
}

#[test]
fn a_record_is_acknowledged_when_the_next_is_polled() {
    let (mut writer, bus) = bus(64);
    let mut stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
    let state = |stream: &RequiredStream<64>| (stream.position().get(), stream.tally().passed, stream.lag());
    say(&mut writer, 0..3);
    let first = ready(stream.next()).unwrap();
    assert_eq!((number(&first), state(&stream)), (0, (1, 0, 3)));
    let second = ready(stream.next()).unwrap();
    assert_eq!((number(&second), state(&stream)), (1, (2, 1, 2)));
    stream.acknowledge();
    assert_eq!(state(&stream), (3, 2, 1));
    stream.acknowledge();
    assert_eq!(state(&stream), (3, 2, 1), "once is enough");
    ready(stream.next()).unwrap();
    // A poll that finds nothing is a poll for the next one.
    pending(stream.next(), Waker::noop());
    assert_eq!(state(&stream), (4, 3, 0));
    say(&mut writer, 3..4);
    assert_eq!(number(&ready(stream.next()).unwrap()), 3);
    assert_eq!(stream.leave(), at(4), "what was taken last is not acknowledged");
    say(&mut writer, 4..200);
}

/// The writer is held up until the stream is polled again.
#[test]
fn a_record_in_hand_holds_its_slot() {
    let (mut writer, bus) = bus(4);
    let mut stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
    say(&mut writer, 0..4);
    let full = Err(WriteError::Publish(PublishError::Full { needed: 1 }));
    let try_to_emit = |writer: &mut Writer<64>| {
        writer.try_emit_bytes(Origin::default(), NUMBER, Topic::default(), &4_u64.to_le_bytes())
    };
    assert_eq!(try_to_emit(&mut writer), full);
    let first = ready(stream.next()).unwrap();
    assert_eq!(try_to_emit(&mut writer), full);
    ready(stream.next()).unwrap();
    assert_eq!(try_to_emit(&mut writer), Ok(at(5)));
    assert_eq!(number(&first), 0, "the copy is the task's own");
    stream.leave();
}

#[test]
fn dropped_with_a_record_in_hand_it_fails_where_that_was() {
    let (mut writer, bus) = bus(64);
    let mut stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
    let mut detaching = bus.subscribe("detaching").required().detach_on_drop().join().unwrap().into_stream();
    say(&mut writer, 0..3);
    ready(detaching.next()).unwrap();
    drop(detaching);
    say(&mut writer, 3..4);
    ready(stream.next()).unwrap();
    ready(stream.next()).unwrap();
    drop(stream);
    let Err(WriteError::Publish(error)) = try_to_say(&mut writer, 4) else { panic!("the stream has failed") };
    let failure = poisoned(&error);
    assert_eq!(
        (&*failure.consumer, failure.cause, failure.position),
        ("numbers", FailureCause::Abandoned, at(2))
    );
}

#[test]
fn a_stream_can_fail_the_bus_and_say_why() {
    let (mut writer, bus) = bus(64);
    let stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
    stream.fail("the socket is gone");
    let error = try_to_say(&mut writer, 0).unwrap_err();
    assert!(error.to_string().contains("`numbers` failed at sequence 1: the socket is gone"), "{error}");
}

#[test]
fn payloads_keep_their_length_and_their_alignment() {
    let (mut writer, bus) = bus(64);
    let mut required = bus.subscribe("required").required().join().unwrap().into_stream();
    let mut optional = bus.subscribe("optional").optional().join().unwrap().into_stream();
    // Of no byte, of one slot, of two and a bit.
    for len in [0, 1, 64, 65, 130, 1_000] {
        let payload: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
        writer.emit_bytes(Origin::default(), NUMBER, Topic::default(), &payload).unwrap();
        for record in [ready(required.next()).unwrap(), ready(optional.next()).unwrap().unwrap()] {
            let copy = record.clone();
            drop(record);
            assert_eq!(copy.record().payload(), payload);
            assert!(copy.record().payload().as_ptr().addr().is_multiple_of(64) || payload.is_empty());
        }
    }
    required.acknowledge();
    assert_eq!((required.tally(), required.lag()), (optional.tally(), optional.lag()));
    required.leave();
}

/// A poll ends also where next to nothing passes, and asks to be polled again.
#[test]
fn other_tasks_get_their_turn_while_nothing_passes() {
    let (mut writer, bus) = bus(8_192);
    let filter = || Filter::kinds([Kind::new(2)]);
    let mut required = bus.subscribe("required").filter(filter()).required().join().unwrap().into_stream();
    let mut optional = bus.subscribe("optional").filter(filter()).optional().join().unwrap().into_stream();
    say(&mut writer, 0..3_000);
    let (counting, waker) = Counting::new();
    for (polls, walked) in [(1, 1_024), (2, 2_048)] {
        pending(required.next(), &waker);
        pending(optional.next(), &waker);
        assert_eq!(counting.count(), 2 * polls);
        assert_eq!((required.tally().filtered_out, optional.tally().filtered_out), (walked, walked));
        assert_eq!(required.position(), at(walked + 1), "what did not pass is acknowledged");
    }
    pending(required.next(), &waker);
    pending(optional.next(), &waker);
    assert_eq!(counting.count(), 4, "now they wait");
    assert_eq!((required.tally().filtered_out, optional.tally().filtered_out), (3_000, 3_000));
    required.leave();
}

#[test]
fn an_optional_stream_tells_its_losses_in_their_place() {
    let (mut writer, bus) = bus(16);
    let mut stream = bus.subscribe("monitor").optional().join().unwrap().into_stream();
    say(&mut writer, 0..2);
    assert_eq!(number(&ready(stream.next()).unwrap().unwrap()), 0);
    say(&mut writer, 2..40);
    // What it had copied already is not lost.
    assert_eq!(number(&ready(stream.next()).unwrap().unwrap()), 1);
    // The last 12 (capacity less max batch) are readable; it goes on with a headroom of 2.
    let lost: Lagged = ready(stream.next()).unwrap().unwrap_err();
    assert_eq!((lost.missed, lost.resumed_at), (28, at(31)));
    for expected in 30..40 {
        assert_eq!(number(&ready(stream.next()).unwrap().unwrap()), expected);
    }
    let tally = stream.tally();
    assert_eq!((tally.passed, tally.missed, stream.lag()), (12, 28, 0));
    pending(stream.next(), Waker::noop());
    drop(writer);
    assert!(ready(stream.next()).is_none());
    assert_eq!(stream.end(), Some(&End::Closed));
}

/// On both runtimes, behind a writer that does not wait for them: what they got and what they lost is all there was.
#[test]
fn optional_streams_account_for_everything() {
    const COUNT: u64 = 50_000;
    for runtime in runtimes() {
        let (mut writer, bus) = bus(64);
        let streams: Vec<_> =
            (0..4).map(|_| bus.subscribe("monitor").optional().join().unwrap().into_stream()).collect();
        let tasks: Vec<_> = streams
            .into_iter()
            .map(|mut stream| {
                runtime.spawn(async move {
                    let (mut got, mut lost, mut next) = (0, 0, 0);
                    while let Some(item) = stream.next().await {
                        match item {
                            Ok(record) => {
                                assert_eq!(number(&record), next);
                                got += 1;
                                next += 1;
                            }
                            Err(lagged) => {
                                lost += lagged.missed;
                                next += lagged.missed;
                                assert_eq!(lagged.resumed_at, at(next + 1));
                            }
                        }
                    }
                    assert_eq!((stream.tally().passed, stream.tally().missed), (got, lost));
                    got + lost
                })
            })
            .collect();
        let core = thread::spawn(move || say(&mut writer, 0..COUNT));
        for task in tasks {
            assert_eq!(runtime.block_on(task).unwrap(), COUNT);
        }
        core.join().unwrap();
    }
}

#[test]
fn many_streams_of_both_kinds_get_everything() {
    const COUNT: u64 = 2_000;
    for runtime in runtimes() {
        let (mut writer, bus) = bus(4_096);
        let required: Vec<_> = (0..20)
            .map(|_| {
                let mut stream = bus.subscribe("required").required().join().unwrap().into_stream();
                runtime.spawn(async move { take_all(&mut stream).await })
            })
            .collect();
        let optional: Vec<_> = (0..20)
            .map(|_| {
                let mut stream = bus.subscribe("optional").optional().join().unwrap().into_stream();
                runtime.spawn(async move {
                    let mut sum = 0;
                    while let Some(item) = stream.next().await {
                        sum += number(&item.expect("the ring has room for all"));
                    }
                    sum
                })
            })
            .collect();
        // In bursts, so that they wait in between.
        let core = thread::spawn(move || {
            for burst in 0..20 {
                say(&mut writer, burst * COUNT / 20..(burst + 1) * COUNT / 20);
                thread::yield_now();
            }
        });
        for task in required {
            assert_eq!(runtime.block_on(task).unwrap(), COUNT);
        }
        for task in optional {
            assert_eq!(runtime.block_on(task).unwrap(), (0..COUNT).sum());
        }
        core.join().unwrap();
    }
}

/// One record at a time, each sent when the one before has come back: every one of them has to wake somebody.
#[test]
fn no_wake_up_is_lost() {
    for runtime in runtimes() {
        let (mut writer, bus) = bus(64);
        let mut required = bus.subscribe("required").required().join().unwrap().into_stream();
        let mut after =
            bus.subscribe("after").required().after(&[&required.progress()]).join().unwrap().into_stream();
        let mut optional = bus.subscribe("optional").optional().join().unwrap().into_stream();
        let (echoes, echoed) = std::sync::mpsc::channel();
        let (echoes_after, echoes_optional) = (echoes.clone(), echoes.clone());
        runtime.spawn(async move {
            while let Some(record) = required.next().await {
                required.acknowledge();
                echoes.send(number(&record)).unwrap();
            }
        });
        runtime.spawn(async move {
            while let Some(record) = after.next().await {
                echoes_after.send(number(&record)).unwrap();
            }
        });
        runtime.spawn(async move {
            while let Some(record) = optional.next().await {
                echoes_optional.send(number(&record.expect("it is waited for"))).unwrap();
            }
        });
        let core = move || {
            for number in 0..500 {
                say(&mut writer, number..number + 1);
                for _ in 0..3 {
                    assert_eq!(echoed.recv_timeout(Duration::from_secs(30)), Ok(number));
                }
            }
        };
        runtime.block_on(runtime.spawn_blocking(core)).unwrap();
    }
}

#[test]
fn giving_up_a_pending_poll_loses_nothing() {
    for runtime in runtimes() {
        let (mut writer, bus) = bus(64);
        let mut stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
        let core = thread::spawn(move || {
            for number in 0..3_000 {
                say(&mut writer, number..number + 1);
                thread::yield_now();
            }
        });
        let all = async {
            let (mut next, mut given_up) = (0, 0_u64);
            loop {
                let mut calls = 0;
                let impatient = std::future::poll_fn(|context| {
                    calls += 1;
                    if calls == 1 { poll_once(&mut stream, context) } else { Poll::Ready(Err(())) }
                });
                match impatient.await {
                    Ok(Some(record)) => {
                        assert_eq!(number(&record), next);
                        next += 1;
                    }
                    Ok(None) => return (next, given_up),
                    Err(()) => given_up += 1,
                }
            }
        };
        let (count, _given_up) = runtime.block_on(all);
        assert_eq!(count, 3_000);
        core.join().unwrap();
    }
}

/// Makes a future, polls it once, and drops it.
fn poll_once(
    stream: &mut RequiredStream<64>,
    context: &mut Context<'_>,
) -> Poll<Result<Option<OwnedRecord>, ()>> {
    pin!(stream.next()).poll(context).map(Ok)
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_counts() {
    let (mut writer, bus) = bus(64);
    let mut stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
    let (former, former_waker) = Counting::new();
    let (latter, latter_waker) = Counting::new();
    pending(stream.next(), &former_waker);
    pending(stream.next(), &latter_waker);
    say(&mut writer, 0..1);
    latter.is_woken();
    assert_eq!((former.count(), latter.count()), (0, 1));
    assert_eq!(number(&ready(stream.next()).unwrap()), 0);
    stream.leave();
}

#[test]
fn all_who_wait_are_woken_once() {
    let (mut writer, bus) = bus(64);
    let mut required: Vec<_> =
        (0..5).map(|_| bus.subscribe("required").required().join().unwrap().into_stream()).collect();
    let mut optional: Vec<_> =
        (0..5).map(|_| bus.subscribe("optional").optional().join().unwrap().into_stream()).collect();
    let wakers: Vec<_> = (0..10).map(|_| Counting::new()).collect();
    for (stream, (_, waker)) in required.iter_mut().zip(&wakers) {
        pending(stream.next(), waker);
    }
    for (stream, (_, waker)) in optional.iter_mut().zip(&wakers[5..]) {
        pending(stream.next(), waker);
    }
    say(&mut writer, 0..1);
    wakers.iter().for_each(|(counting, _)| counting.is_woken());
    say(&mut writer, 1..2);
    for stream in &mut required {
        assert_eq!(number(&ready(stream.next()).unwrap()), 0);
    }
    for stream in &mut optional {
        assert_eq!(number(&ready(stream.next()).unwrap().unwrap()), 0);
    }
    assert!(wakers.iter().all(|(counting, _)| counting.count() == 1));
    for stream in required {
        stream.leave();
    }
}

/// A stream that comes after another waits for that one's acknowledgement, not for the cursor.
#[test]
fn one_that_comes_after_others_is_woken_by_their_acknowledgement() {
    let (mut writer, bus) = bus(64);
    let mut upstream = bus.subscribe("upstream").required().join().unwrap().into_stream();
    let mut after =
        bus.subscribe("after").required().after(&[&upstream.progress()]).join().unwrap().into_stream();
    for number_of_round in 0..20 {
        let (after_woken, after_waker) = Counting::new();
        pending(upstream.next(), Waker::noop());
        // In turns, at the cursor and behind it.
        if number_of_round % 2 == 0 {
            pending(after.next(), &after_waker);
            say(&mut writer, number_of_round..number_of_round + 1);
        } else {
            say(&mut writer, number_of_round..number_of_round + 1);
            pending(after.next(), &after_waker);
        }
        assert_eq!(number(&ready(upstream.next()).unwrap()), number_of_round);
        pending(after.next(), &after_waker);
        assert_eq!(after_woken.count(), 0, "there is nothing for it yet");
        upstream.acknowledge();
        after_woken.is_woken();
        assert_eq!(number(&ready(after.next()).unwrap()), number_of_round);
    }
    after.leave();
    upstream.leave();
}

/// While one stream waits for the next record, another begins to wait for an acknowledgement.
#[test]
fn streams_that_wait_for_different_things_are_all_woken() {
    let (mut writer, bus) = bus(64);
    let mut upstream = bus.subscribe("upstream").required().join().unwrap();
    let mut after = bus.subscribe("after").required().after(&[&upstream]).join().unwrap().into_stream();
    let mut other = bus.subscribe("other").required().join().unwrap().into_stream();
    for round in 0..50 {
        say(&mut writer, round..round + 1);
        assert_eq!(number(&ready(other.next()).unwrap()), round);
        pending(other.next(), Waker::noop());
        // So that in most rounds the notifier sleeps by now.
        (0..1_000).for_each(|_| thread::yield_now());
        let (woken, waker) = Counting::new();
        pending(after.next(), &waker);
        assert_eq!(upstream.poll(|_| {}), Ok(1));
        woken.is_woken();
        assert_eq!(number(&ready(after.next()).unwrap()), round);
    }
    for stream in [after, other] {
        stream.leave();
    }
    upstream.leave();
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_asleep() {
    /// A runtime that is broken.
    struct Broken;

    impl Wake for Broken {
        fn wake(self: Arc<Self>) {
            panic_quietly();
        }
    }

    let (mut writer, bus) = bus(64);
    let subscribe = |name| bus.subscribe(name).required().join().unwrap().into_stream();
    let (mut first, mut broken, mut last) = (subscribe("first"), subscribe("broken"), subscribe("last"));
    for round in 0..3 {
        let (first_woken, first_waker) = Counting::new();
        let (last_woken, last_waker) = Counting::new();
        pending(first.next(), &first_waker);
        pending(broken.next(), &Waker::from(Arc::new(Broken)));
        pending(last.next(), &last_waker);
        say(&mut writer, round..round + 1);
        first_woken.is_woken();
        last_woken.is_woken();
        for stream in [&mut first, &mut broken, &mut last] {
            assert_eq!(number(&ready(stream.next()).unwrap()), round);
        }
    }
    for stream in [first, broken, last] {
        stream.leave();
    }
}

#[test]
fn a_stream_that_waits_learns_how_the_bus_ends() {
    let ends: [fn(Writer<64>, &Bus<64>); 3] = [
        |writer, _| drop(writer),
        |_writer, bus| bus.stop(),
        |mut writer, bus| {
            bus.subscribe("bad").required().join().unwrap().fail("on purpose");
            try_to_say(&mut writer, 0).unwrap_err();
        },
    ];
    for end in ends {
        let (writer, bus) = bus(64);
        let mut required = bus.subscribe("required").required().join().unwrap().into_stream();
        let mut optional = bus.subscribe("optional").optional().join().unwrap().into_stream();
        let (required_woken, required_waker) = Counting::new();
        let (optional_woken, optional_waker) = Counting::new();
        pending(required.next(), &required_waker);
        pending(optional.next(), &optional_waker);
        end(writer, &bus);
        required_woken.is_woken();
        optional_woken.is_woken();
        assert!(ready(required.next()).is_none() && ready(optional.next()).is_none());
        assert_eq!(required.end(), optional.end());
        assert_eq!(required.end(), bus.end().as_ref());
        assert!(matches!(required.end(), Some(End::Closed | End::Stopped | End::Poisoned(_))));
    }
}

/// Its upstream is a subscription like any other, and can leave.
#[test]
fn a_stream_that_waits_learns_that_its_upstream_has_left() {
    let (mut writer, bus) = bus(64);
    let upstream = bus.subscribe("upstream").required().join().unwrap();
    let mut stream = bus.subscribe("after").required().after(&[&upstream]).join().unwrap().into_stream();
    let (woken, waker) = Counting::new();
    say(&mut writer, 0..1);
    pending(stream.next(), &waker);
    upstream.leave();
    woken.is_woken();
    assert!(ready(stream.next()).is_none());
    assert_eq!(stream.end(), Some(&End::UpstreamLeft { upstream: "upstream".into(), position: at(1) }));
    stream.leave();
}

/// Streams outlive the handle that they were subscribed by.
#[test]
fn a_stream_needs_no_bus() {
    let (mut writer, bus) = bus(64);
    let mut stream = bus.subscribe("numbers").required().join().unwrap().into_stream();
    drop(bus);
    let (woken, waker) = Counting::new();
    pending(stream.next(), &waker);
    say(&mut writer, 0..1);
    woken.is_woken();
    assert_eq!(number(&ready(stream.next()).unwrap()), 0);
    stream.leave();
}
