//! Required subscriptions: every record that passes the filter, in order, acknowledged.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::account::{Tally, Walked};
use super::driver::Driver;
use super::filter::Filter;
use super::lines::Lines;
use super::record::{Flags, Record};
use super::record_ref::RecordRef;
use super::registry::{Registration, SubscriptionId};
use super::stream_id::StreamId;
use super::subscribe::Subscribe;
use super::subscriber::Subscriber;
use super::walk::Run;
use super::worker::{SubscribeError, SubscriptionWorker};
use crate::Upstream;
use crate::barrier::{Followed, sealed};
use crate::batch::Batch;
use crate::error::{End, JoinError, PauseError, ReadError};
use crate::pause::{self, Paused};
use crate::progress::Progress;
use crate::required::{RequiredBuilder, RequiredConsumer};
use crate::ring::GroupMember;
use crate::sequence::Sequence;
use crate::stats::ConsumerKind;
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::worker::Worker;

/// Settings of a required subscription that is about to join: made by [`Subscribe::required`].
#[must_use = "nothing has subscribed before `join` or `spawn` is called"]
pub struct SubscribeRequired<'bus, const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    settings: Subscribe<'bus, PAYLOAD>,
    consumer: RequiredBuilder<'bus, Record<PAYLOAD>, W>,
    limit: usize,
}

impl<'bus, const PAYLOAD: usize> SubscribeRequired<'bus, PAYLOAD> {
    pub(super) fn new(settings: Subscribe<'bus, PAYLOAD>) -> Self {
        let consumer = settings.shared.ring.required(&settings.name);
        Self { settings, consumer, limit: usize::MAX }
    }
}

impl<'bus, const PAYLOAD: usize, W: WaitStrategy> SubscribeRequired<'bus, PAYLOAD, W> {
    /// How it waits; [`BackOff`] unless set.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> SubscribeRequired<'bus, PAYLOAD, V> {
        let Self { settings, consumer, limit } = self;
        SubscribeRequired { settings, consumer: consumer.wait(wait), limit }
    }

    /// It gets a record once all of `upstream` have acknowledged it, whether their filters let it pass or not: see
    /// [`RequiredBuilder::after`].
    pub fn after(mut self, upstream: &[&dyn Upstream]) -> Self {
        self.consumer = self.consumer.after(upstream);
        self
    }

    /// The most records in one batch; no limit unless set. Without one, what was published together is read together.
    ///
    /// Panics if it is 0.
    pub fn limit(mut self, records: usize) -> Self {
        assert!(records > 0, "a subscription that may read 0 records at a time would read none");
        self.limit = records;
        self
    }

    /// Its failure detaches it instead of failing the bus: see [`RequiredBuilder::detach_on_drop`].
    pub fn detach_on_drop(mut self) -> Self {
        self.consumer = self.consumer.detach_on_drop();
        self
    }

    /// Subscribes, while the writer runs. It gets what is published from then on.
    ///
    /// # Errors
    ///
    /// As for [`RequiredBuilder::join`].
    pub fn join(self) -> Result<RequiredSubscription<PAYLOAD, W>, JoinError> {
        let Self { settings: Subscribe { shared, name, filter }, consumer, limit } = self;
        let consumer = consumer.join()?;
        let registration = shared.registry.add(
            &name,
            ConsumerKind::Required,
            consumer.joined_at(),
            Some(Arc::clone(consumer.member())),
        );
        let (assembly, deferred) = (Lines::default(), Walked::default());
        Ok(RequiredSubscription { consumer, filter, limit, assembly, deferred, registration })
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

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for SubscribeRequired<'_, PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeRequired")
            .field("settings", &self.settings)
            .field("consumer", &self.consumer)
            .field("limit", &self.limit)
            .finish()
    }
}

/// A subscription that the writer waits for, read by its owner's own loop.
///
/// It reads [`Records`]: all that is published and not yet acknowledged. What was not acknowledged is delivered again, unless it was
/// [deferred](Records::defer). Like a [`RequiredConsumer`], which it is made of, it fails the bus if it is dropped without having
/// [left](Self::leave).
///
/// # Examples
///
/// ```
/// use ringbus::bus::{BlockStart, Bus, Emit, Filter, Hash, Kind, Origin, Topic};
///
/// const DEPOSIT: Kind = Kind::new(1);
/// let (mut writer, bus) = Bus::<64>::builder("testnet").build()?;
/// let mut deposits = bus.subscribe("deposits").filter(Filter::kinds([DEPOSIT])).required().join()?;
///
/// writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) })?;
/// writer.emit_bytes(Origin::default(), DEPOSIT, Topic::default(), b"100")?;
/// writer.end_block()?;
///
/// let mut records = deposits.read()?;
/// let record = records.next().expect("one passes the filter");
/// assert_eq!((record.payload(), record.block_height(), record.order()), (&b"100"[..], 1, 2));
/// assert!(records.next().is_none());
/// records.acknowledge();
/// let tally = deposits.tally();
/// assert_eq!((tally.passed, tally.filtered_out), (1, 2)); // the block's beginning and end
/// # deposits.leave();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RequiredSubscription<const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    pub(super) consumer: RequiredConsumer<Record<PAYLOAD>, W>,
    pub(super) filter: Filter,
    pub(super) limit: usize,
    assembly: Lines,
    /// What was gone through, and is acknowledged later.
    deferred: Walked,
    pub(super) registration: Registration,
}

impl<const PAYLOAD: usize, W: WaitStrategy> RequiredSubscription<PAYLOAD, W> {
    /// The records published and not yet acknowledged or [deferred](Records::defer); waits until there is one. It may be that none of
    /// them passes the filter.
    ///
    /// # Errors
    ///
    /// The [`End`] of the stream, once everything published has been acknowledged or deferred.
    #[inline]
    pub fn read(&mut self) -> Result<Records<'_, PAYLOAD>, End> {
        self.records(RequiredConsumer::read)
    }

    /// The records published and not yet acknowledged or [deferred](Records::defer), if there are any now.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`] if there are none, [`ReadError::Ended`] if there will be none.
    #[inline]
    pub fn try_read(&mut self) -> Result<Records<'_, PAYLOAD>, ReadError> {
        self.records(RequiredConsumer::try_read)
    }

    /// The records published and not yet acknowledged or [deferred](Records::defer); waits until there is one or `deadline` has passed.
    /// Looks once, also if it has passed before.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`] when the deadline has passed, [`ReadError::Ended`] if no more records will come.
    #[inline]
    pub fn read_deadline(&mut self, deadline: Instant) -> Result<Records<'_, PAYLOAD>, ReadError> {
        self.records(|consumer| consumer.read_deadline(deadline))
    }

    #[inline(always)]
    fn records<Error>(
        &mut self,
        read: impl FnOnce(&mut RequiredConsumer<Record<PAYLOAD>, W>) -> Result<Batch<'_, Record<PAYLOAD>>, Error>,
    ) -> Result<Records<'_, PAYLOAD>, Error> {
        let Self { consumer, filter, limit, assembly, deferred, registration } = self;
        let batch = read(consumer)?;
        let (walked, left) = (Walked::default(), *limit);
        Ok(Records { batch, filter, assembly, deferred, registration, walked, left })
    }

    /// Handles the records that are there now and pass the filter, and acknowledges them. Returns how many passed.
    ///
    /// # Errors
    ///
    /// As for [`try_read`](Self::try_read); the handler was not called then.
    pub fn poll(&mut self, handler: impl FnMut(RecordRef<'_>)) -> Result<usize, ReadError> {
        Ok(self.try_read()?.for_each(handler))
    }

    /// Gives up all that was [deferred](Records::defer): one store, or none if nothing was. Also after the [`End`].
    #[inline]
    pub fn acknowledge_deferred(&mut self) {
        self.registration.account().walked(mem::take(&mut self.deferred));
        self.consumer.acknowledge_deferred();
    }

    /// Lets records pass for a while, without holding the writer up: see [`RequiredConsumer::pause`]. What was deferred passes with the
    /// rest.
    ///
    /// # Errors
    ///
    /// [`PauseError::HasDependants`] if others come after it.
    pub fn pause(&mut self) -> Result<Paused<'_, Self>, PauseError> {
        self.consumer.begin_pause()?;
        self.deferred = Walked::default();
        self.registration.paused();
        Ok(Paused::new(self))
    }

    /// Unsubscribes. Returns the first sequence that it has not acknowledged.
    pub fn leave(self) -> Sequence {
        self.consumer.leave()
    }

    /// Fails the bus, and says why: see [`RequiredConsumer::fail`].
    pub fn fail(self, message: &str) {
        self.consumer.fail(message);
    }

    /// Puts this subscription on a thread of its own, where it calls `subscriber`, also with what had been
    /// [deferred](Records::defer).
    pub fn into_worker<S: Subscriber>(
        self,
        subscriber: S,
    ) -> SubscriptionWorker<RequiredConsumer<Record<PAYLOAD>, W>, S, PAYLOAD>
    where
        W: 'static,
    {
        let Self { consumer, filter, limit, registration, .. } = self;
        let driver = Driver::new(subscriber, filter, limit, consumer.core().capacity, registration);
        SubscriptionWorker::new(consumer.into_worker(), driver)
    }

    /// Which subscription this is.
    #[must_use]
    pub fn id(&self) -> SubscriptionId {
        self.registration.id()
    }

    /// The name it joined with.
    #[must_use]
    pub fn name(&self) -> &str {
        self.registration.name()
    }

    /// The first sequence it gets.
    #[must_use]
    pub fn joined_at(&self) -> Sequence {
        self.consumer.joined_at()
    }

    /// The first sequence it has not acknowledged.
    #[must_use]
    pub fn position(&self) -> Sequence {
        self.consumer.position()
    }

    /// What has become of the sequences since it joined.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.registration.tally()
    }

    /// How many slots the bus has. When so many are [deferred](Self::deferred), the writer waits for this subscription.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.consumer.core().capacity as usize
    }

    /// How many slots it has [deferred](Records::defer) and not acknowledged. They are the first ones of its lag.
    #[must_use]
    pub fn deferred(&self) -> u64 {
        self.consumer.deferred()
    }

    /// How many sequences are published and not acknowledged at this moment.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.consumer.lag()
    }

    /// A handle on its progress, for others to wait for it, or to come [`after`](SubscribeRequired::after) it.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.consumer.progress()
    }

    /// The stream whose records it gets: what keeps or forwards them refuses those of another.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        self.registration.stream()
    }
}

/// A required subscription that can [start together](super::Bus::start_together) with others. Sealed.
pub trait StartsTogether: starting::StartsTogether {}

impl<S: starting::StartsTogether> StartsTogether for S {}

mod starting {
    use crate::ring::GroupMember;
    use crate::sequence::Sequence;
    use crate::token::Token;

    pub trait StartsTogether {
        fn consumer(&mut self, _: Token) -> &mut dyn GroupMember;

        /// They have been put there.
        fn started_at(&mut self, _: Token, start: Sequence);
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> starting::StartsTogether for RequiredSubscription<PAYLOAD, W> {
    fn consumer(&mut self, _: Token) -> &mut dyn GroupMember {
        &mut self.consumer
    }

    fn started_at(&mut self, _: Token, start: Sequence) {
        self.registration.starts_at(start);
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> pause::sealed::Pausable for RequiredSubscription<PAYLOAD, W> {
    fn resume(&mut self, token: Token) -> u64 {
        let let_pass = pause::sealed::Pausable::resume(&mut self.consumer, token);
        self.registration.resumed(let_pass);
        let_pass
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> sealed::Upstream for RequiredSubscription<PAYLOAD, W> {
    fn followed(&self, token: Token) -> Followed {
        sealed::Upstream::followed(&self.consumer, token)
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for RequiredSubscription<PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiredSubscription")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("position", &self.position())
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// Records that are published and not yet acknowledged, of which those are shown that pass the filter.
///
/// Take them one by one with [`next`](Self::next), then [`acknowledge`](Self::acknowledge) what was taken, or [`defer`](Self::defer) it, to
/// acknowledge it later. Dropped, it is all delivered again, together with what has been published since. While it is there, its slots
/// are not written.
#[must_use = "records that are not acknowledged are delivered again"]
pub struct Records<'a, const PAYLOAD: usize> {
    batch: Batch<'a, Record<PAYLOAD>>,
    filter: &'a mut Filter,
    assembly: &'a mut Lines,
    deferred: &'a mut Walked,
    registration: &'a Registration,
    walked: Walked,
    /// How many more may be shown.
    left: usize,
}

impl<const PAYLOAD: usize> Records<'_, PAYLOAD> {
    /// The next record that passes the filter; `None` behind the last one at hand. A payload of several slots stands in a buffer that
    /// is used again: it is gone when the next is taken.
    #[expect(clippy::should_implement_trait, reason = "it lends, and an iterator cannot")]
    #[inline]
    pub fn next(&mut self) -> Option<RecordRef<'_>> {
        if self.left == 0 {
            return None;
        }
        let run = Run::new(self.batch.slices(), self.batch.first_sequence());
        loop {
            let at = self.walked.slots() as usize;
            let found = run.find(at, self.filter, self.assembly)?;
            self.walked.add(found.slots as u64, found.passes);
            if found.passes {
                self.left -= 1;
                return Some(run.record(at, found, self.assembly));
            }
        }
    }

    /// Calls `handler` for each record that passes the filter, and acknowledges them all. Returns how many passed.
    ///
    /// If the handler panics, nothing is acknowledged, and they are delivered again (if the subscription survives).
    #[inline]
    pub fn for_each(self, mut handler: impl FnMut(RecordRef<'_>)) -> usize {
        let Self { batch, filter, assembly, deferred, registration, mut walked, left } = self;
        let run = Run::new(batch.slices(), batch.first_sequence());
        let mut passed = 0;
        while passed < left
            && let Some(found) = run.find(walked.slots() as usize, filter, assembly)
        {
            if found.passes {
                handler(run.record(walked.slots() as usize, found, assembly));
                passed += 1;
            }
            walked.add(found.slots as u64, found.passes);
        }
        acknowledge(batch, walked, deferred, registration);
        passed
    }

    /// How many slots there are, of records that pass the filter and others, taken and not.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.batch.len()
    }

    /// The sequence of the first of them.
    #[must_use]
    pub fn first_sequence(&self) -> Sequence {
        self.batch.first_sequence()
    }

    /// Whether what was gone through so far ends where something that was published together ends. After a record was taken: whether that
    /// is the last of it. After [`next`](Self::next) found no more: whether the last slot at hand is. Before the first: no.
    #[must_use]
    pub fn ends_batch(&self) -> bool {
        let run = Run::new(self.batch.slices(), self.batch.first_sequence());
        let last = (self.walked.slots() as usize).checked_sub(1);
        last.is_some_and(|last| run.header(last).flags.has(Flags::LAST_OF_BATCH))
    }

    /// Gives up what was taken, what lies before it and did not pass, and what was [deferred](Self::defer) before: one store. What was not
    /// taken is delivered again. If nothing was taken or passed over, nothing is given up.
    #[inline]
    pub fn acknowledge(self) {
        let Self { batch, deferred, registration, walked, .. } = self;
        acknowledge(batch, walked, deferred, registration);
    }

    /// Goes on behind what was taken, and what lies before it and did not pass, without acknowledging it: it is not delivered again, and
    /// later reads begin behind it. What was not taken is delivered again.
    ///
    /// It is acknowledged, and counted in the [`Tally`], by
    /// [`acknowledge_deferred`](RequiredSubscription::acknowledge_deferred), or together with records behind it. Until then it counts as
    /// lag, who comes after this subscription does not get it, and the writer waits when the whole bus is deferred. See
    /// [`Batch::defer`](crate::Batch::defer) for what pausing and leaving do to it.
    ///
    /// ```
    /// use ringbus::bus::{BlockStart, Bus, Emit, Hash};
    ///
    /// let (mut writer, bus) = Bus::<64>::builder("testnet").build()?;
    /// let mut journal = bus.subscribe("journal").required().join()?;
    /// writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) })?;
    /// let mut records = journal.read()?;
    /// while let Some(record) = records.next() {
    ///     // write it
    ///     assert_eq!(record.sequence().get(), 0);
    /// }
    /// records.defer();
    ///
    /// writer.end_block()?;
    /// let mut records = journal.read()?; // goes on behind it
    /// let is_end = records.next().is_some_and(|record| record.ends_block() && record.sequence().get() == 1);
    /// assert!(is_end);
    /// records.defer();
    /// assert_eq!((journal.deferred(), journal.tally().passed), (2, 0));
    ///
    /// // sync
    /// journal.acknowledge_deferred();
    /// assert_eq!((journal.deferred(), journal.tally().passed), (0, 2));
    /// # journal.leave();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn defer(self) {
        let Self { batch, deferred, walked, .. } = self;
        deferred.add_all(walked);
        batch.defer_first(walked.slots() as usize).expect(NO_MORE_TAKEN);
    }
}

const NO_MORE_TAKEN: &str = "no more was taken than there is";

#[inline(always)]
fn acknowledge<const PAYLOAD: usize>(
    batch: Batch<'_, Record<PAYLOAD>>,
    walked: Walked,
    deferred: &mut Walked,
    registration: &Registration,
) {
    if walked.slots() > 0 {
        deferred.add_all(walked);
        registration.account().walked(mem::take(deferred));
        batch.acknowledge_first(walked.slots() as usize).expect(NO_MORE_TAKEN);
    }
}

impl<const PAYLOAD: usize> fmt::Debug for Records<'_, PAYLOAD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("first_sequence", &self.first_sequence())
            .field("slots", &self.slots())
            .field("taken", &self.walked.slots())
            .finish_non_exhaustive()
    }
}
