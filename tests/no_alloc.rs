//! Nothing allocates after a ring is built and its consumers have joined: a counting allocator watches while a million events
//! are published and read in every way there is, by one thread, then by three, then by workers that sleep; and a bus.
//!
//! One test, so that no other thread of the process is at work meanwhile.

#[path = "no_alloc/bus.rs"]
mod bus;

use std::alloc::{GlobalAlloc, Layout, System};
use std::convert::Infallible;
use std::hint::black_box;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use ringbus::wait::{Park, Yield};
use ringbus::worker::on_each;
use ringbus::{
    End, OptionalConsumer, Parking, Producer, PublishError, ReadError, RecvError, RequiredConsumer, Ring,
    Sequence, Upstream,
};

type Event = [u64; 4];

const EVENTS: u64 = 1_000_000;
const CAPACITY: usize = 64;
const MAX_BATCH: usize = 8;

// Counting

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// The address of the main thread's `HERE`: that thread allocates first. It belongs to the test harness, whose bookkeeping is
/// not counted.
static MAIN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Its address tells threads apart without allocating.
    static HERE: u8 = const { 0 };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

impl Counting {
    fn count() {
        let here = HERE.with(|here| std::ptr::from_ref(here).addr());
        let main = MAIN.compare_exchange(0, here, SeqCst, SeqCst).unwrap_or_else(|main| main);
        if COUNTING.load(SeqCst) && here != main {
            ALLOCATIONS.fetch_add(1, SeqCst);
        }
    }
}

// SAFETY: every call goes to `System` unchanged; counting touches only atomics and a thread-local that needs no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::count();
        // SAFETY: the caller's promise is passed on; the block came from `System`.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on; the block came from `System`.
        unsafe { System.dealloc(block, layout) };
    }
}

/// How many allocations and reallocations all threads make while `work` runs.
fn allocations_in(work: impl FnOnce()) -> u64 {
    ALLOCATIONS.store(0, SeqCst);
    COUNTING.store(true, SeqCst);
    work();
    COUNTING.store(false, SeqCst);
    ALLOCATIONS.load(SeqCst)
}

// Publishing and reading

/// What happened on the way.
#[derive(Default, Debug, PartialEq)]
struct Seen {
    full: bool,
    empty: bool,
    lagged: bool,
}

struct Parts {
    producer: Producer<Event, Yield>,
    required: RequiredConsumer<Event, Yield>,
    optional: OptionalConsumer<Event, Yield>,
    buffer: Vec<Event>,
}

impl Parts {
    fn new() -> Self {
        let builder = Ring::<Event>::builder().capacity(CAPACITY).max_batch(MAX_BATCH).wait(Yield);
        let (producer, ring) = builder.build().expect("the settings keep the rules");
        Self {
            producer,
            required: ring.required("required").wait(Yield).join().expect("there is a place"),
            optional: ring.optional("optional").wait(Yield).join().expect("starts at the newest"),
            buffer: Vec::with_capacity(20),
        }
    }
}

/// Publishes all events: one alone, a batch of three, a claim of which nothing comes, and one of which a part is used.
/// `when_full` is called between tries; without it, the forms that wait are used.
fn publish_all(producer: &mut Producer<Event, Yield>, mut when_full: Option<impl FnMut()>) {
    let waits = when_full.is_none();
    for first in (0..EVENTS).step_by(8) {
        let event = |offset| [first + offset; 4];
        let batch = [event(1), event(2), event(3)];
        let mut publish_part = |part: u64| match part {
            0 if waits => producer.publish(&event(0)),
            0 => producer.try_publish(&event(0)),
            1 if waits => producer.publish_batch(&batch),
            1 => producer.try_publish_batch(&batch),
            2 => producer.publish_batch(&[]),
            _ => {
                drop(producer.try_claim(MAX_BATCH));
                let mut claim = if waits { producer.claim(5)? } else { producer.try_claim(5)? };
                for offset in 4..8 {
                    claim.push(&event(offset)).expect("five were claimed");
                }
                claim.publish()
            }
        };
        for (part, offset) in [0, 1, 4, 4].into_iter().enumerate() {
            let published = loop {
                match (publish_part(part as u64), &mut when_full) {
                    (Err(PublishError::Full { .. }), Some(when_full)) => when_full(),
                    (published, _) => break published,
                }
            };
            assert_eq!(published, Ok(Sequence::new(first + offset)));
        }
        let too_long = producer.publish_batch(&[[0; 4]; MAX_BATCH + 1]);
        assert_eq!(too_long, Err(PublishError::BatchTooLong { len: MAX_BATCH + 1, max_batch: MAX_BATCH }));
    }
    assert_eq!(producer.next_sequence().get(), EVENTS);
}

/// Reads a batch in one of four ways.
fn read(consumer: &mut RequiredConsumer<Event, Yield>, turn: u64, waits: bool) -> Result<(), ReadError> {
    let mut expected = consumer.position().get();
    let mut check = |event: &Event, sequence: Sequence| {
        assert_eq!((sequence.get(), *event), (expected, [expected; 4]));
        expected += 1;
    };
    if turn.is_multiple_of(4) {
        return consumer.poll(|event, sequence, _end_of_batch| check(event, sequence)).map(drop);
    }
    let batch = if waits { consumer.read().map_err(ReadError::Ended)? } else { consumer.try_read()? };
    batch.iter().for_each(|(sequence, event)| check(event, sequence));
    match turn % 4 {
        1 => batch.acknowledge(),
        2 => {
            let most = batch.len().div_ceil(2);
            batch.acknowledge_first(most).expect("there are more");
        }
        _ => drop(batch),
    }
    Ok(())
}

/// Receives one event or several.
fn receive(
    consumer: &mut OptionalConsumer<Event, Yield>,
    buffer: &mut Vec<Event>,
    turn: u64,
    waits: bool,
) -> Result<(), RecvError> {
    buffer.clear();
    let first = if turn.is_multiple_of(2) {
        let (sequence, event) = if waits { consumer.recv()? } else { consumer.try_recv()? };
        buffer.push(event);
        sequence
    } else {
        let received = if waits { consumer.recv_many(buffer)? } else { consumer.try_recv_many(buffer)? };
        assert_eq!(buffer.len(), received.count);
        received.first
    };
    for (event, sequence) in buffer.iter().zip(first.get()..) {
        assert_eq!(*event, [sequence; 4]);
    }
    Ok(())
}

/// Publishing and reading take turns.
fn one_thread() {
    let Parts { mut producer, mut required, mut optional, mut buffer } = Parts::new();
    let mut seen = Seen::default();
    let allocations = allocations_in(|| {
        let mut turn = 0;
        publish_all(
            &mut producer,
            Some(|| {
                seen.full = true;
                turn += 1;
                seen.empty |= read(&mut required, turn, false) == Err(ReadError::Empty);
                // Keeps up for a while, then falls behind.
                for _ in 0..if turn % 64 < 32 { 10 } else { 0 } {
                    match receive(&mut optional, &mut buffer, turn, false) {
                        Ok(()) => turn += 1,
                        Err(RecvError::Empty) => seen.empty = true,
                        Err(RecvError::Lagged { .. }) => seen.lagged = true,
                        Err(other) => panic!("{other}"),
                    }
                }
            }),
        );
        producer.close().expect("nobody failed");
        while read(&mut required, 0, true).is_ok() {}
        while receive(&mut optional, &mut buffer, 1, true) != Err(RecvError::Ended(End::Closed)) {}
    });
    assert_eq!(allocations, 0, "by one thread");
    assert_eq!(seen, Seen { full: true, empty: true, lagged: true });
    assert_eq!(required.delivered(), EVENTS);
    assert_eq!(optional.delivered() + optional.missed(), EVENTS);
    assert!(optional.delivered() > 0 && optional.missed() > 0);
}

/// Waits for the others when it is dropped, so that a thread that panics stops nobody.
struct MeetAtTheEnd<'a>(&'a Barrier);

impl Drop for MeetAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.wait();
    }
}

/// Each on its own thread, started before.
fn three_threads() {
    let Parts { mut producer, mut required, mut optional, mut buffer } = Parts::new();
    let [ready, done] = &[Barrier::new(4), Barrier::new(4)];
    thread::scope(|scope| {
        let producing = scope.spawn(move || {
            let _done = MeetAtTheEnd(done);
            ready.wait();
            publish_all(&mut producer, None::<fn()>);
            producer.close().expect("nobody failed");
        });
        let reading = scope.spawn(move || {
            let _done = MeetAtTheEnd(done);
            ready.wait();
            for turn in 0.. {
                match read(&mut required, turn, true) {
                    // One way of reading in four does not wait.
                    Ok(()) | Err(ReadError::Empty) => {}
                    Err(ended) => {
                        assert_eq!(ended, ReadError::Ended(End::Closed));
                        break;
                    }
                }
            }
            required
        });
        let receiving = scope.spawn(move || {
            let _done = MeetAtTheEnd(done);
            ready.wait();
            for turn in 0.. {
                match receive(&mut optional, &mut buffer, turn, true) {
                    Ok(()) | Err(RecvError::Lagged { .. }) => {}
                    Err(ended) => {
                        assert_eq!(ended, RecvError::Ended(End::Closed));
                        break;
                    }
                }
            }
            optional
        });
        let allocations = allocations_in(|| {
            ready.wait();
            done.wait();
        });
        producing.join().expect("the producer's thread");
        let required = reading.join().expect("the required consumer's thread");
        let optional = receiving.join().expect("the optional consumer's thread");
        assert_eq!(required.delivered(), EVENTS);
        assert_eq!(optional.delivered() + optional.missed(), EVENTS);
        assert_eq!(allocations, 0, "by three threads");
    });
}

/// Two workers, one after the other, all sides asleep whenever they can be, every 16th event's latency sampled.
fn workers() {
    let (mut producer, ring) = Ring::<Event>::builder()
        .capacity(64)
        .parking(Parking::Guaranteed)
        .sample_latency(NonZero::new(16).expect("not 0"))
        .wait(Park::after_looks(2))
        .build()
        .expect("the settings keep the rules");
    let join = |name, upstream: &[&dyn Upstream]| {
        ring.required(name).after(upstream).wait(Park::after_looks(2)).join().expect("there is a place")
    };
    let first = join("first", &[]);
    let second = join("second", &[&first]);
    let progress = second.progress();
    let spawn = |consumer: RequiredConsumer<Event, Park>| {
        let mut sum = 0;
        let handler = on_each(move |event: &Event, _, _| {
            sum = black_box(sum ^ event[0]);
            Ok::<(), Infallible>(())
        });
        consumer.into_worker().spawn(handler).expect("there is a thread")
    };
    let workers = [spawn(first), spawn(second)];
    let deadline = Instant::now() + Duration::from_secs(600);
    let mut publish = |events: Range<u64>| {
        for number in events.clone() {
            producer.publish(&[number; 4]).expect("nobody fails");
        }
        progress.wait_for(Sequence::new(events.end - 1), deadline).expect("the workers come there");
    };
    // Both have started, and slept and woken once, before it counts.
    publish(0..100);
    assert_eq!(allocations_in(|| publish(100..EVENTS / 10)), 0, "by workers");
    drop(producer);
    for worker in workers {
        let stats = worker.join().expect("its handler does not fail").stats;
        assert_eq!(stats.delivered, EVENTS / 10);
        assert_eq!(stats.latency.map(|latency| latency.len()), Some((EVENTS / 10).div_ceil(16)));
    }
}

/// The counter counts: on other threads too, and reallocations.
fn control() {
    let [ready, done] = [Barrier::new(2), Barrier::new(2)];
    thread::scope(|scope| {
        scope.spawn(|| {
            ready.wait();
            drop(black_box(Box::new(1_u64)));
            done.wait();
        });
        let allocations = allocations_in(|| {
            ready.wait();
            done.wait();
        });
        assert_eq!(allocations, 1, "by another thread");
    });
    let mut block = Vec::<u64>::with_capacity(1);
    assert_eq!(allocations_in(|| black_box(&mut block).reserve_exact(100)), 1, "a reallocation");
    assert_eq!(allocations_in(|| drop(black_box(Box::new(1_u64)))), 1, "an allocation");
    assert_eq!(allocations_in(|| drop(black_box(vec![0_u64; black_box(100)]))), 1, "a zeroed allocation");
    assert_eq!(allocations_in(|| ()), 0, "nothing");
}

#[test]
fn nothing_allocates_once_the_ring_is_built() {
    // On a thread of its own, wherever the harness runs this.
    thread::scope(|scope| {
        scope.spawn(|| {
            control();
            one_thread();
            three_threads();
            workers();
            bus::bus();
        });
    });
}
