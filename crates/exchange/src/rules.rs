//! The rules of the exchange, as numbers.

use crate::units::{Amount, MAX_MARKETS, Price, Size};

/// Of what the open positions and orders of an account are worth, one part in this many must be covered by equity.
pub const LEVERAGE: i64 = 10;

/// How far from the mark price a limit may be, in percent of the mark price.
pub const PRICE_BAND_PERCENT: i64 = 10;

/// What the taker of a trade pays, in millionths of price times size, rounded up. Makers pay nothing.
pub const TAKER_FEE_PPM: i64 = 10;

/// The most trades of one order. What is left of it then, and still could trade, is cancelled.
pub const MAX_FILLS: usize = 16;

/// The most events that one call of the core adds, so that a batch of this size holds any transaction.
///
/// Accepted, the trades, position and balance of each maker and of the taker, cancelled, result.
pub const MAX_EVENTS: usize = 1 + MAX_FILLS + 2 * (MAX_FILLS + 1) + 1 + 1;

/// Time from one block to the next, in nanoseconds.
pub const BLOCK_INTERVAL: u64 = 1_000_000_000;

const _: () = assert!(
    MAX_MARKETS < MAX_EVENTS,
    "the end of a block must fit into a batch: a mark price each, and its end"
);

/// The fee of a trade, in units of 1/[`SCALE`](crate::SCALE).
#[must_use]
pub const fn taker_fee(price: Price, size: Size) -> Amount {
    let millionths = price as i128 * size as i128 * TAKER_FEE_PPM as i128;
    ((millionths + 999_999) / 1_000_000) as Amount
}

/// The timestamp of a block, in nanoseconds since the chain's start: a function of its height, not of any clock.
#[must_use]
pub const fn timestamp(height: u64) -> u64 {
    height * BLOCK_INTERVAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_rounded_up() {
        // 250.0000 for each of 4: 10 millionths of 1000.0000 are 0.0100.
        assert_eq!(taker_fee(2_500_000, 4), 100);
        assert_eq!(taker_fee(2_500_001, 4), 101);
        assert_eq!(taker_fee(1, 1), 1);
    }

    #[test]
    fn the_most_events_of_a_transaction() {
        assert_eq!(MAX_EVENTS, 53);
    }
}
