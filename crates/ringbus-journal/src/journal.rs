//! The one who writes a journal.

mod batch;
mod retention;
mod segments;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use ringbus::Sequence;
use ringbus::bus::{RecordRef, StreamId};

use self::batch::Pending;
use self::retention::remove_old;
use self::segments::Active;
use crate::durability::Durability;
use crate::error::JournalError;
use crate::format::MAX_SEQUENCE;
use crate::mark::{Mark, MarkFile};
use crate::recovery::{End, Recovery, recover};
use crate::settings::JournalBuilder;
use crate::storage::{Lock, Storage};

/// So much is gathered at most before it is written: a longer batch takes several writes.
const WRITE_BYTES: usize = 1 << 20;

/// A journal that is open for writing, by this process alone.
///
/// Mostly it is [put on a bus](Self::record), as a required consumer. By hand: [`append`](Self::append) the records of a batch, then
/// [`end_batch`](Self::end_batch), which writes them by one write, makes them durable if its [policy](Durability) says so, and tells how far
/// the journal is.
///
/// # Opening what a crash has left
///
/// What was being written when the machine stopped may be there in part, or in another order. [`JournalBuilder::open`] reads the last
/// segment, cuts off what is not whole, and makes the rest durable; none of what it cuts off was ever acknowledged.
/// [`recovery`](Self::recovery) tells what it found. What cannot be such a torn end (it had been durable) is an error, and nothing is cut
/// off. Damage in segments before the last is found by who reads them.
///
/// # After an error
///
/// A journal that could not write or sync takes nothing more: what the file system then has of the last batches cannot be known
/// (after a failed `fsync`, Linux takes the lost pages for written). Open it again; it finds out what is there.
pub struct Journal {
    settings: JournalBuilder,
    storage: Arc<dyn Storage>,
    /// The segments before the active one: their first sequences.
    sealed: Vec<u64>,
    active: Option<Active>,
    pending: Pending,
    /// The sequence of the next record; `None`: any.
    next: Option<u64>,
    /// The sequence behind the last record that is written.
    written: u64,
    mark: Mark,
    mark_file: MarkFile,
    /// Since when something is written that is not durable.
    unsynced_since: Option<Instant>,
    has_failed: bool,
    recovery: Recovery,
    /// Held as long as it is open.
    _lock: Box<dyn Lock>,
}

impl Journal {
    /// Settings of a journal of this stream.
    pub fn builder(stream: impl Into<StreamId>) -> JournalBuilder {
        JournalBuilder::new(stream.into())
    }

    pub(crate) fn open(
        settings: JournalBuilder,
        storage: Arc<dyn Storage>,
        lock: Box<dyn Lock>,
    ) -> Result<Self, JournalError> {
        let mark_file = MarkFile::open(&*storage)?;
        let End { segments: mut sealed, last, recovery } = recover(&*storage, &settings, mark_file.read())?;
        // Makes room before any is needed. The last two segments say where the journal is, until there is a record behind them.
        let mut old: Vec<u64> = sealed.drain(..sealed.len().saturating_sub(2)).collect();
        if let Some(&end) = sealed.first() {
            remove_old(&*storage, settings.keep_bytes, &mut old, end)?;
        }
        sealed.splice(0..0, old);
        let active = match last {
            Some(last) => Active::after(last, &*storage, &settings)?,
            None => None,
        };
        if active.is_some() {
            sealed.pop();
        }
        storage.sync().map_err(JournalError::io("sync the directory", storage.place()))?;
        let next = recovery.next.map(Sequence::get);
        let written = next.unwrap_or(0);
        let mut journal = Self {
            settings,
            storage,
            sealed,
            active,
            pending: Pending::default(),
            next,
            written,
            mark: Mark { acknowledged: written, synced: written },
            mark_file,
            unsynced_since: None,
            has_failed: false,
            recovery,
            _lock: lock,
        };
        journal.mark_file.write(journal.mark)?;
        if journal.active.is_some() {
            remove_old(&*journal.storage, journal.settings.keep_bytes, &mut journal.sealed, written)?;
        }
        Ok(journal)
    }

    /// What was found when it was opened.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The stream whose records it takes.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.settings.stream
    }

    /// The settings it was opened with.
    pub fn settings(&self) -> &JournalBuilder {
        &self.settings
    }

    /// The sequence of the next record: what a bus goes on with, by its
    /// [`first_sequence`](ringbus::bus::BusBuilder::first_sequence). A journal without records takes any; for it, 0.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        Sequence::new(self.next.unwrap_or(0))
    }

    /// All before this sequence is acknowledged: durable, as far as its [policy](Durability) goes.
    #[must_use]
    pub fn durable(&self) -> Sequence {
        Sequence::new(self.mark.acknowledged)
    }

    /// Takes a record. It is written at the end of the batch, or earlier if the batch is longer than 1 MiB.
    ///
    /// # Errors
    ///
    /// [`JournalError::NotNext`] if there would be a gap, or a record twice, or a sequence that no ring can have (of 2^63 or more): nothing
    /// has been taken, and the journal goes on.
    /// [`JournalError::Io`], and [`JournalError::Failed`] after it.
    pub fn append(&mut self, record: RecordRef<'_>) -> Result<(), JournalError> {
        self.check_alive()?;
        let sequence = record.sequence();
        let is_next = self.next.is_none_or(|next| next == sequence.get());
        if !is_next || sequence.get() >= MAX_SEQUENCE || record.next_sequence().get() > MAX_SEQUENCE {
            return Err(JournalError::NotNext { expected: self.next_sequence(), found: sequence });
        }
        self.ready_for(sequence.get())?;
        let next = record.next_sequence().get();
        let active = self.active.as_mut().expect("it was made ready");
        active.indexer.trace(record.trace());
        self.pending.put(&record, next);
        self.next = Some(next);
        if self.pending.is_chunk_full() {
            self.close_chunk();
        }
        if self.pending.bytes() >= WRITE_BYTES { self.write() } else { Ok(()) }
    }

    /// Notes that the sequences up to `next` were missed, and will not be in the journal: for who records what it cannot have
    /// without losses. Readers are told.
    ///
    /// # Errors
    ///
    /// As for [`append`](Self::append); [`JournalError::NotNext`] if `next` lies before the sequence that comes next.
    pub fn note_gap(&mut self, next: Sequence) -> Result<(), JournalError> {
        self.check_alive()?;
        let expected = self.next_sequence();
        if next <= expected || next.get() > MAX_SEQUENCE {
            return Err(JournalError::NotNext { expected, found: next });
        }
        self.ready_for(expected.get())?;
        self.close_chunk();
        let active = self.active.as_mut().expect("it was made ready");
        let span = self.pending.put_gap(expected.get(), next.get(), active.salt, self.mark.synced);
        active.index_chunk(&self.pending, &span);
        self.next = Some(next.get());
        Ok(())
    }

    /// Writes what was taken, by one write, and makes it durable if the policy says that it is time. `is_pressed`: it is time whatever
    /// the policy says, because the core will soon have to wait. Returns [how far it is durable](Self::durable).
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], and [`JournalError::Failed`] after it.
    pub fn end_batch(&mut self, is_pressed: bool) -> Result<Sequence, JournalError> {
        let ended_block = self.pending.take_block_end();
        self.write()?;
        let is_due = match self.settings.durability {
            Durability::EachBatch => true,
            Durability::EachBlock => ended_block,
            Durability::Every(_) => self.sync_at().is_some_and(|at| at <= Instant::now()),
            Durability::Never => {
                self.acknowledge(Mark { acknowledged: self.written, ..self.mark })?;
                return Ok(self.durable());
            }
        };
        if is_due || is_pressed { self.sync() } else { Ok(self.durable()) }
    }

    /// When [`end_batch`](Self::end_batch) should be called at the latest, also if no record comes. `None`: whenever one does.
    #[must_use]
    pub fn sync_at(&self) -> Option<Instant> {
        match self.settings.durability {
            Durability::Every(interval) => self.unsynced_since?.checked_add(interval),
            _ => None,
        }
    }

    /// Writes what was taken, and makes all of it durable. Returns how far that is.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], and [`JournalError::Failed`] after it.
    pub fn sync(&mut self) -> Result<Sequence, JournalError> {
        self.write()?;
        if self.mark.synced < self.written {
            self.has_failed = true;
            self.active.as_mut().expect("it has been written to").sync()?;
            self.has_failed = false;
            self.unsynced_since = None;
        }
        self.acknowledge(Mark { acknowledged: self.written, synced: self.written })?;
        Ok(self.durable())
    }

    /// Writes what was taken.
    fn write(&mut self) -> Result<(), JournalError> {
        self.check_alive()?;
        self.close_chunk();
        let Some(active) = &mut self.active else { return Ok(()) };
        if self.pending.bytes() == 0 {
            return Ok(());
        }
        self.has_failed = true;
        active.write(&mut self.pending)?;
        self.has_failed = false;
        self.written = self.next.expect("there is a record");
        self.unsynced_since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Closes the chunk that is being filled, if one is.
    fn close_chunk(&mut self) {
        let Some(active) = &mut self.active else { return };
        if let Some(span) = self.pending.close_chunk(active.salt, self.mark.synced) {
            active.index_chunk(&self.pending, &span);
        }
    }

    fn acknowledge(&mut self, mark: Mark) -> Result<(), JournalError> {
        if mark != self.mark {
            self.has_failed = true;
            self.mark_file.write(mark)?;
            self.has_failed = false;
            self.mark = mark;
        }
        Ok(())
    }

    fn check_alive(&self) -> Result<(), JournalError> {
        if self.has_failed { Err(JournalError::Failed) } else { Ok(()) }
    }

    /// Makes what was taken durable, and closes the journal. Returns the sequence behind its last record.
    ///
    /// Dropped without this call, it keeps what it has acknowledged, and perhaps more, as after a crash of the process.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`], and [`JournalError::Failed`] after it.
    pub fn close(mut self) -> Result<Sequence, JournalError> {
        let end = self.sync()?;
        if let Some(active) = &mut self.active {
            active.close_index();
        }
        Ok(end)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("storage", &self.storage)
            .field("stream", self.stream())
            .field("next", &self.next)
            .field("mark", &self.mark)
            .field("has_failed", &self.has_failed)
            .finish_non_exhaustive()
    }
}
