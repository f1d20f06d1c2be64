//! Orders without end, from a seed.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

use crate::events::Side;
use crate::settings::{Settings, SettingsError};
use crate::transaction::{Action, NewOrder, Transaction};
use crate::units::{AccountId, MAX_SIZE, MarketId, OrderId, Price};

/// The most orders that the flow has placed to wait, and not cancelled.
const MOST_OPEN: usize = 400;

/// How far from its start a market's fair price may walk, in percent.
const RANGE_PERCENT: i64 = 25;

/// How many ticks, the steps of prices, a start price is.
const TICKS: Price = 2_000;

/// Of so many transactions one is the oracle's, who takes the markets in turn.
const MARK_EVERY: u64 = 100;

/// After so many of the oracle's words there is a shock.
const SHOCK_EVERY: u32 = 16;

/// How far a fair price jumps then, in percent. Orders at the new price are still within the band of the old mark price.
const SHOCK_PERCENT: i64 = 9;

/// Of so many transactions one tops an account up.
const TOP_UP_EVERY: u32 = 50;

/// Transactions without end, the same for the same seed and settings.
///
/// In each market a fair price walks at random, and jumps now and then. Each 100th transaction is the oracle's, which
/// takes the markets in turn, and says what the fair price was when it spoke of the market last. Of 100 others 22 place a
/// limit order that crosses the fair price, 8 a market order; 4 are unsound, and must be rejected; the rest place an order
/// a little off the fair price, to wait, or cancel one of those, which may have been filled before; now and then an
/// account is topped up. Ids count from 1.
///
/// The core's answers do not change the flow. Accounts win and lose as if by chance; with the default settings some are
/// liquidated in every hundred blocks or so, now and then at a loss that others have to pay. The generator is PCG32; the
/// crate `rand_pcg` keeps its values.
#[derive(Clone, Debug)]
pub struct OrderFlow {
    rng: Pcg32,
    last_id: u64,
    settings: Settings,
    /// By market.
    fair: Vec<Price>,
    /// By market: what the oracle says next, which was the fair price when it spoke last.
    words: Vec<Price>,
    waiting: Vec<Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    account: AccountId,
    market: MarketId,
    order: OrderId,
}

impl OrderFlow {
    /// A flow for a core of these settings.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(seed: u64, settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            // The stream is of no matter, and the same for all seeds.
            rng: Pcg32::new(seed, 0),
            last_id: 0,
            settings: settings.clone(),
            fair: settings.start_prices.clone(),
            words: settings.start_prices.clone(),
            waiting: Vec::with_capacity(MOST_OPEN),
        })
    }

    /// A number from 0 up to, and without, `end`; as even as 32 random bits make it.
    fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(end)) >> 32) as u32
    }

    /// A number from `first` to `last`.
    fn between(&mut self, first: i64, last: i64) -> i64 {
        let numbers = u32::try_from(last - first + 1).expect("a range of prices or sizes is below 2^32");
        first + i64::from(self.below(numbers))
    }

    /// Lets the fair price of a market move, within its range.
    fn step(&mut self, market: MarketId, step: Price) {
        let start = self.settings.start_prices[usize::from(market)];
        let range = start * RANGE_PERCENT / 100;
        let moved = self.fair[usize::from(market)] + step;
        self.fair[usize::from(market)] = moved.clamp(start - range, start + range);
    }

    /// The oracle's word on a market. It is a word behind, so that books follow a shock before it does.
    fn mark(&mut self, id: u64) -> Transaction {
        let markets = self.settings.start_prices.len() as u64;
        let market = (id / MARK_EVERY % markets) as MarketId;
        let fair = self.fair[usize::from(market)];
        let price = std::mem::replace(&mut self.words[usize::from(market)], fair);
        if self.below(SHOCK_EVERY) == 0 {
            let side = self.side();
            self.step(market, side.sign() * (fair * SHOCK_PERCENT / 100));
        }
        // The network's account comes after those of the traders.
        Transaction::mark_price(id, self.settings.accounts, market, price)
    }

    fn tick(&self, market: MarketId) -> Price {
        (self.settings.start_prices[usize::from(market)] / TICKS).max(1)
    }

    fn side(&mut self) -> Side {
        Side::BOTH[self.below(2) as usize]
    }

    /// The fair price, a number of ticks better for whoever trades with the order; below 0: worse.
    fn price(&self, market: MarketId, side: Side, ticks: i64) -> Price {
        let tick = self.tick(market);
        let price = self.fair[usize::from(market)] + side.sign() * ticks * tick;
        (price - price % tick).max(tick)
    }

    /// An order off the fair price.
    fn wait(&mut self, id: u64, account: AccountId, market: MarketId) -> Action {
        let (side, size) = (self.side(), self.between(1, 10));
        let ticks = self.between(1, 20);
        let price = self.price(market, side, -ticks);
        self.waiting.push(Waiting { account, market, order: id });
        Action::Place(NewOrder { market, side, limit: Some(price), size })
    }

    /// An order that takes what is near the fair price.
    fn cross(&mut self, market: MarketId) -> Action {
        let (side, size) = (self.side(), self.between(1, 5));
        let ticks = self.between(0, 10);
        Action::Place(NewOrder { market, side, limit: Some(self.price(market, side, ticks)), size })
    }

    fn market_order(&mut self, market: MarketId) -> Action {
        Action::Place(NewOrder { market, side: self.side(), limit: None, size: self.between(1, 5) })
    }

    /// A cancel of an order that waits, or waited; and whose it is.
    fn cancel(&mut self) -> (AccountId, Action) {
        let at = self.below(self.waiting.len() as u32);
        let Waiting { account, market, order } = self.waiting.swap_remove(at as usize);
        (account, Action::Cancel { market, order })
    }

    /// What a core must reject. That an account cannot afford the largest order holds for the default settings.
    fn unsound(&mut self, account: AccountId, market: MarketId) -> (AccountId, Action) {
        let (side, size) = (self.side(), self.between(1, 10));
        let fair = self.fair[usize::from(market)];
        let order = NewOrder { market, side, limit: Some(fair), size };
        match self.below(7) {
            // That is the network's, and no trader's.
            0 => (self.settings.accounts, Action::Place(order)),
            1 => (account, Action::Place(NewOrder { market: MarketId::MAX, ..order })),
            2 => (account, Action::Place(NewOrder { size: 0, ..order })),
            3 => (account, Action::Place(NewOrder { limit: Some(fair / 2), ..order })),
            4 => (account, Action::Place(NewOrder { limit: None, size: MAX_SIZE, ..order })),
            5 => (account, Action::MarkPrice { market, price: fair }),
            // Of the order that this very transaction would place.
            _ => (account, Action::Cancel { market, order: self.last_id }),
        }
    }
}

impl Iterator for OrderFlow {
    type Item = Transaction;

    fn next(&mut self) -> Option<Transaction> {
        self.last_id += 1;
        let id = self.last_id;
        if id.is_multiple_of(MARK_EVERY) {
            return Some(self.mark(id));
        }
        let account = self.below(self.settings.accounts);
        let market = self.below(self.settings.start_prices.len() as u32) as MarketId;
        let tick = self.tick(market);
        let step = self.between(-tick, tick);
        self.step(market, step);
        if self.below(TOP_UP_EVERY) == 0 {
            return Some(Transaction::top_up(id, account));
        }
        let (account, action) = match self.below(100) {
            0..4 => self.unsound(account, market),
            4..26 => (account, self.cross(market)),
            26..34 => (account, self.market_order(market)),
            34..57 if !self.waiting.is_empty() => self.cancel(),
            _ if self.waiting.len() < MOST_OPEN => (account, self.wait(id, account, market)),
            _ => self.cancel(),
        };
        Some(Transaction { id, account, action })
    }
}
