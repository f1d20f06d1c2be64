//! What a look at a ring finds. The screen is drawn of nothing else, so that tests can make it up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ringbus::Sequence;
use ringbus::shared::Liveness;
use ringbus::stats::{ConsumerKind, ConsumerState, Waits};

/// What does not change as long as a ring lives.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) stream: Option<String>,
    pub(crate) epoch: String,
    pub(crate) process_id: u32,
    pub(crate) capacity: u64,
    /// What its schema calls the kinds.
    pub(crate) kind_names: BTreeMap<u16, String>,
    /// Why its events are not counted by kind, if they are not.
    pub(crate) uncounted: Option<String>,
}

/// What a look has found.
#[derive(Debug)]
pub(crate) enum Look {
    /// The ring that was there before.
    Same(Sample),
    /// Another one.
    Restarted(Facts, Sample),
}

/// What changes.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) taken_at: Instant,
    /// How long ago the ring was built.
    pub(crate) age: Duration,
    pub(crate) cursor: Sequence,
    pub(crate) liveness: Liveness,
    /// Whether its path names nothing any more.
    pub(crate) is_gone: bool,
    pub(crate) report: Option<Reported>,
    pub(crate) kinds: Option<KindCounts>,
}

/// What the core's process last wrote of its consumers.
#[derive(Clone, Debug)]
pub(crate) struct Reported {
    /// When it wrote that.
    pub(crate) written_at: Instant,
    pub(crate) waits: Waits,
    pub(crate) refused: u64,
    pub(crate) consumers: Vec<Consumer>,
    /// How many consumers found no place in it.
    pub(crate) left_out: u64,
}

/// A consumer in the core's process.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    pub(crate) name: String,
    pub(crate) kind: ConsumerKind,
    pub(crate) state: ConsumerState,
    pub(crate) joined_at: Sequence,
    pub(crate) delivered: u64,
    pub(crate) missed: u64,
    pub(crate) lag: u64,
    pub(crate) waits: Waits,
    pub(crate) latency: Option<Latency>,
}

impl Consumer {
    /// Whether they are one consumer, seen at two times.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        (&self.name, self.kind, self.joined_at) == (&other.name, other.kind, other.joined_at)
    }
}

/// Of a consumer's sampled times from publish to acknowledge, the half of which is below `p50`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// What was counted by reading events, since that began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KindCounts {
    /// Events, by the number of their kind.
    pub(crate) by_kind: BTreeMap<u16, u64>,
    /// Sequences that were read.
    pub(crate) read: u64,
    /// Sequences that are known to have been overwritten before they could be.
    pub(crate) missed: u64,
    /// The first sequence of which it is not known yet.
    pub(crate) position: Sequence,
}
