//! Optional subscriptions: they never hold the writer up, and are told what they missed.

use std::fmt;
use std::time::Instant;

use super::account::Tally;
use super::copies::Copies;
use super::copying::Copying;
use super::driver::Driver;
use super::filter::Filter;
use super::lines::Lines;
use super::record::Record;
use super::record_ref::RecordRef;
use super::registry::{Registration, SubscriptionId};
use super::stream_id::StreamId;
use super::subscribe::Subscribe;
use super::subscriber::Subscriber;
use super::worker::{SubscribeError, SubscriptionWorker};
use crate::error::{RecvError, StartError};
use crate::optional::OptionalBuilder;
use crate::pause::{self, Paused};
use crate::read_from::ReadFrom;
use crate::sequence::Sequence;
use crate::stats::ConsumerKind;
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::Until;
use crate::worker::{Worker, WorkerBuilder};

/// Settings of an optional subscription that is about to join: made by [`Subscribe::optional`].
#[must_use = "nothing has subscribed before `join` or `spawn` is called"]
pub struct SubscribeOptional<'bus, const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    settings: Subscribe<'bus, PAYLOAD>,
    consumer: OptionalBuilder<'bus, Record<PAYLOAD>, W>,
}

impl<'bus, const PAYLOAD: usize> SubscribeOptional<'bus, PAYLOAD> {
    pub(super) fn new(settings: Subscribe<'bus, PAYLOAD>) -> Self {
        let consumer = settings.shared.ring.optional(&settings.name);
        Self { settings, consumer }
    }
}

impl<'bus, const PAYLOAD: usize, W: WaitStrategy> SubscribeOptional<'bus, PAYLOAD, W> {
    /// How it waits; [`BackOff`] unless set. The writer never wakes it.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> SubscribeOptional<'bus, PAYLOAD, V> {
        let Self { settings, consumer } = self;
        SubscribeOptional { settings, consumer: consumer.wait(wait) }
    }

    /// Where to start; [`ReadFrom::Newest`] unless set. Where that is in the middle of a payload of several slots, the rest of it
    /// counts as missed.
    pub fn start(mut self, start: ReadFrom) -> Self {
        self.consumer = self.consumer.start(start);
        self
    }

    /// Where to go on after it was overrun: see [`OptionalBuilder::resume`].
    pub fn resume(mut self, resume: ReadFrom) -> Self {
        self.consumer = self.consumer.resume(resume);
        self
    }

    /// Subscribes, while the writer runs, which does not notice.
    ///
    /// # Errors
    ///
    /// As for [`OptionalBuilder::join`].
    pub fn join(self) -> Result<OptionalSubscription<PAYLOAD, W>, StartError> {
        let Self { settings: Subscribe { shared, name, filter }, consumer } = self;
        let consumer = consumer.join()?;
        let registration = shared.registry.add(&name, ConsumerKind::Optional, consumer.joined_at(), None);
        Ok(OptionalSubscription {
            copies: Copies::new(consumer),
            filter,
            assembly: Lines::default(),
            registration,
        })
    }

    /// Subscribes, and runs `subscriber` on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`SubscribeError`]: as for [`join`](Self::join), or if there is no thread to be had.
    pub fn spawn<S: Subscriber>(self, subscriber: S) -> Result<Worker<Driver<S, PAYLOAD>>, SubscribeError>
    where
        W: 'static,
    {
        Ok(self.join()?.into_worker(subscriber).spawn()?)
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for SubscribeOptional<'_, PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeOptional")
            .field("settings", &self.settings)
            .field("consumer", &self.consumer)
            .finish()
    }
}

/// A subscription that the writer does not notice, read by its owner's own loop.
///
/// It copies records, only the bytes in use of those that its filter may let pass, and is told how many sequences it lost. It begins,
/// and goes on after a loss, with the first fragment of a payload. Drop it to go.
///
/// # Examples
///
/// ```
/// use ringbus::bus::{BlockStart, Bus, Emit, Hash, Kind, Origin, Topic};
///
/// let (mut writer, bus) = Bus::<64>::builder("testnet").build()?;
/// let mut monitor = bus.subscribe("monitor").optional().join()?;
/// writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) })?;
/// writer.emit_bytes(Origin::default(), Kind::new(7), Topic::default(), &[9; 100])?; // two slots
///
/// assert!(monitor.recv()?.begins_block());
/// assert_eq!(monitor.recv()?.payload(), [9; 100]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OptionalSubscription<const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    pub(super) copies: Copies<PAYLOAD, W>,
    pub(super) filter: Filter,
    assembly: Lines,
    pub(super) registration: Registration,
}

impl<const PAYLOAD: usize, W: WaitStrategy> OptionalSubscription<PAYLOAD, W> {
    /// The next record that passes the filter; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] where sequences were missed, [`RecvError::Ended`] at the end; never [`RecvError::Empty`].
    pub fn recv(&mut self) -> Result<RecordRef<'_>, RecvError> {
        self.recv_until(Until::Done)
    }

    /// The next record that passes the filter, if there is one now.
    ///
    /// # Errors
    ///
    /// [`RecvError::Empty`] if there is none; [`RecvError::Lagged`] where sequences were missed; [`RecvError::Ended`] at the end.
    pub fn try_recv(&mut self) -> Result<RecordRef<'_>, RecvError> {
        self.recv_until(Until::Now)
    }

    /// The next record that passes the filter; waits until there is one or `deadline` has passed. Looks once, also if it has passed
    /// before.
    ///
    /// # Errors
    ///
    /// [`RecvError::Empty`] when the deadline has passed; [`RecvError::Lagged`] where sequences were missed; [`RecvError::Ended`] at
    /// the end.
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<RecordRef<'_>, RecvError> {
        self.recv_until(Until::Deadline(deadline))
    }

    fn recv_until(&mut self, until: Until) -> Result<RecordRef<'_>, RecvError> {
        let Self { copies, filter, assembly, registration } = self;
        // However much there is that does not pass, a call that does not wait ends with what was there when it began.
        // (Only then: the cursor is the writer's, and looking at it takes its cache line away.)
        let end = match until {
            Until::Now => copies.consumer.position().get() + copies.consumer.lag(),
            Until::Deadline(_) | Until::Done => u64::MAX,
        };
        let found = loop {
            copies.fill(filter.header(), Copies::<PAYLOAD, W>::FOR_ONE_BY_ONE, until, || false).inspect_err(
                |error| {
                    if let RecvError::Lagged { missed, resumed_at } = error {
                        registration.lagged(*missed, *resumed_at);
                    }
                },
            )?;
            let found = copies.step(filter, assembly, registration.account());
            if found.passes {
                break found;
            }
            let is_over = match until {
                Until::Now => copies.next_sequence().get() >= end,
                Until::Deadline(deadline) => Instant::now() >= deadline,
                Until::Done => false,
            };
            if is_over {
                return Err(RecvError::Empty);
            }
        };
        Ok(copies.record(found, assembly))
    }

    /// Gets nothing for a while. What passes meanwhile counts as let pass, and not as missed. It goes on at the newest.
    pub fn pause(&mut self) -> Paused<'_, Self> {
        self.copies.consumer.begin_pause();
        self.registration.paused();
        Paused::new(self)
    }

    /// Puts this subscription on a thread of its own, where it calls `subscriber`.
    pub fn into_worker<S: Subscriber>(
        self,
        subscriber: S,
    ) -> SubscriptionWorker<Copying<PAYLOAD, W>, S, PAYLOAD>
    where
        W: 'static,
    {
        let Self { copies, filter, registration, .. } = self;
        let capacity = copies.consumer.core().capacity;
        let first = copies.next_sequence();
        let copying = Copying::new(copies, filter.header().clone());
        let driver = Driver::new(subscriber, filter, usize::MAX, capacity, registration).starting_at(first);
        SubscriptionWorker::new(WorkerBuilder::new(copying), driver)
    }

    /// Which subscription this is.
    #[must_use]
    pub fn id(&self) -> SubscriptionId {
        self.registration.id()
    }

    /// The stream whose records it gets: what keeps or forwards them refuses those of another.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        self.registration.stream()
    }

    /// The name it joined with.
    #[must_use]
    pub fn name(&self) -> &str {
        self.registration.name()
    }

    /// The sequence it started at.
    #[must_use]
    pub fn joined_at(&self) -> Sequence {
        self.copies.consumer.joined_at()
    }

    /// What has become of the sequences since it joined.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.registration.tally()
    }

    /// How many sequences are published and not accounted for at this moment.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.copies.consumer.lag() + self.copies.in_hand()
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> pause::sealed::Pausable for OptionalSubscription<PAYLOAD, W> {
    fn resume(&mut self, token: Token) -> u64 {
        let let_pass =
            self.copies.let_pass() + pause::sealed::Pausable::resume(&mut self.copies.consumer, token);
        self.registration.resumed(let_pass);
        let_pass
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for OptionalSubscription<PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionalSubscription")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("tally", &self.tally())
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}
