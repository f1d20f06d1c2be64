//! Sequence numbers: pure arithmetic, no memory.

use std::fmt;
use std::ops::{Add, AddAssign};

/// The highest sequence that a ring may start at, 2^62: it leaves room for 146 years of a billion events a second below
/// the bit that marks a closed ring, so that no sequence ever wraps and comparisons are plain.
pub const MAX_FIRST_SEQUENCE: u64 = 1 << 62;

/// The number of an event: counts up by one from the ring's first sequence (0 unless set), for the life of the stream.
///
/// Sequences never wrap (see [`MAX_FIRST_SEQUENCE`]). Positions, such as a cursor, are sequences too: *the next one*, so
/// that "everything below it" is what they speak of.
///
/// ```
/// use ringbus::Sequence;
///
/// let first = Sequence::new(100);
/// assert_eq!(first + 5, Sequence::new(105));
/// assert_eq!((first + 5).since(first), 5);
/// assert_eq!(first.since(first + 5), 0, "an earlier sequence is not behind a later one by a negative number");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Sequence(u64);

impl Sequence {
    /// The sequence with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The plain number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// How many sequences there are from `earlier` up to this one; 0 where `earlier` is in truth the later one.
    #[must_use]
    pub const fn since(self, earlier: Sequence) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for Sequence {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<Sequence> for u64 {
    fn from(sequence: Sequence) -> Self {
        sequence.0
    }
}

/// The sequence `count` events later. Panics in a debug build if the sum leaves `u64`, which no ring's sequence can.
impl Add<u64> for Sequence {
    type Output = Sequence;

    fn add(self, count: u64) -> Sequence {
        Sequence(self.0 + count)
    }
}

impl AddAssign<u64> for Sequence {
    fn add_assign(&mut self, count: u64) {
        self.0 += count;
    }
}
