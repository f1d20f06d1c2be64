//! Who has what.

use crate::events::{ClosedOut, InsurancePaid, LiquidationFee, LossSocialised, Side, ToppedUp, Trade};
use crate::position::Position;
use crate::settings::Settings;
use crate::table::Table;
use crate::units::{AccountId, Amount, MarketId, Price, Size};

/// Balances, positions and fees: of the traders, and behind them of the network, whose balance is the insurance pool.
///
/// Whatever it settles: the positions in a market add up to 0, and all balances less all costs, plus the fees, to the
/// deposits.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    balances: Vec<Amount>,
    positions: Table<Position>,
    deposits: Amount,
    fees: Amount,
    trades: u64,
}

/// What a ledger comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) deposits: Amount,
    pub(crate) balances: Amount,
    pub(crate) costs: Amount,
    pub(crate) fees: Amount,
}

impl Ledger {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut balances = vec![settings.deposit; settings.accounts as usize];
        balances.push(settings.insurance);
        let deposits = balances.iter().sum();
        let positions = Table::new(settings.accounts + 1, settings.start_prices.len());
        Self { balances, positions, deposits, fees: 0, trades: 0 }
    }

    pub(crate) fn trade(&mut self, trade: &Trade) {
        let Trade { market, side, taker, maker, price, size, fee, .. } = *trade;
        self.swap(taker, maker, market, side, price.mantissa(), size);
        self.balances[taker as usize] -= fee.mantissa();
        self.fees += fee.mantissa();
        self.trades += 1;
    }

    pub(crate) fn close_out(&mut self, closed: &ClosedOut) {
        let ClosedOut { market, side, account, counterparty, price, size, .. } = *closed;
        self.swap(account, counterparty, market, side, price.mantissa(), size);
    }

    /// `account` buys from or sells to `other`.
    fn swap(
        &mut self,
        account: AccountId,
        other: AccountId,
        market: MarketId,
        side: Side,
        price: Price,
        size: Size,
    ) {
        for (account, side) in [(account, side), (other, side.opposite())] {
            let realised = self.positions.cell(account, market).fill(side, price, size);
            self.balances[account as usize] += realised;
        }
    }

    pub(crate) fn top_up(&mut self, paid: &ToppedUp) {
        self.balances[paid.account as usize] += paid.amount.mantissa();
        self.deposits += paid.amount.mantissa();
    }

    pub(crate) fn liquidation_fee(&mut self, fee: &LiquidationFee) {
        self.pay_in(fee.account, fee.amount.mantissa());
    }

    pub(crate) fn insurance(&mut self, paid: &InsurancePaid) {
        self.pay_in(paid.account, -paid.amount.mantissa());
    }

    pub(crate) fn socialise(&mut self, loss: &LossSocialised) {
        self.pay_in(loss.account, loss.amount.mantissa());
    }

    /// From an account to the insurance pool.
    fn pay_in(&mut self, account: AccountId, amount: Amount) {
        let pool = self.network();
        self.balances[account as usize] -= amount;
        self.balances[pool as usize] += amount;
    }

    /// The traders.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> + use<> {
        0..self.network()
    }

    /// The account behind those of the traders.
    pub(crate) fn network(&self) -> AccountId {
        u32::try_from(self.balances.len() - 1).expect("at most MAX_ACCOUNTS")
    }

    /// Whether there is a trader of this number.
    pub(crate) fn has(&self, account: AccountId) -> bool {
        account < self.network()
    }

    pub(crate) fn balance(&self, account: AccountId) -> Amount {
        self.balances[account as usize]
    }

    pub(crate) fn deposits(&self) -> Amount {
        self.deposits
    }

    /// The insurance pool.
    pub(crate) fn pool(&self) -> Amount {
        self.balance(self.network())
    }

    /// The positions of an account, by market.
    pub(crate) fn positions(&self, account: AccountId) -> &[Position] {
        self.positions.row(account)
    }

    pub(crate) fn position(&self, account: AccountId, market: MarketId) -> Position {
        self.positions(account)[usize::from(market)]
    }

    pub(crate) fn fees(&self) -> Amount {
        self.fees
    }

    /// How many trades there were; positions that were closed out are none.
    pub(crate) fn trades(&self) -> u64 {
        self.trades
    }

    pub(crate) fn totals(&self) -> Totals {
        let positions = self.accounts().chain([self.network()]).flat_map(|account| self.positions(account));
        Totals {
            deposits: self.deposits,
            balances: self.balances.iter().sum(),
            costs: positions.map(|position| position.cost).sum(),
            fees: self.fees,
        }
    }

    /// What an account would have if all of its positions were closed at the marks.
    pub(crate) fn equity(&self, account: AccountId, marks: &[Price]) -> Amount {
        let unrealised =
            self.positions(account).iter().zip(marks).map(|(position, &mark)| position.unrealised(mark));
        self.balance(account) + unrealised.sum::<Amount>()
    }
}
