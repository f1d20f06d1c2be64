//! A hash that stays the same: in every run, on every machine, with every version of Rust.

use ringbus::bus::Hash;

/// Hashes 64-bit words, in order: FNV-1a with words instead of bytes, and a rotation so that high bits count as much
/// as low ones. Not for adversaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateHash(u64);

impl StateHash {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// A signed word, by its bits.
    pub(crate) fn signed(&mut self, word: i64) {
        self.word(word.cast_unsigned());
    }

    /// The hash of the words so far: the finaliser of `SplitMix64`.
    pub(crate) fn finish(self) -> u64 {
        let hash = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }
}

/// A hash of 32 bytes from one of 8.
pub(crate) fn spread(seed: u64) -> Hash {
    let mut bytes = [0; 32];
    for (part, word) in (0..).zip(bytes.as_chunks_mut().0) {
        let mut hash = StateHash::new();
        hash.word(seed);
        hash.word(part);
        *word = hash.finish().to_be_bytes();
    }
    Hash::new(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::StateHash;

    fn hash(words: &[u64]) -> u64 {
        let mut hash = StateHash::new();
        words.iter().for_each(|&word| hash.word(word));
        hash.finish()
    }

    #[test]
    fn every_bit_the_order_and_the_number_of_words_count() {
        let mut inputs = vec![vec![], vec![0], vec![0, 0], vec![1, 2], vec![2, 1]];
        inputs.extend((2..64).map(|bit| vec![1 << bit, 0]));
        let hashes: BTreeSet<u64> = inputs.iter().map(|words| hash(words)).collect();
        assert_eq!(hashes.len(), inputs.len());
    }
}
