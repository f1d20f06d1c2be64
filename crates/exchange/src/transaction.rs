//! What accounts ask of the core.

use ringbus::bus::Hash;

use crate::events::{Request, Side};
use crate::hash::spread;
use crate::units::{AccountId, MarketId, OrderId, Price, Size};

/// One order, one cancel, one payment, or the oracle's word on a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its id, which is also the id of the order that it places. Not 0, and of one transaction only.
    pub id: u64,
    /// Who asks.
    pub account: AccountId,
    /// What for.
    pub action: Action,
}

/// What a transaction asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To trade.
    Place(NewOrder),
    /// To take an order out of a market's book.
    Cancel {
        /// The market.
        market: MarketId,
        /// The id of the transaction that placed the order.
        order: OrderId,
    },
    /// To pay in what the account's equity is short of what all accounts started with.
    TopUp,
    /// To set the mark price of a market: the oracle's alone.
    MarkPrice {
        /// The market.
        market: MarketId,
        /// The price, in units of 1/[`SCALE`](crate::SCALE).
        price: Price,
    },
}

impl Action {
    /// What events say that it asked for.
    #[must_use]
    pub const fn request(&self) -> Request {
        match self {
            Self::Place(_) => Request::ORDER,
            Self::Cancel { .. } => Request::CANCEL,
            Self::TopUp => Request::TOP_UP,
            Self::MarkPrice { .. } => Request::MARK_PRICE,
        }
    }
}

/// An order that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The market.
    pub market: MarketId,
    /// Whether to buy or to sell.
    pub side: Side,
    /// The worst price to take, in units of 1/[`SCALE`](crate::SCALE); what does not trade at once then waits in the
    /// book. `None` for a market order, which takes any price, and of which the rest is cancelled.
    pub limit: Option<Price>,
    /// Contracts.
    pub size: Size,
}

impl Transaction {
    /// Places a limit order.
    #[must_use]
    pub fn limit(
        id: u64,
        account: AccountId,
        market: MarketId,
        side: Side,
        price: Price,
        size: Size,
    ) -> Self {
        Self { id, account, action: Action::Place(NewOrder { market, side, limit: Some(price), size }) }
    }

    /// Places a market order.
    #[must_use]
    pub fn market(id: u64, account: AccountId, market: MarketId, side: Side, size: Size) -> Self {
        Self { id, account, action: Action::Place(NewOrder { market, side, limit: None, size }) }
    }

    /// Cancels the order that the transaction `order` placed.
    #[must_use]
    pub fn cancel(id: u64, account: AccountId, market: MarketId, order: OrderId) -> Self {
        Self { id, account, action: Action::Cancel { market, order } }
    }
    /// Pays in.
    #[must_use]
    pub fn top_up(id: u64, account: AccountId) -> Self {
        Self { id, account, action: Action::TopUp }
    }

    /// Sets a mark price; `oracle` is [`Core::network`](crate::Core::network).
    #[must_use]
    pub fn mark_price(id: u64, oracle: AccountId, market: MarketId, price: Price) -> Self {
        Self { id, account: oracle, action: Action::MarkPrice { market, price } }
    }

    /// Its hash, which is the trace of the events that it causes. It stands in for one that nobody could find another
    /// transaction to.
    #[must_use]
    pub fn hash(&self) -> Hash {
        spread(self.id)
    }
}
