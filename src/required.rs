//! Required consumers: zero-copy batches, acknowledged.

use std::fmt;
use std::iter::Chain;
use std::slice;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::error::{AcknowledgeError, End, Failure, FailureCause, JoinError, ReadError};
use crate::event::Event;
use crate::gate::GatingSequence;
use crate::ring::Ring;
use crate::sequence::Sequence;
use crate::storage::{Hold, Slots};
use crate::sync::proven;
use crate::wait::{BackOff, Until, WaitStrategy, look_until};

/// Settings of a required consumer that is about to join: see [`Ring::required`].
#[must_use = "nothing has joined before `join` is called"]
pub struct RequiredBuilder<'ring, E: Event, W: WaitStrategy = BackOff> {
    ring: &'ring Ring<E>,
    name: Arc<str>,
    batch_limit: u64,
    on_drop: OnDrop,
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
            batch_limit: u64::MAX,
            on_drop: OnDrop::Fail,
            wait: BackOff::default(),
        }
    }
}

impl<'ring, E: Event, W: WaitStrategy> RequiredBuilder<'ring, E, W> {
    /// How this consumer waits in its blocking calls; [`BackOff`] unless set.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> RequiredBuilder<'ring, E, V> {
        let Self { ring, name, batch_limit, on_drop, .. } = self;
        RequiredBuilder { ring, name, batch_limit, on_drop, wait }
    }

    /// The most events in one batch; no limit unless set. A consumer with a limit may see part of a published batch.
    pub fn batch_limit(mut self, events: usize) -> Self {
        self.batch_limit = events as u64;
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
    /// [`JoinError::TooManyRequired`], [`JoinError::ZeroBatchLimit`].
    pub fn join(self) -> Result<RequiredConsumer<E, W>, JoinError> {
        let Self { ring, name, batch_limit, on_drop, wait } = self;
        if batch_limit == 0 {
            return Err(JoinError::ZeroBatchLimit { consumer: name });
        }
        let core = &ring.core;
        let Some(gating) = GatingSequence::join(core, &name) else {
            return Err(JoinError::TooManyRequired {
                consumer: name,
                ring: Arc::clone(&core.name),
                max_required: core.gates.places(),
            });
        };
        Ok(RequiredConsumer {
            joined_at: gating.position(),
            reader: Reader {
                gating,
                slots: ring.slots.clone(),
                batch_limit,
                found_last: 0,
                // (Models have rings of 2.)
                part: (core.capacity / 4).max(1),
            },
            wait,
            name,
            on_drop,
        })
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for RequiredBuilder<'_, E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiredBuilder")
            .field("name", &self.name)
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
/// consumer that stops acknowledging holds the producer up after one lap of the ring.
///
/// Join with [`Ring::required`]; go with [`leave`](Self::leave). Dropped without having left, while the ring is open, it has
/// failed: the producer's next publish returns an error that names it, and the ring closes
/// ([`detach_on_drop`](RequiredBuilder::detach_on_drop) changes that). Leaked with `mem::forget`, it holds the ring up for
/// good.
///
/// For it `delivered + lag == published since it joined`, at any moment.
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
    wait: W,
    joined_at: u64,
    name: Arc<str>,
    on_drop: OnDrop,
}

/// What reading needs, apart from the wait strategy.
struct Reader<E> {
    gating: GatingSequence,
    slots: Slots<E>,
    batch_limit: u64,
    /// How many new events the last look found.
    found_last: u64,
    /// After so many events `Batch::for_each` acknowledges, so that a long batch does not stop the producer for a whole lap.
    part: u64,
}

impl<E: Event> Reader<E> {
    /// Lets the strategy put the look off, where there is nothing in hand meanwhile.
    #[inline(always)]
    fn prepare(&self, wait: &mut impl WaitStrategy) {
        if self.gating.readable() == 0 {
            wait.before_look(self.found_last);
        }
    }

    /// How many events the next batch has: at least 1.
    #[inline(always)]
    fn look(&mut self) -> Result<u64, ReadError> {
        let in_hand = self.gating.readable();
        if in_hand < self.batch_limit {
            let observed = self.gating.look();
            self.found_last = self.gating.readable() - in_hand;
            if self.gating.readable() == 0 {
                return Err(if observed.closed { self.end() } else { ReadError::Empty });
            }
        }
        Ok(self.gating.readable().min(self.batch_limit))
    }

    #[cold]
    fn end(&self) -> ReadError {
        ReadError::Ended(self.gating.core().attention.end())
    }

    #[inline(always)]
    fn batch(&mut self, len: u64) -> Batch<'_, E> {
        Batch { hold: self.slots.hold(&self.gating, len), reader: self, len }
    }
}

impl<E: Event, W: WaitStrategy> RequiredConsumer<E, W> {
    /// The events published and not yet acknowledged; waits until there is one.
    ///
    /// # Errors
    ///
    /// The [`End`] of the stream, once everything published has been acknowledged.
    #[inline]
    pub fn read(&mut self) -> Result<Batch<'_, E>, End> {
        let Self { reader, wait, .. } = self;
        reader.prepare(wait);
        let len = look_until(Until::Done, wait, || match reader.look() {
            Ok(len) => Some(Ok(len)),
            Err(ReadError::Ended(end)) => Some(Err(end)),
            Err(ReadError::Empty) => None,
        })
        .expect("waits until there is an answer")?;
        Ok(reader.batch(len))
    }

    /// The events published and not yet acknowledged, if there are any now.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`] if there are none, [`ReadError::Ended`] if there will be none.
    #[inline]
    pub fn try_read(&mut self) -> Result<Batch<'_, E>, ReadError> {
        let len = self.reader.look()?;
        Ok(self.reader.batch(len))
    }

    /// The events published and not yet acknowledged; waits until there is one or `deadline` has passed. Looks once, also if
    /// it has passed before.
    ///
    /// # Errors
    ///
    /// [`ReadError::Empty`] when the deadline has passed, [`ReadError::Ended`] if no more events will come.
    #[inline]
    pub fn read_deadline(&mut self, deadline: Instant) -> Result<Batch<'_, E>, ReadError> {
        let Self { reader, wait, .. } = self;
        reader.prepare(wait);
        let len = look_until(Until::Deadline(deadline), wait, || match reader.look() {
            Err(ReadError::Empty) => None,
            answer => Some(answer),
        })
        .unwrap_or(Err(ReadError::Empty))?;
        Ok(reader.batch(len))
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

    /// Stops being required: the producer no longer waits for this consumer, and its place is free for another. Returns its
    /// final position: the first sequence that it has not acknowledged.
    pub fn leave(mut self) -> Sequence {
        self.on_drop = OnDrop::Leave;
        self.position()
    }

    /// The name it joined with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sequence of the first event that it gets.
    #[must_use]
    pub fn joined_at(&self) -> Sequence {
        Sequence::new(self.joined_at)
    }

    /// The first sequence it has not acknowledged.
    #[must_use]
    pub fn position(&self) -> Sequence {
        Sequence::new(self.reader.gating.position())
    }

    /// How many events it has acknowledged since it joined.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.reader.gating.position() - self.joined_at
    }

    /// How many events are published and not acknowledged at this moment. The producer may publish more meanwhile.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.reader.gating.core().cursor.glance().count - self.reader.gating.position()
    }
}

impl<E: Event, W: WaitStrategy> Drop for RequiredConsumer<E, W> {
    fn drop(&mut self) {
        let closed = self.reader.gating.core().cursor.observe().closed;
        if self.on_drop == OnDrop::Leave || proven!(closed, "dropped-after-close-fails" => false) {
            return;
        }
        proven!(self.reader.gating.freeze(), "failed-gate-not-frozen" => ());
        self.reader.gating.core().attention.fail(Failure {
            consumer: Arc::clone(&self.name),
            cause: if thread::panicking() { FailureCause::Panicked } else { FailureCause::Abandoned },
            position: self.position(),
        });
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for RequiredConsumer<E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequiredConsumer")
            .field("name", &self.name)
            .field("position", &self.position())
            .field("lag", &self.lag())
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// Events that are published and not yet acknowledged, in the ring's own memory: at least one.
///
/// [`acknowledge`](Self::acknowledge) it, or a part of it. Dropped or leaked, it is delivered again, together with what has been
/// published since. While it is there, its slots are not written.
#[must_use = "a batch that is not acknowledged is delivered again"]
pub struct Batch<'consumer, E: Event> {
    hold: Hold,
    reader: &'consumer mut Reader<E>,
    len: u64,
}

impl<E: Event> Batch<'_, E> {
    /// How many events there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch has at least one event")]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// The sequence of the first event. The others follow without a gap.
    #[must_use]
    pub fn first_sequence(&self) -> Sequence {
        Sequence::new(self.reader.gating.position())
    }

    /// The events in place: the first slice up to where the ring wraps, the second (often empty) from there on.
    #[inline]
    #[must_use]
    pub fn slices(&self) -> (&[E], &[E]) {
        self.reader.slots.in_place(&self.reader.gating, self.len)
    }

    /// The events in order, each with its sequence.
    #[inline]
    pub fn iter(&self) -> BatchIter<'_, E> {
        let (before_wrap, after_wrap) = self.slices();
        BatchIter { next: self.reader.gating.position(), events: before_wrap.iter().chain(after_wrap) }
    }

    /// Gives all events up: their slots may be written again. One store, for the whole batch.
    #[inline]
    pub fn acknowledge(self) {
        self.hold.release();
        self.reader.gating.acknowledge(self.len);
    }

    /// Gives the first `count` events up; the others are delivered again.
    ///
    /// # Errors
    ///
    /// [`AcknowledgeError`] if the batch has fewer; nothing is acknowledged then.
    #[inline]
    pub fn acknowledge_first(self, count: usize) -> Result<(), AcknowledgeError> {
        if count > self.len() {
            return Err(AcknowledgeError { count, len: self.len() });
        }
        self.hold.release();
        self.reader.gating.acknowledge(count as u64);
        Ok(())
    }

    /// Calls `handler(event, sequence, end_of_batch)` for each event, and acknowledges. Returns how many there were.
    ///
    /// A batch longer than a quarter of the ring is acknowledged in parts of that length, so that one slow lap does not hold
    /// the producer up for the whole ring. If the handler panics, the events before are acknowledged, and the one at which it
    /// panicked is delivered again (if the consumer survives).
    #[inline]
    pub fn for_each(self, mut handler: impl FnMut(&E, Sequence, bool)) -> usize {
        let Self { hold, reader, len } = self;
        hold.release();
        let end = reader.gating.position() + len;
        let mut left = len;
        while left > 0 {
            let part = left.min(reader.part);
            let first = end - left;
            // Dropped after `hold`, at the end of the part or when the handler panics.
            let mut handled = Handled { reader, count: 0 };
            let hold = handled.reader.slots.hold(&handled.reader.gating, part);
            let (before_wrap, after_wrap) = handled.reader.slots.in_place(&handled.reader.gating, part);
            // Two loops, and not one over a chain: it is the difference between one test for each event and three.
            for events in [before_wrap, after_wrap] {
                for event in events {
                    let sequence = first + handled.count;
                    handler(event, Sequence::new(sequence), sequence + 1 == end);
                    handled.count += 1;
                }
            }
            hold.release();
            left -= part;
        }
        len as usize
    }
}

/// Acknowledges on drop what was handled.
struct Handled<'a, E: Event> {
    reader: &'a mut Reader<E>,
    count: u64,
}

impl<E: Event> Drop for Handled<'_, E> {
    #[inline(always)]
    fn drop(&mut self) {
        self.reader.gating.acknowledge(self.count);
    }
}

impl<'batch, E: Event> IntoIterator for &'batch Batch<'_, E> {
    type Item = (Sequence, &'batch E);
    type IntoIter = BatchIter<'batch, E>;

    #[inline]
    fn into_iter(self) -> BatchIter<'batch, E> {
        self.iter()
    }
}

/// The events of a [`Batch`] in order, each with its sequence.
#[derive(Clone, Debug)]
pub struct BatchIter<'batch, E> {
    next: u64,
    events: Chain<slice::Iter<'batch, E>, slice::Iter<'batch, E>>,
}

impl<'batch, E> Iterator for BatchIter<'batch, E> {
    type Item = (Sequence, &'batch E);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let event = self.events.next()?;
        let sequence = Sequence::new(self.next);
        self.next += 1;
        Some((sequence, event))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.events.size_hint()
    }

    #[inline]
    fn fold<A, F: FnMut(A, Self::Item) -> A>(self, start: A, mut f: F) -> A {
        let mut next = self.next;
        self.events.fold(start, |folded, event| {
            let sequence = Sequence::new(next);
            next += 1;
            f(folded, (sequence, event))
        })
    }
}

impl<E> ExactSizeIterator for BatchIter<'_, E> {}

impl<E: Event> fmt::Debug for Batch<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("first_sequence", &self.first_sequence())
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
