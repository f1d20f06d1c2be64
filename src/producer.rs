//! The producer: claim, write, publish.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::thread;
use std::time::Instant;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::attention::Attention;
use crate::error::{ClaimFull, End, PublishError};
use crate::event::Event;
use crate::parking::Awaited;
use crate::ring::Core;
use crate::room::{Free, Room};
use crate::sequence::Sequence;
use crate::storage::SlotWriter;
use crate::sync::{Projection, proven};
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::{Until, look_until};

/// The one writer of a ring. [`RingBuilder::build`](crate::RingBuilder::build) hands it out, once.
///
/// Every way of publishing comes in three forms that differ in what they do when the ring is full, that is, when a required
/// consumer has not acknowledged enough: `publish` waits by the producer's [`WaitStrategy`], `try_publish` returns
/// [`PublishError::Full`] at once, `publish_deadline` when the deadline has passed. An error means that nothing became visible
/// and no sequence was used up.
///
/// Consumers of both kinds may join, read and leave at any moment meanwhile. The producer takes no lock, and does nothing for
/// optional consumers.
///
/// When a required consumer fails (see [`Failure`](crate::Failure)), the next call, or the one that is waiting, returns
/// [`PublishError::Poisoned`] with its name, and closes the ring. [`Ring::stop`](crate::Ring::stop) makes it return
/// [`PublishError::Stopped`] in the same way, wherever `Poisoned` is named below. Dropping the producer closes the ring as well; dropping it
/// while its thread panics tells the consumers so ([`End::ProducerFailed`]). A producer that is leaked with `mem::forget` never
/// closes the ring: consumers wait for ever.
///
/// # Examples
///
/// ```
/// use ringbus::{PublishError, Ring};
///
/// let (mut producer, ring) = Ring::<u64>::builder().capacity(8).build()?;
/// let mut consumer = ring.required("audit").join()?;
///
/// producer.publish(&10)?;
/// producer.publish_batch(&[11, 12])?; // both become visible at once
/// let mut claim = producer.claim(2)?;
/// claim.push(&13)?;
/// claim.push(&14)?;
/// claim.publish()?; // likewise
///
/// assert_eq!(producer.publish_batch(&[0; 3]), Err(PublishError::BatchTooLong { len: 3, max_batch: 2 }));
/// for event in 15..18 {
///     producer.try_publish(&event)?;
/// }
/// assert_eq!(producer.try_publish(&18), Err(PublishError::Full { needed: 1 }));
///
/// let mut sum = 0;
/// consumer.poll(|event, _sequence, _end_of_batch| sum += *event)?;
/// assert_eq!(sum, (10..18).sum());
/// producer.try_publish(&18)?;
/// # consumer.leave();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// There is one producer for each ring:
///
/// ```compile_fail,E0599
/// let (producer, ring) = ringbus::Ring::<u64>::builder().build().unwrap();
/// let second = producer.clone();
/// ```
///
/// It may move to another thread, and not be shared between threads:
///
/// ```compile_fail,E0277
/// let (producer, ring) = ringbus::Ring::<u64>::builder().build().unwrap();
/// fn share(_: &impl Sync) {}
/// share(&producer);
/// ```
///
/// A claim must be published or dropped before the next:
///
/// ```compile_fail,E0499
/// let (mut producer, ring) = ringbus::Ring::<u64>::builder().build().unwrap();
/// let first = producer.claim(1).unwrap();
/// let second = producer.claim(1).unwrap();
/// drop(first);
/// ```
pub struct Producer<E: Event, W: WaitStrategy = BackOff> {
    writer: SlotWriter<E>,
    room: Room,
    attention: Projection<Core, Attention>,
    max_batch: usize,
    wait: W,
    /// Tells other processes what the consumers do, for as long as there is a producer.
    #[cfg(all(feature = "shared", not(loom)))]
    _reporter: Option<crate::shared::Reporter>,
    not_sync: PhantomData<Cell<()>>,
}

impl<E: Event, W: WaitStrategy> Producer<E, W> {
    pub(crate) fn new(core: &std::sync::Arc<Core>, writer: SlotWriter<E>, wait: W) -> Self {
        Self {
            writer,
            room: Room::new(core),
            attention: Projection::new(core, |core| &core.attention),
            max_batch: core.max_batch,
            wait,
            #[cfg(all(feature = "shared", not(loom)))]
            _reporter: None,
            not_sync: PhantomData,
        }
    }

    #[cfg(all(feature = "shared", not(loom)))]
    pub(crate) fn with_reports(mut self, reporter: Option<crate::shared::Reporter>) -> Self {
        self._reporter = reporter;
        self
    }

    /// Tells those who look at a [shared](crate::RingBuilder::shared) ring from other processes that its core is alive, though it may
    /// publish nothing. One store, and a look at the clock; on other rings nothing at all.
    ///
    /// Call it at every turn of the core's loop, or as often as those who watch expect it
    /// ([`RingFile::liveness`](crate::shared::RingFile::liveness)). A core that never does is never taken to be stalled.
    #[cfg(all(feature = "shared", not(loom)))]
    #[inline]
    pub fn heartbeat(&mut self) {
        if let Some(placement) = &self.room.core().placement {
            placement.beat();
        }
    }

    /// Publishes `event`, and waits for room if the ring is full. Returns its sequence.
    ///
    /// # Errors
    ///
    /// [`PublishError::Poisoned`], also while it waits.
    #[inline]
    pub fn publish(&mut self, event: &E) -> Result<Sequence, PublishError> {
        self.publish_until(event, Until::Done)
    }

    /// Publishes `event` if there is room now. Returns its sequence.
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`], [`PublishError::Poisoned`].
    #[inline]
    pub fn try_publish(&mut self, event: &E) -> Result<Sequence, PublishError> {
        self.publish_until(event, Until::Now)
    }

    /// Publishes `event`, and waits for room until `deadline` if the ring is full. Looks once, also if the deadline has
    /// passed. Returns its sequence.
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`] when the deadline has passed; [`PublishError::Poisoned`], also while it waits.
    #[inline]
    pub fn publish_deadline(&mut self, event: &E, deadline: Instant) -> Result<Sequence, PublishError> {
        self.publish_until(event, Until::Deadline(deadline))
    }

    #[inline(always)]
    fn publish_until(&mut self, event: &E, until: Until) -> Result<Sequence, PublishError> {
        self.make_room(1, until)?;
        let mut free = self.room.take(1);
        self.writer.push(&mut free, event);
        Ok(Sequence::new(free.publish()))
    }

    /// Publishes the beginning of an event: see [`Claim::push_prefix`]. (Without a claim, which would look at the attention word
    /// again.) The head is made when there is room, so that it need not be kept over a wait.
    #[inline(always)]
    pub(crate) fn publish_prefix_until<H: NoUninit>(
        &mut self,
        head: impl FnOnce() -> H,
        tail: &[u8],
        until: Until,
    ) -> Result<Sequence, PublishError>
    where
        E: AnyBitPattern,
    {
        self.make_room(1, until)?;
        let mut free = self.room.take(1);
        self.writer.push_prefix(&mut free, bytemuck::bytes_of(&head()), tail);
        Ok(Sequence::new(free.publish()))
    }

    /// Publishes all of `events` at once, by one store of the cursor, and waits until there is room for all. Returns the
    /// sequence of the first. An empty batch does nothing, and returns the next sequence.
    ///
    /// # Errors
    ///
    /// [`PublishError::BatchTooLong`] if there are more than [`max_batch`](crate::Ring::max_batch), and nothing is
    /// written; [`PublishError::Poisoned`], also while it waits.
    #[inline]
    pub fn publish_batch(&mut self, events: &[E]) -> Result<Sequence, PublishError> {
        self.publish_batch_until(events, Until::Done)
    }

    /// Publishes all of `events` at once if there is room for all now. Otherwise as [`publish_batch`](Self::publish_batch).
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`], [`PublishError::BatchTooLong`], [`PublishError::Poisoned`].
    #[inline]
    pub fn try_publish_batch(&mut self, events: &[E]) -> Result<Sequence, PublishError> {
        self.publish_batch_until(events, Until::Now)
    }

    /// Publishes all of `events` at once, and waits until `deadline` for room for all. Otherwise as
    /// [`publish_batch`](Self::publish_batch).
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`] when the deadline has passed; [`PublishError::BatchTooLong`]; [`PublishError::Poisoned`].
    #[inline]
    pub fn publish_batch_deadline(
        &mut self,
        events: &[E],
        deadline: Instant,
    ) -> Result<Sequence, PublishError> {
        self.publish_batch_until(events, Until::Deadline(deadline))
    }

    #[inline(always)]
    fn publish_batch_until(&mut self, events: &[E], until: Until) -> Result<Sequence, PublishError> {
        if events.is_empty() {
            return Ok(self.next_sequence());
        }
        let mut claim = self.claim_until(events.len(), until)?;
        claim.writer.push_all(&mut claim.free, events);
        Ok(Sequence::new(claim.free.publish()))
    }

    /// Claims `count` slots, and waits until there is room. (A claim of 0 needs none, and there is nothing to publish in
    /// it.) Meanwhile nothing of it is visible to anyone, and no required consumer can read its slots. Fill them in order
    /// with [`Claim::push`]; [`Claim::publish`] makes what was pushed visible at once.
    ///
    /// # Errors
    ///
    /// [`PublishError::BatchTooLong`] if `count` is more than [`max_batch`](crate::Ring::max_batch);
    /// [`PublishError::Poisoned`], also while it waits.
    #[inline]
    pub fn claim(&mut self, count: usize) -> Result<Claim<'_, E>, PublishError> {
        self.claim_until(count, Until::Done)
    }

    /// Claims `count` slots if there is room now. Otherwise as [`claim`](Self::claim).
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`], [`PublishError::BatchTooLong`], [`PublishError::Poisoned`].
    #[inline]
    pub fn try_claim(&mut self, count: usize) -> Result<Claim<'_, E>, PublishError> {
        self.claim_until(count, Until::Now)
    }

    /// Claims `count` slots, and waits for room until `deadline`. Otherwise as [`claim`](Self::claim).
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`] when the deadline has passed; [`PublishError::BatchTooLong`]; [`PublishError::Poisoned`].
    #[inline]
    pub fn claim_deadline(&mut self, count: usize, deadline: Instant) -> Result<Claim<'_, E>, PublishError> {
        self.claim_until(count, Until::Deadline(deadline))
    }

    #[inline(always)]
    pub(crate) fn claim_until(&mut self, count: usize, until: Until) -> Result<Claim<'_, E>, PublishError> {
        if count > self.max_batch {
            return Err(PublishError::BatchTooLong { len: count, max_batch: self.max_batch });
        }
        self.make_room(count as u64, until)?;
        Ok(Claim { free: self.room.take(count as u64), writer: &mut self.writer, attention: &self.attention })
    }

    /// The most events in one batch or claim.
    #[must_use]
    pub fn max_batch(&self) -> usize {
        self.max_batch
    }

    /// The sequence that the next event will have: the cursor.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        Sequence::new(self.room.next())
    }

    /// Closes the ring: consumers drain what is published, then get [`End::Closed`]. Returns the final cursor.
    ///
    /// Dropping the producer does the same, without saying whether all went well. On a ring that was
    /// [stopped](crate::Ring::stop) consumers get [`End::Stopped`].
    ///
    /// # Errors
    ///
    /// [`PublishError::Poisoned`] if a required consumer had failed: the ring is closed as poisoned, and consumers get
    /// [`End::Poisoned`]. A consumer that fails at the same moment may go unnoticed; one that is dropped after the ring was
    /// closed has not failed.
    pub fn close(self) -> Result<Sequence, PublishError> {
        let next = self.next_sequence();
        match self.room.core().close_if_raised() {
            Err(poisoned @ PublishError::Poisoned(_)) => return Err(poisoned),
            Err(_) => {}
            Ok(()) => self.room.core().close(&End::Closed),
        }
        Ok(next)
    }

    /// Makes sure that `count` slots are free, nobody has failed, and nobody wants to stop.
    #[inline(always)]
    fn make_room(&mut self, count: u64, until: Until) -> Result<(), PublishError> {
        if self.room.has(count) && !self.attention.is_raised() {
            Ok(())
        } else {
            self.wait_for_room(count, until)
        }
    }

    #[cold]
    #[inline(never)]
    fn wait_for_room(&mut self, count: u64, until: Until) -> Result<(), PublishError> {
        let Self { room, attention, wait, .. } = self;
        let core = attention.owner();
        let mut waiting = None;
        let answer =
            look_until(until, wait, Some(attention.alarm(Awaited::Gates)), || {
                match check_attention(attention) {
                    Err(error) => Some(Err(error)),
                    Ok(()) if room.has(count) || room.look(count) => Some(Ok(())),
                    Ok(()) => {
                        if waiting.is_none() && !matches!(until, Until::Now) {
                            let debtor = room.slowest_place().map(|place| core.waits.debtor(place));
                            waiting = Some((debtor, Instant::now()));
                        }
                        None
                    }
                }
            });
        if let Some((debtor, since)) = waiting {
            core.waits.add(debtor, since);
        }
        answer.unwrap_or_else(|| {
            core.waits.add_refused();
            Err(PublishError::Full { needed: count as usize })
        })
    }
}

/// Closes the ring if a required consumer has failed, or all are to stop.
#[inline(always)]
fn check_attention(attention: &Projection<Core, Attention>) -> Result<(), PublishError> {
    if attention.is_raised() { attention.owner().close_if_raised() } else { Ok(()) }
}

/// Closes the ring, unless that was done.
impl<E: Event, W: WaitStrategy> Drop for Producer<E, W> {
    fn drop(&mut self) {
        let core = self.room.core();
        if thread::panicking() {
            core.close(&proven!(End::ProducerFailed, "producer-panic-unsaid" => End::Closed));
        } else if core.close_if_raised().is_ok() {
            core.close(&End::Closed);
        }
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for Producer<E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("ring", &self.room.core().name)
            .field("next_sequence", &self.next_sequence())
            .field("max_batch", &self.max_batch)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// Slots taken for writing, not yet visible to anyone.
///
/// Made by [`Producer::claim`] and its forms. Fill it in order, then [`publish`](Self::publish): that reveals exactly what was
/// pushed, by one store of the cursor. Dropped or leaked, it reveals nothing, and the next claim takes the same slots.
#[must_use = "a claim that is not published reveals nothing"]
pub struct Claim<'producer, E: Event> {
    free: Free<'producer>,
    writer: &'producer mut SlotWriter<E>,
    attention: &'producer Projection<Core, Attention>,
}

impl<E: Event> Claim<'_, E> {
    /// Writes `event` into the next claimed slot.
    ///
    /// # Errors
    ///
    /// [`ClaimFull`] if as many were pushed as were claimed; those stay as they are.
    #[inline]
    pub fn push(&mut self, event: &E) -> Result<(), ClaimFull> {
        if self.free.remaining() == 0 {
            return Err(ClaimFull { claimed: self.len() });
        }
        self.writer.push(&mut self.free, event);
        Ok(())
    }

    /// Writes only the first bytes of the next claimed slot: `head`, and `tail` behind it. They are filled up with zeros to a whole
    /// word of 8 bytes; behind it the slot keeps what an earlier event left there, and whoever reads the event must know from its
    /// beginning how much of it counts. For events of which most are much shorter than the longest.
    ///
    /// # Errors
    ///
    /// [`ClaimFull`] if as many were pushed as were claimed; those stay as they are.
    ///
    /// # Panics
    ///
    /// If `head` is not a multiple of 8 bytes long, or both are longer than an event.
    ///
    /// ```
    /// use ringbus::Ring;
    ///
    /// // A length, and up to 56 bytes.
    /// let (mut producer, ring) = Ring::<[u8; 64]>::builder().build()?;
    /// let mut monitor = ring.optional("monitor").join()?;
    /// let mut claim = producer.claim(1)?;
    /// claim.push_prefix(&5_u64.to_le_bytes(), b"hello")?;
    /// claim.publish()?;
    ///
    /// let mut buffer = [0; 64];
    /// let used = |head: &[u8]| 8 + usize::from(head[0]);
    /// let (sequence, len) = monitor.try_recv_prefix(&mut buffer, 8, used)?;
    /// assert_eq!((sequence.get(), &buffer[8..len]), (0, &b"hello"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn push_prefix(&mut self, head: &[u8], tail: &[u8]) -> Result<(), ClaimFull>
    where
        E: AnyBitPattern,
    {
        if self.free.remaining() == 0 {
            return Err(ClaimFull { claimed: self.len() });
        }
        self.writer.push_prefix(&mut self.free, head, tail);
        Ok(())
    }

    /// How many events have been pushed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.free.filled() as usize
    }

    /// Whether nothing has been pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many more events can be pushed.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.free.remaining() as usize
    }

    /// Makes visible what was pushed, all at once. What was claimed and not filled is given up. Returns the sequence of the
    /// first.
    ///
    /// # Errors
    ///
    /// [`PublishError::NothingWritten`] if nothing was pushed; [`PublishError::Poisoned`] or [`PublishError::Stopped`] if a
    /// required consumer has failed, or the ring was stopped, since the claim was made.
    #[inline]
    pub fn publish(self) -> Result<Sequence, PublishError> {
        if self.is_empty() {
            return Err(PublishError::NothingWritten);
        }
        proven!(check_attention(self.attention), "claim-publish-unchecked" => Ok(()))?;
        Ok(Sequence::new(self.free.publish()))
    }
}

impl<E: Event> fmt::Debug for Claim<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("len", &self.len())
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
