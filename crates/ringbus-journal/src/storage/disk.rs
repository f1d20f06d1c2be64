//! Real files.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{File, Lock, Storage};

/// The files of a directory of this machine. Unix only.
///
/// What is synced is there after a power cut as far as the file system and the drive keep their word: [`File::sync`] is `fdatasync`,
/// which covers the data and what is needed to read it back, the size among it, but not the times; [`Storage::sync`] is `fsync` of the
/// directory.
///
/// A file is written through one open [`File`] at a time: each of them writes on from where it left the end itself.
///
/// Names are those of files in the directory itself: one that is empty, is `.` or `..`, or has a `/` or a zero byte in it is refused as
/// [`ErrorKind::InvalidInput`]. Symbolic links are followed, so the directory must be one that only its owner writes to.
///
/// A lock is the lock of a file of its name, which is made if need be and stays: removed, it could be held twice. It is known on this
/// machine; for other machines on a network file system, as that file system does it.
///
/// ```
/// use ringbus_journal::{Disk, Storage};
///
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// let disk = Disk::create(directory.join("core/journal"))?;
/// let mut file = disk.create("a")?;
/// assert_eq!(file.append(b"kept")?, 4);
/// file.sync()?; // the bytes are there after a crash ...
/// disk.sync()?; // ... and so is the file.
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Disk {
    directory: PathBuf,
}

impl Disk {
    /// The files of this directory. It is not looked at yet: what is wrong with it, other calls say.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Makes the directory, and those that it lies in, where they are missing; they are there after a crash too.
    ///
    /// # Errors
    ///
    /// The file system's; [`ErrorKind::AlreadyExists`] if something other than a directory has the name.
    pub fn create(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let disk = Self::new(directory);
        make(&disk.directory)?;
        Ok(disk)
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        check_name(name)?;
        Ok(self.directory.join(name))
    }

    fn open_with(&self, name: &str, options: &OpenOptions) -> io::Result<Box<dyn File>> {
        let file = options.open(self.path(name)?)?;
        let end = file.metadata()?.len();
        Ok(Box::new(DiskFile { file, end }))
    }
}

/// Whether a file can have this name on any [`Storage`].
pub(crate) fn check_name(name: &str) -> io::Result<()> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        let message =
            format!("{name:?} cannot name a file of a journal: expected a plain name, without a path");
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// Makes a directory and those that it lies in, and makes that durable.
fn make(directory: &Path) -> io::Result<()> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    let made = match (fs::create_dir(directory), parent) {
        (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
            make(parent)?;
            fs::create_dir(directory)
        }
        (Ok(()), Some(parent)) => sync_as_found(parent),
        (made, _) => made,
    };
    match made {
        Ok(()) => sync_parent(directory),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && directory.is_dir() => {
            sync_as_found(directory)
        }
        Err(error) => Err(error),
    }
}

/// Makes durable that there is this directory, which was found: who made it may have been killed before. If this process may not even
/// read what it lies in, it has been made by somebody else, with whom that is left.
fn sync_as_found(directory: &Path) -> io::Result<()> {
    match sync_parent(directory) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// Makes durable that there is this directory.
fn sync_parent(directory: &Path) -> io::Result<()> {
    match directory.parent() {
        None => Ok(()),
        Some(parent) if parent.as_os_str().is_empty() => sync_directory(Path::new(".")),
        Some(parent) => sync_directory(parent),
    }
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

impl Storage for Disk {
    /// Regular files whose names are UTF-8; others are none of a journal's.
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.open_with(name, OpenOptions::new().read(true).write(true).create_new(true))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.open_with(name, OpenOptions::new().read(true).write(true))
    }

    fn open_to_read(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.open_with(name, OpenOptions::new().read(true))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from)?, self.path(to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name)?)
    }

    fn sync(&self) -> io::Result<()> {
        sync_directory(&self.directory)
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn Lock>> {
        let path = self.path(name)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock()?;
        Ok(Box::new(DiskLock { _file: file }))
    }

    fn place(&self) -> String {
        self.directory.display().to_string()
    }
}

/// Not opened with `O_APPEND`: Linux would then write at the end whatever the offset.
#[derive(Debug)]
struct DiskFile {
    file: fs::File,
    /// Where the next append goes.
    end: u64,
}

impl File for DiskFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.end)?;
        self.end += written as u64;
        Ok(written)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let written = self.file.write_at(bytes, offset)?;
        if written > 0 {
            self.end = self.end.max(offset + written as u64);
        }
        Ok(written)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.file.set_len(size)?;
        self.end = size;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The kernel holds the lock for as long as the file is open.
#[derive(Debug)]
struct DiskLock {
    _file: fs::File,
}

impl Lock for DiskLock {}
