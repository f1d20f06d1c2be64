//! The events that a handler is given.

use std::fmt;

use crate::batch::{Batch, Reader};
use crate::error::AcknowledgeError;
use crate::event::Event;
use crate::sequence::Sequence;

/// Events for a [`Handler`](super::Handler): in the ring's own memory for a required consumer, copies for an optional one.
pub struct Events<'a, E: Event> {
    source: Source<'a, E>,
}

enum Source<'a, E: Event> {
    /// The next events of a required consumer, up to `end`. (How many those are follows from its position, which moves also when
    /// a panic passes through.)
    Held { reader: &'a mut Reader<E>, end: u64 },
    /// Copies, and the sequence of the first.
    Copied { events: &'a [E], first: u64 },
}

impl<'a, E: Event> Events<'a, E> {
    pub(crate) fn held(batch: Batch<'a, E>) -> Self {
        let (reader, len) = batch.into_reader();
        let end = reader.next() + len;
        Self { source: Source::Held { reader, end } }
    }

    pub(crate) fn copied(events: &'a [E], first: Sequence) -> Self {
        Self { source: Source::Copied { events, first: first.get() } }
    }

    /// How many there are that [`try_for_each`](Self::try_for_each) has not been through: at first at least one.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Held { reader, end } => (end - reader.next()) as usize,
            Source::Copied { events, .. } => events.len(),
        }
    }

    /// Whether `try_for_each` has been through all of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sequence of the first of them. The others follow without a gap.
    #[must_use]
    pub fn first_sequence(&self) -> Sequence {
        match &self.source {
            Source::Held { reader, .. } => Sequence::new(reader.next()),
            Source::Copied { first, .. } => Sequence::new(*first),
        }
    }

    /// All of them: two slices where the ring wraps, else the second is empty.
    #[must_use]
    pub fn slices(&self) -> (&[E], &[E]) {
        match &self.source {
            Source::Held { reader, end } => reader.in_place(end - reader.next()),
            Source::Copied { events, .. } => (events, &[]),
        }
    }

    /// Calls `handle(event, sequence, end_of_batch)` for each event, and counts it as handled when it returns `Ok`.
    ///
    /// What is handled is acknowledged here, and not when the handler returns: in parts of a quarter of the ring, so that a long
    /// batch does not hold the producer up for the whole ring, and the last part at the end. A handler that must do more before an
    /// event counts as handled (write, then sync) works on [`slices`](Self::slices) instead.
    ///
    /// # Errors
    ///
    /// The first error of `handle`; that event and those after it are not handled.
    #[inline]
    pub fn try_for_each<Error>(
        &mut self,
        mut handle: impl FnMut(&E, Sequence, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match &mut self.source {
            Source::Held { reader, end } => reader.handle(*end - reader.next(), handle),
            Source::Copied { events, first } => {
                while let [event, rest @ ..] = *events {
                    handle(event, Sequence::new(*first), rest.is_empty())?;
                    *events = rest;
                    *first += 1;
                }
                Ok(())
            }
        }
    }

    /// Counts the first `count` of them as handled already now: a handler that works through a long batch by itself, without
    /// [`try_for_each`](Self::try_for_each), lets the producer go on so. (The other way is to limit the batches:
    /// [`RequiredBuilder::batch_limit`](crate::RequiredBuilder::batch_limit).)
    ///
    /// # Errors
    ///
    /// [`AcknowledgeError`] if there are fewer; nothing is acknowledged then.
    pub fn acknowledge_first(&mut self, count: usize) -> Result<(), AcknowledgeError> {
        if count > self.len() {
            return Err(AcknowledgeError { count, len: self.len() });
        }
        match &mut self.source {
            Source::Held { reader, .. } => reader.acknowledge(count as u64),
            Source::Copied { events, first } => {
                *events = &events[count..];
                *first += count as u64;
            }
        }
        Ok(())
    }

    /// Counts the rest as handled.
    pub(crate) fn acknowledge_rest(self) {
        if let Source::Held { reader, end } = self.source {
            reader.acknowledge(end - reader.next());
        }
    }
}

impl<E: Event> fmt::Debug for Events<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("first_sequence", &self.first_sequence())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
