//! Slots as words: write, copy out, reference in place. The only code that touches slot memory.
//!
//! The slots are one array of `E`, stride `size_of::<E>()`, without stamps, so that a consumer can be handed `&[E]`. What
//! keeps the accesses to one slot apart:
//!
//! 1. The producer writes by relaxed atomic words, and only slots for which it holds a [`Free`]: no required consumer may
//!    read them. There is one [`SlotWriter`].
//! 2. Required consumers read in place, by plain loads through `&[E]`, and only sequences that their [`GatingSequence`] holds:
//!    published, and not to be written before they are acknowledged. The slices borrow the `GatingSequence`, which must be
//!    borrowed mutably to acknowledge. Plain reads by several of them do not conflict.
//! 3. Optional consumers copy by relaxed atomic words, whenever they like. Atomic loads conflict neither with atomic stores
//!    (1) nor with plain reads (2). The bytes become an `E` only after [`Cursor::recheck`] has shown that they are intact.
//!
//! The memory is zeroed before it is shared, so that a word is always initialised. `E` has no padding (`NoUninit`), a size
//! that is a multiple of 8, and an alignment of at most 64, so that every slot is a whole number of aligned words.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use bytemuck::AnyBitPattern;

use crate::cursor::Cursor;
use crate::event::{Event, WORD_BYTES, assert_layout};
use crate::gate::GatingSequence;
use crate::region::Region;
use crate::room::Free;
use crate::sync::{BasePointer, prefetch_for_read, prefetch_for_write, proven};

mod prefix;
#[cfg(loom)]
mod shadow;
#[cfg(all(feature = "shared", not(loom)))]
mod unsized_slots;
mod words;

pub(crate) use prefix::PrefixSlots;
#[cfg(all(feature = "shared", not(loom)))]
pub(crate) use unsized_slots::UnsizedSlots;

/// How far ahead of the write the cache line is asked for, bytes: far enough for it to arrive from another core's cache, near enough
/// to be still there. benches/TRIED.md has the sweep that chose it.
const PREFETCHED_AHEAD: usize = 2_048;

/// A handle on the slots, held by value: base and mask are at hand without going through a pointer.
pub(crate) struct Slots<E> {
    base: BasePointer<E>,
    mask: u64,
    /// Capacity less max batch: how far behind the cursor a copy can be intact.
    window: u64,
    /// Keeps the memory.
    _region: Arc<Region>,
    #[cfg(loom)]
    shadow: Arc<shadow::Shadow>,
}

impl<E> Clone for Slots<E> {
    fn clone(&self) -> Self {
        Self {
            base: self.base.clone(),
            mask: self.mask,
            window: self.window,
            _region: Arc::clone(&self._region),
            #[cfg(loom)]
            shadow: Arc::clone(&self.shadow),
        }
    }
}

impl<E: Event> Slots<E> {
    const WORDS: usize = size_of::<E>() / WORD_BYTES;

    /// How much memory so many slots take, bytes, and what is asked for ahead of the last write. `None`: more than can be counted.
    pub(crate) fn bytes(capacity: usize) -> Option<usize> {
        capacity.checked_mul(size_of::<E>())?.checked_add(PREFETCHED_AHEAD + size_of::<E>())
    }

    /// `capacity` (a power of two) slots in `region`, of which the producer claims at most `max_batch` at once, and the right to write
    /// them.
    ///
    /// Panics if they do not fit into it. It must have been made for them, and be writable.
    pub(crate) fn place(region: Region, capacity: usize, max_batch: usize) -> (SlotWriter<E>, Self) {
        let slots = Self::look_at(region, capacity, max_batch);
        (SlotWriter { slots: slots.clone() }, slots)
    }

    /// As [`place`](Self::place), to be read only.
    fn look_at(region: Region, capacity: usize, max_batch: usize) -> Self {
        const { assert_layout::<E>() };
        let needed = capacity.checked_mul(size_of::<E>());
        assert!(
            needed.is_some_and(|needed| needed <= region.bytes()),
            "the slots do not fit into the region"
        );
        Self {
            base: BasePointer::new(region.base().cast::<E>()),
            mask: capacity as u64 - 1,
            window: (capacity - proven!(max_batch, "window-for-batches-of-1" => 1)) as u64,
            _region: Arc::new(region),
            #[cfg(loom)]
            shadow: Arc::new(shadow::Shadow::new(capacity, Self::WORDS)),
        }
    }

    /// The slots of a ring that another process writes. (`E` is whatever the bytes are.)
    #[cfg(all(feature = "shared", not(loom)))]
    pub(crate) fn observe(region: Region, capacity: usize, max_batch: usize) -> Self
    where
        E: AnyBitPattern,
    {
        Self::look_at(region, capacity, max_batch)
    }

    #[inline(always)]
    fn index(&self, sequence: u64) -> usize {
        (sequence & self.mask) as usize
    }

    #[inline(always)]
    fn capacity(&self) -> usize {
        self.mask as usize + 1
    }

    /// Whether `count` slots from `start` on are inside the array. In the form that the compiler can see to hold for one slot.
    #[inline(always)]
    fn is_inside(&self, start: usize, count: usize) -> bool {
        start as u64 <= self.mask && count.saturating_sub(1) as u64 <= self.mask - start as u64
    }

    #[inline(always)]
    fn slot(&self, index: usize) -> *mut E {
        debug_assert!(index as u64 <= self.mask);
        self.base.get().wrapping_add(index)
    }

    /// Splits `count` slots from `first` on where the ring wraps: the first index, how many before the wrap, how many after.
    #[inline(always)]
    fn runs(&self, first: u64, count: usize) -> (usize, usize, usize) {
        let start = self.index(first);
        let before_wrap = count.min(self.capacity() - start);
        (start, before_wrap, count - before_wrap)
    }

    /// The `count` events that `held` reads next, in place: what comes before the ring wraps, and what comes after.
    ///
    /// Panics if `held` does not hold that many. It must belong to the same ring.
    #[inline(always)]
    pub(crate) fn in_place<'a>(&'a self, held: &'a GatingSequence, count: u64) -> (&'a [E], &'a [E]) {
        assert!(count <= held.readable(), "asked for more than is held");
        let (start, before_wrap, after_wrap) = self.runs(held.next(), count as usize);
        // SAFETY: rule 2 above. The sequences `next .. next + count` are published and held, so their slots hold valid
        // events that nobody writes while `held` is borrowed. `runs` keeps both slices inside the array.
        let before = unsafe { std::slice::from_raw_parts(self.slot(start), before_wrap) };
        // SAFETY: as above; the rest stands at the array's start, because a ring never holds more than its capacity.
        let after = unsafe { std::slice::from_raw_parts(self.slot(0), after_wrap) };
        (before, after)
    }

    /// Tells loom that the next `count` slots of `held` are being read in place until the result is dropped.
    #[cfg_attr(not(loom), inline(always))]
    pub(crate) fn hold(&self, held: &GatingSequence, count: u64) -> Hold {
        #[cfg(loom)]
        return Hold((0..count).map(|offset| self.shadow.read(self.index(held.next() + offset))).collect());
        #[cfg(not(loom))]
        {
            let _ = (held, count);
            Hold()
        }
    }

    /// Copies the words of one slot, whatever they are at the moment. Rule 3 above.
    #[inline(always)]
    pub(crate) fn copy(&self, sequence: u64) -> Copied<E> {
        let mut bytes = MaybeUninit::uninit();
        self.copy_run(self.index(sequence), std::slice::from_mut(&mut bytes));
        Copied { bytes, sequence, window: self.window }
    }

    /// Copies the words of `count` slots behind the end of `buffer`, as far as its capacity allows.
    #[inline]
    pub(crate) fn copy_many<'a>(
        &self,
        first: u64,
        count: usize,
        buffer: &'a mut Vec<E>,
    ) -> CopiedMany<'a, E> {
        let spare = buffer.spare_capacity_mut();
        let count = count.min(spare.len());
        let (start, before_wrap, _) = self.runs(first, count);
        let (before, after) = spare[..count].split_at_mut(before_wrap);
        self.copy_run(start, before);
        self.copy_run(0, after);
        CopiedMany { buffer, first, count, window: self.window }
    }

    /// Copies contiguous slots from `start` on by relaxed words.
    #[inline(always)]
    fn copy_run(&self, start: usize, into: &mut [MaybeUninit<E>]) {
        assert!(self.is_inside(start, into.len()), "copied beyond the slots");
        let to = into.as_mut_ptr().cast::<u64>();
        #[cfg(loom)]
        self.shadow.load(start * Self::WORDS, to, into.len() * Self::WORDS);
        #[cfg(not(loom))]
        // SAFETY: the slots are inside the array, aligned, initialised when the region was made, and while the ring is shared
        // they are written by relaxed words only (rule 1). `into` is ours, and as long.
        unsafe {
            words::load(to, self.slot(start).cast(), into.len() * Self::WORDS);
        }
    }
}

impl<E: Event> PrefixSlots for Slots<E> {
    #[inline(always)]
    fn slot_bytes(&self) -> usize {
        size_of::<E>()
    }

    #[inline(always)]
    fn window(&self) -> u64 {
        self.window
    }

    #[inline(always)]
    fn prefetch(&self, sequence: u64) {
        prefetch_for_read(self.slot(self.index(sequence)));
    }

    #[inline(always)]
    fn copy_words(&self, sequence: u64, words: Range<usize>, into: &mut [u8]) {
        let index = self.index(sequence);
        assert!(
            self.is_inside(index, 1) && words.start <= words.end && words.end <= Self::WORDS,
            "copied beyond the slot"
        );
        let to = into[words.start * WORD_BYTES..words.end * WORD_BYTES].as_mut_ptr().cast::<u64>();
        #[cfg(loom)]
        self.shadow.load(index * Self::WORDS + words.start, to, words.len());
        #[cfg(not(loom))]
        // SAFETY: the words are inside the slot, which is inside the array, aligned, initialised when the region was made, and
        // written by relaxed words only while the ring is shared (rule 1). `into` is ours, and has room for them.
        unsafe {
            words::load(to, self.slot(index).cast::<u64>().wrapping_add(words.start), words.len());
        }
    }
}

/// The right to write slots: there is one for each ring.
pub(crate) struct SlotWriter<E> {
    slots: Slots<E>,
}

impl<E: Event> SlotWriter<E> {
    /// Writes `event` into the next slot of `free`, which must belong to the same ring. Panics if none remains.
    #[inline(always)]
    pub(crate) fn push(&mut self, free: &mut Free<'_>, event: &E) {
        let index = self.slots.index(free.fill(1));
        self.prefetch(index, size_of::<E>());
        self.write_run(index, std::slice::from_ref(event));
    }

    /// Writes `head`, and `tail` behind it, to the beginning of the next slot of `free`, which must belong to the same ring. The last
    /// word is filled up with zeros, and what lies behind it stays as it was.
    ///
    /// Panics if none remains, if `head` is not made of words, or if both do not fit into a slot.
    #[inline(always)]
    pub(crate) fn push_prefix(&mut self, free: &mut Free<'_>, head: &[u8], tail: &[u8])
    where
        E: AnyBitPattern,
    {
        assert!(
            head.len().is_multiple_of(WORD_BYTES),
            "the head of an event must be made of words of 8 bytes"
        );
        assert!(
            head.len() <= size_of::<E>() && tail.len() <= size_of::<E>() - head.len(),
            "head and tail are longer than an event"
        );
        let index = self.slots.index(free.fill(1));
        self.prefetch(index, head.len() + tail.len());
        // Once: behind the first store, the compiler would have to look mask and base up again.
        let slot = self.slots.slot(index).cast::<u64>();
        let write = |first: usize, words: &[[u8; WORD_BYTES]]| {
            assert!(first + words.len() <= Slots::<E>::WORDS, "wrote beyond the slot");
            let from = words.as_ptr().cast::<u64>();
            #[cfg(loom)]
            let _writing = self.slots.shadow.store(
                index * Slots::<E>::WORDS + first,
                from,
                words.len(),
                index..index + 1,
            );
            // SAFETY: `words` are initialised, and go into the slot, which is inside the array and aligned. Rule 1, as in
            // `write_run`. The slot keeps bytes of an older event behind them, and they make an event together: any bits do,
            // because `E` is `AnyBitPattern`.
            unsafe { words::store(slot.wrapping_add(first), from, words.len()) };
        };
        let (head, _) = head.as_chunks();
        let (whole, rest) = tail.as_chunks();
        write(0, head);
        write(head.len(), whole);
        if !rest.is_empty() {
            let mut last = [0; WORD_BYTES];
            last[..rest.len()].copy_from_slice(rest);
            write(head.len() + whole.len(), &[last]);
        }
    }

    /// Writes all of `events` into the next slots of `free`, which must belong to the same ring. Panics if fewer remain. Without
    /// prefetch: the processor sees a long run of stores by itself, and more was lost than gained (benches/TRIED.md).
    #[inline(always)]
    pub(crate) fn push_all(&mut self, free: &mut Free<'_>, events: &[E]) {
        let first = free.fill(events.len() as u64);
        let (start, before_wrap, _) = self.slots.runs(first, events.len());
        let (before, after) = events.split_at(before_wrap);
        self.write_run(start, before);
        self.write_run(0, after);
    }

    /// Asks for lines that will be written a little later, where as many bytes as this slot takes. Without it, the consumer that just read a slot still has its line
    /// when the producer comes round, and each write waits for it.
    ///
    /// Not wrapped: at the end of a lap it asks for lines behind the slots, which belong to the region and to no one else, and the
    /// first lines of the next lap come when they are written. Wrapping would take more instructions than the rest of the
    /// address.
    #[inline(always)]
    fn prefetch(&self, index: usize, bytes: usize) {
        const LINE: usize = 64;
        let slot = self.slots.slot(index).cast::<u8>();
        for line in 0..bytes.div_ceil(LINE) {
            prefetch_for_write(slot.wrapping_add(PREFETCHED_AHEAD + line * LINE));
        }
    }

    /// Writes contiguous slots from `start` on by relaxed words. They must be filled slots of a `Free`.
    #[inline(always)]
    fn write_run(&mut self, start: usize, events: &[E]) {
        assert!(self.slots.is_inside(start, events.len()), "wrote beyond the slots");
        let from = events.as_ptr().cast::<u64>();
        #[cfg(loom)]
        let _writing = self.slots.shadow.store(
            start * Slots::<E>::WORDS,
            from,
            events.len() * Slots::<E>::WORDS,
            start..start + events.len(),
        );
        // SAFETY: `events` has no padding. The slots are inside the array and aligned. Rule 1: nobody reads them by plain loads
        // now, because they were taken from a `Free`; optional consumers read relaxed words.
        unsafe { words::store(self.slots.slot(start).cast(), from, events.len() * Slots::<E>::WORDS) };
    }
}

/// The words of one slot, not yet known to be an event.
pub(crate) struct Copied<E> {
    bytes: MaybeUninit<E>,
    sequence: u64,
    window: u64,
}

impl<E: Event> Copied<E> {
    /// The event, if the cursor shows that its words are intact; otherwise the cursor.
    ///
    /// The sequence must have been published when it was copied, as `cursor.peek()` saw, on the same ring.
    #[inline(always)]
    pub(crate) fn confirm(self, cursor: &Cursor) -> Result<E, u64> {
        let seen = cursor.recheck();
        if is_intact(seen, self.sequence, self.window) {
            // SAFETY: rule 3: the words were copied from a published slot and `recheck` proves that none came from a later
            // lap, so they are those of the event that the producer wrote.
            Ok(unsafe { self.bytes.assume_init() })
        } else {
            Err(seen)
        }
    }
}

/// The words of several slots, not yet known to be events, in the spare capacity of a buffer.
pub(crate) struct CopiedMany<'a, E> {
    buffer: &'a mut Vec<E>,
    first: u64,
    count: usize,
    window: u64,
}

impl<E: Event> CopiedMany<'_, E> {
    /// How many slots were copied.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Appends to the buffer those events that the cursor shows to be intact. Where it shows that some are not,
    /// `keep_from(intact_from, cursor)` is told from which sequence on they are, and says from which on the reader wants
    /// them.
    ///
    /// Returns the sequence from which on nothing was dropped (which may lie behind all that was copied), and how many events
    /// were appended; the cursor, if it has gone back. The same conditions as for [`Copied::confirm`].
    #[inline]
    pub(crate) fn confirm(
        self,
        cursor: &Cursor,
        keep_from: impl FnOnce(u64, u64) -> u64,
    ) -> Result<(u64, usize), u64> {
        let seen = cursor.recheck();
        let kept_from = if is_intact(seen, self.first, self.window) {
            self.first
        } else if seen < self.first {
            return Err(seen);
        } else {
            let intact_from = seen - proven!(self.window, "recheck-prefix-one-less" => self.window + 1);
            keep_from(intact_from, seen).max(intact_from)
        };
        let dropped = (kept_from - self.first).min(self.count as u64) as usize;
        let kept = self.count - dropped;
        self.append(dropped);
        Ok((kept_from, kept))
    }

    fn append(self, dropped: usize) {
        let len = self.buffer.len();
        let spare = self.buffer.spare_capacity_mut();
        spare.copy_within(dropped..self.count, 0);
        // SAFETY: `copy_many` wrote `count` slots' words into the spare capacity, `confirm` has shown those from `dropped` on
        // to be intact events (rule 3), and they have just been moved to its front.
        unsafe { self.buffer.set_len(len + self.count - dropped) };
    }
}

/// The acceptance rule: see [`Cursor::recheck`]. (Where `seen` is before the sequence, which only a mirror shows that somebody has
/// scribbled over, the difference is huge, and the copy refused.)
#[inline(always)]
fn is_intact(seen: u64, sequence: u64, window: u64) -> bool {
    seen.wrapping_sub(sequence) <= proven!(window, "recheck-margin-one-more" => window + 1)
}

/// Nothing, but under loom: the claim that slots are being read in place.
pub(crate) struct Hold(
    #[cfg(loom)]
    #[expect(dead_code, reason = "held, not read")]
    Vec<shadow::Reading>,
);

impl Hold {
    /// Ends the claim; also done by dropping it.
    #[inline(always)]
    pub(crate) fn release(self) {}
}
