//! The kinds of events (`BusEvent`'s `type`) that have a name here; see [`kind_name`](crate::kind_name).

/// The time of the block, once after its begin.
pub const TIME_UPDATE: u16 = 2;
/// Amounts moved between accounts; the longest events are of this kind.
pub const LEDGER_MOVEMENTS: u16 = 3;
/// An order was placed or changed.
pub const ORDER: u16 = 5;
/// An account's balance.
pub const ACCOUNT: u16 = 6;
/// Two orders met.
pub const TRADE: u16 = 8;
/// The margin that a position requires.
pub const MARGIN_LEVELS: u16 = 9;
/// Prices and volumes of a market; the most frequent kind.
pub const MARKET_DATA: u16 = 12;
/// The time of a market.
pub const MARKET_TICK: u16 = 19;
/// A withdrawal of funds.
pub const WITHDRAWAL: u16 = 20;
/// A deposit of funds.
pub const DEPOSIT: u16 = 21;
/// A market entered or left an auction.
pub const AUCTION: u16 = 22;
/// A party's position.
pub const POSITION_STATE: u16 = 46;
/// The first event of every block.
pub const BEGIN_BLOCK: u16 = 49;
/// The last event of every block.
pub const END_BLOCK: u16 = 50;
/// What became of a transaction.
pub const TRANSACTION_RESULT: u16 = 53;
/// Why a transaction failed.
pub const TRANSACTION_ERROR: u16 = 201;
