//! What the bus costs over the ring that it is made of, at equal slot size.
//!
//! Each row is measured against the same work done on a plain ring of events as large as a slot of the bus, in turns, round by round,
//! and shown with the ratio of the medians. Every consumer reads the whole payload and adds it up, and the sums are compared.
//!
//! - *alone*: nobody has subscribed.
//! - *one required*: on a core of its own, if there is one.
//! - *filter*: the same, where so many of a hundred records pass. (The plain ring has no filter: there all are read.)
//! - *16 subscribers*: one required, and 15 optional ones that its thread looks at in turn.
//!
//! ```text
//! cargo bench --bench bus
//! ```

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use bytemuck::{Pod, Zeroable};
use ringbus::bus::{
    BlockStart, Bus, Emit, Filter, Hash, Kind, OptionalSubscription, Origin, Payload, RecordRef, Source,
    Writer,
};
use ringbus::wait::BusySpin;
use ringbus::{OptionalConsumer, Producer, ReadError, Ring};

use common::cores::{Side, pin};
use common::spread::Spread;

mod common;

const CAPACITY: usize = 4_096;
const ORIGIN: Origin = Origin::of(Source::new(1));

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    rounds: usize,
    events: u64,
}

impl Extent {
    fn from_args() -> Self {
        let given = |option: &str| std::env::args().any(|argument| argument == option);
        if given("--bench") && !given("--test") {
            Self { rounds: 11, events: 4_000_000 }
        } else {
            Self { rounds: 1, events: 4_000 }
        }
    }
}

/// A payload that fills a slot.
#[derive(Clone, Copy)]
#[repr(C)]
struct Whole<const WORDS: usize>([u64; WORDS]);

// SAFETY: an array of integers can be zero.
unsafe impl<const WORDS: usize> Zeroable for Whole<WORDS> {}
// SAFETY: an array of integers, and nothing else in memory.
unsafe impl<const WORDS: usize> Pod for Whole<WORDS> {}

impl<const WORDS: usize> Payload for Whole<WORDS> {
    const KIND: Kind = Kind::new(7);
}

/// What is carried: no two words are the same. Made where it is published, as an engine would, and not kept in memory: an event that
/// has just been changed there would be measured by how soon its bytes leave the store buffer.
#[inline(always)]
fn words<const WORDS: usize>(number: u64) -> [u64; WORDS] {
    std::array::from_fn(|place| number ^ (place as u64) << 32)
}

/// A record that does not pass the filters below.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Other<const WORDS: usize>(Whole<WORDS>);

// SAFETY: it is a `Whole`, and nothing else in memory.
unsafe impl<const WORDS: usize> Zeroable for Other<WORDS> {}
// SAFETY: it is a `Whole`, and nothing else in memory.
unsafe impl<const WORDS: usize> Pod for Other<WORDS> {}

impl<const WORDS: usize> Payload for Other<WORDS> {
    const KIND: Kind = Kind::new(8);
}

#[inline(always)]
fn sum(words: &[u64]) -> u64 {
    words.iter().fold(0, |sum, word| sum.wrapping_add(*word))
}

#[inline(always)]
fn sum_of(record: RecordRef<'_>) -> u64 {
    sum(bytemuck::cast_slice(record.payload()))
}

/// What one run does.
#[derive(Clone, Copy)]
enum Work {
    Alone,
    Batches(u64),
    OneRequired,
    /// So many of a hundred pass.
    Filter(u64),
    Sixteen,
}

impl Work {
    const OPTIONAL: usize = 15;

    fn name(self) -> String {
        match self {
            Self::Alone => "alone".into(),
            Self::Batches(len) => format!("one required, batches of {len}"),
            Self::OneRequired => "one required".into(),
            Self::Filter(hits) => format!("filter: {hits} of 100 pass"),
            Self::Sixteen => "16 subscribers, 15 of them optional".into(),
        }
    }

    fn batch(self) -> u64 {
        if let Self::Batches(len) = self { len } else { 1 }
    }
}

/// Nanoseconds an event on a plain ring. `WORDS`: of a slot.
fn plain<const WORDS: usize>(work: Work, events: u64) -> f64 {
    let (producer, ring) =
        Ring::<[u64; WORDS]>::builder().capacity(CAPACITY).wait(BusySpin).build().expect("good settings");
    if matches!(work, Work::Alone) {
        return publish(producer, 1, events);
    }
    let mut required = ring.required("bench").wait(BusySpin).join().expect("a free place");
    let mut optional: Vec<OptionalConsumer<_, _>> = Vec::new();
    if matches!(work, Work::Sixteen) {
        let join = |_| ring.optional("bench").wait(BusySpin).join().expect("it starts at the newest");
        optional.extend((0..Work::OPTIONAL).map(join));
    }
    let reading = thread::spawn(move || {
        pin(Side::Consumer);
        let mut total = 0_u64;
        if optional.is_empty() {
            while let Ok(batch) = required.read() {
                batch.for_each(|event, _, _| total = total.wrapping_add(sum(event)));
            }
            return total;
        }
        loop {
            match required.poll(|event, _, _| total = total.wrapping_add(sum(event))) {
                Ok(_) | Err(ReadError::Empty) => {}
                Err(_) => return total,
            }
            for consumer in &mut optional {
                if let Ok((_, event)) = consumer.try_recv() {
                    black_box(sum(&event));
                }
            }
        }
    });
    let nanoseconds = publish(producer, work.batch(), events);
    assert_eq!(reading.join().expect("no panic"), expected::<WORDS>(events, 100));
    nanoseconds
}

fn publish<const WORDS: usize>(
    mut producer: Producer<[u64; WORDS], BusySpin>,
    batch: u64,
    events: u64,
) -> f64 {
    pin(Side::Producer);
    let start = Instant::now();
    if batch == 1 {
        for number in 0..events {
            producer.publish(&words(number)).expect("nobody fails");
        }
    } else {
        for first in (0..events).step_by(batch as usize) {
            let mut claim = producer.claim(batch as usize).expect("nobody fails");
            for number in first..first + batch {
                claim.push(&words(number)).expect("as many were claimed");
            }
            claim.publish().expect("nobody fails");
        }
    }
    start.elapsed().as_nanos() as f64 / events as f64
}

/// The sum of all events of which so many of a hundred count.
fn expected<const WORDS: usize>(events: u64, hits: u64) -> u64 {
    let counted = (0..events).filter(|number| number % 100 < hits);
    counted.fold(0, |total, number| total.wrapping_add(sum(&words::<WORDS>(number))))
}

/// Nanoseconds an event on a bus whose payloads have `WORDS` words, of slots of `PAYLOAD` bytes.
fn bus<const PAYLOAD: usize, const WORDS: usize>(work: Work, events: u64) -> f64 {
    let (writer, bus) =
        Bus::<PAYLOAD>::builder("bench").capacity(CAPACITY).wait(BusySpin).build().expect("good settings");
    if matches!(work, Work::Alone) {
        return emit::<PAYLOAD, WORDS>(writer, work, events);
    }
    let filter = || {
        if matches!(work, Work::Filter(_)) { Filter::kinds([Whole::<WORDS>::KIND]) } else { Filter::all() }
    };
    let mut required =
        bus.subscribe("bench").filter(filter()).required().wait(BusySpin).join().expect("a free place");
    let mut optional: Vec<OptionalSubscription<PAYLOAD, _>> = Vec::new();
    if matches!(work, Work::Sixteen) {
        let join =
            |_| bus.subscribe("bench").optional().wait(BusySpin).join().expect("it starts at the newest");
        optional.extend((0..Work::OPTIONAL).map(join));
    }
    let reading = thread::spawn(move || {
        pin(Side::Consumer);
        let mut total = 0_u64;
        let mut add = |record: RecordRef<'_>| {
            if !record.kind().is_reserved() {
                total = total.wrapping_add(sum_of(record));
            }
        };
        if optional.is_empty() {
            while let Ok(records) = required.read() {
                records.for_each(&mut add);
            }
            return total;
        }
        loop {
            match required.poll(&mut add) {
                Ok(_) | Err(ReadError::Empty) => {}
                Err(_) => return total,
            }
            for subscription in &mut optional {
                if let Ok(record) = subscription.try_recv() {
                    black_box(sum_of(record));
                }
            }
        }
    });
    let nanoseconds = emit::<PAYLOAD, WORDS>(writer, work, events);
    let hits = if let Work::Filter(hits) = work { hits } else { 100 };
    assert_eq!(reading.join().expect("no panic"), expected::<WORDS>(events, hits));
    nanoseconds
}

fn emit<const PAYLOAD: usize, const WORDS: usize>(
    mut writer: Writer<PAYLOAD, BusySpin>,
    work: Work,
    events: u64,
) -> f64 {
    pin(Side::Producer);
    writer
        .begin_block(BlockStart { height: 1, time: 1, hash: Hash::new([1; 32]) })
        .expect("no block is open");
    let start = Instant::now();
    match work {
        Work::Batches(len) => {
            for first in (0..events).step_by(len as usize) {
                let mut batch = writer.batch();
                for number in first..first + len {
                    batch.emit(ORIGIN, &Whole::<WORDS>(words(number))).expect("it fits");
                }
                batch.publish().expect("nobody fails");
            }
        }
        Work::Filter(hits) => {
            for number in 0..events {
                // Made in each branch: made before, it would be kept in memory over the choice.
                if number % 100 < hits {
                    writer.emit(ORIGIN, &Whole::<WORDS>(words(number))).expect("nobody fails");
                } else {
                    writer.emit(ORIGIN, &Other(Whole::<WORDS>(words(number)))).expect("nobody fails");
                }
            }
        }
        _ => {
            for number in 0..events {
                writer.emit(ORIGIN, &Whole::<WORDS>(words(number))).expect("nobody fails");
            }
        }
    }
    start.elapsed().as_nanos() as f64 / events as f64
}

/// One row of the table: both in turns.
fn row(name: &str, slot: usize, extent: Extent, plain: impl Fn(u64) -> f64, bus: impl Fn(u64) -> f64) {
    let rounds = || (0..extent.rounds).map(|_| (plain(extent.events), bus(extent.events)));
    let (plain, bus): (Vec<f64>, Vec<f64>) = rounds().unzip();
    let (plain, bus) = (Spread::of(plain), Spread::of(bus));
    println!("| {name} | {slot} | {plain:.2} | {bus:.2} | {:.2} |", plain.median / bus.median);
}

fn main() {
    let extent = Extent::from_args();
    println!("| what | bytes a slot | plain ring, ns an event | bus, ns an event | bus to ring |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let all = [
        Work::Alone,
        Work::OneRequired,
        Work::Batches(50),
        Work::Filter(0),
        Work::Filter(10),
        Work::Filter(100),
        Work::Sixteen,
    ];
    for work in all {
        // A slot is a header of 8 words and the payload.
        row(
            &work.name(),
            128,
            extent,
            |events| plain::<16>(work, events),
            |events| bus::<64, 8>(work, events),
        );
        row(
            &work.name(),
            256,
            extent,
            |events| plain::<32>(work, events),
            |events| bus::<192, 24>(work, events),
        );
    }
    let short = "alone, 8 bytes of payload in a slot of 1,024";
    row(
        short,
        1_024,
        extent,
        |events| plain::<128>(Work::Alone, events),
        |events| bus::<960, 1>(Work::Alone, events),
    );
}
