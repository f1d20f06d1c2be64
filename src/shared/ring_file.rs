//! Looking at a ring in a file, without reading its events.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::attached::Attached;
use super::error::AttachError;
use super::info::Info;
use super::report::Report;
use crate::error::End;
use crate::region::system;
use crate::sequence::Sequence;

/// A look at a ring that another process has placed in a file: what it is, how far it has come, whether its core lives, what its consumers
/// do. It reads; the producer's process does not notice.
///
/// ```
/// use ringbus::Ring;
/// use ringbus::shared::{Liveness, RingFile};
/// use std::time::Duration;
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders");
/// let (mut producer, _ring) = Ring::<u64>::builder().name("orders").capacity(8).shared(&path).build()?;
/// producer.publish_batch(&[1, 2])?;
///
/// // In another process:
/// let file = RingFile::open(&path)?;
/// assert_eq!((&*file.info().name, file.info().capacity, file.cursor().get()), ("orders", 8, 2));
/// assert_eq!(file.liveness(Duration::from_secs(1)), Liveness::Alive);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RingFile {
    pub(super) attached: Arc<Attached>,
}

/// Whether the core behind a shared ring lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// Its process is there.
    Alive,
    /// Its process is there, and has not said for too long that it is alive: it hangs, or was halted. Only of a core that calls
    /// [`Producer::heartbeat`](crate::Producer::heartbeat); idle is not stalled.
    Stalled {
        /// How long ago it said so last.
        silent_for: Duration,
    },
    /// The stream has ended. What was published can still be read.
    Closed(End),
    /// Its process has ended, or every handle of the ring there is gone, and the stream was not closed. What was published can still be
    /// read.
    Dead,
}

impl fmt::Display for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alive => "alive",
            Self::Stalled { .. } => "stalled",
            Self::Closed(_) => "closed",
            Self::Dead => "dead",
        })
    }
}

impl RingFile {
    /// Opens the file of a ring, to be read only, and checks all of its header. A symbolic link is not followed.
    ///
    /// Beware: if somebody makes the file shorter later on (which takes the right to write it, that nobody but root has), a look at what
    /// was cut off ends this process with the signal SIGBUS, and the ring's own process too.
    ///
    /// # Errors
    ///
    /// [`AttachError`]: there is no such file, it is none of a ring, or a field of its header cannot be what it is, which is named.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AttachError> {
        Ok(Self { attached: Arc::new(Attached::new(path.as_ref())?) })
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.attached.path
    }

    /// What kind of ring it is, and whose.
    #[must_use]
    pub fn info(&self) -> &Info {
        &self.attached.info
    }

    /// The end of what is published at this moment. One load of a word.
    #[must_use]
    pub fn cursor(&self) -> Sequence {
        Sequence::new(self.attached.cursor().glance().count)
    }

    /// Whether the core lives. It asks the kernel for the lock that the ring's process holds, which is gone with it however it ended, and
    /// looks when a [heartbeat](crate::Producer::heartbeat) came last: `stalled_after` says from when on silence is a bad sign.
    #[must_use]
    pub fn liveness(&self, stalled_after: Duration) -> Liveness {
        // Before the look whether it is closed: who closes gives up the lock after that.
        let is_held = self.attached.is_held();
        if self.attached.cursor().peek().closed {
            return Liveness::Closed(self.attached.end());
        }
        match self.heartbeat_age() {
            _ if !is_held => Liveness::Dead,
            Some(silent_for) if silent_for > stalled_after => Liveness::Stalled { silent_for },
            _ => Liveness::Alive,
        }
    }

    /// How the stream ended, or that its core has died; `None` while it goes on.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        match self.liveness(Duration::MAX) {
            Liveness::Closed(end) => Some(end),
            Liveness::Dead => Some(End::ProducerDied),
            Liveness::Alive | Liveness::Stalled { .. } => None,
        }
    }

    /// Whether the process that made the ring still has it: its producer, or a consumer that drains a closed one, or any other handle.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.attached.is_held()
    }

    /// How long ago the core said that it is alive. `None`: it never did.
    #[must_use]
    pub fn heartbeat_age(&self) -> Option<Duration> {
        let beat = self.attached.heartbeat()?;
        Some(Duration::from_nanos(system::monotonic().saturating_sub(beat)))
    }

    /// What the ring's process has told last of its consumers: ten times a second, unless it was
    /// [set otherwise](super::Shared::report_every). `None`: nothing, or it died while it did.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.attached.report()
    }

    /// Whether another ring is at the path by now: the core was started anew.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.attached.is_replaced().unwrap_or(false)
    }
}

impl fmt::Debug for RingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingFile")
            .field("path", &self.path())
            .field("name", &self.info().name)
            .field("epoch", &self.info().epoch)
            .field("cursor", &self.cursor())
            .finish_non_exhaustive()
    }
}
