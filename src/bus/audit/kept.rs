//! What the log keeps of records and blocks.

use super::super::hash::Hash;
use super::super::record::Header;
use super::super::record_ref::RecordRef;
use super::queue::Keyed;
use crate::sequence::Sequence;

/// A record.
pub(super) struct KeptRecord {
    /// A [`Header`], as words: so that it takes no more room than it has bytes.
    header: [u64; 8],
    pub(super) sequence: Sequence,
    /// The number of its block.
    pub(super) block: u64,
    pub(super) payload: Box<[u8]>,
}

impl KeptRecord {
    pub(super) fn new(record: &RecordRef<'_>, block: u64) -> Self {
        Self {
            header: bytemuck::cast(*record.header()),
            sequence: record.sequence(),
            block,
            payload: record.payload().into(),
        }
    }

    pub(super) fn header(&self) -> Header {
        bytemuck::cast(self.header)
    }

    /// The first sequence behind its last fragment.
    pub(super) fn end(&self) -> Sequence {
        RecordRef::new(self.sequence, &self.header(), &self.payload).next_sequence()
    }
}

impl Keyed for KeptRecord {
    type Key = Hash;

    fn key(&self) -> Hash {
        self.header().trace
    }
}

/// A block, or as much of it as was seen between two losses.
pub(super) struct KeptBlock {
    pub(super) height: u64,
    /// Known once its beginning or its end has been seen.
    pub(super) hash: Option<Hash>,
    /// The number of the first of its records that are kept, or of the next one that comes.
    pub(super) first: u64,
    /// How many of its records are kept.
    pub(super) records: u64,
    /// Sequences that were lost directly before its first record, if that is kept; else 0.
    pub(super) lost_before: u64,
    /// Whether records of it were evicted.
    pub(super) evicted: bool,
    pub(super) beginning: Beginning,
    pub(super) ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    Seen,
    /// Lost, or before it.
    Lost,
    /// Before the log's own beginning.
    BeforeLog,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Seen,
    /// Lost, or after it.
    Lost,
    /// Has not come yet.
    Awaited,
}

impl Keyed for KeptBlock {
    type Key = u64;

    fn key(&self) -> u64 {
        self.height
    }
}
