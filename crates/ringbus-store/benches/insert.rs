//! What the store costs over a bare loop of the same inserts, and what each index costs.
//!
//! Records lie in memory. The *bare loop* knows where blocks end and which traces and kinds they have, checks nothing, and executes
//! prepared statements: all the inserts that the store does, in the same transactions. It runs on the same tables with the same settings,
//! in turns with the store, round by round, each time into a new file. Medians are shown.
//!
//! - *store*: fed from memory.
//! - *store, from the journal*: it follows a journal, on a thread of its own.
//!
//! On two streams:
//!
//! - *recording*: what `recorded` generates: blocks of 6 records on average, 300 bytes each.
//! - *exchange*: blocks of 200 records of 48 bytes, five to a transaction.
//!
//! ```text
//! cargo bench -p ringbus-store
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use recorded::{Generator, Settings};
use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::bus::{Flags, Hash, Header, Kind, OwnedRecord, RecordRef, StreamId, Subscriber};
use ringbus_journal::{Durability, Extent as ReadExtent, Journal, JournalReader};
use ringbus_store::ExactlyOnce;
use ringbus_store::sqlite::rusqlite::{Connection, params};
use ringbus_store::sqlite::{Sqlite, SqliteBuilder, SqliteReader};

/// So many records are at hand at once.
const BATCH: usize = 1_024;
/// The payload of a slot, bytes.
const SLOT: usize = 192;

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    rounds: usize,
    blocks: u64,
}

impl Extent {
    fn from_args() -> Self {
        let given = |option: &str| std::env::args().any(|argument| argument == option);
        if given("--bench") && !given("--test") {
            Self { rounds: 9, blocks: 20_000 }
        } else {
            Self { rounds: 1, blocks: 50 }
        }
    }
}

fn main() {
    let extent = Extent::from_args();
    let exchange = exchange(extent.blocks / 40 + 2);
    println!("| stream | way | records/s | to the bare loop |");
    println!("| --- | --- | ---: | ---: |");
    for (name, records) in [("recording", recording(extent.blocks)), ("exchange", exchange)] {
        measure(name, &records, extent.rounds);
    }
}

/// One behind the other on a bus.
#[derive(Default)]
struct Stream {
    records: Vec<OwnedRecord>,
    next: u64,
}

impl Stream {
    fn push(&mut self, header: Header, payload: &[u8]) {
        let header = Header { len: payload.len().min(SLOT) as u16, ..header };
        self.records.push(RecordRef::new(Sequence::new(self.next), &header, payload).into());
        self.next += payload.len().div_ceil(SLOT).max(1) as u64;
    }
}

fn recording(blocks: u64) -> Vec<OwnedRecord> {
    let mut stream = Stream::default();
    for event in Generator::new(Settings { seed: 1, blocks, unfinished_last_block: false }) {
        stream.push(event.header(), &event.encoded);
    }
    stream.records
}

fn exchange(blocks: u64) -> Vec<OwnedRecord> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut stream = Stream::default();
    for block_height in 1..=blocks {
        let (block, mut transaction) = (hash(&mut random), Hash::default());
        for order in 1..=200 {
            if order % 5 == 1 {
                transaction = hash(&mut random);
            }
            let (trace, flags) = match order {
                1 => (block, Flags::BEGINS_BLOCK),
                200 => (block, Flags::ENDS_BLOCK),
                _ => (transaction, Flags::NONE),
            };
            let kind = Kind::new(random.u16(1..20));
            let header = Header { trace, flags, kind, block_height, order, version: 1, ..Header::default() };
            stream.push(header, &[random.u8(..); 48]);
        }
    }
    stream.records
}

fn hash(random: &mut fastrand::Rng) -> Hash {
    Hash::new(std::array::from_fn(|_| random.u8(..)))
}

/// Who fills a file.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Store,
    /// The store, which follows a journal.
    FromJournal,
    Bare,
    /// The bare loop, without these rows.
    WithoutTraces,
    /// The bare loop, after this statement.
    With(&'static str),
}

const WAYS: [Way; 7] = [
    Way::Bare,
    Way::Store,
    Way::FromJournal,
    Way::WithoutTraces,
    Way::With("DROP INDEX blocks_by_height"),
    Way::With("CREATE INDEX events_by_kind ON events (kind)"),
    Way::With("CREATE INDEX events_by_trace ON events (trace)"),
];

fn measure(name: &str, records: &[OwnedRecord], rounds: usize) {
    let transactions = transactions(records);
    let journal = tempfile::tempdir().expect("there is a place for temporary files");
    write(journal.path(), records);
    let mut times = vec![Vec::new(); WAYS.len()];
    for _ in 0..rounds {
        for (way, times) in WAYS.iter().zip(&mut times) {
            times.push(run(*way, records, &transactions, journal.path()));
        }
    }
    let medians: Vec<Duration> = times
        .into_iter()
        .map(|mut times| {
            times.sort();
            times[times.len() / 2]
        })
        .collect();
    for (way, median) in WAYS.iter().zip(&medians) {
        let rate = records.len() as f64 / median.as_secs_f64();
        let ratio = medians[0].as_secs_f64() / median.as_secs_f64();
        let said = match way {
            Way::Bare => "bare loop".to_owned(),
            Way::Store => "store".to_owned(),
            Way::FromJournal => "store, from the journal".to_owned(),
            Way::WithoutTraces => "bare loop, no rows in traces".to_owned(),
            Way::With(statement) => format!("bare loop, {statement}"),
        };
        println!("| {name} | {said} | {rate:.0} | {ratio:.2} |");
    }
}

/// A transaction of the store's: its blocks, and how many records it has of each kind.
struct Transaction<'a> {
    blocks: Vec<Block<'a>>,
    kinds: BTreeMap<Kind, u64>,
}

/// A block's records, and where each trace stands among them: first, last, how many.
struct Block<'a> {
    records: &'a [OwnedRecord],
    traces: BTreeMap<Hash, (u64, u64, u64)>,
}

fn transactions(records: &[OwnedRecord]) -> Vec<Transaction<'_>> {
    let (mut transactions, mut begin) = (Vec::new(), 0);
    for (place, batch) in records.chunks(BATCH).enumerate() {
        let mut blocks = Vec::new();
        for (at, record) in batch.iter().enumerate() {
            if record.record().ends_block() {
                let end = place * BATCH + at + 1;
                blocks.push(block(&records[begin..end]));
                begin = end;
            }
        }
        if !blocks.is_empty() {
            let mut kinds = BTreeMap::new();
            for record in blocks.iter().flat_map(|block| block.records) {
                *kinds.entry(record.record().kind()).or_insert(0) += 1;
            }
            transactions.push(Transaction { blocks, kinds });
        }
    }
    transactions
}

fn block(records: &[OwnedRecord]) -> Block<'_> {
    let mut traces = BTreeMap::new();
    for record in records {
        let sequence = record.record().sequence().get();
        let trace = traces.entry(record.record().trace()).or_insert((sequence, sequence, 0));
        *trace = (trace.0, sequence, trace.2 + 1);
    }
    Block { records, traces }
}

fn run(way: Way, records: &[OwnedRecord], transactions: &[Transaction<'_>], journal: &Path) -> Duration {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let file = dir.path().join("store.db");
    let time = match way {
        Way::Store => through_the_store(&file, records),
        Way::FromJournal => from_the_journal(&file, journal),
        _ => bare(&file, way, transactions),
    };
    let found = SqliteReader::open(&file).expect("it was made").checkpoint().expect("it is there");
    assert_eq!(found.map(|found| found.records), Some(records.len() as u64));
    time
}

fn settings() -> SqliteBuilder {
    let schema = Schema::new("Nothing", 1, []).expect("there is nothing wrong with it");
    Sqlite::builder("exchange", &schema)
}

fn through_the_store(file: &Path, records: &[OwnedRecord]) -> Duration {
    let store = settings().open(file).expect("it can be made");
    let mut store = ExactlyOnce::new(store, &StreamId::new("exchange")).expect("it is empty");
    let start = Instant::now();
    for batch in records.chunks(BATCH) {
        for record in batch {
            store.record(record.record()).expect("it is in order");
        }
        store.batch_ended().expect("it is in order");
    }
    start.elapsed()
}

fn write(directory: &Path, records: &[OwnedRecord]) {
    let journal = Journal::builder("exchange").slot_payload(SLOT).durability(Durability::Never);
    let mut journal = journal.open(directory).expect("it is empty");
    for record in records {
        journal.append(record.record()).expect("there is room");
    }
    journal.close().expect("there is room");
}

fn from_the_journal(file: &Path, journal: &Path) -> Duration {
    let store = settings().open(file).expect("it can be made");
    let store = ExactlyOnce::new(store, &StreamId::new("exchange")).expect("it is empty");
    let end = JournalReader::open(journal, ReadExtent::Written).and_then(|mut reader| {
        while reader.next()?.is_some() {}
        Ok(reader.next_sequence().expect("it has records"))
    });
    let start = Instant::now();
    let reader = JournalReader::open(journal, ReadExtent::Durable).expect("it was written");
    let following = reader.follow("store").spawn(store).expect("a thread");
    following.finish_at(end.expect("it was written"));
    following.join().expect("it is in order");
    start.elapsed()
}

fn bare(file: &Path, way: Way, transactions: &[Transaction<'_>]) -> Duration {
    drop(settings().open(file).expect("it can be made"));
    let connection = Connection::open(file).expect("it was made");
    connection.pragma_update(None, "synchronous", "NORMAL").expect("a setting");
    connection.pragma_update(None, "cache_size", -(64 << 10)).expect("a setting");
    if let Way::With(statement) = way {
        connection.execute_batch(statement).expect("it can be done");
    }
    let start = Instant::now();
    insert(&connection, transactions, way != Way::WithoutTraces).expect("there is room");
    start.elapsed()
}

fn insert(
    connection: &Connection,
    transactions: &[Transaction<'_>],
    has_traces: bool,
) -> ringbus_store::sqlite::rusqlite::Result<()> {
    let mut event = connection.prepare("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")?;
    let mut block = connection.prepare("INSERT INTO blocks VALUES (?,?,?,?,?,?,?)")?;
    let mut trace = connection.prepare("INSERT INTO traces VALUES (?,?,?,?,?)")?;
    let mut kind = connection.prepare(
        "INSERT INTO kinds VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET events = events + excluded.events",
    )?;
    let mut checkpoint = connection.prepare("INSERT OR REPLACE INTO checkpoint VALUES (1,?,?,?,?,?,?)")?;
    let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
    let mut commit = connection.prepare("COMMIT")?;
    let (mut blocks, mut records) = (0_u64, 0_u64);
    for transaction in transactions {
        begin.execute([])?;
        let (mut next, mut last) = (0, Header::default());
        for of_block in &transaction.blocks {
            blocks += 1;
            let first = of_block.records[0].record().sequence().get();
            for record in of_block.records {
                let (record, header) = (record.record(), record.record().header());
                event.execute(params![
                    record.sequence().get(),
                    blocks,
                    header.order,
                    header.kind.get(),
                    header.topic.get(),
                    header.source.get(),
                    header.trigger_kind,
                    header.trigger_reason,
                    header.version,
                    bytemuck::cast::<Flags, u8>(header.flags),
                    header.len,
                    header.trace.bytes(),
                    record.payload(),
                ])?;
                (next, last) = (record.sequence().get() + 1, *header);
            }
            if has_traces {
                for (hash, (first, last, events)) in &of_block.traces {
                    trace.execute(params![hash.bytes(), blocks, first, last, events])?;
                }
            }
            let events = of_block.records.len();
            let (hash, time) = (last.trace.bytes(), last.block_time);
            block.execute(params![blocks, last.block_height, hash, time, first, next, events])?;
            records += events as u64;
        }
        for (of_kind, events) in &transaction.kinds {
            kind.execute(params![of_kind.get(), events])?;
        }
        let (height, time, hash) = (last.block_height, last.block_time, last.trace.bytes());
        checkpoint.execute(params![next, height, time, hash, blocks, records])?;
        commit.execute([])?;
    }
    Ok(())
}
