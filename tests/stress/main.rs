//! Many threads on one ring, for as long as one likes: every word of every event is checked.
//!
//! Each word of an event is a function of the event's sequence and the word's place, so that a torn event, one of another lap,
//! and one that was overwritten while it was read all show. Each scenario prints a line with what it counted; a failed
//! assertion ends the process with an error.
//!
//! ```text
//! RINGBUS_STRESS_EVENTS=1000000000 RINGBUS_STRESS_SEED=1 cargo test --release --test stress -- overrun
//! ```
//!
//! runs the scenarios whose names contain `overrun`, with so many events each. The seed decides about lengths, places and
//! moments; how the threads interleave is up to the machine.
//!
//! It runs without the standard harness and synchronises by threads and atomics alone (no locks, no channels), because the thread
//! sanitizer does not see into the standard library. For its sake `RINGBUS_STRESS_TAKE_TURNS=1` keeps consumers from
//! joining and leaving at the same moment: the lock that the ring takes there is the standard library's, and the sanitizer
//! reports what it guards whenever two threads meet at it.

use std::any::Any;
use std::env;
use std::fmt::{self, Display};
use std::ops::Add;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use ringbus::wait::{WaitStrategy, Yield};
use ringbus::{
    End, Event, FailureCause, JoinError, OptionalConsumer, Producer, PublishError, ReadError, ReadFrom,
    RecvError, RequiredConsumer, Ring, Sequence,
};

mod graphs;
mod parking;

const EVENTS: u64 = if cfg!(debug_assertions) { 100_000 } else { 4_000_000 };

type Scenario = fn(u64, &mut Random) -> String;

const SCENARIOS: [(&str, Scenario); 16] = [
    ("one of each", one_of_each),
    ("whole batches", whole_batches),
    ("batches and claims", batches_and_claims),
    ("required come and go, handing over", required_hand_over),
    ("required come and go, nobody stays", required_come_and_go),
    ("optional come and go", optional_come_and_go),
    ("overrun, capacity 4", overrun::<4, 1, 8>),
    ("overrun, capacity 8", overrun::<8, 2, 8>),
    ("overrun, large events", overrun::<16, 4, 64>),
    ("failing and closing", failing_and_closing),
    ("graph: a diamond", graphs::diamond),
    ("graph: dependants come and go", graphs::dependants_come_and_go),
    ("graph: a stage that pauses", graphs::pauses),
    ("parking, by membarrier", parking::asymmetric),
    ("parking, by fences", parking::fences),
    ("parking: ends", parking::ends),
];

fn main() {
    let events = number("RINGBUS_STRESS_EVENTS").unwrap_or(EVENTS);
    assert!(events >= 1_000, "RINGBUS_STRESS_EVENTS must be at least 1000, so that rings are lapped");
    let seed = number("RINGBUS_STRESS_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
        now.as_nanos() as u64
    });
    TAKE_TURNS.store(number("RINGBUS_STRESS_TAKE_TURNS") == Some(1), Ordering::Relaxed);
    println!("{events} events a scenario; RINGBUS_STRESS_SEED={seed}");
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut passed = 0;
    for (number, (name, scenario)) in (0..).zip(SCENARIOS) {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            // Before it runs: a lost wake-up would leave nothing else to see.
            eprintln!("{name} ..");
            let counts = scenario(events, &mut Random::new(seed + number));
            println!("{name}: {counts}");
            passed += 1;
        }
    }
    println!("{passed} passed, 0 failed");
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

// Turns

/// Whether consumers join and leave one at a time.
static TAKE_TURNS: AtomicBool = AtomicBool::new(false);
static TAKEN: AtomicBool = AtomicBool::new(false);

fn in_turn<T>(join_or_leave: impl FnOnce() -> T) -> T {
    if !TAKE_TURNS.load(Ordering::Relaxed) {
        return join_or_leave();
    }
    while TAKEN.swap(true, Ordering::Acquire) {
        thread::yield_now();
    }
    let result = join_or_leave();
    TAKEN.store(false, Ordering::Release);
    result
}

fn join_required<const W: usize>(
    ring: &Ring<[u64; W]>,
    name: &str,
    batch_limit: usize,
) -> RequiredConsumer<[u64; W], Yield>
where
    [u64; W]: Event,
{
    let builder = ring.required(name).wait(Yield).batch_limit(batch_limit);
    in_turn(|| builder.join()).expect("there is a place")
}

fn leave<const W: usize>(consumer: RequiredConsumer<[u64; W], Yield>) -> Sequence
where
    [u64; W]: Event,
{
    in_turn(|| consumer.leave())
}

// Words and chance

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    number ^ (number >> 29)
}

fn event_at<const W: usize>(sequence: u64) -> [u64; W] {
    let word = mix(sequence + 1);
    std::array::from_fn(|place| word.rotate_left(place as u32) ^ (place as u64) << 32)
}

/// What a claim holds that is never published.
fn waste<const W: usize>() -> [u64; W] {
    [!0; W]
}

fn check<const W: usize>(sequence: u64, event: &[u64; W]) {
    assert_eq!(*event, event_at(sequence), "event {sequence}");
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(mix(seed) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn split(&mut self) -> Self {
        Self::new(self.next())
    }
}

// Threads

/// What one thread does, and what it counted.
type Reader = Box<dyn FnOnce() -> Counts + Send>;

/// What readers have seen.
#[derive(Default)]
struct Counts {
    joined: u64,
    delivered: u64,
    missed: u64,
    /// Overruns that were noticed only after something had been copied: by those who receive many.
    halfway: u64,
}

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { joined, delivered, missed, halfway } = self;
        write!(f, "{joined} joined, {delivered} delivered, {missed} missed, {halfway} overrun while copying")
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            joined: self.joined + other.joined,
            delivered: self.delivered + other.delivered,
            missed: self.missed + other.missed,
            halfway: self.halfway + other.halfway,
        }
    }
}

/// Gives each reader a thread, and publishes on this one once all of them run.
///
/// Publishing and reading own their handles: if one of them panics, the ring ends for the others, and so does the process.
fn run(publish: impl FnOnce(), readers: Vec<Reader>) -> Counts {
    let not_ready = AtomicU64::new(readers.len() as u64);
    thread::scope(|scope| {
        let spawn = |reader: Reader| {
            scope.spawn(|| {
                not_ready.fetch_sub(1, Ordering::Release);
                reader()
            })
        };
        let threads: Vec<_> = readers.into_iter().map(spawn).collect();
        while not_ready.load(Ordering::Acquire) != 0 {
            thread::yield_now();
        }
        publish();
        let counts =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        counts.fold(Counts::default(), Add::add)
    })
}

// Publishing

type Built<const W: usize> = (Producer<[u64; W], Yield>, Ring<[u64; W]>);

fn build<const W: usize>(capacity: usize, max_batch: usize, first: u64) -> Built<W>
where
    [u64; W]: Event,
{
    Ring::builder()
        .capacity(capacity)
        .max_batch(max_batch)
        .first_sequence(Sequence::new(first))
        .wait(Yield)
        .build()
        .expect("the settings keep the rules")
}

/// Single events, batches and claims, some of which are dropped half full.
fn publish_mixed<const W: usize>(
    producer: &mut Producer<[u64; W], Yield>,
    max_batch: u64,
    until: u64,
    random: &mut Random,
) -> Result<(), PublishError>
where
    [u64; W]: Event,
{
    let mut batch = Vec::with_capacity(max_batch as usize);
    loop {
        let next = producer.next_sequence().get();
        if next == until {
            return Ok(());
        }
        if random.one_in(256) {
            thread::yield_now();
        }
        let count = (1 + random.below(max_batch)).min(until - next);
        let first = match random.below(4) {
            0 => producer.publish(&event_at(next))?,
            1 => {
                batch.clear();
                batch.extend((next..next + count).map(event_at));
                producer.publish_batch(&batch)?
            }
            2 => {
                let mut claim = producer.claim(count as usize)?;
                for sequence in next..next + 1 + random.below(count) {
                    claim.push(&event_at(sequence)).expect("so many were claimed");
                }
                claim.publish()?
            }
            _ => {
                let mut claim = producer.claim(count as usize)?;
                for _ in 0..count {
                    claim.push(&waste()).expect("so many were claimed");
                }
                drop(claim);
                producer.next_sequence()
            }
        };
        assert_eq!(first.get(), next);
    }
}

// Reading

/// Reads one batch, checks every word of it, and acknowledges all or a part.
fn read_some<const W: usize>(
    consumer: &mut RequiredConsumer<[u64; W], Yield>,
    random: &mut Random,
) -> Result<(), End>
where
    [u64; W]: Event,
{
    let position = consumer.position().get();
    let mut expected = position;
    if random.one_in(4) {
        // In parts, while the producer writes over those that were acknowledged.
        let polled = consumer.poll(|event, sequence, _end_of_batch| {
            assert_eq!(sequence.get(), expected);
            check(expected, event);
            expected += 1;
        });
        match polled {
            Ok(count) => assert_eq!(position + count as u64, expected),
            Err(ReadError::Empty) => thread::yield_now(),
            Err(ReadError::Ended(end)) => return Err(end),
            Err(other) => panic!("{other}"),
        }
    } else {
        let batch = consumer.read()?;
        if random.one_in(8) {
            thread::yield_now();
        }
        for (sequence, event) in &batch {
            assert_eq!(sequence.get(), expected);
            check(expected, event);
            expected += 1;
        }
        assert_eq!(expected, position + batch.len() as u64);
        if random.one_in(4) {
            expected = position + random.below(batch.len() as u64 + 1);
            batch.acknowledge_first((expected - position) as usize).expect("no more than there are");
        } else {
            batch.acknowledge();
        }
    }
    assert_eq!(consumer.position().get(), expected);
    Ok(())
}

/// Reads to the end.
fn read_all<const W: usize>(consumer: &mut RequiredConsumer<[u64; W], Yield>, random: &mut Random) -> End
where
    [u64; W]: Event,
{
    loop {
        if let Err(end) = read_some(consumer, random) {
            return end;
        }
    }
}

/// An optional consumer, and what it was told.
struct Observer<const W: usize>
where
    [u64; W]: Event,
{
    ring: Ring<[u64; W]>,
    consumer: OptionalConsumer<[u64; W], Yield>,
    buffer: Vec<[u64; W]>,
    counts: Counts,
}

impl<const W: usize> Observer<W>
where
    [u64; W]: Event,
{
    /// With a `buffer` of 0 events it reads one by one.
    fn join(ring: &Ring<[u64; W]>, start: ReadFrom, resume: ReadFrom, buffer: usize) -> Self {
        let builder = ring.optional("observer").wait(Yield).start(start).resume(resume);
        Self {
            consumer: builder.join().expect("starts at what is published"),
            ring: ring.clone(),
            buffer: Vec::with_capacity(buffer),
            counts: Counts { joined: 1, ..Counts::default() },
        }
    }

    fn receive(&mut self) -> Result<(), End> {
        let position = self.consumer.position().get();
        let many = self.buffer.capacity() > 0;
        self.buffer.clear();
        let received = if many {
            self.consumer.recv_many(&mut self.buffer).map(|received| {
                assert_eq!(received.count, self.buffer.len());
                let first = received.first.get();
                assert_eq!(received.missed, first - position);
                for (event, sequence) in self.buffer.iter().zip(first..) {
                    check(sequence, event);
                }
                self.counts.halfway += u64::from(received.missed > 0);
                (received.missed, first, received.count as u64)
            })
        } else {
            self.consumer.recv().map(|(sequence, event)| {
                check(sequence.get(), &event);
                (0, sequence.get(), 1)
            })
        };
        match received {
            Ok((missed, first, count)) => {
                assert_eq!(first, position + missed);
                assert_eq!(self.consumer.position().get(), first + count);
                self.counts.delivered += count;
                self.counts.missed += missed;
            }
            Err(RecvError::Lagged { missed, resumed_at }) => {
                assert!(missed > 0);
                assert_eq!(resumed_at.get(), position + missed);
                assert_eq!(self.consumer.position(), resumed_at);
                self.counts.missed += missed;
            }
            Err(RecvError::Ended(end)) => return Err(end),
            Err(other) => panic!("{other}"),
        }
        self.conserves();
        Ok(())
    }

    /// `delivered + missed + lag` is what was published since it joined. The cursor moves meanwhile.
    fn conserves(&self) {
        let Self { ring, consumer, counts, .. } = self;
        assert_eq!((consumer.delivered(), consumer.missed()), (counts.delivered, counts.missed));
        let accounted_for = consumer.joined_at().get() + counts.delivered + counts.missed;
        let before = ring.cursor().get();
        let cursor = accounted_for + consumer.lag();
        assert!((before..=ring.cursor().get()).contains(&cursor), "conservation");
    }

    /// Lets the producer go round before the first event is read.
    fn wait_for_overrun(&mut self) {
        while self.consumer.lag() <= self.ring.capacity() as u64 {
            thread::yield_now();
        }
        assert_eq!(self.receive(), Ok(()));
        assert!(self.counts.missed > 0 && self.counts.delivered == 0);
    }

    fn receive_all(&mut self) -> End {
        loop {
            if let Err(end) = self.receive() {
                assert_eq!(self.consumer.lag(), 0);
                return end;
            }
        }
    }
}

/// A place that one can start at now.
fn some_place<const W: usize>(ring: &Ring<[u64; W]>, random: &mut Random) -> ReadFrom
where
    [u64; W]: Event,
{
    match random.below(4) {
        0 => ReadFrom::Oldest { headroom: random.below(64) },
        1 => ReadFrom::Newest,
        2 => ReadFrom::NewestMinus(random.below(64)),
        _ => {
            let (first, cursor) = (ring.first_sequence(), ring.cursor());
            ReadFrom::Sequence(Sequence::new(cursor.get() - random.below(cursor.since(first).min(200) + 1)))
        }
    }
}

// Scenarios

/// Publishes single events up to `end`, and closes.
fn single<const W: usize>(mut producer: Producer<[u64; W], Yield>, end: u64) -> impl FnOnce()
where
    [u64; W]: Event,
{
    move || {
        for sequence in producer.next_sequence().get()..end {
            let published = producer.publish(&event_at(sequence)).expect("nobody fails");
            assert_eq!(published.get(), sequence);
        }
        assert_eq!(producer.close().map(Sequence::get), Ok(end));
    }
}

/// Publishes in every way up to `end`, and closes.
fn mixed<const W: usize>(
    mut producer: Producer<[u64; W], Yield>,
    ring: &Ring<[u64; W]>,
    end: u64,
    random: &mut Random,
) -> impl FnOnce()
where
    [u64; W]: Event,
{
    let (max_batch, mut random) = (ring.max_batch() as u64, random.split());
    move || {
        publish_mixed(&mut producer, max_batch, end, &mut random).expect("nobody fails");
        assert_eq!(producer.close().map(Sequence::get), Ok(end));
    }
}

/// A required consumer that is there from the first event to the last.
fn required<const W: usize>(
    ring: &Ring<[u64; W]>,
    batch_limit: usize,
    end: u64,
    random: &mut Random,
) -> Reader
where
    [u64; W]: Event,
{
    let mut consumer = join_required(ring, "required", batch_limit);
    let (first, mut random) = (ring.first_sequence(), random.split());
    Box::new(move || {
        assert_eq!(read_all(&mut consumer, &mut random), End::Closed);
        assert_eq!((consumer.joined_at(), consumer.position().get()), (first, end));
        let delivered = consumer.delivered();
        assert_eq!(leave(consumer).get(), end);
        Counts { joined: 1, delivered, ..Counts::default() }
    })
}

/// An optional consumer that is there from the first event to the last.
fn optional<const W: usize>(ring: &Ring<[u64; W]>, resume: ReadFrom, buffer: usize, end: u64) -> Reader
where
    [u64; W]: Event,
{
    let mut observer = Observer::join(ring, ReadFrom::Newest, resume, buffer);
    let first = ring.first_sequence();
    Box::new(move || {
        assert_eq!(observer.receive_all(), End::Closed);
        let Observer { consumer, counts, .. } = observer;
        assert_eq!((consumer.joined_at(), consumer.position().get()), (first, end));
        assert_eq!(counts.delivered + counts.missed, end - first.get());
        counts
    })
}

/// One producer, single events; one required and one optional consumer.
fn one_of_each(events: u64, random: &mut Random) -> String {
    let (producer, ring) = build::<8>(1_024, 256, 0);
    let readers = vec![
        required(&ring, usize::MAX, events, random),
        optional(&ring, ReadFrom::Oldest { headroom: 128 }, 0, events),
    ];
    let counts = run(single(producer, events), readers);
    assert_eq!(counts.delivered + counts.missed, 2 * events);
    format!("{counts}; all {events} by the required one")
}

/// Batches and claims of all lengths; required consumers with and without a limit, optional ones that receive many.
fn batches_and_claims(events: u64, random: &mut Random) -> String {
    let first = random.below(1 << 40);
    let (producer, ring) = build::<8>(256, 48, first);
    let end = first + events;
    let readers = vec![
        required(&ring, usize::MAX, end, random),
        required(&ring, 7, end, random),
        optional(&ring, ReadFrom::Oldest { headroom: 0 }, 300, end),
        optional(&ring, ReadFrom::NewestMinus(10), 16, end),
    ];
    let counts = run(mixed(producer, &ring, end, random), readers);
    assert_eq!(counts.delivered + counts.missed, 4 * events);
    format!("{counts}; all {events} by each of the two required ones")
}

/// Batches of one length: nobody who reads without a limit ever sees a part of one.
fn whole_batches(events: u64, _: &mut Random) -> String {
    const BATCH: u64 = 5;
    let events = events.next_multiple_of(BATCH);
    let (mut producer, ring) = build::<8>(32, BATCH as usize, 0);
    let mut consumer = join_required(&ring, "whole batches", usize::MAX);
    let mut observer = Observer::join(&ring, ReadFrom::Newest, ReadFrom::Newest, ring.capacity());
    let readers: Vec<Reader> = vec![
        Box::new(move || {
            while let Ok(batch) = consumer.read() {
                assert!((batch.len() as u64).is_multiple_of(BATCH), "{} of a batch", batch.len());
                batch.iter().for_each(|(sequence, event)| check(sequence.get(), event));
                batch.acknowledge();
            }
            let delivered = consumer.delivered();
            assert_eq!(leave(consumer).get(), events);
            Counts { joined: 1, delivered, ..Counts::default() }
        }),
        Box::new(move || {
            while observer.receive().is_ok() {
                assert!(observer.consumer.position().get().is_multiple_of(BATCH), "part of a batch");
            }
            observer.counts
        }),
    ];
    let publish = move || {
        for first in (0..events).step_by(BATCH as usize) {
            let batch: [_; BATCH as usize] = std::array::from_fn(|place| event_at(first + place as u64));
            assert_eq!(producer.publish_batch(&batch).map(Sequence::get), Ok(first));
        }
        assert_eq!(producer.close().map(Sequence::get), Ok(events));
    };
    let counts = run(publish, readers);
    assert_eq!(counts.delivered + counts.missed, 2 * events);
    format!("{counts}")
}

const SHORT_STAY: u64 = 200;

/// A required consumer stays for some events, and goes only when the next has joined and all is read up to where that one starts:
/// together they read everything.
fn required_hand_over(events: u64, random: &mut Random) -> String {
    let capacity = 64;
    let (producer, ring) = build::<8>(capacity, 16, 0);
    let relay = |mut random: Random| -> Reader {
        let ring = ring.clone();
        let join = move || join_required(&ring, "relay", usize::MAX);
        let mut consumer = join();
        Box::new(move || {
            let mut joined = 1;
            'stream: loop {
                let until = consumer.position().get() + random.below(SHORT_STAY);
                while consumer.position().get() < until {
                    if let Err(end) = read_some(&mut consumer, &mut random) {
                        assert_eq!(end, End::Closed);
                        break 'stream;
                    }
                }
                let next = join();
                joined += 1;
                while consumer.position() < next.joined_at() {
                    let position = consumer.position();
                    let batch = consumer.read().expect("it is published");
                    let count = batch.len().min(next.joined_at().since(position) as usize);
                    for (expected, (sequence, event)) in (position.get()..).zip(batch.iter().take(count)) {
                        assert_eq!(sequence.get(), expected);
                        check(expected, event);
                    }
                    batch.acknowledge_first(count).expect("no more than there are");
                }
                assert_eq!(leave(consumer), next.joined_at());
                consumer = next;
            }
            assert_eq!(leave(consumer).get(), events);
            // Nobody stays for long: the stay, the batch it ends in, and what lies between leaving and joining.
            assert!(joined >= events / (SHORT_STAY + 2 * capacity as u64), "{joined} joined");
            Counts { joined, delivered: events, ..Counts::default() }
        })
    };
    let readers = vec![relay(random.split()), relay(random.split())];
    let counts = run(mixed(producer, &ring, events, random), readers);
    format!("{counts}")
}

/// Required consumers come and go; at times there is none, and the producer runs free while one joins.
fn required_come_and_go(events: u64, random: &mut Random) -> String {
    let first = 1 << 50;
    let (producer, ring) = build::<8>(16, 4, first);
    let guest = |mut random: Random| -> Reader {
        let ring = ring.clone();
        let join = move || join_required(&ring, "guest", usize::MAX);
        let mut consumer = join();
        assert_eq!(consumer.joined_at().get(), first);
        Box::new(move || {
            let mut counts = Counts { joined: 1, ..Counts::default() };
            loop {
                let until = consumer.position().get() + random.below(SHORT_STAY);
                let mut end = None;
                while end.is_none() && consumer.position().get() < until {
                    end = read_some(&mut consumer, &mut random).err();
                }
                // What it reads and does not acknowledge may be overwritten once it has left, and not before.
                if let Ok(batch) = consumer.try_read() {
                    batch.iter().for_each(|(sequence, event)| check(sequence.get(), event));
                }
                let (joined_at, delivered) = (consumer.joined_at(), consumer.delivered());
                counts.delivered += delivered;
                let left_at = leave(consumer);
                assert_eq!(left_at.since(joined_at), delivered);
                if let Some(end) = end {
                    assert_eq!((end, left_at.get()), (End::Closed, first + events));
                    return counts;
                }
                if random.one_in(4) {
                    thread::yield_now();
                }
                consumer = join();
                counts.missed += consumer.joined_at().since(left_at);
                assert!(consumer.joined_at() >= left_at);
                counts.joined += 1;
            }
        })
    };
    let readers: Vec<_> = (0..3).map(|_| guest(random.split())).collect();
    let counts = run(mixed(producer, &ring, first + events, random), readers);
    assert_eq!(counts.delivered + counts.missed, 3 * events);
    format!("{counts} (were not there)")
}

/// Optional consumers come and go, and start and resume wherever they like.
fn optional_come_and_go(events: u64, random: &mut Random) -> String {
    let first = random.below(1 << 40);
    let (producer, ring) = build::<8>(64, 16, first);
    let visitor = |mut random: Random| -> Reader {
        let ring = ring.clone();
        Box::new(move || {
            let mut counts = Counts::default();
            loop {
                let [start, resume] = [(); 2].map(|()| some_place(&ring, &mut random));
                let buffer = if random.one_in(2) { random.below(100) as usize } else { 0 };
                let mut observer = Observer::join(&ring, start, resume, buffer);
                let end = (0..random.below(SHORT_STAY)).find_map(|_| observer.receive().err());
                observer.conserves();
                counts = counts + observer.counts;
                if let Some(end) = end {
                    assert_eq!((end, observer.consumer.position().get()), (End::Closed, first + events));
                    return counts;
                }
            }
        })
    };
    let mut readers: Vec<_> = (0..3).map(|_| visitor(random.split())).collect();
    // Keeps the producer from being done before anybody has come.
    readers.push(required(&ring, usize::MAX, first + events, random));
    let counts = run(mixed(producer, &ring, first + events, random), readers);
    assert!(counts.joined >= 4 && counts.delivered >= events);
    format!("{counts}")
}

/// A ring so small that optional consumers are overrun all the time: while the producer runs free, and while it waits for a
/// required consumer.
fn overrun<const N: usize, const B: usize, const W: usize>(events: u64, random: &mut Random) -> String
where
    [u64; W]: Event,
{
    let pass = |held: bool, random: &mut Random| {
        let end = events / 2;
        let (producer, ring) = build::<W>(N, B, 0);
        let observer = |buffer: usize| -> Reader {
            let resume = ReadFrom::Oldest { headroom: 0 };
            let mut observer = Observer::join(&ring, ReadFrom::Newest, resume, buffer);
            Box::new(move || {
                observer.wait_for_overrun();
                assert_eq!(observer.receive_all(), End::Closed);
                assert_eq!(observer.counts.delivered + observer.counts.missed, end);
                observer.counts
            })
        };
        let mut readers = vec![observer(0), observer(N)];
        if held {
            readers.push(required(&ring, usize::MAX, end, random));
        }
        let expected = readers.len() as u64 * end;
        let counts = run(mixed(producer, &ring, end, random), readers);
        assert_eq!(counts.delivered + counts.missed, expected);
        counts
    };
    let free = pass(false, random);
    let held = pass(true, random);
    format!("running free {free}; held {held}")
}

/// How a short stream ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    ConsumerAbandoned,
    ConsumerPanicked,
    ProducerPanicked,
    Closed,
}

/// Many short streams that end in every way there is: the producer and all healthy consumers are told how, and these get all that
/// was published.
fn failing_and_closing(events: u64, random: &mut Random) -> String {
    let mut endings = [0_u64; 4];
    let mut total = 0;
    while total < events {
        let kinds =
            [Ending::ConsumerAbandoned, Ending::ConsumerPanicked, Ending::ProducerPanicked, Ending::Closed];
        let kind = random.below(4) as usize;
        endings[kind] += 1;
        total += one_ending(kinds[kind], random);
    }
    let [abandoned, panicked, producer_panicked, closed] = endings;
    format!(
        "{total} events; consumers abandoned {abandoned}, panicked {panicked}; producers panicked {producer_panicked}, closed \
         {closed}"
    )
}

/// Returns how many events were published.
fn one_ending(ending: Ending, random: &mut Random) -> u64 {
    let capacity = 1 << (2 + random.below(5));
    let first = random.below(1 << 40);
    let (mut producer, ring) = build::<8>(capacity, (capacity / 4).min(3), first);
    let victim_fails = matches!(ending, Ending::ConsumerAbandoned | Ending::ConsumerPanicked);
    let stop = first + 1 + random.below(2_000);

    let join = |name: &str| join_required(&ring, name, usize::MAX);
    let mut victim = join("victim");
    let healthy: Vec<_> = [join("healthy"), join("healthy too")]
        .into_iter()
        .map(|consumer| (consumer, random.split()))
        .collect();
    let mut observer = Observer::join(&ring, ReadFrom::Newest, ReadFrom::Newest, 4);
    let [mut victims_random, mut producers_random] = [random.split(), random.split()];

    thread::scope(|scope| {
        let victim = scope.spawn(move || {
            while victim.position().get() < stop || !victim_fails {
                if let Err(end) = read_some(&mut victim, &mut victims_random) {
                    assert!(!victim_fails);
                    return (leave(victim), Some(end));
                }
            }
            let position = victim.position();
            if ending == Ending::ConsumerPanicked {
                // With `victim` on the stack, and no message.
                let _dropped_by_the_panic = victim;
                resume_unwind(Box::new(position));
            }
            (position, None)
        });
        let healthy: Vec<_> = healthy
            .into_iter()
            .map(|(mut consumer, mut random)| {
                scope.spawn(move || {
                    let end = read_all(&mut consumer, &mut random);
                    (leave(consumer), Some(end))
                })
            })
            .collect();
        let observing = scope.spawn(move || {
            let end = observer.receive_all();
            (observer.consumer.position(), Some(end))
        });
        let max_batch = ring.max_batch() as u64;
        let producing = scope.spawn(move || {
            let until = if victim_fails { u64::MAX } else { stop };
            let published = publish_mixed(&mut producer, max_batch, until, &mut producers_random);
            let end = producer.next_sequence();
            if ending == Ending::ProducerPanicked {
                let _dropped_by_the_panic = producer;
                resume_unwind(Box::new(end));
            }
            let failure = match published {
                Ok(()) => None,
                Err(PublishError::Poisoned(failure)) => {
                    let poisoned = PublishError::Poisoned(Arc::clone(&failure));
                    assert_eq!(producer.try_publish(&event_at(0)).as_ref(), Err(&poisoned));
                    assert_eq!(producer.try_claim(1).err().as_ref(), Some(&poisoned));
                    assert_eq!(producer.next_sequence(), end);
                    Some(failure)
                }
                Err(other) => panic!("{other}"),
            };
            match (producer.close(), &failure) {
                (Ok(closed_at), None) => assert_eq!(closed_at, end),
                (Err(PublishError::Poisoned(again)), Some(failure)) => assert_eq!(again, *failure),
                (closed, _) => panic!("closed: {closed:?}"),
            }
            (end, failure)
        });

        let (published, failure) = producing.join().unwrap_or_else(|panic| (on_purpose(panic), None));
        let (stopped_at, victims_end) = victim.join().unwrap_or_else(|panic| (on_purpose(panic), None));
        let expected = match (ending, failure) {
            (Ending::Closed, None) => End::Closed,
            (Ending::ProducerPanicked, None) => End::ProducerFailed,
            (_, Some(failure)) => {
                let cause = if ending == Ending::ConsumerPanicked {
                    FailureCause::Panicked
                } else {
                    FailureCause::Abandoned
                };
                assert_eq!(
                    (&*failure.consumer, failure.cause, failure.position),
                    ("victim", cause, stopped_at)
                );
                assert!(published.since(stopped_at) <= capacity as u64, "overwritten");
                End::Poisoned(failure)
            }
            (ending, None) => panic!("{ending:?}, and the producer was not told"),
        };
        if !victim_fails {
            assert_eq!((published.get(), stopped_at.get()), (stop, stop));
            assert_eq!(victims_end.as_ref(), Some(&expected));
        }
        for reader in healthy.into_iter().chain([observing]) {
            let reached = reader.join().unwrap_or_else(|panic| resume_unwind(panic));
            assert_eq!(reached, (published, Some(expected.clone())));
        }
        assert_eq!((ring.cursor(), ring.end()), (published, Some(expected)));
        published.get() - first
    })
}

/// The position that a thread panicked with on purpose.
fn on_purpose(panic: Box<dyn Any + Send>) -> Sequence {
    *panic.downcast().unwrap_or_else(|failed| resume_unwind(failed))
}
