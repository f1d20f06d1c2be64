//! What several tests need.
#![allow(dead_code, reason = "each test file uses a part")]

use exchange::events::{Exchange, OrderAccepted, OrderCancelled, OrderType, Trade};
use exchange::{
    AccountId, Action, Amount, Core, MAX_EVENTS, MarketId, Money, Order, OrderFlow, OrderId, Price, Reason,
    SCALE, Settings, Side, Size, Transaction, Verdict,
};
use ringbus::Sequence;
use ringbus::bus::{Header, Payload, RecordRef};
use ringbus::testing::{Recorded, Recorder};

/// The start price of both markets of a [`Session`].
pub(crate) const START: Price = 100 * SCALE;

/// What each account of a [`Session`] starts with.
pub(crate) const DEPOSIT: Amount = 10_000 * SCALE;

/// What the insurance pool of a [`Session`] starts with.
pub(crate) const INSURANCE: Amount = 1_000 * SCALE;

/// A core of two markets and 40 accounts with a block open, driven an order at a time.
pub(crate) struct Session {
    pub(crate) core: Core,
    pub(crate) last_id: u64,
}

/// What became of a transaction.
pub(crate) struct Said {
    pub(crate) verdict: Verdict,
    pub(crate) bus: Recorder,
}

impl Said {
    pub(crate) fn all<T: Payload>(&self) -> Vec<T> {
        self.bus.all()
    }

    /// The one event of this type.
    pub(crate) fn one<T: Payload>(&self) -> T {
        let all = self.all();
        assert_eq!(all.len(), 1, "{:?}", self.bus);
        all[0]
    }

    pub(crate) fn rejected(&self) -> Option<Reason> {
        self.verdict.rejected()
    }

    /// Maker's order, price and size of each trade.
    pub(crate) fn trades(&self) -> Vec<(OrderId, Price, Size)> {
        let trades = self.all::<Trade>();
        trades.iter().map(|trade| (trade.maker_order, trade.price.mantissa(), trade.size)).collect()
    }

    /// What was cancelled, and why.
    pub(crate) fn cancelled(&self) -> Vec<(OrderId, Size, Reason)> {
        let cancelled = self.all::<OrderCancelled>();
        cancelled.iter().map(|order| (order.order, order.size, order.reason)).collect()
    }

    /// The events, as tools print them.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.bus.events().iter().map(printed).collect()
    }
}

/// An event as tools print it.
pub(crate) fn printed(event: &Recorded) -> String {
    as_record(event, |record| Exchange::schema().display(&record).to_string())
}

/// Shows an event as a subscriber would see it, but for its place.
pub(crate) fn as_record<T>(event: &Recorded, look: impl FnOnce(RecordRef<'_>) -> T) -> T {
    let Recorded { origin, kind, topic, version, payload, .. } = event;
    let header = Header {
        kind: *kind,
        topic: *topic,
        version: *version,
        source: origin.source,
        trigger_kind: origin.trigger.kind,
        trigger_reason: origin.trigger.reason,
        len: payload.len() as u16,
        ..Header::default()
    };
    look(RecordRef::new(Sequence::new(0), &header, payload))
}

impl Session {
    pub(crate) fn new() -> Self {
        Self::with_insurance(INSURANCE)
    }

    pub(crate) fn with_insurance(insurance: Amount) -> Self {
        let settings = Settings { start_prices: vec![START; 2], accounts: 40, deposit: DEPOSIT, insurance };
        let mut core = Core::new(&settings).unwrap();
        core.begin_block();
        Self { core, last_id: 0 }
    }

    /// Executes a transaction; what it says.
    pub(crate) fn execute(&mut self, transaction: Transaction) -> Said {
        // As in a slot of the bus of the live exchange.
        let mut bus = Recorder::new().with_max_payload(64);
        let verdict = self.core.execute(&transaction, &mut bus).unwrap();
        let is_mark = matches!(transaction.action, Action::MarkPrice { .. });
        assert!(is_mark || bus.events().len() <= MAX_EVENTS);
        let request = transaction.action.request().get();
        assert!(bus.events().iter().all(|event| event.origin.trigger.reason == request));
        Said { verdict, bus }
    }

    /// Places a limit order in market 0.
    pub(crate) fn limit(&mut self, account: AccountId, side: Side, price: Price, size: Size) -> Said {
        self.last_id += 1;
        self.execute(Transaction::limit(self.last_id, account, 0, side, price, size))
    }

    /// Places a limit order that must wait as a whole; its id.
    pub(crate) fn wait(&mut self, account: AccountId, side: Side, price: Price, size: Size) -> OrderId {
        let said = self.limit(account, side, price, size);
        let order = self.last_id;
        let order_type = OrderType::LIMIT;
        let accepted =
            OrderAccepted { order, limit: Money::new(price), size, account, market: 0, side, order_type };
        said.bus.assert_emitted(&[accepted]);
        said.bus.assert_kinds(&[OrderAccepted::KIND]);
        order
    }

    /// Places a market order in market 0.
    pub(crate) fn market(&mut self, account: AccountId, side: Side, size: Size) -> Said {
        self.last_id += 1;
        self.execute(Transaction::market(self.last_id, account, 0, side, size))
    }

    /// Lets `buyer` buy from `seller`, who pays no fee for it.
    pub(crate) fn deal(
        &mut self,
        seller: AccountId,
        buyer: AccountId,
        market: MarketId,
        price: Price,
        size: Size,
    ) {
        for (account, side) in [(seller, Side::SELL), (buyer, Side::BUY)] {
            self.last_id += 1;
            let said = self.execute(Transaction::limit(self.last_id, account, market, side, price, size));
            assert_eq!(said.rejected(), None);
            assert_eq!(said.trades().len(), usize::from(side == Side::BUY));
        }
    }

    /// Cancels an order in market 0.
    pub(crate) fn cancel(&mut self, account: AccountId, order: OrderId) -> Said {
        self.last_id += 1;
        self.execute(Transaction::cancel(self.last_id, account, 0, order))
    }

    /// Lets the oracle set the mark price of market 0.
    pub(crate) fn mark(&mut self, price: Price) -> Said {
        self.mark_in(0, price)
    }

    /// Lets the oracle set the mark price of a market.
    pub(crate) fn mark_in(&mut self, market: MarketId, price: Price) -> Said {
        self.last_id += 1;
        let oracle = self.core.network();
        let said = self.execute(Transaction::mark_price(self.last_id, oracle, market, price));
        assert_eq!(said.rejected(), None);
        said
    }

    /// Id and size of the orders that wait in market 0, as they are served.
    pub(crate) fn waiting(&self, side: Side) -> Vec<(OrderId, Size)> {
        self.core.book(0).orders(side).map(|order| (order.id, order.size)).collect()
    }
}

/// Plays a seed's flow with the default settings; calls `look` with the core and each block's events at its end.
pub(crate) fn play(seed: u64, blocks: u64, mut look: impl FnMut(&Core, &Recorder)) -> Core {
    let settings = Settings::default();
    let mut core = Core::new(&settings).unwrap();
    let mut flow = OrderFlow::new(seed, &settings).unwrap();
    let mut bus = Recorder::new();
    for _ in 0..blocks {
        bus.clear();
        core.begin_block();
        for transaction in flow.by_ref().take(50) {
            core.execute(&transaction, &mut bus).unwrap();
        }
        core.end_block(&mut bus).unwrap();
        look(&core, &bus);
    }
    core
}

/// What must hold at the end of every transaction, whatever happened.
pub(crate) fn check_invariants(core: &Core) {
    let (mut money, mut net) = (core.fees(), vec![0; core.markets()]);
    for account in core.accounts().chain([core.network()]) {
        money += core.balance(account);
        for (position, net) in core.positions(account).iter().zip(&mut net) {
            money -= position.cost;
            *net += position.net;
        }
    }
    assert_eq!(money, core.deposits(), "balances less costs, plus fees");
    assert!(net.iter().all(|&net| net == 0), "positions of a market add up to {net:?}");
    for market in 0..core.markets() as MarketId {
        check_book(core, market);
    }
}

fn check_book(core: &Core, market: MarketId) {
    let book = core.book(market);
    if let (Some(bid), Some(ask)) = (book.best(Side::BUY), book.best(Side::SELL)) {
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
