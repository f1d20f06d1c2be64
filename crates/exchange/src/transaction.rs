//! What accounts ask of the core.

use crate::side::Side;
use crate::units::{AccountId, MarketId, OrderId, Price, Size};

/// One order, or one cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its id, which is the trace of the events that it causes and the id of the order that it places. Not 0, and
    /// of one transaction only.
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
}
