//! Random streams of blocks, and what feeds them to a store.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use ringbus::Sequence;
use ringbus::bus::{Flags, Hash, Header, Kind, OwnedRecord, RecordRef, StreamId, Subscriber, Topic};
use ringbus_store::{BlockStore, ExactlyOnce};

/// The payload of a slot, bytes.
const SLOT: usize = 64;

/// The stream that all of them are.
pub(crate) fn stream() -> StreamId {
    StreamId::new("exchange")
}

/// A block of a stream, as it came about.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) is_repeated: bool,
    /// Whether it was said to its end. The core was restarted otherwise.
    pub(crate) ends: bool,
    /// Trace (0: the block) and bytes of payload of each record.
    pub(crate) events: Vec<(u8, usize)>,
}

/// Some blocks, some of which have no end, some the height of the one before.
pub(crate) fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let events = vec((0..4_u8, 0..300_usize), 1..8);
    let block = (prop::bool::weighted(0.3), prop::bool::weighted(0.75), events)
        .prop_map(|(is_repeated, ends, events)| Block { is_repeated, ends, events });
    vec(block, 1..9)
}

/// The hash of the block with this place in the stream.
pub(crate) fn block_hash(place: usize) -> Hash {
    let mut bytes = [0xB0; 32];
    bytes[1] = place as u8;
    Hash::new(bytes)
}

/// The hash of a transaction. A repeated block causes the same ones again.
pub(crate) fn transaction_hash(height: u64, number: u8) -> Hash {
    let mut bytes = [number; 32];
    bytes[1] = height as u8;
    Hash::new(bytes)
}

/// The records of these blocks, from sequence `first` on. Traces and kinds are one number.
pub(crate) fn records(blocks: &[Block], first: u64) -> Vec<OwnedRecord> {
    let (mut records, mut height, mut sequence) = (Vec::new(), 0, first);
    for (place, block) in blocks.iter().enumerate() {
        height += u64::from(place == 0 || !block.is_repeated);
        let last = block.events.len() - 1;
        for (at, &(trace, bytes)) in block.events.iter().enumerate() {
            let begins = if at == 0 { Flags::BEGINS_BLOCK } else { Flags::NONE };
            let ends = if at == last && block.ends { Flags::ENDS_BLOCK } else { Flags::NONE };
            let trace = if at == 0 || at == last { 0 } else { trace };
            let header = Header {
                trace: if trace == 0 { block_hash(place) } else { transaction_hash(height, trace) },
                block_time: 1_000 * place as i64 - 1,
                block_height: height,
                order: at as u32 + 1,
                kind: Kind::new(u16::from(trace)),
                topic: Topic::new(place as u16),
                source: ringbus::bus::Source::new(0xFFF0 + u16::from(trace)),
                trigger_kind: 0xF0 | trace,
                trigger_reason: at as u8,
                len: bytes.min(SLOT) as u16,
                flags: begins.with(ends).with(Flags::FIRST_FRAGMENT),
                version: 1 + trace % 2,
            };
            let payload: Vec<u8> = (0..bytes).map(|byte| (sequence as usize + byte) as u8).collect();
            records.push(RecordRef::new(Sequence::new(sequence), &header, &payload).into());
            sequence += bytes.div_ceil(SLOT).max(1) as u64;
        }
    }
    records
}

/// What a plain scan says that a store must have: the records from each beginning of a block that comes to its end.
pub(crate) fn kept(records: &[OwnedRecord]) -> Vec<OwnedRecord> {
    let (mut kept, mut open) = (Vec::new(), Vec::new());
    for record in records {
        if record.record().begins_block() {
            open.clear();
        }
        open.push(record.clone());
        if record.record().ends_block() {
            kept.append(&mut open);
        }
    }
    kept
}

/// As numbers and bytes, to be compared.
pub(crate) fn plain(records: &[OwnedRecord]) -> Vec<(u64, Header, Vec<u8>)> {
    let parts =
        |record: RecordRef<'_>| (record.sequence().get(), *record.header(), record.payload().to_vec());
    records.iter().map(|record| parts(record.record())).collect()
}

/// Calls a subscriber for a record as a subscription does.
pub(crate) fn tell<S: Subscriber>(subscriber: &mut S, record: &OwnedRecord) -> Result<(), S::Error> {
    let record = record.record();
    if record.begins_block() {
        subscriber.block_begun(record.header())?;
    }
    subscriber.record(record)?;
    if record.ends_block() { subscriber.block_ended(record.header()) } else { Ok(()) }
}

/// All of them, in batches of so many.
pub(crate) fn feed<S: Subscriber<Error: Debug>>(subscriber: &mut S, records: &[OwnedRecord], batch: usize) {
    for batch in records.chunks(batch) {
        batch.iter().for_each(|record| tell(subscriber, record).expect("it is in order"));
        subscriber.batch_ended().expect("it is in order");
    }
}

/// How a run of a store ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending {
    /// Without a word.
    Crash,
    /// By its worker.
    Shutdown,
}

/// A run of a store: fed from so many records before the point where it stopped, so many of them, in batches of so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) back: usize,
    pub(crate) take: usize,
    pub(crate) batch: usize,
    pub(crate) most_blocks: u64,
    pub(crate) ending: Ending,
}

pub(crate) fn runs() -> impl Strategy<Value = Vec<Run>> {
    let ending = prop_oneof![Just(Ending::Crash), Just(Ending::Shutdown)];
    let run = (0..12_usize, 0..20_usize, 1..8_usize, 1..4_u64, ending)
        .prop_map(|(back, take, batch, most_blocks, ending)| Run { back, take, batch, most_blocks, ending });
    vec(run, 0..6)
}

/// The place of the record to feed first.
pub(crate) fn place(records: &[OwnedRecord], resume_at: Option<Sequence>) -> usize {
    resume_at.map_or(0, |at| records.partition_point(|record| record.record().sequence() < at))
}

/// What a run must do, by the records alone: so many are passed over, so many blocks and records are taken, so many blocks abandoned.
pub(crate) fn check_stats<S: BlockStore>(
    store: &ExactlyOnce<S>,
    from: usize,
    resumed: usize,
    fed: &[OwnedRecord],
) {
    let stats = store.stats();
    let skipped = resumed.saturating_sub(from).min(fed.len());
    let new = &fed[skipped..];
    let kept = kept(new);
    let begun = new.iter().filter(|record| record.record().begins_block()).count();
    let ended = new.iter().filter(|record| record.record().ends_block()).count();
    let open = usize::from(new.last().is_some_and(|record| !record.record().ends_block()));
    assert_eq!(stats.skipped, skipped as u64);
    assert_eq!((stats.blocks, stats.records), (ended as u64, kept.len() as u64));
    assert_eq!(stats.abandoned, (begun - ended - open) as u64);
}
