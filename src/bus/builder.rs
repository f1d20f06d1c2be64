//! Settings of a bus that is about to be built.

#[cfg(feature = "latency")]
use std::num::NonZero;
use std::sync::Arc;

use super::record::Record;
use super::registry::Registry;
use super::schema::Schema;
use super::start_gate::StartGate;
use super::stream_id::StreamId;
use super::writer::Writer;
use super::{Bus, Shared};
use crate::error::BuildError;
use crate::parking::Parking;
use crate::ring::{Ring, RingBuilder};
use crate::sequence::Sequence;
use crate::wait::{BackOff, WaitStrategy};

/// Settings of a new bus: see [`Bus::builder`].
#[must_use = "there is no bus before `build` is called"]
#[derive(Debug)]
pub struct BusBuilder<const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    ring: RingBuilder<Record<PAYLOAD>, W>,
    stream: StreamId,
    schema: &'static Schema,
    starts_with: usize,
}

impl<const PAYLOAD: usize> BusBuilder<PAYLOAD> {
    pub(super) fn new(stream: StreamId) -> Self {
        const { Record::<PAYLOAD>::LAYOUT };
        let ring = Ring::builder().name(stream.as_str());
        Self { ring, stream, schema: Schema::bus(), starts_with: 0 }
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> BusBuilder<PAYLOAD, W> {
    /// How many slots the ring has: see [`RingBuilder::capacity`].
    pub fn capacity(mut self, slots: usize) -> Self {
        self.ring = self.ring.capacity(slots);
        self
    }

    /// The most slots that are published at once, and so the longest payload: see [`RingBuilder::max_batch`].
    pub fn max_batch(mut self, slots: usize) -> Self {
        self.ring = self.ring.max_batch(slots);
        self
    }

    /// The most required subscriptions at once: see [`RingBuilder::max_required`].
    pub fn max_required(mut self, subscriptions: usize) -> Self {
        self.ring = self.ring.max_required(subscriptions);
        self
    }

    /// The sequence of the first slot: a restarted core goes on where its journal ends.
    pub fn first_sequence(mut self, first: Sequence) -> Self {
        self.ring = self.ring.first_sequence(first);
        self
    }

    /// How those who park are woken: see [`RingBuilder::parking`].
    pub fn parking(mut self, parking: Parking) -> Self {
        self.ring = self.ring.parking(parking);
        self
    }

    /// Measures of one slot in `every` how long each required subscription took: see [`RingBuilder::sample_latency`].
    #[cfg(feature = "latency")]
    pub fn sample_latency(mut self, every: NonZero<u64>) -> Self {
        self.ring = self.ring.sample_latency(every);
        self
    }

    /// Places the bus in a file, at a path or as [`Shared`](crate::shared::Shared) says, so that other processes can look on: see
    /// [`shared`](crate::shared). The file says what stream it carries, and what the records look like.
    #[cfg(feature = "shared")]
    pub fn shared(mut self, at: impl Into<crate::shared::Shared>) -> Self {
        self.ring = self.ring.shared(at);
        self
    }

    /// How the writer waits for room; [`BackOff`] unless set.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> BusBuilder<PAYLOAD, V> {
        let Self { ring, stream, schema, starts_with } = self;
        BusBuilder { ring: ring.wait(wait), stream, schema, starts_with }
    }

    /// What the core's records look like, for those who print or keep them: the `schema()` of its [`events!`](crate::events). Unless set,
    /// only the bus's own kinds are described.
    pub fn schema(mut self, schema: &'static Schema) -> Self {
        self.schema = schema;
        self
    }

    /// The writer's first block waits until so many subscriptions are there, or nobody can subscribe any more; 0 unless set. What is
    /// emitted before somebody subscribes is not for them.
    pub fn starts_with(mut self, subscriptions: usize) -> Self {
        self.starts_with = subscriptions;
        self
    }

    /// Builds the bus: its one writer, and the handle to subscribe by.
    ///
    /// # Errors
    ///
    /// As for [`RingBuilder::build`].
    pub fn build(self) -> Result<(Writer<PAYLOAD, W>, Bus<PAYLOAD>), BuildError> {
        let Self { ring, stream, schema, starts_with } = self;
        #[cfg(feature = "shared")]
        let ring = ring.of_bus(PAYLOAD, schema);
        let (producer, ring) = ring.build()?;
        let registry = Arc::new(Registry::new(stream.clone()));
        let gate = StartGate::new(Arc::clone(&registry), Arc::clone(&ring.core), starts_with);
        let writer = Writer::new(producer, gate, stream.clone());
        Ok((writer, Bus { shared: Arc::new(Shared { ring, registry, stream, schema }) }))
    }
}
