//! What the exchange says: its events, with their schema.

use ringbus::bus::{Fixed, Text};

ringbus::events! {
    /// Everything that the exchange says.
    pub schema Exchange, version 1;

    /// A part of the core: the source of its events.
    pub enum Engine: u16 {
        /// Knows prices.
        ORACLE = 1,
        /// Accepts orders and cancels, or does not.
        ORDERS = 2,
        /// Keeps the books.
        MATCHING = 3,
        /// Knows where accounts stand.
        MARGIN = 4,
        /// Closes positions out.
        LIQUIDATION = 5,
        /// Sees to it that losses are paid.
        SETTLEMENT = 6,
        /// Keeps balances and positions.
        LEDGER = 7
    }

    /// What the transaction asked for that an event comes from: the reason in its trigger. (The trigger's type is the
    /// kind of the event that it follows from.)
    pub enum Request: u8 {
        /// To trade.
        ORDER = 1,
        /// To cancel an order.
        CANCEL = 2,
        /// To pay in.
        TOP_UP = 3,
        /// To set a mark price.
        MARK_PRICE = 4
    }

    /// Which way an order or a trade goes.
    pub enum Side: u8 {
        /// A bid in the book; the position grows.
        BUY = 1,
        /// An ask in the book; the position shrinks.
        SELL = 2
    }

    /// Whether an order has a limit.
    pub enum OrderType: u8 {
        /// It has.
        LIMIT = 1,
        /// It takes any price; what finds nobody to trade with is cancelled.
        MARKET = 2
    }

    /// Why a transaction was rejected, or an order cancelled.
    pub enum Reason: u8 {
        /// Rejected: there is no such account.
        UNKNOWN_ACCOUNT = 1,
        /// Rejected: there is no such market.
        UNKNOWN_MARKET = 2,
        /// Rejected: a size below 1 or above [`MAX_SIZE`](crate::MAX_SIZE).
        SIZE_OUT_OF_RANGE = 3,
        /// Rejected: a limit below 1, above [`MAX_PRICE`](crate::MAX_PRICE), or further than
        /// [`PRICE_BAND_PERCENT`](crate::PRICE_BAND_PERCENT) from the mark price.
        PRICE_OUT_OF_BAND = 4,
        /// Rejected: an order of this id is open in the market.
        DUPLICATE_ORDER = 5,
        /// Rejected: the position could get larger than [`MAX_POSITION`](crate::MAX_POSITION).
        POSITION_LIMIT = 6,
        /// Rejected: the account's equity does not cover the margin.
        INSUFFICIENT_MARGIN = 7,
        /// Cancel rejected: no order of this id is open in the market. It may have been filled or cancelled before.
        UNKNOWN_ORDER = 8,
        /// Cancel rejected: the order belongs to another account.
        NOT_OWNER = 9,
        /// Top-up rejected: the account has at least what all started with.
        NOT_SHORT_OF_MONEY = 10,
        /// Mark price rejected: only the oracle sets them.
        NOT_THE_ORACLE = 11,
        /// Mark price rejected: below 1, or above [`MAX_PRICE`](crate::MAX_PRICE).
        PRICE_OUT_OF_RANGE = 12,
        /// Cancelled: its account asked for it.
        REQUESTED = 32,
        /// Cancelled: what a market order found nobody to trade with for.
        NO_LIQUIDITY = 33,
        /// Cancelled: what was left would have traded with an order of the same account.
        SELF_TRADE = 34,
        /// Cancelled: what was left after [`MAX_FILLS`](crate::MAX_FILLS) trades, and could have traded on.
        FILL_LIMIT = 35,
        /// Cancelled: its account is distressed.
        DISTRESSED = 36
    }

    /// There is a market. Said once each, at the start of the first block.
    pub event MarketListed, kind 1, topic 1 {
        /// Which.
        pub market: u16,
        /// Its name.
        pub name: Text<14>,
        /// Its first mark price.
        pub price: Fixed<4>
    }

    /// An order was accepted.
    pub event OrderAccepted, kind 2, topic 1 {
        /// Its id.
        pub order: u64,
        /// The worst price that it takes; 0 for a market order.
        pub limit: Fixed<4>,
        /// Its size.
        pub size: i64,
        /// Whose order.
        pub account: u32,
        /// Its market.
        pub market: u16,
        /// Its side.
        pub side: Side,
        /// Whether it has a limit.
        pub order_type: OrderType
    }

    /// An order was rejected. The fields are as they were in the transaction, sound or not.
    pub event OrderRejected, kind 3, topic 1 {
        /// Its id.
        pub order: u64,
        /// The worst price that it would have taken; 0 for a market order.
        pub limit: Fixed<4>,
        /// Its size.
        pub size: i64,
        /// Whose order.
        pub account: u32,
        /// Its market.
        pub market: u16,
        /// Its side.
        pub side: Side,
        /// Why.
        pub reason: Reason
    }

    /// An order, or what was left of it, was cancelled.
    pub event OrderCancelled, kind 4, topic 1 {
        /// Its id.
        pub order: u64,
        /// What was left of it.
        pub size: i64,
        /// Whose order.
        pub account: u32,
        /// Its market.
        pub market: u16,
        /// Its side.
        pub side: Side,
        /// Why.
        pub reason: Reason
    }

    /// A cancel was rejected.
    pub event CancelRejected, kind 5, topic 1 {
        /// For which order.
        pub order: u64,
        /// Who asked.
        pub account: u32,
        /// In which market.
        pub market: u16,
        /// Why.
        pub reason: Reason,
        #[doc(hidden)]
        pub _padding: [u8; 1]
    }

    /// Two orders met: all that it takes to settle them.
    pub event Trade, kind 6, topic 2 {
        /// The order that came in; of the network, its transaction's id.
        pub taker_order: u64,
        /// The order that was in the book.
        pub maker_order: u64,
        /// The maker's price.
        pub price: Fixed<4>,
        /// Contracts.
        pub size: i64,
        /// What the taker pays.
        pub fee: Fixed<4>,
        /// The account whose order came in.
        pub taker: u32,
        /// The account whose order was in the book.
        pub maker: u32,
        /// The market.
        pub market: u16,
        /// The taker's side; the maker has the other.
        pub side: Side,
        #[doc(hidden)]
        pub _padding: [u8; 5]
    }

    /// A position after the transaction, which has changed it.
    pub event PositionChanged, kind 7, topic 3 {
        /// Whose position.
        pub account: u32,
        /// In which market.
        pub market: u16,
        #[doc(hidden)]
        pub _padding: [u8; 2],
        /// Contracts, below 0 if short.
        pub net: i64,
        /// What those contracts cost when they were entered, below 0 if short.
        pub cost: Fixed<4>
    }

    /// A balance after the transaction, which has changed it.
    pub event BalanceChanged, kind 8, topic 3 {
        /// Whose balance.
        pub account: u32,
        #[doc(hidden)]
        pub _padding: [u8; 4],
        /// What it is.
        pub balance: Fixed<4>
    }

    /// Somebody has paid in.
    pub event ToppedUp, kind 9, topic 3 {
        /// Who.
        pub account: u32,
        #[doc(hidden)]
        pub _padding: [u8; 4],
        /// How much.
        pub amount: Fixed<4>
    }

    /// A market's mark price is another one.
    pub event MarkPriceMoved, kind 10, topic 4 {
        /// The market.
        pub market: u16,
        #[doc(hidden)]
        pub _padding: [u8; 6],
        /// The price at which positions are valued from now on.
        pub price: Fixed<4>,
        /// The one before.
        pub previous: Fixed<4>
    }

    /// Where somebody stands who has a position in a market whose mark price has moved.
    pub event MarkedToMarket, kind 11, topic 4 {
        /// Who.
        pub account: u32,
        /// The market.
        pub market: u16,
        #[doc(hidden)]
        pub _padding: [u8; 2],
        /// Contracts there, below 0 if short.
        pub net: i64,
        /// What they have gained, or lost if below 0, since they were entered.
        pub unrealised: Fixed<4>,
        /// What the account would have if all its positions were closed at their mark prices.
        pub equity: Fixed<4>,
        /// What it must have at least.
        pub maintenance: Fixed<4>
    }

    /// An account's equity is below its maintenance margin.
    pub event Distressed, kind 12, topic 5 {
        /// Whose.
        pub account: u32,
        #[doc(hidden)]
        pub _padding: [u8; 4],
        /// What it would have if all its positions were closed at their mark prices.
        pub equity: Fixed<4>,
        /// What it would have to have at least.
        pub maintenance: Fixed<4>
    }

    /// Without its open orders, an account's equity covers its maintenance margin again.
    pub event Recovered, kind 13, topic 5 {
        /// Whose.
        pub account: u32,
        #[doc(hidden)]
        pub _padding: [u8; 4],
        /// What it would have if all its positions were closed at their mark prices.
        pub equity: Fixed<4>,
        /// What it must have at least.
        pub maintenance: Fixed<4>
    }

    /// A position, or a part of one, was closed at the mark price.
    pub event ClosedOut, kind 14, topic 5 {
        /// Whose position.
        pub account: u32,
        /// Who has it now: somebody distressed who had the opposite, or the network.
        pub counterparty: u32,
        /// In which market.
        pub market: u16,
        /// What the account had to do.
        pub side: Side,
        #[doc(hidden)]
        pub _padding: [u8; 5],
        /// The mark price.
        pub price: Fixed<4>,
        /// Contracts.
        pub size: i64
    }

    /// What somebody who was closed out pays to the insurance pool.
    pub event LiquidationFee, kind 15, topic 5 {
        /// Who.
        pub account: u32,
        #[doc(hidden)]
        pub _padding: [u8; 4],
        /// How much.
        pub amount: Fixed<4>,
        /// What the pool has then.
        pub pool: Fixed<4>
    }

    /// The insurance pool pays what somebody who was closed out has lost and did not have.
    pub event InsurancePaid, kind 16, topic 5 {
        /// Who.
        pub account: u32,
        #[doc(hidden)]
        pub _padding: [u8; 4],
        /// How much.
        pub amount: Fixed<4>,
        /// What the pool has then; below 0: what it is short of.
        pub pool: Fixed<4>
    }

    /// Somebody with a profit pays a part of what the insurance pool is short of.
    pub event LossSocialised, kind 17, topic 5 {
        /// Who.
        pub account: u32,
        /// In which market the profit is.
        pub market: u16,
        #[doc(hidden)]
        pub _padding: [u8; 2],
        /// The profit.
        pub profit: Fixed<4>,
        /// How much of it.
        pub amount: Fixed<4>,
        /// What the pool has then; below 0: what it is short of.
        pub pool: Fixed<4>
    }

    /// What a block comes to, all blocks before it included: the last that the core says of it.
    pub event BlockClosed, kind 18, topic 1 {
        /// See [`Core::state_hash`](crate::Core::state_hash).
        pub state_hash: u64,
        /// Of what the core has said in this block, before this: see [`Checksum`](crate::Checksum).
        pub checksum: u64,
        /// What everybody has paid in, the insurance pool's start included.
        pub deposits: Fixed<4>,
        /// All balances, the insurance pool included.
        pub balances: Fixed<4>,
        /// What all open positions cost when they were entered.
        pub costs: Fixed<4>,
        /// All fees.
        pub fees: Fixed<4>,
        /// What the insurance pool has.
        pub pool: Fixed<4>,
        /// How many trades there were.
        pub trades: u64
    }

    /// Whatever has a market.
    pub view Market: u16 {
        market in [
            MarketListed, OrderAccepted, OrderRejected, OrderCancelled, CancelRejected, Trade, PositionChanged,
            MarkPriceMoved, MarkedToMarket, ClosedOut, LossSocialised
        ]
    }

    /// Whatever an account is the subject of.
    pub view Account: u32 {
        account in [
            OrderAccepted, OrderRejected, OrderCancelled, CancelRejected, PositionChanged, BalanceChanged, ToppedUp,
            MarkedToMarket, Distressed, Recovered, ClosedOut, LiquidationFee, InsurancePaid, LossSocialised
        ]
    }
}
