//! How far an answer can be relied on.

use std::fmt;

use super::kept::{Beginning, Ending};
use crate::sequence::Sequence;

/// What an audit log can answer about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extent {
    /// The log answers from here on: everything before was evicted, or came before the log.
    pub from: Sequence,
    /// It has seen nothing from here on.
    pub until: Sequence,
    /// How many sequences from `from` on it did not get to see, because its subscription missed them or let them pass.
    pub lost: u64,
    /// How many records it keeps.
    pub records: usize,
    /// What they cost, bytes, as [`AuditLog::new`](super::AuditLog::new) counts.
    pub bytes: usize,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the log answers from sequence {} up to {}", self.from, self.until)?;
        match self.lost {
            0 => Ok(()),
            lost => write!(f, ", and lost {lost} of them"),
        }
    }
}

/// Whether an answer is all there was, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// How many records the answer has.
    pub found: usize,
    /// Its block began before the log did.
    pub begun_before: bool,
    /// Something of it was evicted, or may have been: so much of its block was that nobody can tell.
    pub evicted: bool,
    /// Sequences in its block were missed, or let pass.
    pub lost: bool,
    /// More may come: its block has not ended, and neither has the transaction, as far as [`TransactionEnded`] tells.
    ///
    /// [`TransactionEnded`]: crate::bus::TransactionEnded
    pub unfinished: bool,
    /// What the log could answer about at that moment.
    pub extent: Extent,
}

impl Coverage {
    /// Of an answer that has nothing in it yet.
    pub(super) fn of(extent: Extent) -> Self {
        Self { found: 0, begun_before: false, evicted: false, lost: false, unfinished: false, extent }
    }

    pub(super) fn add_beginning(&mut self, beginning: Beginning) {
        self.begun_before |= beginning == Beginning::BeforeLog;
        self.lost |= beginning == Beginning::Lost;
    }

    pub(super) fn add_ending(&mut self, ending: Ending) {
        self.unfinished |= ending == Ending::Awaited;
        self.lost |= ending == Ending::Lost;
    }

    /// Whether something was found, and none of the reasons applies for which there might be more.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.found > 0 && !(self.begun_before || self.evicted || self.lost || self.unfinished)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            return write!(f, "complete");
        }
        if self.found == 0 {
            return write!(f, "nothing found: {}", self.extent);
        }
        let reasons = [
            (self.begun_before, "its block began before the log"),
            (self.evicted, "its oldest records are gone"),
            (self.lost, "records were missed or let pass"),
            (self.unfinished, "it has not ended"),
        ];
        let mut separator = "incomplete: ";
        for (_, reason) in reasons.iter().filter(|(applies, _)| *applies) {
            write!(f, "{separator}{reason}")?;
            separator = ", ";
        }
        write!(f, "; {}", self.extent)
    }
}
