//! What is to be written by the next write.

use ringbus::bus::{Flags, RecordRef};

use crate::format::{CHUNK_BYTES, CHUNK_HEADER_BYTES, ChunkHeader, ChunkKind, Span, put_frame};

/// Chunks that are whole, and one that is being filled.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    /// The one that is being filled, if one is.
    open: Option<Open>,
    records: u64,
    has_block_end: bool,
}

#[derive(Debug)]
struct Open {
    start: usize,
    span: Span,
    records: u32,
}

impl Pending {
    /// Takes a record, behind which is `next`.
    #[inline]
    pub(super) fn put(&mut self, record: &RecordRef<'_>, next: u64) {
        if self.open.is_none() {
            let start = self.bytes.len();
            self.bytes.resize(start + CHUNK_HEADER_BYTES, 0);
            self.open = Some(Open { start, span: Span::empty(record.sequence().get()), records: 0 });
        }
        let open = self.open.as_mut().expect("just made");
        put_frame(&mut self.bytes, record);
        open.span.add(record.header(), next);
        open.records += 1;
        self.records += 1;
        self.has_block_end |= record.header().flags.has(Flags::ENDS_BLOCK);
    }

    pub(super) fn is_chunk_full(&self) -> bool {
        self.open.as_ref().is_some_and(|open| self.bytes.len() - open.start >= CHUNK_BYTES)
    }

    /// Closes the chunk that is being filled, if one is. Returns what it covers.
    pub(super) fn close_chunk(&mut self, salt: u64, durable: u64) -> Option<Span> {
        let Open { start, span, records } = self.open.take()?;
        let (head, body) = self.bytes[start..].split_at_mut(CHUNK_HEADER_BYTES);
        let header = ChunkHeader::new(ChunkKind::Records, salt, durable, span, records, body);
        head.copy_from_slice(bytemuck::bytes_of(&header));
        Some(span)
    }

    /// Takes a chunk that says that these sequences were missed. No other is being filled. Returns what it covers.
    pub(super) fn put_gap(&mut self, first: u64, next: u64, salt: u64, durable: u64) -> Span {
        // No record of it has a time or a height: nobody looks for one here.
        let span = Span { end: next, ..Span::empty(first) };
        let header = ChunkHeader::new(ChunkKind::Gap, salt, durable, span, 0, &[]);
        self.bytes.extend_from_slice(bytemuck::bytes_of(&header));
        span
    }

    /// How many there are: of whole chunks, unless one is being filled.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// It has been written.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.records = 0;
    }

    /// Whether a block has ended since this was asked last.
    pub(super) fn take_block_end(&mut self) -> bool {
        std::mem::take(&mut self.has_block_end)
    }
}
