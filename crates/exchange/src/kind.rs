//! The kinds of events.

use bytemuck::NoUninit;

/// What an event says; [`Payload`](crate::Payload) has the same names, with their fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, NoUninit)]
#[repr(u8)]
pub enum Kind {
    /// The first event of a block.
    BeginBlock,
    /// An order was accepted.
    Accepted,
    /// An order was rejected.
    Rejected,
    /// Two orders met.
    Trade,
    /// An order, or what was left of it, was cancelled.
    Cancelled,
    /// A cancel was rejected.
    CancelRejected,
    /// An account's position after the transaction.
    Position,
    /// An account's balance after the transaction.
    Balance,
    /// The last event of a transaction.
    Result,
    /// A market's mark price, once at the end of each block.
    MarkPrice,
    /// The last event of a block.
    EndBlock,
}
