//! What follows when a mark price moves: stage by stage, as [the crate](crate#when-a-mark-price-moves) tells.

use ringbus::bus::{Emit, Payload, WriteError};

use super::orders::band;
use super::{Core, Verdict};
use crate::book::Order;
use crate::events::{
    ClosedOut, Distressed, Engine, InsurancePaid, LiquidationFee, LossSocialised, MarkPriceMoved,
    MarkedToMarket, Reason, Recovered, Side,
};
use crate::margin::Standing;
use crate::rules::liquidation_fee;
use crate::say::Say;
use crate::transaction::NewOrder;
use crate::units::{AccountId, Amount, MAX_PRICE, MarketId, Price, Size, money};

/// What is found out on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Liquidation {
    distressed: Vec<Account>,
    longs: Vec<Open>,
    shorts: Vec<Open>,
    /// Orders to be cancelled.
    orders: Vec<Order>,
    /// Who has a profit, and how much.
    profits: Vec<(AccountId, Amount)>,
}

/// An account in distress.
#[derive(Clone, Copy, Debug)]
struct Account {
    id: AccountId,
    standing: Standing,
    /// What its positions that were closed out were worth.
    worth: Amount,
}

/// A distressed account's position in a market.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// The account's place among the distressed.
    place: usize,
    /// Contracts still to be closed, above 0.
    left: Size,
}

impl Core {
    /// Sets the mark price of a market, and does what follows.
    pub(super) fn move_mark<E: Emit>(
        &mut self,
        transaction: u64,
        account: AccountId,
        market: MarketId,
        price: Price,
        say: &mut Say<'_, E>,
    ) -> Result<Verdict, WriteError> {
        if let Err(reason) = self.check_mark(account, market, price) {
            return Ok(Verdict::Rejected(reason));
        }
        let previous = std::mem::replace(&mut self.marks[usize::from(market)], price);
        let (price, previous) = (money(price), money(previous));
        say.say(Engine::ORACLE, &MarkPriceMoved { market, price, previous, ..MarkPriceMoved::default() })?;
        let mut found = std::mem::take(&mut self.liquidation);
        self.mark_to_market(market, &mut found, say)?;
        self.cancel_orders(&mut found, say)?;
        self.close_out(&mut found, say)?;
        self.trade_for_the_network(transaction, &found, say)?;
        self.settle(&found, say)?;
        self.socialise(market, &mut found, say)?;
        self.liquidation = found;
        Ok(Verdict::Done)
    }

    fn check_mark(&self, account: AccountId, market: MarketId, price: Price) -> Result<(), Reason> {
        if account != self.network() {
            return Err(Reason::NOT_THE_ORACLE);
        }
        if usize::from(market) >= self.markets() {
            return Err(Reason::UNKNOWN_MARKET);
        }
        if !(1..=MAX_PRICE).contains(&price) {
            return Err(Reason::PRICE_OUT_OF_RANGE);
        }
        Ok(())
    }

    fn standing(&self, account: AccountId) -> Standing {
        Standing::of(&self.ledger, &self.exposures, &self.marks, account)
    }

    /// Says where all stand who have a position in the market; finds the distressed, and says so.
    fn mark_to_market<E: Emit>(
        &self,
        market: MarketId,
        found: &mut Liquidation,
        say: &mut Say<'_, E>,
    ) -> Result<(), WriteError> {
        found.distressed.clear();
        for account in self.accounts() {
            let (position, standing) = (self.ledger.position(account, market), self.standing(account));
            if position.net != 0 {
                let marked = MarkedToMarket {
                    account,
                    market,
                    net: position.net,
                    unrealised: money(position.unrealised(self.mark_price(market))),
                    equity: money(standing.equity),
                    maintenance: money(standing.maintenance),
                    ..MarkedToMarket::default()
                };
                say.say_after(MarkPriceMoved::KIND, Engine::MARGIN, &marked)?;
            }
            if standing.is_distressed() {
                found.distressed.push(Account { id: account, standing, worth: 0 });
            }
        }
        for &Account { id: account, standing: Standing { equity, maintenance }, .. } in &found.distressed {
            let (equity, maintenance) = (money(equity), money(maintenance));
            let distressed = Distressed { account, equity, maintenance, ..Distressed::default() };
            say.say_after(MarkedToMarket::KIND, Engine::MARGIN, &distressed)?;
        }
        Ok(())
    }

    /// Cancels the orders of the distressed, by market, then as they would be served; keeps those that are distressed
    /// all the same.
    fn cancel_orders<E: Emit>(
        &mut self,
        found: &mut Liquidation,
        say: &mut Say<'_, E>,
    ) -> Result<(), WriteError> {
        let Liquidation { distressed, orders, .. } = found;
        for &Account { id: account, .. } in &*distressed {
            for market in 0..self.markets() as MarketId {
                if !self.exposures.row(account)[usize::from(market)].is_any() {
                    continue;
                }
                let book = self.book(market);
                let open = Side::BOTH.into_iter().flat_map(|side| book.orders(side));
                orders.extend(open.filter(|order| order.account == account));
                for order in orders.drain(..) {
                    let cancelled = self.take_out(market, &order, Reason::DISTRESSED);
                    say.say_after(Distressed::KIND, Engine::MATCHING, &cancelled)?;
                }
            }
        }
        for account in &mut *distressed {
            account.standing = self.standing(account.id);
            if !account.standing.is_distressed() {
                let Standing { equity, maintenance } = account.standing;
                let (equity, maintenance) = (money(equity), money(maintenance));
                let recovered =
                    Recovered { account: account.id, equity, maintenance, ..Recovered::default() };
                say.say_after(Distressed::KIND, Engine::MARGIN, &recovered)?;
            }
        }
        distressed.retain(|account| account.standing.is_distressed());
        Ok(())
    }

    /// Closes the positions of the distressed, market by market: the longs against the shorts, by account, then the
    /// rest against the network.
    fn close_out<E: Emit>(
        &mut self,
        found: &mut Liquidation,
        say: &mut Say<'_, E>,
    ) -> Result<(), WriteError> {
        let Liquidation { distressed, longs, shorts, .. } = found;
        let network = self.network();
        for market in 0..self.markets() as MarketId {
            let mark = self.mark_price(market);
            longs.clear();
            shorts.clear();
            for (place, account) in distressed.iter_mut().enumerate() {
                let net = self.ledger.position(account.id, market).net;
                account.worth += net.abs() * mark;
                match net {
                    0 => {}
                    1.. => longs.push(Open { place, left: net }),
                    _ => shorts.push(Open { place, left: -net }),
                }
            }
            let account = |open: &Open| distressed[open.place].id;
            let mut next_short = 0;
            for long in &mut *longs {
                while long.left > 0
                    && let Some(short) = shorts.get_mut(next_short)
                {
                    let size = long.left.min(short.left);
                    long.left -= size;
                    short.left -= size;
                    self.close(account(long), account(short), market, Side::SELL, size, say)?;
                    next_short += usize::from(short.left == 0);
                }
            }
            for (side, open) in [(Side::SELL, &*longs), (Side::BUY, &*shorts)] {
                for open in open.iter().filter(|open| open.left > 0) {
                    self.close(account(open), network, market, side, open.left, say)?;
                }
            }
        }
        Ok(())
    }

    /// Lets a distressed account sell or buy at the mark price.
    fn close<E: Emit>(
        &mut self,
        account: AccountId,
        counterparty: AccountId,
        market: MarketId,
        side: Side,
        size: Size,
        say: &mut Say<'_, E>,
    ) -> Result<(), WriteError> {
        let price = money(self.mark_price(market));
        let closed = ClosedOut { account, counterparty, market, side, price, size, ..ClosedOut::default() };
        self.ledger.close_out(&closed);
        self.changed.both(account, market);
        self.changed.both(counterparty, market);
        say.say_after(Distressed::KIND, Engine::LIQUIDATION, &closed)
    }

    /// Trades the network's positions into the books, within the price band; it pays no fee.
    fn trade_for_the_network<E: Emit>(
        &mut self,
        transaction: u64,
        found: &Liquidation,
        say: &mut Say<'_, E>,
    ) -> Result<(), WriteError> {
        let network = self.network();
        let cause = if found.distressed.is_empty() { MarkPriceMoved::KIND } else { ClosedOut::KIND };
        for market in 0..self.markets() as MarketId {
            let net = self.ledger.position(network, market).net;
            if net == 0 {
                continue;
            }
            let side = if net > 0 { Side::SELL } else { Side::BUY };
            let mark = self.mark_price(market);
            let limit = Some(mark + side.sign() * band(mark));
            // What is left is no order: it is tried again when a mark price moves.
            self.trade(transaction, network, &NewOrder { market, side, limit, size: net.abs() }, cause, say)?;
        }
        Ok(())
    }

    /// Takes fees of those who were closed out and have something left, then pays the losses of those who have not.
    fn settle<E: Emit>(&mut self, found: &Liquidation, say: &mut Say<'_, E>) -> Result<(), WriteError> {
        for &Account { id: account, worth, .. } in &found.distressed {
            let fee = liquidation_fee(worth).min(self.balance(account));
            if fee > 0 {
                let (amount, pool) = (money(fee), money(self.pool() + fee));
                let fee = LiquidationFee { account, amount, pool, ..LiquidationFee::default() };
                self.ledger.liquidation_fee(&fee);
                self.changed.balances.extend([account, self.network()]);
                say.say_after(ClosedOut::KIND, Engine::SETTLEMENT, &fee)?;
            }
        }
        for &Account { id: account, .. } in &found.distressed {
            let loss = -self.balance(account);
            if loss > 0 {
                let (amount, pool) = (money(loss), money(self.pool() - loss));
                let paid = InsurancePaid { account, amount, pool, ..InsurancePaid::default() };
                self.ledger.insurance(&paid);
                self.changed.balances.extend([account, self.network()]);
                say.say_after(Distressed::KIND, Engine::SETTLEMENT, &paid)?;
            }
        }
        Ok(())
    }

    /// Lets those who have a profit in the market pay what the insurance pool is short of.
    fn socialise<E: Emit>(
        &mut self,
        market: MarketId,
        found: &mut Liquidation,
        say: &mut Say<'_, E>,
    ) -> Result<(), WriteError> {
        let short = -self.pool();
        if short <= 0 {
            return Ok(());
        }
        let profits = &mut found.profits;
        profits.clear();
        let mark = self.mark_price(market);
        let profit = |account| (account, self.ledger.position(account, market).unrealised(mark));
        profits.extend(self.accounts().map(profit).filter(|&(_, profit)| profit > 0));
        for (account, profit, part) in shares(profits, short) {
            let (profit, amount, pool) = (money(profit), money(part), money(self.pool() + part));
            let loss = LossSocialised { account, market, profit, amount, pool, ..LossSocialised::default() };
            self.ledger.socialise(&loss);
            self.changed.balances.extend([account, self.network()]);
            say.say_after(InsurancePaid::KIND, Engine::SETTLEMENT, &loss)?;
        }
        Ok(())
    }
}

/// Who pays how much of a loss: account, profit, and the part, where that is not 0.
///
/// Each pays in proportion to its profit, rounded down; what rounding leaves over is paid by the first ones, a unit
/// each. Together it is the loss, or all profits if that is less.
fn shares(
    profits: &[(AccountId, Amount)],
    loss: Amount,
) -> impl Iterator<Item = (AccountId, Amount, Amount)> {
    let all: i128 = profits.iter().map(|&(_, profit)| i128::from(profit)).sum();
    let loss = i128::from(loss).min(all);
    // (A share is at most the profit, and below it where rounding leaves something over: there is always room for a
    // unit more.)
    let share = move |profit: Amount| (i128::from(profit) * loss / all) as Amount;
    let mut left_over = loss - profits.iter().map(|&(_, profit)| i128::from(share(profit))).sum::<i128>();
    profits.iter().filter_map(move |&(account, profit)| {
        let one_more = left_over > 0;
        left_over -= i128::from(one_more);
        let part = share(profit) + Amount::from(one_more);
        (part > 0).then_some((account, profit, part))
    })
}

#[cfg(test)]
mod tests {
    use super::shares;

    fn parts(profits: &[i64], loss: i64) -> Vec<i64> {
        let profits: Vec<_> = (0..).zip(profits.iter().copied()).collect();
        shares(&profits, loss).map(|(.., part)| part).collect()
    }

    #[test]
    fn a_loss_is_shared_exactly_and_nobody_pays_more_than_the_profit() {
        assert_eq!(parts(&[10, 20, 30], 6), [1, 2, 3]);
        // 1.66, 3.33 and 5: 1 is left over.
        assert_eq!(parts(&[10, 20, 30], 10), [2, 3, 5]);
        // 0.2, 0.2, 0.2 and 0.4: 1 is left over, and the others pay nothing.
        assert_eq!(parts(&[1, 1, 1, 2], 1), [1]);
        assert_eq!(parts(&[10, 20], 29), [10, 19]);
        assert_eq!(parts(&[10, 20], 30), [10, 20]);
        assert_eq!(parts(&[10, 20], 1_000), [10, 20]);
        assert_eq!(parts(&[], 5), [0; 0]);
        assert_eq!(parts(&[i64::MAX, i64::MAX], i64::MAX), [i64::MAX / 2 + 1, i64::MAX / 2]);
    }
}
