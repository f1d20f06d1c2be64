//! One record among the others of a chunk: the length of its payload, its header, its payload.

use ringbus::bus::{HEADER_BYTES, Header, RecordRef};

const LENGTH_BYTES: usize = size_of::<u32>();

/// What a record takes besides its payload, bytes.
const FRAME_BYTES: usize = LENGTH_BYTES + HEADER_BYTES;

/// Appends a record.
#[inline]
pub(crate) fn put_frame(out: &mut Vec<u8>, record: &RecordRef<'_>) {
    let payload = record.payload();
    out.reserve(FRAME_BYTES + payload.len());
    out.extend_from_slice(&(payload.len() as u32).to_ne_bytes());
    out.extend_from_slice(bytemuck::bytes_of(record.header()));
    out.extend_from_slice(payload);
}

/// Goes through the records of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames<'a> {
    left: &'a [u8],
}

impl<'a> Frames<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { left: body }
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (Header, &'a [u8]);

    /// `None` behind the last, and where the bytes are no record.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (length, behind) = self.left.split_first_chunk::<LENGTH_BYTES>()?;
        let (header, behind) = behind.split_at_checked(HEADER_BYTES)?;
        let (payload, behind) = behind.split_at_checked(u32::from_ne_bytes(*length) as usize)?;
        self.left = behind;
        Some((bytemuck::pod_read_unaligned(header), payload))
    }
}

#[cfg(test)]
mod tests {
    use ringbus::Sequence;

    use super::*;

    #[test]
    fn records_come_back_and_a_part_of_one_does_not() {
        let header = Header { order: 7, ..Header::default() };
        let mut body = Vec::new();
        for payload in [&b""[..], b"abc"] {
            put_frame(&mut body, &RecordRef::new(Sequence::new(0), &header, payload));
        }
        let frames: Vec<_> = Frames::new(&body).collect();
        assert_eq!(frames, [(header, &b""[..]), (header, b"abc")]);
        for cut in 0..body.len() {
            let mut frames = Frames::new(&body[..cut]);
            let whole = frames.by_ref().count();
            assert_eq!(whole, usize::from(cut >= FRAME_BYTES));
            assert_eq!(frames.left() == 0, cut == whole * FRAME_BYTES);
        }
    }
}
