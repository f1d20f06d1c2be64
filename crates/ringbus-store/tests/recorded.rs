//! A recording, from a bus into a journal, and from the journal into a store: every answer of the store is that of a plain scan of the
//! recording. Generated events, and the recorded ones where `RINGBUS_RECORDED_EVENTS` names their file.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::Path;

use recorded::{Generator, Reader, RecordedEvent, Settings, kind};
use ringbus::Sequence;
use ringbus::bus::{Bus, Cause, Hash, Kind, OwnedRecord};
use ringbus_journal::{Extent, Journal, JournalReader};
use ringbus_store::ExactlyOnce;
use ringbus_store::sqlite::{Sqlite, SqliteReader};

/// The payload of a slot, bytes: two thirds of the events fit.
const PAYLOAD: usize = 448;

/// Plays the events onto a bus, which a journal listens to, and lets a store follow the journal. Returns the events' sequences, and where
/// the journal ends.
fn keep(events: &[RecordedEvent], directory: &Path) -> (Vec<Sequence>, Sequence) {
    let stream = &*events[0].chain_id;
    let place = directory.join("journal");
    let journal = Journal::builder(stream).slot_payload(PAYLOAD).open(&place).unwrap();
    let (writer, bus) = Bus::<PAYLOAD>::builder(stream).capacity(1 << 12).build().unwrap();
    let recording = journal.record(bus.subscribe("journal").required().join().unwrap()).unwrap();
    let store = Sqlite::builder(stream, bus.schema()).open(directory.join("store.db")).unwrap();
    let store = ExactlyOnce::new(store, bus.stream()).unwrap();
    let reader = JournalReader::open(&place, Extent::Durable).unwrap();
    let following = reader.follow("store").from(Sequence::new(0)).spawn(store).unwrap();

    let mut forwarder = writer.forward_from(bus.stream()).unwrap();
    let sequences =
        events.iter().map(|event| forwarder.forward(&event.header(), &event.encoded).unwrap()).collect();
    forwarder.close().unwrap();
    let end = recording.join().unwrap().next;
    following.finish_at(end);
    following.join().unwrap();
    (sequences, end)
}

/// What was recorded of a block.
struct Emission<'a> {
    events: &'a [RecordedEvent],
    sequences: &'a [Sequence],
}

impl Emission<'_> {
    fn has_ended(&self) -> bool {
        self.events.last().is_some_and(|event| event.kind == kind::END_BLOCK)
    }
}

/// What a plain scan of a recording finds.
struct Scan<'a> {
    /// Of the blocks that come to their end.
    emissions: Vec<Emission<'a>>,
    /// The events behind them, of a block that does not.
    unfinished: usize,
    /// What each transaction has caused: places in the recording.
    transactions: BTreeMap<[u8; 32], Vec<usize>>,
}

impl<'a> Scan<'a> {
    fn of(events: &'a [RecordedEvent], sequences: &'a [Sequence]) -> Self {
        let (mut emissions, mut from) = (Vec::new(), 0);
        for part in events.chunk_by(|a, b| a.block == b.block) {
            let to = from + part.len();
            emissions.push(Emission { events: part, sequences: &sequences[from..to] });
            from = to;
        }
        let unfinished = emissions.pop_if(|last| !last.has_ended()).map_or(0, |last| last.events.len());
        assert!(emissions.iter().all(Emission::has_ended));
        let mut transactions = BTreeMap::<_, Vec<_>>::new();
        for (place, event) in events.iter().enumerate().filter(|(_, event)| event.caused_by_transaction()) {
            transactions.entry(event.tx_hash).or_default().push(place);
        }
        Self { emissions, unfinished, transactions }
    }

    fn caused(&self) -> usize {
        self.transactions.values().map(Vec::len).sum()
    }

    fn heights(&self) -> BTreeSet<u64> {
        self.emissions.iter().map(|emission| emission.events[0].height).collect()
    }
}

/// Whether the records are these events, at these sequences.
fn same<'a>(
    found: &[OwnedRecord],
    events: impl ExactSizeIterator<Item = (&'a RecordedEvent, &'a Sequence)>,
) -> bool {
    found.len() == events.len()
        && found.iter().zip(events).all(|(found, (event, sequence))| is(found, event, *sequence))
}

fn is(found: &OwnedRecord, event: &RecordedEvent, sequence: Sequence) -> bool {
    let (found, expected) = (found.record(), event.header());
    found.sequence() == sequence
        && found.payload() == event.encoded
        && (found.trace(), found.kind(), found.header().version)
            == (expected.trace, expected.kind, expected.version)
        && (found.block_height(), found.order()) == (event.height, event.order)
}

/// Compares all that can be asked of a store with the scan.
fn check(events: &[RecordedEvent], sequences: &[Sequence], scan: &Scan<'_>, store: &SqliteReader) {
    let kept = events.len() - scan.unfinished;
    let checkpoint = store.checkpoint().unwrap().unwrap();
    assert_eq!((checkpoint.records, checkpoint.blocks), (kept as u64, scan.emissions.len() as u64));
    let rows: u64 =
        store.connection().query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, kept as u64);
    assert!(
        store.schema().unwrap().events().is_empty(),
        "a recording has no schema, and the bus's own kinds need none"
    );

    for (number, Emission { events, sequences }) in (1..).zip(&scan.emissions) {
        let block = store.block(number).unwrap().unwrap();
        assert_eq!((block.height, block.hash), (events[0].height, Hash::new(events[0].block)));
        assert_eq!((block.first, block.events), (sequences[0], events.len() as u64));
        assert!(same(&store.events_of(&block).unwrap(), events.iter().zip(*sequences)), "block {number}");
    }
    assert_eq!(store.block(scan.emissions.len() as u64 + 1).unwrap(), None);
    for height in scan.heights() {
        let expected = scan.emissions.iter().filter(|emission| emission.events[0].height == height);
        let hashes: Vec<_> =
            store.blocks_at(height).unwrap().iter().map(|block| *block.hash.bytes()).collect();
        assert_eq!(hashes, expected.map(|emission| emission.events[0].block).collect::<Vec<_>>());
    }

    for (event, sequence) in events.iter().zip(sequences).take(kept) {
        let hash = Hash::new(event.tx_hash);
        let cause = if event.caused_by_transaction() { Cause::Transaction(hash) } else { Cause::Block(hash) };
        assert_eq!(store.cause_of(*sequence).unwrap(), Some(cause), "{sequence}");
    }
    for (hash, places) in &scan.transactions {
        let caused = || places.iter().map(|&place| (&events[place], &sequences[place]));
        let hash = Hash::new(*hash);
        assert!(same(&store.transaction(&hash).unwrap(), caused()), "{hash}");
        // The same, by an audit log that is filled from the store.
        let answer = store.audit(&store.blocks_with(&hash).unwrap()).unwrap().transaction(&hash);
        assert!(answer.is_complete(), "{hash}");
        let answer: Vec<_> = answer.records().map(OwnedRecord::from).collect();
        assert!(same(&answer, caused()), "{hash}");
    }

    let mut kinds = BTreeMap::new();
    for event in &events[..kept] {
        *kinds.entry(event.kind).or_insert(0_u64) += 1;
    }
    let kinds: Vec<_> = kinds.into_iter().map(|(kind, count)| (Kind::new(kind), count)).collect();
    assert_eq!(store.kinds().unwrap(), kinds);
}

/// Checks that the journal has each event once.
fn check_journal(events: &[RecordedEvent], sequences: &[Sequence], place: &Path) {
    let mut reader = JournalReader::open(place, Extent::Durable).unwrap();
    let mut found = 0;
    while let Some(record) = reader.next().unwrap() {
        assert!(is(&record.into(), &events[found], sequences[found]), "event {found}");
        found += 1;
    }
    assert_eq!(found, events.len());
}

/// Keeps them, compares what was kept with a scan, and returns that.
fn keep_and_check<'a>(events: &'a [RecordedEvent], sequences: &'a mut Vec<Sequence>) -> Scan<'a> {
    let directory = tempfile::tempdir().unwrap();
    let end;
    (*sequences, end) = keep(events, directory.path());
    let taken: usize = events.iter().map(|event| event.encoded.len().div_ceil(PAYLOAD)).sum();
    assert_eq!(end.get(), taken as u64);
    check_journal(events, sequences, &directory.path().join("journal"));
    let scan = Scan::of(events, sequences);
    check(events, sequences, &scan, &SqliteReader::open(directory.path().join("store.db")).unwrap());
    scan
}

#[test]
fn generated_events_come_out_of_the_store_as_a_plain_scan_finds_them() {
    let events: Vec<_> =
        Generator::new(Settings { seed: 3, blocks: 400, unfinished_last_block: true }).collect();
    let mut sequences = Vec::new();
    let scan = keep_and_check(&events, &mut sequences);
    // 400 heights, the first of them twice; and the last does not end.
    assert_eq!((scan.emissions.len(), scan.heights().len(), scan.unfinished), (400, 399, 1));
    assert!(scan.transactions.len() > 10 && scan.caused() > 2 * scan.transactions.len());
}

#[test]
fn the_recorded_events_come_out_of_the_store_as_a_plain_scan_finds_them() {
    let Some(path) = env::var_os("RINGBUS_RECORDED_EVENTS").filter(|path| !path.is_empty()) else {
        eprintln!("passed without a check: RINGBUS_RECORDED_EVENTS does not name the recorded file");
        return;
    };
    let reader = Reader::open(path).unwrap_or_else(|error| panic!("{error}"));
    let events: Vec<_> = reader.map(|event| event.unwrap_or_else(|error| panic!("{error}"))).collect();
    let mut sequences = Vec::new();
    let scan = keep_and_check(&events, &mut sequences);
    assert_eq!(events.len(), 31_837);
    // 5,002 heights, the first of them twice. The last has its beginning alone: the journal keeps it, and a store no part of a block.
    assert_eq!((scan.emissions.len(), scan.heights().len(), scan.unfinished), (5_002, 5_001, 1));
    assert_eq!((scan.transactions.len(), scan.caused()), (315, 2_181));
    eprintln!(
        "{} events in the journal, {} blocks in the store, {} transactions with {} events",
        events.len(),
        scan.emissions.len(),
        scan.transactions.len(),
        scan.caused()
    );
}
