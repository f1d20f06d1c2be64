//! What the tests of the journal share: records that tell where they belong, and reading a journal to its end.
#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod sample;

use std::sync::Arc;

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::bus::{Flags, Hash, Header, Kind, RecordRef};
use ringbus_journal::testing::{Crash, SimulatedDisk};
use ringbus_journal::{Extent, Journal, JournalBuilder, JournalError, JournalReader};

/// The stream of all journals here.
pub(crate) const STREAM: &str = "testnet";
/// The bytes of payload in a slot.
pub(crate) const SLOT: usize = 192;
/// So many records make a block.
pub(crate) const BLOCK: u64 = 5;

/// A record: its sequence, its header, its payload.
pub(crate) type Plain = (u64, Header, Vec<u8>);

/// What `record` is.
pub(crate) fn plain(record: RecordRef<'_>) -> Plain {
    (record.sequence().get(), *record.header(), record.payload().to_vec())
}

/// As it is handed to a journal.
pub(crate) fn as_record(record: &Plain) -> RecordRef<'_> {
    RecordRef::new(Sequence::new(record.0), &record.1, &record.2)
}

/// The sequence behind a record.
pub(crate) fn end_of(record: &Plain) -> u64 {
    as_record(record).next_sequence().get()
}

/// The record with this number among those of a stream, with a payload of `length` bytes. Blocks have [`BLOCK`] records, every second
/// of which has the trace of the one before; blocks are a thousand nanoseconds apart. `life` goes into the payload, so that records that were lost can be told from
/// those that came in their place.
pub(crate) fn record(sequence: u64, number: u64, life: u8, length: usize) -> Plain {
    let mut flags = Flags::FIRST_FRAGMENT.with(Flags::LAST_FRAGMENT);
    if number.is_multiple_of(BLOCK) {
        flags = flags.with(Flags::BEGINS_BLOCK);
    }
    if number % BLOCK == BLOCK - 1 {
        flags = flags.with(Flags::ENDS_BLOCK);
    }
    let header = Header {
        trace: trace(number / 2),
        block_height: number / BLOCK,
        block_time: (number / BLOCK) as i64 * 1_000,
        order: (number % BLOCK) as u32 + 1,
        kind: Kind::new(100),
        len: length.min(SLOT) as u16,
        flags,
        ..Header::default()
    };
    let payload = (0..length as u64).map(|at| (number * 31 + at * 7) as u8 ^ life).collect();
    (sequence, header, payload)
}

/// A trace with this number.
pub(crate) fn trace(number: u64) -> Hash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Hash::new(bytes)
}

/// So many records from `first` on: none that is empty, some that take several slots.
pub(crate) fn records(first: u64, count: u64) -> Vec<Plain> {
    records_of(first, count, |number| match number % 7 {
        0 => 0,
        3 => SLOT,
        5 => 2 * SLOT + 1 + number as usize % 50,
        other => 10 + other as usize,
    })
}

/// So many records from `first` on, with payloads of these lengths.
pub(crate) fn records_of(first: u64, count: u64, length: impl Fn(u64) -> usize) -> Vec<Plain> {
    let mut sequence = first;
    let mut records = Vec::new();
    for number in 0..count {
        let record = record(sequence, number, 0, length(number));
        sequence = end_of(&record);
        records.push(record);
    }
    records
}

/// So many records from `first` on, each in one slot of `length` bytes.
pub(crate) fn single(first: u64, count: u64, length: usize) -> Vec<Plain> {
    let record = |number| {
        let (sequence, header, payload) = record(first + number, number, 0, length);
        (sequence, Header { len: length as u16, ..header }, payload)
    };
    (0..count).map(record).collect()
}

/// A schema that takes few bytes.
pub(crate) fn small_schema(version: u32) -> Schema {
    Schema::new("Small", version, []).expect("a schema")
}

/// Settings of a journal with a small schema.
pub(crate) fn settings() -> JournalBuilder {
    Journal::builder(STREAM).schema(&small_schema(1)).slot_payload(SLOT)
}

/// Opens the journal on this disk.
pub(crate) fn open(disk: &SimulatedDisk, settings: JournalBuilder) -> Result<Journal, JournalError> {
    settings.open_in(Arc::new(disk.clone()))
}

/// Appends them; the batch goes on.
pub(crate) fn append(journal: &mut Journal, records: &[Plain]) -> Result<(), JournalError> {
    records.iter().try_for_each(|record| journal.append(as_record(record)))
}

/// Appends them as one batch. Returns how far the journal is durable then.
pub(crate) fn write(journal: &mut Journal, records: &[Plain]) -> Result<u64, JournalError> {
    append(journal, records)?;
    journal.end_batch(false).map(Sequence::get)
}

/// Reads the journal on this disk.
pub(crate) fn reader(disk: &SimulatedDisk, extent: Extent) -> JournalReader {
    JournalReader::open_in(Arc::new(disk.clone()), extent).expect("a directory that can be read")
}

/// Everything from where the reader is to the end.
pub(crate) fn rest(reader: &mut JournalReader) -> Result<Vec<Plain>, JournalError> {
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push(plain(record));
    }
    Ok(records)
}

/// Everything that is written.
pub(crate) fn all(disk: &SimulatedDisk) -> Vec<Plain> {
    rest(&mut reader(disk, Extent::Written)).expect("a journal that can be read")
}

/// The names of all segments, in order.
pub(crate) fn segments(disk: &SimulatedDisk) -> Vec<String> {
    disk.names().into_iter().filter(|name| name.ends_with(".journal")).collect()
}

/// The name of the segment that begins with this sequence.
pub(crate) fn segment(first: u64) -> String {
    format!("{first:020}.journal")
}

/// The name of its index.
pub(crate) fn index(first: u64) -> String {
    format!("{first:020}.index")
}

/// All files and what is in them.
pub(crate) fn files(disk: &SimulatedDisk) -> Vec<(String, Vec<u8>)> {
    let names = disk.names().into_iter();
    names.map(|name| (name.clone(), disk.file(&name).expect("it was listed"))).collect()
}

/// A disk with these files.
pub(crate) fn disk_of(files: &[(String, Vec<u8>)]) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    for (name, bytes) in files {
        disk.put(name, bytes.clone());
    }
    disk
}

/// Each of the things that a power cut can do to a disk that has stopped.
pub(crate) fn crashes(seed: u64) -> [Crash; 5] {
    let random = [Crash::random(seed), Crash::random(seed + 1)];
    [Crash::keep_nothing(), Crash::keep_everything(), Crash::reordered(seed), random[0], random[1]]
}
