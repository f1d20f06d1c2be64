//! A sparse index of a segment: what lies where, in steps of a few hundred kilobytes.
//!
//! It stands beside the segment, in a file that entries are appended to. It is a help and nothing else: each entry has its own checksum,
//! an entry that is not there or not whole costs those who read a longer way, and the next who writes makes it again.

mod bloom;

use bytemuck::{Pod, Zeroable};
use ringbus::bus::Hash;

pub(crate) use self::bloom::Bloom;
use crate::format::Span;

const MAGIC: u32 = u32::from_ne_bytes(*b"RBIX");

/// An entry covers chunks of so many bytes, and the rest of the last.
const STEP: u64 = 256 << 10;

/// Behind it comes the filter.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Fixed {
    magic: u32,
    /// Of what stands behind it, and the filter.
    checksum: u32,
    /// The segment's.
    salt: u64,
    offset: u64,
    end_offset: u64,
    span: Span,
    filter_bytes: u64,
}

const FIXED_BYTES: usize = size_of::<Fixed>();

/// Chunks side by side in a segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Where in the segment the first begins.
    pub(crate) offset: u64,
    /// Where the last ends.
    pub(crate) end_offset: u64,
    pub(crate) span: Span,
    /// Which traces they have.
    pub(crate) traces: Bloom,
}

impl Entry {
    fn encode(&self, salt: u64, out: &mut Vec<u8>) {
        let Self { offset, end_offset, span, ref traces } = *self;
        let filter = traces.bytes();
        let mut fixed = Fixed {
            magic: MAGIC,
            checksum: 0,
            salt,
            offset,
            end_offset,
            span,
            filter_bytes: filter.len() as u64,
        };
        fixed.checksum = checksum(&fixed, filter);
        out.extend_from_slice(bytemuck::bytes_of(&fixed));
        out.extend_from_slice(filter);
    }

    /// The entry that `bytes` begin with, and what is behind it.
    fn decode(bytes: &[u8], salt: u64) -> Option<(Self, &[u8])> {
        let (fixed, behind) = bytes.split_at_checked(FIXED_BYTES)?;
        let fixed: Fixed = bytemuck::pod_read_unaligned(fixed);
        if fixed.magic != MAGIC || fixed.salt != salt {
            return None;
        }
        let (filter, behind) = behind.split_at_checked(usize::try_from(fixed.filter_bytes).ok()?)?;
        let is_whole = fixed.checksum == checksum(&fixed, filter);
        let Fixed { offset, end_offset, span, .. } = fixed;
        let traces = Bloom::from_bytes(filter)?;
        is_whole.then_some((Self { offset, end_offset, span, traces }, behind))
    }
}

fn checksum(fixed: &Fixed, filter: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytemuck::bytes_of(fixed)[8..]), filter)
}

/// The entries of a segment whose chunks begin at `start`, from the beginning on, as far as they are whole and without a gap.
pub(crate) fn entries(bytes: &[u8], salt: u64, start: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut left = bytes;
    while let Some((entry, behind)) = Entry::decode(left, salt) {
        let expected = entries.last().map_or(start, |last| last.end_offset);
        if entry.offset != expected || entry.end_offset <= entry.offset {
            break;
        }
        entries.push(entry);
        left = behind;
    }
    entries
}

/// Makes entries while a segment grows.
#[derive(Debug)]
pub(crate) struct Indexer {
    salt: u64,
    offset: u64,
    end_offset: u64,
    span: Option<Span>,
    traces: Vec<Hash>,
    /// Sequences were missed here: who looks for a trace must be told, and not pass over it.
    has_gap: bool,
    /// Entries that are to be written.
    encoded: Vec<u8>,
}

impl Indexer {
    /// Of a segment whose chunks begin at `start`.
    pub(crate) fn new(salt: u64, start: u64) -> Self {
        Self {
            salt,
            offset: start,
            end_offset: start,
            span: None,
            traces: Vec::new(),
            has_gap: false,
            encoded: Vec::new(),
        }
    }

    /// A record has this trace: one of the next chunk's.
    #[inline]
    pub(crate) fn trace(&mut self, trace: Hash) {
        // Those of one transaction stand together, mostly.
        if self.traces.last() != Some(&trace) {
            self.traces.push(trace);
        }
    }

    /// A chunk ends at this offset.
    pub(crate) fn chunk(&mut self, end_offset: u64, span: &Span) {
        self.end_offset = end_offset;
        self.has_gap |= !span.has_records();
        match &mut self.span {
            Some(all) => all.join(span),
            None => self.span = Some(*span),
        }
        if end_offset - self.offset >= STEP {
            self.close();
        }
    }

    /// The segment ends.
    pub(crate) fn close(&mut self) {
        let Some(span) = self.span.take() else { return };
        self.traces.sort_unstable();
        self.traces.dedup();
        let traces = if std::mem::take(&mut self.has_gap) { Bloom::full() } else { Bloom::of(&self.traces) };
        self.traces.clear();
        let Self { offset, end_offset, .. } = *self;
        Entry { offset, end_offset, span, traces }.encode(self.salt, &mut self.encoded);
        self.offset = end_offset;
    }

    /// What is to be written to the index, and was not taken before.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.encoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> Hash {
        Hash::new([number; 32])
    }

    fn index() -> Vec<u8> {
        let mut indexer = Indexer::new(9, 128);
        let mut bytes = Vec::new();
        let mut offset = 128;
        for chunk in 0..6_u8 {
            indexer.trace(hash(chunk));
            indexer.trace(hash(chunk));
            indexer.trace(hash(100));
            offset += STEP / 2;
            let first = u64::from(chunk) * 10;
            indexer.chunk(offset, &Span { end: first + 10, ..Span::empty(first) });
            bytes.extend(indexer.take());
        }
        indexer.trace(hash(6));
        indexer.chunk(offset + 1, &Span { end: 61, ..Span::empty(60) });
        indexer.close();
        bytes.extend(indexer.take());
        bytes
    }

    #[test]
    fn entries_cover_the_chunks_in_steps() {
        let entries = entries(&index(), 9, 128);
        let seen: Vec<_> = entries
            .iter()
            .map(|entry| (entry.offset, entry.end_offset, entry.span.first, entry.span.end))
            .collect();
        let at = |chunks: u64| 128 + chunks * STEP / 2;
        assert_eq!(
            seen,
            [
                (at(0), at(2), 0, 20),
                (at(2), at(4), 20, 40),
                (at(4), at(6), 40, 60),
                (at(6), at(6) + 1, 60, 61)
            ]
        );
        for (number, entry) in (0_u8..).zip(&entries[..3]) {
            let has = |trace: u8| entry.traces.may_have(&hash(trace));
            assert!(has(2 * number) && has(2 * number + 1) && has(100));
        }
        assert!(entries[3].traces.may_have(&hash(6)));
    }

    #[test]
    fn what_is_damaged_ends_the_index() {
        let bytes = index();
        let all = entries(&bytes, 9, 128);
        assert_eq!(all.len(), 4);
        assert_eq!(entries(&bytes, 8, 128), []);
        assert_eq!(entries(&bytes, 9, 64), []);
        for cut in 0..bytes.len() {
            let some = entries(&bytes[..cut], 9, 128);
            assert!(some.len() < 4 && all.starts_with(&some));
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let some = entries(&changed, 9, 128);
            assert!(some.len() < 4 && all.starts_with(&some), "byte {at}");
        }
    }
}
