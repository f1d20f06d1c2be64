//! Required consumers: how they join, wait, fail and leave. What they read stands in `batch.rs`.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::attention::Attention;
use crate::barrier::{Followed, Upstream, sealed};
use crate::batch::{Batch, NoEvents, Reader};
use crate::diagnostics;
use crate::error::{End, Failure, FailureCause, JoinError, PauseError, ReadError};
use crate::event::Event;
use crate::gate::GatingSequence;
use crate::member::Member;
use crate::pace::Pace;
use crate::parking::Awaited;
use crate::pause::{self, Paused};
use crate::progress::Progress;
use crate::ring::{self, Core, Ring};
use crate::sequence::Sequence;
use crate::sync::{Projection, proven};
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::{Until, poll};
use crate::worker::WorkerBuilder;

/// Settings of a required consumer that is about to join: see [`Ring::required`].
#[must_use = "nothing has joined before `join` is called"]
pub struct RequiredBuilder<'ring, E: Event, W: WaitStrategy = BackOff> {
    ring: &'ring Ring<E>,
    name: Arc<str>,
    upstream: Vec<Followed>,
    batch_limit: u64,
    on_drop: OnDrop,
    is_paced: bool,
    wait: W,
}

/// What it means that a consumer is dropped while the ring is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnDrop {
    Fail,
    Leave,
}

impl<'ring, E: Event> RequiredBuilder<'ring, E> {
    pub(crate) fn new(ring: &'ring Ring<E>, name: &str) -> Self {
        Self {
            ring,
            name: name.into(),
            upstream: Vec::new(),
            batch_limit: u64::MAX,
            on_drop: OnDrop::Fail,
            is_paced: true,
            wait: BackOff::default(),
        }
    }
}

impl<'ring, E: Event, W: WaitStrategy> RequiredBuilder<'ring, E, W> {
    /// How this consumer waits in its blocking calls; [`BackOff`] unless set.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> RequiredBuilder<'ring, E, V> {
        let Self { ring, name, upstream, batch_limit, on_drop, is_paced, .. } = self;
        RequiredBuilder { ring, name, upstream, batch_limit, on_drop, is_paced, wait }
    }

    /// Lets this consumer come after `upstream`: it reads an event once all of them have acknowledged it. Called again, it adds
    /// to them. Any graph without cycles can be built so: a pipeline, a diamond.
    ///
    /// It joins at the cursor like any other, and waits until its upstream gets there. An upstream that has dependants cannot
    /// be paused, and if it leaves or fails, they get [`End::UpstreamLeft`] or [`End::UpstreamFailed`] when they have read
    /// what it had acknowledged. In an orderly shutdown nothing is lost, however early the upstream goes: the
    /// producer closes, each stage drains, and all get [`End::Closed`].
    ///
    /// ```
    /// use ringbus::{End, Ring};
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().build()?;
    /// let mut journal = ring.required("journal").join()?;
    /// let mut gateway = ring.required("gateway").after(&[&journal]).join()?;
    ///
    /// producer.publish_batch(&[1, 2, 3])?;
    /// assert!(gateway.try_read().is_err()); // the journal has not acknowledged them
    /// journal.read()?.acknowledge_first(2)?;
    /// assert_eq!(gateway.read()?.len(), 2);
    ///
    /// producer.close()?;
    /// journal.poll(|_, _, _| {})?;
    /// drop(journal); // it has drained, and goes first
    /// gateway.poll(|_, _, _| {})?;
    /// assert_eq!(gateway.read().err(), Some(End::Closed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn after(mut self, upstream: &[&dyn Upstream]) -> Self {
        self.upstream.extend(upstream.iter().map(|upstream| upstream.followed(Token::CRATE)));
        self
    }

    /// The most events in one batch; no limit unless set. A consumer with a limit may see part of a published batch.
    pub fn batch_limit(mut self, events: usize) -> Self {
        self.batch_limit = events as u64;
        self
    }

    /// Whether this consumer lets the producer get ahead when it runs on its heels; it does unless set otherwise.
    ///
    /// A consumer that is faster than its producer looks so often that both wait for the hand-offs of the cursor's cache line, and
    /// throughput collapses. A paced one, in [`read`](RequiredConsumer::read), [`read_deadline`](RequiredConsumer::read_deadline) and
    /// on a worker, measures now and then, when a thousand events and more have come without a gap, whether putting each look off by
    /// half a microsecond or more (768 ns at most) brings more events, and goes on doing so while it does, by a quarter at least. Where
    /// events just come at a rate it does not, whatever the rate; trying costs sixteen looks so delayed, of hundreds of thousands of events
    /// where it never pays. PERF.md has what it brings, and the latency under load with it and without (`ringbus, unpaced`). Rings
    /// of less than 400 slots are too small for it.
    pub fn paced(mut self, is_paced: bool) -> Self {
        self.is_paced = is_paced;
        self
    }

    /// Dropping this consumer lets it leave, whatever the reason, a panic too. Unless set, a consumer that is dropped while the
    /// ring is open, without [`leave`](RequiredConsumer::leave), has failed, and the producer stops.
    pub fn detach_on_drop(mut self) -> Self {
        self.on_drop = OnDrop::Leave;
        self
    }

    /// Joins, while the producer runs. The consumer gets every event from the cursor at that moment on
    /// ([`joined_at`](RequiredConsumer::joined_at)). What the producer's thread had done before it published the last event
    /// below that is visible to the caller.
    ///
    /// The producer takes no lock for it. If the thread that joins is taken off its processor in the middle of this call, the
    /// producer may find the ring full until the thread runs again, as if the consumer were already there and slow.
    ///
    /// On a closed ring it joins too, and gets the [`End`] at its first read.
    ///
    /// # Errors
    ///
    /// [`JoinError::TooManyRequired`], [`JoinError::ZeroBatchLimit`]; for those it comes after, [`JoinError::OtherRing`],
    /// [`JoinError::UpstreamGone`], [`JoinError::UpstreamPaused`].
    pub fn join(self) -> Result<RequiredConsumer<E, W>, JoinError> {
        let Self { ring, name, upstream, batch_limit, on_drop, is_paced, wait } = self;
        if batch_limit == 0 {
            return Err(JoinError::ZeroBatchLimit { consumer: name });
        }
        let core = &ring.core;
        let gating = GatingSequence::join(core, name, upstream)?;
        let pace = Pace::new(core.capacity, is_paced);
        Ok(RequiredConsumer {
            attention: Projection::new(core, |core| &core.attention),
            reader: Reader::new(gating, ring.slots.clone(), batch_limit, pace),
            wait,
            on_drop,
        })
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for RequiredBuilder<'_, E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiredBuilder")
            .field("name", &self.name)
            .field("after", &self.upstream)
            .field("batch_limit", &self.batch_limit)
            .field("on_drop", &self.on_drop)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A consumer that the producer waits for: it gets every event, in order, in place.
///
/// It reads a [`Batch`], that is, all that is published and not yet acknowledged, as at most two slices of the ring's own
/// memory, and acknowledges it. What was not acknowledged is delivered again, and its slots are not overwritten meanwhile: a
/// consumer that stops acknowledging holds the producer up after one lap of the ring. One that writes events long before it may
/// acknowledge them [defers](Batch::defer) them, and reads on.
///
/// Join with [`Ring::required`]; go with [`leave`](Self::leave). Dropped without having left, while the ring is open, it has
/// failed: the producer's next publish returns an error that names it, and the ring closes
/// ([`detach_on_drop`](RequiredBuilder::detach_on_drop) changes that). Leaked with `mem::forget`, it holds the ring up for
/// good.
///
/// For it `delivered + let pass while paused + lag == published since it joined`, at any moment.
///
/// # Examples
///
/// ```
/// use ringbus::{End, ReadError, Ring};
///
/// let (mut producer, ring) = Ring::<u64>::builder().capacity(1024).build()?;
/// let mut consumer = ring.required("audit").join()?;
///
/// let core = std::thread::spawn(move || {
///     for event in 0..10_000 {
///         producer.publish(&event).expect("the consumer stays");
///     }
///     // dropping the producer closes the ring
/// });
///
/// let mut expected = 0;
/// loop {
///     match consumer.read() {
///         Ok(batch) => {
///             for (sequence, event) in &batch {
///                 assert_eq!((sequence.get(), *event), (expected, expected));
///                 expected += 1;
///             }
///             batch.acknowledge();
///         }
///         Err(end) => {
///             assert_eq!(end, End::Closed);
///             break;
///         }
///     }
/// }
/// assert_eq!(expected, 10_000);
/// # core.join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An event cannot be kept beyond its batch, because its slot will be written again:
///
/// ```compile_fail,E0505
/// # let (mut producer, ring) = ringbus::Ring::<u64>::builder().build().unwrap();
/// let mut consumer = ring.required("audit").join().unwrap();
/// let batch = consumer.read().unwrap();
/// let kept: &u64 = batch.iter().next().unwrap().1;
/// batch.acknowledge();
/// println!("{kept}");
/// ```
///
/// Nor can an event be kept out of `poll`:
///
/// ```compile_fail,E0521
/// # let (mut producer, ring) = ringbus::Ring::<u64>::builder().build().unwrap();
/// let mut consumer = ring.required("audit").join().unwrap();
/// let mut kept: Option<&u64> = None;
/// consumer.poll(|event, _, _| kept = Some(event)).unwrap();
/// ```
pub struct RequiredConsumer<E: Event, W: WaitStrategy = BackOff> {
    reader: Reader<E>,
    attention: Projection<Core, Attention>,
    wait: W,
    on_drop: OnDrop,
}

impl<E: Event, W: WaitStrategy> RequiredConsumer<E, W> {
    /// The events published and not yet acknowledged or [deferred](Batch::defer); waits until there is one.
    ///
    /// # Errors
    ///
    /// The [`End`] of the stream, once everything published has been acknowledged or deferred.
    #[inline]
    pub fn read(&mut self) -> Result<Batch<'_, E>, End> {
        match self.wait_for_batch(Until::Done, || false) {
            Ok(len) => Ok(self.reader.batch(len)),
            Err(why) => match self.reader.explain(why) {
                ReadError::Ended(end) => Err(end),
                ReadError::Empty => unreachable!("waits until there is an answer"),
            },
        }
    }

    /// The events published and not yet acknowledged or [deferred](Batch::defer), if there are any now.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`] if there are none, [`ReadError::Ended`] if there will be none.
    #[inline]
    pub fn try_read(&mut self) -> Result<Batch<'_, E>, ReadError> {
        match self.reader.look() {
            Ok(len) => Ok(self.reader.batch(len)),
            Err(why) => Err(self.reader.explain(why)),
        }
    }

    /// The events published and not yet acknowledged or [deferred](Batch::defer); waits until there is one or `deadline` has
    /// passed. Looks once, also if it has passed before.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`] when the deadline has passed, [`ReadError::Ended`] if no more events will come.
    #[inline]
    pub fn read_deadline(&mut self, deadline: Instant) -> Result<Batch<'_, E>, ReadError> {
        self.read_unless(Until::Deadline(deadline), || false)
    }

    /// As [`read`](Self::read) and its forms; `Empty` also once `interrupted` says so.
    #[inline]
    pub(crate) fn read_unless(
        &mut self,
        until: Until,
        interrupted: impl FnMut() -> bool,
    ) -> Result<Batch<'_, E>, ReadError> {
        match self.wait_for_batch(until, interrupted) {
            Ok(len) => Ok(self.reader.batch(len)),
            Err(why) => Err(self.reader.explain(why)),
        }
    }

    #[inline(always)]
    fn wait_for_batch(&mut self, until: Until, interrupted: impl FnMut() -> bool) -> Result<u64, NoEvents> {
        let Self { reader, attention, wait, .. } = self;
        let alarm = |reader: &Reader<E>| {
            let comes_after_others = reader.gating.comes_after_others();
            Some(attention.alarm(if comes_after_others { Awaited::Gates } else { Awaited::Cursor }))
        };
        poll(reader, until, wait, alarm, interrupted, Reader::find).unwrap_or(Err(NoEvents::Yet))
    }

    /// Handles the events that are there now, and acknowledges them: [`try_read`](Self::try_read) and
    /// [`Batch::for_each`]. Returns how many there were.
    ///
    /// # Errors
    ///
    /// As for [`try_read`](Self::try_read); the handler was not called then.
    #[inline]
    pub fn poll(&mut self, handler: impl FnMut(&E, Sequence, bool)) -> Result<usize, ReadError> {
        Ok(self.try_read()?.for_each(handler))
    }

    /// Gives up all that was [deferred](Batch::defer): the slots may be written again, and who comes after this consumer gets the
    /// events. One store, or none if nothing was deferred. Also after the [`End`].
    #[inline]
    pub fn acknowledge_deferred(&mut self) {
        self.reader.gating.acknowledge_deferred();
    }

    /// Stops being required: the producer no longer waits for this consumer, and its place is free for another. Returns its
    /// final position: the first sequence that it has not acknowledged.
    pub fn leave(mut self) -> Sequence {
        self.on_drop = OnDrop::Leave;
        self.position()
    }

    /// Fails, and says why: the producer's next publish returns an error with this message, and the ring closes as poisoned.
    /// Nothing that this consumer has not acknowledged is overwritten. A consumer that was built to
    /// [detach](RequiredBuilder::detach_on_drop) leaves instead.
    ///
    /// ```
    /// use ringbus::{PublishError, Ring};
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().build()?;
    /// let journal = ring.required("journal").join()?;
    /// journal.fail("the disk is full");
    /// let error = producer.publish(&1).unwrap_err();
    /// assert!(error.to_string().contains("`journal` failed at sequence 0: the disk is full"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail(self, message: &str) {
        self.fail_as(FailureCause::Failed, Some(message.into()));
    }

    pub(crate) fn fail_as(mut self, cause: FailureCause, message: Option<Arc<str>>) {
        if self.on_drop == OnDrop::Fail {
            self.record_failure(cause, message);
        }
        self.on_drop = OnDrop::Leave;
    }

    fn record_failure(&mut self, cause: FailureCause, message: Option<Arc<str>>) {
        // If a pause was leaked: what has passed has passed, and the failure is about what comes now.
        self.reader.gating.resume();
        let consumer = Arc::clone(&self.reader.gating.member().name);
        let failure = Arc::new(Failure { consumer, cause, position: self.position(), message });
        self.reader.gating.fail(&failure);
        diagnostics::failed(&self.core().name, &failure);
    }

    /// Stops gating for a while: the producer does not wait for this consumer, which gets none of the events that it has not
    /// acknowledged now or that are published until it resumes. [`Paused::resume`] says how many those were. Those that it has
    /// [deferred](Batch::defer) are among them, although it had been given them: acknowledge them before.
    ///
    /// # Errors
    ///
    /// [`PauseError::HasDependants`] if others come after it.
    ///
    /// ```
    /// use ringbus::Ring;
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().capacity(4).build()?;
    /// let mut risk = ring.required("risk").join()?;
    /// let paused = risk.pause()?;
    /// for event in 0..100 {
    ///     producer.publish(&event)?; // never waits
    /// }
    /// assert_eq!(paused.resume(), 100);
    /// producer.publish(&100)?;
    /// assert_eq!(risk.read()?.first_sequence().get(), 100);
    /// # risk.leave();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&mut self) -> Result<Paused<'_, Self>, PauseError> {
        self.begin_pause()?;
        Ok(Paused::new(self))
    }

    /// For who makes a [`Paused`] of its own.
    pub(crate) fn begin_pause(&mut self) -> Result<(), PauseError> {
        self.reader.gating.pause()
    }

    /// The same, if a control handle asks for it. `None`: none does, or it has taken it back.
    pub(crate) fn pause_if_asked(&mut self) -> Option<Paused<'_, Self>> {
        self.reader.gating.pause_if_asked().then(|| Paused::new(self))
    }

    /// Puts this consumer on a thread of its own: see [`worker`](crate::worker). There it gets again what it had
    /// [deferred](Batch::defer).
    pub fn into_worker(mut self) -> WorkerBuilder<Self>
    where
        W: 'static,
    {
        self.take_back_deferred();
        WorkerBuilder::new(self)
    }

    /// For who goes on with it by acknowledging in order: what was deferred is delivered again.
    pub(crate) fn take_back_deferred(&mut self) {
        self.reader.gating.take_back_deferred();
    }

    pub(crate) fn member(&self) -> &Arc<Member> {
        self.reader.gating.member()
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        self.attention.owner()
    }

    /// A handle on its progress, for others to wait for it, or to come [`after`](RequiredBuilder::after) it.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress::new(self.reader.gating.followed())
    }

    /// The name it joined with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.reader.gating.member().name
    }

    /// The sequence of the first event that it gets.
    #[must_use]
    pub fn joined_at(&self) -> Sequence {
        Sequence::new(self.reader.gating.member().joined_at())
    }

    /// The first sequence it has not acknowledged.
    #[must_use]
    pub fn position(&self) -> Sequence {
        Sequence::new(self.reader.gating.position())
    }

    /// How many events it has acknowledged since it joined.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.position().since(self.joined_at()) - self.let_pass()
    }

    /// How many events have passed it while it was [paused](Self::pause).
    #[must_use]
    pub fn let_pass(&self) -> u64 {
        self.reader.gating.member().pauses().let_pass()
    }

    /// How many events it has [deferred](Batch::defer) and not acknowledged. They are the first ones of its lag.
    #[must_use]
    pub fn deferred(&self) -> u64 {
        self.reader.gating.deferred()
    }

    /// How many events are published and not acknowledged at this moment. The producer may publish more meanwhile.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.reader.gating.core().cursor.glance().count - self.reader.gating.position()
    }
}

impl<E: Event, W: WaitStrategy> pause::sealed::Pausable for RequiredConsumer<E, W> {
    fn resume(&mut self, _: Token) -> u64 {
        self.reader.gating.resume()
    }
}

impl<E: Event, W: WaitStrategy> sealed::Upstream for RequiredConsumer<E, W> {
    fn followed(&self, _: Token) -> Followed {
        self.reader.gating.followed()
    }
}

impl<E: Event, W: WaitStrategy> ring::sealed::GroupMember for RequiredConsumer<E, W> {
    fn gating(&mut self, _: Token) -> &mut GatingSequence {
        &mut self.reader.gating
    }
}

impl<E: Event, W: WaitStrategy> Drop for RequiredConsumer<E, W> {
    fn drop(&mut self) {
        let closed = self.attention.owner().cursor.observe().closed || self.attention.is_stopped();
        if self.on_drop == OnDrop::Leave || proven!(closed, "dropped-after-close-fails" => false) {
            return;
        }
        let cause = if thread::panicking() { FailureCause::Panicked } else { FailureCause::Abandoned };
        self.record_failure(cause, None);
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for RequiredConsumer<E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiredConsumer")
            .field("name", &self.name())
            .field("position", &self.position())
            .field("lag", &self.lag())
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
