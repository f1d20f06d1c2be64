//! The producer's side of the gates: how far it may write, and its permission to do so.
//!
//! See `gate.rs` for the other side, and for the pairs (acknowledge/look, join/look).

use std::sync::Arc;

use crate::cursor::Cursor;
use crate::gate::GateTable;
use crate::ring::Core;
#[cfg(feature = "shared")]
use crate::shared::Placement;
use crate::sync::{Projection, SeqCst, fence, proven};

/// The producer's own account of where it may write.
#[derive(Debug)]
pub(crate) struct Room {
    /// The next sequence to write: the cursor, as its only writer knows it.
    next: u64,
    /// The first sequence that may not be written before another look.
    limit: u64,
    capacity: u64,
    gates: Projection<Core, GateTable>,
    cursor: Projection<Core, Cursor>,
    /// The cursor that other processes see.
    #[cfg(feature = "shared")]
    mirror: Option<Projection<Placement, Cursor>>,
}

impl Room {
    /// Starts with no room, so that the first claim looks.
    pub(crate) fn new(core: &Arc<Core>) -> Self {
        let first = core.first_sequence;
        Self {
            next: first,
            limit: first,
            capacity: core.capacity,
            gates: Projection::new(core, |core| &core.gates),
            cursor: Projection::new(core, |core| &*core.cursor),
            #[cfg(feature = "shared")]
            mirror: core.placement.as_ref().map(|placement| Projection::new(placement, Placement::cursor)),
        }
    }

    /// The cursor that other processes see, if they see one.
    #[inline(always)]
    fn mirror(&self) -> Option<&Cursor> {
        #[cfg(feature = "shared")]
        return self.mirror.as_deref();
        #[cfg(not(feature = "shared"))]
        None
    }

    #[inline(always)]
    pub(crate) fn core(&self) -> &Arc<Core> {
        self.gates.owner()
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether `count` slots may be written, as far as is known without a look.
    #[inline(always)]
    pub(crate) fn has(&self, count: u64) -> bool {
        self.next + count <= self.limit
    }

    /// Looks at the gates, and says whether `count` slots may be written now.
    #[inline(never)]
    pub(crate) fn look(&mut self, count: u64) -> bool {
        // SeqCst: pairs with the fence in `gate::enter` (join/look).
        proven!(fence(SeqCst), "look-without-fence" => ());
        let minimum = self.gates.minimum();
        // Never more than a lap beyond our own cursor, even when nobody is required: a consumer that joins between two looks
        // relies on it.
        let held = minimum.min(proven!(self.next, "look-past-own-cursor" => self.next + 1));
        let limit = held + proven!(self.capacity, "gate-off-by-one" => self.capacity + 1);
        // Somebody who is joining may have stored a cursor of more than a lap ago.
        self.limit = limit.max(self.next);
        let has_room = self.has(count);
        #[cfg(feature = "latency")]
        self.stamp(if has_room { count } else { 0 });
        has_room
    }

    /// Stamps the events to be sampled among the next `count`, and sees to it that the claim of the next one after them looks
    /// again.
    #[cfg(feature = "latency")]
    fn stamp(&mut self, count: u64) {
        if let Some(stamps) = &self.gates.owner().stamps {
            let end = self.next + count;
            stamps.claimed(self.next..end);
            self.limit = self.limit.min(stamps.first_from(end));
        }
    }

    /// Whom the producer waits for now, by place.
    pub(crate) fn slowest_place(&self) -> Option<usize> {
        self.gates.slowest_place()
    }

    /// The next `count` slots, for the producer to write. Panics if there is no such room.
    #[inline(always)]
    pub(crate) fn take(&mut self, count: u64) -> Free<'_> {
        assert!(self.has(count), "claimed without room");
        Free { first: self.next, count, filled: 0, room: self }
    }
}

/// Slots that are the producer's to write: no required consumer may read them, and none of them is published.
#[derive(Debug)]
pub(crate) struct Free<'room> {
    room: &'room mut Room,
    first: u64,
    count: u64,
    /// How many of them, from the first, have been written: what `publish` reveals.
    filled: u64,
}

impl Free<'_> {
    #[inline(always)]
    pub(crate) fn filled(&self) -> u64 {
        self.filled
    }

    #[inline(always)]
    pub(crate) fn remaining(&self) -> u64 {
        self.count - self.filled
    }

    /// The sequence of the first of the next `count` slots, counted as filled: for `storage.rs`, which writes them at once.
    ///
    /// Panics if fewer remain.
    #[inline(always)]
    pub(crate) fn fill(&mut self, count: u64) -> u64 {
        assert!(count <= self.remaining(), "filled more than was claimed");
        let sequence = self.first + self.filled;
        self.filled += count;
        sequence
    }

    /// Publishes what is filled by one store of the cursor, and gives the rest up. Returns the first sequence published.
    #[inline(always)]
    pub(crate) fn publish(self) -> u64 {
        let next = self.first + self.filled;
        self.room.next = next;
        self.room.cursor.publish(next, self.room.mirror());
        self.room.core().attention.after_publish();
        self.first
    }
}
