//! Optional consumers: copy, validate, count what was missed.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::cursor::Cursor;
use crate::error::{End, RecvError, StartError};
use crate::event::Event;
use crate::member::Listener;
use crate::pace::Pace;
use crate::pause::{self, Paused};
use crate::read_from::{ReadFrom, Window};
use crate::reader::{Reader, Source};
use crate::ring::{Core, Ring};
use crate::sequence::Sequence;
use crate::storage::{PrefixSlots, Slots};
use crate::sync::Projection;
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::{Until, poll};
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
        let source = Joined { cursor: Projection::new(core, |core| &*core.cursor), listener };
        let pace = Pace::new(core.capacity, is_paced);
        let reader = Reader::new(source, ring.slots.clone(), window, resume, position, pace);
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
    reader: Reader<Slots<E>, Joined>,
    wait: W,
}

/// An optional consumer's end of its ring: the cursor, how the stream ends, and where others see what it counts.
struct Joined {
    cursor: Projection<Core, Cursor>,
    listener: Arc<Listener>,
}

impl Source for Joined {
    #[inline(always)]
    fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    #[inline(always)]
    fn is_interrupted(&self) -> bool {
        self.cursor.owner().attention.is_stopped()
    }

    fn interrupted(&self) -> Option<End> {
        self.cursor.owner().attention.stopped()
    }

    fn end(&self) -> End {
        self.cursor.owner().attention.end()
    }

    #[inline(always)]
    fn delivered(&self, total: u64) {
        self.listener.tally.delivered.set(total);
    }

    fn missed(&self, total: u64) {
        self.listener.tally.missed.set(total);
    }
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
        mut receive: impl FnMut(&mut Reader<Slots<E>, Joined>) -> Result<T, RecvError>,
    ) -> Result<T, RecvError> {
        let Self { reader, wait } = self;
        let look = |reader: &mut Reader<Slots<E>, Joined>| match receive(reader) {
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
        self.reader.skip_to(&self.reader.source.listener.name.clone(), to)
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
        self.core().listeners.locked(|| self.reader.source.listener.tally.is_paused.set(1));
    }

    /// Puts this consumer on a thread of its own: see [`worker`](crate::worker).
    pub fn into_worker(self) -> WorkerBuilder<Self>
    where
        W: 'static,
    {
        WorkerBuilder::new(self)
    }

    pub(crate) fn listener(&self) -> &Arc<Listener> {
        &self.reader.source.listener
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        self.reader.source.cursor.owner()
    }

    /// The name it joined with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.reader.source.listener.name
    }

    /// The sequence it started at.
    #[must_use]
    pub fn joined_at(&self) -> Sequence {
        Sequence::new(self.reader.source.listener.joined_at)
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
        self.reader.source.listener.tally.let_pass.get()
    }

    /// How many events are published and neither delivered, missed nor let pass at this moment. The producer may publish more
    /// meanwhile.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.reader.lag()
    }
}

impl<E: Event, W: WaitStrategy> pause::sealed::Pausable for OptionalConsumer<E, W> {
    fn resume(&mut self, _: Token) -> u64 {
        let passed = self.reader.source.cursor.peek().count - self.reader.position;
        self.reader.let_pass(passed);
        let Joined { cursor, listener } = &self.reader.source;
        cursor.owner().listeners.locked(|| {
            listener.tally.let_pass.set(listener.tally.let_pass.get() + passed);
            listener.tally.is_paused.set(0);
        });
        passed
    }
}

impl<E: Event, W: WaitStrategy> Drop for OptionalConsumer<E, W> {
    fn drop(&mut self) {
        self.reader.source.cursor.owner().listeners.remove(&self.reader.source.listener);
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
