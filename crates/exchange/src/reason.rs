//! Why something did not happen.

use std::fmt;

use bytemuck::NoUninit;

/// Why a transaction was rejected, or an order cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, NoUninit)]
#[repr(u8)]
pub enum Reason {
    /// No reason: what events without one carry.
    None,
    /// Rejected: there is no such account.
    UnknownAccount,
    /// Rejected: there is no such market.
    UnknownMarket,
    /// Rejected: a size below 1 or above [`MAX_SIZE`](crate::MAX_SIZE).
    SizeOutOfRange,
    /// Rejected: a limit below 1, above [`MAX_PRICE`](crate::MAX_PRICE), or further than
    /// [`PRICE_BAND_PERCENT`](crate::PRICE_BAND_PERCENT) from the mark price.
    PriceOutOfBand,
    /// Rejected: an order of this id is open in the market.
    DuplicateOrder,
    /// Rejected: the position could get larger than [`MAX_POSITION`](crate::MAX_POSITION).
    PositionLimit,
    /// Rejected: the account's equity does not cover the margin.
    InsufficientMargin,
    /// Cancel rejected: no order of this id is open in the market. It may have been filled or cancelled before.
    UnknownOrder,
    /// Cancel rejected: the order belongs to another account.
    NotOwner,
    /// Cancelled: its account asked for it.
    Requested,
    /// Cancelled: what a market order found nobody to trade with for.
    NoLiquidity,
    /// Cancelled: what was left would have traded with an order of the same account.
    SelfTrade,
    /// Cancelled: what was left after [`MAX_FILLS`](crate::MAX_FILLS) trades, and could have traded on.
    FillLimit,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::UnknownAccount => "unknown account",
            Self::UnknownMarket => "unknown market",
            Self::SizeOutOfRange => "size out of range",
            Self::PriceOutOfBand => "price out of band",
            Self::DuplicateOrder => "duplicate order",
            Self::PositionLimit => "position limit",
            Self::InsufficientMargin => "insufficient margin",
            Self::UnknownOrder => "unknown order",
            Self::NotOwner => "not the owner",
            Self::Requested => "requested",
            Self::NoLiquidity => "no liquidity",
            Self::SelfTrade => "self trade",
            Self::FillLimit => "fill limit",
        })
    }
}
