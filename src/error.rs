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
    /// The ring's file could not be made.
    #[cfg(all(feature = "shared", not(loom)))]
    Shared(crate::shared::SharedError),
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
            #[cfg(all(feature = "shared", not(loom)))]
            Self::Shared(error) => error.fmt(f),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            #[cfg(all(feature = "shared", not(loom)))]
            Self::Shared(error) => error.source(),
            _ => None,
        }
    }
}

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
    /// It was to come after a consumer of another ring.
    OtherRing {
        /// The consumer that wanted to join.
        consumer: Arc<str>,
        /// The ring it wanted to join.
        ring: Arc<str>,
        /// The consumer it was to come after.
        upstream: Arc<str>,
        /// The ring of that one.
        other: Arc<str>,
    },
    /// It was to come after a consumer that has left or failed.
    UpstreamGone {
        /// The consumer that wanted to join.
        consumer: Arc<str>,
        /// The consumer it was to come after.
        upstream: Arc<str>,
    },
    /// It was to come after a consumer that is paused, or is about to be.
    UpstreamPaused {
        /// The consumer that wanted to join.
        consumer: Arc<str>,
        /// The consumer it was to come after.
        upstream: Arc<str>,
    },
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRequired { consumer, ring, max_required } => write!(
                f,
                "consumer `{consumer}` cannot join ring `{ring}`: all {max_required} places for required consumers are \
                 taken; let one leave (the place of one that failed, or that others come after, stays taken), or build the ring with a \
                 higher max_required"
            ),
            Self::ZeroBatchLimit { consumer } => {
                write!(
                    f,
                    "consumer `{consumer}` has a batch limit of 0 events; use at least 1, or set no limit"
                )
            }
            Self::OtherRing { consumer, ring, upstream, other } => write!(
                f,
                "consumer `{consumer}` of ring `{ring}` cannot come after `{upstream}`, which reads another ring (`{other}`); \
                 name consumers of the same ring"
            ),
            Self::UpstreamGone { consumer, upstream } => write!(
                f,
                "consumer `{consumer}` cannot come after `{upstream}`, which has left or failed; join while it is there"
            ),
            Self::UpstreamPaused { consumer, upstream } => write!(
                f,
                "consumer `{consumer}` cannot come after `{upstream}`, which is paused and acknowledges nothing; \
                 resume that one first"
            ),
        }
    }
}

impl Error for JoinError {}

/// Why consumers could not start together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupError {
    /// One of them reads another ring.
    OtherRing {
        /// That consumer.
        consumer: Arc<str>,
        /// The ring that was asked.
        ring: Arc<str>,
    },
    /// One of them has acknowledged or deferred events already.
    HasStarted {
        /// That consumer.
        consumer: Arc<str>,
        /// Where it stands.
        position: Sequence,
    },
    /// A consumer that comes after one of them is not among them: it would read what that one gives up.
    DependantOutside {
        /// The consumer that the other comes after.
        consumer: Arc<str>,
    },
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherRing { consumer, ring } => write!(
                f,
                "consumer `{consumer}` does not read ring `{ring}`; start consumers of one ring together"
            ),
            Self::HasStarted { consumer, position } => write!(
                f,
                "consumer `{consumer}` has started on its own and stands at {position}; start a group before any of it \
                 acknowledges or defers"
            ),
            Self::DependantOutside { consumer } => write!(
                f,
                "a consumer that comes after `{consumer}` is not in the group; start it together with the others"
            ),
        }
    }
}

impl Error for GroupError {}

/// Why a consumer could not pause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PauseError {
    /// Others come after it, and read only what it has acknowledged.
    HasDependants {
        /// The consumer.
        consumer: Arc<str>,
    },
    /// It has left or failed.
    Gone {
        /// The consumer.
        consumer: Arc<str>,
    },
}

impl fmt::Display for PauseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HasDependants { consumer } => write!(
                f,
                "consumer `{consumer}` cannot pause: others come after it and would wait with it; pause those, or let them \
                 leave first"
            ),
            Self::Gone { consumer } => {
                write!(f, "consumer `{consumer}` has left or failed: there is nothing to pause or resume")
            }
        }
    }
}

impl Error for PauseError {}

/// Why somebody who waited for a consumer's progress did not see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgressError {
    /// The deadline has passed.
    Deadline {
        /// The consumer.
        consumer: Arc<str>,
        /// The first sequence it had not acknowledged then.
        position: Sequence,
    },
    /// The event was not for this consumer: published before it joined, or let pass in one of its pauses. (A sequence between two
    /// pauses counts as let pass.)
    NotDelivered {
        /// The consumer.
        consumer: Arc<str>,
        /// What was waited for.
        sequence: Sequence,
    },
    /// The consumer left before it came there.
    Left {
        /// The consumer.
        consumer: Arc<str>,
        /// Its final position.
        position: Sequence,
    },
    /// The consumer failed before it came there.
    Failed(Arc<Failure>),
    /// The stream ended before.
    NeverPublished {
        /// What was waited for.
        sequence: Sequence,
        /// How the stream ended.
        end: End,
    },
}

impl fmt::Display for ProgressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline { consumer, position } => write!(
                f,
                "the deadline has passed: consumer `{consumer}` stood at sequence {position}; allow more time, or look what \
                 holds it up"
            ),
            Self::NotDelivered { consumer, sequence } => write!(
                f,
                "consumer `{consumer}` was not given sequence {sequence}: it joined later, or was paused; ask another \
                 consumer"
            ),
            Self::Left { consumer, position } => write!(
                f,
                "consumer `{consumer}` left at sequence {position}, before it came there; ask another consumer"
            ),
            Self::Failed(failure) => write!(f, "{failure}; what follows will not be acknowledged"),
            Self::NeverPublished { sequence, end } => {
                write!(f, "sequence {sequence} will never be published: {end}")
            }
        }
    }
}

impl Error for ProgressError {}

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
    /// It said so: [`RequiredConsumer::fail`](crate::RequiredConsumer::fail), or its handler on a
    /// [`Worker`](crate::worker::Worker) returned an error.
    Failed,
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
    /// What it said, or the message of its panic, where that is known.
    pub message: Option<Arc<str>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            FailureCause::Panicked => "panicked",
            FailureCause::Abandoned => "was dropped without `leave()`",
            FailureCause::Failed => "failed",
        };
        write!(f, "required consumer `{}` {what} at sequence {}", self.consumer, self.position)?;
        self.message.iter().try_for_each(|message| write!(f, ": {message}"))
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
    /// [`Ring::stop`](crate::Ring::stop) was called. Prompt, not orderly: an event that was being published meanwhile, or that an
    /// upstream had not acknowledged, may be left unread; the consumer's position says so.
    Stopped,
    /// The producer's process ended without closing the ring: killed, or crashed. Only an
    /// observer in another process lives to be told (feature `shared`).
    ProducerDied,
    /// Somebody has scribbled over the file of a shared ring: its cursor went back, or it says that it ended as no ring does. Only an
    /// observer in another process relies on what stands there (feature `shared`).
    ///
    /// One that does not follow goes on when the cursor is right again.
    Damaged,
    /// A consumer that this one comes after has left. What it had acknowledged has been read.
    UpstreamLeft {
        /// Its name.
        upstream: Arc<str>,
        /// Its final position.
        position: Sequence,
    },
    /// A consumer that this one comes after has failed. What it had acknowledged has been read.
    UpstreamFailed(Arc<Failure>),
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
            Self::Stopped => write!(f, "the ring was stopped: whoever runs it has asked all to end"),
            Self::ProducerDied => write!(
                f,
                "the producer's process ended without closing the ring: what it had published has been read; restart the core from \
                 what was kept of it"
            ),
            Self::Damaged => write!(
                f,
                "the ring's file was scribbled over by somebody else: its cursor went back, or its end makes no sense; look who may \
                 write it, and attach anew"
            ),
            Self::UpstreamLeft { upstream, position } => write!(
                f,
                "consumer `{upstream}`, which this one comes after, left at sequence {position}; leave too, or join anew after \
                 others"
            ),
            Self::UpstreamFailed(failure) => {
                write!(
                    f,
                    "what this consumer comes after is gone: {failure}; mend that one, and build a new ring"
                )
            }
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
    /// [`Ring::stop`](crate::Ring::stop) was called, and the ring is closed. Every later call gives the same error.
    Stopped,
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
            Self::Stopped => {
                write!(f, "the ring is closed: it was stopped; nothing more can be published on it")
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
