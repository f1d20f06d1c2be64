//! A number that tells schemas apart.

use std::fmt;

/// What [`Schema::fingerprint`](super::Schema::fingerprint) computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The one with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// FNV-1a, 64 bits.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        Self(bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME)))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    /// The vectors of the algorithm's authors.
    #[test]
    fn it_is_fnv_1a() {
        assert_eq!(Fingerprint::of_bytes(b"").get(), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fingerprint::of_bytes(b"a").get(), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Fingerprint::of_bytes(b"foobar").get(), 0x8594_4171_f739_67e8);
    }
}
