//! How a ring is: in a word, and as the code that a health check ends with.

use std::process::ExitCode;

use ringbus::End;
use ringbus::shared::Liveness;

/// How a ring is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Its producer runs.
    Alive,
    /// It ended as it should.
    Ended(&'static str),
    /// Its producer runs, and has given no sign of life.
    Stalled,
    /// Its producer is gone, and had not closed it.
    Dead,
    /// It ended by a failure.
    Failed(&'static str),
}

impl Health {
    /// By what is known of its producer.
    pub(crate) fn of(liveness: &Liveness) -> Self {
        match liveness {
            Liveness::Alive => Self::Alive,
            Liveness::Stalled { .. } => Self::Stalled,
            Liveness::Dead | Liveness::Closed(End::ProducerDied) => Self::Dead,
            Liveness::Closed(End::Closed) => Self::Ended("closed"),
            Liveness::Closed(End::Stopped) => Self::Ended("stopped"),
            Liveness::Closed(End::Poisoned(_)) => Self::Failed("poisoned"),
            Liveness::Closed(End::Damaged) => Self::Failed("damaged"),
            Liveness::Closed(_) => Self::Failed("failed"),
        }
    }

    /// What it is if so many events per second were seen meanwhile: who publishes has not stalled, whatever else it says.
    pub(crate) fn at_rate(self, rate: f64) -> Self {
        if self == Self::Stalled && rate > 0.0 { Self::Alive } else { self }
    }

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Stalled => "stalled",
            Self::Dead => "dead",
            Self::Ended(word) | Self::Failed(word) => word,
        }
    }

    /// What a check ends with. (1 and 2 are taken: something else failed, it was called wrongly.)
    pub(crate) fn code(self) -> ExitCode {
        match self {
            Self::Alive | Self::Ended(_) => ExitCode::SUCCESS,
            Self::Stalled => ExitCode::from(3),
            Self::Dead => ExitCode::from(4),
            Self::Failed(_) => ExitCode::from(5),
        }
    }

    /// Whether nothing more will come of this ring.
    pub(crate) fn is_over(self) -> bool {
        !matches!(self, Self::Alive | Self::Stalled)
    }
}
