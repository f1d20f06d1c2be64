//! The producer's side of a shared ring: its file, and what it shows in it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::attached;
use super::error::{AttachError, FileError, SharedError};
use super::header::{Header, MAGIC, NAME_BYTES};
use super::lock_file::{LockFile, beside, occupied};
use super::mirrors::Mirrors;
use super::shape::Shape;
use super::{ending, process, report};
use crate::bus::schema::Schema;
use crate::cursor::Cursor;
use crate::error::End;
use crate::region::{Access, Mapping, Region, system};
use crate::stats::Stats;
use crate::sync::Relaxed;

/// The file of a ring, mapped to be written. For as long as it is there, the path is this ring's, and its process is known to be alive.
#[derive(Debug)]
pub(crate) struct Placement {
    mapping: Arc<Mapping>,
    header: Header,
}

impl Placement {
    /// Makes the file: under another name, with a place on the device for every byte, and moves it to `path` when all is there. What was
    /// at the path stays as it is for those who have it open.
    pub(super) fn create(
        path: &Path,
        shape: &Shape<'_>,
        bus: Option<(usize, &Schema)>,
    ) -> Result<Self, SharedError> {
        if shape.name.len() > NAME_BYTES {
            return Err(SharedError::Name { bytes: shape.name.len(), most: NAME_BYTES });
        }
        let in_use = |process_id| SharedError::InUse { path: path.to_owned(), process_id };
        let lock = LockFile::take_soon(path)?.ok_or_else(|| in_use(LockFile::holder(path)))?;
        match Self::make(path, shape, bus) {
            Ok((mapping, header)) => {
                Ok(Self { mapping: Arc::new(mapping.outlasted_by(lock.into_file())), header })
            }
            Err(error) => {
                // It was made for nothing. If it cannot be removed, it does no harm.
                let _ = lock.remove();
                Err(error)
            }
        }
    }

    /// The file, by who has the lock on its path.
    fn make(
        path: &Path,
        shape: &Shape<'_>,
        bus: Option<(usize, &Schema)>,
    ) -> Result<(Mapping, Header), SharedError> {
        match attached::open(path) {
            // Somebody has removed the lock file, who should not have done that.
            Ok((file, header)) if attached::is_locked(&file, path)? => {
                let process_id = u32::try_from(header.process_id).ok();
                return Err(SharedError::InUse { path: path.to_owned(), process_id });
            }
            Ok(_) => {}
            Err(AttachError::NotARing { .. }) => return Err(SharedError::Occupied { path: path.to_owned() }),
            Err(error) if error.is_not_found() => {}
            Err(AttachError::File(error)) => return Err(error.into()),
            Err(_) => unreachable!("no more than the magic was looked at"),
        }
        let Some((mut header, schema)) = Header::new(shape, bus) else {
            let error = io::Error::from_raw_os_error(libc::EFBIG);
            return Err(FileError::new("making", path)(error).into());
        };
        header.epoch = process::epoch().map_err(FileError::new("reading random bytes for", path))?;
        header.boot_id = process::boot_id();
        header.process_id = std::process::id().into();
        header.process_started = process::started();
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        header.created_at = since.as_nanos() as u64;
        header.seal(&schema);

        let new = NewFile::create(path)?;
        let mapping = new.fill(&header, &schema)?;
        header.mirrors(&mapping).cursor.0.publish(header.first_sequence, None);
        new.make_ready(&header, path)?;
        Ok((mapping, header))
    }

    fn mirrors(&self) -> &Mirrors {
        self.header.mirrors(&self.mapping)
    }

    /// The cursor that other processes see.
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.mirrors().cursor.0
    }

    pub(super) fn slots(&self, bytes: usize) -> Region {
        Region::mapped(&self.mapping, self.header.slots_offset as usize, bytes)
    }

    /// Says how the stream ends, before the mirror is closed, whose Release store carries it.
    pub(crate) fn set_end(&self, end: &End) {
        ending::write(end, &self.mirrors().end.0);
    }

    /// The core is alive.
    pub(crate) fn beat(&self) {
        // Relaxed: it is a number and nothing more.
        self.mirrors().heartbeat.0.store(system::monotonic(), Relaxed);
    }

    /// Tells what the consumers do. For one thread at a time.
    pub(super) fn report(&self, stats: &Stats) {
        let words = self.header.report_words(&self.mapping);
        report::write(&self.mirrors().report.0, words, stats, system::monotonic());
    }
}

/// A file that nobody knows yet. Dropped, it is removed, unless it was moved to its place.
struct NewFile {
    path: PathBuf,
    file: File,
}

impl NewFile {
    /// Beside `path`, for who has the lock on that.
    fn create(path: &Path) -> Result<Self, FileError> {
        let path = beside(path, "new");
        // What somebody left who died over it.
        match attached::open_file(&path) {
            // (Who died has given up its lock.)
            Ok(left)
                if is_unfinished(&left).map_err(FileError::new("reading", &path))?
                    && !attached::is_locked(&left, &path)? =>
            {
                fs::remove_file(&path).map_err(FileError::new("removing", &path))?;
            }
            Err(error) if error.is_not_found() => {}
            Err(AttachError::File(error)) => return Err(error),
            _ => return Err(occupied("making a ring at", &path)),
        }
        // Nobody may write it, but by this descriptor.
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o440).open(&path);
        let file = file.map_err(FileError::new("making", &path))?;
        Ok(Self { path, file })
    }

    /// All but what makes it ready.
    fn fill(&self, header: &Header, schema: &[u8]) -> Result<Mapping, SharedError> {
        let Self { path, file } = self;
        system::allocate(file, header.file_bytes).map_err(FileError::new("taking room for", path))?;
        if !system::lock(file).map_err(FileError::new("locking", path))? {
            return Err(SharedError::InUse { path: path.clone(), process_id: None });
        }
        let unready = Header { ready: 0, ..*header };
        let write =
            |bytes: &[u8], offset| file.write_all_at(bytes, offset).map_err(FileError::new("writing", path));
        write(bytemuck::bytes_of(&unready), 0)?;
        write(schema, header.schema_offset)?;
        let file = file.try_clone().map_err(FileError::new("opening", path))?;
        let mapping = Mapping::new(file, header.file_bytes as usize, Access::Write);
        Ok(mapping.map_err(FileError::new("mapping", path))?)
    }

    fn make_ready(mut self, header: &Header, path: &Path) -> Result<(), FileError> {
        let ready = bytemuck::bytes_of(header);
        self.file.write_all_at(ready, 0).map_err(FileError::new("writing", &self.path))?;
        fs::rename(&self.path, path).map_err(FileError::new("moving a new ring to", path))?;
        self.path.clear();
        Ok(())
    }
}

/// Whether it may have been left by somebody who was making a ring: it is empty, or begins as one, or has only its place on the device.
fn is_unfinished(file: &File) -> io::Result<bool> {
    let mut magic = [0; MAGIC.len()];
    file.read_at(&mut magic, 0)?;
    Ok(magic == MAGIC || magic == [0; MAGIC.len()])
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // What cannot be removed is removed by who comes next.
            let _ = fs::remove_file(&self.path);
        }
    }
}
