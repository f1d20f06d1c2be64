//! The segment that is being written, and the step to the next.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Journal;
use super::batch::Pending;
use super::retention::remove_old;
use crate::error::{JournalError, place};
use crate::format::{FileHeader, Span, names};
use crate::index::Indexer;
use crate::recovery::LastSegment;
use crate::segment::{READ_BYTES, append_all, read, write_all_at};
use crate::settings::JournalBuilder;
use crate::storage::{File, Storage};

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) first: u64,
    pub(super) salt: u64,
    pub(super) indexer: Indexer,
    file: Box<dyn File>,
    /// `None` once it could not be written: an index is a help, and nothing else.
    index: Option<Box<dyn File>>,
    place: String,
    size: u64,
    records: u64,
}

impl Journal {
    /// Makes sure that there is a segment for the record of this sequence.
    #[inline]
    pub(super) fn ready_for(&mut self, sequence: u64) -> Result<(), JournalError> {
        if self.pending.bytes() > 0 {
            return Ok(());
        }
        if let Some(active) = &self.active
            && (active.first == sequence
                || active.size < self.settings.segment_bytes
                    && active.records < self.settings.segment_records)
        {
            return Ok(());
        }
        self.roll(sequence)
    }

    /// Goes on to a new segment. What is in the one before is durable then, so that only the last can have a torn end. Old ones are
    /// removed when there is a new one: a journal without segments would not know where it was.
    #[cold]
    fn roll(&mut self, first: u64) -> Result<(), JournalError> {
        if self.active.is_some() {
            self.sync()?;
        }
        self.has_failed = true;
        if let Some(mut full) = self.active.take() {
            full.close_index();
            self.sealed.push(full.first);
        }
        self.active = Some(Active::create(&*self.storage, &self.settings, first)?);
        remove_old(&*self.storage, self.settings.keep_bytes, &mut self.sealed, self.written)?;
        self.has_failed = false;
        Ok(())
    }
}

impl Active {
    /// What is written on, of the last segment that a journal has been left with, which is made durable. `None` if that takes nothing
    /// more, and the next record begins another one.
    pub(super) fn after(
        last: LastSegment,
        storage: &dyn Storage,
        settings: &JournalBuilder,
    ) -> Result<Option<Self>, JournalError> {
        let goes_on = last.is_whole
            && last.schema == settings.schema
            && last.slot_payload as usize == settings.slot_payload;
        if last.is_whole && last.is_empty {
            // The sync that was to make it durable may have failed.
            return Self::create(storage, settings, last.first).map(Some);
        }
        let mut active = Self::reopen(storage, last)?;
        if goes_on {
            return Ok(Some(active));
        }
        active.close_index();
        Ok(None)
    }

    /// An empty one, in the place of an empty one, if there is one.
    fn create(storage: &dyn Storage, settings: &JournalBuilder, first: u64) -> Result<Self, JournalError> {
        let header = FileHeader {
            stream: settings.stream.clone(),
            schema: settings.schema.clone(),
            slot_payload: settings.slot_payload as u32,
            first,
            salt: salt(),
            created: now(),
        };
        let name = names::segment(first);
        let place = place(storage, &name);
        remove_if_there(storage, names::NEW_SEGMENT)?;
        let mut file = storage.create(names::NEW_SEGMENT).map_err(JournalError::io("make", &place))?;
        let bytes = header.encode();
        append_all(&mut *file, &bytes, &place)?;
        file.sync().map_err(JournalError::io("sync", &place))?;
        storage.rename(names::NEW_SEGMENT, &name).map_err(JournalError::io("make", &place))?;
        let index = new_index(storage, first)?;
        // Before the first record: nothing is durable in a file that may not be there after a crash.
        storage.sync().map_err(JournalError::io("sync the directory", storage.place()))?;
        let size = bytes.len() as u64;
        let indexer = Indexer::new(header.salt, size);
        Ok(Self { first, salt: header.salt, indexer, file, index, place, size, records: 0 })
    }

    /// Opens a segment to be written on, and makes durable what is in it.
    ///
    /// What is not known to have been synced is written again: the journal may have failed because it could not be, and the file system
    /// takes it for stored nevertheless (Linux does). A sync alone would succeed, and do nothing.
    fn reopen(storage: &dyn Storage, last: LastSegment) -> Result<Self, JournalError> {
        let LastSegment { first, size, salt, records, indexer, .. } = last;
        let name = names::segment(first);
        let place = place(storage, &name);
        let mut file = storage.open(&name).map_err(JournalError::io("open", &place))?;
        let (mut offset, mut bytes) = (last.synced_size, Vec::new());
        loop {
            read(&*file, &place, offset, READ_BYTES, &mut bytes)?;
            if bytes.is_empty() {
                break;
            }
            write_all_at(&mut *file, &bytes, offset, &place)?;
            offset += bytes.len() as u64;
        }
        file.sync().map_err(JournalError::io("sync", &place))?;
        let index = new_index(storage, first)?;
        let mut active = Self { first, salt, indexer, file, index, place, size, records };
        active.write_index();
        Ok(active)
    }

    /// A chunk is whole that ends with what is pending; the traces of its records have been told, and no others.
    pub(super) fn index_chunk(&mut self, pending: &Pending, span: &Span) {
        self.indexer.chunk(self.size + pending.bytes() as u64, span);
    }

    pub(super) fn write(&mut self, pending: &mut Pending) -> Result<(), JournalError> {
        append_all(&mut *self.file, pending.as_slice(), &self.place)?;
        self.size += pending.bytes() as u64;
        self.records += pending.records();
        pending.clear();
        self.write_index();
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        self.file.sync().map_err(JournalError::io("sync", &self.place))
    }

    /// No more will come.
    pub(super) fn close_index(&mut self) {
        self.indexer.close();
        self.write_index();
    }

    fn write_index(&mut self) {
        let entries = self.indexer.take();
        if let Some(index) = &mut self.index
            && !entries.is_empty()
            && append_all(&mut **index, &entries, "").is_err()
        {
            self.index = None;
        }
    }
}

/// An empty index in the place of what there is: that may be one of records that a crash has taken back. It is surely gone when the
/// directory is synced.
fn new_index(storage: &dyn Storage, first: u64) -> Result<Option<Box<dyn File>>, JournalError> {
    let name = names::index(first);
    remove_if_there(storage, &name)?;
    Ok(storage.create(&name).ok())
}

fn remove_if_there(storage: &dyn Storage, name: &str) -> Result<(), JournalError> {
    match storage.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(JournalError::io("remove", place(storage, name))(error))
        }
        _ => Ok(()),
    }
}

/// A random number.
fn salt() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Nanoseconds since the beginning of 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
