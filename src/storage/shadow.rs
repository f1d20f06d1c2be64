//! What loom sees of the slots: for each its words, as loom atomics for the optional consumers' values, and a cell without
//! content that the producer writes and required consumers read, so that loom reports whoever is not kept apart.

use std::ops::Range;

use loom::cell::{ConstPtr, MutPtr, UnsafeCell};
use loom::sync::atomic::AtomicU64;

use crate::sync::Relaxed;

pub(crate) struct Shadow {
    words: Vec<AtomicU64>,
    cells: Vec<UnsafeCell<()>>,
}

// SAFETY: loom runs all threads of a model on one thread of the operating system, and finds races by itself.
unsafe impl Send for Shadow {}
// SAFETY: as above.
unsafe impl Sync for Shadow {}

/// A slot being read in place.
pub(crate) type Reading = ConstPtr<()>;

impl Shadow {
    pub(crate) fn new(capacity: usize, words_a_slot: usize) -> Self {
        Self {
            words: (0..capacity * words_a_slot).map(|_| AtomicU64::new(0)).collect(),
            cells: (0..capacity).map(|_| UnsafeCell::new(())).collect(),
        }
    }

    /// Claims a slot for reading in place until the result is dropped.
    pub(crate) fn read(&self, index: usize) -> Reading {
        self.cells[index].get()
    }

    /// Stores the `count` words at `from` from word `first` on, which are words of the slots `indices`, and claims these for writing
    /// until the result is dropped.
    pub(crate) fn store(
        &self,
        first: usize,
        from: *const u64,
        count: usize,
        indices: Range<usize>,
    ) -> Vec<MutPtr<()>> {
        let writing = self.cells[indices].iter().map(UnsafeCell::get_mut).collect();
        for word in 0..count {
            // SAFETY: `storage.rs` passes the address of that many words.
            let value = unsafe { from.wrapping_add(word).read_unaligned() };
            self.words[first + word].store(value, Relaxed);
        }
        writing
    }

    /// Loads `count` words from word `first` on.
    pub(crate) fn load(&self, first: usize, to: *mut u64, count: usize) {
        for word in 0..count {
            let value = self.words[first + word].load(Relaxed);
            // SAFETY: `storage.rs` passes the address of a buffer for that many words.
            unsafe { to.wrapping_add(word).write_unaligned(value) };
        }
    }
}
