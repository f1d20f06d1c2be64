//! Reading by copy-and-validate: what optional consumers and observers in other processes have in common.

use std::sync::Arc;

use crate::cursor::{Cursor, Observed};
use crate::error::{End, RecvError, StartError};
use crate::event::Event;
use crate::optional::Received;
use crate::pace::Pace;
use crate::read_from::{ReadFrom, Window};
use crate::sequence::Sequence;
use crate::storage::{PrefixSlots, Slots};
use crate::sync::stop_speculation;
use crate::waiting::Reading;

/// Where a reader stands at a ring: what tells it how far it may read, and who is told what it has read.
pub(crate) trait Source {
    /// The end of what is published, as it is seen from here.
    fn cursor(&self) -> &Cursor;

    /// Whether the stream may have ended although the cursor does not say so. Asked where there is nothing to read.
    fn is_interrupted(&self) -> bool;

    /// The end of the stream, where the cursor does not say that it has ended. What was published before is seen after it.
    fn interrupted(&self) -> Option<End>;

    /// How the stream has ended; for who has seen the cursor closed.
    fn end(&self) -> End;

    /// So many events have been delivered, in all.
    fn delivered(&self, total: u64);

    /// So many events have been missed, in all.
    fn missed(&self, total: u64);
}

/// What reading needs, apart from the wait strategy.
pub(crate) struct Reader<S, F> {
    pub(crate) source: F,
    slots: S,
    pub(crate) window: Window,
    resume: ReadFrom,
    /// The next sequence to read.
    pub(crate) position: u64,
    /// What lies between the position and this was published when last looked.
    seen: u64,
    pub(crate) pace: Pace,
    /// What of the position is not delivered: where it joined, and what was missed or let pass since.
    not_delivered: u64,
    pub(crate) missed: u64,
}

impl<S, F: Source> Reader<S, F> {
    pub(crate) fn new(
        source: F,
        slots: S,
        window: Window,
        resume: ReadFrom,
        position: u64,
        pace: Pace,
    ) -> Self {
        Self {
            source,
            slots,
            window,
            resume,
            position,
            seen: position,
            pace,
            not_delivered: position,
            missed: 0,
        }
    }

    /// Looks whether there is something to read: how much is published from the position on, all of it readable at that
    /// moment.
    #[inline(always)]
    fn look(&mut self) -> Result<u64, RecvError> {
        let observed = self.source.cursor().peek();
        // (A mirror that was scribbled over may go back. Then this is huge.)
        match observed.count.wrapping_sub(self.position) {
            0 if observed.closed || self.source.is_interrupted() => self.look_closer(),
            0 => Err(RecvError::Empty),
            unread if unread > self.window.len => Err(self.lagged(observed.count)),
            unread => {
                if observed.count.wrapping_sub(self.seen.max(self.position)) > 1 {
                    // For the reason given in `batch.rs`.
                    stop_speculation();
                }
                self.seen = observed.count;
                Ok(unread)
            }
        }
    }

    /// Takes the next event, by a copy that was confirmed or showed where the cursor is.
    #[inline(always)]
    fn take<T>(
        &mut self,
        copy: impl FnOnce(&S, u64, &Cursor) -> Result<T, u64>,
    ) -> Result<(Sequence, T), RecvError> {
        // What an earlier look has shown stays published, and its acquire fence stands before this copy as well (publish/peek). Whether
        // it was overwritten since, the look after the copy tells (overwrite/recheck).
        if self.position >= self.seen {
            self.look()?;
        }
        match copy(&self.slots, self.position, self.source.cursor()) {
            Ok(copied) => {
                let sequence = Sequence::new(self.position);
                self.deliver(1);
                Ok((sequence, copied))
            }
            Err(cursor) => Err(self.lagged(cursor)),
        }
    }

    /// Goes on where the consumer wants to after an overrun, which the cursor has shown.
    #[cold]
    fn lagged(&mut self, cursor: u64) -> RecvError {
        if cursor < self.position {
            return RecvError::Ended(End::Damaged);
        }
        let resumed_at = self.window.resolve(self.resume, cursor);
        let missed = resumed_at - self.position;
        self.miss(missed);
        RecvError::Lagged { missed, resumed_at: Sequence::new(resumed_at) }
    }

    #[inline(always)]
    pub(crate) fn delivered(&self) -> u64 {
        self.position - self.not_delivered
    }

    #[inline(always)]
    fn deliver(&mut self, events: u64) {
        self.position += events;
        self.source.delivered(self.delivered());
    }

    #[cold]
    pub(crate) fn miss(&mut self, events: u64) {
        self.let_pass(events);
        self.missed += events;
        self.source.missed(self.missed);
        // Whoever is overrun is on nobody's heels.
        self.pace.stop();
    }

    /// Moves ahead, and counts what lies between as missed. Returns how many those are.
    pub(crate) fn skip_to(&mut self, name: &Arc<str>, to: ReadFrom) -> Result<u64, StartError> {
        let position = self.position;
        let target = match to {
            ReadFrom::Sequence(asked) if asked.get() < position => {
                let (consumer, position) = (Arc::clone(name), Sequence::new(position));
                return Err(StartError::Backwards { consumer, asked, position });
            }
            // What the others mean may lie behind, where this consumer has been already.
            to => self.window.start(self.source.cursor(), name, to)?.max(position),
        };
        let missed = target - position;
        self.miss(missed);
        Ok(missed)
    }

    /// Moves on by so many events that are neither delivered nor missed.
    pub(crate) fn let_pass(&mut self, events: u64) {
        self.position += events;
        self.not_delivered += events;
    }

    /// Whether an earlier look has shown more than was read.
    #[cfg(feature = "shared")]
    #[inline(always)]
    pub(crate) fn has_in_hand(&self) -> bool {
        self.position < self.seen
    }

    /// How many events are published from the position on.
    pub(crate) fn lag(&self) -> u64 {
        self.source.cursor().glance().count.saturating_sub(self.position)
    }

    /// Looks again, where there was nothing, and the ring is closed or stopped: what was published, or closed, before the stop
    /// is seen after it.
    #[cold]
    fn look_closer(&mut self) -> Result<u64, RecvError> {
        let interrupted = self.source.interrupted();
        let observed = self.source.cursor().peek();
        match (observed.count.wrapping_sub(self.position), interrupted) {
            (0, _) if observed.closed => Err(RecvError::Ended(self.source.end())),
            (0, Some(end)) => Err(RecvError::Ended(end)),
            (0, None) => Err(RecvError::Empty),
            (unread, _) if unread > self.window.len => Err(self.lagged(observed.count)),
            (unread, _) => Ok(unread),
        }
    }
}

impl<S: PrefixSlots, F: Source> Reader<S, F> {
    #[cfg(all(feature = "shared", not(loom)))]
    pub(crate) fn slot_bytes(&self) -> usize {
        self.slots.slot_bytes()
    }

    #[inline(always)]
    pub(crate) fn try_recv_prefix(
        &mut self,
        into: &mut [u8],
        head: usize,
        used: impl FnOnce(&[u8]) -> usize,
    ) -> Result<(Sequence, usize), RecvError> {
        self.take(|slots, sequence, cursor| slots.copy_prefix(sequence, into, head, used).confirm(cursor))
    }
}

impl<E: Event, F: Source> Reader<Slots<E>, F> {
    #[inline(always)]
    pub(crate) fn try_recv(&mut self) -> Result<(Sequence, E), RecvError> {
        self.take(|slots, sequence, cursor| slots.copy(sequence).confirm(cursor))
    }

    pub(crate) fn try_recv_many(&mut self, buffer: &mut Vec<E>) -> Result<Received, RecvError> {
        if buffer.capacity() == buffer.len() {
            return Err(RecvError::BufferFull);
        }
        let unread = self.look()?;
        let from = self.position;
        let copied = self.slots.copy_many(from, unread as usize, buffer);
        let copied_end = from + copied.count() as u64;
        let resume = |intact_from, cursor| match self.resume {
            // What was copied and is intact needs no headroom any more.
            ReadFrom::Oldest { .. } if intact_from < copied_end => intact_from,
            resume => self.window.resolve(resume, cursor),
        };
        let (first, count) = match copied.confirm(self.source.cursor(), resume) {
            Ok(kept) => kept,
            Err(cursor) => return Err(self.lagged(cursor)),
        };
        let missed = first - from;
        if missed > 0 {
            self.miss(missed);
        }
        self.deliver(count as u64);
        let first = Sequence::new(first);
        if count == 0 {
            Err(RecvError::Lagged { missed, resumed_at: first })
        } else {
            Ok(Received { missed, first, count })
        }
    }
}

impl<S: PrefixSlots, F: Source> Reading for Reader<S, F> {
    #[inline(always)]
    fn position(&self) -> u64 {
        self.position
    }

    #[inline(always)]
    fn seen(&self) -> u64 {
        self.seen
    }

    #[inline(always)]
    fn glance(&self) -> bool {
        // Lest the event's line is asked for only when the cursor's has come.
        self.slots.prefetch(self.position);
        self.source.cursor().glance() != Observed { count: self.position, closed: false }
            || self.source.is_interrupted()
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }
}
