//! From headers and payloads to slots: fragments, what marks them, and the one cursor store.

use bytemuck::cast;

use crate::bus::record::{Flags, HEADER_BYTES, Header, Record};
use crate::error::PublishError;
use crate::producer::{Claim, Producer};
use crate::sequence::Sequence;
use crate::wait::WaitStrategy;
use crate::waiting::Until;

/// How many slots a payload takes: one, also if it is empty.
#[inline(always)]
pub(super) const fn slots_of<const PAYLOAD: usize>(len: usize) -> usize {
    if len <= PAYLOAD { 1 } else { len.div_ceil(PAYLOAD) }
}

/// Publishes a payload that fits into one slot. `header` says everything but its length and place.
#[inline(always)]
pub(super) fn publish_whole<const PAYLOAD: usize, W: WaitStrategy>(
    producer: &mut Producer<Record<PAYLOAD>, W>,
    until: Until,
    header: impl FnOnce() -> Header,
    payload: &[u8],
) -> Result<Sequence, PublishError> {
    let head = || {
        let header = header();
        let flags = header.flags.with(Flags::WHOLE).with(Flags::LAST_OF_BATCH);
        words(Header { len: payload.len() as u16, flags, ..header })
    };
    producer.publish_prefix_until(head, payload, until)
}

/// Publishes records by one claim and one cursor store. Their headers say everything but lengths and places. Returns the sequence
/// of the first.
///
/// Panics if a clone of `records` yields others than `records` does; nothing is published then.
pub(super) fn publish_together<'a, const PAYLOAD: usize, W: WaitStrategy>(
    producer: &mut Producer<Record<PAYLOAD>, W>,
    until: Until,
    records: impl Iterator<Item = (Header, &'a [u8])> + Clone,
) -> Result<Sequence, PublishError> {
    let slots = records.clone().map(|(_, payload)| slots_of::<PAYLOAD>(payload.len())).sum();
    let mut claim = producer.claim_until(slots, until)?;
    for (header, payload) in records {
        if payload.len() <= PAYLOAD {
            put(&mut claim, header, payload, Flags::WHOLE);
        } else {
            put_fragments(&mut claim, header, payload);
        }
    }
    assert_eq!(claim.remaining(), 0, "the iterator's clone had yielded more records than the iterator");
    claim.publish()
}

/// Writes the fragments of a payload that takes several slots into the next ones.
#[inline(never)]
pub(super) fn put_fragments<const PAYLOAD: usize>(
    claim: &mut Claim<'_, Record<PAYLOAD>>,
    header: Header,
    payload: &[u8],
) {
    let last = slots_of::<PAYLOAD>(payload.len()) - 1;
    for (at, fragment) in payload.chunks(PAYLOAD).enumerate() {
        let first = if at == 0 { Flags::FIRST_FRAGMENT } else { Flags::NONE };
        let end = if at == last { Flags::LAST_FRAGMENT } else { Flags::NONE };
        put(claim, header, fragment, first.with(end));
    }
}

/// Writes one fragment into the next slot. The claim's last slot ends the batch.
#[inline(always)]
pub(super) fn put<const PAYLOAD: usize>(
    claim: &mut Claim<'_, Record<PAYLOAD>>,
    header: Header,
    fragment: &[u8],
    place: Flags,
) {
    let end = if claim.remaining() == 1 { Flags::LAST_OF_BATCH } else { Flags::NONE };
    let flags = header.flags.with(place).with(end);
    let head = words(Header { len: fragment.len() as u16, flags, ..header });
    let pushed = claim.push_prefix(bytemuck::bytes_of(&head), fragment);
    assert!(pushed.is_ok(), "there are more records than slots were claimed for");
}

/// The header as the words it is made of.
///
/// They are put together in registers. A header that was written to memory field by field, and read back at once by whole words
/// or vectors, as storing into slots does, would make the processor wait until all its fields have left the store buffer.
#[inline(always)]
pub(super) fn words(header: Header) -> [u64; HEADER_BYTES / size_of::<u64>()] {
    // By name, so that no field is forgotten.
    let Header {
        trace,
        block_time,
        block_height,
        order,
        kind,
        topic,
        source,
        trigger_kind,
        trigger_reason,
        len,
        flags,
        version,
    } = header;
    let [a, b, c, d]: [u64; 4] = cast(trace);
    let what: u32 = cast([kind.get(), topic.get()]);
    let why: u16 = cast([trigger_kind, trigger_reason]);
    let whence: u32 = cast([source.get(), why]);
    let how: u16 = cast([cast::<Flags, u8>(flags), version]);
    let rest: u32 = cast([len, how]);
    [a, b, c, d, cast(block_time), block_height, cast([order, what]), cast([whence, rest])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::hash::Hash;
    use crate::bus::kind::{Kind, Source, Topic};

    #[test]
    fn the_words_are_the_headers_bytes() {
        let header = Header {
            trace: Hash::new(std::array::from_fn(|at| at as u8 + 1)),
            block_time: -0x0102_0304_0506_0708,
            block_height: 0x1112_1314_1516_1718,
            order: 0x2122_2324,
            kind: Kind::new(0x3132),
            topic: Topic::new(0x4142),
            source: Source::new(0x5152),
            trigger_kind: 0x61,
            trigger_reason: 0x71,
            len: 0x8182,
            flags: Flags::LAST_OF_BATCH.with(Flags::ENDS_BLOCK),
            version: 0x91,
        };
        assert_eq!(bytemuck::bytes_of(&words(header)), bytemuck::bytes_of(&header));
    }

    #[test]
    fn a_payload_takes_as_many_slots_as_hold_it_and_at_least_one() {
        assert_eq!([0, 1, 64, 65, 128, 129].map(slots_of::<64>), [1, 1, 1, 2, 2, 3]);
    }
}
