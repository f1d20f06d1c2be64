//! Buying and selling.

use crate::events::Side;

impl Side {
    /// Both sides.
    pub const BOTH: [Self; 2] = [Self::BUY, Self::SELL];

    /// 1 for [`BUY`](Self::BUY), -1 for [`SELL`](Self::SELL): what a contract adds to the position.
    #[must_use]
    pub const fn sign(self) -> i64 {
        if self.get() == Self::BUY.get() { 1 } else { -1 }
    }

    /// The side that an order of this one trades with.
    #[must_use]
    pub const fn opposite(self) -> Self {
        if self.get() == Self::BUY.get() { Self::SELL } else { Self::BUY }
    }

    /// Its place among [`BOTH`](Self::BOTH).
    pub(crate) const fn place(self) -> usize {
        (self.get() != Self::BUY.get()) as usize
    }
}
