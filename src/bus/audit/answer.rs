//! What the log answers: records, and the blocks they stand in.

use std::fmt;
use std::ops::Range;

use super::super::hash::Hash;
use super::super::record::Header;
use super::super::record_ref::RecordRef;
use super::cause::Cause;
use super::coverage::Coverage;
use super::kept::{KeptBlock, KeptRecord};
use super::tree::Tree;
use crate::sequence::Sequence;

/// The records that answer a question, in the order of the stream, and whether they are all there were.
pub struct Answer {
    records: Vec<Copied>,
    /// The payloads of all records, one behind the other.
    payloads: Vec<u8>,
    blocks: Vec<Block>,
    coverage: Coverage,
}

struct Copied {
    header: Header,
    sequence: Sequence,
    payload: Range<usize>,
}

struct Block {
    height: u64,
    time: i64,
    hash: Option<Hash>,
    records: Range<usize>,
}

impl Answer {
    pub(super) fn new(coverage: Coverage) -> Self {
        Self { records: Vec::new(), payloads: Vec::new(), blocks: Vec::new(), coverage }
    }

    pub(super) fn coverage_mut(&mut self) -> &mut Coverage {
        &mut self.coverage
    }

    /// What is pushed from now on stands in this block.
    pub(super) fn begin_block(&mut self, block: &KeptBlock, time: i64) {
        let records = self.records.len()..self.records.len();
        self.blocks.push(Block { height: block.height, time, hash: block.hash, records });
    }

    pub(super) fn push(&mut self, record: &KeptRecord) {
        let begin = self.payloads.len();
        self.payloads.extend_from_slice(&record.payload);
        let payload = begin..self.payloads.len();
        self.records.push(Copied { header: record.header(), sequence: record.sequence, payload });
        self.coverage.found = self.records.len();
        if let Some(block) = self.blocks.last_mut() {
            block.records.end = self.records.len();
        }
    }

    /// The records.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RecordRef<'_>> + DoubleEndedIterator {
        self.records_in(0..self.records.len())
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing was found. It may be that there was something: see [`Coverage::extent`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The blocks that the records stand in, in order: one, unless the stream repeats blocks or the log lost part of one.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = AnswerBlock<'_>> + DoubleEndedIterator {
        self.blocks.iter().map(|block| AnswerBlock { answer: self, block })
    }

    /// Whether these are all there were, and if not, why.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Whether something was found, and nothing of it is missing: see [`Coverage`].
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.coverage.is_complete()
    }

    /// The answer as a tree, to be printed.
    #[must_use]
    pub fn tree(&self) -> Tree<'_> {
        Tree::new(self)
    }

    fn records_in(
        &self,
        range: Range<usize>,
    ) -> impl ExactSizeIterator<Item = RecordRef<'_>> + DoubleEndedIterator {
        self.records[range].iter().map(|record| {
            RecordRef::new(record.sequence, &record.header, &self.payloads[record.payload.clone()])
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("records", &self.records().collect::<Vec<_>>())
            .field("coverage", &self.coverage)
            .finish()
    }
}

/// A block of an [`Answer`], with those of its records that belong to the answer.
#[derive(Clone, Copy)]
pub struct AnswerBlock<'a> {
    answer: &'a Answer,
    block: &'a Block,
}

impl<'a> AnswerBlock<'a> {
    /// Its height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.block.height
    }

    /// Its time, nanoseconds since the beginning of 1970.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.block.time
    }

    /// Its hash; `None` as long as neither its beginning nor its end has been seen.
    #[must_use]
    pub fn hash(&self) -> Option<&'a Hash> {
        self.block.hash.as_ref()
    }

    /// The records.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RecordRef<'a>> + DoubleEndedIterator + use<'a> {
        self.answer.records_in(self.block.records.clone())
    }

    /// What caused a record of this block.
    #[must_use]
    pub fn cause_of(&self, record: &RecordRef<'_>) -> Cause {
        Cause::new(record.trace(), self.block.hash)
    }
}

impl fmt::Debug for AnswerBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBlock")
            .field("height", &self.height())
            .field("time", &self.time())
            .field("hash", &self.hash())
            .field("records", &self.records().collect::<Vec<_>>())
            .finish()
    }
}
