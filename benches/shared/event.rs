//! What is published.

use crate::common::{Words, checksum};

/// The event of this number: made where it is published, as an engine would, and not kept in memory. One of which a word has just been
/// changed there would be measured by how soon that leaves the store buffer.
#[inline(always)]
pub(crate) fn event<const W: usize>(number: u64) -> Words<W> {
    std::array::from_fn(|place| number + place as u64)
}

/// The checksum of the event of this number.
#[inline(always)]
fn expected<const W: usize>(number: u64) -> u64 {
    let words = W as u64;
    number.wrapping_mul(words).wrapping_add(words * (words - 1) / 2)
}

/// The sum of the checksums of the events with numbers from `first` to before `end`.
pub(crate) fn sum_of<const W: usize>(first: u64, end: u64) -> u64 {
    (first..end).fold(0, |sum, number| sum.wrapping_add(expected::<W>(number)))
}

/// Whether each of these events is one that was published, whatever its number.
pub(crate) fn are_whole<const W: usize>(events: &[Words<W>]) -> bool {
    events.iter().fold(0, |wrong, event| wrong | (checksum(event) ^ expected::<W>(event[0]))) == 0
}
