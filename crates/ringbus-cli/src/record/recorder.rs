//! A journal that is made of what comes.

use std::error::Error;
use std::path::{Path, PathBuf};

use ringbus::Sequence;
use ringbus::bus::RecordRef;
use ringbus::shared::Info;
use ringbus_journal::{Durability, Journal, JournalBuilder, JournalError};

/// Puts records into a new journal, and notes where some are missing.
pub(super) struct Recorder {
    settings: JournalBuilder,
    directory: PathBuf,
    /// Made for the first record: nothing is, if none comes.
    journal: Option<Journal>,
    next: Sequence,
    pub(super) records: u64,
    pub(super) gaps: u64,
    pub(super) missed: u64,
    /// Those of the first and the last record.
    pub(super) sequences: Option<(Sequence, Sequence)>,
}

impl Recorder {
    /// Of the ring that is described so, from this sequence on.
    ///
    /// # Errors
    ///
    /// It is no bus.
    pub(super) fn new(info: &Info, from: Sequence, directory: &Path) -> Result<Self, Box<dyn Error>> {
        let (Some(stream), Some(slot_payload)) = (&info.stream, info.slot_payload) else {
            let error = format!(
                "ring `{}` is no bus: its events have no records to be kept; expected the ring of a `Bus`",
                info.name
            );
            return Err(error.into());
        };
        let mut settings =
            Journal::builder(stream.clone()).slot_payload(slot_payload).durability(Durability::Never);
        if let Some(schema) = &info.schema {
            settings = settings.schema(schema);
        }
        let directory = directory.to_owned();
        Ok(Self {
            settings,
            directory,
            journal: None,
            next: from,
            records: 0,
            gaps: 0,
            missed: 0,
            sequences: None,
        })
    }

    /// Takes the next record there is.
    pub(super) fn take(&mut self, record: RecordRef<'_>) -> Result<(), JournalError> {
        self.skip_to(record.sequence())?;
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => self.journal.insert(self.settings.clone().open(&self.directory)?),
        };
        journal.append(record)?;
        let first = self.sequences.map_or(record.sequence(), |(first, _)| first);
        self.sequences = Some((first, record.sequence()));
        self.next = record.next_sequence();
        self.records += 1;
        Ok(())
    }

    /// Writes what was taken.
    pub(super) fn write(&mut self) -> Result<(), JournalError> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.end_batch(false).map(drop))
    }

    /// Makes it durable, up to `end`, where the observer stands.
    pub(super) fn close(&mut self, end: Sequence) -> Result<(), JournalError> {
        self.skip_to(end)?;
        self.journal.take().map_or(Ok(()), |journal| journal.close().map(drop))
    }

    /// Counts what is missing before `next`, and notes it if there is something before it. (What is missing at the very
    /// beginning, a journal does not say: it begins with its first record.)
    fn skip_to(&mut self, next: Sequence) -> Result<(), JournalError> {
        if next <= self.next {
            return Ok(());
        }
        self.gaps += 1;
        self.missed += next.since(self.next);
        self.next = next;
        self.journal.as_mut().map_or(Ok(()), |journal| journal.note_gap(next))
    }
}
