//! What is carried, and how a consumer shows that it has read all of it.

use bytemuck::{Pod, Zeroable};

use crate::carrier;

/// The number of the last event of a phase. No other has it.
pub(crate) const END: u64 = u64::MAX;

/// An event that is made from a number: no two of its words are the same, nor two events.
pub(crate) trait Numbered: carrier::Event {
    fn numbered(number: u64) -> Self;

    /// What it was made from.
    fn number(&self) -> u64;

    /// All words, mixed: what each consumer adds up.
    fn mixed(&self) -> u64;
}

/// One cache line, wherever it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(64))]
pub(crate) struct Line([u64; 8]);

/// Half a cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(32))]
pub(crate) struct HalfLine([u64; 4]);

macro_rules! numbered {
    ($($event:ty),+) => {$(
        impl Numbered for $event {
            #[inline(always)]
            fn numbered(number: u64) -> Self {
                Self(words(number))
            }

            #[inline(always)]
            fn number(&self) -> u64 {
                number(&self.0)
            }

            #[inline(always)]
            fn mixed(&self) -> u64 {
                mixed(&self.0)
            }
        }
    )+};
}

numbered!(Line, HalfLine);

/// 2^64 over the golden ratio: its multiples have no pattern.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Each word by itself: compilers turn sums of neighbouring words into a chain of additions where they store word by word, and
/// not where they store vectors.
#[inline(always)]
fn words<const WORDS: usize>(number: u64) -> [u64; WORDS] {
    std::array::from_fn(|place| number ^ (place as u64 + 1).wrapping_mul(SPREAD))
}

#[inline(always)]
fn number<const WORDS: usize>(words: &[u64; WORDS]) -> u64 {
    words[0] ^ SPREAD
}

/// Not a plain sum: added to a running sum, that would be compiled to one chain of additions wherever events are read in place,
/// and to fewer where they have been copied, and it would be the chain that is measured.
#[inline(always)]
fn mixed<const WORDS: usize>(words: &[u64; WORDS]) -> u64 {
    let (fours, _) = words.as_chunks::<4>();
    fours.iter().fold(0, |sum, [a, b, c, d]| sum.wrapping_add(a.wrapping_add(*b) ^ c.wrapping_add(*d)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_event_tells_its_number() {
        for number in [0, 1, 65_536, u64::MAX] {
            assert_eq!(Line::numbered(number).number(), number);
            assert_eq!(HalfLine::numbered(number).number(), number);
        }
    }

    #[test]
    fn no_two_words_are_the_same() {
        let words: HashSet<u64> = (0..1_000).flat_map(|number| Line::numbered(number).0).collect();
        assert_eq!(words.len(), 8_000);
    }

    #[test]
    fn every_bit_counts_in_the_checksum() {
        let whole = Line::numbered(42);
        for (word, bit) in (0..8).flat_map(|word| (0..64).map(move |bit| (word, bit))) {
            let mut damaged = whole;
            damaged.0[word] ^= 1 << bit;
            assert_ne!(damaged.mixed(), whole.mixed(), "bit {bit} of word {word}");
        }
    }

    #[test]
    fn events_have_the_size_that_their_workloads_name() {
        assert_eq!((size_of::<Line>(), size_of::<HalfLine>()), (64, 32));
    }
}
