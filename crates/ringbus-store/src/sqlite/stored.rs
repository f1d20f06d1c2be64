//! Rows as what they were.

use ringbus::Sequence;
use ringbus::bus::{Flags, Hash, Header, Kind, OwnedRecord, RecordRef, Source, Topic};
use rusqlite::Row;

/// A block of a store. Heights may repeat; numbers do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredBlock {
    /// Its number in the store, counted from 1.
    pub number: u64,
    /// Its height.
    pub height: u64,
    /// Its hash: the trace of the record that ended it.
    pub hash: Hash,
    /// Its time, nanoseconds since the beginning of 1970.
    pub time: i64,
    /// Its first sequence.
    pub first: Sequence,
    /// The first sequence behind it.
    pub next: Sequence,
    /// How many events it has.
    pub events: u64,
}

/// What makes [`event`] rows, of `events e` and `blocks b`. What is appended says which.
pub(super) const EVENTS: &str = "SELECT e.sequence, e.order_number, e.kind, e.topic, e.source, e.trigger_kind, e.trigger_reason, \
                                 e.version, e.flags, e.len, e.trace, e.payload, b.time, b.height ";

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<OwnedRecord> {
    let header = Header {
        order: row.get(1)?,
        kind: Kind::new(row.get(2)?),
        topic: Topic::new(row.get(3)?),
        source: Source::new(row.get(4)?),
        trigger_kind: row.get(5)?,
        trigger_reason: row.get(6)?,
        version: row.get(7)?,
        flags: bytemuck::cast::<u8, Flags>(row.get(8)?),
        len: row.get(9)?,
        trace: Hash::new(row.get(10)?),
        block_time: row.get(12)?,
        block_height: row.get(13)?,
    };
    Ok(RecordRef::new(Sequence::new(row.get(0)?), &header, row.get_ref(11)?.as_blob()?).into())
}

/// What makes [`block`] rows.
pub(super) const BLOCKS: &str =
    "SELECT b.number, b.height, b.hash, b.time, b.first_sequence, b.next_sequence, b.events FROM blocks b ";

pub(super) fn block(row: &Row<'_>) -> rusqlite::Result<StoredBlock> {
    Ok(StoredBlock {
        number: row.get(0)?,
        height: row.get(1)?,
        hash: Hash::new(row.get(2)?),
        time: row.get(3)?,
        first: Sequence::new(row.get(4)?),
        next: Sequence::new(row.get(5)?),
        events: row.get(6)?,
    })
}
