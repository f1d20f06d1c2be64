//! From the journal to the live ring, and back when it was overrun: everything, without holding the core up.

use std::fmt;

use ringbus::bus::{Bus, OwnedRecord, RecordRef, Subscriber};
#[cfg(feature = "shared")]
use ringbus::shared::RingFile;
use ringbus::{End, Sequence};

mod live;

use live::Missing;
#[cfg(feature = "shared")]
pub use live::OnFile;
pub use live::{Live, OnBus};

use crate::error::JournalError;
use crate::follow::{Following, NAP, Source, Step, spawn};
use crate::reader::{JournalReader, Start};

/// Gets every record of a bus from some sequence on, in order, without a gap or a duplicate, and never holds the core up: from the
/// journal while it is behind, from the ring once it is not, and from the journal again when it was overrun. So the journal must be
/// fed by this bus, as a required consumer ([`Journal::record`](crate::Journal::record)).
///
/// The bus may be in this process ([`new`](CatchUp::new)), or in another that has placed it in a file (`observe`, feature `shared`): so what
/// must not lose anything need not be in the core's process, nor hold it up.
///
/// What it gets from the ring, the journal may not have yet: who must not act on what a crash could take back
/// [follows](JournalReader::follow) the journal alone, by [`Extent::Durable`](crate::Extent::Durable), or comes
/// [`after`](ringbus::bus::SubscribeRequired::after) it.
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::{BlockStart, Bus, Hash};
/// use ringbus_journal::{CatchUp, Caught, Extent, Journal, JournalReader};
///
/// # let directory = tempfile::tempdir()?;
/// let journal = Journal::builder("testnet").open(directory.path())?;
/// let (mut writer, bus) = Bus::<192>::builder("testnet").capacity(64).build()?;
/// let recording = journal.record(bus.subscribe("journal").required().join()?)?;
/// for height in 0..1_000 {
///     writer.begin_block(BlockStart { height, time: 0, hash: Hash::new([1; 32]) })?;
///     writer.end_block()?; // the ring has come round many times
/// }
///
/// let reader = JournalReader::open(directory.path(), Extent::Written)?;
/// let mut late = CatchUp::new(reader, &bus, "late", Sequence::new(0))?;
/// let mut expected = 0;
/// while expected < 2_000 {
///     if let Caught::Record(record) = late.next()? {
///         assert_eq!(record.sequence().get(), expected);
///         expected += 1;
///     }
/// }
/// writer.close()?;
/// recording.join()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CatchUp<L: Live> {
    bus: L,
    name: String,
    reader: JournalReader,
    live: Option<L::Tail>,
    /// The sequence of the next record.
    next: Sequence,
    record: OwnedRecord,
    /// The oldest sequence on the ring, when it last lacked the next record.
    ring_begins: Sequence,
    from_journal: u64,
    from_ring: u64,
    overruns: u64,
}

/// What there is to read.
#[derive(Debug)]
pub enum Caught<'a> {
    /// The next record. It is lent until the next call.
    Record(RecordRef<'a>),
    /// Nothing now.
    Nothing,
    /// No more: the bus has ended, and everything has been read.
    Ended(End),
}

impl<const PAYLOAD: usize> CatchUp<OnBus<PAYLOAD>> {
    /// Reads from the sequence `next` on. `name` is what the subscription is called while it reads from the ring.
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherStream`] if the journal is not the bus's; [`JournalError::Removed`]; [`JournalError::Io`],
    /// [`JournalError::Header`].
    pub fn new(
        reader: JournalReader,
        bus: &Bus<PAYLOAD>,
        name: &str,
        next: Sequence,
    ) -> Result<Self, JournalError> {
        Self::with(reader, OnBus { bus: bus.clone(), name: name.to_owned() }, name, next)
    }
}

#[cfg(feature = "shared")]
impl CatchUp<OnFile> {
    /// Reads from the sequence `next` on what the core of another process publishes: from that one's journal, and from its ring, which is
    /// looked at and not joined. `file` is the ring's, opened; a core that was started anew has another.
    ///
    /// ```
    /// use ringbus::Sequence;
    /// use ringbus::bus::{BlockStart, Bus, Hash};
    /// use ringbus::shared::RingFile;
    /// use ringbus_journal::{CatchUp, Caught, Extent, Journal, JournalReader};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("testnet");
    /// # let kept = directory.path().join("journal");
    /// // The core:
    /// let journal = Journal::builder("testnet").open(&kept)?;
    /// let (mut writer, bus) = Bus::<192>::builder("testnet").capacity(64).shared(&path).build()?;
    /// let recording = journal.record(bus.subscribe("journal").required().join()?)?;
    /// for height in 0..1_000 {
    ///     writer.begin_block(BlockStart { height, time: 0, hash: Hash::new([1; 32]) })?;
    ///     writer.end_block()?;
    /// }
    ///
    /// // Another process:
    /// let reader = JournalReader::open(&kept, Extent::Written)?;
    /// let mut late = CatchUp::observe(reader, RingFile::open(&path)?, Sequence::new(0))?;
    /// let mut expected = 0;
    /// while expected < 2_000 {
    ///     if let Caught::Record(record) = late.next()? {
    ///         assert_eq!(record.sequence().get(), expected);
    ///         expected += 1;
    ///     }
    /// }
    /// writer.close()?;
    /// recording.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`new`](CatchUp::new).
    pub fn observe(reader: JournalReader, file: RingFile, next: Sequence) -> Result<Self, JournalError> {
        let name = file.path().display().to_string();
        Self::with(reader, OnFile { file }, &name, next)
    }
}

impl<L: Live> CatchUp<L> {
    fn with(mut reader: JournalReader, bus: L, name: &str, next: Sequence) -> Result<Self, JournalError> {
        reader.expect_stream(&bus.stream())?;
        reader.seek(Start::Sequence(next))?;
        Ok(Self {
            bus,
            name: name.to_owned(),
            reader,
            live: None,
            next,
            record: OwnedRecord::default(),
            ring_begins: next,
            from_journal: 0,
            from_ring: 0,
            overruns: 0,
        })
    }

    /// What there is to read. Never waits.
    ///
    /// # Errors
    ///
    /// What the journal says ([`JournalError::Damaged`], [`JournalError::Gap`], [`JournalError::Removed`], [`JournalError::Io`]) where
    /// the ring does not have the next record any more. [`JournalError::Gap`] also if the bus has ended, no required subscription is left
    /// that might still be feeding the journal, and neither has the next record.
    #[expect(clippy::should_implement_trait, reason = "it lends, and an iterator cannot")]
    pub fn next(&mut self) -> Result<Caught<'_>, JournalError> {
        let mut unreadable = None;
        // What was lost on the ring is not necessarily in the journal yet: one round through both, and the caller may wait.
        for _ in 0..2 {
            if self.live.is_some() {
                match self.next_live() {
                    Found::Record => return Ok(Caught::Record(self.record.record())),
                    Found::Nothing => return Ok(Caught::Nothing),
                    // A core that was killed may have published more than it came to show, and its journal has it.
                    Found::Ended(End::ProducerDied) => {
                        self.live = None;
                        self.reader.seek(Start::Sequence(self.next))?;
                        return match self.next_from_journal()? {
                            true => Ok(Caught::Record(self.record.record())),
                            false => Ok(Caught::Ended(End::ProducerDied)),
                        };
                    }
                    Found::Ended(end) => return Ok(Caught::Ended(end)),
                    Found::Overrun => {
                        self.live = None;
                        self.reader.seek(Start::Sequence(self.next))?;
                    }
                }
            }
            // What the journal cannot give, the ring may still have.
            match self.next_from_journal() {
                Ok(true) => return Ok(Caught::Record(self.record.record())),
                Ok(false) => {}
                Err(error) => unreadable = Some(error),
            }
            self.join();
        }
        match (unreadable, self.bus.end()) {
            (Some(error), _) => Err(error),
            (None, Some(end)) if !self.bus.feeds() => self.after_the_end(end),
            (None, _) => Ok(Caught::Nothing),
        }
    }

    /// The ring does not have the next record, and nothing more will come to either.
    fn after_the_end(&mut self, end: End) -> Result<Caught<'_>, JournalError> {
        // The journal may have got it since it was asked.
        if self.next_from_journal()? {
            return Ok(Caught::Record(self.record.record()));
        }
        if self.next > self.bus.cursor() {
            return Ok(Caught::Ended(end));
        }
        Err(JournalError::Gap { first: self.next, next: self.ring_begins })
    }

    fn next_live(&mut self) -> Found {
        let live = self.live.as_mut().expect("just looked");
        match L::try_recv(live) {
            Ok(record) if record.sequence() == self.next => {
                self.next = record.next_sequence();
                self.from_ring += 1;
                self.record.replace(record);
                return Found::Record;
            }
            Ok(record) => self.ring_begins = record.sequence(),
            Err(Missing::Lagged(resumed_at)) => self.ring_begins = resumed_at,
            Err(Missing::Ended(end)) => return Found::Ended(end),
            Err(Missing::Nothing) => return Found::Nothing,
        }
        self.overruns += 1;
        Found::Overrun
    }

    fn next_from_journal(&mut self) -> Result<bool, JournalError> {
        let Some(record) = self.reader.next()? else { return Ok(false) };
        if record.sequence() != self.next {
            return Err(JournalError::Gap { first: self.next, next: record.sequence() });
        }
        self.next = record.next_sequence();
        self.from_journal += 1;
        self.record.replace(record);
        Ok(true)
    }

    /// Tries to go on from the ring. (What it does not have any more, the journal will have; and what is not published yet, the ring
    /// will.)
    fn join(&mut self) {
        match self.bus.join(self.next) {
            Ok(live) => self.live = Some(live),
            Err(begins) => self.ring_begins = begins.unwrap_or(self.ring_begins),
        }
    }

    /// The sequence of the next record.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        self.next
    }

    /// Whether it reads from the ring at this moment.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// How many records it had from the journal.
    #[must_use]
    pub fn from_journal(&self) -> u64 {
        self.from_journal
    }

    /// How many records it had from the ring.
    #[must_use]
    pub fn from_ring(&self) -> u64 {
        self.from_ring
    }

    /// How often it was overrun, or came too late to the ring, and went to the journal for it.
    #[must_use]
    pub fn overruns(&self) -> u64 {
        self.overruns
    }

    /// Puts it on a thread of its own, where it calls `subscriber`. It ends when the bus does.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`] if there is no thread to be had.
    pub fn spawn<S: Subscriber>(self, subscriber: S) -> Result<Following<S>, JournalError> {
        let (name, first) = (self.name.clone(), self.next);
        spawn(self, &name, first, NAP, subscriber)
    }
}

/// What there was on the ring.
enum Found {
    Record,
    Nothing,
    Overrun,
    Ended(End),
}

impl<L: Live> Source for CatchUp<L> {
    fn step(&mut self) -> Result<Step<'_>, JournalError> {
        Ok(match self.next()? {
            Caught::Record(record) => Step::Record(record),
            Caught::Nothing => Step::Nothing,
            Caught::Ended(end) => Step::Ended(end),
        })
    }

    fn position(&self) -> Option<Sequence> {
        Some(self.next)
    }
}

impl<L: Live> fmt::Debug for CatchUp<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchUp")
            .field("name", &self.name)
            .field("next", &self.next)
            .field("is_live", &self.is_live())
            .field("overruns", &self.overruns)
            .finish_non_exhaustive()
    }
}
