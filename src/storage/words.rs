//! Copies between slots, which other threads may access at the same time, and private memory: as relaxed atomic words.
//!
//! The compiler neither merges nor vectorises atomic accesses, so that 64 bytes are eight loads and eight stores where two or
//! four would do; and a producer with an optional consumer on its heels is bound by the number of its stores (PERF.md). So on
//! x86-64 the words are moved by vector instructions in `asm!`. Its meaning is the same: a block of `asm!` may do to memory
//! what the abstract machine could do in its place, and that is one relaxed atomic access of each word, in some order. No
//! rule of the protocol relies on the order of words, or on more than that a word is there once its cursor is.
//!
//! The loop of words stays for other targets, for Miri, and for the sanitizers, which do not see into `asm!` (`--cfg
//! ringbus_words`). A test holds the two against each other. Under loom, optional consumers read the shadow of the slots instead,
//! and there is no `load`.

use std::sync::atomic::AtomicU64;

use crate::sync::Relaxed;

/// Copies `words` words from private memory into slots.
///
/// # Safety
///
/// - `from` is valid for reads of `words` initialised words, at any alignment, and nobody writes them meanwhile;
/// - `to` is valid for writes of `words` words, aligned to 8, and meanwhile others access them, if at all, by relaxed loads
///   such as those of [`load`] only.
#[inline(always)]
pub(super) unsafe fn store(to: *mut u64, from: *const u64, words: usize) {
    #[cfg(all(target_arch = "x86_64", not(any(miri, ringbus_words))))]
    // SAFETY: passed on.
    unsafe {
        vector::store(to, from, words);
    }
    #[cfg(any(not(target_arch = "x86_64"), miri, ringbus_words))]
    // SAFETY: passed on.
    unsafe {
        store_each(to, from, words);
    }
}

/// Copies `words` words from slots into private memory.
///
/// # Safety
///
/// - `from` is valid for reads of `words` initialised words, aligned to 8, and meanwhile others write them, if at all, by
///   relaxed stores such as those of [`store`] only;
/// - `to` is valid for writes of `words` words, at any alignment, and nobody accesses them meanwhile.
#[cfg(not(loom))]
#[inline(always)]
pub(super) unsafe fn load(to: *mut u64, from: *mut u64, words: usize) {
    #[cfg(all(target_arch = "x86_64", not(any(miri, ringbus_words))))]
    // SAFETY: passed on.
    unsafe {
        vector::load(to, from, words);
    }
    #[cfg(any(not(target_arch = "x86_64"), miri, ringbus_words))]
    // SAFETY: passed on.
    unsafe {
        load_each(to, from, words);
    }
}

/// [`store`], word by word.
///
/// # Safety
///
/// As for [`store`].
#[inline(always)]
unsafe fn store_each(to: *mut u64, from: *const u64, words: usize) {
    for word in 0..words {
        // SAFETY: `from` is valid for that many words; it may be unaligned.
        let value = unsafe { from.wrapping_add(word).read_unaligned() };
        // SAFETY: `to` is valid for that many aligned words, which others load atomically only.
        let to = unsafe { AtomicU64::from_ptr(to.wrapping_add(word)) };
        // Relaxed: the cursor's store orders it for those who read after, its fence for those who are overrun.
        to.store(value, Relaxed);
    }
}

/// [`load`], word by word.
///
/// # Safety
///
/// As for [`load`].
#[cfg(not(loom))]
#[inline(always)]
unsafe fn load_each(to: *mut u64, from: *mut u64, words: usize) {
    for word in 0..words {
        // SAFETY: `from` is valid for that many aligned words, which others store atomically only.
        let from = unsafe { AtomicU64::from_ptr(from.wrapping_add(word)) };
        // Relaxed: the cursor's fences order it (publish/peek before, overwrite/recheck after).
        let value = from.load(Relaxed);
        // SAFETY: `to` is valid for that many words; it may be unaligned.
        unsafe { to.wrapping_add(word).write_unaligned(value) };
    }
}

#[cfg(all(target_arch = "x86_64", not(any(miri, ringbus_words))))]
mod vector {
    use std::arch::asm;
    use std::arch::x86_64::__m128i;

    /// [`super::store`], 64, 16 and 8 bytes at a time. Only the slot's side is in `asm!`: what is to be stored comes in registers,
    /// so that the compiler need not put an event into memory first.
    ///
    /// # Safety
    ///
    /// As for [`super::store`]. On x86-64 a store of an aligned word, alone or as a part of a vector, is what a relaxed
    /// atomic store compiles to.
    #[inline(always)]
    pub(super) unsafe fn store(to: *mut u64, from: *const u64, words: usize) {
        let vector = |at: usize| {
            // SAFETY: the caller says that `words` words can be read; two of them stand here.
            unsafe { from.wrapping_add(at).cast::<__m128i>().read_unaligned() }
        };
        let mut done = 0;
        while words - done >= 8 {
            let (a, b, c, d) = (vector(done), vector(done + 2), vector(done + 4), vector(done + 6));
            // SAFETY: stores the next 64 bytes, and nothing else. Not `nomem`: it stays between the fences around it.
            unsafe {
                asm!(
                    "movups [{to}], {a}",
                    "movups [{to} + 16], {b}",
                    "movups [{to} + 32], {c}",
                    "movups [{to} + 48], {d}",
                    to = in(reg) to.wrapping_add(done),
                    a = in(xmm_reg) a, b = in(xmm_reg) b, c = in(xmm_reg) c, d = in(xmm_reg) d,
                    options(nostack, preserves_flags)
                );
            }
            done += 8;
        }
        while words - done >= 2 {
            let a = vector(done);
            // SAFETY: stores the next 16 bytes, and nothing else.
            unsafe {
                asm!(
                    "movups [{to}], {a}",
                    to = in(reg) to.wrapping_add(done), a = in(xmm_reg) a,
                    options(nostack, preserves_flags)
                );
            }
            done += 2;
        }
        // SAFETY: as promised for all words, for the one that may be left.
        unsafe { super::store_each(to.wrapping_add(done), from.wrapping_add(done), words - done) };
    }

    /// [`super::load`], 64, 16 and 8 bytes at a time. Only the slot's side is in `asm!`.
    ///
    /// # Safety
    ///
    /// As for [`super::load`]. On x86-64 a load of an aligned word, alone or as a part of a vector, is what a relaxed
    /// atomic load compiles to.
    #[cfg(not(loom))]
    #[inline(always)]
    pub(super) unsafe fn load(to: *mut u64, from: *mut u64, words: usize) {
        let put = |at: usize, vector: __m128i| {
            // SAFETY: the caller says that `words` words can be written; two of them stand here.
            unsafe { to.wrapping_add(at).cast::<__m128i>().write_unaligned(vector) };
        };
        let mut done = 0;
        while words - done >= 8 {
            let (a, b, c, d): (__m128i, __m128i, __m128i, __m128i);
            // SAFETY: loads the next 64 bytes, and touches no other memory. Not `nomem` and not `pure`: it stays between the
            // fences around it.
            unsafe {
                asm!(
                    "movups {a}, [{from}]",
                    "movups {b}, [{from} + 16]",
                    "movups {c}, [{from} + 32]",
                    "movups {d}, [{from} + 48]",
                    from = in(reg) from.wrapping_add(done),
                    a = out(xmm_reg) a, b = out(xmm_reg) b, c = out(xmm_reg) c, d = out(xmm_reg) d,
                    options(nostack, preserves_flags, readonly)
                );
            }
            put(done, a);
            put(done + 2, b);
            put(done + 4, c);
            put(done + 6, d);
            done += 8;
        }
        while words - done >= 2 {
            let a: __m128i;
            // SAFETY: loads the next 16 bytes, and touches no other memory.
            unsafe {
                asm!(
                    "movups {a}, [{from}]",
                    from = in(reg) from.wrapping_add(done), a = out(xmm_reg) a,
                    options(nostack, preserves_flags, readonly)
                );
            }
            put(done, a);
            done += 2;
        }
        // SAFETY: as promised for all words, for the one that may be left.
        unsafe { super::load_each(to.wrapping_add(done), from.wrapping_add(done), words - done) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    type Copy = unsafe fn(*mut u64, *mut u64, usize);

    /// Every number of words up to 4 kB and some, private memory at every alignment: exactly those words arrive.
    fn copies_exactly(copy: Copy, offset_from: usize, offset_to: usize) {
        const MOST: usize = 515;
        let mut from = vec![0_u64; MOST + 1];
        from.iter_mut()
            .zip(1_u64..)
            .for_each(|(word, number)| *word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let from_bytes = from.as_mut_ptr().cast::<u8>();
        for words in (0..40).chain([63, 64, 65, 511, 512, MOST]) {
            let mut to = vec![0_u64; MOST + 2];
            let to_bytes = to.as_mut_ptr().cast::<u8>();
            let source = from_bytes.wrapping_add(offset_from).cast::<u64>();
            // SAFETY: both are long enough for `words` words at these offsets, and nobody else accesses them; the caller
            // offsets only the side that may be unaligned.
            unsafe { copy(to_bytes.wrapping_add(offset_to).cast(), source, words) };
            // SAFETY: the vector's memory, all of it initialised.
            let written = unsafe { std::slice::from_raw_parts(to_bytes, to.len() * 8) };
            // SAFETY: inside the vector `from`, all of it initialised.
            let read = unsafe { std::slice::from_raw_parts(from_bytes.wrapping_add(offset_from), words * 8) };
            let end = offset_to + words * 8;
            assert_eq!(&written[offset_to..end], read, "{words} words");
            assert!(
                written[..offset_to].iter().chain(&written[end..]).all(|byte| *byte == 0),
                "{words} words"
            );
        }
    }

    #[test]
    fn words_and_vectors_copy_the_same() {
        let store: Copy = |to, from, words| {
            // SAFETY: the caller's.
            unsafe { store(to, from, words) }
        };
        let store_each: Copy = |to, from, words| {
            // SAFETY: the caller's.
            unsafe { store_each(to, from, words) }
        };
        for offset in 0..8 {
            copies_exactly(store, offset, 0);
            copies_exactly(store_each, offset, 0);
            copies_exactly(load, 0, offset);
            copies_exactly(load_each, 0, offset);
        }
    }
}
