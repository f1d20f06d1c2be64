//! Positions, away from the core.

use std::convert::Infallible;

use ringbus::bus::{Filter, Payload, RecordRef, Subscriber};

use crate::events::{ClosedOut, Exchange, InsurancePaid, LiquidationFee, LossSocialised, ToppedUp, Trade};
use crate::positions::Positions;
use crate::settings::{Settings, SettingsError};

/// Recomputes positions, balances and fees from what moves them alone.
///
/// It comes after the journal, so that it never knows of a trade that a restart would not bring back.
#[derive(Clone, Debug)]
pub struct PositionKeeper {
    positions: Positions,
}

impl PositionKeeper {
    /// Keeps the positions of a core of these settings.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { positions: Positions::new(settings)? })
    }

    /// What it has to see.
    #[must_use]
    pub fn filter() -> Filter {
        Filter::kinds([
            Trade::KIND,
            ClosedOut::KIND,
            ToppedUp::KIND,
            LiquidationFee::KIND,
            InsurancePaid::KIND,
            LossSocialised::KIND,
        ])
    }

    /// What the events so far make.
    #[must_use]
    pub fn positions(&self) -> &Positions {
        &self.positions
    }
}

impl Subscriber for PositionKeeper {
    type Error = Infallible;

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        if let Some(event) = Exchange::of(&record) {
            self.positions.apply(event);
        }
        Ok(())
    }
}
