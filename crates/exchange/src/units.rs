//! What the numbers mean, and how large they may be.
//!
//! All of them are integers. The limits keep every sum that the core makes within 64 bits.

use ringbus::bus::Fixed;

/// A price: money for one contract, in units of 1/[`SCALE`]. Always above 0.
pub type Price = i64;

/// A number of contracts. Above 0 in orders and trades; below 0 in a position that is short.
pub type Size = i64;

/// Money, in units of 1/[`SCALE`].
pub type Amount = i64;

/// The number of a market, from 0.
pub type MarketId = u16;

/// The number of an account, from 0.
pub type AccountId = u32;

/// The id of an order: that of the transaction which placed it.
pub type OrderId = u64;

/// How many decimals prices and amounts have.
pub const DECIMALS: u8 = 4;

/// Units in one of money.
pub const SCALE: i64 = 10_i64.pow(DECIMALS as u32);

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

/// A price or an amount of money, as events carry it.
pub type Money = Fixed<DECIMALS>;

/// So many units of 1/[`SCALE`].
pub(crate) const fn money(units: i64) -> Money {
    Fixed::new(units)
}
