//! Where the ring's memory comes from: the heap, or a file that other processes map as well.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;
#[cfg(all(feature = "shared", not(loom)))]
use std::sync::Arc;

#[cfg(all(feature = "shared", not(loom)))]
mod mapping;
#[cfg(all(feature = "shared", not(loom)))]
pub(crate) mod system;

#[cfg(all(feature = "shared", not(loom)))]
pub(crate) use mapping::{Access, Mapping};

/// The base is aligned to two cache lines, because processors fetch lines in pairs.
const BASE_ALIGN: usize = 128;
/// The huge page of x86-64, and of aarch64 with 4 KiB pages.
const HUGE_PAGE: usize = 2 << 20;

/// A block of memory that never moves, all of it initialised. Where it is to be written, every page of it was touched by the thread that
/// made it.
pub(crate) struct Region {
    base: NonNull<u8>,
    bytes: usize,
    owner: Owner,
}

/// What keeps the memory.
enum Owner {
    Heap(Layout),
    #[cfg(all(feature = "shared", not(loom)))]
    Mapping {
        _kept: Arc<Mapping>,
    },
}

impl Region {
    /// Allocates `bytes` (more than 0) on the heap, asks for transparent huge pages if it is large enough to hold one, and
    /// writes zeros to all of it. `None`: the size is beyond what can be addressed, or there is no such memory.
    pub(crate) fn heap(bytes: usize) -> Option<Self> {
        debug_assert!(bytes > 0);
        let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { BASE_ALIGN };
        let layout = Layout::from_size_align(bytes, align).ok()?;
        // SAFETY: the layout's size is not zero: an event has at least 8 bytes and a ring at least one slot.
        let base = NonNull::new(unsafe { alloc(layout) })?;
        if bytes >= HUGE_PAGE {
            advise_huge_pages(base, bytes);
        }
        // Lest the compiler merge both into an allocation of zeroed memory, which nobody need have touched.
        let base = std::hint::black_box(base);
        // SAFETY: `base` is valid for writes of `bytes` bytes, freshly allocated, and nobody else knows it. The write is
        // what makes the kernel place the pages: on the NUMA node of this thread, and not later on the hot path.
        unsafe { base.write_bytes(0, bytes) };
        Some(Self { base, bytes, owner: Owner::Heap(layout) })
    }

    /// A part of a mapped file.
    ///
    /// Panics if the file has no such part, or if it does not begin on a cache line.
    #[cfg(all(feature = "shared", not(loom)))]
    pub(crate) fn mapped(mapping: &Arc<Mapping>, offset: usize, bytes: usize) -> Self {
        assert!(offset.is_multiple_of(BASE_ALIGN), "a region begins in the middle of a cache line");
        Self {
            base: mapping.part(offset, bytes),
            bytes,
            owner: Owner::Mapping { _kept: Arc::clone(mapping) },
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        match self.owner {
            // SAFETY: allocated in `heap` with this layout by the same allocator, and freed only here.
            Owner::Heap(layout) => unsafe { dealloc(self.base.as_ptr(), layout) },
            #[cfg(all(feature = "shared", not(loom)))]
            Owner::Mapping { .. } => {}
        }
    }
}

// SAFETY: a `Region` owns its memory and reads or writes none of it after it was made; freeing, and unmapping, work on any thread.
unsafe impl Send for Region {}
// SAFETY: a shared `Region` tells its address and nothing more.
unsafe impl Sync for Region {}

/// Asks, and does not insist: a kernel without transparent huge pages answers with an error, and small pages serve too.
#[cfg(all(target_os = "linux", not(miri)))]
fn advise_huge_pages(base: NonNull<u8>, bytes: usize) {
    // SAFETY: the range is one live allocation of ours that starts on a page boundary; MADV_HUGEPAGE changes how it is
    // backed and not what it holds.
    unsafe { libc::madvise(base.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
}

#[cfg(any(miri, not(target_os = "linux")))]
fn advise_huge_pages(_: NonNull<u8>, _: usize) {}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn is_zeroed_and_aligned() {
        for bytes in [64, HUGE_PAGE, HUGE_PAGE + 128] {
            let region = Region::heap(bytes).expect("a few megabytes");
            assert_eq!(region.base().as_ptr() as usize % BASE_ALIGN, 0);
            // SAFETY: `bytes` bytes were allocated and initialised, and nobody writes them.
            let memory = unsafe { std::slice::from_raw_parts(region.base().as_ptr(), bytes) };
            assert!(memory.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn a_size_beyond_the_address_space_is_refused() {
        assert!(Region::heap(usize::MAX / 2).is_none());
    }
}
