//! Slots whose size is known when the program runs: those of a ring that another process writes, of events that this one has no type
//! for.

use std::ops::Range;

use super::prefix::PrefixSlots;
use super::words;
use crate::event::WORD_BYTES;
use crate::region::Region;
use crate::sync::{BasePointer, prefetch_for_read};

/// As [`Slots`](super::Slots), to be read only, and as bytes.
pub(crate) struct UnsizedSlots {
    base: BasePointer<u64>,
    words_a_slot: usize,
    mask: u64,
    window: u64,
    /// Keeps the memory.
    _region: Region,
}

impl UnsizedSlots {
    /// `capacity` (a power of two) slots of `slot_bytes` (a multiple of 8) in `region`, of which the producer claims at most `max_batch`
    /// at once.
    ///
    /// Panics if they do not fit into it.
    pub(crate) fn new(region: Region, slot_bytes: usize, capacity: usize, max_batch: usize) -> Self {
        assert!(slot_bytes.is_multiple_of(WORD_BYTES) && slot_bytes > 0, "slots are not made of words");
        assert!(capacity.is_power_of_two() && max_batch < capacity, "no such ring");
        let needed = capacity.checked_mul(slot_bytes);
        assert!(
            needed.is_some_and(|needed| needed <= region.bytes()),
            "the slots do not fit into the region"
        );
        Self {
            base: BasePointer::new(region.base().cast()),
            words_a_slot: slot_bytes / WORD_BYTES,
            mask: capacity as u64 - 1,
            window: (capacity - max_batch) as u64,
            _region: region,
        }
    }

    /// Where a slot begins: inside of the region, whatever the sequence.
    #[inline(always)]
    fn slot(&self, sequence: u64) -> *mut u64 {
        self.base.get().wrapping_add((sequence & self.mask) as usize * self.words_a_slot)
    }
}

impl PrefixSlots for UnsizedSlots {
    fn slot_bytes(&self) -> usize {
        self.words_a_slot * WORD_BYTES
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn prefetch(&self, sequence: u64) {
        prefetch_for_read(self.slot(sequence));
    }

    fn copy_words(&self, sequence: u64, words: Range<usize>, into: &mut [u8]) {
        assert!(words.start <= words.end && words.end <= self.words_a_slot, "copied beyond the slot");
        let to = into[words.start * WORD_BYTES..words.end * WORD_BYTES].as_mut_ptr().cast::<u64>();
        // SAFETY: the words are inside the slot, which is inside the region (`new` has checked it), aligned, initialised by whoever made
        // the file, and written by relaxed words only (rule 1 of `storage.rs`). `into` is ours, and has room for them.
        unsafe {
            words::load(to, self.slot(sequence).wrapping_add(words.start), words.len());
        }
    }
}
