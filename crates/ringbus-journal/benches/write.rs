//! How fast a journal is written, beside a plain sequential `write` of as many bytes into the same file system.
//!
//! Each round writes the same number of bytes in each way, into new files, one after the other, in an order drawn anew. The first
//! round does not count: the kernel finds its memory for files in it.
//!
//! - *plain*: writes of 1 MiB, from memory that no cache holds, and nothing else. *Synced each quarter*: the file is synced as often as a
//!   journal that syncs each batch, which under load is a quarter of the ring, does it.
//! - *by hand*: records from memory, appended and written by this thread.
//! - *from a bus*: a core that emits as fast as it can, and a journal on its own thread, until all is written.
//!
//! *Written* ends when the last write has returned, *synced* when all is on the disk (for `EachBatch` it was so after each batch).
//!
//! ```text
//! cargo bench -p ringbus-journal --bench write
//! ```

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ringbus::Sequence;
use ringbus::bus::{BlockStart, Bus, Emit, Hash, Header, Kind, Origin, RecordRef, Topic};
use ringbus::wait::{BusySpin, Yield};
use ringbus_journal::{Durability, Extent as ReadExtent, Journal, JournalReader};

use spread::Spread;

#[path = "../../../benches/common/spread.rs"]
mod spread;

const CAPACITY: usize = 65_536;
/// What a record takes in a journal besides its payload.
const FRAME: usize = 4 + 64;
/// Events of a block.
const BLOCK: u64 = 1_000;

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    rounds: usize,
    bytes: usize,
}

impl Extent {
    fn from_args() -> Self {
        let given = |option: &str| std::env::args().any(|argument| argument == option);
        if given("--bench") && !given("--test") {
            Self { rounds: 5, bytes: 512 << 20 }
        } else {
            Self { rounds: 1, bytes: 1 << 20 }
        }
    }
}

/// Seconds until all was written, and until all was on the disk.
struct Took {
    written: f64,
    synced: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Plain,
    PlainSynced,
    ByHand,
    FromBus(Durability),
}

impl Way {
    const ALL: [Self; 6] = [
        Self::Plain,
        Self::PlainSynced,
        Self::ByHand,
        Self::FromBus(Durability::Never),
        Self::FromBus(Durability::EachBlock),
        Self::FromBus(Durability::EachBatch),
    ];

    fn name(self) -> String {
        match self {
            Self::Plain => "plain `write`".into(),
            Self::PlainSynced => "plain `write`, synced each quarter".into(),
            Self::ByHand => "journal by hand".into(),
            Self::FromBus(durability) => format!("journal from a bus, {durability:?}"),
        }
    }

    fn run<const PAYLOAD: usize>(self, directory: &Path, records: u64) -> Took {
        match self {
            Self::Plain => plain(directory, records as usize * (FRAME + PAYLOAD), usize::MAX),
            Self::PlainSynced => {
                plain(directory, records as usize * (FRAME + PAYLOAD), CAPACITY / 4 * (FRAME + PAYLOAD))
            }
            Self::ByHand => by_hand::<PAYLOAD>(directory, records),
            Self::FromBus(durability) => from_bus::<PAYLOAD>(directory, records, durability),
        }
    }
}

/// `sync_each`: bytes.
fn plain(directory: &Path, bytes: usize, sync_each: usize) -> Took {
    /// Larger than the processor's caches.
    const SOURCE: usize = 128 << 20;
    const PIECE: usize = 1 << 20;
    let source: Vec<u8> = (0..SOURCE / 8).flat_map(usize::to_ne_bytes).collect();
    let since = Instant::now();
    let mut file = File::create_new(directory.join("plain")).expect("the directory is empty");
    let (mut written, mut synced) = (0, 0);
    while written < bytes {
        let length = PIECE.min(bytes - written).min(sync_each.saturating_add(synced) - written);
        let at = written % (SOURCE - PIECE);
        file.write_all(&source[at..at + length]).expect("there is room");
        written += length;
        if written - synced == sync_each {
            file.sync_data().expect("there is room");
            synced = written;
        }
    }
    let written = since.elapsed().as_secs_f64();
    file.sync_data().expect("there is room");
    Took { written, synced: since.elapsed().as_secs_f64() }
}

/// One segment, so that nothing is synced before the end.
fn journal<const PAYLOAD: usize>(directory: &Path, durability: Durability) -> Journal {
    let builder =
        Journal::builder("bench").slot_payload(PAYLOAD).segment_bytes(u64::MAX).durability(durability);
    builder.open(directory).expect("the directory is empty")
}

/// What is carried. Not the same twice, so that no file system can store it as less.
#[inline(always)]
fn payload<const PAYLOAD: usize>(number: u64) -> [u8; PAYLOAD] {
    let mut payload = [0; PAYLOAD];
    for (place, word) in payload.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&(number ^ (place as u64) << 32).to_ne_bytes());
    }
    payload
}

fn by_hand<const PAYLOAD: usize>(directory: &Path, records: u64) -> Took {
    let since = Instant::now();
    let mut journal = journal::<PAYLOAD>(directory, Durability::Never);
    for number in 0..records {
        let header = Header { len: PAYLOAD as u16, block_height: number / BLOCK, ..Header::default() };
        let payload = payload::<PAYLOAD>(number);
        let record = RecordRef::new(Sequence::new(number), &header, &payload);
        journal.append(record).expect("there is room");
        if number % 4_096 == 4_095 {
            journal.end_batch(false).expect("there is room");
        }
    }
    journal.end_batch(false).expect("there is room");
    let written = since.elapsed().as_secs_f64();
    assert_eq!(journal.close().expect("there is room").get(), records);
    Took { written, synced: since.elapsed().as_secs_f64() }
}

fn from_bus<const PAYLOAD: usize>(directory: &Path, records: u64, durability: Durability) -> Took {
    let since = Instant::now();
    let journal = journal::<PAYLOAD>(directory, durability);
    let (mut writer, bus) =
        Bus::<PAYLOAD>::builder("bench").capacity(CAPACITY).wait(Yield).build().expect("good settings");
    let subscription = bus.subscribe("journal").required().wait(Yield).join().expect("a free place");
    let recording = journal.record(subscription).expect("a thread");
    let progress = recording.progress();
    let mut next = Sequence::new(0);
    for block in 0..records / BLOCK {
        let start = BlockStart { height: block, time: block as i64, hash: Hash::new([1; 32]) };
        writer.begin_block(start).expect("the journal goes on");
        // The beginning and the end of the block are records too.
        for number in 2..BLOCK {
            let payload = payload::<PAYLOAD>(block * BLOCK + number);
            let emitted = writer.emit_bytes(Origin::default(), Kind::new(7), Topic::default(), &payload);
            emitted.expect("the journal goes on");
        }
        next = writer.end_block().expect("the journal goes on");
    }
    writer.close().expect("the journal goes on");
    progress.wait_for_with(next, since + Duration::from_secs(600), &mut BusySpin).expect("it gets there");
    let written = since.elapsed().as_secs_f64();
    recording.join().expect("there is room");
    Took { written, synced: since.elapsed().as_secs_f64() }
}

/// The rows of one size of payload.
fn rows<const PAYLOAD: usize>(extent: Extent) {
    let records = (extent.bytes / (FRAME + PAYLOAD)) as u64 / BLOCK * BLOCK;
    let mut took: Vec<Vec<Took>> = Way::ALL.iter().map(|_| Vec::new()).collect();
    for round in 0..=extent.rounds {
        let mut order: Vec<usize> = (0..Way::ALL.len()).collect();
        fastrand::shuffle(&mut order);
        for way in order {
            let directory = tempfile::tempdir().expect("a place for files");
            settle();
            let this = Way::ALL[way].run::<PAYLOAD>(directory.path(), records);
            if round > 0 {
                took[way].push(this);
            }
            if !matches!(Way::ALL[way], Way::Plain | Way::PlainSynced) {
                check(directory.path(), records);
            }
        }
    }
    let megabytes = (records as usize * (FRAME + PAYLOAD)) as f64 / 1e6;
    let rates =
        |way: usize, of: fn(&Took) -> f64| Spread::of(took[way].iter().map(|took| megabytes / of(took)));
    let plain = |way: usize| (rates(way, |took| took.written).median, rates(way, |took| took.synced).median);
    let (plain, plain_synced) = (plain(0), plain(1));
    for (way, name) in Way::ALL.into_iter().map(Way::name).enumerate() {
        let written = rates(way, |took| took.written);
        let synced = rates(way, |took| took.synced);
        println!(
            "| {PAYLOAD} | {name} | {written:.0} | {:.2} | {synced:.0} | {:.2} | {:.2} | {:.1} |",
            written.median / plain.0,
            synced.median / plain.1,
            synced.median / plain_synced.1,
            written.median / (FRAME + PAYLOAD) as f64,
        );
    }
}

/// Lets the file system finish what the run before has left to it: the removal of its files.
fn settle() {
    let settled = Command::new("sync").status().expect("it is there on every Unix");
    assert!(settled.success());
}

/// What was written can be read.
fn check(directory: &Path, records: u64) {
    let mut reader = JournalReader::open(directory, ReadExtent::Written).expect("it can be read");
    let mut read = 0;
    while reader.next().expect("it can be read").is_some() {
        read += 1;
    }
    assert!(read >= records, "{read} of {records}");
}

fn main() {
    let extent = Extent::from_args();
    println!(
        "| bytes of payload | way | written, MB/s | to plain | synced, MB/s | to plain | to plain synced each quarter | written, M records/s |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    rows::<64>(extent);
    rows::<192>(extent);
    rows::<960>(extent);
}
