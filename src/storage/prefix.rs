//! Copying the beginning of a slot, and no more of it than is in use.

use std::ops::Range;

use super::is_intact;
use crate::cursor::Cursor;
use crate::event::WORD_BYTES;

/// Slots of which the words can be copied, whatever they are at the moment. Rule 3 of `storage.rs`.
pub(crate) trait PrefixSlots {
    /// The size of a slot, a multiple of 8.
    fn slot_bytes(&self) -> usize;

    /// How far behind the cursor a copy can be intact, events.
    fn window(&self) -> u64;

    /// Asks for the line in which the event with this sequence will begin.
    fn prefetch(&self, sequence: u64);

    /// Copies these words of a slot to the same place in `into`.
    ///
    /// Panics if the slot has no such words, or `into` no room for them.
    fn copy_words(&self, sequence: u64, words: Range<usize>, into: &mut [u8]);

    /// Copies the first `head` bytes of one slot into `into`, asks `used` for how many bytes of it there are in use, and copies these:
    /// whatever they all are at the moment.
    ///
    /// Panics if `head` is not made of words, or if a slot does not fit into `into`. What `used` says is brought between `head` and the
    /// size of a slot: it judges bytes that may be those of two events.
    #[inline(always)]
    fn copy_prefix(
        &self,
        sequence: u64,
        into: &mut [u8],
        head: usize,
        used: impl FnOnce(&[u8]) -> usize,
    ) -> CopiedPrefix {
        let slot = self.slot_bytes();
        assert!(into.len() >= slot, "the buffer is shorter than an event");
        assert!(head <= slot && head.is_multiple_of(WORD_BYTES), "the head is not made of words of an event");
        self.copy_words(sequence, 0..head / WORD_BYTES, into);
        let len = used(&into[..head]).clamp(head, slot);
        self.copy_words(sequence, head / WORD_BYTES..len.div_ceil(WORD_BYTES), into);
        CopiedPrefix { len, sequence, window: self.window() }
    }
}

/// That the beginning of a slot was copied, not yet known to be that of an event.
pub(crate) struct CopiedPrefix {
    /// How many bytes.
    len: usize,
    sequence: u64,
    window: u64,
}

impl CopiedPrefix {
    /// How many bytes of the event were copied, if the cursor shows that they are intact; otherwise the cursor. The same
    /// conditions as for [`Copied::confirm`](super::Copied::confirm).
    #[inline(always)]
    pub(crate) fn confirm(self, cursor: &Cursor) -> Result<usize, u64> {
        let seen = cursor.recheck();
        if is_intact(seen, self.sequence, self.window) { Ok(self.len) } else { Err(seen) }
    }
}
