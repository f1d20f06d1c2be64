//! One segment, read chunk by chunk.

use std::io;
use std::ops::Range;

use crate::error::{HeaderError, JournalError, place};
use crate::format::{CHUNK_BYTES, CHUNK_HEADER_BYTES, ChunkHeader, FileHeader, LEAST_HEADER_BYTES, names};
use crate::index::{Entry, entries};
use crate::storage::{File, Storage};

/// So much is read at once, if there is as much.
pub(crate) const READ_BYTES: usize = CHUNK_BYTES + CHUNK_BYTES / 4;

/// A segment that is open for reading.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) header: FileHeader,
    /// Where its first chunk begins.
    pub(crate) start: u64,
    /// Where it is, for messages.
    pub(crate) place: String,
    file: Box<dyn File>,
    /// Bytes of the file from `window_at` on.
    window: Vec<u8>,
    window_at: u64,
}

/// What stands at some offset.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// A chunk; its records stand in this part of the segment's [`bytes`](Segment::bytes).
    Chunk(ChunkHeader, Range<usize>),
    /// The end of the file.
    End,
    /// Something else.
    Bad(&'static str),
}

/// Why a segment could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    NotFound,
    Header(HeaderError),
    Other(JournalError),
}

impl OpenError {
    /// As an error of the journal, which lists a segment that begins at `first`.
    pub(crate) fn of(self, storage: &dyn Storage, first: u64) -> JournalError {
        let segment = place(storage, &names::segment(first));
        match self {
            Self::NotFound => JournalError::io("open", segment)(io::ErrorKind::NotFound.into()),
            Self::Header(error) => JournalError::Header { segment, error },
            Self::Other(error) => error,
        }
    }
}

impl Segment {
    /// Opens the one that begins at `first`.
    pub(crate) fn open(storage: &dyn Storage, first: u64) -> Result<Self, OpenError> {
        let name = names::segment(first);
        let place = place(storage, &name);
        let file = storage.open_to_read(&name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::NotFound,
            _ => OpenError::Other(JournalError::io("open", &place)(error)),
        })?;
        Self::of(file, place, first)
    }

    /// Of a file that is open.
    pub(crate) fn of(file: Box<dyn File>, place: String, first: u64) -> Result<Self, OpenError> {
        let mut window = Vec::new();
        read(&*file, &place, 0, LEAST_HEADER_BYTES, &mut window).map_err(OpenError::Other)?;
        let length = FileHeader::length(&window).map_err(OpenError::Header)?;
        read(&*file, &place, 0, length.max(READ_BYTES), &mut window).map_err(OpenError::Other)?;
        let (header, length) = FileHeader::decode(&window).map_err(OpenError::Header)?;
        if header.first != first {
            // The file was renamed: its name is not what its header says.
            return Err(OpenError::Header(HeaderError::Checksum));
        }
        Ok(Self { header, start: length as u64, place, file, window, window_at: 0 })
    }

    /// What stands at `offset`. Of a file that grows, the next look may find more.
    pub(crate) fn look(&mut self, offset: u64) -> Result<Found, JournalError> {
        let found = self.look_in_window(offset)?;
        if !matches!(found, Found::Chunk(..)) {
            self.window.clear();
        }
        Ok(found)
    }

    fn look_in_window(&mut self, offset: u64) -> Result<Found, JournalError> {
        let Some(at) = self.fill(offset, CHUNK_HEADER_BYTES)? else {
            let is_end = self.window.is_empty();
            return Ok(if is_end {
                Found::End
            } else {
                Found::Bad("the file ends within the header of a chunk")
            });
        };
        let Some(header) = ChunkHeader::decode(&self.window[at..], self.header.salt) else {
            return Ok(Found::Bad("here is no header of a chunk"));
        };
        let length = CHUNK_HEADER_BYTES + header.length as usize;
        let Some(at) = self.fill(offset, length)? else {
            return Ok(Found::Bad("the file ends within a chunk"));
        };
        let body = at + CHUNK_HEADER_BYTES..at + length;
        let fits = header.fits(&self.window[body.clone()]);
        Ok(if fits {
            Found::Chunk(header, body)
        } else {
            Found::Bad("the checksum is not the one of the records")
        })
    }

    /// The bytes that the last look has found.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.window
    }

    /// Where in the window the `length` bytes from `offset` on stand. `None` if the file has fewer: those that it has stand at the
    /// window's beginning.
    fn fill(&mut self, offset: u64, length: usize) -> Result<Option<usize>, JournalError> {
        let at = offset.checked_sub(self.window_at).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = at
            && self.window.len() >= length
            && at <= self.window.len() - length
        {
            return Ok(Some(at));
        }
        read(&*self.file, &self.place, offset, length.max(READ_BYTES), &mut self.window)?;
        self.window_at = offset;
        Ok((self.window.len() >= length).then_some(0))
    }

    /// The next whole chunk behind `offset`, wherever it begins: where that is, and its header.
    pub(crate) fn find_behind(&mut self, offset: u64) -> Result<Option<(u64, ChunkHeader)>, JournalError> {
        let mut from = offset + 1;
        self.window.clear();
        loop {
            let Some(at) = self.fill(from, CHUNK_HEADER_BYTES)? else { return Ok(None) };
            let Some(found) = ChunkHeader::find(&self.window, at) else {
                // The last bytes may be the beginning of one.
                from += (self.window.len() - at + 1 - size_of::<u32>()) as u64;
                continue;
            };
            from += (found - at) as u64;
            if let Found::Chunk(header, _) = self.look_in_window(from)? {
                return Ok(Some((from, header)));
            }
            from += 1;
        }
    }

    /// Its index, as far as that is whole, and speaks of what is there.
    pub(crate) fn index(&self, storage: &dyn Storage) -> Vec<Entry> {
        let Ok(file) = storage.open_to_read(&names::index(self.header.first)) else { return Vec::new() };
        let size = file.size().unwrap_or(0);
        let mut bytes = Vec::new();
        match read(&*file, &self.place, 0, usize::try_from(size).unwrap_or(0), &mut bytes) {
            Ok(()) => {
                let mut entries = entries(&bytes, self.header.salt, self.start);
                let size = self.file.size().unwrap_or(0);
                entries.retain(|entry| entry.end_offset <= size);
                entries
            }
            Err(_) => Vec::new(),
        }
    }
}

/// Reads up to `length` bytes from `offset` on: fewer only where the file ends.
pub(crate) fn read(
    file: &dyn File,
    place: &str,
    offset: u64,
    length: usize,
    into: &mut Vec<u8>,
) -> Result<(), JournalError> {
    let there = file.size().map_err(JournalError::io("look at", place))?.saturating_sub(offset);
    into.resize(length.min(usize::try_from(there).unwrap_or(usize::MAX)), 0);
    let mut read = 0;
    while read < into.len() {
        match file.read_at(&mut into[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(JournalError::io("read", place)(error)),
        }
    }
    into.truncate(read);
    Ok(())
}

/// Writes all of `bytes` at the end of a file.
pub(crate) fn append_all(file: &mut dyn File, bytes: &[u8], place: &str) -> Result<(), JournalError> {
    write_by(bytes, place, |left, _| file.append(left))
}

/// Writes all of `bytes` at `offset`, over what is there.
pub(crate) fn write_all_at(
    file: &mut dyn File,
    bytes: &[u8],
    offset: u64,
    place: &str,
) -> Result<(), JournalError> {
    write_by(bytes, place, |left, written| file.write_at(left, offset + written))
}

/// `write` is given what is left, and how much is written, and returns how much of it is then.
fn write_by(
    bytes: &[u8],
    place: &str,
    mut write: impl FnMut(&[u8], u64) -> io::Result<usize>,
) -> Result<(), JournalError> {
    let mut written = 0;
    while written < bytes.len() {
        match write(&bytes[written..], written as u64) {
            Ok(0) => return Err(JournalError::io("write", place)(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(JournalError::io("write", place)(error)),
        }
    }
    Ok(())
}

/// The first sequences of all segments there are, in order.
pub(crate) fn list(storage: &dyn Storage) -> Result<Vec<u64>, JournalError> {
    let names = match storage.list() {
        // There is no directory yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names.map_err(JournalError::io("list", storage.place()))?,
    };
    let mut firsts: Vec<u64> = names.iter().filter_map(|name| names::first_of_segment(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}
