//! The file beside a ring's that decides between two who start at one path.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::error::FileError;
use crate::region::system;

/// The bytes of a process id in a lock file, with blanks behind it.
const ID_BYTES: usize = 10;

/// The lock on a path, for as long as this is kept. The file stays when it is dropped; it can be removed by who has the lock.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
}

impl LockFile {
    /// Takes the lock on `path`. `None`: somebody has it. A file of that name that is something else is left alone.
    pub(super) fn take(path: &Path) -> Result<Option<Self>, FileError> {
        let path = beside(path, "lock");
        loop {
            let file = open_or_make(&path).map_err(FileError::new("opening the lock file", &path))?;
            if !is_of_a_ring(&file).map_err(FileError::new("reading", &path))? {
                return Err(occupied("using as a lock file", &path));
            }
            if !system::lock(&file).map_err(FileError::new("locking", &path))? {
                return Ok(None);
            }
            // Somebody who had the lock may have removed the file meanwhile: then this is the lock on nothing.
            if is_at(&file, &path).map_err(FileError::new("looking at", &path))? {
                // For people: what others are told of who has it.
                let id = format!("{:<ID_BYTES$}", std::process::id());
                // (On a full device there is no room for it, and none for a ring: which will be said, and leaves nothing.)
                let _ = file.write_all_at(id.as_bytes(), 0);
                return Ok(Some(Self { path, file }));
            }
        }
    }

    /// As [`take`](Self::take), and waits a little: for somebody who only removes a file, or is about to have ended.
    pub(super) fn take_soon(path: &Path) -> Result<Option<Self>, FileError> {
        const TRIES: u32 = 50;
        for _ in 0..TRIES {
            if let Some(lock) = Self::take(path)? {
                return Ok(Some(lock));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Self::take(path)
    }

    /// The process that has the lock on `path`, or had it last, if the file tells.
    pub(super) fn holder(path: &Path) -> Option<u32> {
        fs::read_to_string(beside(path, "lock")).ok()?.trim().parse().ok()
    }

    /// What has the lock, for who keeps it longer.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// Removes the file.
    pub(super) fn remove(self) -> Result<(), FileError> {
        fs::remove_file(&self.path).map_err(FileError::new("removing", &self.path))
    }
}

/// (Not by `O_CREAT` alone: in a directory like `/dev/shm`, the kernel may refuse that for a file of another user, though it may be
/// opened.)
fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            options.create(true).truncate(false).open(path)
        }
        opened => opened,
    }
}

/// Whether it is empty, or has a process id and nothing else.
fn is_of_a_ring(file: &File) -> io::Result<bool> {
    let mut bytes = [b' '; ID_BYTES + 1];
    let len = file.read_at(&mut bytes, 0)?;
    Ok(len <= ID_BYTES && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '))
}

/// Something else has a name that is needed.
pub(super) fn occupied(doing: &'static str, path: &Path) -> FileError {
    let error =
        io::Error::new(io::ErrorKind::AlreadyExists, "the file belongs to something else than a ring");
    FileError::new(doing, path)(error)
}

/// Whether it is `file` that `path` names.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The path with `.suffix` behind it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".");
    beside.push(suffix);
    beside.into()
}
