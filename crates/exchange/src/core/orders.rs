//! Orders, and what they trade.

use ringbus::bus::{Emit, Kind, Payload, WriteError};

use super::{Core, Verdict};
use crate::book::{Book, Order};
use crate::events::{
    CancelRejected, Engine, OrderAccepted, OrderCancelled, OrderRejected, OrderType, Reason, Trade,
};
use crate::margin;
use crate::matching::{self, Outcome};
use crate::rules::{PRICE_BAND_PERCENT, taker_fee};
use crate::say::Say;
use crate::transaction::NewOrder;
use crate::units::{AccountId, MAX_PRICE, MAX_SIZE, MarketId, OrderId, Price, money};

impl Core {
    pub(super) fn place<E: Emit>(
        &mut self,
        id: OrderId,
        account: AccountId,
        order: &NewOrder,
        say: &mut Say<'_, E>,
    ) -> Result<Verdict, WriteError> {
        let NewOrder { market, side, limit, size } = *order;
        let limit_or_none = money(limit.unwrap_or(0));
        if let Err(reason) = self.check(id, account, order) {
            let rejected =
                OrderRejected { order: id, limit: limit_or_none, size, account, market, side, reason };
            say.say(Engine::ORDERS, &rejected)?;
            return Ok(Verdict::Rejected(reason));
        }
        let order_type = if limit.is_some() { OrderType::LIMIT } else { OrderType::MARKET };
        let accepted =
            OrderAccepted { order: id, limit: limit_or_none, size, account, market, side, order_type };
        say.say(Engine::ORDERS, &accepted)?;
        match self.trade(id, account, order, OrderAccepted::KIND, say)? {
            Outcome::Filled => {}
            Outcome::Waits { price, left: size } => {
                self.exposures.cell(account, market).add(side, size);
                self.books[usize::from(market)].add(Order { id, account, side, price, size });
            }
            Outcome::Cancelled { left: size, reason } => {
                let cancelled = OrderCancelled { order: id, size, account, market, side, reason };
                say.say_after(OrderAccepted::KIND, Engine::MATCHING, &cancelled)?;
            }
        }
        Ok(Verdict::Done)
    }

    /// Whether an order may be accepted.
    fn check(&self, id: OrderId, account: AccountId, order: &NewOrder) -> Result<(), Reason> {
        let book = self.find(account, order.market)?;
        if !(1..=MAX_SIZE).contains(&order.size) {
            return Err(Reason::SIZE_OUT_OF_RANGE);
        }
        if let Some(limit) = order.limit {
            let mark = self.mark_price(order.market);
            if !(1..=MAX_PRICE).contains(&limit) || (limit - mark).abs() > band(mark) {
                return Err(Reason::PRICE_OUT_OF_BAND);
            }
        }
        if book.get(id).is_some() {
            return Err(Reason::DUPLICATE_ORDER);
        }
        margin::check(&self.ledger, &self.exposures, &self.marks, account, order)
    }

    /// Lets an order trade, because of an event of kind `cause`, and settles its trades. The network pays no fee.
    pub(super) fn trade<E: Emit>(
        &mut self,
        taker_order: OrderId,
        taker: AccountId,
        order: &NewOrder,
        cause: Kind,
        say: &mut Say<'_, E>,
    ) -> Result<Outcome, WriteError> {
        let &NewOrder { market, side, .. } = order;
        let Self { books, ledger, exposures, changed, .. } = self;
        let pays = taker != ledger.network();
        matching::take(&mut books[usize::from(market)], taker, order, |maker, size| {
            let trade = Trade {
                taker_order,
                maker_order: maker.id,
                price: money(maker.price),
                size,
                fee: money(if pays { taker_fee(maker.price, size) } else { 0 }),
                taker,
                maker: maker.account,
                market,
                side,
                ..Trade::default()
            };
            ledger.trade(&trade);
            exposures.cell(maker.account, market).add(side.opposite(), -size);
            changed.both(maker.account, market);
            changed.both(taker, market);
            say.say_after(cause, Engine::MATCHING, &trade)
        })
    }

    pub(super) fn cancel<E: Emit>(
        &mut self,
        account: AccountId,
        market: MarketId,
        order: OrderId,
        say: &mut Say<'_, E>,
    ) -> Result<Verdict, WriteError> {
        match self.find_order(account, market, order) {
            Ok(order) => {
                let cancelled = self.take_out(market, &order, Reason::REQUESTED);
                say.say(Engine::ORDERS, &cancelled)?;
                Ok(Verdict::Done)
            }
            Err(reason) => {
                let rejected = CancelRejected { order, account, market, reason, ..CancelRejected::default() };
                say.say(Engine::ORDERS, &rejected)?;
                Ok(Verdict::Rejected(reason))
            }
        }
    }

    /// Takes an order that is open out of its book.
    pub(super) fn take_out(&mut self, market: MarketId, order: &Order, reason: Reason) -> OrderCancelled {
        let &Order { id, account, side, size, .. } = order;
        self.books[usize::from(market)].remove(id);
        self.exposures.cell(account, market).add(side, -size);
        OrderCancelled { order: id, size, account, market, side, reason }
    }

    /// The order that an account may cancel.
    fn find_order(&self, account: AccountId, market: MarketId, order: OrderId) -> Result<Order, Reason> {
        let order = self.find(account, market)?.get(order).ok_or(Reason::UNKNOWN_ORDER)?;
        if order.account == account { Ok(*order) } else { Err(Reason::NOT_OWNER) }
    }

    /// The book of a market, for a trader; both may be unknown.
    fn find(&self, account: AccountId, market: MarketId) -> Result<&Book, Reason> {
        if !self.ledger.has(account) {
            return Err(Reason::UNKNOWN_ACCOUNT);
        }
        self.books.get(usize::from(market)).ok_or(Reason::UNKNOWN_MARKET)
    }
}

/// How far from a mark price a limit may be.
pub(super) fn band(mark: Price) -> Price {
    mark * PRICE_BAND_PERCENT / 100
}
