//! Positions, away from the core.

use std::convert::Infallible;

use ringbus::worker::{Events, Handler};

use crate::event::Event;
use crate::kind::Kind;
use crate::positions::Positions;
use crate::settings::{Settings, SettingsError};

/// Recomputes positions, balances and fees from the trades alone.
///
/// It comes after the journal, so that it never knows of a trade that a restart would not bring back.
#[derive(Clone, Debug)]
pub struct PositionKeeper {
    positions: Positions,
    trades: u64,
}

impl PositionKeeper {
    /// Keeps the positions of a core of these settings.
    ///
    /// # Errors
    ///
    /// A setting is out of the range that [`Settings`] gives for it.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { positions: Positions::new(settings)?, trades: 0 })
    }

    /// What the trades so far make.
    #[must_use]
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// How many trades there were.
    #[must_use]
    pub fn trades(&self) -> u64 {
        self.trades
    }
}

impl Handler<Event> for PositionKeeper {
    type Error = Infallible;

    fn batch(&mut self, events: &mut Events<'_, Event>) -> Result<(), Infallible> {
        events.try_for_each(|event, _sequence, _end_of_batch| {
            if event.kind() == Kind::Trade {
                self.positions.apply(event);
                self.trades += 1;
            }
            Ok(())
        })
    }
}
