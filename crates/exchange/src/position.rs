//! What an account holds in one market.

use crate::events::Side;
use crate::units::{Amount, Price, Size};

/// What an account holds in one market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Contracts, below 0 if short.
    pub net: Size,
    /// What those contracts cost when they were entered, below 0 if short, in units of 1/[`SCALE`](crate::SCALE).
    /// The average entry price is `cost / net`.
    pub cost: Amount,
}

impl Position {
    /// What the position would gain if it were closed at `mark`.
    #[must_use]
    pub fn unrealised(self, mark: Price) -> Amount {
        self.net * mark - self.cost
    }

    /// Adds a fill; returns what it realises: the gain of the contracts that it closes, at their average entry.
    ///
    /// The cost of what is closed is rounded towards 0. The rest stays in `cost`, so nothing is ever lost: the
    /// realised amount less the change of `cost` is what the fill brought in, exactly.
    pub(crate) fn fill(&mut self, side: Side, price: Price, size: Size) -> Amount {
        let closes = self.net * side.sign() < 0;
        let closed = if closes { size.min(self.net.abs()) } else { 0 };
        let released = if closed == 0 { 0 } else { share(self.cost, closed, self.net.abs()) };
        let opened = size - closed;
        self.net += side.sign() * size;
        self.cost += side.sign() * opened * price - released;
        -side.sign() * closed * price - released
    }
}

/// `part / whole` of an amount, rounded towards 0.
fn share(amount: Amount, part: Size, whole: Size) -> Amount {
    let exact = i128::from(amount) * i128::from(part) / i128::from(whole);
    exact.try_into().expect("a share is no larger than the whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_add_close_and_turn() {
        let mut position = Position::default();
        // Side, price, size; then what it realises, net and cost.
        for (side, price, size, realised, net, cost) in [
            (Side::BUY, 100, 10, 0, 10, 1_000),
            (Side::BUY, 130, 5, 0, 15, 1_650),
            (Side::SELL, 120, 5, 50, 10, 1_100),
            (Side::SELL, 100, 15, -100, -5, -500),
            (Side::SELL, 90, 5, 0, -10, -950),
            (Side::BUY, 90, 4, 20, -6, -570),
            (Side::BUY, 100, 6, -30, 0, 0),
        ] {
            assert_eq!(position.fill(side, price, size), realised, "{side} {size} at {price}");
            assert_eq!(position, Position { net, cost }, "{side} {size} at {price}");
        }
    }

    #[test]
    fn rounding_loses_nothing() {
        let mut position = Position { net: 3, cost: 100 };
        assert_eq!(position.fill(Side::SELL, 40, 1), 7); // 33 of 100, rounded down from 33 1/3
        assert_eq!(position, Position { net: 2, cost: 67 });
        assert_eq!(position.fill(Side::SELL, 40, 2), 13);
        assert_eq!(position, Position::default()); // 7 + 13 = 3 * 40 - 100
    }

    #[test]
    fn the_mark_values_both_ways() {
        assert_eq!(Position { net: 10, cost: 1_000 }.unrealised(101), 10);
        assert_eq!(Position { net: -10, cost: -1_000 }.unrealised(101), -10);
    }
}
