//! The table of gating sequences: join, leave, minimum, and the two permissions that follow from it.
//!
//! Each required consumer owns a place whose *gate* holds the first sequence it has not acknowledged, or
//! [`NOT_GATING`]. The producer looks at all gates when it comes to its limit, once a lap at least.
//!
//! The two sides are kept apart by permissions that only this module makes:
//!
//! - [`Free`]: these slots are the producer's to write. Made by [`Room`].
//! - [`GatingSequence`]: these sequences are published and held. Made by joining, widened by looking at the cursor, narrowed by
//!   acknowledging.
//!
//! `storage.rs` writes a slot only for a `Free`, and lends a slot only for a `GatingSequence`: that is its safety argument,
//! and it rests on this file.
//!
//! Pairs, by name:
//!
//! - **acknowledge/look**: a gate's store (Release) with the producer's load (Acquire). The consumer's reads are over
//!   before its slots are written again. Leaving is an acknowledgement of everything for good.
//! - **join/look**: the `SeqCst` fence of a consumer that joins with the `SeqCst` fence of the producer's look. Whichever is
//!   second sees what the other stored before its own. See [`GateTable::join`].

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::cursor::{Cursor, Observed};
use crate::ring::Core;
use crate::sync::{Acquire, AtomicU64, Mutex, Projection, Relaxed, Release, SeqCst, fence, lock, proven};

/// The value of a gate that holds nothing up: larger than every sequence, so that the minimum needs no branch. It does not
/// say that the place is free: see `occupied`.
const NOT_GATING: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct GateTable {
    gates: Box<[CachePadded<AtomicU64>]>,
    /// Which places have an owner. The lock is taken by consumers that join or leave, never by the producer.
    occupied: Mutex<Box<[bool]>>,
}

impl GateTable {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            gates: (0..places).map(|_| CachePadded::new(AtomicU64::new(NOT_GATING))).collect(),
            occupied: Mutex::new(vec![false; places].into_boxed_slice()),
        }
    }

    /// How many consumers can be required at once.
    pub(crate) fn places(&self) -> usize {
        self.gates.len()
    }

    /// Takes a place, while the producer runs, and starts at the cursor. `None`: every place is taken.
    ///
    /// Why nothing from the start on can be overwritten. Of this fence and the fence of any look of the producer, one is
    /// first. If ours is, that look sees our gate. If the producer's is, then we see at least the cursor that it had stored
    /// before: `c >= x`, and the limit it set is at most `x + N <= c + N`. It writes nothing from `c + N` on before it looks
    /// again, and sees our gate then. Sequences below `c` are not ours to read.
    pub(crate) fn join(core: &Arc<Core>) -> Option<GatingSequence> {
        let table = &core.gates;
        let mut occupied = lock(&table.occupied);
        let place = occupied.iter().position(|taken| !taken)?;
        occupied[place] = true;
        let gate = &table.gates[place];
        // Release: the place may have had an owner before, whose reads came before ours through the lock. Whoever sees
        // this store in the place of the owner's last must also see those reads over (acknowledge/look).
        gate.store(core.cursor.glance().count, proven!(Release, "join-first-store-relaxed" => Relaxed));
        // SeqCst: pairs with the fence in `Room::look` (join/look).
        proven!(fence(SeqCst), "join-without-fence" => ());
        // `observe` is an Acquire load: what the producer did before it published `start` is visible to who joins there.
        let start = proven!(core.cursor.observe().count, "join-without-second-look" => gate.load(Relaxed));
        // Relaxed is enough: the fence above is a release fence, so a look that sees this store is ordered behind the
        // former owner's reads as well. (A mutant of a stronger store would survive.)
        gate.store(start, Relaxed);
        Some(GatingSequence {
            gate: Projection::new(core, |core| &*core.gates.gates[place]),
            place,
            position: start,
            seen: start,
            frozen: false,
        })
    }

    /// The smallest gate, or `NOT_GATING`.
    #[inline]
    fn minimum(&self) -> u64 {
        let mut minimum = NOT_GATING;
        for gate in &self.gates {
            // Acquire: pairs with every store to a gate (acknowledge/look).
            minimum = minimum.min(gate.load(proven!(Acquire, "look-load-relaxed" => Relaxed)));
        }
        minimum
    }
}

/// A required consumer's place: its position, and the permission to read in place what is published and not yet acknowledged.
#[derive(Debug)]
pub(crate) struct GatingSequence {
    gate: Projection<Core, AtomicU64>,
    place: usize,
    /// The first sequence not acknowledged: what the gate holds.
    position: u64,
    /// The highest cursor seen.
    seen: u64,
    frozen: bool,
}

impl GatingSequence {
    pub(crate) fn core(&self) -> &Core {
        self.gate.owner()
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// How many sequences, from the position on, are published and held.
    #[inline(always)]
    pub(crate) fn readable(&self) -> u64 {
        self.seen - self.position
    }

    /// Looks at the cursor, which must be that of the same ring.
    #[inline(always)]
    pub(crate) fn look(&mut self, cursor: &Cursor) -> Observed {
        let observed = cursor.observe();
        self.seen = observed.count;
        observed
    }

    /// Gives up the next `count` sequences: the producer may write their slots.
    ///
    /// Panics if `count` is more than is readable.
    #[inline(always)]
    pub(crate) fn acknowledge(&mut self, count: u64) {
        assert!(count <= self.readable(), "acknowledged more than was readable");
        self.position += count;
        // Release: pairs with the producer's look (acknowledge/look).
        self.gate.store(self.position, proven!(Release, "acknowledge-store-relaxed" => Relaxed));
    }

    /// Leaves the gate where it is, for good: what was not acknowledged will never be overwritten, and the place is never free
    /// again.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }
}

/// Stops gating and gives the place back, unless frozen.
impl Drop for GatingSequence {
    fn drop(&mut self) {
        if self.frozen {
            return;
        }
        let mut occupied = lock(&self.core().gates.occupied);
        // Release: pairs with the producer's look (acknowledge/look).
        self.gate.store(NOT_GATING, proven!(Release, "leave-store-relaxed" => Relaxed));
        occupied[self.place] = false;
    }
}

/// The producer's own account of where it may write.
#[derive(Debug)]
pub(crate) struct Room {
    /// The next sequence to write: the cursor, as its only writer knows it.
    next: u64,
    /// The first sequence that may not be written before another look.
    limit: u64,
    capacity: u64,
    gates: Projection<Core, GateTable>,
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
        }
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
        // SeqCst: pairs with the fence in `GateTable::join` (join/look).
        proven!(fence(SeqCst), "look-without-fence" => ());
        let minimum = self.gates.minimum();
        // Never more than a lap beyond our own cursor, even when nobody is required: a consumer that joins between two looks
        // relies on it.
        let held = minimum.min(proven!(self.next, "look-past-own-cursor" => self.next + 1));
        self.limit = held + proven!(self.capacity, "gate-off-by-one" => self.capacity + 1);
        self.has(count)
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

    /// Publishes what is filled by one store of the cursor, which must be that of the same ring, and gives the rest up.
    /// Returns the first sequence published.
    #[inline(always)]
    pub(crate) fn publish(self, cursor: &Cursor) -> u64 {
        let next = self.first + self.filled;
        self.room.next = next;
        cursor.publish(next);
        self.first
    }
}
