//! Why something was not said.

use std::error::Error;
use std::fmt;

use super::hash::Hash;
use super::kind::Kind;
use crate::error::PublishError;

/// Why a [`Writer`](super::Writer) did not do what it was told. Nothing became visible, and everything is as it was before the
/// call: block, transaction, order numbers, what is staged. (Where a block's beginning, or a failed transaction's end, takes several
/// batches, the first may be there: see [`begin_block`](super::Writer::begin_block) and
/// [`end_transaction`](super::Writer::end_transaction).)
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// An event, or the beginning of a transaction, while no block is open.
    OutsideBlock,
    /// The beginning of a block, or the end of the stream, while a block is open.
    BlockOpen {
        /// The open block's height.
        height: u64,
    },
    /// The end of a block, while none is open.
    NoBlock,
    /// The beginning of a transaction, or the end of the block, while a transaction is open.
    TransactionOpen {
        /// The open transaction's hash.
        trace: Hash,
    },
    /// The end of a transaction, while none is open.
    NoTransaction,
    /// The block has as many events as order numbers can count. What is open can still be ended.
    BlockFull {
        /// The most events that a block can have.
        most: u32,
    },
    /// The kind is one of the bus's own: records of it come from the writer's other calls.
    ReservedKind {
        /// The kind that was given.
        kind: Kind,
    },
    /// The payload does not fit into one batch.
    PayloadTooLong {
        /// Its length, bytes.
        len: usize,
        /// The length of the longest that fits, bytes.
        longest: usize,
    },
    /// There are more records, or fragments of them, than one batch can have. A [`Batch`](super::Batch) stays as it was before the
    /// event that was too much.
    BatchTooLong {
        /// How many slots it would take.
        slots: usize,
        /// The ring's max batch, slots.
        max_batch: usize,
    },
    /// The ring refused it.
    Publish(PublishError),
}

impl WriteError {
    /// Whether events of this kind, with a payload of `len` bytes, can be emitted at all.
    #[inline]
    pub(crate) fn check(kind: Kind, len: usize, longest: usize) -> Result<(), Self> {
        if kind.is_reserved() { Err(Self::ReservedKind { kind }) } else { Self::check_length(len, longest) }
    }

    /// Whether a payload of `len` bytes can be published.
    #[inline]
    pub(crate) fn check_length(len: usize, longest: usize) -> Result<(), Self> {
        if len <= longest { Ok(()) } else { Err(Self::PayloadTooLong { len, longest }) }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideBlock => write!(
                f,
                "no block is open, and events and transactions need one; call begin_block first, or stage the event for the next \
                 block"
            ),
            Self::BlockOpen { height } => {
                write!(f, "block {height} is still open; call end_block first")
            }
            Self::NoBlock => write!(f, "no block is open, so there is none to end; call begin_block first"),
            Self::TransactionOpen { trace } => {
                write!(f, "transaction {trace} is still open; call end_transaction first")
            }
            Self::NoTransaction => {
                write!(f, "no transaction is open, so there is none to end; call begin_transaction first")
            }
            Self::BlockFull { most } => write!(
                f,
                "the block has {most} events, and order numbers count no further; end it, and go on in the next block"
            ),
            Self::ReservedKind { kind } => write!(
                f,
                "kind {kind} is one of the bus's own; choose one below {}, and begin and end blocks and transactions by the \
                 writer's calls",
                Kind::FIRST_RESERVED
            ),
            Self::PayloadTooLong { len, longest } => write!(
                f,
                "a payload of {len} bytes is longer than {longest} bytes, the most that one batch can carry; split it, or build \
                 the bus with a higher max_batch or longer slots"
            ),
            Self::BatchTooLong { slots, max_batch } => write!(
                f,
                "a batch of {slots} slots is longer than the max batch of {max_batch}; publish what there is and begin another, \
                 or build the bus with a higher max_batch"
            ),
            Self::Publish(error) => error.fmt(f),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Publish(error) => Some(error),
            _ => None,
        }
    }
}

/// What the ring says of a batch's length is said in slots: of one payload there may be many.
impl From<PublishError> for WriteError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::BatchTooLong { len, max_batch } => Self::BatchTooLong { slots: len, max_batch },
            error => Self::Publish(error),
        }
    }
}
