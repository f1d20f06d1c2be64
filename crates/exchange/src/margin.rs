//! Whether an account can afford an order.

use crate::ledger::Ledger;
use crate::position::Position;
use crate::reason::Reason;
use crate::rules::LEVERAGE;
use crate::side::Side;
use crate::table::Table;
use crate::transaction::NewOrder;
use crate::units::{AccountId, Amount, MAX_POSITION, Price, Size};

/// What the open orders of an account would buy and sell in a market, in contracts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exposure {
    pub(crate) buying: Size,
    pub(crate) selling: Size,
}

impl Exposure {
    /// Adds an order's contracts; below 0 takes them away.
    pub(crate) fn add(&mut self, side: Side, size: Size) {
        match side {
            Side::Buy => self.buying += size,
            Side::Sell => self.selling += size,
        }
    }

    /// The largest that the position can become, long or short, if orders on either side fill.
    fn worst(self, position: Position) -> Size {
        (position.net + self.buying).abs().max((position.net - self.selling).abs())
    }
}

/// Whether an order may be accepted.
///
/// The margin is one part in [`LEVERAGE`] of what the account's worst positions are worth at the mark prices, and
/// equity must cover it. An order that cannot make its market's worst position any larger always may: whoever has
/// lost all must still be able to get out.
pub(crate) fn check(
    ledger: &Ledger,
    exposures: &Table<Exposure>,
    marks: &[Price],
    account: AccountId,
    order: &NewOrder,
) -> Result<(), Reason> {
    let (positions, exposures) = (ledger.positions(account), exposures.row(account));
    let market = usize::from(order.market);
    let before = exposures[market].worst(positions[market]);
    let mut with_order = exposures[market];
    with_order.add(order.side, order.size);
    let after = with_order.worst(positions[market]);
    if after <= before {
        return Ok(());
    }
    if after > MAX_POSITION {
        return Err(Reason::PositionLimit);
    }
    let worth =
        |((&position, exposure), mark): ((&Position, &Exposure), &Price)| exposure.worst(position) * mark;
    let worth: Amount = positions.iter().zip(exposures).zip(marks).map(worth).sum();
    let worth = worth + (after - before) * marks[market];
    if worth > ledger.equity(account, marks).saturating_mul(LEVERAGE) {
        return Err(Reason::InsufficientMargin);
    }
    Ok(())
}
