//! Who has what.

use crate::payload::Trade;
use crate::position::Position;
use crate::settings::Settings;
use crate::table::Table;
use crate::units::{AccountId, Amount, Price};

/// Balances, positions and fees.
///
/// However many trades it settles: the positions in a market add up to 0, and all balances less all costs, plus
/// the fees, add up to the deposits.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    balances: Vec<Amount>,
    positions: Table<Position>,
    fees: Amount,
}

impl Ledger {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            balances: vec![settings.deposit; settings.accounts as usize],
            positions: Table::new(settings.accounts, settings.start_prices.len()),
            fees: 0,
        }
    }

    pub(crate) fn settle(&mut self, trade: &Trade) {
        let Trade { market, side, taker, maker, price, size, fee, .. } = *trade;
        for (account, side, fee) in [(taker, side, fee), (maker, side.opposite(), 0)] {
            let realised = self.positions.cell(account, market).fill(side, price, size);
            self.balances[account as usize] += realised - fee;
        }
        self.fees += fee;
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> + use<> {
        0..u32::try_from(self.balances.len()).expect("at most MAX_ACCOUNTS")
    }

    pub(crate) fn has(&self, account: AccountId) -> bool {
        (account as usize) < self.balances.len()
    }

    pub(crate) fn balance(&self, account: AccountId) -> Amount {
        self.balances[account as usize]
    }

    /// The positions of an account, by market.
    pub(crate) fn positions(&self, account: AccountId) -> &[Position] {
        self.positions.row(account)
    }

    pub(crate) fn fees(&self) -> Amount {
        self.fees
    }

    /// What an account would have if all of its positions were closed at the marks.
    pub(crate) fn equity(&self, account: AccountId, marks: &[Price]) -> Amount {
        let unrealised =
            self.positions(account).iter().zip(marks).map(|(position, &mark)| position.unrealised(mark));
        self.balance(account) + unrealised.sum::<Amount>()
    }
}
