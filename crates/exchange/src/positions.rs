//! Following the trades, away from the core.

use std::fmt;

use crate::core::Core;
use crate::event::Event;
use crate::kind::Kind;
use crate::ledger::Ledger;
use crate::payload::Payload;
use crate::position::Position;
use crate::settings::{Settings, SettingsError};
use crate::units::{AccountId, Amount, Decimal, MarketId};

/// Positions and balances, recomputed from [`Trade`](Kind::Trade) events alone.
///
/// Whoever has seen every trade once, in order, has what the core has; [`diff`](Self::diff) tells. It uses the core's
/// arithmetic, so what it checks is the way that the events took.
///
/// ```
/// use exchange::{Core, OrderFlow, Positions, Settings};
///
/// let settings = Settings::default();
/// let (mut core, mut positions) = (Core::new(&settings)?, Positions::new(&settings)?);
/// let mut events = Vec::new();
/// core.begin_block(&mut events);
/// for transaction in OrderFlow::new(7, &settings)?.take(100) {
///     core.execute(&transaction, &mut events);
/// }
/// core.end_block(&mut events);
///
/// assert!(!positions.diff(&core).is_empty());
/// events.iter().for_each(|event| positions.apply(event));
/// assert_eq!(positions.diff(&core), []);
/// # Ok::<(), exchange::SettingsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Positions {
    ledger: Ledger,
}

impl Positions {
    /// What accounts have before the first trade.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { ledger: Ledger::new(settings) })
    }

    /// Settles the event if it is a trade; passes over it if not.
    ///
    /// # Panics
    ///
    /// The trade is of a market or an account that the settings do not have.
    #[inline]
    pub fn apply(&mut self, event: &Event) {
        if event.kind() == Kind::Trade
            && let Payload::Trade(trade) = event.payload()
        {
            self.ledger.settle(&trade);
        }
    }

    /// The balance of an account, in units of 1/[`SCALE`](crate::SCALE).
    ///
    /// # Panics
    ///
    /// There is no such account.
    #[must_use]
    pub fn balance(&self, account: AccountId) -> Amount {
        self.ledger.balance(account)
    }

    /// The positions of an account, by market.
    ///
    /// # Panics
    ///
    /// There is no such account.
    #[must_use]
    pub fn positions(&self, account: AccountId) -> &[Position] {
        self.ledger.positions(account)
    }

    /// The fees taken so far, in units of 1/[`SCALE`](crate::SCALE).
    #[must_use]
    pub fn fees(&self) -> Amount {
        self.ledger.fees()
    }

    /// Everything that is not as in the core; empty if nothing is missing.
    ///
    /// # Panics
    ///
    /// The core has other settings: fewer accounts or markets.
    #[must_use]
    pub fn diff(&self, core: &Core) -> Vec<Difference> {
        let (ours, cores) = (&self.ledger, core.ledger());
        let mut differences = Vec::new();
        for account in ours.accounts() {
            let (trades, core) = (ours.balance(account), cores.balance(account));
            if trades != core {
                differences.push(Difference::Balance { account, trades, core });
            }
            for ((market, &trades), &core) in (0..).zip(ours.positions(account)).zip(cores.positions(account))
            {
                if trades != core {
                    differences.push(Difference::Position { account, market, trades, core });
                }
            }
        }
        let (trades, core) = (ours.fees(), cores.fees());
        if trades != core {
            differences.push(Difference::Fees { trades, core });
        }
        differences
    }
}

/// Something that the trades gave otherwise than the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A balance.
    Balance {
        /// Whose.
        account: AccountId,
        /// What the trades gave.
        trades: Amount,
        /// What the core has.
        core: Amount,
    },
    /// A position.
    Position {
        /// Whose.
        account: AccountId,
        /// In which market.
        market: MarketId,
        /// What the trades gave.
        trades: Position,
        /// What the core has.
        core: Position,
    },
    /// The fees taken.
    Fees {
        /// What the trades gave.
        trades: Amount,
        /// What the core has.
        core: Amount,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Balance { account, trades, core } => {
                let (trades, core) = (Decimal(*trades), Decimal(*core));
                write!(f, "balance of account {account}: {trades} by the trades, {core} in the core")
            }
            Self::Position { account, market, trades, core } => write!(
                f,
                "position of account {account} in market {market}: {} at a cost of {} by the trades, {} at a cost of \
                 {} in the core",
                trades.net,
                Decimal(trades.cost),
                core.net,
                Decimal(core.cost)
            ),
            Self::Fees { trades, core } => {
                write!(f, "fees: {} by the trades, {} in the core", Decimal(*trades), Decimal(*core))
            }
        }
    }
}
