//! Everything that can go wrong, by name. Each message says what was wrong, what was expected, and what to do.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::sequence::{MAX_FIRST_SEQUENCE, Sequence};

/// A setting that no ring can be built with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The capacity is not a power of two, or below 4.
    Capacity {
        /// What was asked for, slots.
        capacity: usize,
    },
    /// The max batch is 0, or more than a quarter of the capacity.
    MaxBatch {
        /// What was asked for, events.
        max_batch: usize,
        /// The ring's capacity, slots.
        capacity: usize,
    },
    /// More required consumers than the producer could look at in reasonable time.
    MaxRequired {
        /// What was asked for, consumers.
        max_required: usize,
        /// The most there can be.
        most: usize,
    },
    /// The first sequence leaves too little room to count on.
    FirstSequence {
        /// What was asked for.
        first_sequence: Sequence,
    },
    /// There is no such memory: larger than the address space, or refused by the operating system.
    Memory {
        /// The ring's capacity, slots.
        capacity: usize,
        /// The size of one event, bytes.
        event_bytes: usize,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity { capacity } => {
                write!(f, "capacity {capacity} is not a power of two of at least 4; ")?;
                match capacity.checked_next_power_of_two() {
                    Some(next) => write!(f, "{} would do", next.max(4)),
                    None => write!(f, "choose a smaller one"),
                }
            }
            Self::MaxBatch { max_batch, capacity } => {
                write!(
                    f,
                    "max batch {max_batch} is not between 1 and a quarter of the capacity ({}); ",
                    capacity / 4
                )?;
                match max_batch {
                    0 => write!(f, "raise it to at least 1"),
                    _ => write!(f, "lower it, or raise the capacity of {capacity}"),
                }
            }
            Self::MaxRequired { max_required, most } => {
                write!(
                    f,
                    "{max_required} required consumers are more than the {most} a ring can have; lower max_required"
                )
            }
            Self::FirstSequence { first_sequence } => write!(
                f,
                "first sequence {first_sequence} is above {MAX_FIRST_SEQUENCE} (2^62), the highest a ring can start at; \
                 pass the sequence that follows the last one kept"
            ),
            Self::Memory { capacity, event_bytes } => write!(
                f,
                "no memory for {capacity} slots of {event_bytes} bytes; lower the capacity, or make the events smaller"
            ),
        }
    }
}

impl Error for BuildError {}

/// Why a required consumer could not join.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// Every place is taken.
    TooManyRequired {
        /// The consumer that wanted to join.
        consumer: Arc<str>,
        /// The ring's name.
        ring: Arc<str>,
        /// The most required consumers that the ring was built for.
        max_required: usize,
    },
    /// A batch of at most 0 events would never make progress.
    ZeroBatchLimit {
        /// The consumer that wanted to join.
        consumer: Arc<str>,
    },
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRequired { consumer, ring, max_required } => write!(
                f,
                "consumer `{consumer}` cannot join ring `{ring}`: all {max_required} places for required consumers are \
                 taken; let one leave (a failed one never frees its place), or build the ring with a higher max_required"
            ),
            Self::ZeroBatchLimit { consumer } => {
                write!(
                    f,
                    "consumer `{consumer}` has a batch limit of 0 events; use at least 1, or set no limit"
                )
            }
        }
    }
}

impl Error for JoinError {}

/// Why an optional consumer could not start, or move, where it was told to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// The sequence lies beyond the cursor: nobody knows yet when it will be published.
    NotYetPublished {
        /// The consumer.
        consumer: Arc<str>,
        /// Where it was to start.
        asked: Sequence,
        /// The cursor at that moment: the last place where it could have started.
        cursor: Sequence,
    },
    /// The sequence lies before the first that this ring ever had.
    BeforeFirst {
        /// The consumer.
        consumer: Arc<str>,
        /// Where it was to start.
        asked: Sequence,
        /// The ring's first sequence.
        first_sequence: Sequence,
    },
    /// The sequence lies before the consumer's position: it has been delivered or counted as missed already.
    Backwards {
        /// The consumer.
        consumer: Arc<str>,
        /// Where it was to go.
        asked: Sequence,
        /// Where it stands.
        position: Sequence,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYetPublished { consumer, asked, cursor } => write!(
                f,
                "consumer `{consumer}` cannot go to sequence {asked}: the cursor is at {cursor}; \
                 go there or before, or read the newest"
            ),
            Self::BeforeFirst { consumer, asked, first_sequence } => write!(
                f,
                "consumer `{consumer}` cannot start at sequence {asked}: this ring begins at {first_sequence}; \
                 read what is before from where it was kept, and start at {first_sequence}"
            ),
            Self::Backwards { consumer, asked, position } => write!(
                f,
                "consumer `{consumer}` cannot go back to sequence {asked}: it stands at {position} and has accounted for all \
                 before; join a second consumer there"
            ),
        }
    }
}

impl Error for StartError {}

/// What a required consumer died of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureCause {
    /// It was dropped while its thread was unwinding from a panic.
    Panicked,
    /// It was dropped, while the ring was open, without having left.
    Abandoned,
}

/// The failure of a required consumer: who, why, and how far it had come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The name it joined with.
    pub consumer: Arc<str>,
    /// What happened.
    pub cause: FailureCause,
    /// The first sequence it had not acknowledged. Nothing from here on had been overwritten when it failed, and nothing
    /// is published once the producer has noticed.
    pub position: Sequence,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            FailureCause::Panicked => "panicked",
            FailureCause::Abandoned => "was dropped without `leave()`",
        };
        write!(f, "required consumer `{}` {what} at sequence {}", self.consumer, self.position)
    }
}

/// Why no more events will come. Consumers get it after they have drained what was published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The producer closed the ring, or was dropped in good order.
    Closed,
    /// The producer was dropped by a panic: what it would have published next is unknown.
    ProducerFailed,
    /// A required consumer failed, and the producer stopped rather than go on without it.
    Poisoned(Arc<Failure>),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => write!(f, "the ring is closed: the producer has finished"),
            Self::ProducerFailed => write!(
                f,
                "the producer panicked: the stream stops in the middle; restart the core from what was kept of it"
            ),
            Self::Poisoned(failure) => write!(
                f,
                "the ring is poisoned: {failure}; build a new ring once the cause is mended, and start it where the \
                 consumers stopped"
            ),
        }
    }
}

impl Error for End {}

/// Why nothing was published. In every case nothing is visible, and the sequence is not used up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// There is no room: a required consumer has not acknowledged enough. From the `try_` forms at once, from the `_deadline`
    /// forms when the deadline has passed, never from those that wait.
    Full {
        /// How many slots were needed.
        needed: usize,
    },
    /// More events than one batch may have.
    BatchTooLong {
        /// How many there were.
        len: usize,
        /// The ring's max batch.
        max_batch: usize,
    },
    /// A claim was published with nothing in it.
    NothingWritten,
    /// A required consumer has failed, and the ring is closed: going on without it would be silent loss. Every later call that
    /// would publish something gives the same error.
    Poisoned(Arc<Failure>),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { needed } => write!(
                f,
                "no room for {needed} more: a required consumer has not acknowledged enough; \
                 try again, or use a form that waits"
            ),
            Self::BatchTooLong { len, max_batch } => write!(
                f,
                "a batch of {len} events is longer than the ring's max batch of {max_batch}; \
                 split it, or build the ring with a higher max_batch"
            ),
            Self::NothingWritten => write!(
                f,
                "nothing was pushed into the claim, so there is nothing to publish; drop the claim to give it up"
            ),
            Self::Poisoned(failure) => {
                write!(f, "the ring is closed: {failure}; build a new ring once the cause is mended")
            }
        }
    }
}

impl Error for PublishError {}

/// Why a claim could not take another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimFull {
    /// How many slots were claimed.
    pub claimed: usize,
}

impl fmt::Display for ClaimFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all {} claimed slots are filled; publish, and claim again", self.claimed)
    }
}

impl Error for ClaimFull {}

/// Why a required consumer got no batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// Nothing is unread, or was not when the deadline passed.
    Empty,
    /// Nothing is unread, and nothing will come.
    Ended(End),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "no event to read yet; try again, or use a form that waits"),
            Self::Ended(end) => end.fmt(f),
        }
    }
}

impl Error for ReadError {}

/// More events were acknowledged than the batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcknowledgeError {
    /// How many were to be acknowledged.
    pub count: usize,
    /// How many the batch has.
    pub len: usize,
}

impl fmt::Display for AcknowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot acknowledge {} events of a batch of {}; nothing was acknowledged, and the batch will be delivered again",
            self.count, self.len
        )
    }
}

impl Error for AcknowledgeError {}

/// Why an optional consumer got no event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// Nothing is unread, or was not when the deadline passed.
    Empty,
    /// The buffer has no spare capacity, so that nothing could be put into it.
    BufferFull,
    /// The producer came round and overwrote what was to be read next. Counted once; the next call goes on behind it.
    Lagged {
        /// How many events are lost, exactly.
        missed: u64,
        /// The sequence that is read next.
        resumed_at: Sequence,
    },
    /// Nothing is unread, and nothing will come.
    Ended(End),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "no event to read yet; try again, or use a form that waits"),
            Self::BufferFull => {
                write!(f, "the buffer has no spare capacity: clear it, or reserve room for more events")
            }
            Self::Lagged { missed, resumed_at } => write!(
                f,
                "{missed} events were skipped because the producer had come round; goes on at sequence {resumed_at} (a larger \
                 ring, or a faster reader, would have kept up)"
            ),
            Self::Ended(end) => end.fmt(f),
        }
    }
}

impl Error for RecvError {}
