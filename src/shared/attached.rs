//! A ring's file, opened and checked by somebody who only looks.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytemuck::Zeroable;

use super::error::{AttachError, FileError};
use super::header::Header;
use super::info::Info;
use super::mirrors::Mirrors;
use super::{ending, report};
use crate::bus::schema::Schema;
use crate::cursor::Cursor;
use crate::error::End;
use crate::region::{Access, Mapping, Region, system};
use crate::sync::Relaxed;

/// The file, mapped to be read, and its header as it was when it was checked: what stands in the file is not relied on after that.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) path: PathBuf,
    mapping: Arc<Mapping>,
    header: Header,
    pub(crate) info: Info,
}

impl Attached {
    pub(super) fn new(path: &Path) -> Result<Self, AttachError> {
        let (file, header) = open(path)?;
        let damaged = |error| AttachError::Header { path: path.to_owned(), error };
        let bytes = file.metadata().map_err(FileError::new("looking at", path))?.len();
        header.check(bytes).map_err(damaged)?;
        let mut schema = vec![0; header.schema_bytes as usize];
        file.read_exact_at(&mut schema, header.schema_offset).map_err(FileError::new("reading", path))?;
        header.check_sum(&schema).map_err(damaged)?;
        let schema = (header.slot_payload > 0).then(|| Schema::decode(&schema)).transpose();
        let schema = schema.map_err(|error| AttachError::Schema { path: path.to_owned(), error })?;
        header.check_schema(schema.as_ref()).map_err(damaged)?;
        let mapping = Mapping::new(file, header.file_bytes as usize, Access::Read);
        let mapping = mapping.map_err(FileError::new("mapping", path))?;
        let info = Info::new(&header, schema);
        Ok(Self { path: path.to_owned(), mapping: Arc::new(mapping), header, info })
    }

    fn mirrors(&self) -> &Mirrors {
        self.header.mirrors(&self.mapping)
    }

    pub(super) fn cursor(&self) -> &Cursor {
        &self.mirrors().cursor.0
    }

    pub(crate) fn slots(&self) -> Region {
        let bytes = self.info.capacity * self.info.slot_bytes;
        Region::mapped(&self.mapping, self.header.slots_offset as usize, bytes)
    }

    /// How the stream ended. For who has seen the cursor closed.
    pub(super) fn end(&self) -> End {
        ending::read(&self.mirrors().end.0)
    }

    /// When the core said last that it is alive, on the clock of all processes.
    pub(super) fn heartbeat(&self) -> Option<u64> {
        // Relaxed: it is a number and nothing more.
        Some(self.mirrors().heartbeat.0.load(Relaxed)).filter(|&beat| beat > 0)
    }

    pub(super) fn report(&self) -> Option<report::Report> {
        let words = self.header.report_words(&self.mapping);
        report::read(&self.mirrors().report.0, words, system::monotonic())
    }

    /// Whether the process that made it has it open. (Where the kernel cannot be asked, it is taken to be there.)
    pub(super) fn is_held(&self) -> bool {
        system::is_locked(self.mapping.file()).unwrap_or(true)
    }

    /// Whether another ring is at its path by now. (While there is no file, nobody knows what will be.)
    pub(super) fn is_replaced(&self) -> Result<bool, AttachError> {
        match open(&self.path) {
            Ok((_, header)) => Ok(header.epoch != self.header.epoch),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Opens the file of a ring to be read, and reads its header, of which no more is known than that it begins as one.
pub(super) fn open(path: &Path) -> Result<(File, Header), AttachError> {
    let file = open_file(path)?;
    let not_a_ring = |found| AttachError::NotARing { path: path.to_owned(), found };
    let mut header = Header::zeroed();
    match file.read_exact_at(bytemuck::bytes_of_mut(&mut header), 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(not_a_ring("too short a file")),
        Err(error) => Err(FileError::new("reading", path)(error).into()),
        Ok(()) if header.is_of_a_ring() => Ok((file, header)),
        Ok(()) => Err(not_a_ring("a file that does not begin as a ring's does")),
    }
}

/// Opens a regular file to be read.
pub(super) fn open_file(path: &Path) -> Result<File, AttachError> {
    let not_a_ring = |found| AttachError::NotARing { path: path.to_owned(), found };
    // Lest a pipe at the path be waited for.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        match error.raw_os_error() {
            Some(libc::ELOOP) => not_a_ring("a symbolic link"),
            _ => FileError::new("opening", path)(error).into(),
        }
    })?;
    let is_file = file.metadata().map_err(FileError::new("looking at", path))?.is_file();
    if is_file { Ok(file) } else { Err(not_a_ring("no regular file")) }
}

/// Whether somebody has the lock on the ring's `file` at `path`.
pub(super) fn is_locked(file: &File, path: &Path) -> Result<bool, FileError> {
    system::is_locked(file).map_err(FileError::new("asking for the lock on", path))
}
