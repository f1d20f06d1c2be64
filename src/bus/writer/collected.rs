//! What a batch has collected: records as they will stand in their slots, so that publishing them is little more than a copy.

use bytemuck::{cast, cast_slice};

use super::put::{put, put_fragments, slots_of, words};
use crate::bus::record::{Flags, HEADER_BYTES, Header, Record};
use crate::error::PublishError;
use crate::producer::Producer;
use crate::sequence::Sequence;
use crate::wait::WaitStrategy;
use crate::waiting::Until;

const WORD: usize = size_of::<u64>();
const HEADER_WORDS: usize = HEADER_BYTES / WORD;

/// Records one behind the other, in a buffer that is used again and again: of each the length of its payload, its header, and its
/// payload, filled up to whole words.
#[derive(Debug, Default)]
pub(super) struct Collected {
    buffer: Vec<u64>,
    records: usize,
    slots: usize,
}

impl Collected {
    /// How many records.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// How many slots they will take.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        (self.records, self.slots) = (0, 0);
    }

    /// Keeps a copy. The header says everything but lengths and places.
    #[inline(always)]
    pub(super) fn push<const PAYLOAD: usize>(&mut self, header: Header, payload: &[u8]) {
        // Right for what takes one slot. What takes several gets headers of its own when it is cut.
        let header = Header {
            flags: header.flags.with(Flags::WHOLE),
            len: payload.len().min(PAYLOAD) as u16,
            ..header
        };
        self.buffer.push(payload.len() as u64);
        self.buffer.extend_from_slice(&words(header));
        let (whole, rest) = payload.as_chunks::<WORD>();
        self.buffer.extend(whole.iter().map(|word| u64::from_ne_bytes(*word)));
        if !rest.is_empty() {
            let mut last = [0; WORD];
            last[..rest.len()].copy_from_slice(rest);
            self.buffer.push(u64::from_ne_bytes(last));
        }
        self.records += 1;
        self.slots += slots_of::<PAYLOAD>(payload.len());
    }

    /// Publishes all by one claim and one cursor store. Returns the sequence of the first. There must be one.
    pub(super) fn publish<const PAYLOAD: usize, W: WaitStrategy>(
        &self,
        producer: &mut Producer<Record<PAYLOAD>, W>,
        until: Until,
    ) -> Result<Sequence, PublishError> {
        let mut claim = producer.claim_until(self.slots, until)?;
        let mut rest = &*self.buffer;
        while let [len, behind @ ..] = rest {
            let len = *len as usize;
            let (record, behind) = behind.split_at(HEADER_WORDS + len.div_ceil(WORD));
            rest = behind;
            if len <= PAYLOAD && claim.remaining() > 1 {
                claim.push_prefix(cast_slice(record), &[]).expect("as many slots were claimed");
                continue;
            }
            let (header, payload) = record.split_first_chunk::<HEADER_WORDS>().expect("a header, and more");
            let (header, payload): (Header, _) = (cast(*header), &cast_slice(payload)[..len]);
            if len <= PAYLOAD {
                put(&mut claim, header, payload, Flags::WHOLE);
            } else {
                let flags = header.flags.without(Flags::WHOLE);
                put_fragments(&mut claim, Header { flags, ..header }, payload);
            }
        }
        claim.publish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_cleared_does_not_grow() {
        let mut collected = Collected::default();
        collected.push::<64>(Header::default(), &[4; 100]);
        let grown = collected.buffer.capacity();
        for _ in 0..100 {
            collected.clear();
            collected.push::<64>(Header::default(), &[4; 100]);
            assert_eq!((collected.len(), collected.slots(), collected.buffer.capacity()), (1, 2, grown));
        }
    }
}
