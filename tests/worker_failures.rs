//! Workers whose handlers fail: an error or a panic in each of its calls ends the worker, says who it was, where and why, and
//! nothing is lost silently. And workers that cannot be spawned.

mod common;

use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use common::{at, eventually, in_time, much_later, panic_quietly, poisoned, publish_up_to, ring, take_all};
use ringbus::stats::ConsumerState;
use ringbus::wait::{Turn, WaitStrategy};
use ringbus::worker::{
    Done, Events, Handler, NoSuchCore, Shutdown, SpawnError, Worker, WorkerError, on_each,
};
use ringbus::{
    AcknowledgeError, End, Failure, FailureCause, PauseError, Producer, ReadError, ReadFrom, Ring, Sequence,
};

/// What `worker` leaves behind. Fails if it does not end.
#[track_caller]
fn joined<H>(worker: Worker<H>) -> Result<Done<H>, WorkerError> {
    let deadline = Instant::now() + Duration::from_secs(30);
    worker.join_deadline(deadline).unwrap_or_else(|worker| panic!("worker `{}` does not end", worker.name()))
}

#[track_caller]
fn fails_with<H>(worker: Worker<H>) -> WorkerError {
    match joined(worker) {
        Ok(done) => panic!("it should fail: {done}"),
        Err(error) => error,
    }
}

/// The error says what the ring says.
#[track_caller]
fn assert_same(error: &WorkerError, failure: &Failure) {
    assert_eq!(
        (&error.consumer, error.sequence, error.cause, Some(&error.message)),
        (&failure.consumer, failure.position, failure.cause, failure.message.as_ref())
    );
}

/// Fails in one of its calls.
struct Fails {
    call: &'static str,
    how: How,
}

impl Fails {
    fn in_call(&self, call: &str) -> Result<(), String> {
        if call == self.call { (self.how)() } else { Ok(()) }
    }
}

impl Handler<u64> for Fails {
    type Error = String;

    fn start(&mut self, _: Sequence) -> Result<(), String> {
        self.in_call("start")
    }

    fn batch(&mut self, _: &mut Events<'_, u64>) -> Result<(), String> {
        self.in_call("batch")
    }

    fn lagged(&mut self, _: u64, _: Sequence) -> Result<(), String> {
        self.in_call("lagged")
    }

    fn resumed(&mut self, _: u64) -> Result<(), String> {
        self.in_call("resumed")
    }

    fn idle(&mut self) -> Result<(), String> {
        self.in_call("idle")
    }

    fn shutdown(&mut self, _: &Shutdown) -> Result<(), String> {
        self.in_call("shutdown")
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Required,
    Detached,
    Optional,
}

/// A way to fail.
type How = fn() -> Result<(), String>;

const WAYS: [(How, FailureCause, &str); 2] = [
    (|| Err("out of ink".into()), FailureCause::Failed, "worker `printer` failed at sequence"),
    (
        || resume_unwind(Box::new("out of ink")),
        FailureCause::Panicked,
        "worker `printer` panicked at sequence",
    ),
];

/// Spawns a worker of the name `printer` that joined at 10, with 3 events to read.
fn spawn<H: Handler<u64>>(kind: Kind, handler: H) -> (Producer<u64>, Ring<u64>, Worker<H>) {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).first_sequence(at(10)).build().unwrap();
    let required = ring.required("printer");
    let publish = |producer: &mut Producer<u64>| publish_up_to(producer, 13);
    let worker = match kind {
        Kind::Required | Kind::Detached => {
            let required = if kind == Kind::Required { required } else { required.detach_on_drop() };
            let printer = required.join().unwrap();
            publish(&mut producer);
            printer.into_worker().spawn(handler)
        }
        Kind::Optional => {
            let printer = ring.optional("printer").join().unwrap();
            publish(&mut producer);
            printer.into_worker().spawn(handler)
        }
    };
    (producer, ring, worker.unwrap())
}

#[test]
fn a_failure_in_any_call_ends_the_worker_and_is_told() {
    for kind in [Kind::Required, Kind::Detached, Kind::Optional] {
        for (call, sequence) in
            [("start", 10), ("batch", 10), ("idle", 13), ("resumed", 15), ("shutdown", 13)]
        {
            for (how, cause, text) in WAYS {
                let (mut producer, ring, worker) = spawn(kind, Fails { call, how });
                let seen = |state| {
                    eventually("it gets there", || {
                        ring.stats().consumer("printer").is_some_and(|seen| seen.state == state)
                    });
                };
                if call == "resumed" {
                    eventually("it reads", || ring.stats().consumers[0].position == at(13));
                    worker.pause().unwrap();
                    seen(ConsumerState::Paused);
                    publish_up_to(&mut producer, 15);
                    worker.resume().unwrap();
                } else if call == "shutdown" {
                    eventually("it reads", || ring.stats().consumers[0].position == at(13));
                    worker.stop();
                }
                let error = fails_with(worker);
                let case = format!("{kind:?} {call} {cause:?}");
                assert_eq!((&*error.consumer, &*error.message), ("printer", "out of ink"), "{case}");
                // An optional consumer was given its copies before.
                assert_eq!((error.sequence, error.cause), (at(sequence), cause), "{case}");
                assert_eq!(error.to_string(), format!("{text} {sequence}: out of ink"));
                let next = producer.next_sequence();
                if kind == Kind::Required {
                    seen(ConsumerState::Failed);
                    assert_eq!(ring.stats().consumers[0].position, at(sequence));
                    assert_same(&error, &poisoned(&producer.publish(&0).unwrap_err()));
                } else {
                    assert!(ring.stats().consumers.is_empty(), "{case}: it has left");
                    assert_eq!(producer.publish(&0), Ok(next), "{case}");
                    assert_eq!(producer.close(), Ok(next + 1));
                }
            }
        }
    }
}

#[test]
fn a_failure_in_lagged_is_at_the_event_that_comes_next() {
    for (how, cause, _) in WAYS {
        let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_batch(2).build().unwrap();
        let from = ReadFrom::Oldest { headroom: 0 };
        let monitor = ring.optional("monitor").resume(from).join().unwrap();
        publish_up_to(&mut producer, 21);
        let error = fails_with(monitor.into_worker().spawn(Fails { call: "lagged", how }).unwrap());
        assert_eq!((error.sequence, error.cause), (at(15), cause));
    }
}

/// Large, so that it is overwritten while it is copied.
type Large = [u64; 128];

/// Lets the producer come round nearly, after each batch. Fails when it has lost events for the second time, and says where it
/// would have gone on.
struct SaysWhere {
    ring: Ring<Large>,
    has_lost: bool,
}

impl Handler<Large> for SaysWhere {
    type Error = Sequence;

    fn batch(&mut self, events: &mut Events<'_, Large>) -> Result<(), Sequence> {
        let nearly_a_lap = events.first_sequence() + events.len() as u64 + 490;
        eventually("the producer runs", || self.ring.cursor() >= nearly_a_lap);
        Ok(())
    }

    fn lagged(&mut self, _: u64, resumed_at: Sequence) -> Result<(), Sequence> {
        if std::mem::replace(&mut self.has_lost, true) { Err(resumed_at) } else { Ok(()) }
    }
}

#[test]
fn a_failure_in_lagged_is_at_the_event_that_comes_next_also_when_that_was_copied_already() {
    in_time("lagged while copying", || {
        let (mut producer, ring) = Ring::<Large>::builder().capacity(512).max_batch(1).build().unwrap();
        let enough = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !enough.load(Relaxed) {
                    producer.publish(&[7; 128]).unwrap();
                }
            });
            let mismatch = (0..20).find_map(|_| {
                let resume = ReadFrom::Oldest { headroom: 50 };
                let monitor = ring.optional("monitor").resume(resume).join().unwrap();
                let handler = SaysWhere { ring: ring.clone(), has_lost: false };
                let error = fails_with(monitor.into_worker().spawn(handler).unwrap());
                (error.sequence.to_string() != *error.message).then_some(error)
            });
            enough.store(true, Relaxed);
            assert_eq!(mismatch, None, "the message is the first sequence that it has not handled");
        });
    });
}

#[test]
fn a_failure_in_the_middle_of_a_batch_is_at_its_event_and_those_before_are_acknowledged() {
    for (how, cause, _) in WAYS {
        for end in [5, 16] {
            for fails_at in 0..end {
                let fails = move |_: &u64, sequence: Sequence, _| {
                    if sequence == at(fails_at) { how() } else { Ok(()) }
                };
                let (mut producer, ring) = ring(16);
                let journal = ring.required("journal").join().unwrap();
                let mut second = ring.required("second").after(&[&journal]).join().unwrap();
                let monitor = ring.optional("monitor").join().unwrap();
                publish_up_to(&mut producer, end);
                let error = fails_with(journal.into_worker().spawn(on_each(fails)).unwrap());
                assert_eq!((error.sequence, error.cause), (at(fails_at), cause));
                if fails_at > 0 {
                    assert_eq!(take_all(&mut second), (0..fails_at).collect::<Vec<_>>());
                }
                let told = second.try_read().unwrap_err();
                let ReadError::Ended(End::UpstreamFailed(failure)) = told else { panic!("{told}") };
                assert_same(&error, &failure);
                if end == 5 {
                    let error = fails_with(monitor.into_worker().spawn(on_each(fails)).unwrap());
                    assert_eq!((&*error.consumer, error.sequence), ("monitor", at(fails_at)));
                }
                assert_eq!(poisoned(&producer.publish(&0).unwrap_err()), failure);
            }
        }
    }
}

/// Goes through its batch in three ways.
struct Goes;

impl Handler<u64> for Goes {
    type Error = &'static str;

    fn batch(&mut self, events: &mut Events<'_, u64>) -> Result<(), &'static str> {
        let mut seen = Vec::new();
        let mut until = |events: &mut Events<'_, u64>, end: u64| {
            events.try_for_each(|event, sequence, end_of_batch| {
                assert_eq!((sequence, end_of_batch), (at(*event), *event == 15));
                if *event == end {
                    return Err("enough");
                }
                seen.push(*event);
                Ok(())
            })
        };
        assert_eq!((events.len(), events.first_sequence(), events.is_empty()), (16, at(0), false));
        assert_eq!(until(events, 6), Err("enough"));
        assert_eq!((events.len(), events.first_sequence(), events.is_empty()), (10, at(6), false));
        assert_eq!(until(events, 7), Err("enough"));
        assert_eq!((events.len(), events.first_sequence()), (9, at(7)));
        let (before_wrap, after_wrap) = events.slices();
        assert!(before_wrap.iter().chain(after_wrap).copied().eq(7..16));
        assert_eq!(until(events, 99), Ok(()));
        assert_eq!((events.len(), events.first_sequence(), events.is_empty()), (0, at(16), true));
        assert_eq!(until(events, 0), Ok(()), "there is nothing left");
        assert!(seen.into_iter().eq(0..16));
        Err("at the end")
    }
}

#[test]
fn a_handler_may_go_on_where_try_for_each_stopped() {
    for required in [true, false] {
        let (mut producer, ring) = Ring::<u64>::builder().capacity(32).build().unwrap();
        let journal = ring.required("journal").detach_on_drop().join().unwrap();
        let monitor = ring.optional("monitor").join().unwrap();
        publish_up_to(&mut producer, 16);
        let error = if required {
            fails_with(journal.into_worker().spawn(Goes).unwrap())
        } else {
            fails_with(monitor.into_worker().spawn(Goes).unwrap())
        };
        // All that `try_for_each` has been through is handled, although the batch has failed.
        assert_eq!((error.sequence, &*error.message), (at(16), "at the end"));
    }
}

#[test]
fn what_a_batch_leaves_over_counts_as_handled_if_it_returns() {
    struct TakesTwo;
    impl Handler<u64> for TakesTwo {
        type Error = String;

        fn batch(&mut self, events: &mut Events<'_, u64>) -> Result<(), String> {
            let _ = events.try_for_each(|_, sequence, _| if sequence < at(2) { Ok(()) } else { Err(()) });
            Ok(())
        }
    }
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 5);
    producer.close().unwrap();
    let done = joined(journal.into_worker().spawn(TakesTwo).unwrap()).unwrap();
    assert_eq!(
        (done.stats.position, done.stats.delivered, done.reason),
        (at(5), 5, Shutdown::Ended(End::Closed))
    );
}

#[test]
fn a_long_batch_is_acknowledged_in_parts() {
    let (mut producer, ring) = ring(16);
    let journal = ring.required("journal").join().unwrap();
    let progress = journal.progress();
    publish_up_to(&mut producer, 16);
    let checks = on_each(move |event: &u64, _, end_of_batch| {
        let expected = at(event / 4 * 4);
        if (progress.position(), end_of_batch) == (expected, *event == 15) {
            Ok(())
        } else {
            Err(format!("{progress:?} at {event}"))
        }
    });
    let worker = journal.into_worker().spawn(checks).unwrap();
    producer.close().unwrap();
    assert_eq!(joined(worker).map(|done| done.stats.delivered), Ok(16));
}

/// Acknowledges 3 events by itself, and fails.
struct TakesThree(Option<ringbus::Progress>);

impl Handler<u64> for TakesThree {
    type Error = &'static str;

    fn batch(&mut self, events: &mut Events<'_, u64>) -> Result<(), &'static str> {
        let first = events.first_sequence();
        let here = |end| self.0.iter().all(|progress| progress.position() == first + end);
        assert_eq!(events.acknowledge_first(6), Err(AcknowledgeError { count: 6, len: 5 }));
        assert_eq!((events.acknowledge_first(0), events.len(), here(0)), (Ok(()), 5, true));
        assert_eq!((events.acknowledge_first(3), events.len(), here(3)), (Ok(()), 2, true));
        assert_eq!(events.first_sequence(), first + 3);
        let (before_wrap, after_wrap) = events.slices();
        assert!(before_wrap.iter().chain(after_wrap).copied().eq([3, 4]));
        assert_eq!(events.acknowledge_first(3), Err(AcknowledgeError { count: 3, len: 2 }));
        Err("enough")
    }
}

#[test]
fn a_handler_may_acknowledge_a_part_of_its_batch_by_itself() {
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").join().unwrap();
    let monitor = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 5);
    let progress = journal.progress();
    let error = fails_with(journal.into_worker().spawn(TakesThree(Some(progress))).unwrap());
    assert_eq!((error.sequence, &*error.message), (at(3), "enough"));
    let error = fails_with(monitor.into_worker().spawn(TakesThree(None)).unwrap());
    assert_eq!((error.sequence, &*error.message), (at(3), "enough"));
    assert_eq!(poisoned(&producer.publish(&0).unwrap_err()).position, at(3));
}

#[test]
fn the_message_of_a_panic_is_its_text() {
    let panics: [(How, &str); 4] = [
        (|| resume_unwind(Box::new("a literal")), "a literal"),
        (|| resume_unwind(Box::new("a text".to_owned())), "a text"),
        (|| resume_unwind(Box::new(7)), "(the panic carried no text)"),
        (|| panic_quietly(), "on purpose"),
    ];
    for (how, message) in panics {
        let (mut producer, _ring, worker) = spawn(Kind::Required, Fails { call: "batch", how });
        let error = fails_with(worker);
        assert_eq!((&*error.message, error.cause), (message, FailureCause::Panicked));
        assert_same(&error, &poisoned(&producer.publish(&0).unwrap_err()));
    }
}

/// Panics when it is to wait.
#[derive(Debug)]
struct PanicsWhenIdle;

impl WaitStrategy for PanicsWhenIdle {
    fn wait(&mut self, _: &Turn) {
        panic_quietly()
    }
}

#[test]
fn a_wait_strategy_that_panics_ends_the_worker() {
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").wait(PanicsWhenIdle).join().unwrap();
    let monitor = ring.optional("monitor").wait(PanicsWhenIdle).join().unwrap();
    publish_up_to(&mut producer, 2);
    let quiet = || on_each(|_: &u64, _, _| Ok::<(), String>(()));
    let workers =
        [journal.into_worker().spawn(quiet()).unwrap(), monitor.into_worker().spawn(quiet()).unwrap()];
    let errors = workers.map(fails_with);
    for (error, name) in errors.iter().zip(["journal", "monitor"]) {
        assert_eq!((&*error.consumer, &*error.message), (name, "on purpose"));
        assert_eq!((error.sequence, error.cause), (at(2), FailureCause::Panicked));
    }
    assert_same(&errors[0], &poisoned(&producer.publish(&0).unwrap_err()));
}

/// An error, or a handler, that panics when it is looked at, or dropped.
struct Dreadful;

impl fmt::Display for Dreadful {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic_quietly()
    }
}

impl Handler<u64> for Dreadful {
    type Error = Dreadful;

    fn batch(&mut self, _: &mut Events<'_, u64>) -> Result<(), Dreadful> {
        let mut error = Dreadful;
        std::mem::swap(self, &mut error);
        Err(error)
    }
}

/// Panics when it is dropped.
struct Clings;

impl Handler<u64> for Clings {
    type Error = &'static str;

    fn batch(&mut self, _: &mut Events<'_, u64>) -> Result<(), &'static str> {
        Err("out of ink")
    }
}

impl Drop for Clings {
    fn drop(&mut self) {
        panic_quietly()
    }
}

#[test]
fn errors_and_handlers_that_panic_later_are_told_too() {
    let (mut producer, _ring, worker) = spawn(Kind::Required, Dreadful);
    let error = fails_with(worker);
    assert_eq!((&*error.message, error.sequence), ("on purpose", at(10)));
    assert_same(&error, &poisoned(&producer.publish(&0).unwrap_err()));
    let (mut producer, _ring, worker) = spawn(Kind::Required, Clings);
    let error = fails_with(worker);
    assert_eq!((&*error.message, error.cause), ("out of ink", FailureCause::Failed));
    assert_same(&error, &poisoned(&producer.publish(&0).unwrap_err()));
}

#[test]
fn who_has_gone_and_keeps_its_place_cannot_be_paused_or_resumed() {
    let (_producer, ring) = ring(8);
    let quiet = || on_each(|_: &u64, _, _| Ok::<(), String>(()));
    let fails = ring.required("gone").join().unwrap().into_worker();
    let fails = fails.spawn(Fails { call: "start", how: || Err("no ink".into()) }).unwrap();
    eventually("it fails", || fails.is_finished());
    let stops = ring.required("gone").join().unwrap();
    let dependant = ring.required("dependant").after(&[&stops]).join().unwrap();
    let stops = stops.into_worker().spawn(quiet()).unwrap();
    stops.stop();
    eventually("it stops", || stops.is_finished());
    let gone = Err(PauseError::Gone { consumer: "gone".into() });
    assert_eq!((fails.pause(), fails.resume()), (gone.clone(), gone.clone()));
    assert_eq!((stops.pause(), stops.resume()), (gone.clone(), gone));
    dependant.leave();
}

#[test]
fn a_dependant_of_a_failed_worker_says_so_and_the_first_failure_stands() {
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").join().unwrap();
    let gateway = ring.required("gateway").after(&[&journal]).join().unwrap();
    publish_up_to(&mut producer, 3);
    let quiet = on_each(|_: &u64, _, _| Ok::<(), String>(()));
    let gateway = gateway.into_worker().spawn(quiet).unwrap();
    let full = on_each(|_: &u64, sequence, _| if sequence < at(2) { Ok(()) } else { Err("no disk") });
    let error = fails_with(journal.into_worker().spawn(full).unwrap());
    let done = joined(gateway).unwrap();
    let Shutdown::Ended(End::UpstreamFailed(failure)) = &done.reason else { panic!("{done}") };
    assert_eq!((done.stats.position, done.stats.delivered), (at(2), 2));
    assert_same(&error, failure);
    assert_eq!(poisoned(&producer.publish(&0).unwrap_err()), *failure);
    assert!(done.to_string().contains("required consumer `journal` failed at sequence 2: no disk"));
}

#[test]
fn a_dependant_of_a_worker_that_was_stopped_fails_because_the_rest_would_be_lost_to_it() {
    let (mut producer, ring) = ring(8);
    let quiet = || on_each(|_: &u64, _, _| Ok::<(), String>(()));
    let journal = ring.required("journal").join().unwrap();
    let gateway = ring.required("gateway").after(&[&journal]).join().unwrap();
    let detached = ring.required("detached").after(&[&journal]).detach_on_drop().join().unwrap();
    let journal = journal.into_worker().spawn(quiet()).unwrap();
    let gateway = gateway.into_worker().spawn(quiet()).unwrap();
    let detached = detached.into_worker().spawn(quiet()).unwrap();
    publish_up_to(&mut producer, 3);
    let last = gateway.progress().unwrap();
    assert_eq!(last.wait_for(at(2), much_later()), Ok(()));
    journal.stop();
    assert_eq!(joined(journal).unwrap().reason, Shutdown::Requested);
    let left = Shutdown::Ended(End::UpstreamLeft { upstream: "journal".into(), position: at(3) });
    let (detached, gateway) = (joined(detached).unwrap(), joined(gateway).unwrap());
    for (reason, stats) in [(detached.reason, detached.stats), (gateway.reason, gateway.stats)] {
        assert_eq!((reason, stats.position, stats.delivered), (left.clone(), at(3), 3));
    }
    let failure = poisoned(&producer.publish(&3).unwrap_err());
    assert_eq!(
        (&*failure.consumer, failure.cause, failure.position),
        ("gateway", FailureCause::Failed, at(3))
    );
    assert_eq!(failure.message.as_deref(), Some(&*left.to_string()));
    assert!(left.to_string().contains("`journal`"));
}

#[test]
fn there_must_be_such_a_core() {
    let available: Vec<usize> = core_affinity::get_core_ids().unwrap().iter().map(|core| core.id).collect();
    let quiet = || on_each(|_: &u64, _, _| Ok::<(), String>(()));
    for core in [1_023, 1_024, usize::MAX] {
        let (mut producer, ring) = ring(8);
        let required = ring.required("pinned").join().unwrap();
        let optional = ring.optional("pinned").join().unwrap();
        let errors = [
            required.into_worker().pin_to(core).spawn(quiet()).map(drop).unwrap_err(),
            optional.into_worker().pin_to(core).spawn(quiet()).map(drop).unwrap_err(),
        ];
        for error in errors {
            let text = error.to_string();
            let expected =
                format!("worker `pinned` cannot pin to core {core}: the thread may run on {available:?}");
            assert!(text.starts_with(&expected), "{text}");
            let SpawnError::NoSuchCore {
                consumer,
                source: NoSuchCore { core: asked, available: others, .. },
                ..
            } = error
            else {
                panic!("{error}")
            };
            assert_eq!((&*consumer, asked, &others), ("pinned", core, &available));
        }
        assert!(ring.stats().consumers.is_empty(), "they have left");
        publish_up_to(&mut producer, 30);
        assert_eq!(producer.close(), Ok(at(30)));
    }
}

/// Skips what panics, and goes on with the next.
struct Skips(Vec<u64>);

impl Handler<u64> for Skips {
    type Error = String;

    fn batch(&mut self, events: &mut Events<'_, u64>) -> Result<(), String> {
        while !events.is_empty() {
            let handle = |event: &u64, _, _| {
                self.0.push(*event);
                if *event == 2 {
                    std::panic::resume_unwind(Box::new("a bad event"))
                } else {
                    Ok::<(), String>(())
                }
            };
            let handling = std::panic::AssertUnwindSafe(|| events.try_for_each(handle));
            if std::panic::catch_unwind(handling).is_err() {
                events.acknowledge_first(1).unwrap();
            }
        }
        Ok(())
    }
}

#[test]
fn a_handler_that_catches_a_panic_is_shown_every_other_event() {
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").batch_limit(4).join().unwrap();
    producer.publish_batch(&[0, 1]).unwrap();
    (2..8).try_for_each(|event| producer.publish(&event).map(drop)).unwrap();
    let worker = journal.into_worker().spawn(Skips(Vec::new())).unwrap();
    drop(producer);
    let done = joined(worker).unwrap();
    assert_eq!((done.handler.0, done.stats.delivered), ((0..8).collect(), 8));
}
