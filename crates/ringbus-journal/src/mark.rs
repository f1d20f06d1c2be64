//! How far a journal is durable, for readers in other processes.

use bytemuck::{Pod, Zeroable};

use crate::error::{JournalError, place};
use crate::format::names::DURABLE;
use crate::segment::write_all_at;
use crate::storage::{File, Storage};

/// What stands in the file `durable`. It is not synced: it says something while the machine runs, and a lower bound after a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// All before this sequence is acknowledged.
    pub(crate) acknowledged: u64,
    /// All before this sequence has been synced: the same, unless the journal acknowledges without syncing.
    pub(crate) synced: u64,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Encoded {
    acknowledged: u64,
    synced: u64,
    checksum: u64,
}

impl Mark {
    fn encode(self) -> Encoded {
        let Self { acknowledged, synced } = self;
        let checksum = crc32c::crc32c(bytemuck::bytes_of(&[acknowledged, synced]));
        Encoded { acknowledged, synced, checksum: checksum.into() }
    }

    /// Reads it. `None` if there is none, or if it is being written at this moment.
    pub(crate) fn read(file: &dyn File) -> Option<Self> {
        let mut bytes = [0; size_of::<Encoded>()];
        if file.read_at(&mut bytes, 0).ok()? < bytes.len() {
            return None;
        }
        let Encoded { acknowledged, synced, checksum } = bytemuck::pod_read_unaligned(&bytes);
        let mark = Self { acknowledged, synced };
        (mark.encode().checksum == checksum).then_some(mark)
    }
}

/// The file, as its one writer has it.
#[derive(Debug)]
pub(crate) struct MarkFile {
    file: Box<dyn File>,
    place: String,
}

impl MarkFile {
    pub(crate) fn open(storage: &dyn Storage) -> Result<Self, JournalError> {
        let place = place(storage, DURABLE);
        let file = match storage.open(DURABLE) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => storage.create(DURABLE),
            opened => opened,
        };
        Ok(Self { file: file.map_err(JournalError::io("open", &place))?, place })
    }

    pub(crate) fn read(&self) -> Option<Mark> {
        Mark::read(&*self.file)
    }

    pub(crate) fn write(&mut self, mark: Mark) -> Result<(), JournalError> {
        write_all_at(&mut *self.file, bytemuck::bytes_of(&mark.encode()), 0, &self.place)
    }
}
