//! Workers: consumers on threads of their own, with handlers. What a handler is told and in which order, how it is stopped and
//! paused, and where it may run.

mod common;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::{Announce, Dozing, at, eventually, in_time, publish_up_to, ring, soon};
use ringbus::stats::{ConsumerKind, ConsumerState, Waits};
use ringbus::wait::Park;
use ringbus::worker::{Done, Events, Handler, Shutdown, Worker, WorkerError, on_each, pin_this_thread};
use ringbus::{End, JoinError, PauseError, Producer, PublishError, ReadFrom, Ring, Sequence};

/// A call of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Start(u64),
    /// The first sequence, and how many events.
    Batch(u64, usize),
    Lagged(u64, u64),
    Resumed(u64),
    Idle,
    Shutdown(Shutdown),
}

use Call::{Batch, Idle, Lagged, Resumed, Start};

/// Tells the test each call, and returns when the test says so, where it wants to.
struct Told {
    calls: Sender<Call>,
    go: Option<Receiver<()>>,
}

/// The test's end of a [`Told`].
struct Calls {
    calls: Receiver<Call>,
    go: Option<Sender<()>>,
}

impl Told {
    fn new() -> (Self, Calls) {
        let (sender, calls) = channel();
        (Self { calls: sender, go: None }, Calls { calls, go: None })
    }

    /// One that waits in each call for [`Calls::go`].
    fn step_by_step() -> (Self, Calls) {
        let (sender, calls) = channel();
        let (go, may_go) = channel();
        (Self { calls: sender, go: Some(may_go) }, Calls { calls, go: Some(go) })
    }

    fn tell(&self, call: Call) -> Result<(), String> {
        self.calls.send(call).unwrap();
        self.go.iter().for_each(|go| go.recv().unwrap());
        Ok(())
    }
}

impl Calls {
    /// The next call, which goes on at once.
    #[track_caller]
    fn expect(&self, call: Call) {
        self.expect_and_hold(call);
        self.go();
    }

    /// The next call, which does not return before [`go`](Self::go).
    #[track_caller]
    fn expect_and_hold(&self, call: Call) {
        assert_eq!(self.calls.recv_timeout(Duration::from_secs(30)), Ok(call));
    }

    fn go(&self) {
        self.go.iter().for_each(|go| go.send(()).unwrap());
    }

    /// There were no more calls, and there will be none.
    #[track_caller]
    fn expect_the_end(&self) {
        assert!(self.calls.recv_timeout(Duration::from_secs(30)).is_err(), "the handler is gone");
    }
}

impl Handler<u64> for Told {
    type Error = String;

    fn start(&mut self, first: Sequence) -> Result<(), String> {
        self.tell(Start(first.get()))
    }

    fn batch(&mut self, events: &mut Events<'_, u64>) -> Result<(), String> {
        let first = events.first_sequence().get();
        let (before_wrap, after_wrap) = events.slices();
        assert!(before_wrap.iter().chain(after_wrap).copied().eq(first..first + events.len() as u64));
        assert!(!events.is_empty());
        self.tell(Batch(first, events.len()))
    }

    fn lagged(&mut self, missed: u64, resumed_at: Sequence) -> Result<(), String> {
        self.tell(Lagged(missed, resumed_at.get()))
    }

    fn resumed(&mut self, let_pass: u64) -> Result<(), String> {
        self.tell(Resumed(let_pass))
    }

    fn idle(&mut self) -> Result<(), String> {
        self.tell(Idle)
    }

    fn shutdown(&mut self, reason: &Shutdown) -> Result<(), String> {
        self.tell(Call::Shutdown(reason.clone()))
    }
}

/// What `worker` leaves behind. Fails if it does not end.
#[track_caller]
fn joined<H>(worker: Worker<H>) -> Result<Done<H>, WorkerError> {
    let deadline = Instant::now() + Duration::from_secs(30);
    worker.join_deadline(deadline).unwrap_or_else(|worker| panic!("worker `{}` does not end", worker.name()))
}

/// Reason, position, delivered, missed, let pass.
fn numbers<H>(done: &Done<H>) -> (Shutdown, u64, [u64; 3]) {
    let stats = &done.stats;
    (done.reason.clone(), stats.position.get(), [stats.delivered, stats.missed, stats.let_pass])
}

const CLOSED: Shutdown = Shutdown::Ended(End::Closed);

#[track_caller]
fn is_paused(ring: &Ring<u64>, name: &str) {
    eventually("it pauses", || ring.stats().consumer(name).unwrap().state == ConsumerState::Paused);
}

#[test]
fn the_handler_is_called_in_order() {
    let (mut producer, ring) = ring(8);
    publish_up_to(&mut producer, 5);
    let journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 12);
    let (told, calls) = Told::step_by_step();
    let worker = journal.into_worker().spawn(told).unwrap();
    assert_eq!(worker.name(), "journal");
    calls.expect(Start(5));
    calls.expect_and_hold(Batch(5, 7));
    publish_up_to(&mut producer, 13);
    assert_eq!(producer.try_publish(&0), Err(PublishError::Full { needed: 1 }), "not yet acknowledged");
    calls.go();
    calls.expect(Batch(12, 1));
    calls.expect_and_hold(Idle);
    // All are acknowledged before it is idle.
    publish_up_to(&mut producer, 21);
    calls.go();
    calls.expect(Batch(13, 8));
    calls.expect(Idle);
    worker.pause().unwrap();
    is_paused(&ring, "journal");
    publish_up_to(&mut producer, 121);
    worker.resume().unwrap();
    calls.expect(Resumed(100));
    calls.expect(Idle);
    publish_up_to(&mut producer, 123);
    calls.expect_and_hold(Batch(121, 2));
    producer.close().unwrap();
    calls.go();
    calls.expect(Call::Shutdown(CLOSED));
    let done = joined(worker).unwrap();
    assert_eq!(numbers(&done), (CLOSED, 123, [18, 0, 100]));
    assert_eq!(
        done.to_string(),
        "worker `journal` ended at sequence 123 (18 delivered, 0 missed, 100 let pass): the ring is closed: the producer has \
         finished"
    );
    assert_eq!((&*done.stats.name, done.stats.kind), ("journal", ConsumerKind::Required));
    assert_eq!((done.stats.joined_at, done.stats.lag, done.stats.waits), (at(5), 0, Waits::default()));
    drop(done);
    calls.expect_the_end();
}

#[test]
fn the_handler_of_an_optional_consumer_is_told_what_it_lost() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_batch(2).build().unwrap();
    let from = ReadFrom::Oldest { headroom: 0 };
    let monitor = ring.optional("monitor").resume(from).join().unwrap();
    publish_up_to(&mut producer, 21);
    let (told, calls) = Told::step_by_step();
    let worker = monitor.into_worker().spawn(told).unwrap();
    assert!(worker.progress().is_none());
    calls.expect(Start(0));
    calls.expect(Lagged(15, 15));
    calls.expect_and_hold(Batch(15, 6));
    publish_up_to(&mut producer, 100);
    calls.go();
    calls.expect(Lagged(73, 94));
    calls.expect(Batch(94, 6));
    calls.expect(Idle);
    worker.pause().unwrap();
    is_paused(&ring, "monitor");
    publish_up_to(&mut producer, 150);
    worker.resume().unwrap();
    calls.expect(Resumed(50));
    calls.expect(Idle);
    worker.stop();
    calls.expect(Call::Shutdown(Shutdown::Requested));
    let done = joined(worker).unwrap();
    assert_eq!(numbers(&done), (Shutdown::Requested, 150, [12, 88, 50]));
    assert!(ring.stats().consumers.is_empty());
}

#[test]
fn a_closed_ring_is_drained_and_shut_down() {
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").join().unwrap();
    let monitor = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 3);
    producer.close().unwrap();
    let (told, calls) = Told::new();
    let (told_too, calls_too) = Told::new();
    let workers =
        (journal.into_worker().spawn(told).unwrap(), monitor.into_worker().spawn(told_too).unwrap());
    for calls in [calls, calls_too] {
        calls.expect(Start(0));
        calls.expect(Batch(0, 3));
        calls.expect(Call::Shutdown(CLOSED));
    }
    assert_eq!(numbers(&joined(workers.0).unwrap()), (CLOSED, 3, [3, 0, 0]));
    assert_eq!(numbers(&joined(workers.1).unwrap()), (CLOSED, 3, [3, 0, 0]));
}

#[test]
fn a_worker_stops_after_the_batch_that_it_is_handling() {
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").batch_limit(3).join().unwrap();
    publish_up_to(&mut producer, 8);
    let (told, calls) = Told::step_by_step();
    let worker = journal.into_worker().spawn(told).unwrap();
    let progress = worker.progress().unwrap();
    calls.expect(Start(0));
    calls.expect_and_hold(Batch(0, 3));
    worker.stop();
    worker.stop();
    // A stop stands.
    assert_eq!(worker.pause(), Err(PauseError::Gone { consumer: "journal".into() }));
    assert!(!worker.is_finished());
    calls.go();
    calls.expect(Call::Shutdown(Shutdown::Requested));
    let done = joined(worker).unwrap();
    assert_eq!(numbers(&done), (Shutdown::Requested, 3, [3, 0, 0]));
    assert!(done.to_string().ends_with("(3 delivered, 0 missed, 0 let pass): the worker was told to stop"));
    // The ring goes on.
    publish_up_to(&mut producer, 30);
    assert_eq!((progress.position(), producer.close()), (at(3), Ok(at(30))));
}

/// Gives somebody time to fall asleep, or not, depending on the round.
fn lull(round: u64) {
    (0..[0, 100, 300, 1_000][round as usize % 4]).for_each(|_| thread::yield_now());
}

#[test]
fn a_sleeping_worker_is_stopped_paused_and_resumed() {
    in_time("requests to a sleeping worker", || {
        for round in 0..60 {
            let (mut producer, ring) = ring(8);
            let (told, calls) = Told::new();
            let worker = if round % 5 > 0 {
                let (dozing, asleep) = Dozing::new();
                let journal = ring.required("journal").wait(dozing).join().unwrap();
                let worker = journal.into_worker().spawn(told).unwrap();
                asleep.have_come_to(1);
                worker
            } else {
                ring.optional("journal").join().unwrap().into_worker().spawn(told).unwrap()
            };
            calls.expect(Start(0));
            calls.expect(Idle);
            lull(round / 4);
            if round % 3 == 0 {
                worker.stop();
                calls.expect(Call::Shutdown(Shutdown::Requested));
                assert_eq!(numbers(&joined(worker).unwrap()), (Shutdown::Requested, 0, [0, 0, 0]));
                continue;
            }
            worker.pause().unwrap();
            is_paused(&ring, "journal");
            publish_up_to(&mut producer, 20);
            lull(round);
            if round % 3 == 1 {
                worker.resume().unwrap();
                calls.expect(Resumed(20));
                calls.expect(Idle);
                worker.stop();
            } else {
                // A stop ends a pause.
                worker.stop();
                calls.expect(Resumed(20));
            }
            calls.expect(Call::Shutdown(Shutdown::Requested));
            assert_eq!(numbers(&joined(worker).unwrap()), (Shutdown::Requested, 20, [0, 0, 20]));
        }
    });
}

type Running = (Producer<u64>, Ring<u64>, Worker<Told>, Calls);

/// A paused worker of each kind, by the name `paused`.
fn paused_workers() -> Vec<Running> {
    [true, false]
        .into_iter()
        .map(|required| {
            let (mut producer, ring) = ring(8);
            let (told, calls) = Told::new();
            let worker = if required {
                ring.required("paused").join().unwrap().into_worker().spawn(told).unwrap()
            } else {
                ring.optional("paused").join().unwrap().into_worker().spawn(told).unwrap()
            };
            calls.expect(Start(0));
            calls.expect(Idle);
            worker.pause().unwrap();
            is_paused(&ring, "paused");
            publish_up_to(&mut producer, 20);
            (producer, ring, worker, calls)
        })
        .collect()
}

#[test]
fn a_paused_worker_ends_with_the_stream() {
    for round in 0..8 {
        for (producer, ring, worker, calls) in paused_workers() {
            lull(round);
            let stops = round < 4;
            if stops {
                ring.stop();
            } else {
                producer.close().unwrap();
            }
            calls.expect(Resumed(20));
            let mut call = calls.calls.recv_timeout(Duration::from_secs(30));
            if call == Ok(Idle) {
                call = calls.calls.recv_timeout(Duration::from_secs(30));
            }
            let end = Shutdown::Ended(if stops { End::Stopped } else { End::Closed });
            assert_eq!(call, Ok(Call::Shutdown(end.clone())));
            assert_eq!(numbers(&joined(worker).unwrap()), (end, 20, [0, 0, 20]));
        }
    }
}

#[test]
fn a_pause_that_is_taken_back_in_time_does_not_happen() {
    let (mut producer, ring) = ring(8);
    let journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 2);
    let (told, calls) = Told::step_by_step();
    let worker = journal.into_worker().spawn(told).unwrap();
    let progress = worker.progress().unwrap();
    calls.expect(Start(0));
    calls.expect_and_hold(Batch(0, 2));
    worker.pause().unwrap();
    let refused = JoinError::UpstreamPaused { consumer: "late".into(), upstream: "journal".into() };
    assert_eq!(ring.required("late").after(&[&progress]).join().unwrap_err(), refused);
    assert_eq!(ring.stats().consumers[0].state, ConsumerState::Running);
    worker.resume().unwrap();
    let late = ring.required("late").after(&[&progress]).join().unwrap();
    publish_up_to(&mut producer, 5);
    calls.go();
    calls.expect(Batch(2, 3));
    calls.expect_and_hold(Idle);
    late.leave();
    // Resuming what is not paused does nothing.
    worker.resume().unwrap();
    worker.stop();
    calls.go();
    calls.expect(Call::Shutdown(Shutdown::Requested));
    assert_eq!(numbers(&joined(worker).unwrap()), (Shutdown::Requested, 5, [5, 0, 0]));
}

#[test]
fn a_worker_with_dependants_does_not_pause() {
    let (mut producer, ring) = ring(8);
    let (told, calls) = Told::new();
    let worker = ring.required("journal").join().unwrap().into_worker().spawn(told).unwrap();
    let late = ring.required("late").after(&[&worker.progress().unwrap()]).join().unwrap();
    let refused = PauseError::HasDependants { consumer: "journal".into() };
    assert_eq!(worker.pause(), Err(refused));
    calls.expect(Start(0));
    calls.expect(Idle);
    publish_up_to(&mut producer, 1);
    calls.expect(Batch(0, 1));
    calls.expect(Idle);
    late.leave();
    assert_eq!(worker.pause(), Ok(()));
    is_paused(&ring, "journal");
    assert_eq!(worker.resume(), Ok(()));
    calls.expect(Resumed(0));
    drop(producer);
    joined(worker).unwrap();
}

#[test]
fn who_has_ended_cannot_be_paused_or_resumed() {
    let (producer, ring) = ring(8);
    let name: &str = "gone";
    let (told, _calls) = Told::new();
    let (told_too, _calls_too) = Told::new();
    let required = ring.required(name).join().unwrap().into_worker().spawn(told).unwrap();
    let optional = ring.optional(name).join().unwrap().into_worker().spawn(told_too).unwrap();
    drop(producer);
    let gone = PauseError::Gone { consumer: name.into() };
    for worker in [required, optional] {
        eventually("it ends", || worker.is_finished());
        assert_eq!((worker.pause(), worker.resume()), (Err(gone.clone()), Err(gone.clone())));
        worker.stop();
        assert_eq!(joined(worker).unwrap().reason, CLOSED);
    }
    assert!(gone.to_string().contains("`gone` has left or failed"));
}

#[test]
fn join_waits_for_the_end_and_join_deadline_for_as_long_as_it_is_told() {
    in_time("joining", || {
        let (mut producer, ring) = ring(8);
        let (told, calls) = Told::new();
        let worker = ring.required("journal").join().unwrap().into_worker().spawn(told).unwrap();
        let deadline = soon();
        let Err(worker) = worker.join_deadline(deadline) else { panic!("it runs on") };
        assert!(Instant::now() >= deadline);
        let Err(worker) = worker.join_deadline(Instant::now()) else { panic!("it runs on") };
        assert!(!worker.is_finished());
        publish_up_to(&mut producer, 2);
        calls.expect(Start(0));
        let joining = thread::spawn(move || worker.join().unwrap());
        drop(producer);
        let done = joining.join().unwrap();
        assert_eq!(numbers(&done), (CLOSED, 2, [2, 0, 0]));
        drop(done.handler);

        let (told, _calls) = Told::new();
        let late = ring.optional("late").join().unwrap().into_worker().spawn(told).unwrap();
        let done = joined(late).unwrap();
        assert_eq!(done.reason, CLOSED);
    });
}

#[test]
fn a_worker_whose_handle_is_dropped_runs_on() {
    let (mut producer, ring) = ring(8);
    let (told, calls) = Told::new();
    drop(ring.required("journal").join().unwrap().into_worker().spawn(told).unwrap());
    for event in 0..100 {
        producer.publish_deadline(&event, Instant::now() + Duration::from_secs(30)).unwrap();
    }
    assert_eq!(producer.close(), Ok(at(100)));
    let mut delivered = 0;
    loop {
        match calls.calls.recv_timeout(Duration::from_secs(30)).unwrap() {
            Batch(first, events) => {
                assert_eq!(first, delivered);
                delivered += events as u64;
            }
            Call::Shutdown(reason) => break assert_eq!(reason, CLOSED),
            Start(0) | Idle => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(delivered, 100);
    calls.expect_the_end();
}

#[test]
fn idle_is_called_again_and_again_if_that_is_asked_for_and_else_once() {
    for required in [true, false] {
        let (mut producer, ring) = ring(8);
        let (told, calls) = Told::new();
        let every = Duration::from_micros(200);
        let worker = if required {
            let journal = ring.required("journal").wait(Park::default()).join().unwrap();
            journal.into_worker().idle_every(every).spawn(told).unwrap()
        } else {
            ring.optional("monitor").join().unwrap().into_worker().idle_every(every).spawn(told).unwrap()
        };
        calls.expect(Start(0));
        (0..20).for_each(|_| calls.expect(Idle));
        publish_up_to(&mut producer, 1);
        while calls.calls.recv_timeout(Duration::from_secs(30)).unwrap() != Batch(0, 1) {}
        (0..5).for_each(|_| calls.expect(Idle));
        drop(producer);
        joined(worker).unwrap();

        let (mut producer, ring) = common::ring(8);
        let (announce, waiting) = Announce::new();
        let (told, calls) = Told::new();
        let journal = ring.required("journal").wait(announce).join().unwrap();
        let worker = journal.into_worker().spawn(told).unwrap();
        waiting.has_begun();
        (0..1_000).for_each(|_| thread::yield_now());
        publish_up_to(&mut producer, 1);
        for call in [Start(0), Idle, Batch(0, 1), Idle] {
            calls.expect(call);
        }
        drop(producer);
        calls.expect(Call::Shutdown(CLOSED));
        joined(worker).unwrap();
    }
}

#[test]
fn the_thread_has_the_consumers_name() {
    for (name, expected) in [("risk and audit, all of it", "risk and audit, all of it"), ("a\0b", "a b")] {
        let (producer, ring) = ring(8);
        let (sender, names) = channel();
        let says_its_name = on_each(move |_: &u64, _, _| {
            sender.send(thread::current().name().map(str::to_owned)).map_err(|error| error.to_string())
        });
        let mut producer = producer;
        let worker = ring.required(name).join().unwrap().into_worker().spawn(says_its_name).unwrap();
        producer.publish(&0).unwrap();
        assert_eq!(names.recv().unwrap().as_deref(), Some(expected));
        assert_eq!(worker.name(), name);
        drop(producer);
        joined(worker).unwrap();
    }
}

/// Says on which cores it may run.
struct WhereAmI;

impl Handler<u64> for WhereAmI {
    type Error = String;

    fn start(&mut self, _: Sequence) -> Result<(), String> {
        let cores = core_affinity::get_core_ids().unwrap();
        Err(format!("{:?}", cores.iter().map(|core| core.id).collect::<Vec<_>>()))
    }

    fn batch(&mut self, _: &mut Events<'_, u64>) -> Result<(), String> {
        unreachable!("it does not start")
    }
}

#[test]
fn a_worker_is_pinned_to_the_core_it_was_given() {
    for core in core_affinity::get_core_ids().unwrap() {
        let (_producer, ring) = ring(8);
        let worker = ring.optional("pinned").join().unwrap().into_worker().pin_to(core.id).spawn(WhereAmI);
        assert_eq!(&*joined(worker.unwrap()).map(drop).unwrap_err().message, format!("[{}]", core.id));
    }
}

#[test]
fn any_thread_can_be_pinned() {
    let core = core_affinity::get_core_ids().unwrap()[0].id;
    let pinned = thread::spawn(move || {
        let refused = pin_this_thread(1_023).unwrap_err();
        assert!(refused.core == 1_023 && refused.available.contains(&core));
        pin_this_thread(core).unwrap();
        // Where it may run now.
        (core_affinity::get_core_ids().unwrap(), pin_this_thread(usize::MAX).unwrap_err().available)
    });
    let (cores, available) = pinned.join().unwrap();
    assert_eq!((cores.iter().map(|core| core.id).collect(), available), (vec![core], vec![core]));
}

#[test]
fn a_worker_is_told_where_it_starts_also_when_its_consumer_has_read_before() {
    in_time("starts late", || {
        let (mut producer, ring) = ring(8);
        let mut journal = ring.required("journal").join().unwrap();
        publish_up_to(&mut producer, 3);
        journal.try_read().unwrap().acknowledge_first(2).unwrap();
        let (told, calls) = Told::new();
        let worker = journal.into_worker().spawn(told).unwrap();
        calls.expect(Start(2));
        drop(producer);
        let done = joined(worker).unwrap();
        assert_eq!(numbers(&done), (CLOSED, 3, [3, 0, 0]));
    });
}

#[test]
fn an_idle_interval_beyond_all_time_is_none() {
    in_time("idles for ever", || {
        let (mut producer, ring) = ring(8);
        let worker = ring.required("journal").join().unwrap().into_worker().idle_every(Duration::MAX);
        let worker = worker.spawn(on_each(|_: &u64, _, _| Ok::<(), String>(()))).unwrap();
        publish_up_to(&mut producer, 3);
        drop(producer);
        assert_eq!(joined(worker).unwrap().stats.delivered, 3);
    });
}
