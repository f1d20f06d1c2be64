//! From slots to records: one after the other, fragments put together.

use super::filter::Filter;
use super::lines::Lines;
use super::record::{Flags, HEADER_BYTES, Header, Record};
use super::record_ref::RecordRef;
use crate::sequence::Sequence;

/// Slots side by side, in the ring or copied, that hold whole records: two slices where the ring wraps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a, const PAYLOAD: usize> {
    slots: (&'a [Record<PAYLOAD>], &'a [Record<PAYLOAD>]),
    /// The sequence of the first.
    first: Sequence,
}

/// What was found out about the record that begins in some slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Whether it passes the filter.
    pub(super) passes: bool,
    /// How many slots it takes.
    pub(super) slots: usize,
    /// How many bytes its payload has, if it was put together.
    assembled: usize,
    /// Whether it is the last of what was published together.
    pub(super) ends_batch: bool,
}

impl<'a, const PAYLOAD: usize> Run<'a, PAYLOAD> {
    pub(super) fn new(slots: (&'a [Record<PAYLOAD>], &'a [Record<PAYLOAD>]), first: Sequence) -> Self {
        Self { slots, first }
    }

    #[inline(always)]
    fn slot(&self, at: usize) -> Option<&'a Record<PAYLOAD>> {
        let (before_wrap, after_wrap) = self.slots;
        before_wrap.get(at).or_else(|| after_wrap.get(at.wrapping_sub(before_wrap.len())))
    }

    /// Looks at the record that begins in slot `at`; `None` behind the last. A payload of several slots is put together in `assembly`;
    /// the payload of a record that the filter stops by its header is not touched.
    ///
    /// (Not the record itself: a loop that goes on to the next could not return it.)
    #[inline(always)]
    pub(super) fn find(&self, at: usize, filter: &mut Filter, assembly: &mut Lines) -> Option<Found> {
        let header = self.slot(at)?.header_in_place();
        let passes = filter.header().lets_pass(header);
        let mut found = if header.flags.has(Flags::LAST_FRAGMENT) {
            let ends_batch = header.flags.has(Flags::LAST_OF_BATCH);
            Found { passes, slots: 1, assembled: 0, ends_batch }
        } else {
            self.assemble(at, passes, assembly)
        };
        found.passes = passes && filter.lets_record_pass(self.record(at, found, assembly));
        Some(found)
    }

    /// The header of slot `at`, which must be there.
    #[inline(always)]
    pub(super) fn header(&self, at: usize) -> &'a Header {
        self.slot(at).expect("a slot of the run").header_in_place()
    }

    /// The record that was found in slot `at`.
    #[inline(always)]
    pub(super) fn record<'b>(&self, at: usize, found: Found, assembly: &'b Lines) -> RecordRef<'b>
    where
        'a: 'b,
    {
        let slot = self.slot(at).expect("a slot of the run");
        let header = slot.header_in_place();
        let payload = if found.slots == 1 {
            payload_in_place(slot, header)
        } else {
            &assembly.bytes()[..found.assembled]
        };
        RecordRef::new(self.sequence(at), header, payload)
    }

    fn sequence(&self, at: usize) -> Sequence {
        Sequence::new(self.first.get() + at as u64)
    }

    /// Puts together the payload that begins in slot `at`, if it is `wanted`. (A run ends where a record does; if the last fragment
    /// were missing all the same, the payload would end with the run.)
    #[cold]
    #[inline(never)]
    fn assemble(&self, at: usize, wanted: bool, assembly: &mut Lines) -> Found {
        let mut found = Found { passes: wanted, slots: 0, assembled: 0, ends_batch: false };
        let mut flags = Flags::NONE;
        while !flags.has(Flags::LAST_FRAGMENT)
            && let Some(slot) = self.slot(at + found.slots)
        {
            let header = slot.header_in_place();
            if wanted {
                let fragment = payload_in_place(slot, header);
                let end = found.assembled + fragment.len();
                assembly.reserve(end);
                assembly.bytes_mut()[found.assembled..end].copy_from_slice(fragment);
                found.assembled = end;
            }
            flags = header.flags;
            found.slots += 1;
        }
        found.ends_batch = flags.has(Flags::LAST_OF_BATCH);
        found
    }
}

#[inline(always)]
fn payload_in_place<'a, const PAYLOAD: usize>(slot: &'a Record<PAYLOAD>, header: &Header) -> &'a [u8] {
    &bytemuck::bytes_of(slot)[HEADER_BYTES..][..usize::from(header.len).min(PAYLOAD)]
}
