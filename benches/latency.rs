//! How long an event takes from one core to another, and what waiting for one costs.
//!
//! - *ping-pong*: half of a round trip over two rings, each side spinning, one event under way at a time.
//! - *paced*: one event each period, from the moment when it **was to be** published to the moment when the consumer's handler
//!   looks at the clock. Because it counts from the intended time, an event that a stalled producer publishes late is late by as
//!   much: the figures need no correction for coordinated omission.
//! - *parked*: the same with long pauses, and a consumer that sleeps in them: what its wake-up takes.
//! - *idle*: the processor time of one consumer that waits on a ring where nothing happens, for each wait strategy; and of a
//!   stream of a bus.
//!
//! Times come from `Instant`, the same monotonic clock for all threads; what one look at it costs is printed, and is part
//! of every figure. The workloads are interleaved, round by round.
//!
//! ```text
//! cargo bench --bench latency
//! ```

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ringbus::bus::Bus;
use ringbus::wait::{BackOff, BusySpin, Park, Sleep, SpinHint, WaitStrategy, Yield};
use ringbus::{End, Parking, Ring};

use common::cores::{Side, pin};
use common::schedstat::SchedStat;
use common::spread::Spread;
use common::{Words, checksum, spinning_consumer, spinning_ring};

mod common;

const CAPACITY: usize = 1_024;

type Message = Words<8>;

fn message(first_word: u64) -> Message {
    std::array::from_fn(|place| if place == 0 { first_word } else { place as u64 })
}

/// How much is measured.
struct Extent {
    rounds: usize,
    round_trips: u64,
    /// Of one paced run.
    duration: Duration,
    idle: Duration,
}

impl Extent {
    const FULL: Self = Self {
        rounds: 7,
        round_trips: 1_000_000,
        duration: Duration::from_secs(1),
        idle: Duration::from_secs(1),
    };
    /// Enough to see that everything works.
    const TEST: Self = Self {
        rounds: 1,
        round_trips: 1_000,
        duration: Duration::from_millis(5),
        idle: Duration::from_millis(5),
    };

    /// As criterion decides it: a test unless run by `cargo bench`, or where `--test` is given.
    fn from_args() -> Self {
        let given = |option: &str| std::env::args().any(|argument| argument == option);
        if given("--bench") && !given("--test") { Self::FULL } else { Self::TEST }
    }
}

/// Nanoseconds up to ten seconds, three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("good bounds")
}

/// Records the time, except for the first tenth of a run, while caches and clocks warm up.
fn record(histogram: &mut Histogram<u64>, number: u64, count: u64, time: Duration) {
    if number >= count / 10 {
        histogram.saturating_record(time.as_nanos() as u64);
    }
}

fn ping_pong(extent: &Extent) -> Histogram<u64> {
    let (mut ping, pings) = spinning_ring::<Message>(CAPACITY);
    let (mut pong, pongs) = spinning_ring::<Message>(CAPACITY);
    let mut there = spinning_consumer(&pings);
    let mut back = spinning_consumer(&pongs);
    let mut times = histogram();
    thread::scope(|scope| {
        scope.spawn(move || {
            pin(Side::Consumer);
            while let Ok(batch) = there.read() {
                batch.for_each(|event, _, _| {
                    pong.publish(event).expect("the other side reads on");
                });
            }
        });
        for number in 0..extent.round_trips {
            let event = message(number);
            let start = Instant::now();
            ping.publish(&event).expect("the other side reads on");
            let mut sum = 0;
            back.read().expect("open").for_each(|event, _, _| sum = checksum(event));
            record(&mut times, number, extent.round_trips, start.elapsed() / 2);
            assert_eq!(sum, checksum(&event));
        }
        back.leave();
        drop(ping); // closes the ring, and so ends the other side
    });
    times
}

/// The consumer waits by `wait`; `parking` says how it is woken if it sleeps.
fn paced(
    extent: &Extent,
    period: Duration,
    parking: Parking,
    wait: impl WaitStrategy + 'static,
) -> Histogram<u64> {
    let (mut producer, ring) = Ring::<Message>::builder()
        .capacity(CAPACITY)
        .parking(parking)
        .wait(BusySpin)
        .build()
        .expect("a good capacity");
    let mut consumer = ring.required("paced").wait(wait).join().expect("a free place");
    let count = (extent.duration.as_nanos() / period.as_nanos()) as u64;
    let start = Instant::now();
    let intended = |number: u64| Duration::from_millis(1) + period * number as u32;
    thread::scope(|scope| {
        let recording = scope.spawn(move || {
            pin(Side::Consumer);
            let mut times = histogram();
            let (mut sum, mut expected) = (0u64, 0u64);
            while let Ok(batch) = consumer.read() {
                batch.for_each(|event, sequence, _| {
                    let now = start.elapsed();
                    let late = now.saturating_sub(Duration::from_nanos(event[0]));
                    record(&mut times, sequence.get(), count, late);
                    let nanoseconds = intended(sequence.get()).as_nanos() as u64;
                    expected = expected.wrapping_add(checksum(&message(nanoseconds)));
                    sum = sum.wrapping_add(checksum(event));
                });
            }
            assert_eq!((sum, consumer.position().get()), (expected, count));
            times
        });
        for number in 0..count {
            let moment = intended(number);
            while start.elapsed() < moment {}
            producer.publish(&message(moment.as_nanos() as u64)).expect("the other side reads on");
        }
        drop(producer);
        recording.join().expect("the consumer does not panic")
    })
}

type Workload = (&'static str, fn(&Extent) -> Histogram<u64>);

const WORKLOADS: [Workload; 7] = [
    ("ping-pong, one way", ping_pong),
    ("paced, each 1 us", |extent| paced(extent, Duration::from_micros(1), Parking::WhereFree, BusySpin)),
    ("paced, each 10 us", |extent| paced(extent, Duration::from_micros(10), Parking::WhereFree, BusySpin)),
    ("each 500 us, spins", |extent| paced(extent, Duration::from_micros(500), Parking::WhereFree, BusySpin)),
    ("each 500 us, backs off", |extent| {
        paced(extent, Duration::from_micros(500), Parking::WhereFree, BackOff::default())
    }),
    ("each 500 us, parked by membarrier", |extent| {
        paced(extent, Duration::from_micros(500), Parking::Guaranteed, Park::default())
    }),
    ("each 500 us, parked by fences", |extent| {
        paced(extent, Duration::from_micros(500), Parking::Fences, Park::default())
    }),
];

fn latencies(extent: &Extent) {
    let mut rounds = vec![Vec::new(); WORKLOADS.len()];
    for _ in 0..extent.rounds {
        for (times, (_, run)) in rounds.iter_mut().zip(WORKLOADS) {
            times.push(run(extent));
        }
    }
    println!(
        "Latency, ns; 64-byte events; ring of {CAPACITY}; BusySpin unless said; median [min..max] of {} rounds",
        extent.rounds
    );
    println!("\n| workload | p50 | p90 | p99 | p99.9 | max |\n| --- | --- | --- | --- | --- | --- |");
    for (times, (name, _)) in rounds.iter().zip(WORKLOADS) {
        print!("| {name} |");
        for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
            print!(" {} |", Spread::of(times.iter().map(|times| times.value_at_quantile(quantile) as f64)));
        }
        println!();
    }
}

/// What one look at the clock takes, in nanoseconds.
fn look_at_the_clock() -> Spread {
    const LOOKS: u32 = 10_000;
    Spread::of((0..9).map(|_| {
        let start = Instant::now();
        for _ in 0..LOOKS {
            black_box(Instant::now());
        }
        start.elapsed().as_nanos() as f64 / f64::from(LOOKS)
    }))
}

/// The share of a core that one consumer takes while it waits for an event that does not come.
fn idle<W: WaitStrategy>(extent: &Extent, wait: W) -> Option<f64> {
    let (producer, ring) = Ring::<Message>::builder().capacity(CAPACITY).build().expect("a good capacity");
    let mut consumer = ring.required("idle").wait(wait).join().expect("a free place");
    thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            pin(Side::Consumer);
            let (before, start) = (SchedStat::of_this_thread(), Instant::now());
            assert_eq!(consumer.read().expect_err("nothing is published"), End::Closed);
            let (after, wall) = (SchedStat::of_this_thread(), start.elapsed());
            Some((after?.on_core - before?.on_core).as_secs_f64() / wall.as_secs_f64())
        });
        thread::sleep(extent.idle);
        drop(producer);
        waiting.join().expect("the consumer does not panic")
    })
}

/// How long the threads of this process that are there now have run, all together; `None` where the kernel does not tell.
fn time_of_all_threads() -> Option<Duration> {
    fs::read_dir("/proc/self/task").ok()?.try_fold(Duration::ZERO, |sum, thread| {
        let line = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        let on_core = line.split_ascii_whitespace().next()?.parse().ok()?;
        Some(sum + Duration::from_nanos(on_core))
    })
}

/// The share of a core that this process takes while one stream of a bus waits: its task, and the thread that looks on its behalf.
fn idle_stream<F: Future<Output = ()> + Send>(
    extent: &Extent,
    subscribe: impl FnOnce(&Bus<64>) -> F,
) -> Option<f64> {
    let (writer, bus) = Bus::<64>::builder("idle").capacity(CAPACITY).build().expect("a good capacity");
    let ended = subscribe(&bus);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    thread::scope(|scope| {
        let waiting = scope.spawn(move || runtime.block_on(ended));
        // Until it waits.
        thread::sleep(extent.idle / 10);
        let (before, start) = (time_of_all_threads(), Instant::now());
        thread::sleep(extent.idle);
        let (after, wall) = (time_of_all_threads(), start.elapsed());
        drop(writer);
        waiting.join().expect("the stream ends");
        Some((after? - before?).as_secs_f64() / wall.as_secs_f64())
    })
}

fn idle_required_stream(extent: &Extent) -> Option<f64> {
    idle_stream(extent, |bus| {
        let mut stream = bus.subscribe("idle").required().join().expect("a free place").into_stream();
        async move { assert!(stream.next().await.is_none()) }
    })
}

fn idle_optional_stream(extent: &Extent) -> Option<f64> {
    idle_stream(extent, |bus| {
        let mut stream =
            bus.subscribe("idle").optional().join().expect("it starts at the newest").into_stream();
        async move { assert!(stream.next().await.is_none()) }
    })
}

fn idle_costs(extent: &Extent) {
    println!("\nProcessor time of one consumer that waits for {:?} on an idle ring", extent.idle);
    println!("\n| strategy | share of a core |\n| --- | --- |");
    let costs = [
        ("BusySpin", idle(extent, BusySpin)),
        ("SpinHint", idle(extent, SpinHint)),
        ("Yield", idle(extent, Yield)),
        ("BackOff", idle(extent, BackOff::default())),
        ("Sleep (100 us)", idle(extent, Sleep::default())),
        ("Park", idle(extent, Park::default())),
        ("required stream of a bus", idle_required_stream(extent)),
        ("optional stream of a bus", idle_optional_stream(extent)),
    ];
    for (name, cost) in costs {
        println!("| {name} | {} |", cost.map_or("n/a".into(), |share| format!("{:.2} %", share * 100.0)));
    }
}

fn main() {
    pin(Side::Producer);
    let extent = Extent::from_args();
    println!("One look at the clock: {:.1} ns\n", look_at_the_clock());
    latencies(&extent);
    idle_costs(&extent);
}
