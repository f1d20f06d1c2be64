//! Progress marks: waiting until a given consumer has acknowledged a sequence.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::barrier::{Followed, sealed};
use crate::error::ProgressError;
use crate::parking::Awaited;
use crate::sequence::Sequence;
use crate::sync::proven;
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::{Until, look_until};

/// How far a required consumer has come, for anyone who wants to know or to wait for it: "the journal is durable through `s`".
///
/// Cheap to clone, and valid for as long as anybody keeps it, also when the consumer has gone. It costs the consumer and the
/// producer nothing: it reads the gate that is there anyhow. (Unless whoever waits asks to be woken: see
/// [`wait_for_with`](Self::wait_for_with).)
///
/// Who sees progress here also sees whatever the consumer's thread had done before it acknowledged.
///
/// # Examples
///
/// A producer that answers its client only when the journal has the event:
///
/// ```
/// use std::time::{Duration, Instant};
/// use ringbus::Ring;
///
/// let (mut producer, ring) = Ring::<u64>::builder().build()?;
/// let mut journal = ring.required("journal").join()?;
/// let durable = journal.progress();
/// let journalling = std::thread::spawn(move || {
///     while let Ok(batch) = journal.read() {
///         // write and sync, then:
///         batch.acknowledge();
///     }
/// });
///
/// let order = producer.publish(&42)?;
/// durable.wait_for(order, Instant::now() + Duration::from_secs(5))?;
/// // now tell the client
/// producer.close()?;
/// # journalling.join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Progress {
    followed: Followed,
}

impl Progress {
    pub(crate) fn new(followed: Followed) -> Self {
        Self { followed }
    }

    /// The consumer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.followed.member().name
    }

    /// The first sequence that the consumer has not acknowledged; where it stood when it left, failed, or began its pause.
    #[must_use]
    pub fn position(&self) -> Sequence {
        Sequence::new(self.followed.position())
    }

    /// Waits until the consumer has acknowledged the event `sequence`, or `deadline` has passed: by
    /// [`BackOff`](crate::wait::BackOff), so that it takes up to a nap to notice. Looks once, also if the deadline has passed before.
    ///
    /// # Errors
    ///
    /// [`ProgressError`]: the deadline has passed, or it will never be acknowledged, and why.
    pub fn wait_for(&self, sequence: Sequence, deadline: Instant) -> Result<(), ProgressError> {
        self.wait_for_with(sequence, deadline, &mut BackOff::default())
    }

    /// As [`wait_for`](Self::wait_for), by another wait strategy: [`BusySpin`](crate::wait::BusySpin) for the shortest reaction.
    /// [`Park`](crate::wait::Park) sleeps until woken; then each acknowledgement of any consumer of the ring that finds it asleep
    /// pays for a wake-up.
    ///
    /// # Errors
    ///
    /// As for [`wait_for`](Self::wait_for).
    pub fn wait_for_with(
        &self,
        sequence: Sequence,
        deadline: Instant,
        wait: &mut impl WaitStrategy,
    ) -> Result<(), ProgressError> {
        let alarm = self.followed.core().attention.alarm(Awaited::Gates);
        look_until(Until::Deadline(deadline), wait, Some(alarm), || self.look(sequence)).unwrap_or_else(
            || Err(ProgressError::Deadline { consumer: self.consumer(), position: self.position() }),
        )
    }

    fn consumer(&self) -> Arc<str> {
        Arc::clone(&self.followed.member().name)
    }

    /// Whether `sequence` has been acknowledged, or never will be.
    fn look(&self, sequence: Sequence) -> Option<Result<(), ProgressError>> {
        let member = self.followed.member();
        // Before the position: who has gone stands where it went. (A position from before would say that the last events that it
        // acknowledged never were.)
        let departure = proven!(member.departure(), "departure-looked-at-last" => None);
        let position = self.position();
        let departure = proven!(departure, "departure-looked-at-last" => member.departure());
        if sequence.get() < member.joined_at()
            || member.pauses().may_have_let_pass(sequence.get()) == Some(true)
        {
            return Some(Err(ProgressError::NotDelivered { consumer: self.consumer(), sequence }));
        }
        if position > sequence && member.pauses().may_have_let_pass(sequence.get()) == Some(false) {
            return Some(Ok(()));
        }
        if let Some(departure) = departure {
            return Some(Err(match member.failure().filter(|_| departure.has_failed) {
                Some(failure) => ProgressError::Failed(failure),
                None => ProgressError::Left { consumer: self.consumer(), position },
            }));
        }
        let core = self.followed.core();
        let stopped = core.attention.stopped();
        let observed = core.cursor.observe();
        if sequence.get() < observed.count {
            return None;
        }
        let end = if observed.closed { Some(core.attention.end()) } else { stopped };
        end.map(|end| Err(ProgressError::NeverPublished { sequence, end }))
    }
}

impl sealed::Upstream for Progress {
    fn followed(&self, _: Token) -> Followed {
        self.followed.clone()
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("name", &self.name()).field("position", &self.position()).finish()
    }
}
