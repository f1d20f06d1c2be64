//! Records of a bus in another process, whatever the size of its slots.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use super::account::Tally;
use super::filter::Filter;
use super::lines::Lines;
use super::record::{Flags, HEADER_BYTES, Header};
use super::record_ref::RecordRef;
use crate::read_from::ReadFrom;
use crate::sequence::Sequence;
use crate::shared::{AttachError, ObserveError, Origin, RingFile, Settings, Watching};
use crate::storage::UnsizedSlots;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::Until;

/// Settings of an observer of records that is about to attach: see [`RecordObserver::builder`].
#[must_use = "nothing is attached before `attach` is called"]
#[derive(Debug)]
pub struct RecordObserverBuilder<W: WaitStrategy = BackOff> {
    settings: Settings,
    filter: Filter,
    wait: W,
}

impl<W: WaitStrategy> RecordObserverBuilder<W> {
    /// How it waits in its blocking calls; [`BackOff`] unless set. Nobody wakes it.
    pub fn wait<V: WaitStrategy>(self, wait: V) -> RecordObserverBuilder<V> {
        let Self { settings, filter, .. } = self;
        RecordObserverBuilder { settings, filter, wait }
    }

    /// Which records it gets; all unless set.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Where to start; [`ReadFrom::Newest`] unless set. Where that is in the middle of a payload of several slots, the rest of it counts as
    /// missed.
    pub fn start(mut self, start: ReadFrom) -> Self {
        self.settings.start = start;
        self
    }

    /// Where to go on after it was overrun: see [`ObserverBuilder::resume`](crate::shared::ObserverBuilder::resume).
    pub fn resume(mut self, resume: ReadFrom) -> Self {
        self.settings.resume = Some(resume);
        self
    }

    /// Whether it lets the writer get ahead when it runs on its heels: see
    /// [`ObserverBuilder::paced`](crate::shared::ObserverBuilder::paced).
    pub fn paced(mut self, is_paced: bool) -> Self {
        self.settings.is_paced = is_paced;
        self
    }

    /// Attaches, while the writer runs, which does not notice.
    ///
    /// # Errors
    ///
    /// [`AttachError`]: there is no ring at the path, or not that of a bus, or it does not have the sequence to start at.
    pub fn attach(self) -> Result<RecordObserver<W>, AttachError> {
        self.attach_as(false)
    }

    /// Attaches, and goes on with the next bus that is placed at the path when this one has ended, like `tail -F`: see
    /// [`ObserveError::Ended`] and [`ObserveError::Restarted`].
    ///
    /// # Errors
    ///
    /// As for [`attach`](Self::attach): there must be a bus now.
    pub fn attach_following(self) -> Result<RecordObserver<W>, AttachError> {
        self.attach_as(true)
    }

    fn attach_as(self, follows: bool) -> Result<RecordObserver<W>, AttachError> {
        let Self { settings, filter, wait } = self;
        let watching = Watching::attach(settings, open, follows)?;
        Ok(RecordObserver {
            watching,
            filter,
            wait,
            slot: Lines::default(),
            assembly: Lines::default(),
            record: Copied::default(),
            lost: 0,
            untold: None,
            tally: Tally::default(),
        })
    }
}

/// The slots of a bus.
fn open(origin: &Origin) -> Result<UnsizedSlots, AttachError> {
    let info = &origin.info;
    match info.slot_payload {
        Some(_) => Ok(UnsizedSlots::new(origin.slots(), info.slot_bytes, info.capacity, info.max_batch)),
        None => Err(AttachError::NotABus { path: origin.path.clone(), slot_bytes: info.slot_bytes }),
    }
}

/// An optional subscription to the bus of another process: it copies records out of the bus's file, which it has mapped to be read only, and
/// is told exactly how many sequences it missed. The writer does not notice it.
///
/// What the records look like, the file says ([`Info::schema`](crate::shared::Info)): it needs no code of the core. Otherwise it does what
/// an [`OptionalSubscription`](super::OptionalSubscription) does, and what an [`Observer`](crate::shared::Observer) does beside that.
///
/// ```
/// use ringbus::ReadFrom;
/// use ringbus::bus::{BlockStart, Bus, Hash, RecordObserver};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("testnet");
/// let (mut writer, _bus) = Bus::<192>::builder("testnet").shared(&path).build()?;
/// writer.begin_block(BlockStart { height: 7, time: 0, hash: Hash::new([1; 32]) })?;
///
/// // In another process:
/// let mut observer = RecordObserver::builder(&path).start(ReadFrom::Oldest { headroom: 0 }).attach()?;
/// let file = observer.file();
/// let schema = file.info().schema.as_ref().expect("it is a bus");
/// let printed = schema.display(&observer.recv()?).to_string();
/// assert!(printed.starts_with("BlockBegun { hash: 0101"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RecordObserver<W: WaitStrategy = BackOff> {
    watching: Watching<UnsizedSlots>,
    filter: Filter,
    wait: W,
    /// The slot that was copied last.
    slot: Lines,
    /// The payload of a record of several slots, as far as it was copied.
    assembly: Lines,
    record: Copied,
    /// Sequences that were lost, and not told yet.
    lost: u64,
    /// What else is to be told, behind the loss.
    untold: Option<ObserveError>,
    tally: Tally,
}

/// A record of which some slots have been copied.
#[derive(Default)]
struct Copied {
    first: Sequence,
    header: Header,
    /// How many slots; 0: there is no such record.
    slots: u64,
    /// How many bytes of its payload were copied.
    len: usize,
    /// All of it has been copied.
    is_whole: bool,
    /// It has been accounted for, and may have been handed out.
    is_done: bool,
}

impl Copied {
    /// The record, once it is whole: in the one slot that was copied, or put together.
    fn look_at<'a>(&'a self, slot: &'a Lines, assembly: &'a Lines) -> RecordRef<'a> {
        let payload = if self.slots == 1 { &slot.bytes()[HEADER_BYTES..] } else { assembly.bytes() };
        RecordRef::new(self.first, &self.header, &payload[..self.len])
    }
}

impl RecordObserver {
    /// Attaches to the bus at `path`, at the newest record.
    ///
    /// # Errors
    ///
    /// As for [`RecordObserverBuilder::attach`].
    pub fn attach(path: impl AsRef<Path>) -> Result<Self, AttachError> {
        Self::builder(path).attach()
    }

    /// Settings for an observer of the bus at `path`.
    pub fn builder(path: impl AsRef<Path>) -> RecordObserverBuilder {
        Self::with(Settings::new(path.as_ref()))
    }

    /// Settings for an observer of a bus whose file has been opened: this one, whatever is at its path by now.
    pub fn of(file: &RingFile) -> RecordObserverBuilder {
        Self::with(Settings::of(file))
    }

    fn with(settings: Settings) -> RecordObserverBuilder {
        RecordObserverBuilder { settings, filter: Filter::all(), wait: BackOff::default() }
    }
}

impl<W: WaitStrategy> RecordObserver<W> {
    /// The next record that passes the filter; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`ObserveError`], never [`ObserveError::Empty`].
    pub fn recv(&mut self) -> Result<RecordRef<'_>, ObserveError> {
        self.recv_until(Until::Done)
    }

    /// The next record that passes the filter, if there is one now.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]. That its core has died is found out by one call in 16 that find nothing, at most once a millisecond.
    pub fn try_recv(&mut self) -> Result<RecordRef<'_>, ObserveError> {
        self.recv_until(Until::Now)
    }

    /// The next record that passes the filter; waits until there is one or `deadline` has passed. Looks once, also if it has passed
    /// before.
    ///
    /// # Errors
    ///
    /// [`ObserveError`].
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<RecordRef<'_>, ObserveError> {
        self.recv_until(Until::Deadline(deadline))
    }

    fn recv_until(&mut self, until: Until) -> Result<RecordRef<'_>, ObserveError> {
        // However much there is that does not pass, a call that does not wait ends with what was there when it began.
        let end = match until {
            Until::Now => self.watching.reader.position + self.watching.reader.lag(),
            Until::Deadline(_) | Until::Done => u64::MAX,
        };
        loop {
            self.fill(until)?;
            if self.passes() {
                return Ok(self.record.look_at(&self.slot, &self.assembly));
            }
            let is_over = match until {
                Until::Now => self.watching.reader.position >= end,
                Until::Deadline(deadline) => Instant::now() >= deadline,
                Until::Done => false,
            };
            if is_over {
                return Err(ObserveError::Empty);
            }
        }
    }

    /// Copies slots until a record is whole. What was lost before it is told first.
    fn fill(&mut self, until: Until) -> Result<(), ObserveError> {
        if let Some(untold) = self.untold.take() {
            return Err(untold);
        }
        if self.record.is_done {
            self.record = Copied::default();
        }
        while !self.record.is_whole {
            // What is known to be lost is told now, whatever comes when.
            let until = if self.lost > 0 { Until::Now } else { until };
            match self.copy(until) {
                Ok(sequence) => self.add(sequence),
                Err(ObserveError::Lagged { missed, .. }) => self.lose(missed),
                Err(nothing) => {
                    if nothing != ObserveError::Empty {
                        // A payload that was begun is not ended any more.
                        self.lose(0);
                    }
                    if self.lost == 0 {
                        return Err(nothing);
                    }
                    self.untold = Some(nothing).filter(|nothing| *nothing != ObserveError::Empty);
                    return Err(self.lagged(self.watching.reader.position.into()));
                }
            }
        }
        if self.lost > 0 { Err(self.lagged(self.record.first)) } else { Ok(()) }
    }

    /// Copies the next slot: its header, and its payload if the filter may want that.
    fn copy(&mut self, until: Until) -> Result<Sequence, ObserveError> {
        let Self { watching, filter, wait, slot, .. } = self;
        watching.wait_for(until, wait, |reader| {
            let slot_bytes = reader.slot_bytes();
            slot.reserve(slot_bytes);
            let in_use = |head: &[u8]| {
                let header: &Header = bytemuck::from_bytes(head);
                let wanted = filter.header().lets_pass(header);
                HEADER_BYTES + if wanted { usize::from(header.len) } else { 0 }
            };
            let copied = reader.try_recv_prefix(&mut slot.bytes_mut()[..slot_bytes], HEADER_BYTES, in_use);
            copied.map(|(sequence, _)| sequence)
        })
    }

    /// Adds the slot that was copied to the record.
    fn add(&mut self, sequence: Sequence) {
        let header: Header = *bytemuck::from_bytes(&self.slot.bytes()[..HEADER_BYTES]);
        if header.flags.has(Flags::FIRST_FRAGMENT) {
            // (Of a payload that was begun and never ended, which no bus publishes.)
            self.lose(0);
            self.record = Copied { first: sequence, header, ..Copied::default() };
        } else if self.record.slots == 0 || self.record.slots == self.most_slots() {
            // The rest of what was lost; or more than any bus publishes at once.
            return self.lose(1);
        }
        self.record.slots += 1;
        self.record.is_whole = header.flags.has(Flags::LAST_FRAGMENT);
        let (begin, slot_payload) = (self.record.len, self.watching.reader.slot_bytes() - HEADER_BYTES);
        let fragment = &self.slot.bytes()[HEADER_BYTES..][..usize::from(header.len).min(slot_payload)];
        let end = begin + fragment.len();
        if self.record.slots > 1 || !self.record.is_whole {
            self.assembly.reserve(end);
            self.assembly.bytes_mut()[begin..end].copy_from_slice(fragment);
        }
        self.record.len = end;
    }

    /// So many sequences are lost, and with them what was copied of a payload.
    fn lose(&mut self, missed: u64) {
        let lost = missed + std::mem::take(&mut self.record).slots;
        self.lost += lost;
        self.tally.missed += lost;
    }

    fn lagged(&mut self, resumed_at: Sequence) -> ObserveError {
        ObserveError::Lagged { missed: std::mem::take(&mut self.lost), resumed_at }
    }

    /// Whether the record that is whole passes the filter. It is accounted for.
    fn passes(&mut self) -> bool {
        let Self { filter, record, slot, assembly, .. } = self;
        let passes = filter.header().lets_pass(&record.header)
            && filter.lets_record_pass(record.look_at(slot, assembly));
        let counter = if passes { &mut self.tally.passed } else { &mut self.tally.filtered_out };
        *counter += self.record.slots;
        self.record.is_done = true;
        passes
    }

    /// The most slots that a payload can take.
    fn most_slots(&self) -> u64 {
        self.watching.reader.source.origin().info.max_batch as u64
    }

    /// How many sequences were copied, and are not accounted for.
    fn in_hand(&self) -> u64 {
        if self.record.is_done { 0 } else { self.record.slots }
    }

    /// The bus that it reads now.
    #[must_use]
    pub fn file(&self) -> RingFile {
        self.watching.file()
    }

    /// The first sequence that is not accounted for.
    #[must_use]
    pub fn position(&self) -> Sequence {
        Sequence::new(self.watching.reader.position - self.in_hand())
    }

    /// What has become of the sequences since it attached, on all buses that it has followed.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// How many sequences are published and not accounted for at this moment.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.watching.lag() + self.in_hand()
    }
}

impl<W: WaitStrategy> fmt::Debug for RecordObserver<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordObserver")
            .field("file", &self.file())
            .field("position", &self.position())
            .field("tally", &self.tally)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}
