//! Buying and selling.

use std::fmt;

use bytemuck::NoUninit;

/// Which way an order or a trade goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, NoUninit)]
#[repr(u8)]
pub enum Side {
    /// A bid in the book; the position grows.
    Buy,
    /// An ask in the book; the position shrinks.
    Sell,
}

impl Side {
    /// Both sides.
    pub const BOTH: [Self; 2] = [Self::Buy, Self::Sell];

    /// 1 for [`Buy`](Self::Buy), -1 for [`Sell`](Self::Sell): what a contract adds to the position.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// The side that an order of this one trades with.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}
