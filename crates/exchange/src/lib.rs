//! A small trading core for the examples and tests of `ringbus`: real order books, accounts, margin and liquidations,
//! and nothing in it that is not the same in every run. And the same core, [live]: on a bus, with a journal, a position
//! keeper, a block store, a monitor and an audit log.
//!
//! * [`Core`] executes [`Transaction`]s block by block; its engines say what happened, as [`events`], to whatever
//!   [`Emit`](ringbus::bus::Emit)s.
//! * [`OrderFlow`] makes transactions without end from a seed.
//! * [`BlockMaker`] drives a core by a flow, on a bus; and makes the core of any height again, after a crash.
//! * [`Positions`] follows the money on the far side of a bus, and tells whether it has what the core has.
//! * [`live::run`] lets a core write to a bus, with [`consumers`] that listen; [`report`] shows what came of it.
//!
//! # The rules
//!
//! * Orders are served by price, then by time. A trade is at the price of the order in the book, the maker's.
//! * A limit order takes what its limit allows and then waits. A market order takes what there is; its rest is
//!   cancelled. One order makes at most [`MAX_FILLS`] trades; what could trade on then is cancelled.
//! * An account never trades with itself: the rest of the order that comes in is cancelled, and the one in the book
//!   stays ("cancel newest"). What it traded with others before stands.
//! * The mark price of a market is what the oracle says, and it alone. A limit may be at most [`PRICE_BAND_PERCENT`]
//!   percent from it.
//! * Positions may be short. An order is rejected where the account's equity does not cover one part in [`LEVERAGE`]
//!   of its worst positions, at mark prices, should its open orders fill; one that can only make a position smaller is
//!   not.
//! * A profit or loss is realised, into the balance, when contracts are closed: their price against their average
//!   entry. The taker pays [`taker_fee`]. Who has less than all started with can top that up.
//! * At every moment the positions in a market add up to 0, the network's included, and balances less costs, plus fees,
//!   to the deposits.
//!
//! # When a mark price moves
//!
//! All of it happens in the oracle's transaction, so that it is what the transaction caused:
//!
//! 1. Whoever has a position in the market is *marked to market*: told where it stands. Accounts whose equity does not
//!    cover one part in [`MAINTENANCE`] of their worst positions are *distressed*.
//! 2. The open orders of the distressed are *cancelled*; a smaller worst position may let them recover.
//! 3. The positions of those who do not are *closed out* at mark prices, in all markets: first against each other's,
//!    where one is long and one short, in the order of their accounts; the rest is taken over by the *network*, an
//!    account that is nobody's.
//! 4. The network trades what it has into the books, without a fee, up to [`MAX_FILLS`] trades a market and not beyond
//!    the price band. What is left waits for the next mark price, of whichever market.
//! 5. Who was closed out and has something left pays [`liquidation_fee`] to the *insurance pool*, which is the
//!    network's balance; the pool pays what the others have lost and do not have, so that nobody is left with less than
//!    nothing.
//! 6. If the pool is below 0 by then, those with a profit in the market pay, in proportion to it and to the last unit,
//!    but not more than it is: the loss is *socialised*. What no profit covers stays with the pool, below 0, and is
//!    asked for again at the next mark price.
//!
//! # A block's events
//!
//! For each transaction: `OrderAccepted`, `Trade`s, `OrderCancelled`; or `OrderRejected`, `OrderCancelled`,
//! `CancelRejected`, `ToppedUp` alone; or `MarkPriceMoved` and what follows; then `PositionChanged`
//! and `BalanceChanged`, by account, of all that changed. `BlockClosed` comes last. Their origin tells the engine; the
//! kind of the event that led to them; and what the transaction asked for. The bus adds the beginnings and ends of
//! blocks and the ends of transactions.
//!
//! # Example
//!
//! ```
//! use exchange::{Core, OrderFlow, Settings, events::Trade};
//! use ringbus::testing::Recorder;
//!
//! let settings = Settings::default();
//! let (mut core, mut flow) = (Core::new(&settings)?, OrderFlow::new(1, &settings)?);
//! let mut said = Recorder::new();
//! for _ in 0..10 {
//!     core.begin_block();
//!     for transaction in flow.by_ref().take(50) {
//!         core.execute(&transaction, &mut said)?;
//!     }
//!     core.end_block(&mut said)?;
//! }
//! assert_eq!(core.height(), 10);
//! assert!(said.all::<Trade>().len() > 50);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod block_maker;
mod book;
mod checksum;
pub mod consumers;
mod core;
pub mod events;
mod flow;
mod hash;
mod ledger;
pub mod live;
mod margin;
mod matching;
mod position;
mod positions;
pub mod report;
mod rules;
mod say;
mod settings;
mod side;
mod table;
mod transaction;
mod units;

pub use crate::core::{Core, Verdict};
pub use block_maker::BlockMaker;
pub use book::{Book, Order};
pub use checksum::Checksum;
pub use events::{Reason, Side};
pub use flow::OrderFlow;
pub use position::Position;
pub use positions::{Difference, Positions, Total};
pub use rules::{
    BLOCK_INTERVAL, GENESIS, LEVERAGE, LIQUIDATION_FEE_PPM, MAINTENANCE, MAX_EVENTS, MAX_FILLS,
    PRICE_BAND_PERCENT, TAKER_FEE_PPM, liquidation_fee, taker_fee, timestamp,
};
pub use settings::{Settings, SettingsError};
pub use transaction::{Action, NewOrder, Transaction};
pub use units::{
    AccountId, Amount, DECIMALS, MAX_ACCOUNTS, MAX_DEPOSIT, MAX_MARKETS, MAX_POSITION, MAX_PRICE, MAX_SIZE,
    MarketId, Money, OrderId, Price, SCALE, Size,
};
