//! What a run is made of.

use std::error::Error;
use std::fmt;
use std::num::NonZero;
use std::time::Duration;

use super::wait::Wait;
use crate::rules::MAX_EVENTS;
use crate::settings::Settings;
use crate::units::{MAX_ACCOUNTS, MAX_MARKETS};

/// The threads of a run, in the order in which cores are given for them.
pub const THREADS: [&str; 6] = ["core", "journal", "position keeper", "block store", "monitor", "audit"];

/// The smallest ring that takes a whole transaction in a batch.
pub const LEAST_CAPACITY: usize = (4 * MAX_EVENTS).next_power_of_two();

/// The most transactions in a block, so that its events can be counted in 32 bits.
const MAX_TRANSACTIONS: u32 = 1_000_000;

/// The longest time that the monitor takes for an event: it gets some hundreds at once, and must come to an end.
const MAX_MONITOR_DELAY: Duration = Duration::from_millis(10);

/// When a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// At the end of the block in which this time has passed; above 0.
    Time(Duration),
    /// After so many blocks: at least 1. Two runs with the same seed end in the same state then.
    Blocks(u64),
}

/// What a run is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSettings {
    /// When it is over.
    pub length: Length,
    /// How many transactions each block has: 1 to 1,000,000.
    pub transactions_per_block: u32,
    /// How many markets there are: 1 to [`MAX_MARKETS`].
    pub markets: usize,
    /// How many accounts there are: 1 to [`MAX_ACCOUNTS`].
    pub accounts: u32,
    /// What the order flow grows from.
    pub seed: u64,
    /// Slots of the ring: a power of two of at least [`LEAST_CAPACITY`].
    pub capacity: usize,
    /// The cores to pin threads to, in the order of [`THREADS`]. Where there are fewer, the other threads run wherever
    /// the operating system puts them.
    pub pin: Vec<usize>,
    /// How all threads wait.
    pub wait: Wait,
    /// Latency is measured for one event in so many.
    pub sample: NonZero<u64>,
    /// How long the monitor takes for an event: at most 10 milliseconds.
    pub monitor_delay: Duration,
    /// Whether the core waits for the journal after each block, and not at the end alone.
    pub durable: bool,
}

impl Default for RunSettings {
    /// Five seconds of four markets.
    fn default() -> Self {
        Self {
            length: Length::Time(Duration::from_secs(5)),
            transactions_per_block: 100,
            markets: 4,
            accounts: 64,
            seed: 1,
            capacity: 1 << 16,
            pin: Vec::new(),
            wait: Wait::default(),
            sample: NonZero::new(1_024).expect("is not 0"),
            monitor_delay: Duration::from_micros(10),
            durable: false,
        }
    }
}

impl RunSettings {
    /// What the core starts from. The default start prices come round where there are more markets than prices.
    #[must_use]
    pub fn core(&self) -> Settings {
        let usual = Settings::default();
        let start_prices = usual.start_prices.iter().copied().cycle().take(self.markets).collect();
        Settings { start_prices, accounts: self.accounts, ..usual }
    }

    /// Whether the settings are sound.
    ///
    /// # Errors
    ///
    /// [`RunSettingsError`] that names the first that is not.
    pub fn check(&self) -> Result<(), RunSettingsError> {
        let in_range = |what, found: u64, least: u64, most: u64| {
            if (least..=most).contains(&found) {
                Ok(())
            } else {
                Err(RunSettingsError::OutOfRange { what, found, least, most })
            }
        };
        match self.length {
            Length::Time(Duration::ZERO) => return Err(RunSettingsError::NoTime),
            Length::Time(_) => {}
            Length::Blocks(blocks) => in_range("the number of blocks", blocks, 1, u64::MAX)?,
        }
        let transactions = u64::from(self.transactions_per_block);
        in_range("the number of transactions per block", transactions, 1, MAX_TRANSACTIONS.into())?;
        in_range("the number of markets", self.markets as u64, 1, MAX_MARKETS as u64)?;
        in_range("the number of accounts", self.accounts.into(), 1, MAX_ACCOUNTS.into())?;
        if !self.capacity.is_power_of_two() || self.capacity < LEAST_CAPACITY {
            return Err(RunSettingsError::Capacity { capacity: self.capacity });
        }
        in_range("the number of cores to pin to", self.pin.len() as u64, 0, THREADS.len() as u64)?;
        let (delay, most) = (self.monitor_delay.as_micros() as u64, MAX_MONITOR_DELAY.as_micros() as u64);
        in_range("the monitor's time for an event, in microseconds,", delay, 0, most)
    }
}

/// A setting that is not sound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunSettingsError {
    /// A number is out of its range.
    OutOfRange {
        /// Which.
        what: &'static str,
        /// What it is.
        found: u64,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// The ring's capacity is not a power of two, or too small.
    Capacity {
        /// What it is.
        capacity: usize,
    },
    /// The run is to end before it begins.
    NoTime,
}

impl fmt::Display for RunSettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { what, found, least, most: u64::MAX } => {
                write!(f, "{what} is {found}, expected at least {least}: change it in the settings")
            }
            Self::OutOfRange { what, found, least, most } => {
                write!(f, "{what} is {found}, expected {least} to {most}: change it in the settings")
            }
            Self::Capacity { capacity } => {
                let nearest = capacity.checked_next_power_of_two().unwrap_or(1 << 20).max(LEAST_CAPACITY);
                write!(
                    f,
                    "the ring's capacity is {capacity}, expected a power of two of at least {LEAST_CAPACITY} (a \
                     transaction of {MAX_EVENTS} events must fit into a quarter of it): {nearest} would do"
                )
            }
            Self::NoTime => {
                write!(
                    f,
                    "the time to run for is 0 seconds, expected more than 0: give a time, or a number of blocks"
                )
            }
        }
    }
}

impl Error for RunSettingsError {}
