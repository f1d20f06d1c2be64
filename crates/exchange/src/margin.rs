//! Whether an account can afford an order.

use crate::events::{Reason, Side};
use crate::ledger::Ledger;
use crate::position::Position;
use crate::rules::{LEVERAGE, MAINTENANCE};
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
        *if side == Side::BUY { &mut self.buying } else { &mut self.selling } += size;
    }

    /// Whether there are any open orders.
    pub(crate) fn is_any(self) -> bool {
        (self.buying, self.selling) != (0, 0)
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
    let (market, row) = (usize::from(order.market), exposures.row(account));
    let (position, mut with_order) = (ledger.positions(account)[market], row[market]);
    let before = with_order.worst(position);
    with_order.add(order.side, order.size);
    let after = with_order.worst(position);
    if after <= before {
        return Ok(());
    }
    if after > MAX_POSITION {
        return Err(Reason::POSITION_LIMIT);
    }
    let worth = worth(ledger, row, marks, account) + (after - before) * marks[market];
    if worth > ledger.equity(account, marks).saturating_mul(LEVERAGE) {
        return Err(Reason::INSUFFICIENT_MARGIN);
    }
    Ok(())
}

/// Where an account stands at the mark prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) equity: Amount,
    pub(crate) maintenance: Amount,
}

impl Standing {
    /// Of an account: what it would have if it closed its positions, and what that must be at least, which is one part in
    /// [`MAINTENANCE`] of what its worst positions are worth, rounded up.
    pub(crate) fn of(
        ledger: &Ledger,
        exposures: &Table<Exposure>,
        marks: &[Price],
        account: AccountId,
    ) -> Self {
        let worth = worth(ledger, exposures.row(account), marks, account);
        Self {
            equity: ledger.equity(account, marks),
            maintenance: worth.cast_unsigned().div_ceil(MAINTENANCE.unsigned_abs()).cast_signed(),
        }
    }

    pub(crate) fn is_distressed(self) -> bool {
        self.equity < self.maintenance
    }
}

/// What the worst positions of an account are worth.
fn worth(ledger: &Ledger, exposures: &[Exposure], marks: &[Price], account: AccountId) -> Amount {
    let worth =
        |((&position, exposure), mark): ((&Position, &Exposure), &Price)| exposure.worst(position) * mark;
    ledger.positions(account).iter().zip(exposures).zip(marks).map(worth).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_maintenance_margin_is_rounded_up_and_equity_of_just_as_much_covers_it() {
        let settings = Settings { start_prices: vec![20], accounts: 1, deposit: 1, insurance: 0 };
        let (ledger, mut exposures) = (Ledger::new(&settings), Table::<Exposure>::new(1, 1));
        exposures.cell(0, 0).add(Side::BUY, 1);
        for (mark, maintenance, is_distressed) in [(20, 1, false), (21, 2, true)] {
            let standing = Standing::of(&ledger, &exposures, &[mark], 0);
            assert_eq!(standing, Standing { equity: 1, maintenance });
            assert_eq!(standing.is_distressed(), is_distressed);
        }
    }
}
