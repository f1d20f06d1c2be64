//! Where the ring's memory comes from: today the heap.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

/// The base is aligned to two cache lines, because processors fetch lines in pairs.
const BASE_ALIGN: usize = 128;
/// The huge page of x86-64, and of aarch64 with 4 KiB pages.
const HUGE_PAGE: usize = 2 << 20;

/// A block of zeroed memory that never moves, every page of it touched by the thread that made it.
pub(crate) struct Region {
    base: NonNull<u8>,
    layout: Layout,
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
        Some(Self { base, layout })
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: allocated in `heap` with this layout by the same allocator, and freed only here.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

// SAFETY: a `Region` owns its memory and reads or writes none of it after it was made; freeing works on any thread.
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
