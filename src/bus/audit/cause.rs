//! What caused an event.

use std::fmt;

use super::super::hash::Hash;

/// What caused an event, from its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The transaction with this hash.
    Transaction(Hash),
    /// No transaction: the block with this hash itself.
    Block(Hash),
    /// The transaction or the block with this hash. Which of them shows when the block ends: its beginning was not seen.
    Unclear(Hash),
}

impl Cause {
    /// What the trace of a record is in a block with this hash, if that is known.
    pub(super) fn new(trace: Hash, block: Option<Hash>) -> Self {
        match block {
            Some(block) if block == trace => Self::Block(trace),
            Some(_) => Self::Transaction(trace),
            None => Self::Unclear(trace),
        }
    }

    /// The hash, of whatever it is.
    #[must_use]
    pub const fn hash(&self) -> &Hash {
        match self {
            Self::Transaction(hash) | Self::Block(hash) | Self::Unclear(hash) => hash,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transaction(hash) => write!(f, "transaction {hash}"),
            Self::Block(hash) => write!(f, "block {hash}"),
            Self::Unclear(hash) => write!(f, "transaction or block {hash}"),
        }
    }
}
