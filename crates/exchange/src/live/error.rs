//! Why a run failed.

use std::error::Error;
use std::fmt;

use ringbus::bus::WriteError;
use ringbus::worker::{NoSuchCore, Shutdown, SpawnError, WorkerError};
use ringbus::{BuildError, JoinError, ProgressError, StartError};

use super::settings::RunSettingsError;
use crate::positions::Difference;
use crate::settings::SettingsError;

/// Why a run failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// A setting of the run is not sound.
    Settings(RunSettingsError),
    /// A setting of the core is not sound.
    CoreSettings(SettingsError),
    /// The bus could not be built.
    Build(BuildError),
    /// A required consumer could not join.
    Join(JoinError),
    /// An optional consumer could not join.
    Start(StartError),
    /// A worker could not be started.
    Spawn(SpawnError),
    /// A thread of the run's own could not be pinned.
    NoSuchCore {
        /// Which thread.
        thread: &'static str,
        /// Which core, and which there are.
        source: NoSuchCore,
    },
    /// The core could not say something.
    Write(WriteError),
    /// The journal did not get where the core is.
    Journal(ProgressError),
    /// A worker failed.
    Worker(WorkerError),
    /// A worker ended before the stream did.
    Ended {
        /// Which.
        consumer: &'static str,
        /// Why.
        reason: Shutdown,
    },
    /// At the end, something is not as it should be.
    Disagreement(Disagreement),
}

/// Numbers that should agree, and do not. Each would be an error in the bus, or in how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disagreement {
    /// A consumer does not account for what was published.
    Account {
        /// Which.
        consumer: &'static str,
        /// How many events were handled.
        delivered: u64,
        /// How many were lost.
        missed: u64,
        /// How many passed in pauses.
        let_pass: u64,
        /// How many were published.
        published: u64,
    },
    /// A consumer's own count is not the ring's.
    Count {
        /// Which.
        consumer: &'static str,
        /// What was counted.
        what: &'static str,
        /// By the consumer.
        own: u64,
        /// By the ring or the core.
        expected: u64,
    },
    /// The position keeper has other positions than the core.
    Positions(Vec<Difference>),
    /// The block store has another state than the core.
    Store {
        /// The last block it has, 0 if none.
        stored: u64,
        /// The core's last block.
        core: u64,
    },
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account { consumer, delivered, missed, let_pass, published } => write!(
                f,
                "the accounts do not balance: {consumer} has {delivered} events delivered, {missed} missed and \
                 {let_pass} let pass, expected {published} together"
            ),
            Self::Count { consumer, what, own, expected } => {
                write!(f, "{consumer} has counted {own} {what}, expected {expected}")
            }
            Self::Positions(differences) => {
                write!(
                    f,
                    "the position keeper does not have what the core has, in {} places",
                    differences.len()
                )?;
                differences.first().map_or(Ok(()), |first| write!(f, ", first: {first}"))
            }
            Self::Store { stored, core } => write!(
                f,
                "the block store, at block {stored}, does not have the state of the core, at block {core}"
            ),
        }?;
        write!(f, "; look for the error before you trust a number of this run")
    }
}

impl Error for Disagreement {}

impl RunError {
    fn inner(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Settings(error) => Some(error),
            Self::CoreSettings(error) => Some(error),
            Self::Build(error) => Some(error),
            Self::Join(error) => Some(error),
            Self::Start(error) => Some(error),
            Self::Spawn(error) => Some(error),
            Self::Write(error) => Some(error),
            Self::Journal(error) => Some(error),
            Self::Worker(error) => Some(error),
            Self::Disagreement(error) => Some(error),
            Self::NoSuchCore { source, .. } => Some(source),
            Self::Ended { .. } => None,
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCore { thread, source } => write!(f, "the thread of the {thread} {source}"),
            Self::Ended { consumer, reason } => {
                write!(f, "{consumer} ended before the stream did: {reason}; mend that, and start again")
            }
            Self::Journal(error) => write!(f, "the last blocks are not final: {error}"),
            other => other.inner().map_or(Ok(()), |error| write!(f, "{error}")),
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // Shown in full already, save for what stands behind it.
        self.inner().and_then(Error::source)
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),* $(,)?) => {
        $(impl From<$error> for RunError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    RunSettingsError => Settings,
    SettingsError => CoreSettings,
    BuildError => Build,
    JoinError => Join,
    StartError => Start,
    SpawnError => Spawn,
    WriteError => Write,
    ProgressError => Journal,
    WorkerError => Worker,
    Disagreement => Disagreement,
}
