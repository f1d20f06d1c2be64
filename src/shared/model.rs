//! What a shared ring is under loom: one whose cursor has a mirror, and that is read by way of it. There are no files.

use std::sync::Arc;

use super::shape::Shape;
use super::watched::Watched;
use crate::cursor::Cursor;
use crate::error::{BuildError, End, RecvError};
use crate::event::Event;
use crate::pace::Pace;
use crate::read_from::{ReadFrom, Window};
use crate::reader::Reader;
use crate::region::Region;
use crate::ring::Ring;
use crate::sequence::Sequence;
use crate::storage::{PrefixSlots, Slots};
use crate::sync::{AtomicU64, Relaxed};

/// Whether a ring has a mirror.
#[derive(Clone, Debug, Default)]
pub(crate) enum Wanted {
    #[default]
    Nothing,
    Mirror,
}

impl Wanted {
    pub(crate) fn place(&self, shape: &Shape<'_>) -> Result<Option<(Region, Placement)>, BuildError> {
        let Self::Mirror = self else { return Ok(None) };
        let region = Region::heap(shape.all_slots_bytes).expect("a few slots");
        let (cursor, is_normal_end) = (Cursor::new(shape.first_sequence), AtomicU64::new(0));
        Ok(Some((region, Placement { cursor, is_normal_end })))
    }
}

/// The mirrors.
#[derive(Debug)]
pub(crate) struct Placement {
    cursor: Cursor,
    is_normal_end: AtomicU64,
}

impl Placement {
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    pub(crate) fn set_end(&self, end: &End) {
        self.is_normal_end.store(u64::from(*end == End::Closed), Relaxed);
    }

    pub(super) fn end(&self) -> End {
        if self.is_normal_end.load(Relaxed) == 1 { End::Closed } else { End::Damaged }
    }

    pub(super) fn is_held(&self) -> bool {
        true
    }
}

/// An observer of a ring that has a mirror.
pub struct ModelObserver<E>(Reader<Slots<E>, Watched>);

impl<E: Event> ModelObserver<E> {
    /// Starts at the oldest event.
    #[must_use]
    pub fn attach(ring: &Ring<E>) -> Self {
        let placement = ring.core.placement.as_ref().expect("a mirrored ring");
        let oldest = ReadFrom::Oldest { headroom: 0 };
        let window = Window { len: ring.slots.window(), first_sequence: ring.core.first_sequence };
        let position = window.resolve(oldest, placement.cursor.peek().count);
        let pace = Pace::new(ring.core.capacity, false);
        Self(Reader::new(Watched::new(placement), ring.slots.clone(), window, oldest, position, pace))
    }

    /// As [`OptionalConsumer::try_recv`](crate::OptionalConsumer::try_recv).
    pub fn try_recv(&mut self) -> Result<(Sequence, E), RecvError> {
        self.0.try_recv()
    }

    /// As [`OptionalConsumer::missed`](crate::OptionalConsumer::missed).
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.missed
    }
}
