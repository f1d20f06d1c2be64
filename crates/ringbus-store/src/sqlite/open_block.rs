//! The block that has not ended: in memory, so that other blocks can be committed meanwhile, and that it can vanish.

use std::ops::Range;

use ringbus::Sequence;
use ringbus::bus::{Flags, Header, RecordRef};
use rusqlite::{Connection, params};

use super::error::SqliteProblem;
use super::summary::{Kinds, Traces};
use crate::checkpoint::Checkpoint;

/// Its records, one behind the other; their memory is used again for the next block.
#[derive(Default)]
pub(super) struct OpenBlock {
    rows: Vec<Row>,
    payloads: Vec<u8>,
    traces: Traces,
    kinds: Kinds,
    /// Its first sequence.
    first: Option<Sequence>,
    /// How many records of it are in the transaction already.
    written: u64,
}

struct Row {
    sequence: Sequence,
    header: Header,
    payload: Range<usize>,
}

impl OpenBlock {
    pub(super) fn clear(&mut self) {
        self.forget_rows();
        self.traces.clear();
        self.kinds.clear();
        self.first = None;
        self.written = 0;
    }

    fn forget_rows(&mut self) {
        self.rows.clear();
        self.payloads.clear();
    }

    pub(super) fn push(&mut self, record: RecordRef<'_>) {
        self.first.get_or_insert(record.sequence());
        let begin = self.payloads.len();
        self.payloads.extend_from_slice(record.payload());
        let payload = begin..self.payloads.len();
        self.traces.add(record);
        self.kinds.add(record.kind());
        self.rows.push(Row { sequence: record.sequence(), header: *record.header(), payload });
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.payloads.len() + size_of_val(&*self.rows)
    }

    /// Whether a part of it is in the transaction.
    pub(super) fn is_partly_written(&self) -> bool {
        self.written > 0
    }

    /// The header of its last record.
    pub(super) fn last_header(&self) -> Option<Header> {
        self.rows.last().map(|row| row.header)
    }

    /// Writes what is in memory, as records of the block with this number.
    pub(super) fn write(&mut self, connection: &Connection, block: u64) -> Result<(), SqliteProblem> {
        let mut insert =
            connection.prepare_cached("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")?;
        for Row { sequence, header, payload } in &self.rows {
            insert.execute(params![
                sequence.get(),
                block,
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
                &self.payloads[payload.clone()],
            ])?;
        }
        self.written += self.rows.len() as u64;
        self.forget_rows();
        Ok(())
    }

    /// Writes the rest of it, and what there is to say about all of it; `kinds` are those of the transaction.
    pub(super) fn end(
        &mut self,
        connection: &Connection,
        checkpoint: &Checkpoint,
        kinds: &mut Kinds,
    ) -> Result<(), SqliteProblem> {
        self.write(connection, checkpoint.blocks)?;
        self.traces.write(connection, checkpoint.blocks)?;
        kinds.append(&self.kinds);
        let first = self.first.unwrap_or(checkpoint.next);
        connection.prepare_cached("INSERT INTO blocks VALUES (?,?,?,?,?,?,?)")?.execute(params![
            checkpoint.blocks,
            checkpoint.height,
            checkpoint.hash.bytes(),
            checkpoint.time,
            first.get(),
            checkpoint.next.get(),
            self.written,
        ])?;
        self.clear();
        Ok(())
    }
}
