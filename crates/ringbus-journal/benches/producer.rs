//! What a journal costs the core: how long the writer of a bus takes for an event, with a journal and without.
//!
//! The core emits an event each period, and each is timed from the moment when it **was to be** emitted to the moment when it is: what a
//! journal that does not keep up makes the core wait counts in full, for all events that come late by it.
//!
//! - *nobody*: no subscription at all.
//! - *required*: one that reads, acknowledges, and keeps nothing.
//! - *journal*: one for each policy, on a thread of its own.
//!
//! ```text
//! cargo bench -p ringbus-journal --bench producer
//! ```

use std::hint;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ringbus::bus::{BlockStart, Bus, Emit, Hash, Kind, Origin, Topic, Writer};
use ringbus_journal::{Durability, Journal, Recording};

use spread::Spread;

#[path = "../../../benches/common/spread.rs"]
mod spread;

const PAYLOAD: usize = 192;
const CAPACITY: usize = 65_536;
/// Events of a block.
const BLOCK: u64 = 1_000;
const QUANTILES: [f64; 4] = [0.5, 0.99, 0.999, 0.9999];

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    rounds: usize,
    duration: Duration,
}

impl Extent {
    fn from_args() -> Self {
        let given = |option: &str| std::env::args().any(|argument| argument == option);
        if given("--bench") && !given("--test") {
            Self { rounds: 7, duration: Duration::from_secs(1) }
        } else {
            Self { rounds: 1, duration: Duration::from_millis(5) }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Nobody,
    Required,
    Journal(Durability),
}

impl Who {
    const ALL: [Self; 6] = [
        Self::Nobody,
        Self::Required,
        Self::Journal(Durability::Never),
        Self::Journal(Durability::Every(Duration::from_millis(10))),
        Self::Journal(Durability::EachBlock),
        Self::Journal(Durability::EachBatch),
    ];

    fn name(self) -> String {
        match self {
            Self::Nobody => "nobody".into(),
            Self::Required => "required".into(),
            Self::Journal(durability) => format!("journal, {durability:?}"),
        }
    }
}

/// Nanoseconds at the quantiles, and the largest.
fn run(who: Who, period: Duration, duration: Duration) -> [f64; QUANTILES.len() + 1] {
    let directory = tempfile::tempdir().expect("a place for files");
    let (mut writer, bus) =
        Bus::<PAYLOAD>::builder("bench").capacity(CAPACITY).build().expect("good settings");
    let mut recording: Option<Recording> = None;
    let mut reading = None;
    match who {
        Who::Nobody => {}
        Who::Required => {
            let mut subscription = bus.subscribe("required").required().join().expect("a free place");
            reading = Some(std::thread::spawn(move || {
                let mut sum = 0;
                while let Ok(records) = subscription.read() {
                    records.for_each(|record| {
                        sum += record.payload().iter().map(|byte| u64::from(*byte)).sum::<u64>();
                    });
                }
                sum
            }));
        }
        Who::Journal(durability) => {
            let journal = Journal::builder("bench").slot_payload(PAYLOAD).durability(durability);
            let journal = journal.open(directory.path()).expect("the directory is empty");
            let subscription = bus.subscribe("journal").required().join().expect("a free place");
            recording = Some(journal.record(subscription).expect("a thread"));
        }
    }
    let histogram = emit(&mut writer, period, duration);
    writer.close().expect("the journal goes on");
    if let Some(recording) = recording {
        recording.join().expect("there is room");
    }
    if let Some(reading) = reading {
        reading.join().expect("it does not panic");
    }
    std::array::from_fn(|at| match QUANTILES.get(at) {
        Some(quantile) => histogram.value_at_quantile(*quantile) as f64,
        None => histogram.max() as f64,
    })
}

fn emit(writer: &mut Writer<PAYLOAD>, period: Duration, duration: Duration) -> Histogram<u64> {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 10_000_000_000, 3).expect("good bounds");
    let events = (duration.as_nanos() / period.as_nanos()) as u64;
    let began = Instant::now();
    for number in 0..events {
        let due = period * number as u32;
        while began.elapsed() < due {
            hint::spin_loop();
        }
        if number % BLOCK == 0 {
            if number > 0 {
                writer.end_block().expect("the journal goes on");
            }
            let start = BlockStart { height: number / BLOCK, time: 0, hash: Hash::new([1; 32]) };
            writer.begin_block(start).expect("the journal goes on");
        }
        let payload = [number as u8; 128];
        writer
            .emit_bytes(Origin::default(), Kind::new(7), Topic::default(), &payload)
            .expect("the journal goes on");
        // The first tenth warms up.
        if number > events / 10 {
            let late = (began.elapsed() - due).as_nanos() as u64;
            histogram.record(late.max(1)).expect("less than ten seconds");
        }
    }
    writer.end_block().expect("the journal goes on");
    histogram
}

fn main() {
    let extent = Extent::from_args();
    println!("| an event each | who reads | p50, ns | p99 | p99.9 | p99.99 | max |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
    for period in [Duration::from_micros(10), Duration::from_micros(1)] {
        let mut figures: Vec<Vec<_>> = Who::ALL.iter().map(|_| Vec::new()).collect();
        for round in 0..extent.rounds {
            for turn in 0..Who::ALL.len() {
                let who = (round + turn) % Who::ALL.len();
                figures[who].push(run(Who::ALL[who], period, extent.duration));
            }
        }
        for (who, figures) in Who::ALL.iter().zip(&figures) {
            let cells = (0..=QUANTILES.len()).map(|at| Spread::of(figures.iter().map(|figures| figures[at])));
            let cells: Vec<String> = cells.map(|spread| spread.to_string()).collect();
            println!("| {period:?} | {} | {} |", who.name(), cells.join(" | "));
        }
    }
}
