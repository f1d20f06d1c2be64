//! Copies between slots, which other threads may access at the same time, and private memory: as relaxed atomic words.
//!
//! [`store`] copies words from private memory into slots, [`load`] copies them out. There are two forms of both, and a test holds
//! either to the same result:
//!
//! - `each` is what it says: one relaxed atomic access for each word. The compiler neither merges nor vectorises them, so that
//!   64 bytes are eight stores; and a producer with a consumer on its heels is bound by the number of its stores (PERF.md).
//! - `vector` does the slot's side by vector instructions in `asm!`, on x86-64.
//!
//! What `asm!` may mean, and what is relied on. To the language, a block stands for something that Rust code in its place could
//! do: here, one relaxed atomic access for each word, in some order. For that reading the hardware must not tear an aligned word
//! that is moved as a part of a vector; processors do not, though their manuals promise it for few kinds of vector. The protocol
//! itself does not need it: no bit is interpreted before `Cursor::recheck` has shown that nothing was written meanwhile, and any
//! bit of a later lap leads to a refusal. What it does need is that the accesses stay between the fences around them: the
//! compiler keeps a block that may access memory (it is neither `nomem` nor `pure`) where it stands, and the processor orders
//! stores among stores and loads among loads, vectors like words.
//!
//! loom, Miri and the sanitizers do not see into `asm!`: they run `each` (`--cfg ringbus_words` for the sanitizers), and loom's
//! optional consumers read the shadow of the slots. So `vector` is held to `each` by the test below, and run by all other tests.

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(any(miri, ringbus_words)))))]
use each as chosen;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(any(miri, ringbus_words))))]
use vector as chosen;

#[cfg(not(loom))]
pub(super) use chosen::load;
pub(super) use chosen::store;

mod each {
    // Not by way of `sync.rs`: under loom too, these are the real words (loom's stand in the shadow).
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
    pub(in super::super) unsafe fn store(to: *mut u64, from: *const u64, words: usize) {
        for word in 0..words {
            // SAFETY: `from` is valid for that many words; it may be unaligned.
            let value = unsafe { from.wrapping_add(word).read_unaligned() };
            // SAFETY: `to` is valid for that many aligned words, which others load atomically only.
            let to = unsafe { AtomicU64::from_ptr(to.wrapping_add(word)) };
            // Relaxed: the cursor's store orders it for those who read after, its fence for those who are overrun.
            to.store(value, Relaxed);
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
    pub(in super::super) unsafe fn load(to: *mut u64, from: *mut u64, words: usize) {
        for word in 0..words {
            // SAFETY: `from` is valid for that many aligned words, which others store atomically only.
            let from = unsafe { AtomicU64::from_ptr(from.wrapping_add(word)) };
            // Relaxed: the cursor's fences order it (publish/peek before, overwrite/recheck after).
            let value = from.load(Relaxed);
            // SAFETY: `to` is valid for that many words; it may be unaligned.
            unsafe { to.wrapping_add(word).write_unaligned(value) };
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(any(miri, ringbus_words))))]
mod vector {
    use std::arch::asm;
    use std::arch::x86_64::__m128i;

    /// [`super::each::store`], 64, 16 and 8 bytes at a time. Only the slot's side is in `asm!`: what is to be stored comes
    /// in registers, so that the compiler need not put an event into memory first.
    ///
    /// # Safety
    ///
    /// As for [`super::each::store`].
    #[inline(always)]
    pub(in super::super) unsafe fn store(to: *mut u64, from: *const u64, words: usize) {
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
        unsafe { super::each::store(to.wrapping_add(done), from.wrapping_add(done), words - done) };
    }

    /// [`super::each::load`], 64, 16 and 8 bytes at a time. Only the slot's side is in `asm!`.
    ///
    /// # Safety
    ///
    /// As for [`super::each::load`].
    #[cfg(not(loom))]
    #[inline(always)]
    pub(in super::super) unsafe fn load(to: *mut u64, from: *mut u64, words: usize) {
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
        unsafe { super::each::load(to.wrapping_add(done), from.wrapping_add(done), words - done) };
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
            unsafe { each::store(to, from, words) }
        };
        for offset in 0..8 {
            copies_exactly(store, offset, 0);
            copies_exactly(store_each, offset, 0);
            copies_exactly(load, 0, offset);
            copies_exactly(each::load, 0, offset);
        }
    }
}
