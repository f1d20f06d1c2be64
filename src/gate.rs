//! The table of gating sequences: join, leave, minimum, and the two permissions that follow from it.
//!
//! Each required consumer owns a place whose *gate* holds the first sequence it has not acknowledged, or
//! [`NOT_GATING`]. The producer looks at all gates when it comes to its limit: once a lap, and more often while a consumer is
//! nearly a lap behind.
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
//!   second sees what the other stored before its own. See [`GatingSequence::join`].

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::cursor::{Cursor, Observed};
use crate::ring::Core;
use crate::sync::{Acquire, AtomicU64, Mutex, Projection, Relaxed, Release, SeqCst, fence, lock, proven};

/// The value of a gate that holds nothing up: larger than every sequence, so that the minimum needs no branch. It does not
/// say that the place is free: see `owners`.
const NOT_GATING: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct GateTable {
    gates: Box<[CachePadded<AtomicU64>]>,
    /// The names of the places' owners. The lock is taken by consumers that join or leave, never by the producer.
    owners: Mutex<Box<[Option<Arc<str>>]>>,
}

impl GateTable {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            gates: (0..places).map(|_| CachePadded::new(AtomicU64::new(NOT_GATING))).collect(),
            owners: Mutex::new(vec![None; places].into_boxed_slice()),
        }
    }

    /// How many consumers can be required at once.
    pub(crate) fn places(&self) -> usize {
        self.gates.len()
    }

    /// The required consumer that is furthest behind, and its position. A look from outside: it orders nothing.
    pub(crate) fn slowest(&self) -> Option<(Arc<str>, u64)> {
        let owners = lock(&self.owners);
        let positions = self.gates.iter().map(|gate| gate.load(Relaxed));
        let (owner, position) = owners.iter().zip(positions).min_by_key(|(_, position)| *position)?;
        Some((Arc::clone(owner.as_ref()?), position))
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
    cursor: Projection<Core, Cursor>,
    place: usize,
    /// The first sequence not acknowledged: what the gate holds.
    position: u64,
    /// The highest cursor seen.
    seen: u64,
    frozen: bool,
}

impl GatingSequence {
    /// Takes a place, while the producer runs, and starts at the cursor. `None`: every place is taken.
    ///
    /// Why nothing from the start on can be overwritten. Of this fence and the fence of any look of the producer, one is
    /// first. If ours is, that look sees our gate. If the producer's is, then we see at least the cursor that it had stored
    /// before: `c >= x`, and the limit it set is at most `x + N <= c + N`. It writes nothing from `c + N` on before it looks
    /// again, and sees our gate then. Sequences below `c` are not ours to read.
    ///
    /// The first store may be of a cursor long gone, if this thread is taken off its processor right before it. The producer
    /// is held up then until the thread runs again.
    pub(crate) fn join(core: &Arc<Core>, name: &Arc<str>) -> Option<Self> {
        let table = &core.gates;
        let mut owners = lock(&table.owners);
        let place = owners.iter().position(Option::is_none)?;
        owners[place] = Some(Arc::clone(name));
        let gate = &table.gates[place];
        // Release: the place may have had an owner before, whose reads came before ours through the lock. Whoever sees
        // this store in the place of the owner's last must also see those reads over (acknowledge/look).
        gate.store(core.cursor.glance().count, proven!(Release, "join-first-store-relaxed" => Relaxed));
        // SeqCst: pairs with the fence in `Room::look` (join/look).
        proven!(fence(SeqCst), "join-without-fence" => ());
        // `observe` is an Acquire load: what the producer did before it published the last event below `start` is
        // visible to who joins there.
        let start = proven!(core.cursor.observe().count, "join-without-second-look" => gate.load(Relaxed));
        // Relaxed is enough: the fence above is a release fence, so a look that sees this store is ordered behind the
        // former owner's reads as well. (A mutant of a stronger store would survive.)
        gate.store(start, Relaxed);
        Some(Self {
            cursor: Projection::new(core, |core| &core.cursor),
            gate: Projection::new(core, |core| &*core.gates.gates[place]),
            place,
            position: start,
            seen: start,
            frozen: false,
        })
    }

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

    /// Looks at the cursor.
    #[inline(always)]
    pub(crate) fn look(&mut self) -> Observed {
        let observed = self.cursor.observe();
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
        let mut owners = lock(&self.core().gates.owners);
        // Release: pairs with the producer's look (acknowledge/look).
        self.gate.store(NOT_GATING, proven!(Release, "leave-store-relaxed" => Relaxed));
        owners[self.place] = None;
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
    cursor: Projection<Core, Cursor>,
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
            cursor: Projection::new(core, |core| &core.cursor),
        }
    }

    pub(crate) fn core(&self) -> &Core {
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
        // SeqCst: pairs with the fence in `GatingSequence::join` (join/look).
        proven!(fence(SeqCst), "look-without-fence" => ());
        let minimum = self.gates.minimum();
        // Never more than a lap beyond our own cursor, even when nobody is required: a consumer that joins between two looks
        // relies on it.
        let held = minimum.min(proven!(self.next, "look-past-own-cursor" => self.next + 1));
        let limit = held + proven!(self.capacity, "gate-off-by-one" => self.capacity + 1);
        // Somebody who is joining may have stored a cursor of more than a lap ago.
        self.limit = limit.max(self.next);
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

    /// Publishes what is filled by one store of the cursor, and gives the rest up. Returns the first sequence published.
    #[inline(always)]
    pub(crate) fn publish(self) -> u64 {
        let next = self.first + self.filled;
        self.room.next = next;
        self.room.cursor.publish(next);
        self.first
    }
}
