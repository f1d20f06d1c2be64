//! What several tests need.
#![allow(dead_code, reason = "each test file uses a part")]

use exchange::{
    AccountId, Amount, Core, Event, MAX_EVENTS, MarketId, Order, OrderFlow, OrderId, Payload, Price, Reason,
    SCALE, Settings, Side, Size, Trade, Transaction,
};

/// The start price of both markets of a [`Session`].
pub(crate) const START: Price = 100 * SCALE;

/// What each account of a [`Session`] starts with.
pub(crate) const DEPOSIT: Amount = 10_000 * SCALE;

/// A core of two markets and 40 accounts with a block open, driven an order at a time.
pub(crate) struct Session {
    pub(crate) core: Core,
    pub(crate) last_id: u64,
    out: Vec<Event>,
}

impl Session {
    pub(crate) fn new() -> Self {
        let settings = Settings { start_prices: vec![START; 2], accounts: 40, deposit: DEPOSIT };
        let mut core = Core::new(&settings).unwrap();
        core.begin_block(&mut Vec::new());
        Self { core, last_id: 0, out: Vec::new() }
    }

    /// Executes a transaction; what it says.
    pub(crate) fn execute(&mut self, transaction: Transaction) -> Vec<Payload> {
        self.out.clear();
        self.core.execute(&transaction, &mut self.out);
        assert!(self.out.len() <= MAX_EVENTS);
        assert!(self.out.iter().all(|event| event.header().trace == transaction.id));
        self.out.iter().map(Event::payload).collect()
    }

    /// Places a limit order in market 0.
    pub(crate) fn limit(&mut self, account: AccountId, side: Side, price: Price, size: Size) -> Vec<Payload> {
        self.last_id += 1;
        self.execute(Transaction::limit(self.last_id, account, 0, side, price, size))
    }

    /// Places a limit order that must wait as a whole; its id.
    pub(crate) fn wait(&mut self, account: AccountId, side: Side, price: Price, size: Size) -> OrderId {
        let said = self.limit(account, side, price, size);
        let accepted = Payload::Accepted { account, market: 0, side, limit: Some(price), size };
        assert_eq!(said, [accepted, Payload::Result { rejected: None, events: 2 }]);
        self.last_id
    }

    /// Places a market order in market 0.
    pub(crate) fn market(&mut self, account: AccountId, side: Side, size: Size) -> Vec<Payload> {
        self.last_id += 1;
        self.execute(Transaction::market(self.last_id, account, 0, side, size))
    }

    /// Cancels an order in market 0.
    pub(crate) fn cancel(&mut self, account: AccountId, order: OrderId) -> Vec<Payload> {
        self.last_id += 1;
        self.execute(Transaction::cancel(self.last_id, account, 0, order))
    }

    /// Ends the block, and begins the next: marks move.
    pub(crate) fn next_block(&mut self) {
        self.core.end_block(&mut self.out);
        self.core.begin_block(&mut self.out);
    }

    /// Id and size of the orders that wait in market 0, as they are served.
    pub(crate) fn waiting(&self, side: Side) -> Vec<(OrderId, Size)> {
        self.core.book(0).orders(side).map(|order| (order.id, order.size)).collect()
    }
}

/// Maker's order, price and size of each trade.
pub(crate) fn trades(said: &[Payload]) -> Vec<(OrderId, Price, Size)> {
    said.iter()
        .filter_map(|payload| match payload {
            Payload::Trade(Trade { maker_order, price, size, .. }) => Some((*maker_order, *price, *size)),
            _ => None,
        })
        .collect()
}

/// What was cancelled, and why.
pub(crate) fn cancelled(said: &[Payload]) -> Option<(OrderId, Size, Reason)> {
    said.iter().find_map(|payload| match *payload {
        Payload::Cancelled { order, size, reason, .. } => Some((order, size, reason)),
        _ => None,
    })
}

/// Why a transaction was rejected, as its result says.
pub(crate) fn rejected(said: &[Payload]) -> Option<Reason> {
    match said.last() {
        Some(&Payload::Result { rejected, .. }) => rejected,
        other => panic!("{other:?}"),
    }
}

/// Plays a seed's flow with the default settings; calls `look` with the core and each block's events at its end.
pub(crate) fn play(seed: u64, blocks: u64, mut look: impl FnMut(&Core, &[Event])) -> Core {
    let settings = Settings::default();
    let mut core = Core::new(&settings).unwrap();
    let mut flow = OrderFlow::new(seed, &settings).unwrap();
    let mut events = Vec::new();
    for _ in 0..blocks {
        events.clear();
        core.begin_block(&mut events);
        for transaction in flow.by_ref().take(50) {
            let before = events.len();
            core.execute(&transaction, &mut events);
            assert!((2..=MAX_EVENTS).contains(&(events.len() - before)));
        }
        core.end_block(&mut events);
        look(&core, &events);
    }
    core
}

/// What must hold at the end of every block, whatever happened.
pub(crate) fn check_invariants(core: &Core, deposits: Amount) {
    let (mut money, mut net) = (core.fees(), vec![0; core.markets()]);
    for account in core.accounts() {
        money += core.balance(account);
        for (position, net) in core.positions(account).iter().zip(&mut net) {
            money -= position.cost;
            *net += position.net;
        }
    }
    assert_eq!(money, deposits, "balances less costs, plus fees");
    assert!(net.iter().all(|&net| net == 0), "positions of a market add up to {net:?}");
    for market in 0..core.markets() as MarketId {
        check_book(core, market);
    }
}

fn check_book(core: &Core, market: MarketId) {
    let book = core.book(market);
    if let (Some(bid), Some(ask)) = (book.best(Side::Buy), book.best(Side::Sell)) {
        assert!(bid.price < ask.price, "market {market} is crossed: {bid:?}, {ask:?}");
    }
    let mut open = 0;
    for side in Side::BOTH {
        let orders: Vec<&Order> = book.orders(side).collect();
        open += orders.len();
        assert_eq!(orders.first().copied(), book.best(side));
        assert!(orders.iter().all(|order| order.size > 0 && order.side == side));
        assert!(orders.iter().all(|order| book.get(order.id) == Some(order)));
        // Ids grow with time, here.
        let served = |order: &Order| (-side.sign() * order.price, order.id);
        assert!(orders.is_sorted_by(|a, b| served(a) < served(b)), "market {market}: {orders:?}");
    }
    assert_eq!(book.len(), open);
    assert_eq!(book.is_empty(), open == 0);
}
