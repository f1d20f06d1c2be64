//! One measurement, as it stands in the file of raw results: one JSON object a line.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// From 0.
    pub(crate) round: u32,
    /// The workload's identifier, such as `one-to-one/single/65536`.
    pub(crate) workload: String,
    pub(crate) contender: String,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    /// How long a cache line took from core to core, one way, right before and right after, between the same two cores: which state
    /// the machine was in.
    pub(crate) hand_off_ns: Option<[f64; 2]>,
    /// How long the thread that waited longest for a core did so. `None`: the kernel does not tell.
    pub(crate) core_wait_seconds: Option<f64>,
    pub(crate) figures: Figures,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(crate) enum Figures {
    /// How fast all events got through.
    Throughput { events_per_second: f64 },
    /// How long events were under way, nanoseconds.
    Latency {
        p50: u64,
        p90: u64,
        p99: u64,
        p999: u64,
        max: u64,
        /// Events a second that were to be sent. `None`: one after the other.
        offered: Option<f64>,
        /// Events a second that were sent.
        sent: f64,
    },
    /// How fast the producer published past a consumer that may be overrun, and what that one got.
    Lossy {
        published_per_second: f64,
        received_per_second: f64,
        published: u64,
        received: u64,
        /// What the library said was lost. `None`: it does not say.
        missed: Option<u64>,
    },
}
