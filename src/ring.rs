//! The ring, its builder, and the handles it gives out.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::attention::Attention;
use crate::cursor::Cursor;
use crate::error::{BuildError, End};
use crate::event::{Event, assert_layout};
use crate::gate::GateTable;
use crate::optional::OptionalBuilder;
use crate::producer::Producer;
use crate::required::RequiredBuilder;
use crate::sequence::{MAX_FIRST_SEQUENCE, Sequence};
use crate::storage::Slots;
use crate::sync::proven;
use crate::wait::{BackOff, WaitStrategy};

/// What all handles of a ring share, apart from the slots. Handles keep the addresses of its parts by value.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) name: Arc<str>,
    pub(crate) capacity: u64,
    pub(crate) max_batch: usize,
    pub(crate) first_sequence: u64,
    pub(crate) cursor: Cursor,
    pub(crate) gates: GateTable,
    pub(crate) attention: Attention,
}

impl Core {
    /// Ends the stream, unless it has ended. For the producer alone.
    pub(crate) fn close(&self, end: &End) {
        let observed = self.cursor.glance();
        if !observed.closed {
            proven!(self.attention.set_end(end), "end-said-after-close" => ());
            self.cursor.close(observed.count);
            proven!((), "end-said-after-close" => self.attention.set_end(end));
        }
    }
}

/// Settings of a ring that is about to be built: see [`Ring::builder`].
#[derive(Debug)]
#[must_use = "nothing is built before `build` is called"]
pub struct RingBuilder<E: Event, W: WaitStrategy = BackOff> {
    name: Arc<str>,
    capacity: usize,
    max_batch: Option<usize>,
    max_required: usize,
    first_sequence: Sequence,
    wait: W,
    event: PhantomData<fn() -> E>,
}

impl<E: Event, W: WaitStrategy> RingBuilder<E, W> {
    /// The most required consumers any ring can have.
    const MOST_REQUIRED: usize = 4_096;

    /// The ring's name, for errors and statistics; `"ring"` unless set.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// How many slots the ring has: a power of two, at least 4; 1,024 unless set. It takes `capacity * size_of::<E>()` bytes.
    pub fn capacity(mut self, slots: usize) -> Self {
        self.capacity = slots;
        self
    }

    /// The most events that one batch or claim can have: from 1 to a quarter of the capacity, which it is unless set.
    ///
    /// An optional consumer can read the last `capacity - max_batch` events: what is older may be being overwritten.
    pub fn max_batch(mut self, events: usize) -> Self {
        self.max_batch = Some(events);
        self
    }

    /// The most required consumers that can be there at once: at most 4,096; 32 unless set. The producer looks at so many
    /// gates once a lap, or when the ring is full.
    pub fn max_required(mut self, consumers: usize) -> Self {
        self.max_required = consumers;
        self
    }

    /// The sequence of the first event: at most [`MAX_FIRST_SEQUENCE`]; 0 unless set. A restarted core goes on
    /// where its journal ends.
    pub fn first_sequence(mut self, first: Sequence) -> Self {
        self.first_sequence = first;
        self
    }

    /// How the producer waits for room; [`BackOff`] unless set.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> RingBuilder<E, V> {
        let Self { name, capacity, max_batch, max_required, first_sequence, event, .. } = self;
        RingBuilder { name, capacity, max_batch, max_required, first_sequence, wait, event }
    }

    /// Builds the ring: its producer, and the handle that consumers join by.
    ///
    /// All memory is allocated now, and every page of it is written, so that the hot path meets neither the allocator nor a
    /// page fault. On a machine with several NUMA nodes the memory therefore lies on the node of the thread that calls
    /// this: call it on a thread that is pinned to the node where the producer will run. Transparent huge pages are asked
    /// for where the platform has them and the ring is at least 2 MiB.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] that names the setting, its value and the rule. An operating system that promises more memory than it
    /// has may end the process instead of refusing.
    ///
    /// ```
    /// use ringbus::{BuildError, Ring};
    ///
    /// let error = Ring::<u64>::builder().capacity(1000).build().unwrap_err();
    /// assert_eq!(error, BuildError::Capacity { capacity: 1000 });
    /// assert_eq!(error.to_string(), "capacity 1000 is not a power of two of at least 4; 1024 would do");
    /// ```
    pub fn build(self) -> Result<(Producer<E, W>, Ring<E>), BuildError> {
        let Self { capacity, max_required, first_sequence, .. } = self;
        if capacity < 4 || !capacity.is_power_of_two() {
            return Err(BuildError::Capacity { capacity });
        }
        let max_batch = self.max_batch.unwrap_or(capacity / 4);
        if max_batch == 0 || max_batch > capacity / 4 {
            return Err(BuildError::MaxBatch { max_batch, capacity });
        }
        if max_required > Self::MOST_REQUIRED {
            return Err(BuildError::MaxRequired { max_required, most: Self::MOST_REQUIRED });
        }
        if first_sequence.get() > MAX_FIRST_SEQUENCE {
            return Err(BuildError::FirstSequence { first_sequence });
        }
        self.build_unchecked(max_batch)
    }

    /// A ring too small for the rules of [`build`](Self::build), for models: any power of two, any smaller max batch.
    #[cfg(loom)]
    #[doc(hidden)]
    pub fn build_model(self) -> Result<(Producer<E, W>, Ring<E>), BuildError> {
        let max_batch = self.max_batch.expect("a model says its max batch");
        assert!(self.capacity.is_power_of_two() && max_batch < self.capacity);
        self.build_unchecked(max_batch)
    }

    fn build_unchecked(self, max_batch: usize) -> Result<(Producer<E, W>, Ring<E>), BuildError> {
        let Self { name, capacity, max_required, first_sequence, wait, .. } = self;
        let Some((writer, slots)) = Slots::allocate(capacity, max_batch) else {
            return Err(BuildError::Memory { capacity, event_bytes: size_of::<E>() });
        };
        let core = Arc::new(Core {
            name,
            capacity: capacity as u64,
            max_batch,
            first_sequence: first_sequence.get(),
            cursor: Cursor::new(first_sequence.get()),
            gates: GateTable::new(max_required),
            attention: Attention::new(),
        });
        Ok((Producer::new(&core, writer, wait), Ring { core, slots }))
    }
}

/// A ring: consumers join by it. Clone it, and give it to whoever wants to listen.
///
/// It is made together with its one [`Producer`]. It keeps the memory alive, and does not keep the stream open: that ends with
/// the producer.
///
/// # Examples
///
/// ```
/// use ringbus::{End, ReadError, Ring};
///
/// let (mut producer, ring) = Ring::<u64>::builder().name("orders").capacity(1 << 12).build()?;
/// let mut journal = ring.required("journal").join()?;
/// let mut monitor = ring.optional("monitor").join()?;
///
/// producer.publish(&1)?;
/// producer.close()?;
///
/// journal.poll(|event, sequence, end_of_batch| println!("{sequence}: {event} {end_of_batch}"))?;
/// assert_eq!(journal.try_read().unwrap_err(), ReadError::Ended(End::Closed));
/// assert_eq!(monitor.recv()?.1, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ring<E: Event> {
    pub(crate) core: Arc<Core>,
    pub(crate) slots: Slots<E>,
}

impl<E: Event> Ring<E> {
    /// Settings for a new ring.
    pub fn builder() -> RingBuilder<E> {
        const { assert_layout::<E>() };
        RingBuilder {
            name: "ring".into(),
            capacity: 1_024,
            max_batch: None,
            max_required: 32,
            first_sequence: Sequence::default(),
            wait: BackOff::default(),
            event: PhantomData,
        }
    }

    /// Settings for a required consumer: the producer will wait for it. The name is for errors and statistics; two may have
    /// the same.
    pub fn required(&self, name: &str) -> RequiredBuilder<'_, E> {
        RequiredBuilder::new(self, name)
    }

    /// Settings for an optional consumer: the producer will not notice it. The name is for errors and statistics; two may have
    /// the same.
    pub fn optional(&self, name: &str) -> OptionalBuilder<'_, E> {
        OptionalBuilder::new(self, name)
    }

    /// The ring's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// How many slots there are.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.core.capacity as usize
    }

    /// The most events in one batch or claim.
    #[must_use]
    pub fn max_batch(&self) -> usize {
        self.core.max_batch
    }

    /// The most required consumers at once.
    #[must_use]
    pub fn max_required(&self) -> usize {
        self.core.gates.places()
    }

    /// The sequence of the first event there ever was on this ring.
    #[must_use]
    pub fn first_sequence(&self) -> Sequence {
        Sequence::new(self.core.first_sequence)
    }

    /// The end of what is published at this moment: the sequence that the next event will have.
    #[must_use]
    pub fn cursor(&self) -> Sequence {
        Sequence::new(self.core.cursor.observe().count)
    }

    /// The required consumer that is furthest behind at this moment, and the first sequence it has not acknowledged: the
    /// one that the producer waits for when the ring is full. A consumer that failed or was leaked stays in its place.
    /// `None`: there is no required consumer.
    ///
    /// For statistics and errors: it takes the lock that joining takes, and costs the producer nothing.
    ///
    /// ```
    /// use ringbus::{PublishError, Ring, Sequence};
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().capacity(4).build()?;
    /// let journal = ring.required("journal").join()?;
    /// (0..4).try_for_each(|event| producer.try_publish(&event).map(drop))?;
    /// assert_eq!(producer.try_publish(&4), Err(PublishError::Full { needed: 1 }));
    /// let (name, position) = ring.slowest().expect("the journal is required");
    /// assert_eq!((&*name, position), ("journal", Sequence::new(0)));
    /// # journal.leave();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn slowest(&self) -> Option<(Arc<str>, Sequence)> {
        self.core.gates.slowest().map(|(name, position)| (name, Sequence::new(position)))
    }

    /// How the stream ended; `None` while it is open. A closed ring may still hold events that consumers have not read.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.core.cursor.observe().closed.then(|| self.core.attention.end())
    }
}

impl<E: Event> Clone for Ring<E> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), slots: self.slots.clone() }
    }
}

impl<E: Event> fmt::Debug for Ring<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("name", &self.core.name)
            .field("capacity", &self.core.capacity)
            .field("cursor", &self.cursor())
            .field("end", &self.end())
            .finish_non_exhaustive()
    }
}
