//! Which traces may be among many, in ten bits each.

use ringbus::bus::Hash;

const BITS_PER_TRACE: usize = 10;
const PROBES: u64 = 7;

/// A Bloom filter of traces: it may say yes of one that is not there (one in a hundred), and never says no of one that is.
///
/// Probes by two hashes, after Kirsch and Mitzenmacher, "Less Hashing, Same Performance: Building a Better Bloom Filter" (2006).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bloom {
    /// At least one byte.
    bits: Vec<u8>,
}

impl Bloom {
    pub(crate) fn of(traces: &[Hash]) -> Self {
        let mut filter = Self { bits: vec![0; (traces.len() * BITS_PER_TRACE).div_ceil(8).max(1)] };
        for trace in traces {
            for bit in probes(trace, filter.size()) {
                filter.bits[bit / 8] |= 1 << (bit % 8);
            }
        }
        filter
    }

    /// One that says yes of each.
    pub(crate) fn full() -> Self {
        Self { bits: vec![u8::MAX] }
    }

    /// `None` if there are none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self { bits: bytes.to_vec() })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bits
    }

    pub(crate) fn may_have(&self, trace: &Hash) -> bool {
        probes(trace, self.size()).all(|bit| self.bits[bit / 8] & 1 << (bit % 8) != 0)
    }

    fn size(&self) -> u64 {
        self.bits.len() as u64 * 8
    }
}

fn probes(trace: &Hash, size: u64) -> impl Iterator<Item = usize> {
    let [a, b, c, d]: [u64; 4] = bytemuck::cast(*trace.bytes());
    let one = mix(a ^ mix(b));
    let other = mix(c ^ mix(d ^ one)) | 1;
    (0..PROBES).map(move |probe| (one.wrapping_add(probe.wrapping_mul(other)) % size) as usize)
}

/// The finaliser of `SplitMix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): traces need not be
/// random numbers.
fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> Hash {
        Hash::new(bytemuck::cast([number, 0, 0, 0]))
    }

    #[test]
    fn it_has_what_it_was_made_of_and_little_else() {
        let traces: Vec<_> = (0..1_000).map(hash).collect();
        let filter = Bloom::of(&traces);
        assert_eq!(filter.bytes().len(), 1_250);
        assert!(traces.iter().all(|trace| filter.may_have(trace)));
        let wrong = (1_000..11_000).filter(|&number| filter.may_have(&hash(number))).count();
        assert!(wrong < 200, "{wrong} of 10,000");
        assert_eq!(Bloom::from_bytes(filter.bytes()), Some(filter));
    }

    #[test]
    fn it_may_be_empty() {
        let filter = Bloom::of(&[]);
        assert_eq!(filter.bytes(), [0]);
        assert!(!filter.may_have(&hash(1)));
        assert_eq!(Bloom::from_bytes(&[]), None);
        assert!((0..1_000).all(|number| Bloom::full().may_have(&hash(number))));
    }
}
