//! A record as a subscriber sees it.

use std::fmt;

use super::hash::Hash;
use super::kind::{Kind, Origin, Source, Topic};
use super::payload::Payload;
use super::record::{Flags, Header};
use crate::sequence::Sequence;

/// A record: its header, and its whole payload, however many slots it took.
///
/// It borrows: from the ring's own memory, or from a buffer that is used again for the next record.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    header: &'a Header,
    payload: &'a [u8],
    sequence: Sequence,
}

impl<'a> RecordRef<'a> {
    /// A record made of its parts, for tests of what reads records. On a bus, subscriptions make them.
    #[inline]
    #[must_use]
    pub const fn new(sequence: Sequence, header: &'a Header, payload: &'a [u8]) -> Self {
        Self { header, payload, sequence }
    }

    /// Its place on the ring. Of several fragments, the first one's.
    #[inline]
    #[must_use]
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The sequence behind it: its own, and one for each slot that its payload takes.
    ///
    /// That is as many as there are fragments: one, if its [header's](Self::header) `len` is the length of the whole payload, else as
    /// many as fragments of that length (the first of several is always full) make the payload up.
    #[inline]
    #[must_use]
    pub const fn next_sequence(&self) -> Sequence {
        let fragment = self.header.len as usize;
        // (A header of length 0 with a payload, which no bus has, counts as one slot.)
        let is_whole = fragment == 0 || self.payload.len() <= fragment;
        let slots = if is_whole { 1 } else { self.payload.len().div_ceil(fragment) };
        Sequence::new(self.sequence.get() + slots as u64)
    }

    /// What it says about itself. Of several fragments, the first one's; `len` is that fragment's.
    #[inline]
    #[must_use]
    pub const fn header(&self) -> &'a Header {
        self.header
    }

    /// The bytes of its payload, all of them.
    #[inline]
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The payload as a `T`: if the kind is `T`'s and so is the length, else `None`.
    ///
    /// A record of another kind is no error: a subscriber passes over what it does not know.
    #[inline]
    #[must_use]
    pub fn get<T: Payload>(&self) -> Option<&'a T> {
        const { T::ALIGNMENT };
        if self.header.kind == T::KIND { bytemuck::try_from_bytes(self.payload).ok() } else { None }
    }

    /// Its type.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.header.kind
    }

    /// Its category.
    #[inline]
    #[must_use]
    pub const fn topic(&self) -> Topic {
        self.header.topic
    }

    /// Who emitted it, and why.
    #[inline]
    #[must_use]
    pub const fn origin(&self) -> Origin {
        Origin { source: self.header.source, trigger: self.header.trigger() }
    }

    /// Who emitted it.
    #[inline]
    #[must_use]
    pub const fn source(&self) -> Source {
        self.header.source
    }

    /// The hash of the transaction that caused it; outside of transactions, of the block.
    #[inline]
    #[must_use]
    pub const fn trace(&self) -> Hash {
        self.header.trace
    }

    /// Its number within its block, from 1.
    #[inline]
    #[must_use]
    pub const fn order(&self) -> u32 {
        self.header.order
    }

    /// The height of its block.
    #[inline]
    #[must_use]
    pub const fn block_height(&self) -> u64 {
        self.header.block_height
    }

    /// The time of its block, nanoseconds since the beginning of 1970.
    #[inline]
    #[must_use]
    pub const fn block_time(&self) -> i64 {
        self.header.block_time
    }

    /// Whether its block begins with it.
    #[inline]
    #[must_use]
    pub const fn begins_block(&self) -> bool {
        self.header.flags.has(Flags::BEGINS_BLOCK)
    }

    /// Whether its block ends with it.
    #[inline]
    #[must_use]
    pub const fn ends_block(&self) -> bool {
        self.header.flags.has(Flags::ENDS_BLOCK)
    }
}

impl fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordRef")
            .field("sequence", &self.sequence)
            .field("header", self.header)
            .field("payload", &self.payload)
            .finish()
    }
}
