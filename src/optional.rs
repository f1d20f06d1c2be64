//! Optional consumers: copy, validate, count what was missed.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::cursor::Cursor;
use crate::error::{RecvError, StartError};
use crate::event::Event;
use crate::member::Listener;
use crate::pace::Pace;
use crate::pause::{self, Paused};
use crate::read_from::{ReadFrom, Window};
use crate::ring::{Core, Ring};
use crate::sequence::Sequence;
use crate::storage::Slots;
use crate::sync::{Projection, stop_speculation};
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::{Reading, Until, poll};
use crate::worker::WorkerBuilder;

/// Settings of an optional consumer that is about to join: see [`Ring::optional`].
#[must_use = "nothing has joined before `join` is called"]
pub struct OptionalBuilder<'ring, E: Event, W: WaitStrategy = BackOff> {
    ring: &'ring Ring<E>,
    name: Arc<str>,
    start: ReadFrom,
    resume: ReadFrom,
    is_paced: bool,
    wait: W,
}

impl<'ring, E: Event> OptionalBuilder<'ring, E> {
    pub(crate) fn new(ring: &'ring Ring<E>, name: &str) -> Self {
        let resume = ReadFrom::Oldest { headroom: ring.core.capacity / 8 };
        let wait = BackOff::default();
        Self { ring, name: name.into(), start: ReadFrom::Newest, resume, is_paced: true, wait }
    }
}

impl<'ring, E: Event, W: WaitStrategy> OptionalBuilder<'ring, E, W> {
    /// How this consumer waits in its blocking calls; [`BackOff`] unless set. The producer never wakes it.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> OptionalBuilder<'ring, E, V> {
        let Self { ring, name, start, resume, is_paced, .. } = self;
        OptionalBuilder { ring, name, start, resume, is_paced, wait }
    }

    /// Where to start; [`ReadFrom::Newest`] unless set.
    pub fn start(mut self, start: ReadFrom) -> Self {
        self.start = start;
        self
    }

    /// Where to go on after it was overrun; the oldest readable event with a headroom of an eighth of the capacity unless set.
    pub fn resume(mut self, resume: ReadFrom) -> Self {
        self.resume = resume;
        self
    }

    /// Whether this consumer lets the producer get ahead when it runs on its heels, in its blocking calls and on a worker; it does
    /// unless set otherwise. As for required consumers: see [`RequiredBuilder::paced`](crate::RequiredBuilder::paced).
    pub fn paced(mut self, is_paced: bool) -> Self {
        self.is_paced = is_paced;
        self
    }

    /// Joins, while the producer runs, which does not notice. There is no limit to how many do.
    ///
    /// # Errors
    ///
    /// [`StartError::NotYetPublished`] or [`StartError::BeforeFirst`] if it was to start at a sequence that is not on this ring.
    pub fn join(self) -> Result<OptionalConsumer<E, W>, StartError> {
        let Self { ring, name, start, resume, is_paced, wait } = self;
        let core = &ring.core;
        let window = Window { len: ring.slots.window(), first_sequence: core.first_sequence };
        let position = window.start(&core.cursor, &name, start)?;
        let listener = Arc::new(Listener::new(name, position));
        core.listeners.add(&listener);
        let reader = Reader {
            cursor: Projection::new(core, |core| &core.cursor),
            slots: ring.slots.clone(),
            window,
            resume,
            position,
            seen: position,
            pace: Pace::new(core.capacity, is_paced),
            not_delivered: position,
            missed: 0,
            listener,
        };
        Ok(OptionalConsumer { reader, wait })
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for OptionalBuilder<'_, E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionalBuilder")
            .field("name", &self.name)
            .field("start", &self.start)
            .field("resume", &self.resume)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A consumer that never holds the producer up: it copies events out, and is told exactly how many it missed.
///
/// The producer stores nothing, locks nothing and wakes nobody for it. When it comes round and overwrites what this consumer was
/// about to read, the consumer learns it from the cursor, skips ahead ([`ReadFrom`]) and reports [`RecvError::Lagged`] with
/// the number of events lost. An event that is returned is whole: never torn, never one of another lap.
///
/// Join with [`Ring::optional`]; drop it to go.
///
/// For it `delivered + missed + let pass while paused + lag == published since it joined`, at any moment.
///
/// # Examples
///
/// ```
/// use ringbus::{ReadFrom, RecvError, Ring, Sequence};
///
/// let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_batch(2).build()?;
/// let mut monitor = ring.optional("monitor").resume(ReadFrom::Oldest { headroom: 0 }).join()?;
///
/// producer.publish(&100)?;
/// assert_eq!(monitor.try_recv(), Ok((Sequence::new(0), 100)));
/// assert_eq!(monitor.try_recv(), Err(RecvError::Empty));
///
/// for event in 101..121 {
///     producer.publish(&event)?; // never waits for the monitor
/// }
/// // 21 events are published, of which the last 6 (capacity less max batch) can be read.
/// assert_eq!(monitor.try_recv(), Err(RecvError::Lagged { missed: 14, resumed_at: Sequence::new(15) }));
/// assert_eq!(monitor.try_recv(), Ok((Sequence::new(15), 115)));
/// assert_eq!(monitor.delivered() + monitor.missed() + monitor.lag(), 21);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OptionalConsumer<E: Event, W: WaitStrategy = BackOff> {
    reader: Reader<E>,
    wait: W,
}

/// What reading needs, apart from the wait strategy.
struct Reader<E> {
    cursor: Projection<Core, Cursor>,
    slots: Slots<E>,
    window: Window,
    resume: ReadFrom,
    /// The next sequence to read.
    position: u64,
    /// What lies between the position and this was published when last looked.
    seen: u64,
    pace: Pace,
    /// What of the position is not delivered: where it joined, and what was missed or let pass since.
    not_delivered: u64,
    missed: u64,
    /// Where others see what it counts.
    listener: Arc<Listener>,
}

/// Events that were appended to a caller's buffer by one validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// How many events right before `first` are lost, exactly; 0 where none are.
    pub missed: u64,
    /// The sequence of the first event appended. The others follow without a gap.
    pub first: Sequence,
    /// How many events were appended: at least 1.
    pub count: usize,
}

impl<E: Event> Reader<E> {
    /// Looks whether there is something to read: how much is published from the position on, all of it readable at that
    /// moment.
    #[inline(always)]
    fn look(&mut self) -> Result<u64, RecvError> {
        let observed = self.cursor.peek();
        match observed.count - self.position {
            0 if observed.closed || self.cursor.owner().attention.is_stopped() => self.look_closer(),
            0 => Err(RecvError::Empty),
            unread if unread > self.window.len => Err(self.lagged(observed.count)),
            unread => {
                if observed.count - self.seen.max(self.position) > 1 {
                    // For the reason given in `batch.rs`.
                    stop_speculation();
                }
                self.seen = observed.count;
                Ok(unread)
            }
        }
    }

    #[inline(always)]
    fn try_recv(&mut self) -> Result<(Sequence, E), RecvError> {
        self.take(|slots, sequence, cursor| slots.copy(sequence).confirm(cursor))
    }

    #[inline(always)]
    fn try_recv_prefix(
        &mut self,
        into: &mut [u8],
        head: usize,
        used: impl FnOnce(&[u8]) -> usize,
    ) -> Result<(Sequence, usize), RecvError> {
        self.take(|slots, sequence, cursor| slots.copy_prefix(sequence, into, head, used).confirm(cursor))
    }

    /// Takes the next event, by a copy that was confirmed or showed where the cursor is.
    #[inline(always)]
    fn take<T>(
        &mut self,
        copy: impl FnOnce(&Slots<E>, u64, &Cursor) -> Result<T, u64>,
    ) -> Result<(Sequence, T), RecvError> {
        // What an earlier look has shown stays published, and its acquire fence stands before this copy as well (publish/peek). Whether
        // it was overwritten since, the look after the copy tells (overwrite/recheck).
        if self.position >= self.seen {
            self.look()?;
        }
        match copy(&self.slots, self.position, &self.cursor) {
            Ok(copied) => {
                let sequence = Sequence::new(self.position);
                self.deliver(1);
                Ok((sequence, copied))
            }
            Err(cursor) => Err(self.lagged(cursor)),
        }
    }

    fn try_recv_many(&mut self, buffer: &mut Vec<E>) -> Result<Received, RecvError> {
        if buffer.capacity() == buffer.len() {
            return Err(RecvError::BufferFull);
        }
        let unread = self.look()?;
        let from = self.position;
        let copied = self.slots.copy_many(from, unread as usize, buffer);
        let copied_end = from + copied.count() as u64;
        let resume = |intact_from, cursor| match self.resume {
            // What was copied and is intact needs no headroom any more.
            ReadFrom::Oldest { .. } if intact_from < copied_end => intact_from,
            resume => self.window.resolve(resume, cursor),
        };
        let (first, count) = copied.confirm(&self.cursor, resume);
        let missed = first - from;
        if missed > 0 {
            self.miss(missed);
        }
        self.deliver(count as u64);
        let first = Sequence::new(first);
        if count == 0 {
            Err(RecvError::Lagged { missed, resumed_at: first })
        } else {
            Ok(Received { missed, first, count })
        }
    }

    /// Goes on where the consumer wants to after an overrun, which the cursor has shown.
    #[cold]
    fn lagged(&mut self, cursor: u64) -> RecvError {
        let resumed_at = self.window.resolve(self.resume, cursor);
        let missed = resumed_at - self.position;
        self.miss(missed);
        RecvError::Lagged { missed, resumed_at: Sequence::new(resumed_at) }
    }

    #[inline(always)]
    fn delivered(&self) -> u64 {
        self.position - self.not_delivered
    }

    #[inline(always)]
    fn deliver(&mut self, events: u64) {
        self.position += events;
        self.listener.tally.delivered.set(self.delivered());
    }

    #[cold]
    fn miss(&mut self, events: u64) {
        self.position += events;
        self.not_delivered += events;
        self.missed += events;
        self.listener.tally.missed.set(self.missed);
        // Whoever is overrun is on nobody's heels.
        self.pace.stop();
    }

    /// Looks again, where there was nothing, and the ring is closed or stopped: what was published, or closed, before the stop
    /// is seen after it.
    #[cold]
    fn look_closer(&mut self) -> Result<u64, RecvError> {
        let attention = &self.cursor.owner().attention;
        let stopped = attention.stopped();
        let observed = self.cursor.peek();
        match (observed.count - self.position, stopped) {
            (0, _) if observed.closed => Err(RecvError::Ended(attention.end())),
            (0, Some(end)) => Err(RecvError::Ended(end)),
            (0, None) => Err(RecvError::Empty),
            (unread, _) if unread > self.window.len => Err(self.lagged(observed.count)),
            (unread, _) => Ok(unread),
        }
    }
}

impl<E: Event> Reading for Reader<E> {
    #[inline(always)]
    fn position(&self) -> u64 {
        self.position
    }

    #[inline(always)]
    fn seen(&self) -> u64 {
        self.seen
    }

    #[inline(always)]
    fn glance(&self) -> bool {
        // Lest the event's line is asked for only when the cursor's has come.
        self.slots.prefetch(self.position);
        self.cursor.owner().has_news(self.position)
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }
}

impl<E: Event, W: WaitStrategy> OptionalConsumer<E, W> {
    /// The next event and its sequence; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] where events were missed, [`RecvError::Ended`] at the end; never [`RecvError::Empty`].
    #[inline]
    pub fn recv(&mut self) -> Result<(Sequence, E), RecvError> {
        self.wait_for(Until::Done, || false, Reader::try_recv)
    }

    /// The next event and its sequence, if there is one now.
    ///
    /// # Errors
    ///
    /// [`RecvError::Empty`] if there is none; [`RecvError::Lagged`] where events were missed; [`RecvError::Ended`] at the
    /// end.
    #[inline]
    pub fn try_recv(&mut self) -> Result<(Sequence, E), RecvError> {
        self.reader.try_recv()
    }

    /// The next event and its sequence; waits until there is one or `deadline` has passed. Looks once, also if it has passed
    /// before.
    ///
    /// # Errors
    ///
    /// [`RecvError::Empty`] when the deadline has passed; [`RecvError::Lagged`] where events were missed;
    /// [`RecvError::Ended`] at the end.
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<(Sequence, E), RecvError> {
        self.wait_for(Until::Deadline(deadline), || false, Reader::try_recv)
    }

    /// Copies the beginning of the next event into `into`, and no more than is in use; waits until there is one. For events of which
    /// most are much shorter than the longest: see [`Claim::push_prefix`](crate::Claim::push_prefix), which has an example.
    ///
    /// The first `head` bytes are copied first, and `used` is asked how many bytes of the event are in use. It is shown bytes that
    /// may be torn, those of two events: what it says is brought between `head` and the size of an event, and if the event turns out
    /// to be overwritten nothing is returned. It may be called more than once.
    ///
    /// Returns the event's sequence, and how many bytes it has. Bytes of `into` behind these, and all of it after an error, are left as
    /// they happen to be.
    ///
    /// # Errors
    ///
    /// As for [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// If `into` is shorter than an event, `head` is longer, or `head` is not a multiple of 8.
    #[inline]
    pub fn recv_prefix(
        &mut self,
        into: &mut [u8],
        head: usize,
        used: impl FnMut(&[u8]) -> usize,
    ) -> Result<(Sequence, usize), RecvError> {
        self.recv_prefix_unless(into, head, used, Until::Done, || false)
    }

    /// As [`recv_prefix`](Self::recv_prefix), if there is an event now.
    ///
    /// # Errors
    ///
    /// As for [`try_recv`](Self::try_recv).
    ///
    /// # Panics
    ///
    /// As [`recv_prefix`](Self::recv_prefix).
    #[inline]
    pub fn try_recv_prefix(
        &mut self,
        into: &mut [u8],
        head: usize,
        used: impl FnOnce(&[u8]) -> usize,
    ) -> Result<(Sequence, usize), RecvError> {
        self.reader.try_recv_prefix(into, head, used)
    }

    /// As [`recv_prefix`](Self::recv_prefix), for as long as `until` says; `Empty` also once `interrupted` says so.
    #[inline]
    pub(crate) fn recv_prefix_unless(
        &mut self,
        into: &mut [u8],
        head: usize,
        mut used: impl FnMut(&[u8]) -> usize,
        until: Until,
        interrupted: impl FnMut() -> bool,
    ) -> Result<(Sequence, usize), RecvError> {
        self.wait_for(until, interrupted, |reader| reader.try_recv_prefix(into, head, &mut used))
    }

    /// Appends to `buffer` as many events as are published and fit into its spare capacity, by one validation; waits until
    /// there is one. The buffer is never reallocated; what it holds stays.
    ///
    /// Events that are overwritten while they are copied are dropped and counted in [`Received::missed`]; those behind them are
    /// appended.
    ///
    /// ```
    /// use ringbus::{Received, Ring, Sequence};
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().capacity(64).build()?;
    /// let mut monitor = ring.optional("monitor").join()?;
    /// producer.publish_batch(&[7, 8, 9])?;
    ///
    /// let mut events = Vec::with_capacity(2);
    /// let received = monitor.recv_many(&mut events)?;
    /// assert_eq!(received, Received { missed: 0, first: Sequence::new(0), count: 2 });
    /// assert_eq!(events, [7, 8]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvError::BufferFull`] if `buffer` has no spare capacity; [`RecvError::Lagged`] if all was missed that could be
    /// read; [`RecvError::Ended`] at the end; never [`RecvError::Empty`].
    #[inline]
    pub fn recv_many(&mut self, buffer: &mut Vec<E>) -> Result<Received, RecvError> {
        self.wait_for(Until::Done, || false, |reader| reader.try_recv_many(buffer))
    }

    /// As [`recv_many`](Self::recv_many) and its forms; `Empty` also once `interrupted` says so.
    #[inline]
    pub(crate) fn recv_many_unless(
        &mut self,
        buffer: &mut Vec<E>,
        until: Until,
        interrupted: impl FnMut() -> bool,
    ) -> Result<Received, RecvError> {
        self.wait_for(until, interrupted, |reader| reader.try_recv_many(buffer))
    }

    /// As [`recv_many`](Self::recv_many), if there is an event now.
    ///
    /// # Errors
    ///
    /// [`RecvError::Empty`] if there is none, and those of [`recv_many`](Self::recv_many).
    #[inline]
    pub fn try_recv_many(&mut self, buffer: &mut Vec<E>) -> Result<Received, RecvError> {
        self.reader.try_recv_many(buffer)
    }

    /// As [`recv_many`](Self::recv_many), and waits until `deadline`.
    ///
    /// # Errors
    ///
    /// [`RecvError::Empty`] when the deadline has passed, and those of [`recv_many`](Self::recv_many).
    #[inline]
    pub fn recv_many_deadline(
        &mut self,
        buffer: &mut Vec<E>,
        deadline: Instant,
    ) -> Result<Received, RecvError> {
        self.wait_for(Until::Deadline(deadline), || false, |reader| reader.try_recv_many(buffer))
    }

    #[inline(always)]
    fn wait_for<T>(
        &mut self,
        until: Until,
        interrupted: impl FnMut() -> bool,
        mut receive: impl FnMut(&mut Reader<E>) -> Result<T, RecvError>,
    ) -> Result<T, RecvError> {
        let Self { reader, wait } = self;
        let look = |reader: &mut Reader<E>| match receive(reader) {
            Err(RecvError::Empty) => None,
            answer => Some(answer),
        };
        // Nobody wakes an optional consumer.
        poll(reader, until, wait, |_| None, interrupted, look).unwrap_or(Err(RecvError::Empty))
    }

    /// Moves ahead, to the newest event for instance, and counts what lies between as missed. Returns how many those are.
    ///
    /// # Errors
    ///
    /// [`StartError::NotYetPublished`] for a sequence beyond the cursor, [`StartError::Backwards`] for one before the
    /// position; the consumer stays where it is.
    pub fn skip_to(&mut self, to: ReadFrom) -> Result<u64, StartError> {
        let target = match to {
            ReadFrom::Sequence(asked) if asked < self.position() => {
                return Err(StartError::Backwards {
                    consumer: Arc::clone(&self.reader.listener.name),
                    asked,
                    position: self.position(),
                });
            }
            // What the others mean may lie behind, where this consumer has been already.
            to => {
                let Reader { window, cursor, listener, position, .. } = &self.reader;
                window.start(cursor, &listener.name, to)?.max(*position)
            }
        };
        let missed = target - self.reader.position;
        self.reader.miss(missed);
        Ok(missed)
    }

    /// Gets nothing for a while. [`Paused::resume`] says how many events passed meanwhile; they count as
    /// [let pass](Self::let_pass), not as missed. It goes on at the newest.
    ///
    /// ```
    /// use ringbus::Ring;
    ///
    /// let (mut producer, ring) = Ring::<u64>::builder().build()?;
    /// let mut monitor = ring.optional("monitor").join()?;
    /// let paused = monitor.pause();
    /// producer.publish_batch(&[1, 2, 3])?;
    /// assert_eq!(paused.resume(), 3);
    /// producer.publish(&4)?;
    /// assert_eq!(monitor.recv()?.1, 4);
    /// assert_eq!((monitor.delivered(), monitor.missed(), monitor.let_pass()), (1, 0, 3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&mut self) -> Paused<'_, Self> {
        self.begin_pause();
        Paused::new(self)
    }

    /// For who makes a [`Paused`] of its own.
    pub(crate) fn begin_pause(&mut self) {
        self.core().listeners.locked(|| self.reader.listener.tally.is_paused.set(1));
    }

    /// Puts this consumer on a thread of its own: see [`worker`](crate::worker).
    pub fn into_worker(self) -> WorkerBuilder<Self>
    where
        W: 'static,
    {
        WorkerBuilder::new(self)
    }

    pub(crate) fn listener(&self) -> &Arc<Listener> {
        &self.reader.listener
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        self.reader.cursor.owner()
    }

    /// The name it joined with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.reader.listener.name
    }

    /// The sequence it started at.
    #[must_use]
    pub fn joined_at(&self) -> Sequence {
        Sequence::new(self.reader.listener.joined_at)
    }

    /// The sequence it reads next.
    #[must_use]
    pub fn position(&self) -> Sequence {
        Sequence::new(self.reader.position)
    }

    /// How many events it was given since it joined.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.reader.delivered()
    }

    /// How many events it has lost or skipped since it joined, exactly. An overrun counts when it is noticed: until then
    /// the events are part of the [`lag`](Self::lag).
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.reader.missed
    }

    /// How many events have passed it while it was [paused](Self::pause).
    #[must_use]
    pub fn let_pass(&self) -> u64 {
        self.reader.listener.tally.let_pass.get()
    }

    /// How many events are published and neither delivered, missed nor let pass at this moment. The producer may publish more
    /// meanwhile.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.reader.cursor.glance().count - self.reader.position
    }
}

impl<E: Event, W: WaitStrategy> pause::sealed::Pausable for OptionalConsumer<E, W> {
    fn resume(&mut self, _: Token) -> u64 {
        let Reader { cursor, position, not_delivered, listener, .. } = &mut self.reader;
        let passed = cursor.peek().count - *position;
        *position += passed;
        *not_delivered += passed;
        cursor.owner().listeners.locked(|| {
            listener.tally.let_pass.set(listener.tally.let_pass.get() + passed);
            listener.tally.is_paused.set(0);
        });
        passed
    }
}

impl<E: Event, W: WaitStrategy> Drop for OptionalConsumer<E, W> {
    fn drop(&mut self) {
        self.reader.cursor.owner().listeners.remove(&self.reader.listener);
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for OptionalConsumer<E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionalConsumer")
            .field("name", &self.name())
            .field("position", &self.position())
            .field("missed", &self.missed())
            .field("lag", &self.lag())
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Otherwise it would be overrun again while it waits.
    #[test]
    fn an_overrun_ends_the_delays() {
        let (mut producer, ring) = Ring::<u64>::builder().capacity(1_024).build().unwrap();
        let mut one = ring.optional("one by one").join().unwrap();
        let mut many = ring.optional("many").join().unwrap();
        for consumer in [&mut one, &mut many] {
            consumer.reader.pace = Pace::about_to_delay(1_024);
        }
        (0..2_000).for_each(|event| _ = producer.publish(&event).unwrap());
        assert!(matches!(one.try_recv(), Err(RecvError::Lagged { .. })));
        assert!(matches!(many.try_recv_many(&mut Vec::with_capacity(8)), Err(RecvError::Lagged { .. })));
        for consumer in [one, many] {
            assert!(!consumer.reader.pace.is_about_to_delay());
        }
    }
}
