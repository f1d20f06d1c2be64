//! Where a store stopped.

use std::fmt;

use ringbus::Sequence;
use ringbus::bus::{Hash, StreamId};

/// Where a store stopped: behind the last record of a block. It is written together with the rows that it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The stream whose records the store keeps.
    pub stream: StreamId,
    /// The first sequence that the store has not seen: what to feed it from.
    pub next: Sequence,
    /// The height of its last block.
    pub height: u64,
    /// The time of its last block, nanoseconds since the beginning of 1970.
    pub time: i64,
    /// The hash of its last block: the trace of the record that ended it.
    pub hash: Hash,
    /// How many blocks it has.
    pub blocks: u64,
    /// How many records.
    pub records: u64,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, next, height, blocks, records, .. } = self;
        write!(
            f,
            "stream `{stream}` up to sequence {next}, height {height}: {blocks} blocks, {records} records"
        )
    }
}
