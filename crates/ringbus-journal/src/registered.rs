//! Readers for whom the journal keeps what they have not read.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use ringbus::Sequence;

use crate::Disk;
use crate::error::{JournalError, place};
use crate::format::names;
use crate::segment::{list, write_all_at};
use crate::storage::{File, Lock, Storage};

/// A reader that the journal knows by name: it removes nothing that this one has not passed, whether the reader's process runs or not,
/// until it is [unregistered](Self::unregister).
///
/// ```
/// use ringbus::Sequence;
/// use ringbus_journal::{Journal, RegisteredReader};
///
/// # let directory = tempfile::tempdir()?;
/// let journal = Journal::builder("testnet").keep_bytes(1 << 30).open(directory.path())?;
/// # drop(journal);
/// let mut store = RegisteredReader::register(directory.path(), "store", Sequence::new(0))?;
/// store.has_passed(Sequence::new(1_000))?;
/// # drop(store);
///
/// // After a restart:
/// let store = RegisteredReader::register(directory.path(), "store", Sequence::new(0))?;
/// assert_eq!(store.position(), Sequence::new(1_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RegisteredReader {
    storage: Arc<dyn Storage>,
    name: String,
    file: Box<dyn File>,
    position: u64,
    /// Held as long as it is there.
    _lock: Box<dyn Lock>,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Encoded {
    position: u64,
    checksum: u64,
}

impl Encoded {
    fn new(position: u64) -> Self {
        Self { position, checksum: crc32c::crc32c(&position.to_ne_bytes()).into() }
    }
}

impl RegisteredReader {
    /// Registers a reader with the journal in this directory; one that is registered already keeps its position, others begin at
    /// `position`.
    ///
    /// # Errors
    ///
    /// [`JournalError::ReaderName`]; [`JournalError::ReaderTaken`]; [`JournalError::Removed`] if the journal does not keep `position` any
    /// more, and the reader was not registered before; [`JournalError::Io`].
    pub fn register(
        directory: impl Into<PathBuf>,
        name: &str,
        position: Sequence,
    ) -> Result<Self, JournalError> {
        Self::register_in(Arc::new(Disk::new(directory)), name, position)
    }

    /// The same, of a journal that lies elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`register`](Self::register).
    pub fn register_in(
        storage: Arc<dyn Storage>,
        name: &str,
        position: Sequence,
    ) -> Result<Self, JournalError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 200 || !name.bytes().all(is_name) {
            return Err(JournalError::ReaderName { name: name.to_owned() });
        }
        let file_name = names::reader(name);
        let place = place(&*storage, &file_name);
        let lock = storage.lock(&file_name).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => JournalError::ReaderTaken { name: name.to_owned() },
            _ => JournalError::io("lock", &place)(error),
        })?;
        // Locking has made it, if it was not there.
        let file = storage.open(&file_name).map_err(JournalError::io("open", &place))?;
        let known = read(&*file);
        let position = known.unwrap_or(position.get());
        let mut reader = Self { storage, name: name.to_owned(), file, position, _lock: lock };
        reader.write(position)?;
        reader.storage.sync().map_err(JournalError::io("sync the directory", reader.storage.place()))?;
        // From here on nothing that it needs is removed; before, it may have been.
        match list(&*reader.storage)?.first() {
            Some(&oldest) if position < oldest && known.is_none() => {
                reader.unregister()?;
                Err(JournalError::Removed { asked: Sequence::new(position), oldest: Sequence::new(oldest) })
            }
            // A crash had taken back how far it was.
            Some(&oldest) if position < oldest => reader.write(oldest).map(|()| reader),
            _ => Ok(reader),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first sequence that it may still want to read.
    #[must_use]
    pub fn position(&self) -> Sequence {
        Sequence::new(self.position)
    }

    /// It will not want to read what lies before `position` again. (After a crash of the machine, the journal may know an earlier
    /// position, and keep more.)
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`].
    pub fn has_passed(&mut self, position: Sequence) -> Result<(), JournalError> {
        self.write(position.get())
    }

    /// The journal need not keep anything for it any more.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`].
    pub fn unregister(self) -> Result<(), JournalError> {
        let file = names::reader(&self.name);
        let place = place(&*self.storage, &file);
        self.storage.remove(&file).map_err(JournalError::io("remove", place))?;
        self.storage.sync().map_err(JournalError::io("sync the directory", self.storage.place()))
    }

    fn write(&mut self, position: u64) -> Result<(), JournalError> {
        let encoded = Encoded::new(position);
        let place = place(&*self.storage, &names::reader(&self.name));
        write_all_at(&mut *self.file, bytemuck::bytes_of(&encoded), 0, &place)?;
        self.position = position;
        Ok(())
    }
}

fn read(file: &dyn File) -> Option<u64> {
    let mut bytes = [0; size_of::<Encoded>()];
    if file.read_at(&mut bytes, 0).ok()? < bytes.len() {
        return None;
    }
    let encoded: Encoded = bytemuck::pod_read_unaligned(&bytes);
    (Encoded::new(encoded.position).checksum == encoded.checksum).then_some(encoded.position)
}

/// What all registered readers have passed. If it cannot be known how far one is (a crash has torn its file), that is nothing.
pub(crate) fn least_position(storage: &dyn Storage) -> Result<u64, JournalError> {
    let files = storage.list().map_err(JournalError::io("list", storage.place()))?;
    let readers = files.iter().filter(|file| names::name_of_reader(file).is_some());
    let positions =
        readers.map(|file| storage.open_to_read(file).ok().and_then(|file| read(&*file)).unwrap_or(0));
    Ok(positions.min().unwrap_or(u64::MAX))
}
