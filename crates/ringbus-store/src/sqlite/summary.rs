//! What is kept about the records of a block, beside them.

use std::collections::BTreeMap;

use ringbus::Sequence;
use ringbus::bus::{Hash, Kind, RecordRef};
use rusqlite::{Connection, params};

use super::error::SqliteProblem;

/// Where in a block each transaction caused something, and the block itself outside of transactions.
#[derive(Default)]
pub(super) struct Traces {
    /// In the order of the table, which they go into.
    ranges: BTreeMap<Hash, Range>,
}

struct Range {
    first: Sequence,
    last: Sequence,
    events: u64,
}

impl Traces {
    pub(super) fn clear(&mut self) {
        self.ranges.clear();
    }

    pub(super) fn add(&mut self, record: RecordRef<'_>) {
        let sequence = record.sequence();
        let new = || Range { first: sequence, last: sequence, events: 0 };
        let range = self.ranges.entry(record.trace()).or_insert_with(new);
        range.last = sequence;
        range.events += 1;
    }

    /// As those of the block with this number.
    pub(super) fn write(&self, connection: &Connection, block: u64) -> Result<(), SqliteProblem> {
        let mut insert = connection.prepare_cached("INSERT INTO traces VALUES (?,?,?,?,?)")?;
        for (hash, Range { first, last, events }) in &self.ranges {
            insert.execute(params![hash.bytes(), block, first.get(), last.get(), events])?;
        }
        Ok(())
    }
}

/// How many records there are of each kind.
#[derive(Default)]
pub(super) struct Kinds {
    counts: BTreeMap<Kind, u64>,
}

impl Kinds {
    pub(super) fn clear(&mut self) {
        self.counts.clear();
    }

    pub(super) fn add(&mut self, kind: Kind) {
        *self.counts.entry(kind).or_default() += 1;
    }

    pub(super) fn append(&mut self, others: &Self) {
        for (kind, count) in &others.counts {
            *self.counts.entry(*kind).or_default() += count;
        }
    }

    /// To those in the table; it is empty then.
    pub(super) fn add_to(&mut self, connection: &Connection) -> Result<(), SqliteProblem> {
        let mut add = connection.prepare_cached(
            "INSERT INTO kinds VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET events = events + excluded.events",
        )?;
        for (kind, count) in &self.counts {
            add.execute((kind.get(), count))?;
        }
        self.clear();
        Ok(())
    }
}
