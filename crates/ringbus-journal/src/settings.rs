//! Settings of a journal that is about to be opened.

use std::path::PathBuf;
use std::sync::Arc;

use ringbus::bus::StreamId;
use ringbus::bus::schema::Schema;

use crate::Disk;
use crate::durability::Durability;
use crate::error::{JournalError, place};
use crate::journal::Journal;
use crate::storage::Storage;

/// Settings of a journal that is about to be opened: made by [`Journal::builder`].
#[must_use = "there is no journal before `open` is called"]
#[derive(Clone, Debug)]
pub struct JournalBuilder {
    pub(crate) stream: StreamId,
    pub(crate) schema: Schema,
    pub(crate) slot_payload: usize,
    pub(crate) durability: Durability,
    pub(crate) segment_bytes: u64,
    pub(crate) segment_records: u64,
    pub(crate) keep_bytes: u64,
    pub(crate) after_damage: bool,
}

impl JournalBuilder {
    pub(crate) fn new(stream: StreamId) -> Self {
        Self {
            stream,
            schema: Schema::bus().without_own_kinds(),
            slot_payload: 192,
            durability: Durability::EachBatch,
            segment_bytes: 256 << 20,
            segment_records: u64::MAX,
            keep_bytes: u64::MAX,
            after_damage: false,
        }
    }

    /// What the records look like: kept with them, so that they can be read without the core's code. Unless set, only the bus's own
    /// kinds are described.
    ///
    /// A journal that was written with another schema goes on with this one in a new segment.
    pub fn schema(mut self, schema: &Schema) -> Self {
        self.schema = schema.without_own_kinds();
        self
    }

    /// How many bytes of payload a slot of the ring holds: the `PAYLOAD` of its [`Bus`](ringbus::bus::Bus). 192 unless set.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn slot_payload(mut self, bytes: usize) -> Self {
        assert!(
            bytes > 0 && u32::try_from(bytes).is_ok(),
            "a slot holds at least a byte, and less than 4 GiB"
        );
        self.slot_payload = bytes;
        self
    }

    /// When it syncs; [`Durability::EachBatch`] unless set.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// A segment is full when it has so many bytes; 256 MiB unless set. Segments are what is removed when the journal grows too long,
    /// and the last one is read as a whole when a journal is opened to be written.
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// A segment is full when it has so many records; no limit unless set.
    pub fn segment_records(mut self, records: u64) -> Self {
        self.segment_records = records;
        self
    }

    /// So many bytes are kept, and those of the segment that is being written: when one is full, and when the journal is opened, the oldest
    /// are removed, as long as all registered readers have passed them. Everything is kept unless set.
    pub fn keep_bytes(mut self, bytes: u64) -> Self {
        self.keep_bytes = bytes;
        self
    }

    /// Goes on after damage that would otherwise be an error: in a new segment, behind all that can still be read. What cannot be read
    /// stays where it is; readers are told, and can step over it.
    pub fn after_damage(mut self) -> Self {
        self.after_damage = true;
        self
    }

    /// Opens the journal in this directory, or makes one: see [`Journal`] on what is done with what a crash has left there.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`]; [`JournalError::Locked`] if somebody else is writing it; [`JournalError::OtherStream`];
    /// [`JournalError::LayoutChanged`] if the [schema](Self::schema) has changed a payload under the same kind and layout; unless
    /// [`after_damage`](Self::after_damage) was called, [`JournalError::Damaged`] and [`JournalError::Lost`];
    /// [`JournalError::Header`]. Nothing has been changed then; after [`JournalError::Io`], a torn end may have
    /// been cut off, and old segments removed.
    pub fn open(self, directory: impl Into<PathBuf>) -> Result<Journal, JournalError> {
        let directory = directory.into();
        let place = directory.display().to_string();
        let disk = Disk::create(directory).map_err(JournalError::io("make the directory", place))?;
        self.open_in(Arc::new(disk))
    }

    /// The same, in a directory that lies elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub fn open_in(self, storage: Arc<dyn Storage>) -> Result<Journal, JournalError> {
        use crate::format::names::LOCK;
        let lock = storage.lock(LOCK).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => JournalError::Locked { place: storage.place() },
            _ => JournalError::io("lock", place(&*storage, LOCK))(error),
        })?;
        Journal::open(self, storage, lock)
    }
}
