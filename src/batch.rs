//! Events in place: what a required consumer reads between two acknowledgements.

use std::convert::Infallible;
use std::fmt;
use std::iter::Chain;
use std::slice;

use crate::error::{AcknowledgeError, End, ReadError};
use crate::event::Event;
use crate::gate::GatingSequence;
use crate::pace::Pace;
use crate::sequence::Sequence;
use crate::storage::PrefixSlots as _;
use crate::storage::{Hold, Slots};
use crate::sync::stop_speculation;
use crate::waiting::Reading;

/// Why a look found none. Not the error that it means: that would come back through memory, and so would the number of those
/// that were found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoEvents {
    Yet,
    AnyMore,
}

/// What reading needs, apart from the wait strategy.
pub(crate) struct Reader<E> {
    pub(crate) gating: GatingSequence,
    slots: Slots<E>,
    batch_limit: u64,
    pace: Pace,
    /// Why there will be no more events, if the last look said so.
    end: Option<End>,
    /// After so many events `Batch::for_each` acknowledges, so that a long batch does not stop the producer for a whole lap.
    part: u64,
}

impl<E: Event> Reader<E> {
    pub(crate) fn new(gating: GatingSequence, slots: Slots<E>, batch_limit: u64, pace: Pace) -> Self {
        // (Models have rings of 2.)
        let part = (gating.core().capacity / 4).max(1);
        Self { gating, slots, batch_limit, pace, end: None, part }
    }

    /// How many events the next batch has: at least 1.
    #[inline(always)]
    pub(crate) fn look(&mut self) -> Result<u64, NoEvents> {
        let in_hand = self.gating.readable();
        if in_hand < self.batch_limit {
            let observed = self.gating.look();
            if self.gating.readable() - in_hand > 1 {
                // Otherwise the processor would load the slots behind the last, in the hope that they will be read too, and take
                // their lines away from the producer, which is about to write them.
                stop_speculation();
            }
            if self.gating.readable() == 0 {
                if !self.gating.is_worth_a_closer_look(observed) {
                    return Err(NoEvents::Yet);
                }
                self.end = self.gating.look_closer();
                if self.gating.readable() == 0 {
                    return Err(if self.end.is_some() { NoEvents::AnyMore } else { NoEvents::Yet });
                }
            }
        }
        Ok(self.gating.readable().min(self.batch_limit))
    }

    /// [`look`](Self::look), for who goes on looking while there is nothing.
    #[inline(always)]
    pub(crate) fn find(&mut self) -> Option<Result<u64, NoEvents>> {
        match self.look() {
            Err(NoEvents::Yet) => None,
            answer => Some(answer),
        }
    }

    /// What the last look means, for whoever asked.
    #[cold]
    pub(crate) fn explain(&self, why: NoEvents) -> ReadError {
        match why {
            NoEvents::Yet => ReadError::Empty,
            NoEvents::AnyMore => ReadError::Ended(self.end.clone().expect("the look has said so")),
        }
    }

    /// The next sequence to read.
    pub(crate) fn next(&self) -> u64 {
        self.gating.next()
    }

    pub(crate) fn acknowledge(&mut self, count: u64) {
        self.gating.acknowledge(count);
    }

    /// The next `len` events, which must have been looked at.
    pub(crate) fn in_place(&self, len: u64) -> (&[E], &[E]) {
        self.slots.in_place(&self.gating, len)
    }

    /// Calls `handle` for each of the next `len` events, and acknowledges in parts those for which it returned `Ok`, also when
    /// it fails or panics.
    #[inline]
    pub(crate) fn handle<Error>(
        &mut self,
        len: u64,
        mut handle: impl FnMut(&E, Sequence, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let end = self.gating.next() + len;
        let mut left = len;
        while left > 0 {
            let part = left.min(self.part);
            let first = end - left;
            // Dropped after `hold`, at the end of the part or when the handler panics.
            let mut handled = Handled { reader: self, count: 0 };
            let hold = handled.reader.slots.hold(&handled.reader.gating, part);
            let (before_wrap, after_wrap) = handled.reader.slots.in_place(&handled.reader.gating, part);
            // Two loops, and not one over a chain: it is the difference between one test for each event and three.
            for events in [before_wrap, after_wrap] {
                for event in events {
                    let sequence = first + handled.count;
                    handle(event, Sequence::new(sequence), sequence + 1 == end)?;
                    handled.count += 1;
                }
            }
            hold.release();
            left -= part;
        }
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn batch(&mut self, len: u64) -> Batch<'_, E> {
        Batch { hold: self.slots.hold(&self.gating, len), reader: self, len }
    }
}

impl<E: Event> Reading for Reader<E> {
    #[inline(always)]
    fn position(&self) -> u64 {
        self.gating.next()
    }

    #[inline(always)]
    fn seen(&self) -> u64 {
        self.gating.next() + self.gating.readable()
    }

    #[inline(always)]
    fn glance(&self) -> bool {
        // Lest the event's line is asked for only when the cursor's has come.
        self.slots.prefetch(self.gating.next());
        self.gating.is_worth_a_look()
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }
}

/// Events that are published and not yet acknowledged, in the ring's own memory: at least one.
///
/// [`acknowledge`](Self::acknowledge) it, or a part of it; or [`defer`](Self::defer) it, to acknowledge it later, and read on. Dropped or
/// leaked, it is delivered again, together with what has been published since. While it is there, its slots are not written.
#[must_use = "a batch that is not acknowledged is delivered again"]
pub struct Batch<'consumer, E: Event> {
    hold: Hold,
    reader: &'consumer mut Reader<E>,
    len: u64,
}

impl<'consumer, E: Event> Batch<'consumer, E> {
    /// How many events there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch has at least one event")]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// The sequence of the first event. The others follow without a gap.
    #[must_use]
    pub fn first_sequence(&self) -> Sequence {
        Sequence::new(self.reader.gating.next())
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
        BatchIter { next: self.reader.gating.next(), events: before_wrap.iter().chain(after_wrap) }
    }

    /// Gives all events up, and what was [deferred](Self::defer) before them: their slots may be written again. One store, for the
    /// whole batch.
    #[inline]
    pub fn acknowledge(self) {
        self.hold.release();
        self.reader.gating.acknowledge(self.len);
    }

    /// Gives the first `count` events up, and what was [deferred](Self::defer) before them; the others are delivered again. A count of 0
    /// gives nothing up.
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
        self.reader.gating.acknowledge_some(count as u64);
        Ok(())
    }

    /// Goes on behind all events without acknowledging them, for a consumer that may do so only later (when what it wrote has been
    /// synced, say): they are not delivered again, and later reads begin behind them, and wait for what comes there. Until
    /// [`acknowledge_deferred`](crate::RequiredConsumer::acknowledge_deferred) they stay what they were to everybody else: their slots
    /// are not written, who comes after this consumer does not get them, and they count as
    /// [`lag`](crate::RequiredConsumer::lag).
    ///
    /// The events that are deferred are always the oldest that are not acknowledged, because a position is one number: to
    /// acknowledge a later event, in whatever way, acknowledges all that were deferred. A [pause](crate::RequiredConsumer::pause) lets them
    /// pass with the rest; a consumer that leaves or fails has not acknowledged them; and one that becomes a
    /// [worker](crate::RequiredConsumer::into_worker) gets them again.
    ///
    /// When the whole ring is deferred, the producer waits for the consumer: one that waits then for events without a deadline
    /// waits for ever, and so does the producer.
    ///
    /// ```
    /// use ringbus::{PublishError, ReadError, Ring};
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().capacity(4).build()?;
    /// let mut journal = ring.required("journal").join()?;
    /// let mut gateway = ring.required("gateway").after(&[&journal]).join()?;
    /// producer.publish_batch(&[10])?;
    /// journal.read()?.defer(); // written
    /// producer.publish_batch(&[11])?;
    /// let batch = journal.read()?; // goes on behind it
    /// assert_eq!((batch.first_sequence().get(), batch.len()), (1, 1));
    /// batch.defer();
    /// assert_eq!((journal.position().get(), journal.deferred(), journal.lag()), (0, 2, 2));
    /// assert_eq!(gateway.try_read().unwrap_err(), ReadError::Empty);
    ///
    /// journal.acknowledge_deferred(); // synced
    /// assert_eq!((journal.position().get(), journal.deferred(), journal.lag()), (2, 0, 0));
    /// assert_eq!(gateway.read()?.len(), 2);
    /// # gateway.leave();
    /// # journal.leave();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn defer(self) {
        self.hold.release();
        self.reader.gating.defer(self.len);
    }

    /// [Defers](Self::defer) the first `count` events; the others are delivered again.
    ///
    /// # Errors
    ///
    /// [`AcknowledgeError`] if the batch has fewer; nothing is deferred then.
    #[inline]
    pub fn defer_first(self, count: usize) -> Result<(), AcknowledgeError> {
        if count > self.len() {
            return Err(AcknowledgeError { count, len: self.len() });
        }
        self.hold.release();
        self.reader.gating.defer(count as u64);
        Ok(())
    }

    /// Calls `handler(event, sequence, end_of_batch)` for each event, and acknowledges. Returns how many there were.
    ///
    /// A batch longer than a quarter of the ring is acknowledged in parts of that length, so that one slow lap does not hold
    /// the producer up for the whole ring. If the handler panics, the events before are acknowledged, and the one at which it
    /// panicked is delivered again (if the consumer survives).
    #[inline]
    pub fn for_each(self, mut handler: impl FnMut(&E, Sequence, bool)) -> usize {
        let (reader, len) = self.into_reader();
        let Ok(()) = reader.handle(len, |event, sequence, end_of_batch| {
            handler(event, sequence, end_of_batch);
            Ok::<(), Infallible>(())
        });
        len as usize
    }

    /// For those who hold parts of it one after the other.
    pub(crate) fn into_reader(self) -> (&'consumer mut Reader<E>, u64) {
        self.hold.release();
        (self.reader, self.len)
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
        self.reader.gating.acknowledge_some(self.count);
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
