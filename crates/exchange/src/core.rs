//! The core: block by block, what accounts ask for becomes events.

mod liquidation;
mod orders;

use ringbus::bus::{BlockStart, Emit, Kind, Origin, Outcome, Text, WriteError};

use crate::book::Book;
use crate::checksum::Checksum;
use crate::events::{
    BalanceChanged, BlockClosed, Engine, MarketListed, PositionChanged, Reason, Side, ToppedUp,
};
use crate::hash::{StateHash, spread};
use crate::ledger::Ledger;
use crate::margin::Exposure;
use crate::position::Position;
use crate::rules::timestamp;
use crate::say::{Say, origin};
use crate::settings::{Settings, SettingsError};
use crate::table::Table;
use crate::transaction::{Action, Transaction};
use crate::units::{AccountId, Amount, MarketId, Price, money};
use liquidation::Liquidation;

/// A trading core: order books, accounts, margin, liquidations.
///
/// It is driven by calls, a block at a time: [`begin_block`](Self::begin_block), [`execute`](Self::execute) for each
/// transaction, [`end_block`](Self::end_block). Its engines say what happened to whatever [`Emit`]s; who calls it keeps the
/// bus's blocks and transactions in step with its own.
///
/// What it does depends on the calls alone: it reads no clock, draws no random numbers, and iterates over nothing that
/// has no order of its own. It allocates only when a book or a list grows beyond what it ever was.
///
/// Where an event cannot be emitted, a call ends half way: a core that has returned an error is of no more use.
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    /// Of the block that is open, or was last.
    height: u64,
    open: bool,
    /// Of the state after the last block.
    state: u64,
    /// Of what the block has said so far.
    checksum: Checksum,
    books: Vec<Book>,
    marks: Vec<Price>,
    ledger: Ledger,
    exposures: Table<Exposure>,
    changed: Changed,
    /// The mark price's own; kept for its memory.
    liquidation: Liquidation,
}

/// What a transaction has changed: each once, by account, when it is told. Kept for its memory.
#[derive(Clone, Debug, Default)]
struct Changed {
    positions: Vec<(AccountId, MarketId)>,
    balances: Vec<AccountId>,
}

impl Changed {
    fn both(&mut self, account: AccountId, market: MarketId) {
        self.positions.push((account, market));
        self.balances.push(account);
    }
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was done.
    Done,
    /// It was rejected, and has changed nothing.
    Rejected(Reason),
}

impl Verdict {
    /// Why it was rejected; `None` if it was not.
    #[must_use]
    pub fn rejected(self) -> Option<Reason> {
        match self {
            Self::Done => None,
            Self::Rejected(reason) => Some(reason),
        }
    }

    /// What the bus is told.
    ///
    /// # Panics
    ///
    /// It was rejected for a reason of number 0, which no reason has.
    #[must_use]
    pub fn outcome(self) -> Outcome<'static> {
        match self {
            Self::Done => Outcome::Succeeded,
            Self::Rejected(reason) => Outcome::Failed {
                code: u32::from(reason.get()).try_into().expect("a reason is not 0"),
                error: reason.name().unwrap_or("REJECTED"),
            },
        }
    }
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
        let mut core = Self {
            settings: settings.clone(),
            height: 0,
            open: false,
            state: 0,
            checksum: Checksum::default(),
            books: vec![Book::new(); markets],
            marks: settings.start_prices.clone(),
            ledger: Ledger::new(settings),
            exposures: Table::new(settings.accounts, markets),
            changed: Changed::default(),
            liquidation: Liquidation::default(),
        };
        core.state = core.state_hash();
        Ok(core)
    }

    /// What is to be said once, at the start of the first block, before anything else: an event for each market. It is
    /// no part of a block's [`Checksum`].
    pub fn listings(&self) -> impl Iterator<Item = (Origin, MarketListed)> {
        (0..).zip(&self.marks).map(|(market, &price)| {
            let name = Text::truncated(&format!("MARKET-{market}"));
            (origin(Engine::ORDERS, Kind::new(0), None), MarketListed { market, name, price: money(price) })
        })
    }

    /// Begins the next block; what the bus is to be told of it.
    ///
    /// # Panics
    ///
    /// A block is open.
    pub fn begin_block(&mut self) -> BlockStart {
        assert!(!self.open, "begin_block while block {} is open: call end_block first", self.height);
        // Of the state that the block starts from, as there is no chain that would have hashed it.
        let hash = spread(self.state);
        self.open = true;
        self.height += 1;
        self.checksum = Checksum::default();
        BlockStart { height: self.height, time: timestamp(self.height), hash }
    }

    /// Executes a transaction: at most [`MAX_EVENTS`](crate::MAX_EVENTS) events, or if it is a mark price as many as it
    /// takes.
    ///
    /// A transaction that cannot be executed is rejected, and changes nothing.
    ///
    /// # Errors
    ///
    /// An event could not be emitted.
    ///
    /// # Panics
    ///
    /// No block is open, or the transaction's id is 0.
    pub fn execute(&mut self, transaction: &Transaction, bus: &mut impl Emit) -> Result<Verdict, WriteError> {
        assert!(self.open, "execute while no block is open: call begin_block first");
        assert_ne!(transaction.id, 0, "the id of a transaction is 0, which stands for none: count from 1");
        let Transaction { id, account, ref action } = *transaction;
        let mut say = Say::on(bus, Some(action.request()), self.checksum);
        let verdict = match action {
            Action::Place(order) => self.place(id, account, order, &mut say),
            &Action::Cancel { market, order } => self.cancel(account, market, order, &mut say),
            Action::TopUp => self.top_up(account, &mut say),
            &Action::MarkPrice { market, price } => self.move_mark(id, account, market, price, &mut say),
        }?;
        self.tell_changes(&mut say)?;
        self.checksum = say.checksum;
        Ok(verdict)
    }

    /// Ends the block: one event, which says what it comes to.
    ///
    /// # Errors
    ///
    /// The event could not be emitted.
    ///
    /// # Panics
    ///
    /// No block is open, or the books do not balance, which would be an error in this crate.
    pub fn end_block(&mut self, bus: &mut impl Emit) -> Result<(), WriteError> {
        assert!(self.open, "end_block while no block is open: call begin_block first");
        let totals = self.ledger.totals();
        assert_eq!(
            totals.balances - totals.costs + totals.fees,
            totals.deposits,
            "balances less costs, plus fees, are not the deposits after block {}",
            self.height
        );
        self.state = self.state_hash();
        let closed = BlockClosed {
            state_hash: self.state,
            checksum: self.checksum.value(),
            deposits: money(totals.deposits),
            balances: money(totals.balances),
            costs: money(totals.costs),
            fees: money(totals.fees),
            pool: money(self.pool()),
            trades: self.ledger.trades(),
        };
        Say::on(bus, None, self.checksum).say(Engine::LEDGER, &closed)?;
        self.open = false;
        Ok(())
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

    /// The accounts of the traders, in order.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> + use<> {
        self.ledger.accounts()
    }

    /// The account of the network, which takes positions over, whose balance is the insurance pool, and which alone
    /// moves mark prices. It comes after those of the traders.
    #[must_use]
    pub fn network(&self) -> AccountId {
        self.ledger.network()
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

    /// What an account would have if all its positions were closed at their mark prices, in units of
    /// 1/[`SCALE`](crate::SCALE).
    ///
    /// # Panics
    ///
    /// There is no such account.
    #[must_use]
    pub fn equity(&self, account: AccountId) -> Amount {
        self.ledger.equity(account, &self.marks)
    }

    /// The insurance pool, in units of 1/[`SCALE`](crate::SCALE): the network's balance. Below 0: what it is short of.
    #[must_use]
    pub fn pool(&self) -> Amount {
        self.ledger.pool()
    }

    /// What everybody has paid in so far, the insurance pool's start included, in units of 1/[`SCALE`](crate::SCALE).
    #[must_use]
    pub fn deposits(&self) -> Amount {
        self.ledger.deposits()
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

    /// A hash of the state: height, mark prices, books, balances, positions, deposits, fees.
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
                hash.word(0);
            }
        }
        for account in self.accounts().chain([self.network()]) {
            hash.signed(self.balance(account));
            for position in self.positions(account) {
                hash.signed(position.net);
                hash.signed(position.cost);
            }
        }
        hash.signed(self.deposits());
        hash.signed(self.fees());
        hash.finish()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Brings an account's equity back to what it started with.
    fn top_up<E: Emit>(&mut self, account: AccountId, say: &mut Say<'_, E>) -> Result<Verdict, WriteError> {
        if !self.ledger.has(account) {
            return Ok(Verdict::Rejected(Reason::UNKNOWN_ACCOUNT));
        }
        let short = self.settings.deposit - self.equity(account);
        if short <= 0 {
            return Ok(Verdict::Rejected(Reason::NOT_SHORT_OF_MONEY));
        }
        let paid = ToppedUp { account, amount: money(short), ..ToppedUp::default() };
        self.ledger.top_up(&paid);
        self.changed.balances.push(account);
        say.say(Engine::LEDGER, &paid)?;
        Ok(Verdict::Done)
    }

    /// Tells the positions, then the balances that the transaction has changed, once each, by account.
    fn tell_changes<E: Emit>(&mut self, say: &mut Say<'_, E>) -> Result<(), WriteError> {
        let Self { changed: Changed { positions, balances }, ledger, .. } = self;
        positions.sort_unstable();
        positions.dedup();
        for (account, market) in positions.drain(..) {
            let Position { net, cost } = ledger.position(account, market);
            let cost = money(cost);
            let position = PositionChanged { account, market, net, cost, ..PositionChanged::default() };
            say.say(Engine::LEDGER, &position)?;
        }
        balances.sort_unstable();
        balances.dedup();
        for account in balances.drain(..) {
            let balance = money(ledger.balance(account));
            say.say(Engine::LEDGER, &BalanceChanged { account, balance, ..BalanceChanged::default() })?;
        }
        Ok(())
    }
}
