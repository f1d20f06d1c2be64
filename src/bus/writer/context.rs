//! Where the core stands: in which block and transaction, and at which order number.

use super::draft::Draft;
use crate::bus::hash::Hash;
use crate::bus::payload::BlockEnded;
use crate::bus::record::Header;
use crate::bus::write_error::WriteError;

/// How a block begins: what [`Writer::begin_block`](super::Writer::begin_block) is told.
///
/// The bus does not judge it: a height may come twice, and time may stand still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockStart {
    /// Its height.
    pub height: u64,
    /// Its time, nanoseconds since the beginning of 1970.
    pub time: i64,
    /// Its hash: what its records are traced to that no transaction caused.
    pub hash: Hash,
}

/// The most events of a block. Three numbers more are kept for what ends the things that are open then: the error of a transaction,
/// the transaction's end, the block's end.
pub(super) const MOST_EVENTS: u32 = u32::MAX - 3;

/// What the writer knows, so that engines need not.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// What the next header has in common with the last one: trace, time and height.
    common: Header,
    /// The order number that was used last.
    order: u32,
    /// Events can have order numbers up to this one: `MOST_EVENTS`, and 0 outside of blocks, so that one comparison sees to both.
    limit: u32,
    block: Hash,
    transactions: u32,
    /// The order number that had been used last when the open transaction began.
    transaction_after: Option<u32>,
}

impl Context {
    /// At the beginning of a block, which has had no event.
    pub(super) fn of_block(start: &BlockStart) -> Self {
        Self {
            common: Header {
                trace: start.hash,
                block_time: start.time,
                block_height: start.height,
                ..Header::default()
            },
            limit: MOST_EVENTS,
            block: start.hash,
            ..Self::default()
        }
    }

    pub(super) fn height(&self) -> Option<u64> {
        (self.limit > 0).then_some(self.common.block_height)
    }

    pub(super) fn transaction(&self) -> Option<Hash> {
        self.transaction_after.map(|_| self.common.trace)
    }

    /// Whether anything has been published of this block.
    pub(super) fn has_begun(&self) -> bool {
        self.order > 0
    }

    /// Whether an event can be emitted.
    #[inline(always)]
    pub(super) fn has_number(&self) -> bool {
        self.order < self.limit
    }

    /// Whether `count` events can be emitted.
    pub(super) fn check_numbers(&self, count: usize) -> Result<(), WriteError> {
        if self.limit == 0 {
            Err(WriteError::OutsideBlock)
        } else if count > (self.limit.saturating_sub(self.order)) as usize {
            Err(WriteError::BlockFull { most: MOST_EVENTS })
        } else {
            Ok(())
        }
    }

    /// The header of the event that is `ahead` numbers after the last one, apart from what its place and its length add.
    #[inline(always)]
    pub(super) fn header(&self, ahead: u32, draft: &Draft<'_>) -> Header {
        Header {
            order: self.order + ahead,
            kind: draft.kind,
            topic: draft.topic,
            source: draft.origin.source,
            trigger_kind: draft.origin.trigger.kind,
            trigger_reason: draft.origin.trigger.reason,
            flags: draft.flags,
            version: draft.version,
            ..self.common
        }
    }

    /// `count` events have been published.
    #[inline(always)]
    pub(super) fn use_numbers(&mut self, count: u32) {
        self.order += count;
    }

    pub(super) fn begin_transaction(&mut self, hash: Hash) -> Result<(), WriteError> {
        if let Some(trace) = self.transaction() {
            return Err(WriteError::TransactionOpen { trace });
        }
        self.check_numbers(1)?;
        self.transaction_after = Some(self.order);
        self.common.trace = hash;
        Ok(())
    }

    /// How many events the open transaction has had.
    pub(super) fn events_of_transaction(&self) -> Result<u32, WriteError> {
        self.transaction_after.map(|before| self.order - before).ok_or(WriteError::NoTransaction)
    }

    /// The transaction's end has been published.
    pub(super) fn end_transaction(&mut self) {
        self.transaction_after = None;
        self.common.trace = self.block;
        self.transactions += 1;
    }

    /// What is to be said at the end of the block. Once it is published, the context is the default one.
    pub(super) fn block_ended(&self) -> Result<BlockEnded, WriteError> {
        if self.height().is_none() {
            return Err(WriteError::NoBlock);
        }
        if let Some(trace) = self.transaction() {
            return Err(WriteError::TransactionOpen { trace });
        }
        Ok(BlockEnded { hash: self.block, events: self.order + 1, transactions: self.transactions })
    }

    /// As if the block had had so many events.
    #[cfg(test)]
    pub(super) fn pretend(&mut self, events: u32) {
        self.order = events;
    }
}
