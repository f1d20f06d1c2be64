//! A loss, told between two records.

use std::fmt;

use crate::sequence::Sequence;

/// An optional subscription was overrun: what it says instead of the records that are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagged {
    /// How many sequences are lost, exactly.
    pub missed: u64,
    /// Where it goes on: what comes next is this sequence or a later one, because it begins with the first fragment of a payload.
    pub resumed_at: Sequence,
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { missed, resumed_at } = self;
        write!(
            f,
            "{missed} sequences were skipped because the writer had come round; goes on at sequence {resumed_at} (a larger ring, or a \
             faster reader, would have kept up)"
        )
    }
}

impl std::error::Error for Lagged {}
