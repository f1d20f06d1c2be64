//! Numbers with a fixed count of decimal places.

use std::fmt;

use bytemuck::{Pod, Zeroable};

/// A decimal number with `SCALE` places behind the point, at most 18: stored as an `i64` that counts the smallest steps.
///
/// ```
/// use ringbus::bus::Fixed;
///
/// let price = Fixed::<2>::new(10_125);
/// assert_eq!(price.to_string(), "101.25");
/// assert_eq!(Fixed::<4>::new(-5).to_string(), "-0.0005");
/// assert_eq!(price.mantissa(), 10_125);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Fixed<const SCALE: u8>(i64);

/// The most decimal places: with more, an `i64` could not reach 1.
pub(in crate::bus) const MAX_SCALE: u8 = 18;

// SAFETY: it is an integer and nothing else in memory.
unsafe impl<const SCALE: u8> Zeroable for Fixed<SCALE> {}
// SAFETY: it is an integer and nothing else in memory.
unsafe impl<const SCALE: u8> Pod for Fixed<SCALE> {}

impl<const SCALE: u8> Fixed<SCALE> {
    /// How many decimal places it has.
    pub const SCALE: u8 = {
        assert!(SCALE <= MAX_SCALE, "a fixed-point number has at most 18 decimal places");
        SCALE
    };

    /// `mantissa` times 10 to the power of `-SCALE`.
    #[must_use]
    pub const fn new(mantissa: i64) -> Self {
        const { _ = Self::SCALE };
        Self(mantissa)
    }

    /// How many of its smallest steps it is.
    #[must_use]
    pub const fn mantissa(self) -> i64 {
        self.0
    }
}

impl<const SCALE: u8> fmt::Display for Fixed<SCALE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, self.0, Self::SCALE)
    }
}

impl<const SCALE: u8> fmt::Debug for Fixed<SCALE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes `mantissa` with a point before its last `scale` digits.
pub(in crate::bus) fn write_fixed(f: &mut fmt::Formatter<'_>, mantissa: i64, scale: u8) -> fmt::Result {
    let places = usize::from(scale);
    // One digit before the point at least.
    let mut digits = format!("{:0width$}", mantissa.unsigned_abs(), width = places + 1);
    if places > 0 {
        digits.insert(digits.len() - places, '.');
    }
    f.pad_integral(mantissa >= 0, "", &digits)
}
