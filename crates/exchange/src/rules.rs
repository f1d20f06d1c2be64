//! The rules of the exchange, as numbers.

use crate::units::{Amount, Price, Size};

/// Of what the open positions and orders of an account are worth, one part in this many must be covered by equity.
pub const LEVERAGE: i64 = 10;

/// Of what the open positions and orders of an account are worth, one part in this many must stay covered; if it does
/// not, the account is distressed.
pub const MAINTENANCE: i64 = 20;

/// What a distressed account pays to the insurance pool, in millionths of what its positions that were closed out were
/// worth, rounded up; not more than it has.
pub const LIQUIDATION_FEE_PPM: i64 = 2_000;

/// How far from the mark price a limit may be, in percent of the mark price; and how far what the network trades at.
pub const PRICE_BAND_PERCENT: i64 = 10;

/// What the taker of a trade pays, in millionths of price times size, rounded up. Makers pay nothing.
pub const TAKER_FEE_PPM: i64 = 10;

/// The most trades of one order. What is left of it then, and still could trade, is cancelled.
pub const MAX_FILLS: usize = 16;

/// The most events of a transaction, so that a batch of this size holds any; but a mark price's, which are as many as
/// it takes.
///
/// Accepted, the trades, cancelled, position and balance of each maker and of the taker.
pub const MAX_EVENTS: usize = 1 + MAX_FILLS + 2 * (MAX_FILLS + 1) + 1;

/// Time from one block to the next, in nanoseconds.
pub const BLOCK_INTERVAL: i64 = 1_000_000_000;

/// Time of the block before the first, in nanoseconds since 1970: the beginning of 2026.
pub const GENESIS: i64 = 1_767_225_600_000_000_000;

/// The fee of a trade, in units of 1/[`SCALE`](crate::SCALE).
#[must_use]
pub const fn taker_fee(price: Price, size: Size) -> Amount {
    millionths(price as i128 * size as i128, TAKER_FEE_PPM)
}

/// What an account that was closed out is to pay, by what its positions were worth, in units of
/// 1/[`SCALE`](crate::SCALE).
#[must_use]
pub const fn liquidation_fee(worth: Amount) -> Amount {
    millionths(worth as i128, LIQUIDATION_FEE_PPM)
}

/// Rounded up.
const fn millionths(of: i128, part: i64) -> Amount {
    ((of * part as i128 + 999_999) / 1_000_000) as Amount
}

/// The time of a block, in nanoseconds since 1970: a function of its height, not of any clock. The last that there is,
/// is in 2262.
#[must_use]
pub const fn timestamp(height: u64) -> i64 {
    GENESIS.saturating_add_unsigned(height.saturating_mul(BLOCK_INTERVAL.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_up() {
        // 250.0000 for each of 4: 10 millionths of 1000.0000 are 0.0100.
        assert_eq!(taker_fee(2_500_000, 4), 100);
        assert_eq!(taker_fee(2_500_001, 4), 101);
        assert_eq!(taker_fee(1, 1), 1);
        // 1000.0000: 2 thousandths.
        assert_eq!((liquidation_fee(10_000_000), liquidation_fee(10_000_001)), (20_000, 20_001));
    }

    #[test]
    fn the_most_events_of_a_transaction() {
        assert_eq!(MAX_EVENTS, 52);
    }
}
