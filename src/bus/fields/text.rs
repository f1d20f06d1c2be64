//! Short text, stored in place.

use std::fmt;

use bytemuck::{Pod, Zeroable};

/// UTF-8 text of at most `N` bytes, stored in place. What it does not fill is zero, so it holds no zero characters itself.
///
/// Two are equal if all their bytes are; for those made here that means: if they are the same text.
///
/// ```
/// use ringbus::bus::Text;
///
/// let symbol = Text::<8>::new("BTC-USD")?;
/// assert_eq!(symbol.as_str(), "BTC-USD");
/// assert!(Text::<8>::new("BTC-USD-PERP").is_err());
/// assert_eq!(Text::<8>::truncated("BTC-USD-PERP").as_str(), "BTC-USD-");
/// # Ok::<(), ringbus::bus::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Text<const N: usize>([u8; N]);

// SAFETY: it is an array of bytes and nothing else in memory.
unsafe impl<const N: usize> Zeroable for Text<N> {}
// SAFETY: it is an array of bytes and nothing else in memory.
unsafe impl<const N: usize> Pod for Text<N> {}

impl<const N: usize> Text<N> {
    /// This text.
    ///
    /// # Errors
    ///
    /// [`TextError`], if it is longer than `N` bytes or has a zero character in it.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if let Some(at) = text.find('\0') {
            Err(TextError::Zero { at })
        } else if text.len() > N {
            Err(TextError::TooLong { bytes: text.len(), most: N })
        } else {
            Ok(Self::filled(text))
        }
    }

    /// As many whole characters of this text as have room, and of what stands behind a zero character nothing.
    #[must_use]
    pub fn truncated(text: &str) -> Self {
        let text = text.split('\0').next().unwrap_or_default();
        Self::filled(&text[..text.floor_char_boundary(N)])
    }

    fn filled(text: &str) -> Self {
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self(bytes)
    }

    /// The text. Where the bytes were not written by this type, it ends before the first that is zero or not UTF-8.
    #[must_use]
    pub fn as_str(&self) -> &str {
        until_zero(&self.0).utf8_chunks().next().map_or("", |chunk| chunk.valid())
    }

    /// Its bytes, with the zeroes behind the text.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; N] {
        &self.0
    }
}

/// What stands before the first zero.
pub(in crate::bus) fn until_zero(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A text that a [`Text`] cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// It is too long.
    TooLong {
        /// Its length, bytes.
        bytes: usize,
        /// The most there can be, bytes.
        most: usize,
    },
    /// It has a zero character in it.
    Zero {
        /// Where, bytes from the beginning.
        at: usize,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, most } => {
                write!(
                    f,
                    "a text of {bytes} bytes in a field for at most {most}: shorten it, or use `Text::truncated`"
                )
            }
            Self::Zero { at } => {
                write!(f, "a text with a zero character, at byte {at}: texts end at the first zero")
            }
        }
    }
}

impl std::error::Error for TextError {}
