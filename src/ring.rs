//! The ring, its builder, and the handles it gives out.

use std::fmt;
use std::marker::PhantomData;
#[cfg(feature = "latency")]
use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;

#[cfg(all(feature = "shared", not(loom)))]
use bytemuck::AnyBitPattern;
use crossbeam_utils::CachePadded;

use crate::attention::Attention;
use crate::cursor::{Cursor, Observed};
use crate::diagnostics;
use crate::error::{BuildError, End, GroupError, PublishError};
use crate::event::{Event, assert_layout};
use crate::gate::{GateTable, GatingSequence};
#[cfg(feature = "latency")]
use crate::latency::Stamps;
use crate::member::Listeners;
use crate::optional::OptionalBuilder;
use crate::parking::Parking;
use crate::producer::Producer;
use crate::region::Region;
use crate::required::RequiredBuilder;
use crate::sequence::{MAX_FIRST_SEQUENCE, Sequence};
#[cfg(feature = "shared")]
use crate::shared::{Placement, Shape, Wanted};
use crate::stats::Stats;
use crate::storage::Slots;
use crate::sync::proven;
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::waits::WaitAccounts;

/// What all handles of a ring share, apart from the slots. Handles keep the addresses of its parts by value.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) name: Arc<str>,
    pub(crate) capacity: u64,
    pub(crate) max_batch: usize,
    pub(crate) first_sequence: u64,
    pub(crate) cursor: CachePadded<Cursor>,
    pub(crate) gates: GateTable,
    pub(crate) attention: Attention,
    pub(crate) waits: WaitAccounts,
    pub(crate) listeners: Listeners,
    pub(crate) built_at: Instant,
    #[cfg(feature = "latency")]
    pub(crate) stamps: Option<Stamps>,
    /// What other processes see of it.
    #[cfg(feature = "shared")]
    pub(crate) placement: Option<Arc<Placement>>,
}

impl Core {
    /// Whether the stream has gone on or ended since the cursor stood at `seen`, or all are to stop. It orders nothing.
    #[inline(always)]
    pub(crate) fn has_news(&self, seen: u64) -> bool {
        self.cursor.glance() != Observed { count: seen, closed: false } || self.attention.is_stopped()
    }

    /// Ends the stream, unless it has ended. For the producer alone.
    pub(crate) fn close(&self, end: &End) {
        let observed = self.cursor.glance();
        if !observed.closed {
            proven!(self.attention.set_end(end), "end-said-after-close" => ());
            self.cursor.close(observed.count);
            proven!((), "end-said-after-close" => self.attention.set_end(end));
            #[cfg(feature = "shared")]
            if let Some(placement) = &self.placement {
                proven!(placement.set_end(end), "mirror-end-after-close" => ());
                placement.cursor().close(observed.count);
                proven!((), "mirror-end-after-close" => placement.set_end(end));
            }
            self.attention.wake_everybody();
            diagnostics::ended(&self.name, observed.count, end);
        }
    }

    /// Closes the ring if a required consumer has failed, or all are to stop, and says which; what closed it before stands. For
    /// the producer alone.
    #[cold]
    #[inline(never)]
    pub(crate) fn close_if_raised(&self) -> Result<(), PublishError> {
        let end = if self.cursor.glance().closed {
            self.attention.end()
        } else if let Some(end) = self.attention.decided() {
            end
        } else {
            return Ok(());
        };
        self.close(&end);
        match end {
            End::Poisoned(failure) => Err(PublishError::Poisoned(failure)),
            End::Stopped => Err(PublishError::Stopped),
            _ => Ok(()),
        }
    }
}

/// Memory for the slots of a ring, and what other processes see of it.
struct Placed {
    region: Region,
    #[cfg(feature = "shared")]
    placement: Option<Arc<Placement>>,
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
    parking: Parking,
    #[cfg(feature = "latency")]
    sample_latency: Option<NonZero<u64>>,
    #[cfg(feature = "shared")]
    shared: Wanted,
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

    /// How those who wait by [`Park`](crate::wait::Park) are woken; [`Parking::WhereFree`] unless set.
    pub fn parking(mut self, parking: Parking) -> Self {
        self.parking = parking;
        self
    }

    /// Measures, of one event in `every`, how long each required consumer took from when the producer had room for it to its
    /// acknowledgement: see [`ConsumerStats::latency`](crate::stats::ConsumerStats::latency). Off unless set.
    ///
    /// For each sample the producer and each consumer look at the clock once; other events cost what they cost without. A consumer
    /// may have to wait while a snapshot copies its histogram, after it has acknowledged. (A claim that is dropped, and made again, counts from the first time.)
    #[cfg(feature = "latency")]
    pub fn sample_latency(mut self, every: NonZero<u64>) -> Self {
        self.sample_latency = Some(every);
        self
    }

    /// Places the ring in a file, at a path or as [`Shared`](crate::shared::Shared) says, so that other processes can look on: see
    /// [`shared`](crate::shared). Its events must be such that any bytes are one (`AnyBitPattern`).
    ///
    /// ```
    /// use ringbus::Ring;
    /// use ringbus::shared::Observer;
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("orders");
    /// let (mut producer, _ring) = Ring::<u64>::builder().shared(&path).build()?;
    /// let mut observer = Observer::<u64>::attach(&path)?; // in any process
    /// producer.publish(&7)?;
    /// assert_eq!(observer.recv()?.1, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(all(feature = "shared", not(loom)))]
    pub fn shared(mut self, at: impl Into<crate::shared::Shared>) -> Self
    where
        E: AnyBitPattern,
    {
        self.shared.place_at(at.into());
        self
    }

    /// What a shared ring's file says of a bus: the bytes of payload in a slot, and the schema.
    #[cfg(all(feature = "shared", not(loom)))]
    pub(crate) fn of_bus(mut self, slot_payload: usize, schema: &'static crate::bus::schema::Schema) -> Self {
        self.shared.of_bus(slot_payload, schema);
        self
    }

    /// With a mirror of the cursor, for models.
    #[cfg(all(feature = "shared", loom))]
    #[doc(hidden)]
    pub fn mirrored(mut self) -> Self {
        self.shared = Wanted::Mirror;
        self
    }

    /// How the producer waits for room; [`BackOff`] unless set.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> RingBuilder<E, V> {
        RingBuilder {
            name: self.name,
            capacity: self.capacity,
            max_batch: self.max_batch,
            max_required: self.max_required,
            first_sequence: self.first_sequence,
            parking: self.parking,
            #[cfg(feature = "latency")]
            sample_latency: self.sample_latency,
            #[cfg(feature = "shared")]
            shared: self.shared,
            wait,
            event: self.event,
        }
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
        let placed = self.place(max_batch)?;
        let Self { name, capacity, max_required, first_sequence, parking, wait, .. } = self;
        let (writer, slots) = Slots::place(placed.region, capacity, max_batch);
        let core = Arc::new(Core {
            name,
            capacity: capacity as u64,
            max_batch,
            first_sequence: first_sequence.get(),
            cursor: CachePadded::new(Cursor::new(first_sequence.get())),
            gates: GateTable::new(max_required),
            attention: Attention::new(parking),
            waits: WaitAccounts::new(max_required),
            listeners: Listeners::new(),
            built_at: Instant::now(),
            #[cfg(feature = "latency")]
            stamps: self.sample_latency.map(|every| Stamps::new(every, capacity as u64)),
            #[cfg(feature = "shared")]
            placement: placed.placement,
        });
        let producer = Producer::new(&core, writer, wait);
        #[cfg(all(feature = "shared", not(loom)))]
        let producer = producer.with_reports(self.shared.start_reports(&core)?);
        Ok((producer, Ring { core, slots }))
    }

    /// The memory for the slots.
    fn place(&self, max_batch: usize) -> Result<Placed, BuildError> {
        let no_memory = BuildError::Memory { capacity: self.capacity, event_bytes: size_of::<E>() };
        let Some(bytes) = Slots::<E>::bytes(self.capacity) else { return Err(no_memory) };
        #[cfg(feature = "shared")]
        {
            let shape = Shape {
                name: &self.name,
                slot_bytes: size_of::<E>(),
                slot_align: align_of::<E>(),
                all_slots_bytes: bytes,
                capacity: self.capacity,
                max_batch,
                first_sequence: self.first_sequence.get(),
                max_required: self.max_required,
            };
            if let Some((region, placement)) = self.shared.place(&shape)? {
                return Ok(Placed { region, placement: Some(Arc::new(placement)) });
            }
        }
        let _ = max_batch;
        let region = Region::heap(bytes).ok_or(no_memory)?;
        Ok(Placed {
            region,
            #[cfg(feature = "shared")]
            placement: None,
        })
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
            parking: Parking::default(),
            #[cfg(feature = "latency")]
            sample_latency: None,
            #[cfg(feature = "shared")]
            shared: Wanted::default(),
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

    /// What the ring and its consumers are doing at this moment: positions, lags, losses, who holds the producer up and for how
    /// long.
    ///
    /// From any thread, at leisure: it takes the locks that joining and leaving take, allocates, and costs the producer and
    /// the consumers nothing but the cache lines that it reads (and, where latency is sampled, a consumer the copying of its
    /// histogram, if it has a sample to record just then).
    ///
    /// ```
    /// use ringbus::{PublishError, Ring, Sequence};
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().capacity(4).build()?;
    /// let journal = ring.required("journal").join()?;
    /// (0..4).try_for_each(|event| producer.try_publish(&event).map(drop))?;
    /// assert_eq!(producer.try_publish(&4), Err(PublishError::Full { needed: 1 }));
    ///
    /// let stats = ring.stats();
    /// assert_eq!((stats.cursor, stats.published(), stats.refused), (Sequence::new(4), 4, 1));
    /// let slowest = stats.gated_by().expect("the journal is required");
    /// assert_eq!((&*slowest.name, slowest.position, slowest.lag), ("journal", Sequence::new(0), 4));
    /// # journal.leave();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::of(&self.core)
    }

    /// Lets required consumers start at one sequence: the highest at which one of them joined, which it returns. The others give
    /// up what lies before it. Call it when all have joined and before any of them acknowledges; consumers that come after
    /// others start together with them.
    ///
    /// ```
    /// use ringbus::Ring;
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().build()?;
    /// let mut journal = ring.required("journal").join()?;
    /// producer.publish(&7)?; // the core runs already
    /// let mut store = ring.required("store").after(&[&journal]).join()?;
    /// let start = ring.start_together(&mut [&mut journal, &mut store])?;
    /// assert_eq!((start.get(), journal.joined_at(), store.joined_at()), (1, start, start));
    /// # store.leave();
    /// # journal.leave();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`GroupError`] if one of them reads another ring or has acknowledged something, or if a consumer that comes after one of
    /// them is not among them. Nothing has changed then.
    pub fn start_together(&self, group: &mut [&mut dyn GroupMember]) -> Result<Sequence, GroupError> {
        let mut gatings: Vec<&mut GatingSequence> =
            group.iter_mut().map(|member| member.gating(Token::CRATE)).collect();
        if let Some(stranger) = gatings.iter().find(|gating| !Arc::ptr_eq(gating.core(), &self.core)) {
            let consumer = Arc::clone(&stranger.member().name);
            return Err(GroupError::OtherRing { consumer, ring: Arc::clone(&self.core.name) });
        }
        GatingSequence::start_together(&self.core, &mut gatings).map(Sequence::new)
    }

    /// Asks all to stop: a producer that is blocked, or publishes next, gets [`PublishError::Stopped`] and closes the ring;
    /// consumers read what was published before, then get [`End::Stopped`], promptly also where the producer does nothing. For a
    /// handler of Ctrl-C, a supervisor, a test. It cannot be taken back.
    ///
    /// It is prompt, not orderly: see [`End::Stopped`]. To lose nothing, let the producer [`close`](Producer::close).
    ///
    /// ```
    /// use ringbus::{End, PublishError, Ring};
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().build()?;
    /// let mut journal = ring.required("journal").join()?;
    /// let waiting = std::thread::spawn(move || journal.read().map(|_| ()));
    /// ring.stop();
    /// assert_eq!(waiting.join().unwrap(), Err(End::Stopped));
    /// assert_eq!(producer.publish(&1), Err(PublishError::Stopped));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop(&self) {
        self.core.attention.stop();
        diagnostics::stop_asked(&self.core.name);
    }

    /// How the stream ended; `None` while it is open. A closed ring may still hold events that consumers have not read.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.core.cursor.observe().closed.then(|| self.core.attention.end())
    }
}

/// A required consumer that can [start together](Ring::start_together) with others. Sealed, and nobody outside can use what it
/// is made of:
///
/// ```compile_fail,E0061
/// fn swap(one: &mut dyn ringbus::GroupMember, other: &mut dyn ringbus::GroupMember) {
///     std::mem::swap(one.gating(), other.gating());
/// }
/// ```
pub trait GroupMember: sealed::GroupMember {}

impl<M: sealed::GroupMember> GroupMember for M {}

pub(crate) mod sealed {
    pub trait GroupMember {
        fn gating(&mut self, _: crate::token::Token) -> &mut crate::gate::GatingSequence;
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
