//! What can go wrong with a worker.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::pin::NoSuchCore;
use crate::error::FailureCause;
use crate::sequence::Sequence;

/// Why a worker could not be started. Its consumer has left.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// There is no such core, or this process may not run on it.
    NoSuchCore {
        /// The consumer.
        consumer: Arc<str>,
        /// Which, and which there are.
        source: NoSuchCore,
    },
    /// The operating system refused a thread.
    Thread {
        /// The consumer.
        consumer: Arc<str>,
        /// What it said.
        source: io::Error,
    },
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCore { consumer, source } => write!(f, "worker `{consumer}` {source}"),
            Self::Thread { consumer, source } => {
                write!(
                    f,
                    "no thread for worker `{consumer}`: {source}; run fewer threads, or raise the limit"
                )
            }
        }
    }
}

impl Error for SpawnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoSuchCore { source, .. } => Some(source),
            Self::Thread { source, .. } => Some(source),
        }
    }
}

/// A handler returned an error or panicked, and its worker has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerError {
    /// The consumer's name.
    pub consumer: Arc<str>,
    /// The sequence it was at: the first that it has not handled.
    pub sequence: Sequence,
    /// [`FailureCause::Failed`] or [`FailureCause::Panicked`].
    pub cause: FailureCause,
    /// The error's text, or the message of the panic.
    pub message: Arc<str>,
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            FailureCause::Panicked => "panicked",
            _ => "failed",
        };
        write!(f, "worker `{}` {what} at sequence {}: {}", self.consumer, self.sequence, self.message)
    }
}

impl Error for WorkerError {}
