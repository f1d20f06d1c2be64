//! What an event says, with named fields.

use std::fmt;

use crate::reason::Reason;
use crate::side::Side;
use crate::units::{AccountId, Amount, Decimal, MarketId, OrderId, Price, Size};

/// Two orders that met: all that it takes to settle them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The market.
    pub market: MarketId,
    /// The taker's side; the maker has the other.
    pub side: Side,
    /// The account whose order came in. Its order's id is the event's trace.
    pub taker: AccountId,
    /// The account whose order was in the book.
    pub maker: AccountId,
    /// The order that was in the book.
    pub maker_order: OrderId,
    /// The maker's price, in units of 1/[`SCALE`](crate::SCALE).
    pub price: Price,
    /// Contracts.
    pub size: Size,
    /// What the taker pays, in units of 1/[`SCALE`](crate::SCALE).
    pub fee: Amount,
}

/// What an event says. Prices and amounts are in units of 1/[`SCALE`](crate::SCALE), sizes in contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A block begins.
    BeginBlock {
        /// Nanoseconds since the chain's start.
        timestamp: u64,
    },
    /// An order was accepted. Its id is the event's trace.
    Accepted {
        /// Whose order.
        account: AccountId,
        /// Its market.
        market: MarketId,
        /// Its side.
        side: Side,
        /// The worst price that it takes; `None` for a market order.
        limit: Option<Price>,
        /// Its size.
        size: Size,
    },
    /// An order was rejected. The fields are as they were in the transaction, sound or not.
    Rejected {
        /// Whose order.
        account: AccountId,
        /// Its market.
        market: MarketId,
        /// Its side.
        side: Side,
        /// The worst price that it would have taken; `None` for a market order.
        limit: Option<Price>,
        /// Its size.
        size: Size,
        /// Why.
        reason: Reason,
    },
    /// Two orders met.
    Trade(Trade),
    /// An order, or what was left of it, was cancelled.
    Cancelled {
        /// Whose order.
        account: AccountId,
        /// Its market.
        market: MarketId,
        /// Its side.
        side: Side,
        /// The order.
        order: OrderId,
        /// What was left of it.
        size: Size,
        /// Why.
        reason: Reason,
    },
    /// A cancel was rejected.
    CancelRejected {
        /// Who asked.
        account: AccountId,
        /// In which market.
        market: MarketId,
        /// For which order.
        order: OrderId,
        /// Why.
        reason: Reason,
    },
    /// The position of an account that traded, after the transaction.
    Position {
        /// Whose position.
        account: AccountId,
        /// In which market.
        market: MarketId,
        /// Contracts, below 0 if short.
        net: Size,
        /// What those contracts cost when they were entered, below 0 if short.
        cost: Amount,
    },
    /// The balance of an account that traded, after the transaction.
    Balance {
        /// Whose balance.
        account: AccountId,
        /// Deposit, realised profits and losses, and fees.
        balance: Amount,
    },
    /// A transaction is done.
    Result {
        /// Why it was rejected; `None` if it was not.
        rejected: Option<Reason>,
        /// How many events it caused, this one included.
        events: u32,
    },
    /// The price at which positions in a market are valued until the next block's end.
    MarkPrice {
        /// The market.
        market: MarketId,
        /// Halfway between the best bid and the best ask; unchanged where one is missing.
        price: Price,
    },
    /// A block ends.
    EndBlock {
        /// How many events the block had, this one included.
        events: u32,
        /// See [`Core::state_hash`](crate::Core::state_hash).
        state_hash: u64,
    },
}

/// A limit, or that there is none.
fn at(limit: Option<Price>) -> String {
    limit.map_or_else(|| "market".to_owned(), |price| Decimal(price).to_string())
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BeginBlock { timestamp } => write!(f, "begin block at {timestamp} ns"),
            Self::Accepted { account, market, side, limit, size } => {
                write!(f, "accepted: account {account}, market {market}, {side} {size} at {}", at(limit))
            }
            Self::Rejected { account, market, side, limit, size, reason } => {
                let limit = at(limit);
                write!(f, "rejected ({reason}): account {account}, market {market}, {side} {size} at {limit}")
            }
            Self::Trade(Trade { market, side, taker, maker, maker_order, price, size, fee }) => write!(
                f,
                "trade: market {market}, {side} {size} at {}, taker {taker}, maker {maker} (order {maker_order}), \
                 fee {}",
                Decimal(price),
                Decimal(fee)
            ),
            Self::Cancelled { account, market, side, order, size, reason } => write!(
                f,
                "cancelled ({reason}): account {account}, market {market}, order {order}, {side} {size}"
            ),
            Self::CancelRejected { account, market, order, reason } => {
                write!(f, "cancel rejected ({reason}): account {account}, market {market}, order {order}")
            }
            Self::Position { account, market, net, cost } => {
                write!(f, "position: account {account}, market {market}, net {net}, cost {}", Decimal(cost))
            }
            Self::Balance { account, balance } => {
                write!(f, "balance: account {account}, {}", Decimal(balance))
            }
            Self::Result { rejected: None, events } => write!(f, "result: done, {events} events"),
            Self::Result { rejected: Some(reason), events } => {
                write!(f, "result: rejected ({reason}), {events} events")
            }
            Self::MarkPrice { market, price } => {
                write!(f, "mark price: market {market}, {}", Decimal(price))
            }
            Self::EndBlock { events, state_hash } => {
                write!(f, "end block: {events} events, state {state_hash:016x}")
            }
        }
    }
}
