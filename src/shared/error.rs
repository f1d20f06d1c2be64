//! What can go wrong with the file of a ring. Each message says what was wrong, what was expected, and what to do.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A system call that failed, and on which file.
#[derive(Clone, Debug)]
pub struct FileError {
    doing: &'static str,
    path: PathBuf,
    error: Arc<io::Error>,
}

impl FileError {
    pub(super) fn new(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self { doing, path, error: Arc::new(error) }
    }

    /// What the system said.
    #[must_use]
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

impl PartialEq for FileError {
    fn eq(&self, other: &Self) -> bool {
        (self.doing, &self.path, self.error.kind()) == (other.doing, &other.path, other.error.kind())
    }
}

impl Eq for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` failed: {}; ", self.doing, self.path.display(), self.error)?;
        f.write_str(match self.error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some room, lower the ring's capacity, or choose a path on another device"
            }
            io::ErrorKind::PermissionDenied => "check who may use the path",
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::AlreadyExists => "move that away, or choose another path",
            _ => "mend that, or choose another path",
        })
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

/// Why a ring could not be placed in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharedError {
    /// A ring is at this path already, and the process that made it is there: it, or a handle of it that is still kept.
    InUse {
        /// The path.
        path: PathBuf,
        /// The process that has the lock, if its file tells.
        process_id: Option<u32>,
    },
    /// Something else than the file of a ring is at this path, and is left alone.
    Occupied {
        /// The path.
        path: PathBuf,
    },
    /// The name does not fit into the file's header.
    Name {
        /// Its length, bytes.
        bytes: usize,
        /// The most there can be.
        most: usize,
    },
    /// A system call failed: no room on the device, no permission.
    File(FileError),
    /// There is no thread for [reports](super::Shared::report_every).
    Thread {
        /// What the system said.
        error: io::ErrorKind,
    },
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path, process_id } => {
                write!(f, "the ring `{}` is in use", path.display())?;
                process_id.iter().try_for_each(|id| write!(f, " by process {id}"))?;
                f.write_str("; let that one end, with all handles of its ring, or choose another path")
            }
            Self::Occupied { path } => write!(
                f,
                "`{}` is something else than the file of a ring, and is not replaced; remove it, or choose another path",
                path.display()
            ),
            Self::Name { bytes, most } => write!(
                f,
                "a name of {bytes} bytes is longer than the {most} that a shared ring's can have; choose a shorter one"
            ),
            Self::File(error) => error.fmt(f),
            Self::Thread { error } => {
                write!(
                    f,
                    "the thread that reports on consumers could not be started: {error}; allow more, or set `report_every(None)`"
                )
            }
        }
    }
}

impl Error for SharedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(error) => error.source(),
            _ => None,
        }
    }
}

impl From<FileError> for SharedError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// A field of a file's header that cannot be what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderError {
    field: &'static str,
    found: u64,
    expected: String,
}

impl HeaderError {
    pub(super) fn new(field: &'static str, found: u64, expected: impl ToString) -> Self {
        Self { field, found, expected: expected.to_string() }
    }

    /// Which field: as the table in ARCHITECTURE.md names it.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the field `{}` is {}, expected {}", self.field, self.found, self.expected)
    }
}

impl Error for HeaderError {}

/// Why a ring in a file could not be attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttachError {
    /// There is no file, or it may not be read; or a system call failed.
    File(FileError),
    /// It is no regular file, or does not begin as the file of a ring does.
    NotARing {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        found: &'static str,
    },
    /// A field of its header cannot be what it is.
    Header {
        /// The path.
        path: PathBuf,
        /// Which, and why.
        error: HeaderError,
    },
    /// The schema in it is none.
    Schema {
        /// The path.
        path: PathBuf,
        /// Why.
        error: crate::bus::schema::SchemaError,
    },
    /// Its events have another size, or a larger alignment, than those that it was to be read as.
    OtherEvents {
        /// The path.
        path: PathBuf,
        /// The size and the alignment of its events, bytes.
        found: (usize, usize),
        /// Those of the type that was to be read.
        expected: (usize, usize),
    },
    /// It is the ring of no bus, and was to be read as records.
    NotABus {
        /// The path.
        path: PathBuf,
        /// The size of its events, bytes.
        slot_bytes: usize,
    },
    /// It was to be read from a sequence that is not on it.
    Start(crate::error::StartError),
}

impl AttachError {
    /// Whether there is no file.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::File(error) if error.error().kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::NotARing { path, found } => {
                write!(
                    f,
                    "`{}` is {found}; expected the file of a shared ring: check the path",
                    path.display()
                )
            }
            Self::Header { path, error } => write!(
                f,
                "the header of `{}` is damaged, or of another version: {error}; attach with the release that made it, or start the core \
                 anew",
                path.display()
            ),
            Self::Schema { path, error } => {
                write!(f, "the schema in `{}` cannot be read: {error}; start the core anew", path.display())
            }
            Self::OtherEvents { path, found, expected } => write!(
                f,
                "the events of `{}` have {} bytes, aligned to {}; expected {} bytes, aligned to {} or more: read it as the type that it was \
                 made for",
                path.display(),
                found.0,
                found.1,
                expected.0,
                expected.1
            ),
            Self::NotABus { path, slot_bytes } => write!(
                f,
                "`{}` is the ring of no bus: its events are {slot_bytes} bytes that nothing is known of; expected records: read it by an \
                 `Observer` of the type that it was made for",
                path.display()
            ),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl Error for AttachError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(error) => error.source(),
            Self::Header { error, .. } => Some(error),
            Self::Schema { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<FileError> for AttachError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// Why the file of a ring was not removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoveError {
    /// Its process is there: it, or a handle of the ring that is still kept.
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// It is not the file of a ring, or cannot be read.
    Attach(AttachError),
    /// A system call failed.
    File(FileError),
}

impl fmt::Display for RemoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => write!(
                f,
                "the ring `{}` was not removed: the process that made it is there; let that one end first",
                path.display()
            ),
            Self::Attach(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl Error for RemoveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Attach(error) => error.source(),
            Self::File(error) => error.source(),
            Self::InUse { .. } => None,
        }
    }
}

impl From<FileError> for RemoveError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// Why an observer got no event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// Nothing is unread, or was not when the deadline passed.
    Empty,
    /// The buffer has no spare capacity, so that nothing could be put into it.
    BufferFull,
    /// The producer came round and overwrote what was to be read next. Counted once; the next call goes on behind it.
    Lagged {
        /// How many events are lost, exactly.
        missed: u64,
        /// The sequence that is read next.
        resumed_at: crate::Sequence,
    },
    /// Nothing is unread, and nothing will come. An observer that
    /// [follows](super::ObserverBuilder::attach_following) gets it once for each ring, and waits for the next in its next call.
    Ended(crate::End),
    /// The core was started anew, and this observer goes on with its new ring. For those that
    /// [follow](super::ObserverBuilder::attach_following).
    Restarted {
        /// The sequence that is read next: the first there ever was on the new ring. If it lies before the place where the observer
        /// stood, the core says again what its journal had lost; if behind, the next call tells what lies between as missed.
        resumed_at: crate::Sequence,
    },
    /// The core was started anew, and its new ring cannot be attached to. The next call tries again.
    Attach(AttachError),
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::error::RecvError;
        match self {
            Self::Empty => RecvError::Empty.fmt(f),
            Self::BufferFull => RecvError::BufferFull.fmt(f),
            Self::Lagged { missed, resumed_at } => {
                RecvError::Lagged { missed: *missed, resumed_at: *resumed_at }.fmt(f)
            }
            Self::Ended(end) => end.fmt(f),
            Self::Restarted { resumed_at } => {
                write!(f, "the core was started anew; goes on with its new ring at sequence {resumed_at}")
            }
            Self::Attach(error) => {
                write!(f, "the core was started anew, and its ring cannot be read: {error}")
            }
        }
    }
}

impl Error for ObserveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Attach(error) => error.source(),
            _ => None,
        }
    }
}

impl From<crate::RecvError> for ObserveError {
    fn from(error: crate::RecvError) -> Self {
        match error {
            crate::RecvError::Empty => Self::Empty,
            crate::RecvError::BufferFull => Self::BufferFull,
            crate::RecvError::Lagged { missed, resumed_at } => Self::Lagged { missed, resumed_at },
            crate::RecvError::Ended(end) => Self::Ended(end),
        }
    }
}
