//! Balances, positions and mark prices as of the last whole block.

use std::error::Error;
use std::fmt;

use ringbus::worker::{Events, Handler, Shutdown};

use crate::core::Core;
use crate::event::Event;
use crate::kind::Kind;
use crate::payload::Payload;
use crate::position::Position;
use crate::settings::{Settings, SettingsError};
use crate::table::Table;
use crate::units::{AccountId, Amount, MarketId, Price};

/// A block that the store has committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommittedBlock {
    /// Its height.
    pub height: u64,
    /// How many events it has, from its begin to its end.
    pub events: u32,
    /// How many transactions, rejected ones too.
    pub transactions: u32,
    /// How many trades.
    pub trades: u32,
    /// The core's [state hash](Core::state_hash) at its end.
    pub state_hash: u64,
}

/// A block whose end never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DroppedBlock {
    /// Its height.
    pub height: u64,
    /// How many of its events there were.
    pub events: u32,
}

impl fmt::Display for DroppedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {} was dropped after {} events: its end did not come", self.height, self.events)
    }
}

/// Keeps what a client may ask for: balances, positions, mark prices, as of the last committed block.
///
/// What an open block changes is kept apart until its end, so that the state is that of a whole block at any moment. A
/// block that is still open when the stream ends is dropped ([`dropped`](Self::dropped)). Blocks must follow without a
/// gap, and so must the events of a block, whose end must say how many there were and give the core's state hash: all
/// else is an error, at which the store fails.
#[derive(Clone, Debug)]
pub struct BlockStore {
    balances: Vec<Amount>,
    positions: Table<Position>,
    marks: Vec<Price>,
    last: Option<CommittedBlock>,
    blocks: u64,
    open: Option<OpenBlock>,
    /// What the open block changes, in order; kept for its memory.
    changes: Vec<Payload>,
    dropped: Option<DroppedBlock>,
}

/// The events of a block so far.
#[derive(Clone, Copy, Debug)]
struct OpenBlock {
    height: u64,
    events: u32,
    transactions: u32,
    trades: u32,
}

impl BlockStore {
    /// The state before the first block of a core of these settings.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            balances: vec![settings.deposit; settings.accounts as usize],
            positions: Table::new(settings.accounts, settings.start_prices.len()),
            marks: settings.start_prices.clone(),
            last: None,
            blocks: 0,
            open: None,
            changes: Vec::new(),
            dropped: None,
        })
    }

    /// The last block that was committed.
    #[must_use]
    pub fn last(&self) -> Option<CommittedBlock> {
        self.last
    }

    /// How many blocks were committed.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The block that was open when the stream ended. Nothing of it is in the store.
    #[must_use]
    pub fn dropped(&self) -> Option<DroppedBlock> {
        self.dropped
    }

    /// The balance of an account as of the last committed block.
    ///
    /// # Panics
    ///
    /// There is no such account.
    #[must_use]
    pub fn balance(&self, account: AccountId) -> Amount {
        self.balances[account as usize]
    }

    /// The positions of an account, by market, as of the last committed block.
    ///
    /// # Panics
    ///
    /// There is no such account.
    #[must_use]
    pub fn positions(&self, account: AccountId) -> &[Position] {
        self.positions.row(account)
    }

    /// The mark price of a market as of the last committed block.
    ///
    /// # Panics
    ///
    /// There is no such market.
    #[must_use]
    pub fn mark_price(&self, market: MarketId) -> Price {
        self.marks[usize::from(market)]
    }

    /// Whether it has the balances, positions, mark prices, height and state hash of `core`, which has no block open.
    #[must_use]
    pub fn agrees_with(&self, core: &Core) -> bool {
        let (height, state_hash) = self.last.map_or((0, None), |last| (last.height, Some(last.state_hash)));
        height == core.height()
            && state_hash.is_none_or(|hash| hash == core.state_hash())
            && core.accounts().all(|account| {
                self.balance(account) == core.balance(account)
                    && self.positions(account) == core.positions(account)
            })
            && (0..).zip(&self.marks).all(|(market, &mark)| mark == core.mark_price(market))
    }

    fn add(&mut self, event: &Event) -> Result<(), StoreError> {
        let header = event.header();
        let payload = event.payload();
        let block = match &mut self.open {
            Some(open) => open,
            open => {
                let expected = self.last.map_or(header.block, |last| last.height + 1);
                if (header.block, header.number, event.kind()) != (expected, 1, Kind::BeginBlock) {
                    return Err(StoreError::NoBegin { expected, found: event.to_string() });
                }
                self.changes.clear();
                open.insert(OpenBlock { height: expected, events: 0, transactions: 0, trades: 0 })
            }
        };
        block.events += 1;
        if (header.block, header.number) != (block.height, block.events) {
            let (height, number) = (block.height, block.events);
            return Err(StoreError::Gap { height, number, found: event.to_string() });
        }
        match payload {
            Payload::Position { .. } | Payload::Balance { .. } | Payload::MarkPrice { .. } => {
                self.changes.push(payload);
            }
            Payload::Trade(_) => block.trades += 1,
            Payload::Result { .. } => block.transactions += 1,
            Payload::EndBlock { events, state_hash } => {
                let OpenBlock { height, events: counted, transactions, trades } = *block;
                if events != counted {
                    return Err(StoreError::Count { height, said: events, counted });
                }
                if state_hash == 0 {
                    return Err(StoreError::NoHash { height });
                }
                self.commit(CommittedBlock { height, events, transactions, trades, state_hash });
            }
            _ => {}
        }
        Ok(())
    }

    fn commit(&mut self, block: CommittedBlock) {
        for change in &self.changes {
            match *change {
                Payload::Position { account, market, net, cost } => {
                    *self.positions.cell(account, market) = Position { net, cost };
                }
                Payload::Balance { account, balance } => self.balances[account as usize] = balance,
                Payload::MarkPrice { market, price } => self.marks[usize::from(market)] = price,
                _ => {}
            }
        }
        self.open = None;
        self.last = Some(block);
        self.blocks += 1;
    }
}

impl Handler<Event> for BlockStore {
    type Error = StoreError;

    fn batch(&mut self, events: &mut Events<'_, Event>) -> Result<(), StoreError> {
        events.try_for_each(|event, _sequence, _end_of_batch| self.add(event))
    }

    fn shutdown(&mut self, _: &Shutdown) -> Result<(), StoreError> {
        self.dropped =
            self.open.take().map(|OpenBlock { height, events, .. }| DroppedBlock { height, events });
        Ok(())
    }
}

/// Events that do not make whole blocks, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// A block ended, or none was, and another than the next one's begin followed.
    NoBegin {
        /// The height of the next block.
        expected: u64,
        /// What came instead.
        found: String,
    },
    /// An event is missing within a block.
    Gap {
        /// The open block.
        height: u64,
        /// The event that should come.
        number: u32,
        /// What came instead.
        found: String,
    },
    /// A block's end gives another number of events than there were.
    Count {
        /// The block.
        height: u64,
        /// What its end says.
        said: u32,
        /// How many there were.
        counted: u32,
    },
    /// A block's end has no state hash.
    NoHash {
        /// The block.
        height: u64,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBegin { expected, found } => {
                write!(f, "expected the begin of block {expected}, got `{found}`")
            }
            Self::Gap { height, number, found } => {
                write!(f, "expected event {number} of block {height}, got `{found}`")
            }
            Self::Count { height, said, counted } => {
                write!(f, "block {height} ends by saying that it has {said} events, and had {counted}")
            }
            Self::NoHash { height } => write!(f, "block {height} ends without a state hash"),
        }?;
        write!(f, "; look for what publishes between the core and the ring, and start again")
    }
}

impl Error for StoreError {}
