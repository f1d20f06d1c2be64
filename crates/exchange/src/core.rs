//! The core: block by block, what accounts ask for becomes events.

use crate::batch::Batch;
use crate::book::{Book, Order};
use crate::event::{Event, Header, NO_TRACE};
use crate::hash::StateHash;
use crate::ledger::Ledger;
use crate::margin::{self, Exposure};
use crate::matching::{self, Outcome};
use crate::payload::{Payload, Trade};
use crate::position::Position;
use crate::reason::Reason;
use crate::rules::{PRICE_BAND_PERCENT, taker_fee, timestamp};
use crate::settings::{Settings, SettingsError};
use crate::side::Side;
use crate::table::Table;
use crate::transaction::{Action, NewOrder, Transaction};
use crate::units::{AccountId, Amount, MAX_PRICE, MAX_SIZE, MarketId, OrderId, Price};

/// A trading core: order books, accounts, margin.
///
/// It is driven by calls, a block at a time: [`begin_block`](Self::begin_block), [`execute`](Self::execute) for each
/// transaction, [`end_block`](Self::end_block). Each call adds at most [`MAX_EVENTS`](crate::MAX_EVENTS) events to
/// the buffer that it is given, which the caller publishes as one batch and clears.
///
/// What it does depends on the calls alone: it reads no clock, draws no random numbers, and iterates over nothing
/// that has no order of its own. It allocates only when a book or a buffer grows beyond what it ever was.
#[derive(Clone, Debug)]
pub struct Core {
    /// Of the block that is open, or was last.
    height: u64,
    open: bool,
    /// Number of the block's last event.
    number: u32,
    books: Vec<Book>,
    marks: Vec<Price>,
    ledger: Ledger,
    exposures: Table<Exposure>,
    /// Accounts that traded in the transaction; kept for its memory.
    traded: Vec<AccountId>,
}

impl Core {
    /// A core before its first block.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let markets = settings.start_prices.len();
        Ok(Self {
            height: 0,
            open: false,
            number: 0,
            books: vec![Book::new(); markets],
            marks: settings.start_prices.clone(),
            ledger: Ledger::new(settings),
            exposures: Table::new(settings.accounts, markets),
            traded: Vec::new(),
        })
    }

    /// Begins the next block: one event.
    ///
    /// # Panics
    ///
    /// A block is open.
    pub fn begin_block(&mut self, out: &mut Vec<Event>) {
        assert!(!self.open, "begin_block while block {} is open: call end_block first", self.height);
        self.open = true;
        self.height += 1;
        self.number = 0;
        let mut batch = self.batch(NO_TRACE, out);
        batch.push(Payload::BeginBlock { timestamp: timestamp(self.height) });
        self.number = batch.number();
    }

    /// Executes a transaction: 2 to [`MAX_EVENTS`](crate::MAX_EVENTS) events, the last one its result.
    ///
    /// A transaction that cannot be executed is rejected, by events, and changes nothing.
    ///
    /// # Panics
    ///
    /// No block is open, or the transaction's id is 0.
    pub fn execute(&mut self, transaction: &Transaction, out: &mut Vec<Event>) {
        assert!(self.open, "execute while no block is open: call begin_block first");
        assert_ne!(
            transaction.id, NO_TRACE,
            "the id of a transaction is 0, which stands for none: count from 1"
        );
        let Transaction { id, account, ref action } = *transaction;
        let mut batch = self.batch(id, out);
        let rejected = match action {
            Action::Place(order) => self.place(id, account, order, &mut batch),
            &Action::Cancel { market, order } => self.cancel(account, market, order, &mut batch),
        }
        .err();
        batch.push(Payload::Result { rejected, events: batch.len() + 1 });
        self.number = batch.number();
    }

    /// Ends the block: a mark price for each market, and the end.
    ///
    /// # Panics
    ///
    /// No block is open.
    pub fn end_block(&mut self, out: &mut Vec<Event>) {
        assert!(self.open, "end_block while no block is open: call begin_block first");
        let mut batch = self.batch(NO_TRACE, out);
        for ((market, book), mark) in (0..).zip(&self.books).zip(&mut self.marks) {
            if let (Some(bid), Some(ask)) = (book.best(Side::Buy), book.best(Side::Sell)) {
                *mark = i64::midpoint(bid.price, ask.price);
            }
            batch.push(Payload::MarkPrice { market, price: *mark });
        }
        batch.push(Payload::EndBlock { events: batch.number() + 1, state_hash: self.state_hash() });
        self.number = batch.number();
        self.open = false;
    }

    /// Height of the block that is open, or was last; 0 before the first.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.height
    }

    /// How many markets there are.
    #[must_use]
    pub fn markets(&self) -> usize {
        self.books.len()
    }

    /// The accounts, in order.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> + use<> {
        self.ledger.accounts()
    }

    /// The balance of an account, in units of 1/[`SCALE`](crate::SCALE).
    ///
    /// # Panics
    ///
    /// There is no such account.
    #[must_use]
    pub fn balance(&self, account: AccountId) -> Amount {
        self.ledger.balance(account)
    }

    /// The positions of an account, by market.
    ///
    /// # Panics
    ///
    /// There is no such account.
    #[must_use]
    pub fn positions(&self, account: AccountId) -> &[Position] {
        self.ledger.positions(account)
    }

    /// The fees taken so far, in units of 1/[`SCALE`](crate::SCALE).
    #[must_use]
    pub fn fees(&self) -> Amount {
        self.ledger.fees()
    }

    /// The mark price of a market, in units of 1/[`SCALE`](crate::SCALE).
    ///
    /// # Panics
    ///
    /// There is no such market.
    #[must_use]
    pub fn mark_price(&self, market: MarketId) -> Price {
        self.marks[usize::from(market)]
    }

    /// The order book of a market.
    ///
    /// # Panics
    ///
    /// There is no such market.
    #[must_use]
    pub fn book(&self, market: MarketId) -> &Book {
        &self.books[usize::from(market)]
    }

    /// A hash of the state: height, mark prices, books, balances, positions, fees.
    ///
    /// It is the same in every run and on every machine. It reads the whole state, so it takes time that grows with
    /// accounts and open orders: some microseconds.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        let mut hash = StateHash::new();
        hash.word(self.height);
        for (book, &mark) in self.books.iter().zip(&self.marks) {
            hash.signed(mark);
            for side in Side::BOTH {
                for order in book.orders(side) {
                    hash.word(order.id);
                    hash.word(order.account.into());
                    hash.signed(order.price);
                    hash.signed(order.size);
                }
                // No order has this id, so that it ends the side.
                hash.word(NO_TRACE);
            }
        }
        for account in self.accounts() {
            hash.signed(self.balance(account));
            for position in self.positions(account) {
                hash.signed(position.net);
                hash.signed(position.cost);
            }
        }
        hash.signed(self.fees());
        hash.finish()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// A batch that goes on where the block is.
    fn batch<'a>(&self, trace: u64, out: &'a mut Vec<Event>) -> Batch<'a> {
        Batch::after(Header { block: self.height, trace, number: self.number }, out)
    }

    fn place(
        &mut self,
        id: OrderId,
        account: AccountId,
        order: &NewOrder,
        batch: &mut Batch<'_>,
    ) -> Result<(), Reason> {
        let NewOrder { market, side, limit, size } = *order;
        if let Err(reason) = self.check(id, account, order) {
            batch.push(Payload::Rejected { account, market, side, limit, size, reason });
            return Err(reason);
        }
        batch.push(Payload::Accepted { account, market, side, limit, size });
        match self.trade(account, order, batch) {
            Outcome::Filled => {}
            Outcome::Waits { price, left: size } => {
                self.exposures.cell(account, market).add(side, size);
                self.books[usize::from(market)].add(Order { id, account, side, price, size });
            }
            Outcome::Cancelled { left: size, reason } => {
                batch.push(Payload::Cancelled { account, market, side, order: id, size, reason });
            }
        }
        self.report(market, batch);
        Ok(())
    }

    /// Whether an order may be accepted.
    fn check(&self, id: OrderId, account: AccountId, order: &NewOrder) -> Result<(), Reason> {
        let book = self.find(account, order.market)?;
        if !(1..=MAX_SIZE).contains(&order.size) {
            return Err(Reason::SizeOutOfRange);
        }
        if let Some(limit) = order.limit {
            let mark = self.mark_price(order.market);
            let band = mark * PRICE_BAND_PERCENT / 100;
            if !(1..=MAX_PRICE).contains(&limit) || (limit - mark).abs() > band {
                return Err(Reason::PriceOutOfBand);
            }
        }
        if book.get(id).is_some() {
            return Err(Reason::DuplicateOrder);
        }
        margin::check(&self.ledger, &self.exposures, &self.marks, account, order)
    }

    /// Lets an order trade, and settles its trades.
    fn trade(&mut self, taker: AccountId, order: &NewOrder, batch: &mut Batch<'_>) -> Outcome {
        let &NewOrder { market, side, .. } = order;
        let Self { books, ledger, exposures, traded, .. } = self;
        traded.clear();
        let outcome = matching::take(&mut books[usize::from(market)], taker, order, |maker, size| {
            let fee = taker_fee(maker.price, size);
            let (price, maker_order, maker) = (maker.price, maker.id, maker.account);
            let trade = Trade { market, side, taker, maker, maker_order, price, size, fee };
            batch.push(Payload::Trade(trade));
            ledger.settle(&trade);
            exposures.cell(maker, market).add(side.opposite(), -size);
            if !traded.contains(&maker) {
                traded.push(maker);
            }
        });
        if !traded.is_empty() {
            traded.push(taker);
        }
        outcome
    }

    /// Tells the positions and balances of the accounts that traded, once each.
    fn report(&mut self, market: MarketId, batch: &mut Batch<'_>) {
        self.traded.sort_unstable();
        for &account in &self.traded {
            let Position { net, cost } = self.ledger.positions(account)[usize::from(market)];
            batch.push(Payload::Position { account, market, net, cost });
            batch.push(Payload::Balance { account, balance: self.ledger.balance(account) });
        }
    }

    fn cancel(
        &mut self,
        account: AccountId,
        market: MarketId,
        order: OrderId,
        batch: &mut Batch<'_>,
    ) -> Result<(), Reason> {
        match self.find_order(account, market, order) {
            Ok(Order { side, size, .. }) => {
                self.books[usize::from(market)].remove(order);
                self.exposures.cell(account, market).add(side, -size);
                let reason = Reason::Requested;
                batch.push(Payload::Cancelled { account, market, side, order, size, reason });
                Ok(())
            }
            Err(reason) => {
                batch.push(Payload::CancelRejected { account, market, order, reason });
                Err(reason)
            }
        }
    }

    /// The order that an account may cancel.
    fn find_order(&self, account: AccountId, market: MarketId, order: OrderId) -> Result<Order, Reason> {
        let order = self.find(account, market)?.get(order).ok_or(Reason::UnknownOrder)?;
        if order.account == account { Ok(*order) } else { Err(Reason::NotOwner) }
    }

    /// The book of a market, for an account; both may be unknown.
    fn find(&self, account: AccountId, market: MarketId) -> Result<&Book, Reason> {
        if !self.ledger.has(account) {
            return Err(Reason::UnknownAccount);
        }
        self.books.get(usize::from(market)).ok_or(Reason::UnknownMarket)
    }
}
