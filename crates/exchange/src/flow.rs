//! Orders without end, from a seed.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

use crate::settings::{Settings, SettingsError};
use crate::side::Side;
use crate::transaction::{Action, NewOrder, Transaction};
use crate::units::{AccountId, MAX_SIZE, MarketId, OrderId, Price};

/// The most orders that the flow has placed to wait, and not cancelled.
const MOST_OPEN: usize = 1_000;

/// How far from its start a market's fair price may walk, in percent.
const RANGE_PERCENT: i64 = 10;

/// How many ticks, the steps of prices, a start price is.
const TICKS: Price = 2_000;

/// Transactions without end, the same for the same seed and settings.
///
/// In each market a fair price walks at random. Of 100 transactions 22 place a limit order that crosses it, 8 a
/// market order; 4 are unsound, and must be rejected; the others place an order a little off the fair price, to wait,
/// or cancel one of those, which may have been filled before. Ids count from 1.
///
/// The core's answers do not change the flow: accounts drift apart as if by chance, and the default settings leave
/// them margin for some hundred million transactions. The generator is PCG32; the crate `rand_pcg` keeps its values.
#[derive(Clone, Debug)]
pub struct OrderFlow {
    rng: Pcg32,
    last_id: u64,
    settings: Settings,
    /// By market.
    fair: Vec<Price>,
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

    /// Lets the fair price of a market take a step.
    fn walk(&mut self, market: MarketId) {
        let start = self.settings.start_prices[usize::from(market)];
        let (step, range) = (self.tick(market), start * RANGE_PERCENT / 100);
        let moved = self.fair[usize::from(market)] + self.between(-step, step);
        self.fair[usize::from(market)] = moved.clamp(start - range, start + range);
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
        match self.below(6) {
            0 => (self.settings.accounts, Action::Place(order)),
            1 => (account, Action::Place(NewOrder { market: MarketId::MAX, ..order })),
            2 => (account, Action::Place(NewOrder { size: 0, ..order })),
            3 => (account, Action::Place(NewOrder { limit: Some(fair / 2), ..order })),
            4 => (account, Action::Place(NewOrder { limit: None, size: MAX_SIZE, ..order })),
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
        let account = self.below(self.settings.accounts);
        let market = self.below(self.settings.start_prices.len() as u32) as MarketId;
        self.walk(market);
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
