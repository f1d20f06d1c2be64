//! Hashes of transactions and blocks.

use std::fmt;

use bytemuck::{Pod, Zeroable};

/// A hash of 32 bytes: of the transaction that caused a record (its *trace*), or of a block. The bus computes none: the core has
/// them.
///
/// ```
/// use ringbus::bus::Hash;
///
/// let hash: Hash = "00000000000000000000000000000000000000000000000000000000000000ff".parse()?;
/// assert_eq!(hash.bytes()[31], 0xff);
/// assert_eq!(hash.to_string().len(), 64);
/// # Ok::<(), ringbus::bus::HashError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Hash([u8; 32]);

// SAFETY: it is an array of bytes and nothing else in memory.
unsafe impl Zeroable for Hash {}
// SAFETY: it is an array of bytes and nothing else in memory.
unsafe impl Pod for Hash {}

impl Hash {
    /// The one with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// A text that is not a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashError {
    text: String,
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a hash: expected 64 hexadecimal digits", self.text)
    }
}

impl std::error::Error for HashError {}

impl std::str::FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let error = || HashError { text: text.to_owned() };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(error());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or_else(error)?;
                *byte = *byte << 4 | value as u8;
            }
        }
        Ok(Self(bytes))
    }
}
