//! A small trading core for the examples and tests of `ringbus`: real order books, accounts and margin, and nothing
//! in it that is not the same in every run. And the same core, [live]: on a ring, with a journal, a position keeper, a
//! block store and a monitor.
//!
//! * [`Core`] executes [`Transaction`]s block by block and says what happened as [`Event`]s of 64 bytes.
//! * [`OrderFlow`] makes transactions without end from a seed.
//! * [`Positions`] follows the trades on the far side of a ring, and tells whether it has what the core has.
//! * [`live::run`] lets a core publish on a ring, with [`consumers`] that listen; [`report`] shows what came of it.
//!
//! # The rules
//!
//! * Orders are served by price, then by time. A trade is at the price of the order in the book, the maker's.
//! * A limit order takes what its limit allows and then waits. A market order takes what there is; its rest is
//!   cancelled. One order makes at most [`MAX_FILLS`] trades; what could trade on then is cancelled.
//! * An account never trades with itself: the rest of the order that comes in is cancelled, and the one in the book
//!   stays ("cancel newest"). What it traded with others before stands.
//! * A limit may be at most [`PRICE_BAND_PERCENT`] percent from the mark price, which is halfway between the best bid
//!   and the best ask at the end of the block before.
//! * Positions may be short. An order is rejected where the account's equity does not cover one part in [`LEVERAGE`]
//!   of its worst positions, at mark prices, should its open orders fill; one that can only make a position smaller is
//!   not. Nobody is liquidated.
//! * A profit or loss is realised, into the balance, when contracts are closed: their price against their average
//!   entry. The taker pays [`taker_fee`].
//! * At every moment the positions in a market add up to 0, and balances less costs, plus fees, to the deposits.
//!
//! # A block's events
//!
//! `BeginBlock`; for each transaction `Accepted`, `Trade`s, `Cancelled`, then `Position` and `Balance` of everyone who
//! traded, by account, or `Rejected`, `Cancelled`, `CancelRejected` alone; and its `Result`; `MarkPrice` of each market;
//! `EndBlock`. Numbers count from 1 in each block.
//!
//! # Example
//!
//! ```
//! use exchange::{Core, MAX_EVENTS, OrderFlow, Settings};
//!
//! let settings = Settings::default();
//! let (mut core, mut flow) = (Core::new(&settings)?, OrderFlow::new(1, &settings)?);
//! let mut batch = Vec::with_capacity(MAX_EVENTS);
//! let mut publish = |batch: &mut Vec<_>| {
//!     assert!(batch.len() <= MAX_EVENTS);
//!     batch.clear();
//! };
//! for _ in 0..10 {
//!     core.begin_block(&mut batch);
//!     publish(&mut batch);
//!     for transaction in flow.by_ref().take(50) {
//!         core.execute(&transaction, &mut batch);
//!         publish(&mut batch);
//!     }
//!     core.end_block(&mut batch);
//!     publish(&mut batch);
//! }
//! assert_eq!(core.height(), 10);
//! # Ok::<(), exchange::SettingsError>(())
//! ```

mod batch;
mod book;
pub mod consumers;
mod core;
mod event;
mod flow;
mod hash;
mod kind;
mod ledger;
pub mod live;
mod margin;
mod matching;
mod payload;
mod position;
mod positions;
mod reason;
pub mod report;
mod rules;
mod settings;
mod side;
mod table;
mod transaction;
mod units;

pub use crate::core::Core;
pub use book::{Book, Order};
pub use event::{Event, Header, NO_TRACE};
pub use flow::OrderFlow;
pub use kind::Kind;
pub use payload::{Payload, Trade};
pub use position::Position;
pub use positions::{Difference, Positions};
pub use reason::Reason;
pub use rules::{
    BLOCK_INTERVAL, LEVERAGE, MAX_EVENTS, MAX_FILLS, PRICE_BAND_PERCENT, TAKER_FEE_PPM, taker_fee, timestamp,
};
pub use settings::{Settings, SettingsError};
pub use side::Side;
pub use transaction::{Action, NewOrder, Transaction};
pub use units::{
    AccountId, Amount, Decimal, MAX_ACCOUNTS, MAX_DEPOSIT, MAX_MARKETS, MAX_POSITION, MAX_PRICE, MAX_SIZE,
    MarketId, OrderId, Price, SCALE, Size,
};
