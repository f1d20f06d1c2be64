//! What fails while the machine runs.

use std::io::{self, ErrorKind};

use super::operation::Operation;

/// What goes wrong with an operation: see [`SimulatedDisk::fail_after`](super::SimulatedDisk::fail_after).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No room: [`ErrorKind::StorageFull`] from what makes or writes files, until it is mended.
    Full,
    /// The disk fails: [`ErrorKind::Other`], once, from whatever comes.
    Io,
    /// At most so many bytes are taken by each write, until it is mended.
    ShortWrite(usize),
    /// At most so many bytes are given by each read, until it is mended.
    ShortRead(usize),
    /// [`ErrorKind::ReadOnlyFilesystem`] from what changes files or names, or opens a file to do so, until it is mended.
    ReadOnly,
    /// [`ErrorKind::Other`], once, from a sync, of a file or of the directory. What it was to make durable is lost for good.
    SyncFails,
}

impl Fault {
    fn concerns(self, operation: Operation) -> bool {
        use Operation::{
            Append, Create, Lock, Open, ReadAt, Remove, Rename, Sync, SyncDirectory, Truncate, WriteAt,
        };
        match self {
            Self::Io => true,
            Self::Full => matches!(operation, Create | Append | WriteAt),
            Self::ShortWrite(_) => matches!(operation, Append | WriteAt),
            Self::ShortRead(_) => operation == ReadAt,
            Self::ReadOnly => {
                matches!(operation, Create | Open | Rename | Remove | Lock | Append | WriteAt | Truncate)
            }
            Self::SyncFails => matches!(operation, Sync | SyncDirectory),
        }
    }

    fn is_over_once_met(self) -> bool {
        matches!(self, Self::Io | Self::SyncFails)
    }
}

/// A fault that is to come, or has come and lasts.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    fault: Fault,
    on: Option<Operation>,
    /// How many of the operations that it is for go well before.
    spared: u64,
}

impl Plan {
    pub(super) fn new(fault: Fault, on: Option<Operation>, spared: u64) -> Self {
        Self { fault, on, spared }
    }
}

/// How many bytes the operation may move; the first fault that is due and leaves none fails it.
pub(super) fn meet(plans: &mut Vec<Plan>, operation: Operation) -> io::Result<usize> {
    let mut most = usize::MAX;
    let mut failed = None;
    plans.retain_mut(|plan| {
        let Plan { fault, on, spared } = plan;
        if !on.map_or_else(|| fault.concerns(operation), |on| on == operation) {
            return true;
        }
        if *spared > 0 {
            *spared -= 1;
            return true;
        }
        match *fault {
            Fault::ShortWrite(bytes) | Fault::ShortRead(bytes) => most = most.min(bytes),
            other => {
                failed.get_or_insert(other);
            }
        }
        !fault.is_over_once_met()
    });
    failed.map_or(Ok(most), |fault| Err(error(fault)))
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Full => full(),
        Fault::ReadOnly => {
            io::Error::new(ErrorKind::ReadOnlyFilesystem, "the simulated disk was made read-only by its test")
        }
        _ => io::Error::other("the simulated disk failed, as its test had asked for"),
    }
}

pub(super) fn full() -> io::Error {
    io::Error::new(ErrorKind::StorageFull, "the simulated disk has no room left")
}
