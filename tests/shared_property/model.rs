//! What rings and observers do, in numbers.

use ringbus::shared::ObserveError;
use ringbus::{End, ReadFrom, Sequence};

/// A [`ReadFrom`], with sequences relative to the cursor of the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Oldest(u64),
    Newest,
    NewestMinus(u64),
    FromCursor(i64),
}

impl Place {
    pub(crate) fn at(self, cursor: u64) -> ReadFrom {
        match self {
            Self::Oldest(headroom) => ReadFrom::Oldest { headroom },
            Self::Newest => ReadFrom::Newest,
            Self::NewestMinus(events) => ReadFrom::NewestMinus(events),
            Self::FromCursor(offset) => {
                ReadFrom::Sequence(Sequence::new(cursor.saturating_add_signed(offset)))
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct RingModel {
    first: u64,
    cursor: u64,
    capacity: u64,
    window: u64,
    is_closed: bool,
}

impl RingModel {
    /// The nearest readable sequence to what `from` means.
    fn resolve(&self, from: ReadFrom) -> u64 {
        let oldest = self.cursor.saturating_sub(self.window).max(self.first);
        let wanted = match from {
            ReadFrom::Oldest { headroom } => oldest_with(self.cursor, self.window, headroom),
            ReadFrom::Newest => self.cursor,
            ReadFrom::NewestMinus(events) => self.cursor.saturating_sub(events),
            ReadFrom::Sequence(sequence) => sequence.get(),
        };
        wanted.clamp(oldest, self.cursor)
    }

    /// Where one starts, or moves to. `None`: there is no such sequence.
    fn start(&self, from: ReadFrom) -> Option<u64> {
        match from {
            ReadFrom::Sequence(asked) => {
                (self.first..=self.cursor).contains(&asked.get()).then_some(asked.get())
            }
            relative => Some(self.resolve(relative)),
        }
    }
}

fn oldest_with(cursor: u64, window: u64, headroom: u64) -> u64 {
    (cursor + headroom.min(window)).saturating_sub(window)
}

/// The rings that have been at the path, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Rings(Vec<RingModel>);

impl Rings {
    pub(crate) fn start(&mut self, first: u64, capacity: u64, max_batch: u64) {
        let window = capacity - max_batch;
        self.0.push(RingModel { first, cursor: first, capacity, window, is_closed: false });
    }

    pub(crate) fn current(&self) -> usize {
        self.0.len() - 1
    }

    /// Where the current one ends; 0 where there is none.
    pub(crate) fn end(&self) -> u64 {
        self.0.last().map_or(0, |ring| ring.cursor)
    }

    pub(crate) fn publish(&mut self, events: u64) {
        let ring = self.0.last_mut().expect("there is one");
        assert!(events == 0 || !ring.is_closed);
        ring.cursor += events;
    }

    pub(crate) fn close(&mut self) {
        self.0.last_mut().expect("there is one").is_closed = true;
    }
}

/// What a call for an event comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Event { ring: usize, sequence: u64 },
    Nothing(ObserveError),
}

impl Answer {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::Nothing(ObserveError::Empty)
    }
}

/// An observer.
#[derive(Debug)]
pub(crate) struct Watcher {
    ring: usize,
    position: u64,
    delivered: u64,
    missed: u64,
    resume: Option<ReadFrom>,
    follows: bool,
    awaits_next: bool,
    /// What lies between the last ring and this one, until it is told.
    gap: u64,
}

impl Watcher {
    pub(crate) fn attach(
        rings: &Rings,
        start: ReadFrom,
        resume: Option<ReadFrom>,
        follows: bool,
    ) -> Option<Self> {
        let ring = rings.current();
        let position = rings.0[ring].start(start)?;
        Some(Self { ring, position, delivered: 0, missed: 0, resume, follows, awaits_next: false, gap: 0 })
    }

    /// How many can be read now.
    fn look(&mut self, rings: &Rings) -> Result<u64, ObserveError> {
        let current = &rings.0[rings.current()];
        if self.awaits_next {
            if self.ring == rings.current() {
                return Err(ObserveError::Empty);
            }
            self.ring = rings.current();
            self.gap = current.first.saturating_sub(self.position);
            self.position = current.first;
            self.awaits_next = false;
            return Err(ObserveError::Restarted { resumed_at: Sequence::new(self.position) });
        }
        if self.gap > 0 {
            let missed = std::mem::take(&mut self.gap);
            self.missed += missed;
            return Err(ObserveError::Lagged { missed, resumed_at: Sequence::new(self.position) });
        }
        let ring = &rings.0[self.ring];
        match ring.cursor - self.position {
            0 if ring.is_closed => {
                self.awaits_next = self.follows;
                Err(ObserveError::Ended(End::Closed))
            }
            0 => Err(ObserveError::Empty),
            unread if unread > ring.window => {
                let resume = self.resume.unwrap_or(ReadFrom::Oldest { headroom: ring.capacity / 8 });
                let resumed_at = ring.resolve(resume);
                let missed = resumed_at - self.position;
                self.missed += missed;
                self.position = resumed_at;
                Err(ObserveError::Lagged { missed, resumed_at: Sequence::new(resumed_at) })
            }
            unread => Ok(unread),
        }
    }

    pub(crate) fn receive(&mut self, rings: &Rings) -> Answer {
        match self.look(rings) {
            Ok(_) => {
                let sequence = self.position;
                self.position += 1;
                self.delivered += 1;
                Answer::Event { ring: self.ring, sequence }
            }
            Err(error) => Answer::Nothing(error),
        }
    }

    /// The ring, the first sequence, how many.
    pub(crate) fn receive_many(&mut self, rings: &Rings, spare: u64) -> Result<(usize, u64, u64), Answer> {
        if spare == 0 && !self.awaits_next && self.gap == 0 {
            return Err(Answer::Nothing(ObserveError::BufferFull));
        }
        let count = self.look(rings).map_err(Answer::Nothing)?.min(spare);
        let first = self.position;
        self.position += count;
        self.delivered += count;
        Ok((self.ring, first, count))
    }

    /// How many it misses by that. `None`: it may not go there.
    pub(crate) fn skip_to(&mut self, rings: &Rings, to: ReadFrom) -> Option<u64> {
        let target = match to {
            ReadFrom::Sequence(asked) if asked.get() < self.position => return None,
            to => rings.0[self.ring].start(to)?.max(self.position),
        };
        let missed = target - self.position;
        self.missed += missed;
        self.position = target;
        Some(missed)
    }

    /// Position, delivered, missed, lag.
    pub(crate) fn numbers(&self, rings: &Rings) -> (u64, u64, u64, u64) {
        (self.position, self.delivered, self.missed, self.cursor(rings) - self.position + self.gap)
    }

    pub(crate) fn cursor(&self, rings: &Rings) -> u64 {
        rings.0[self.ring].cursor
    }

    pub(crate) fn ring(&self) -> usize {
        self.ring
    }
}
