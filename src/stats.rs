//! What a ring is doing, read from any thread without touching the hot path.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::End;
use crate::gate::{NOT_GATING, Occupied};
use crate::member::{Listener, Member};
use crate::ring::Core;
use crate::sequence::Sequence;
#[cfg(feature = "latency")]
use crate::sync::lock;
use crate::sync::proven;
pub use crate::waits::Waits;
/// The type of the sampled latencies, from the crate `hdrhistogram`.
#[cfg(feature = "latency")]
pub use hdrhistogram::Histogram;

/// A snapshot of a ring and its consumers: [`Ring::stats`](crate::Ring::stats).
///
/// Positions are read before the cursor, and no required consumer joins, pauses or leaves meanwhile, so for each consumer in it `delivered + missed + let_pass + lag == cursor - joined_at`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// When it was taken.
    pub taken_at: Instant,
    /// The ring's name.
    pub ring: Arc<str>,
    /// How many slots the ring has.
    pub capacity: usize,
    /// The sequence of the first event there ever was on this ring.
    pub first_sequence: Sequence,
    /// The sequence that the next event will have.
    pub cursor: Sequence,
    /// How long ago the ring was built.
    pub age: Duration,
    /// How the stream ended, if it did.
    pub end: Option<End>,
    /// The producer's waits for room, by whatever consumer. A wait counts when it is over.
    pub waits: Waits,
    /// How many times a call that does not wait, or no longer, found no room
    /// ([`PublishError::Full`](crate::PublishError::Full)).
    pub refused: u64,
    /// The consumers: the required ones by place, then the optional ones in the order in which they joined.
    pub consumers: Vec<ConsumerStats>,
}

/// Whether the producer waits for a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsumerKind {
    /// It does.
    Required,
    /// It does not.
    Optional,
}

impl fmt::Display for ConsumerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "required",
            Self::Optional => "optional",
        })
    }
}

/// What a consumer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConsumerState {
    /// It reads, or could.
    Running,
    /// It lets events pass.
    Paused,
    /// It has failed; its place is held for good.
    Failed,
}

impl fmt::Display for ConsumerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Failed => "failed",
        })
    }
}

/// One consumer in a [`Stats`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConsumerStats {
    /// The name it joined with.
    pub name: Arc<str>,
    /// Required or optional.
    pub kind: ConsumerKind,
    /// What it is doing.
    pub state: ConsumerState,
    /// The first sequence it gets.
    pub joined_at: Sequence,
    /// The first sequence it has not acknowledged, or reads next. While it is paused: where it stood when the pause began.
    pub position: Sequence,
    /// How many events it has acknowledged, or was given.
    pub delivered: u64,
    /// How many events it has lost: always 0 for a required consumer.
    pub missed: u64,
    /// How many events have passed it while it was paused, the present pause included.
    pub let_pass: u64,
    /// How many events are published and none of these. It may be more than the ring holds: the cursor is read after the
    /// positions, and an optional consumer counts what is overwritten as missed only when it comes there.
    pub lag: u64,
    /// The producer's waits that began while this consumer was the slowest.
    pub waits: Waits,
    /// Nanoseconds from when the producer had room for an event to its acknowledgement by this consumer, sampled: see
    /// [`RingBuilder::sample_latency`](crate::RingBuilder::sample_latency).
    #[cfg(feature = "latency")]
    pub latency: Option<Histogram<u64>>,
}

impl ConsumerStats {
    /// Of a consumer that has not left, on its own thread, which sees at least the cursor that it has read up to.
    pub(crate) fn of_required(core: &Core, member: &Member) -> Self {
        let mut found = None;
        core.gates.look_on(&core.waits, |occupied| {
            if std::ptr::eq(occupied.owner, member) {
                found = Some(Found::required(&occupied));
            }
        });
        found.expect("a consumer that has not left has a place").at(core.cursor.observe().count)
    }

    /// The same.
    pub(crate) fn of_optional(core: &Core, listener: &Listener) -> Self {
        Found::optional(listener).at(core.cursor.observe().count)
    }
}

impl Stats {
    /// How many events have been published since the ring was built.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.cursor.since(self.first_sequence)
    }

    /// Events published for each second between an earlier snapshot of the same ring and this one; 0 if no time passed.
    ///
    /// For the average over the ring's life, compare with nothing: [`average_rate`](Self::average_rate).
    #[must_use]
    pub fn rate_since(&self, earlier: &Self) -> f64 {
        per_second(
            self.cursor.get().saturating_sub(earlier.cursor.get()),
            self.taken_at.saturating_duration_since(earlier.taken_at),
        )
    }

    /// Events published for each second since the ring was built.
    #[must_use]
    pub fn average_rate(&self) -> f64 {
        per_second(self.published(), self.age)
    }

    /// The consumer that the producer waits for when the ring is full: of those that gate, the one furthest behind.
    #[must_use]
    pub fn gated_by(&self) -> Option<&ConsumerStats> {
        let gates = |consumer: &&ConsumerStats| {
            consumer.kind == ConsumerKind::Required && consumer.state != ConsumerState::Paused
        };
        self.consumers.iter().filter(gates).min_by_key(|consumer| consumer.position)
    }

    /// The first consumer with this name.
    #[must_use]
    pub fn consumer(&self, name: &str) -> Option<&ConsumerStats> {
        self.consumers.iter().find(|consumer| &*consumer.name == name)
    }

    pub(crate) fn of(core: &Core) -> Self {
        let mut found: Vec<Found> = Vec::new();
        core.gates.look_on(&core.waits, |occupied| found.push(Found::required(&occupied)));
        core.listeners.look_on(|listener| found.push(Found::optional(listener)));
        let observed = core.cursor.observe();
        let cursor = found.iter().fold(observed.count, |cursor, found| found.raise(cursor));
        let waits = core.waits.all();
        Self {
            taken_at: Instant::now(),
            ring: Arc::clone(&core.name),
            capacity: core.capacity as usize,
            first_sequence: Sequence::new(core.first_sequence),
            cursor: Sequence::new(cursor),
            age: core.built_at.elapsed(),
            end: observed.closed.then(|| core.attention.end()),
            waits,
            refused: core.waits.refused(),
            consumers: found.into_iter().map(|found| found.at(cursor)).collect(),
        }
    }
}

fn per_second(events: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { events as f64 / time.as_secs_f64() }
}

/// What was found of a consumer, before the cursor is known.
struct Found {
    name: Arc<str>,
    kind: ConsumerKind,
    state: ConsumerState,
    joined_at: u64,
    missed: u64,
    /// In pauses that are over.
    let_pass: u64,
    delivered: u64,
    waits: Waits,
    #[cfg(feature = "latency")]
    latency: Option<Histogram<u64>>,
}

impl Found {
    fn required(&Occupied { owner, gate, waits }: &Occupied<'_>) -> Self {
        let pauses = owner.pauses();
        let (state, position) = match owner.departure() {
            Some(departure) => (ConsumerState::Failed, departure.position),
            None if gate == NOT_GATING => (ConsumerState::Paused, pauses.last_began_at()),
            None => (ConsumerState::Running, gate),
        };
        Self {
            name: Arc::clone(&owner.name),
            kind: ConsumerKind::Required,
            state,
            joined_at: owner.joined_at(),
            missed: 0,
            let_pass: pauses.let_pass(),
            delivered: position - owner.joined_at() - pauses.let_pass(),
            waits,
            #[cfg(feature = "latency")]
            latency: owner.latency.as_ref().map(|latency| lock(latency).clone()),
        }
    }

    fn optional(listener: &Listener) -> Self {
        let tally = &*listener.tally;
        let state = if tally.is_paused.get() == 0 { ConsumerState::Running } else { ConsumerState::Paused };
        Self {
            name: Arc::clone(&listener.name),
            kind: ConsumerKind::Optional,
            state,
            joined_at: listener.joined_at,
            missed: tally.missed.get(),
            let_pass: tally.let_pass.get(),
            delivered: tally.delivered.get(),
            waits: Waits::default(),
            #[cfg(feature = "latency")]
            latency: None,
        }
    }

    fn position(&self) -> u64 {
        self.joined_at + self.delivered + self.missed + self.let_pass
    }

    /// A cursor that is not before this consumer, from one that was seen: positions are read without an ordering, so that the
    /// cursor that a consumer has seen may not be seen here yet.
    fn raise(&self, cursor: u64) -> u64 {
        proven!(cursor.max(self.position()), "cursor-behind-a-position" => cursor)
    }

    fn at(self, cursor: u64) -> ConsumerStats {
        let position = self.position();
        let behind = cursor - position;
        let (let_pass, lag) = match self.state {
            ConsumerState::Paused => (self.let_pass + behind, 0),
            _ => (self.let_pass, behind),
        };
        ConsumerStats {
            name: self.name,
            kind: self.kind,
            state: self.state,
            joined_at: Sequence::new(self.joined_at),
            position: Sequence::new(position),
            delivered: self.delivered,
            missed: self.missed,
            let_pass,
            lag,
            waits: self.waits,
            #[cfg(feature = "latency")]
            latency: self.latency,
        }
    }
}
