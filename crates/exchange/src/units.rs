//! What the numbers mean, and how large they may be.
//!
//! All of them are integers. The limits keep every sum that the core makes within 64 bits.

use std::fmt;

/// A price: money for one contract, in units of 1/[`SCALE`]. Always above 0.
pub type Price = i64;

/// A number of contracts. Above 0 in orders and trades; below 0 in a position that is short.
pub type Size = i64;

/// Money, in units of 1/[`SCALE`].
pub type Amount = i64;

/// The number of a market, from 0.
pub type MarketId = u8;

/// The number of an account, from 0.
pub type AccountId = u32;

/// The id of an order: that of the transaction which placed it.
pub type OrderId = u64;

/// Units in one of money: prices and amounts have four decimals.
pub const SCALE: i64 = 10_000;

/// The highest price, in units of 1/[`SCALE`].
pub const MAX_PRICE: Price = 10_000 * SCALE;

/// The most contracts in one order.
pub const MAX_SIZE: Size = 100_000;

/// The most contracts, long or short, that an account can hold in a market if all of its open orders fill.
pub const MAX_POSITION: Size = 1_000_000;

/// The most markets in a core.
pub const MAX_MARKETS: usize = 16;

/// The most accounts in a core.
pub const MAX_ACCOUNTS: u32 = 1_024;

/// The most that an account can start with, in units of 1/[`SCALE`].
pub const MAX_DEPOSIT: Amount = 100_000_000_000 * SCALE;

/// Shows a price or an amount with its four decimals.
///
/// ```
/// use exchange::Decimal;
///
/// assert_eq!(Decimal(1_234_500).to_string(), "123.4500");
/// assert_eq!(Decimal(-1).to_string(), "-0.0001");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(
    /// In units of 1/[`SCALE`].
    pub i64,
);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (units, scale) = (self.0.unsigned_abs(), SCALE.unsigned_abs());
        write!(f, "{sign}{}.{:04}", units / scale, units % scale)
    }
}
