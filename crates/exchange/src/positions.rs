//! Following the money, away from the core.

use std::fmt;

use crate::core::Core;
use crate::events::Exchange;
use crate::ledger::Ledger;
use crate::position::Position;
use crate::settings::{Settings, SettingsError};
use crate::units::{AccountId, Amount, MarketId, money};

/// Positions and balances, recomputed from what moves them alone: trades, positions closed out, and what is paid.
///
/// Whoever has seen each of those events once, in order, has what the core has; [`diff`](Self::diff) tells. It uses the
/// core's arithmetic, so what it checks is the way that the events took.
///
/// ```
/// use exchange::{Core, OrderFlow, Positions, Settings};
/// use exchange::events::{Exchange, Trade};
/// use ringbus::testing::Recorder;
///
/// let settings = Settings::default();
/// let (mut core, mut positions) = (Core::new(&settings)?, Positions::new(&settings)?);
/// let mut said = Recorder::new();
/// core.begin_block();
/// for transaction in OrderFlow::new(7, &settings)?.take(99) {
///     core.execute(&transaction, &mut said)?;
/// }
/// core.end_block(&mut said)?;
///
/// assert!(!positions.diff(&core).is_empty());
/// said.all::<Trade>().iter().for_each(|trade| positions.apply(Exchange::Trade(trade)));
/// assert_eq!(positions.diff(&core), []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Positions {
    ledger: Ledger,
}

impl Positions {
    /// What accounts have before the first event.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { ledger: Ledger::new(settings) })
    }

    /// Settles the event if it moves positions or money; passes over it if not.
    ///
    /// # Panics
    ///
    /// The event is about a market or an account that the settings do not have.
    #[inline]
    pub fn apply(&mut self, event: Exchange<'_>) {
        let ledger = &mut self.ledger;
        match event {
            Exchange::Trade(trade) => ledger.trade(trade),
            Exchange::ClosedOut(closed) => ledger.close_out(closed),
            Exchange::ToppedUp(paid) => ledger.top_up(paid),
            Exchange::LiquidationFee(fee) => ledger.liquidation_fee(fee),
            Exchange::InsurancePaid(paid) => ledger.insurance(paid),
            Exchange::LossSocialised(loss) => ledger.socialise(loss),
            _ => {}
        }
    }

    /// How many trades there were.
    #[must_use]
    pub fn trades(&self) -> u64 {
        self.ledger.trades()
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
        for account in ours.accounts().chain([ours.network()]) {
            let (events, core) = (ours.balance(account), cores.balance(account));
            if events != core {
                differences.push(Difference::Balance { account, events, core });
            }
            for ((market, &events), &core) in (0..).zip(ours.positions(account)).zip(cores.positions(account))
            {
                if events != core {
                    differences.push(Difference::Position { account, market, events, core });
                }
            }
        }
        for (what, events, core) in
            [(Total::Fees, ours.fees(), cores.fees()), (Total::Deposits, ours.deposits(), cores.deposits())]
        {
            if events != core {
                differences.push(Difference::Total { what, events, core });
            }
        }
        differences
    }
}

/// What is added up over all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// The fees taken.
    Fees,
    /// What everybody has paid in.
    Deposits,
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fees => "fees",
            Self::Deposits => "deposits",
        })
    }
}

/// Something that the events gave otherwise than the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A balance.
    Balance {
        /// Whose.
        account: AccountId,
        /// What the events gave.
        events: Amount,
        /// What the core has.
        core: Amount,
    },
    /// A position.
    Position {
        /// Whose.
        account: AccountId,
        /// In which market.
        market: MarketId,
        /// What the events gave.
        events: Position,
        /// What the core has.
        core: Position,
    },
    /// A sum.
    Total {
        /// Of what.
        what: Total,
        /// What the events gave.
        events: Amount,
        /// What the core has.
        core: Amount,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Balance { account, events, core } => {
                let (events, core) = (money(*events), money(*core));
                write!(f, "balance of account {account}: {events} by the events, {core} in the core")
            }
            Self::Position { account, market, events, core } => write!(
                f,
                "position of account {account} in market {market}: {} at a cost of {} by the events, {} at a cost of \
                 {} in the core",
                events.net,
                money(events.cost),
                core.net,
                money(core.cost)
            ),
            Self::Total { what, events, core } => {
                write!(f, "{what}: {} by the events, {} in the core", money(*events), money(*core))
            }
        }
    }
}
