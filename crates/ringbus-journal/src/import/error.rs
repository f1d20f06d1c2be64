//! Why an import ended early.

use std::fmt;
use std::path::PathBuf;

use recorded::ReadError;
use ringbus::bus::OtherStream;

use super::Imported;
use crate::error::JournalError;

/// An import that ended early: why, and what is kept.
#[derive(Debug)]
#[non_exhaustive]
pub struct ImportError {
    /// Why.
    pub fault: ImportFault,
    /// What came before, which is in the journal; durable, unless the journal is at fault.
    pub imported: Imported,
}

/// Why an import ended early.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportFault {
    /// There is a journal in the directory already.
    Exists {
        /// The directory.
        directory: PathBuf,
    },
    /// There are no events. No journal has been made.
    Empty,
    /// An event could not be read.
    Frame(ReadError),
    /// An event is of another stream.
    OtherStream {
        /// Which: 1 for the first.
        frame: u64,
        /// Of which.
        error: OtherStream,
    },
    /// The journal could not be made or written.
    Journal(JournalError),
}

impl fmt::Display for ImportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { directory } => write!(
                f,
                "`{}` has a journal already; expected an empty directory, or none: use another one",
                directory.display()
            ),
            Self::Empty => f.write_str("the recording has no events; expected one at least: check the file"),
            Self::Frame(error) => error.fmt(f),
            Self::OtherStream { frame, error } => write!(f, "frame {frame}: {error}"),
            Self::Journal(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, imported } = self;
        fault.fmt(f)?;
        match (fault, imported.records) {
            (_, 0) => f.write_str("; nothing was imported"),
            (ImportFault::Journal(_), _) => f.write_str(
                "; what was imported before may be in the journal in part: remove it, and import again",
            ),
            (_, records) => write!(f, "; the {records} events before it are in the journal"),
        }
    }
}

impl std::error::Error for ImportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            ImportFault::Frame(error) => Some(error),
            ImportFault::OtherStream { error, .. } => Some(error),
            ImportFault::Journal(error) => Some(error),
            ImportFault::Exists { .. } | ImportFault::Empty => None,
        }
    }
}
