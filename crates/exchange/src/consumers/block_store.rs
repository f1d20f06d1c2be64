//! Balances, positions and mark prices as of the last whole block.

use std::error::Error;
use std::fmt;

use ringbus::bus::{Append, Commit, Damaged};
use ringbus::bus::{Header, PerBlock, RecordRef};

use super::change::{Change, What};
use crate::checksum::Checksum;
use crate::core::Core;
use crate::events::BlockClosed;
use crate::position::Position;
use crate::settings::{Settings, SettingsError};
use crate::table::Table;
use crate::units::{AccountId, Amount, MarketId, Money, Price, money};

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

/// The subscriber that feeds a [`BlockStore`]: what a block changes is gathered apart until the block has ended.
pub type BlockByBlock = PerBlock<Append<Change, fn(RecordRef<'_>) -> Option<Change>>, BlockStore>;

/// Keeps what a client may ask for: balances, positions, mark prices, as of the last committed block.
///
/// Blocks are committed whole, when they end; one whose end never came is dropped ([`dropped`](Self::dropped)). The
/// store trusts nobody: blocks must follow without a gap, their [checksum](Checksum) must be the one that the core
/// gives, and with each block the books must balance: the positions in a market add up to 0, balances less costs, plus
/// fees, to the deposits. All else is an error, at which the store fails.
#[derive(Clone, Debug)]
pub struct BlockStore {
    /// The network's is the last, in both.
    balances: Vec<Amount>,
    positions: Table<Position>,
    marks: Vec<Price>,
    last: Option<CommittedBlock>,
    blocks: u64,
    dropped: Option<Damaged>,
}

impl BlockStore {
    /// The state before the first block of a core of these settings.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let mut balances = vec![settings.deposit; settings.accounts as usize];
        balances.push(settings.insurance);
        Ok(Self {
            balances,
            positions: Table::new(settings.accounts + 1, settings.start_prices.len()),
            marks: settings.start_prices.clone(),
            last: None,
            blocks: 0,
            dropped: None,
        })
    }

    /// As a subscriber.
    #[must_use]
    pub fn block_by_block(self) -> BlockByBlock {
        PerBlock::append(Change::of, self)
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
    pub fn dropped(&self) -> Option<Damaged> {
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
            && core.accounts().chain([core.network()]).all(|account| {
                self.balance(account) == core.balance(account)
                    && self.positions(account) == core.positions(account)
            })
            && (0..).zip(&self.marks).all(|(market, &mark)| mark == core.mark_price(market))
    }

    /// Makes a block's changes; what it comes to, by what the core says at its end.
    fn apply(
        &mut self,
        header: &Header,
        changes: &[Change],
    ) -> Result<(CommittedBlock, BlockClosed), StoreError> {
        let mut block = CommittedBlock {
            height: header.block_height,
            events: header.order,
            transactions: 0,
            trades: 0,
            state_hash: 0,
        };
        let (mut checksum, mut closed) = (Checksum::default(), None);
        for Change { digest, what } in changes {
            digest.iter().for_each(|&digest| checksum.add_digest(digest));
            match *what {
                What::Position(position) => {
                    let (net, cost) = (position.net, position.cost.mantissa());
                    *self.positions.cell(position.account, position.market) = Position { net, cost };
                }
                What::Balance(changed) => {
                    self.balances[changed.account as usize] = changed.balance.mantissa();
                }
                What::Mark(mark) => self.marks[usize::from(mark.market)] = mark.price.mantissa(),
                What::Trade => block.trades += 1,
                What::Transaction => block.transactions += 1,
                What::Closed(said) => closed = Some(said),
                What::Other => {}
            }
        }
        let height = block.height;
        let closed = closed.ok_or(StoreError::NotClosed { height })?;
        let (said, found) = (closed.checksum, checksum.value());
        if said != found {
            return Err(StoreError::Checksum { height, said, found });
        }
        block.state_hash = closed.state_hash;
        Ok((block, closed))
    }

    /// Whether the books balance, and have what the core says that they have.
    fn check_balance(&self, height: u64, closed: &BlockClosed) -> Result<(), StoreError> {
        let rows = (0..).zip(&self.balances).map(|(account, _)| self.positions.row(account));
        let costs: Amount = rows.clone().flatten().map(|position| position.cost).sum();
        let balances: Amount = self.balances.iter().sum();
        let pool = self.balances.last().copied().unwrap_or_default();
        let amounts = [
            ("balances", closed.balances, money(balances)),
            ("costs", closed.costs, money(costs)),
            ("an insurance pool", closed.pool, money(pool)),
            ("deposits", closed.deposits, money(balances - costs + closed.fees.mantissa())),
        ];
        for (what, said, found) in amounts {
            if said != found {
                return Err(StoreError::Unbalanced { height, what, said, found });
            }
        }
        for market in 0..self.marks.len() {
            let net: i64 = rows.clone().map(|row| row[market].net).sum();
            if net != 0 {
                return Err(StoreError::Positions { height, market, net });
            }
        }
        Ok(())
    }
}

impl Commit<Change> for BlockStore {
    type Error = StoreError;

    fn commit(&mut self, header: &Header, changes: &mut Vec<Change>) -> Result<(), StoreError> {
        let height = header.block_height;
        let expected = self.last.map_or(height, |last| last.height + 1);
        if height != expected {
            return Err(StoreError::NotNext { expected, found: height });
        }
        let (block, closed) = self.apply(header, changes)?;
        self.check_balance(height, &closed)?;
        self.last = Some(block);
        self.blocks += 1;
        Ok(())
    }

    fn damaged(&mut self, block: &Damaged) -> Result<(), StoreError> {
        self.dropped = Some(*block);
        Ok(())
    }
}

/// A block that is not what the core says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// It is not the one after the last.
    NotNext {
        /// The height of the next block.
        expected: u64,
        /// The height that came instead.
        found: u64,
    },
    /// It ended, and the core has not said what it comes to.
    NotClosed {
        /// The block.
        height: u64,
    },
    /// What arrived has another checksum than what the core said.
    Checksum {
        /// The block.
        height: u64,
        /// The core's.
        said: u64,
        /// Of what arrived.
        found: u64,
    },
    /// The sums are not what the core says, or do not balance.
    Unbalanced {
        /// The block.
        height: u64,
        /// What is added up.
        what: &'static str,
        /// What the core says.
        said: Money,
        /// What the store has.
        found: Money,
    },
    /// The positions in a market do not add up to 0.
    Positions {
        /// The block.
        height: u64,
        /// The market.
        market: usize,
        /// What they add up to.
        net: i64,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNext { expected, found } => write!(f, "expected block {expected}, got block {found}"),
            Self::NotClosed { height } => write!(f, "block {height} ended, and the core did not close it"),
            Self::Checksum { height, said, found } => {
                write!(f, "block {height} has the checksum {found:016x}, the core says {said:016x}")
            }
            Self::Unbalanced { height, what, said, found } => {
                write!(f, "after block {height} the store has {what} of {found}, the core says {said}")
            }
            Self::Positions { height, market, net } => {
                write!(f, "after block {height} the positions in market {market} add up to {net}, expected 0")
            }
        }?;
        write!(f, "; look for what writes between the core and the bus, and start again")
    }
}

impl Error for StoreError {}
