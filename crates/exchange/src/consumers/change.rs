//! What the store makes of a record.

use ringbus::bus::{RecordRef, TransactionEnded};

use crate::checksum::digest_of;
use crate::events::{BalanceChanged, BlockClosed, Exchange, MarkPriceMoved, PositionChanged};

/// What a [`BlockStore`](super::BlockStore) makes of a record, until the block ends.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// What it adds to the block's checksum, if the core said it.
    pub(super) digest: Option<u64>,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Position(PositionChanged),
    Balance(BalanceChanged),
    Mark(MarkPriceMoved),
    Trade,
    Transaction,
    Closed(BlockClosed),
    /// Of no matter to the state.
    Other,
}

impl Change {
    /// What `record` changes; `None` if it is neither the core's, nor a transaction's end.
    #[must_use]
    pub fn of(record: RecordRef<'_>) -> Option<Self> {
        if record.get::<TransactionEnded>().is_some() {
            return Some(Self { digest: None, what: What::Transaction });
        }
        let what = match Exchange::of(&record)? {
            Exchange::PositionChanged(position) => What::Position(*position),
            Exchange::BalanceChanged(balance) => What::Balance(*balance),
            Exchange::MarkPriceMoved(mark) => What::Mark(*mark),
            Exchange::Trade(_) => What::Trade,
            // Said before the checksum, and after it.
            Exchange::MarketListed(_) => return None,
            Exchange::BlockClosed(closed) => return Some(Self { digest: None, what: What::Closed(*closed) }),
            _ => What::Other,
        };
        Some(Self { digest: Some(digest_of(&record)), what })
    }
}
