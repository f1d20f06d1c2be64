//! From a recording to a journal.

mod error;

use std::io;
use std::path::{Path, PathBuf};

use recorded::{ReadError, RecordedEvent};
use ringbus::Sequence;
use ringbus::bus::{Flags, Header, RecordRef, StreamId};

pub use self::error::{ImportError, ImportFault};
use crate::Disk;
use crate::durability::Durability;
use crate::error::JournalError;
use crate::journal::Journal;
use crate::segment::list;

/// Events between two calls of `progress`.
const EVENTS_A_TICK: u64 = 1024;

/// Makes a journal of recorded events, as if each had been put on a bus by itself: sequences from 0 on, one for each slot.
///
/// A recording says nothing of the blocks' times, which are 0 in the journal, and has no schema: the events are kept as they were
/// encoded.
///
/// ```
/// use recorded::{Generator, Settings};
/// use ringbus_journal::{Extent, JournalReader};
/// use ringbus_journal::import::Import;
///
/// # let directory = tempfile::tempdir()?;
/// let events = Generator::new(Settings { blocks: 20, ..Settings::default() });
/// let imported = Import::new().run(events.map(Ok), directory.path(), |_| {})?;
///
/// let mut reader = JournalReader::open(directory.path(), Extent::Durable)?;
/// let mut records = 0;
/// while reader.next()?.is_some() {
///     records += 1;
/// }
/// assert_eq!((imported.records, imported.blocks), (records, 21)); // block 1 was emitted twice
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is imported before `run` is called"]
pub struct Import {
    stream: Option<StreamId>,
    slot_payload: usize,
}

/// What an import has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The stream; `None` before the first event.
    pub stream: Option<StreamId>,
    /// How many events are in the journal.
    pub records: u64,
    /// How many blocks begin among them. One that was emitted twice counts twice.
    pub blocks: u64,
    /// How many bytes the events take, as they are encoded.
    pub bytes: u64,
    /// The sequence behind the last.
    pub next: Sequence,
}

impl Default for Import {
    fn default() -> Self {
        Self::new()
    }
}

impl Import {
    /// An import of one stream, whichever it is, in slots of 448 bytes: four in five of the events that are known need one only.
    pub fn new() -> Self {
        Self { stream: None, slot_payload: 448 }
    }

    /// The stream that the events are of: others are refused. Unless set, it is the first event's.
    pub fn stream(mut self, stream: impl Into<StreamId>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    /// How many bytes of payload a slot holds, of a bus that the journal is to be replayed on as it is; 448 unless set.
    ///
    /// # Panics
    ///
    /// If no bus has such slots: see [`is_slot_payload`](Self::is_slot_payload).
    pub fn slot_payload(mut self, bytes: usize) -> Self {
        assert!(Self::is_slot_payload(bytes), "a slot holds a multiple of 64 bytes, from 64 to 65,472");
        self.slot_payload = bytes;
        self
    }

    /// Whether a [`Bus`](ringbus::bus::Bus) can have slots for so many bytes of payload.
    #[must_use]
    pub const fn is_slot_payload(bytes: usize) -> bool {
        bytes > 0 && bytes <= u16::MAX as usize && bytes.is_multiple_of(64)
    }

    /// Puts the events into a new journal in this directory, which is made if need be. It is durable when this returns; on the way it is
    /// not synced, except where a segment is full. `progress` is told now and then what it has come to.
    ///
    /// # Errors
    ///
    /// [`ImportError`]: what came before is kept.
    pub fn run(
        self,
        events: impl IntoIterator<Item = Result<RecordedEvent, ReadError>>,
        directory: impl Into<PathBuf>,
        mut progress: impl FnMut(&Imported),
    ) -> Result<Imported, ImportError> {
        let directory = directory.into();
        let mut importing =
            Importing { import: self, directory, journal: None, imported: Imported::default() };
        let taken = importing.take_all(events, &mut progress);
        let Importing { journal, imported, .. } = importing;
        let closed = journal.map_or(Ok(()), |journal| journal.close().map(|_| ()));
        progress(&imported);
        match taken.and(closed.map_err(ImportFault::Journal)) {
            Ok(()) => Ok(imported),
            Err(fault) => Err(ImportError { fault, imported }),
        }
    }
}

/// An import that is under way.
struct Importing {
    import: Import,
    directory: PathBuf,
    /// Made for the first event: nothing is, if there is none.
    journal: Option<Journal>,
    imported: Imported,
}

impl Importing {
    fn take_all(
        &mut self,
        events: impl IntoIterator<Item = Result<RecordedEvent, ReadError>>,
        progress: &mut impl FnMut(&Imported),
    ) -> Result<(), ImportFault> {
        refuse_another_journal(&self.directory)?;
        for event in events {
            self.take(&event.map_err(ImportFault::Frame)?)?;
            if self.imported.records.is_multiple_of(EVENTS_A_TICK) {
                progress(&self.imported);
            }
        }
        if self.journal.is_some() { Ok(()) } else { Err(ImportFault::Empty) }
    }

    fn take(&mut self, event: &RecordedEvent) -> Result<(), ImportFault> {
        let found = StreamId::new(&event.chain_id);
        let stream = self.import.stream.get_or_insert_with(|| found.clone());
        let frame = self.imported.records + 1;
        stream.check(&found).map_err(|error| ImportFault::OtherStream { frame, error })?;
        let slot_payload = self.import.slot_payload;
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => {
                let settings =
                    Journal::builder(found).slot_payload(slot_payload).durability(Durability::Never);
                self.imported.stream = Some(settings.stream.clone());
                let journal = settings.open(&self.directory).map_err(ImportFault::Journal)?;
                if journal.recovery().next.is_some() {
                    // Somebody has made one since the directory was looked at.
                    return Err(ImportFault::Exists { directory: self.directory.clone() });
                }
                self.journal.insert(journal)
            }
        };
        let header = header_in_slots(event, slot_payload);
        let record = RecordRef::new(self.imported.next, &header, &event.encoded);
        journal.append(record).map_err(ImportFault::Journal)?;
        self.imported.records += 1;
        self.imported.blocks += u64::from(record.begins_block());
        self.imported.bytes += event.encoded.len() as u64;
        self.imported.next = record.next_sequence();
        Ok(())
    }
}

/// The header that the event's record has on a bus with such slots.
fn header_in_slots(event: &RecordedEvent, slot_payload: usize) -> Header {
    let header = event.header();
    let is_whole = event.encoded.len() <= slot_payload;
    let place = if is_whole {
        Flags::FIRST_FRAGMENT.with(Flags::LAST_FRAGMENT).with(Flags::LAST_OF_BATCH)
    } else {
        Flags::FIRST_FRAGMENT
    };
    let len = event.encoded.len().min(slot_payload) as u16;
    Header { len, flags: header.flags.with(place), ..header }
}

/// A recording is not put behind what is there already, nor mixed with it.
fn refuse_another_journal(directory: &Path) -> Result<(), ImportFault> {
    match list(&Disk::new(directory)) {
        Ok(segments) if segments.is_empty() => Ok(()),
        Ok(_) => Err(ImportFault::Exists { directory: directory.to_owned() }),
        Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ImportFault::Journal(error)),
    }
}
