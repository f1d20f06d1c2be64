//! Chunks: records that were written together, under one checksum.

use bytemuck::{Pod, Zeroable};
use ringbus::bus::Header;

use super::MAX_SEQUENCE;

const MAGIC: u32 = u32::from_ne_bytes(*b"RBCH");

/// The size of a [`ChunkHeader`], bytes.
pub(crate) const CHUNK_HEADER_BYTES: usize = size_of::<ChunkHeader>();

/// Stands before the records of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct ChunkHeader {
    magic: u32,
    /// Of what stands behind it in the header.
    header_checksum: u32,
    /// The file's.
    salt: u64,
    kind: u16,
    reserved: u16,
    /// How many records there are.
    pub(crate) records: u32,
    /// How many bytes they take.
    pub(crate) length: u32,
    /// Of these bytes.
    body_checksum: u32,
    /// All before this sequence was durable when the chunk was written. So if anything of that is damaged, it is no torn end.
    pub(crate) durable: u64,
    pub(crate) span: Span,
}

const _: () = assert!(size_of::<ChunkHeader>() == 88);

/// What records side by side cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Span {
    /// The sequence of the first.
    pub(crate) first: u64,
    /// The sequence behind the last.
    pub(crate) end: u64,
    pub(crate) least_time: i64,
    pub(crate) greatest_time: i64,
    pub(crate) least_height: u64,
    pub(crate) greatest_height: u64,
}

impl Span {
    /// Of nothing yet, from `first` on.
    pub(crate) const fn empty(first: u64) -> Self {
        Self {
            first,
            end: first,
            least_time: i64::MAX,
            greatest_time: i64::MIN,
            least_height: u64::MAX,
            greatest_height: 0,
        }
    }

    /// And a record, behind which is `end`.
    #[inline]
    pub(crate) fn add(&mut self, header: &Header, end: u64) {
        self.end = end;
        self.least_time = self.least_time.min(header.block_time);
        self.greatest_time = self.greatest_time.max(header.block_time);
        self.least_height = self.least_height.min(header.block_height);
        self.greatest_height = self.greatest_height.max(header.block_height);
    }

    /// Whether it covers a record, and not only sequences that were missed.
    pub(crate) const fn has_records(&self) -> bool {
        self.least_height <= self.greatest_height
    }

    /// And those that `next` covers, which come behind.
    pub(crate) fn join(&mut self, next: &Self) {
        self.end = next.end;
        self.least_time = self.least_time.min(next.least_time);
        self.greatest_time = self.greatest_time.max(next.greatest_time);
        self.least_height = self.least_height.min(next.least_height);
        self.greatest_height = self.greatest_height.max(next.greatest_height);
    }
}

/// What a chunk has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkKind {
    Records,
    /// None: these sequences were missed by who wrote the journal.
    Gap,
}

impl ChunkKind {
    const fn number(self) -> u16 {
        match self {
            Self::Records => 1,
            Self::Gap => 2,
        }
    }
}

impl ChunkHeader {
    /// For this body.
    pub(crate) fn new(
        kind: ChunkKind,
        salt: u64,
        durable: u64,
        span: Span,
        records: u32,
        body: &[u8],
    ) -> Self {
        let mut header = Self {
            magic: MAGIC,
            header_checksum: 0,
            salt,
            kind: kind.number(),
            reserved: 0,
            records,
            length: body.len() as u32,
            body_checksum: crc32c::crc32c(body),
            durable,
            span,
        };
        header.header_checksum = header.checksum();
        header
    }

    fn checksum(&self) -> u32 {
        crc32c::crc32c(&bytemuck::bytes_of(self)[8..])
    }

    /// The header that `bytes` begin with, if it is whole and of the file with this salt.
    pub(crate) fn decode(bytes: &[u8], salt: u64) -> Option<Self> {
        Self::decode_any(bytes).filter(|header| header.salt == salt)
    }

    /// The header that `bytes` begin with, if it is whole.
    pub(crate) fn decode_any(bytes: &[u8]) -> Option<Self> {
        let header: Self = bytemuck::pod_read_unaligned(bytes.get(..CHUNK_HEADER_BYTES)?);
        let is_one = header.magic == MAGIC
            && header.header_checksum == header.checksum()
            && header.kind().is_some()
            && header.span.first <= header.span.end
            && header.span.end <= MAX_SEQUENCE;
        is_one.then_some(header)
    }

    pub(crate) fn kind(&self) -> Option<ChunkKind> {
        [ChunkKind::Records, ChunkKind::Gap].into_iter().find(|kind| kind.number() == self.kind)
    }

    /// How many bytes the chunk takes, its header included.
    pub(crate) fn bytes(&self) -> u64 {
        CHUNK_HEADER_BYTES as u64 + u64::from(self.length)
    }

    /// Whether these are the bytes that it was made for.
    pub(crate) fn fits(&self, body: &[u8]) -> bool {
        body.len() == self.length as usize && crc32c::crc32c(body) == self.body_checksum
    }

    /// Where the next one may begin among `bytes`, from `from` on.
    pub(crate) fn find(bytes: &[u8], from: usize) -> Option<usize> {
        let magic = MAGIC.to_ne_bytes();
        bytes.get(from..)?.windows(magic.len()).position(|window| window == magic).map(|at| from + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(body: &[u8]) -> ChunkHeader {
        let mut span = Span::empty(5);
        span.add(&Header { block_time: 9, block_height: 3, ..Header::default() }, 7);
        span.add(&Header { block_time: 8, block_height: 4, ..Header::default() }, 8);
        ChunkHeader::new(ChunkKind::Records, 77, 4, span, 2, body)
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let header = header(b"records");
        let decoded = ChunkHeader::decode(bytemuck::bytes_of(&header), 77).expect("it is whole");
        assert_eq!(decoded, header);
        let Span { first, end, least_time, greatest_time, least_height, greatest_height } = decoded.span;
        assert_eq!(
            (first, end, least_time, greatest_time, least_height, greatest_height),
            (5, 8, 8, 9, 3, 4)
        );
        assert!(decoded.fits(b"records") && !decoded.fits(b"record") && !decoded.fits(b"recordz"));
        assert_eq!(ChunkHeader::decode(bytemuck::bytes_of(&header), 78), None);
    }

    #[test]
    fn no_byte_can_be_changed() {
        let header = header(b"records");
        for at in 0..CHUNK_HEADER_BYTES {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = bytemuck::bytes_of(&header).to_vec();
                bytes[at] ^= flip;
                assert_eq!(ChunkHeader::decode(&bytes, 77), None, "byte {at} ^ {flip}");
            }
        }
        assert_eq!(ChunkHeader::decode(&bytemuck::bytes_of(&header)[..87], 77), None);
    }

    #[test]
    fn the_next_one_is_found() {
        let mut bytes = b"RBC RBRBCH".to_vec();
        assert_eq!(ChunkHeader::find(&bytes, 0), Some(6));
        assert_eq!(ChunkHeader::find(&bytes, 7), None);
        bytes.truncate(9);
        assert_eq!(ChunkHeader::find(&bytes, 0), None);
        assert_eq!(ChunkHeader::find(&bytes, 99), None);
    }
}
