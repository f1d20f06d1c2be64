//! Events made in registers, and dropped there.

use std::arch::asm;

/// An event of `W` words.
pub(crate) type Words<const W: usize> = [u64; W];

/// Every word differs, so that none can be made from another by a plain copy.
#[inline(always)]
pub(crate) fn make<const W: usize>(number: u64) -> Words<W> {
    std::array::from_fn(|place| number.wrapping_add(place as u64))
}

/// Has every word of the event in a register, and does nothing with it: two words in one, as ringbus stores them.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn discard<const W: usize>(event: &Words<W>) {
    use std::arch::x86_64::__m128i;

    let (pairs, rest) = event.as_chunks::<2>();
    for pair in pairs {
        let pair: __m128i = bytemuck::cast(*pair);
        // SAFETY: no instruction, which touches nothing.
        unsafe { asm!("/* {0} */", in(xmm_reg) pair, options(nomem, nostack, preserves_flags)) };
    }
    discard_words(rest);
}

/// Has every word of the event in a register, and does nothing with it.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn discard<const W: usize>(event: &Words<W>) {
    discard_words(event);
}

#[inline(always)]
fn discard_words(words: &[u64]) {
    for word in words {
        // SAFETY: no instruction, which touches nothing.
        unsafe { asm!("/* {0} */", in(reg) *word, options(nomem, nostack, preserves_flags)) };
    }
}
