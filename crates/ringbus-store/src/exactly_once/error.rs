//! Why a store cannot go on.

use std::error::Error;
use std::fmt;

use ringbus::Sequence;
use ringbus::bus::OtherStream;

/// Why an [`ExactlyOnce`](crate::ExactlyOnce) cannot go on; `E` is its store's own error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError<E> {
    /// The store itself.
    Store(E),
    /// It keeps another stream.
    OtherStream(OtherStream),
    /// Something is missing between what the store has and what came.
    Gap {
        /// The sequence that must come next.
        expected: Sequence,
        /// The one that came.
        found: Sequence,
    },
    /// What came is not what the store has at the same sequences: the core was restarted before blocks that the store has, and says
    /// something else there now.
    Diverged {
        /// The record that is not what it was.
        sequence: Sequence,
        /// The first sequence that the store does not have.
        expected: Sequence,
    },
    /// A record stands behind the end of a block, and no block begins with it.
    OutsideBlock {
        /// The record.
        sequence: Sequence,
    },
    /// A record's height or time is not that of the block that it stands in.
    OtherBlock {
        /// The record.
        sequence: Sequence,
        /// Height and time of the block.
        block: (u64, i64),
        /// Height and time in the record's header.
        found: (u64, i64),
    },
    /// A block has begun or ended whose first or last record did not come: the subscription has a filter.
    Filtered {
        /// The block.
        height: u64,
    },
    /// It has failed before.
    Failed,
}

impl<E> From<OtherStream> for StoreError<E> {
    fn from(error: OtherStream) -> Self {
        Self::OtherStream(error)
    }
}

impl<E: fmt::Display> fmt::Display for StoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::OtherStream(error) => error.fmt(f),
            Self::Gap { expected, found } => write!(
                f,
                "the store needs sequence {expected} next, and got {found}: feed it from the journal, from {expected} on, and subscribe it \
                 as required, without a filter and without pauses"
            ),
            Self::Diverged { sequence, expected } => write!(
                f,
                "the store has everything before sequence {expected}, but the record with sequence {sequence} is not what it was: the \
                 core has gone back behind what the store has; let the store read behind the journal, and fill a new one from it"
            ),
            Self::OutsideBlock { sequence } => write!(
                f,
                "the record with sequence {sequence} stands in no block: a store keeps whole blocks, each from a record with the flag \
                 BEGINS_BLOCK to one with ENDS_BLOCK"
            ),
            Self::OtherBlock { sequence, block, found } => write!(
                f,
                "the record with sequence {sequence} says height {}, time {}, but stands in the block of height {}, time {}, which has \
                 not ended: look for what writes to the stream",
                found.0, found.1, block.0, block.1
            ),
            Self::Filtered { height } => write!(
                f,
                "block {height} has begun or ended, but its first or last record did not come: subscribe the store without a filter"
            ),
            Self::Failed => write!(f, "the store has failed before: open it anew, it knows where it stopped"),
        }
    }
}

impl<E: Error + 'static> Error for StoreError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            _ => None,
        }
    }
}
