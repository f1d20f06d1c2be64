//! The cursor: the end of what is published. One writer, any number of readers.
//!
//! The word holds the count-style cursor in its low 63 bits and *closed* in its top bit. Nobody outside sees the raw
//! word: readers get an [`Observed`].
//!
//! Pairs, by name (grep for them):
//!
//! - **publish/observe**: the cursor's store (Release) with a required consumer's load (Acquire). What the producer wrote
//!   into the slots before is what the consumer reads in place.
//! - **publish/peek**: the same store with an optional consumer's relaxed load and acquire fence.
//! - **overwrite/recheck**: the release fence after each store of the cursor with the acquire fence between an optional
//!   consumer's copy and its second load of the cursor. A copied word of a later lap implies that the second load sees
//!   the cursor that came before it. The whole argument is at [`Cursor::recheck`].

use crate::sync::{Acquire, AtomicU64, Relaxed, Release, fence, proven};

const CLOSED: u64 = 1 << 63;

/// What a look at the cursor saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Observed {
    /// Sequences below this one are published.
    pub(crate) count: u64,
    /// No sequence will follow.
    pub(crate) closed: bool,
}

impl Observed {
    #[inline(always)]
    fn of(word: u64) -> Self {
        Self { count: word & !CLOSED, closed: word & CLOSED != 0 }
    }
}

/// Whoever keeps one gives it a cache line of its own.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Cursor {
    word: AtomicU64,
}

impl Cursor {
    pub(crate) fn new(first: u64) -> Self {
        Self { word: AtomicU64::new(first) }
    }

    /// Makes every sequence below `next` visible: here, and on the `mirror`, if there is one, that those look at who cannot see this
    /// cursor. For the producer alone.
    #[inline(always)]
    pub(crate) fn publish(&self, next: u64, mirror: Option<&Self>) {
        proven!((), "batch-in-two-stores" => self.word.store(next - 1, Release));
        // Release: pairs with `observe` (publish/observe) and with `peek` (publish/peek).
        self.word.store(next, proven!(Release, "publish-store-relaxed" => Relaxed));
        proven!(Self::mirror(mirror, next), "mirror-behind-the-fence" => ());
        // A release store orders what is before it, not what comes after. This fence stands before every word that the
        // producer stores from now on and pairs with the fence in `recheck` (overwrite/recheck).
        proven!(fence(Release), "publish-without-fence" => ());
        proven!((), "mirror-behind-the-fence" => Self::mirror(mirror, next));
    }

    #[inline(always)]
    fn mirror(mirror: Option<&Self>, next: u64) {
        if let Some(mirror) = mirror {
            // Release: pairs with the `peek` of an observer (publish/peek). The word itself is one that others may scribble over:
            // nobody in this process reads it.
            mirror.word.store(next, proven!(Release, "mirror-store-relaxed" => Relaxed));
        }
    }

    /// Marks the end: no sequence will follow `count`. For the producer alone. No fence behind it: nothing is written
    /// into slots after.
    pub(crate) fn close(&self, count: u64) {
        // Release: pairs with `observe` and `peek`: whoever sees the end also sees why (`End` in attention.rs).
        self.word.store(count | CLOSED, proven!(Release, "close-store-relaxed" => Relaxed));
    }

    /// A required consumer's look; what is below `count` may be read in place, if it is held by a gate.
    #[inline(always)]
    pub(crate) fn observe(&self) -> Observed {
        // Acquire: pairs with the stores in `publish` and `close` (publish/observe).
        Observed::of(self.word.load(proven!(Acquire, "observe-load-relaxed" => Relaxed)))
    }

    /// An optional consumer's first look: a relaxed load and a fence, because a read-only mapping permits nothing
    /// stronger than a relaxed load.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Observed {
        let observed = Observed::of(self.word.load(Relaxed));
        // Acquire: pairs with the stores in `publish` and `close` (publish/peek): the words copied next are at least as new
        // as the cursor just seen.
        proven!(fence(Acquire), "peek-without-fence" => ());
        observed
    }

    /// An optional consumer's second look, after it has copied the words of sequences from `s` on. They are certainly
    /// intact if the result `c` is at most `s + N - B`, with `N` the capacity and `B` the max batch; otherwise they are
    /// refused, intact or not.
    ///
    /// Why. With `x` the cursor last stored, the producer writes only sequences `w <= x + B - 1`. If a copied word came
    /// from a later lap, `w >= s + N`, so `x >= s + N - B + 1`. The producer passed the fence in `publish` between its
    /// store of that `x` and its store of the word; this fence stands between our load of the word and our load of the
    /// cursor. So we see `c >= x >= s + N - B + 1`, and refuse. (The other bound, `c >= s + 1`, holds because the first look
    /// saw such a value of the same atomic.)
    #[inline(always)]
    pub(crate) fn recheck(&self) -> u64 {
        // Acquire: pairs with the fence in `publish` (overwrite/recheck).
        proven!(fence(Acquire), "recheck-without-fence" => ());
        Observed::of(self.word.load(Relaxed)).count
    }

    /// A look for those who only want the number: it orders nothing.
    pub(crate) fn glance(&self) -> Observed {
        Observed::of(self.word.load(Relaxed))
    }
}
