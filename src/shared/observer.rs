//! Optional consumers in other processes.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::time::Instant;

use bytemuck::AnyBitPattern;

use super::attached::Attached;
use super::error::{AttachError, ObserveError};
use super::ring_file::RingFile;
use super::watching::{Settings, Watching};
use crate::error::StartError;
use crate::event::Event;
use crate::optional::Received;
use crate::read_from::ReadFrom;
use crate::reader::Reader;
use crate::sequence::Sequence;
use crate::storage::Slots;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::Until;

/// Settings of an observer that is about to attach: see [`Observer::builder`].
#[must_use = "nothing is attached before `attach` is called"]
pub struct ObserverBuilder<E, W: WaitStrategy = BackOff> {
    settings: Settings,
    wait: W,
    event: PhantomData<fn() -> E>,
}

impl<E: Event + AnyBitPattern, W: WaitStrategy> ObserverBuilder<E, W> {
    /// How it waits in its blocking calls; [`BackOff`] unless set. Nobody wakes it.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> ObserverBuilder<E, V> {
        ObserverBuilder { settings: self.settings, wait, event: PhantomData }
    }

    /// Where to start; [`ReadFrom::Newest`] unless set.
    pub fn start(mut self, start: ReadFrom) -> Self {
        self.settings.start = start;
        self
    }

    /// Where to go on after it was overrun; the oldest readable event with a headroom of an eighth of the capacity unless set.
    pub fn resume(mut self, resume: ReadFrom) -> Self {
        self.settings.resume = Some(resume);
        self
    }

    /// Whether it lets the producer get ahead when it runs on its heels, in its blocking calls; it does unless set otherwise. See
    /// [`RequiredBuilder::paced`](crate::RequiredBuilder::paced).
    pub fn paced(mut self, is_paced: bool) -> Self {
        self.settings.is_paced = is_paced;
        self
    }

    /// Attaches, while the producer runs, which does not notice.
    ///
    /// # Errors
    ///
    /// [`AttachError`]: there is no ring at the path, or one of other events, or it does not have the sequence to start at.
    pub fn attach(self) -> Result<Observer<E, W>, AttachError> {
        self.attach_as(false)
    }

    /// Attaches, and goes on with the next ring that is placed at the path when this one has ended, like `tail -F`: see
    /// [`ObserveError::Ended`] and [`ObserveError::Restarted`].
    ///
    /// # Errors
    ///
    /// As for [`attach`](Self::attach): there must be a ring now.
    pub fn attach_following(self) -> Result<Observer<E, W>, AttachError> {
        self.attach_as(true)
    }

    fn attach_as(self, follows: bool) -> Result<Observer<E, W>, AttachError> {
        let Self { settings, wait, .. } = self;
        Ok(Observer { watching: Watching::attach(settings, open, follows)?, wait })
    }
}

impl<E, W: WaitStrategy> fmt::Debug for ObserverBuilder<E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserverBuilder")
            .field("settings", &self.settings)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// The slots of a ring whose events are such as `E`.
fn open<E: Event + AnyBitPattern>(attached: &Attached) -> Result<Slots<E>, AttachError> {
    let info = &attached.info;
    let (found, expected) = ((info.slot_bytes, info.slot_align), (size_of::<E>(), align_of::<E>()));
    if found.0 == expected.0 && found.1 >= expected.1 {
        Ok(Slots::observe(attached.slots(), info.capacity, info.max_batch))
    } else {
        Err(AttachError::OtherEvents { path: attached.path.clone(), found, expected })
    }
}

/// An optional consumer of a ring in another process: it copies events out of the ring's file, which it has mapped to be read only, and is
/// told exactly how many it missed. The producer does not notice it.
///
/// It does what an [`OptionalConsumer`](crate::OptionalConsumer) does, by the same code. Besides, it learns that the core's process has
/// died ([`End::ProducerDied`](crate::End::ProducerDied)), when it has drained what was published; and it can go on with the ring of a core
/// that was started anew.
///
/// Nothing says of what type the events of a ring are, apart from size and alignment: read them as the type that they are. (The records of
/// a bus say it: [`RecordObserver`](crate::bus::RecordObserver).)
///
/// For it `delivered + missed + lag == published since it attached`.
///
/// ```
/// use ringbus::shared::{ObserveError, Observer};
/// use ringbus::{End, ReadFrom, Ring, Sequence};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders");
/// let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_batch(2).shared(&path).build()?;
/// producer.publish(&100)?;
///
/// // In another process:
/// let mut observer = Observer::<u64>::builder(&path).start(ReadFrom::Oldest { headroom: 0 }).attach()?;
/// assert_eq!(observer.recv()?, (Sequence::new(0), 100));
/// assert_eq!(observer.try_recv(), Err(ObserveError::Empty));
///
/// for event in 101..121 {
///     producer.publish(&event)?; // never waits for the observer
/// }
/// producer.close()?;
/// assert_eq!(observer.recv(), Err(ObserveError::Lagged { missed: 15, resumed_at: Sequence::new(16) }));
/// assert_eq!(observer.recv()?, (Sequence::new(16), 116));
/// let mut rest = Vec::with_capacity(8);
/// observer.recv_many(&mut rest)?;
/// assert_eq!(rest, [117, 118, 119, 120]);
/// assert_eq!(observer.recv(), Err(ObserveError::Ended(End::Closed)));
/// assert_eq!((observer.delivered(), observer.missed()), (6, 15));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Observer<E: Event, W: WaitStrategy = BackOff> {
    watching: Watching<Slots<E>>,
    wait: W,
}

impl<E: Event + AnyBitPattern> Observer<E> {
    /// Attaches to the ring at `path`, at the newest event.
    ///
    /// # Errors
    ///
    /// As for [`ObserverBuilder::attach`].
    pub fn attach(path: impl AsRef<Path>) -> Result<Self, AttachError> {
        Self::builder(path).attach()
    }

    /// Settings for an observer of the ring at `path`.
    pub fn builder(path: impl AsRef<Path>) -> ObserverBuilder<E> {
        Self::with(Settings::new(path.as_ref()))
    }

    /// Settings for an observer of a ring whose file has been opened: this one, whatever is at its path by now.
    pub fn of(file: &RingFile) -> ObserverBuilder<E> {
        Self::with(Settings::of(file))
    }

    fn with(settings: Settings) -> ObserverBuilder<E> {
        ObserverBuilder { settings, wait: BackOff::default(), event: PhantomData }
    }
}

impl<E: Event, W: WaitStrategy> Observer<E, W> {
    /// The next event and its sequence; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`ObserveError`], never [`ObserveError::Empty`]. That its core has died is found out by one look in 16: soon, unless the wait strategy
    /// sleeps for long.
    #[inline]
    pub fn recv(&mut self) -> Result<(Sequence, E), ObserveError> {
        self.recv_until(Until::Done)
    }

    /// The next event and its sequence, if there is one now.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]. That its core has died is found out by one call in 16 that find nothing, at most once a millisecond.
    #[inline]
    pub fn try_recv(&mut self) -> Result<(Sequence, E), ObserveError> {
        self.recv_until(Until::Now)
    }

    /// The next event and its sequence; waits until there is one or `deadline` has passed. Looks once, also if it has passed
    /// before.
    ///
    /// # Errors
    ///
    /// [`ObserveError`].
    #[inline]
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<(Sequence, E), ObserveError> {
        self.recv_until(Until::Deadline(deadline))
    }

    #[inline(always)]
    fn recv_until(&mut self, until: Until) -> Result<(Sequence, E), ObserveError> {
        self.watching.wait_for(until, &mut self.wait, Reader::try_recv)
    }

    /// Appends to `buffer` as many events as are published and fit into its spare capacity, by one validation; waits until
    /// there is one: see [`OptionalConsumer::recv_many`](crate::OptionalConsumer::recv_many).
    ///
    /// # Errors
    ///
    /// [`ObserveError`], never [`ObserveError::Empty`].
    #[inline]
    pub fn recv_many(&mut self, buffer: &mut Vec<E>) -> Result<Received, ObserveError> {
        self.recv_many_until(buffer, Until::Done)
    }

    /// As [`recv_many`](Self::recv_many), if there is an event now.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]. That its core has died is found out by one call in 16 that find nothing, at most once a millisecond.
    #[inline]
    pub fn try_recv_many(&mut self, buffer: &mut Vec<E>) -> Result<Received, ObserveError> {
        self.recv_many_until(buffer, Until::Now)
    }

    /// As [`recv_many`](Self::recv_many), and waits until `deadline`.
    ///
    /// # Errors
    ///
    /// [`ObserveError`].
    #[inline]
    pub fn recv_many_deadline(
        &mut self,
        buffer: &mut Vec<E>,
        deadline: Instant,
    ) -> Result<Received, ObserveError> {
        self.recv_many_until(buffer, Until::Deadline(deadline))
    }

    #[inline(always)]
    fn recv_many_until(&mut self, buffer: &mut Vec<E>, until: Until) -> Result<Received, ObserveError> {
        self.watching.wait_for(until, &mut self.wait, |reader| reader.try_recv_many(buffer))
    }

    /// Moves ahead, to the newest event for instance, and counts what lies between as missed. Returns how many those are.
    ///
    /// # Errors
    ///
    /// As for [`OptionalConsumer::skip_to`](crate::OptionalConsumer::skip_to).
    pub fn skip_to(&mut self, to: ReadFrom) -> Result<u64, StartError> {
        self.watching.skip_to(to)
    }

    /// The ring that it reads now.
    #[must_use]
    pub fn file(&self) -> RingFile {
        self.watching.file()
    }

    /// The sequence it reads next.
    #[must_use]
    pub fn position(&self) -> Sequence {
        Sequence::new(self.watching.reader.position)
    }

    /// How many events it was given since it attached.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.watching.delivered()
    }

    /// How many events it has lost or skipped since it attached, exactly. An overrun counts when it is noticed: until then the events are
    /// part of the [`lag`](Self::lag).
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.watching.missed()
    }

    /// How many events are published and neither delivered nor missed at this moment. The producer may publish more meanwhile.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.watching.lag()
    }
}

impl<E: Event, W: WaitStrategy> fmt::Debug for Observer<E, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("file", &self.file())
            .field("position", &self.position())
            .field("missed", &self.missed())
            .field("lag", &self.lag())
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
