//! The log itself: what is kept, what goes, what is found.

use std::mem;

use super::super::hash::Hash;
use super::super::kind::Kind;
use super::super::record::Header;
use super::super::record_ref::RecordRef;
use super::answer::Answer;
use super::cause::Cause;
use super::coverage::{Coverage, Extent};
use super::error::{AuditError, NotKept};
use super::kept::{Beginning, Ending, KeptBlock, KeptRecord};
use super::queue::Queue;
use crate::sequence::Sequence;

/// Records, and the blocks they stand in. A block is there as long as one of its records is, or as more may come.
pub(super) struct Log {
    bound: usize,
    records: Queue<KeptRecord>,
    blocks: Queue<KeptBlock>,
    payload_bytes: usize,
    from: Sequence,
    until: Sequence,
    /// Sequences lost from `from` on.
    lost: u64,
    /// Those of them that were lost behind the newest record.
    lost_at_end: u64,
    /// Height and hash of a block that has begun, of which no record has come yet.
    begun: Option<(u64, Hash)>,
    /// The number of the block that the next record belongs to, unless another one begins.
    open: Option<u64>,
    /// The height of the block that left the log last.
    gone: Option<u64>,
}

// What `AuditLog::new` says.
const _: () = assert!(Log::RECORD_BYTES == 104 && Log::CAUSE_BYTES == 56 && Log::BLOCK_BYTES == 112);

impl Log {
    pub(super) const RECORD_BYTES: usize = Queue::<KeptRecord>::ITEM_BYTES;
    pub(super) const CAUSE_BYTES: usize = Queue::<KeptRecord>::KEY_BYTES;
    pub(super) const BLOCK_BYTES: usize = Queue::<KeptBlock>::ITEM_BYTES + Queue::<KeptBlock>::KEY_BYTES;

    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            records: Queue::new(),
            blocks: Queue::new(),
            payload_bytes: 0,
            from: Sequence::new(0),
            until: Sequence::new(0),
            lost: 0,
            lost_at_end: 0,
            begun: None,
            open: None,
            gone: None,
        }
    }

    /// Forgets everything.
    pub(super) fn start(&mut self, first: Sequence) {
        *self = Self { from: first, until: first, ..Self::new(self.bound) };
    }

    pub(super) fn block_begun(&mut self, header: &Header) {
        self.leave_block();
        self.begun = Some((header.block_height, header.trace));
    }

    pub(super) fn append(&mut self, record: &RecordRef<'_>) -> Result<(), AuditError> {
        if record.sequence() < self.until {
            return Err(AuditError { sequence: record.sequence(), until: self.until });
        }
        let block = self.block_for(record.header());
        self.until = record.next_sequence();
        self.payload_bytes += record.payload().len();
        // Records of a block that has lost some may be all there ever were of their transaction, or not.
        let may_be_cut = self.blocks.get(block).evicted;
        self.records.push(KeptRecord::new(record, block), may_be_cut);
        self.blocks.get_mut(block).records += 1;
        self.evict();
        Ok(())
    }

    pub(super) fn block_ended(&mut self, header: &Header) {
        if let Some(open) = self.open {
            let block = self.blocks.get_mut(open);
            if block.height == header.block_height {
                (block.hash, block.ending) = (Some(header.trace), Ending::Seen);
            }
        }
        self.leave_block();
    }

    pub(super) fn lost(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        self.lost += count;
        self.lost_at_end += count;
        self.begun = None;
        if let Some(open) = self.open {
            self.blocks.get_mut(open).ending = Ending::Lost;
        }
        self.leave_block();
    }

    pub(super) fn extent(&self) -> Extent {
        Extent {
            from: self.from,
            until: self.until,
            lost: self.lost,
            records: self.records.len(),
            bytes: self.bytes(),
        }
    }

    pub(super) fn of_trace(&self, hash: &Hash) -> Answer {
        let mut answer = Answer::new(Coverage::of(self.extent()));
        answer.coverage_mut().evicted = self.records.is_cut(hash);
        let mut last = None;
        for number in self.records.of(hash) {
            let record = self.records.get(number);
            if last.is_none_or(|last: &KeptRecord| last.block != record.block) {
                self.add_block(&mut answer, last);
                answer.begin_block(self.blocks.get(record.block), record.header().block_time);
            }
            answer.push(record);
            last = Some(record);
        }
        self.add_block(&mut answer, last);
        answer
    }

    pub(super) fn of_height(&self, height: u64) -> Answer {
        let mut answer = Answer::new(Coverage::of(self.extent()));
        answer.coverage_mut().evicted = self.blocks.is_cut(&height);
        for block in self.blocks.of(&height).map(|number| self.blocks.get(number)) {
            if block.records == 0 {
                continue;
            }
            answer.begin_block(block, self.records.get(block.first).header().block_time);
            for number in block.first..block.first + block.records {
                answer.push(self.records.get(number));
            }
            answer.coverage_mut().evicted |= block.evicted;
            answer.coverage_mut().add_beginning(block.beginning);
            answer.coverage_mut().add_ending(block.ending);
        }
        answer
    }

    pub(super) fn cause_of(&self, sequence: Sequence) -> Result<Cause, NotKept> {
        let behind = self.records.partition_point(|record| record.sequence <= sequence);
        if behind > self.records.numbers().start {
            let record = self.records.get(behind - 1);
            if sequence < record.end() {
                return Ok(self.cause(record));
            }
        }
        Err(NotKept { sequence, from: self.from, until: self.until })
    }

    pub(super) fn cause_at(&self, height: u64, order: u32) -> Vec<(Sequence, Cause)> {
        let blocks = self.blocks.of(&height).map(|number| self.blocks.get(number));
        let records = blocks.flat_map(|block| block.first..block.first + block.records);
        let records = records.map(|number| self.records.get(number));
        let records = records.filter(|record| record.header().order == order);
        records.map(|record| (record.sequence, self.cause(record))).collect()
    }

    fn cause(&self, record: &KeptRecord) -> Cause {
        Cause::new(record.header().trace, self.blocks.get(record.block).hash)
    }

    /// Takes into an answer about a transaction what is known of the block that its record `last` stands in.
    fn add_block(&self, answer: &mut Answer, last: Option<&KeptRecord>) {
        let Some(last) = last else { return };
        let block = self.blocks.get(last.block);
        answer.coverage_mut().add_beginning(block.beginning);
        // A transaction that has ended causes nothing more, whatever becomes of its block.
        if last.header().kind != Kind::TRANSACTION_ENDED {
            answer.coverage_mut().add_ending(block.ending);
        }
    }

    /// The number of the block that a record with this header belongs to.
    fn block_for(&mut self, header: &Header) -> u64 {
        let height = header.block_height;
        if let Some(open) = self.open
            && self.blocks.get(open).height == height
        {
            return open;
        }
        self.leave_block();
        let hash = self.begun.take().filter(|begun| begun.0 == height).map(|begun| begun.1);
        let lost_before = mem::take(&mut self.lost_at_end);
        let beginning = match hash {
            Some(_) => Beginning::Seen,
            None if lost_before > 0 => Beginning::Lost,
            None => Beginning::BeforeLog,
        };
        let block = KeptBlock {
            height,
            hash,
            first: self.records.numbers().end,
            records: 0,
            lost_before,
            evicted: false,
            beginning,
            ending: Ending::Awaited,
        };
        let number = self.blocks.push(block, self.gone == Some(height));
        self.open = Some(number);
        number
    }

    /// No record will come any more for the block that was open.
    fn leave_block(&mut self) {
        if let Some(open) = self.open.take()
            && self.blocks.get(open).records == 0
        {
            self.drop_oldest_block();
        }
    }

    /// Drops the oldest records until what is left is within the bound.
    fn evict(&mut self) {
        while self.bytes() > self.bound
            && let Some(record) = self.records.pop_front()
        {
            self.payload_bytes -= record.payload.len();
            self.from = record.end();
            let block = self.blocks.get_mut(record.block);
            self.lost -= mem::take(&mut block.lost_before);
            block.evicted = true;
            block.first += 1;
            block.records -= 1;
            if block.records == 0 && self.open != Some(record.block) {
                self.drop_oldest_block();
            }
        }
    }

    /// Drops a block without records: the oldest one, because the oldest records go first.
    fn drop_oldest_block(&mut self) {
        self.gone = self.blocks.pop_front().map(|block| block.height);
    }

    fn bytes(&self) -> usize {
        self.records.bytes() + self.blocks.bytes() + self.payload_bytes
    }
}
