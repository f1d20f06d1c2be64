//! Where an optional consumer reads: what it may ask for, and which sequence that is.

use std::sync::Arc;

use crate::cursor::Cursor;
use crate::error::StartError;
use crate::sequence::Sequence;

/// Where an optional consumer starts, where it goes on after it was overrun, or where it moves to.
///
/// The *oldest readable* event is the one `capacity - max_batch` behind the cursor, or the ring's first where there are not so
/// many: what is older may be being overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    /// The oldest event that the producer can overwrite only after it has published `headroom` more events. With a headroom of
    /// 0 that may happen before it is read; with one of `capacity - max_batch` or more this is the newest.
    Oldest {
        /// How far from being overwritten, events.
        headroom: u64,
    },
    /// The cursor: the next event that is published.
    Newest,
    /// So many events behind the cursor, or the oldest readable where those are not so many.
    NewestMinus(u64),
    /// This sequence. At a start or a move it must not be beyond the cursor; if it has been overwritten, the first read
    /// says how many were missed. For going on after an overrun: this sequence if it is readable and not yet passed, else
    /// the nearest that is (which the producer may be about to overwrite).
    Sequence(Sequence),
}

/// Which sequences can be read while the cursor stands somewhere: the last `capacity - max_batch`, as far as the ring has
/// ever had so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) len: u64,
    pub(crate) first_sequence: u64,
}

impl Window {
    fn oldest(self, cursor: u64) -> u64 {
        cursor.saturating_sub(self.len).max(self.first_sequence)
    }

    /// The sequence that `from` means; always in the window.
    pub(crate) fn resolve(self, from: ReadFrom, cursor: u64) -> u64 {
        let sequence = match from {
            ReadFrom::Oldest { headroom } => cursor.saturating_sub(self.len.saturating_sub(headroom)),
            ReadFrom::Newest => cursor,
            ReadFrom::NewestMinus(events) => cursor.saturating_sub(events),
            ReadFrom::Sequence(sequence) => sequence.get().min(cursor),
        };
        sequence.max(self.oldest(cursor))
    }

    /// Where `start` is now. Everything from the result on that is published was either readable at this moment or will be
    /// counted as missed.
    pub(crate) fn start(self, cursor: &Cursor, name: &Arc<str>, start: ReadFrom) -> Result<u64, StartError> {
        let cursor = cursor.peek().count;
        match start {
            ReadFrom::Sequence(asked) if asked.get() > cursor => Err(StartError::NotYetPublished {
                consumer: Arc::clone(name),
                asked,
                cursor: Sequence::new(cursor),
            }),
            ReadFrom::Sequence(asked) if asked.get() < self.first_sequence => Err(StartError::BeforeFirst {
                consumer: Arc::clone(name),
                asked,
                first_sequence: Sequence::new(self.first_sequence),
            }),
            ReadFrom::Sequence(asked) => Ok(asked.get()),
            relative => Ok(self.resolve(relative, cursor)),
        }
    }
}
