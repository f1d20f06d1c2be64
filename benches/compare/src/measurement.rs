//! What one measurement yields.

use serde::{Deserialize, Serialize};

/// Between the first event sent after the warm-up, and the last one handled.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) capacity: usize,
    pub(crate) event_bytes: usize,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    /// How long the thread that waited longer for a core did so. `None`: the kernel does not tell.
    pub(crate) core_wait_seconds: Option<f64>,
}

/// A measurement as it is written to the file of raw results.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    contender: &'static str,
    round: u32,
    #[serde(flatten)]
    measurement: Measurement,
    events_per_second: f64,
    disturbed: Option<bool>,
}

impl Measurement {
    /// The share of the time for which a thread may wait for a core.
    const TOLERATED_CORE_WAIT: f64 = 0.02;

    pub(crate) fn events_per_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }

    /// Whether a thread had no core for too long. `None`: unknown.
    pub(crate) fn disturbed(&self) -> Option<bool> {
        Some(self.core_wait_seconds? > Self::TOLERATED_CORE_WAIT * self.seconds)
    }

    pub(crate) fn in_round(self, contender: &'static str, round: u32) -> Line {
        Line {
            contender,
            round,
            measurement: self,
            events_per_second: self.events_per_second(),
            disturbed: self.disturbed(),
        }
    }
}
