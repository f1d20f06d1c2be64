//! Words that one thread writes together, now and then, and others read together: a sequence lock, as in Hans Boehm's *Can seqlocks get
//! along with programming language memory models?* (2012).
//!
//! The generation is odd while the words are being written. A reader that finds the same even generation before and after it has
//! copied them has a whole state; else it tries again.
//!
//! Pairs, by name:
//!
//! - **written/look**: the store of the even generation (Release) with a reader's first load and acquire fence: the words copied next are
//!   at least as new.
//! - **writing/look-again**: the release fence behind the store of the odd generation with the acquire fence before a reader's second
//!   load: whoever has copied a newer word sees at least the odd generation that came before it.

use crate::sync::{Acquire, AtomicU64, Relaxed, Release, fence, proven, spin_loop};

/// Writes `words` over the first of `to`. For one writer. Panics if there is no room for so many.
pub(crate) fn write(generation: &AtomicU64, to: &[AtomicU64], words: &[u64]) {
    assert!(words.len() <= to.len(), "there is no room for so many words");
    let odd = generation.load(Relaxed) | 1;
    // Relaxed: the fence behind it orders it (writing/look-again).
    proven!(generation.store(odd, Relaxed), "seqlock-never-odd" => ());
    // Release: stands before every word that is stored next, and pairs with the fence before the second load in `read`
    // (writing/look-again).
    proven!(fence(Release), "seqlock-write-without-fence" => ());
    for (to, word) in to.iter().zip(words) {
        // Relaxed: the generation's stores and fences order it.
        to.store(*word, Relaxed);
    }
    // Release: pairs with the first load in `read` and the fence behind it (written/look).
    generation.store(odd.wrapping_add(1), proven!(Release, "seqlock-written-relaxed" => Relaxed));
}

/// Copies as many words as `into` has, all of one state. `None`: nothing has been written yet, or what is there was being rewritten each
/// time; or its writer died over it.
pub(crate) fn read(generation: &AtomicU64, from: &[AtomicU64], into: &mut [u64]) -> Option<()> {
    /// Writing takes microseconds, and comes ten times a second.
    const TRIES: usize = if cfg!(loom) { 1 } else { 64 };
    for _ in 0..TRIES {
        // Relaxed: the fence behind it orders it; a read-only mapping permits nothing stronger.
        let before = generation.load(Relaxed);
        if before == 0 {
            return None;
        }
        // Acquire: pairs with the store of the even generation in `write` (written/look).
        proven!(fence(Acquire), "seqlock-look-without-fence" => ());
        for (into, word) in into.iter_mut().zip(from) {
            // Relaxed: as above.
            *into = word.load(Relaxed);
        }
        // Acquire: pairs with the fence in `write` (writing/look-again).
        proven!(fence(Acquire), "seqlock-look-again-without-fence" => ());
        // Relaxed: the fence before it orders it.
        if before.is_multiple_of(2) && generation.load(Relaxed) == before {
            return Some(());
        }
        spin_loop();
    }
    None
}

/// A sequence lock over two words, for models.
#[cfg(loom)]
#[doc(hidden)]
pub struct ModelSeqlock {
    generation: AtomicU64,
    words: [AtomicU64; 2],
}

#[cfg(loom)]
impl Default for ModelSeqlock {
    fn default() -> Self {
        Self { generation: AtomicU64::new(0), words: [AtomicU64::new(0), AtomicU64::new(0)] }
    }
}

#[cfg(loom)]
impl ModelSeqlock {
    /// For one thread.
    pub fn write(&self, words: [u64; 2]) {
        write(&self.generation, &self.words, &words);
    }

    /// For any.
    pub fn read(&self) -> Option<[u64; 2]> {
        let mut words = [0; 2];
        read(&self.generation, &self.words, &mut words).map(|()| words)
    }
}
