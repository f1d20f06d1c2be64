//! A ring that is looked at from another process, as a reader sees it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Origin;
use crate::cursor::Cursor;
use crate::error::End;
use crate::reader::Source;
use crate::sync::Projection;

/// The mirror of the cursor, how the stream ends, and whether its core lives.
pub(crate) struct Watched {
    cursor: Projection<Origin, Cursor>,
    /// Looks that found nothing since the clock was looked at last.
    looks: Cell<u32>,
    /// When the kernel was asked last.
    asked_at: Cell<Instant>,
    /// For good: nobody takes the lock of a file again.
    is_dead: Cell<bool>,
}

impl Watched {
    /// The clock is looked at at each look in so many that find nothing: it takes as long as some looks.
    const LOOKS: u32 = 16;
    /// The kernel is asked no more often: it takes as long as some ten looks.
    const BETWEEN_QUESTIONS: Duration = Duration::from_millis(1);

    pub(crate) fn new(origin: &Arc<Origin>) -> Self {
        let cursor = Projection::new(origin, Origin::cursor);
        Self { cursor, looks: Cell::new(0), asked_at: Cell::new(Instant::now()), is_dead: Cell::new(false) }
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        self.cursor.owner()
    }

    /// Whether nothing more will come: it is closed, or its core is known to have died.
    pub(crate) fn is_over(&self) -> bool {
        self.is_dead.get() || self.cursor.glance().closed
    }

    /// Asks the kernel whether the core lives, if the last time is long enough ago.
    #[cold]
    fn ask_now_and_then(&self) -> bool {
        if self.asked_at.get().elapsed() >= Self::BETWEEN_QUESTIONS {
            self.is_dead.set(!self.origin().is_held());
            self.asked_at.set(Instant::now());
        }
        self.is_dead.get()
    }
}

impl Source for Watched {
    #[inline(always)]
    fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    #[inline(always)]
    fn is_interrupted(&self) -> bool {
        let looks = self.looks.get() + 1;
        self.looks.set(looks % Self::LOOKS);
        (looks == Self::LOOKS && self.ask_now_and_then()) || self.is_dead.get()
    }

    fn interrupted(&self) -> Option<End> {
        self.is_dead.get().then_some(End::ProducerDied)
    }

    fn end(&self) -> End {
        self.origin().end()
    }

    fn delivered(&self, _: u64) {}

    fn missed(&self, _: u64) {}
}
