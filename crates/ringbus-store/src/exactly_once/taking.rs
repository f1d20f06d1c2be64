//! Record by record: what is taken, what is passed over, what is refused.

use std::mem;

use ringbus::Sequence;
use ringbus::bus::{Header, RecordRef, Subscriber};
use ringbus::worker::Shutdown;

use super::{ExactlyOnce, OpenBlock, StoreError, Uncommitted};
use crate::block_store::BlockStore;
use crate::checkpoint::Checkpoint;

fn block_id(header: &Header) -> (u64, i64) {
    (header.block_height, header.block_time)
}

impl<S: BlockStore> ExactlyOnce<S> {
    /// Nothing more is tried after an error: what the store holds then, only opening it anew can tell.
    pub(super) fn attempt(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<(), StoreError<S::Error>>,
    ) -> Result<(), StoreError<S::Error>> {
        if self.has_failed {
            return Err(StoreError::Failed);
        }
        call(self).inspect_err(|error| self.has_failed = matches!(error, StoreError::Store(_)))
    }

    fn take(&mut self, record: RecordRef<'_>) -> Result<(), StoreError<S::Error>> {
        let (sequence, header) = (record.sequence(), record.header());
        self.has_ended = record.ends_block();
        if mem::take(&mut self.must_begin) && !record.begins_block() {
            return Err(StoreError::Filtered { height: header.block_height });
        }
        if let Some(expected) = self.expected {
            if sequence < expected {
                return self.pass_over(&record, expected);
            }
            self.check_gap(sequence)?;
        }
        if record.begins_block() {
            self.roll_back()?;
            self.store.begin_block(header).map_err(StoreError::Store)?;
            self.open = Some(OpenBlock { id: block_id(header), records: 0 });
        }
        let Some(open) = &mut self.open else {
            if self.expected.is_some() {
                return Err(StoreError::OutsideBlock { sequence });
            }
            self.stats.skipped += 1;
            return Ok(());
        };
        if open.id != block_id(header) {
            return Err(StoreError::OtherBlock { sequence, block: open.id, found: block_id(header) });
        }
        self.store.record(record).map_err(StoreError::Store)?;
        open.records += 1;
        let (next, records) = (record.next_sequence(), open.records);
        self.expected = Some(next);
        if record.ends_block() { self.end_block(header, next, records) } else { Ok(()) }
    }

    /// The store has this record, if it is the same stream.
    fn pass_over(&mut self, record: &RecordRef<'_>, expected: Sequence) -> Result<(), StoreError<S::Error>> {
        let sequence = record.sequence();
        let is_last = record.next_sequence() == expected && self.open.is_none();
        let is_known = self.ended.as_ref().is_none_or(|ended| {
            record.ends_block()
                && record.trace() == ended.hash
                && block_id(record.header()) == (ended.height, ended.time)
        });
        if record.next_sequence() > expected || (is_last && !is_known) {
            return Err(StoreError::Diverged { sequence, expected });
        }
        self.stats.skipped += 1;
        Ok(())
    }

    fn check_gap(&self, found: Sequence) -> Result<(), StoreError<S::Error>> {
        match self.expected {
            Some(expected) if found > expected => Err(StoreError::Gap { expected, found }),
            _ => Ok(()),
        }
    }

    fn end_block(
        &mut self,
        header: &Header,
        next: Sequence,
        records: u64,
    ) -> Result<(), StoreError<S::Error>> {
        let before = self.ended.as_ref().map_or((0, 0), |ended| (ended.blocks, ended.records));
        let checkpoint = Checkpoint {
            stream: self.stream.clone(),
            next,
            height: header.block_height,
            time: header.block_time,
            hash: header.trace,
            blocks: before.0 + 1,
            records: before.1 + records,
        };
        self.store.end_block(&checkpoint).map_err(StoreError::Store)?;
        self.open = None;
        self.ended = Some(checkpoint);
        self.stats.blocks += 1;
        self.stats.records += records;
        self.uncommitted.blocks += 1;
        self.uncommitted.records += records;
        let Uncommitted { blocks, records } = self.uncommitted;
        if blocks >= self.most.blocks || records >= self.most.records { self.commit() } else { Ok(()) }
    }

    pub(super) fn commit(&mut self) -> Result<(), StoreError<S::Error>> {
        if self.uncommitted.blocks == 0 {
            return Ok(());
        }
        self.store.commit().map_err(StoreError::Store)?;
        self.uncommitted = Uncommitted::default();
        self.stats.commits += 1;
        if let (Some(done), Some(ended)) = (&mut self.after_commit, &self.ended) {
            done(ended);
        }
        Ok(())
    }

    pub(super) fn roll_back(&mut self) -> Result<(), StoreError<S::Error>> {
        if self.open.take().is_some() {
            self.stats.abandoned += 1;
            self.store.roll_back_block().map_err(StoreError::Store)?;
        }
        Ok(())
    }
}

impl<S: BlockStore> Subscriber for ExactlyOnce<S> {
    type Error = StoreError<S::Error>;

    fn start(&mut self, first: Sequence) -> Result<(), Self::Error> {
        self.attempt(|this| this.check_gap(first))
    }

    fn block_begun(&mut self, _: &Header) -> Result<(), Self::Error> {
        self.must_begin = true;
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Self::Error> {
        self.attempt(|this| this.take(record))
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), Self::Error> {
        self.attempt(|this| {
            let height = header.block_height;
            if mem::take(&mut this.has_ended) { Ok(()) } else { Err(StoreError::Filtered { height }) }
        })
    }

    fn batch_ended(&mut self) -> Result<(), Self::Error> {
        self.attempt(Self::commit)
    }

    fn idle(&mut self) -> Result<(), Self::Error> {
        self.attempt(Self::commit)
    }

    fn lagged(&mut self, missed: u64, resumed_at: Sequence) -> Result<(), Self::Error> {
        self.attempt(|this| if missed == 0 { Ok(()) } else { this.check_gap(resumed_at) })
    }

    /// What has ended is good, whatever came then. That the store may be what has failed is known to it; and whatever cannot be
    /// committed is fed again.
    fn failed(&mut self, _: &Self::Error) {
        let _ = self.finish();
    }

    fn shutdown(&mut self, _: &Shutdown) -> Result<(), Self::Error> {
        self.finish()
    }
}
