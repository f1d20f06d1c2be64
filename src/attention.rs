//! Who must be woken, who has failed, whether all are to stop, and how the stream ended.
//!
//! One word says whether there is anything to attend to. Its line is written only when somebody goes to sleep, wakes, fails or
//! stops; the producer loads it before each claim (failure, stop) and after each publish (sleepers), a required
//! consumer after each acknowledgement. Why the stream ended stands beside it, written by the producer before it closes
//! the cursor.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::error::{End, Failure};
use crate::parking::{Alarm, Awaited, Parking, Sleepers, light_barrier};
use crate::sync::{AtomicU64, Mutex, Relaxed, lock, proven};

const OPEN: u64 = 0;
const CLOSED: u64 = 1;
const PRODUCER_FAILED: u64 = 2;
const POISONED: u64 = 3;
const STOPPED: u64 = 4;

/// The attention word. All accesses are relaxed: what there is to know is read under a lock, or ordered by the barriers of
/// `parking.rs`; a look that comes too early is followed by another.
#[derive(Debug)]
pub(crate) struct Word(CachePadded<AtomicU64>);

impl Word {
    /// A required consumer has failed. For good.
    pub(crate) const FAILED: u64 = 1;
    /// All are to stop. For good.
    pub(crate) const STOPPED: u64 = 2;
    /// Somebody sleeps until the cursor moves.
    pub(crate) const CURSOR_AWAITED: u64 = 4;
    /// Somebody sleeps until a gate moves.
    pub(crate) const GATES_AWAITED: u64 = 8;
    /// Progress must be followed by a fence before this word can say who sleeps. From the first on, or never.
    pub(crate) const FENCED: u64 = 16;

    #[inline(always)]
    pub(crate) fn has_any(&self, bits: u64) -> bool {
        self.0.load(Relaxed) & bits != 0
    }

    pub(crate) fn set(&self, bits: u64) {
        self.0.fetch_or(bits, Relaxed);
    }

    /// Without writing the line if there is nothing to clear.
    pub(crate) fn clear(&self, bits: u64) {
        if self.has_any(bits) {
            self.0.fetch_and(!bits, Relaxed);
        }
    }
}

#[derive(Debug)]
pub(crate) struct Attention {
    word: Word,
    sleepers: Sleepers,
    /// The first failure, for good.
    failure: Mutex<Option<Arc<Failure>>>,
    /// How the stream ended. Written by the producer, before the cursor is closed.
    end: AtomicU64,
}

impl Attention {
    pub(crate) fn new(parking: Parking) -> Self {
        let sleepers = Sleepers::new(parking);
        Self {
            word: Word(CachePadded::new(AtomicU64::new(if sleepers.need_fences() {
                Word::FENCED
            } else {
                0
            }))),
            sleepers,
            failure: Mutex::new(None),
            end: AtomicU64::new(OPEN),
        }
    }

    /// Whether the producer must not go on as if nothing had happened.
    #[inline(always)]
    pub(crate) fn is_raised(&self) -> bool {
        proven!(self.word.has_any(Word::FAILED | Word::STOPPED), "failure-not-looked-at" => false)
    }

    /// Whether all were asked to stop.
    #[inline(always)]
    pub(crate) fn is_stopped(&self) -> bool {
        self.word.has_any(Word::STOPPED)
    }

    /// After the cursor was stored.
    #[inline(always)]
    pub(crate) fn after_publish(&self) {
        light_barrier();
        if proven!(self.word.has_any(Word::CURSOR_AWAITED | Word::FENCED), "publish-wakes-nobody" => false) {
            self.sleepers.attend(&self.word, Awaited::Cursor);
        }
    }

    /// After a gate was stored.
    #[inline(always)]
    pub(crate) fn after_acknowledge(&self) {
        light_barrier();
        if proven!(self.word.has_any(Word::GATES_AWAITED | Word::FENCED), "acknowledge-wakes-nobody" => false)
        {
            self.sleepers.attend(&self.word, Awaited::Gates);
        }
    }

    /// After a change that happens once.
    pub(crate) fn wake_everybody(&self) {
        proven!(self.sleepers.wake_everybody(&self.word), "once-only-changes-wake-nobody" => ());
    }

    /// What wakes somebody who waits for `awaited`.
    #[inline(always)]
    pub(crate) fn alarm(&self, awaited: Awaited) -> Alarm<'_> {
        Alarm { sleepers: &self.sleepers, word: &self.word, awaited }
    }

    /// Records that a required consumer has failed. The first failure stands; after a stop, none counts.
    pub(crate) fn fail(&self, failure: &Arc<Failure>) {
        let mut first = lock(&self.failure);
        if !self.is_stopped() {
            first.get_or_insert_with(|| Arc::clone(failure));
            self.word.set(Word::FAILED);
        }
        drop(first);
        self.wake_everybody();
    }

    pub(crate) fn failure(&self) -> Option<Arc<Failure>> {
        lock(&self.failure).clone()
    }

    /// Asks all to stop.
    pub(crate) fn stop(&self) {
        // Under the lock, so that of a stop and a failure one is first, for everybody.
        let first = lock(&self.failure);
        self.word.set(Word::STOPPED);
        drop(first);
        self.wake_everybody();
    }

    /// The end that a stop or a failure has decided on, which the producer may not know of yet. (Whoever sees the bits takes the
    /// lock after those who set them.)
    pub(crate) fn decided(&self) -> Option<End> {
        if let Some(failure) = self.failure() {
            Some(End::Poisoned(failure))
        } else {
            self.is_stopped().then_some(End::Stopped)
        }
    }

    /// The end of the stream for a consumer that finds it open: if all were asked to stop.
    #[inline(always)]
    pub(crate) fn stopped(&self) -> Option<End> {
        if self.is_stopped() { self.decided() } else { None }
    }

    /// Says how the stream ends. For the producer alone, before it closes the cursor, whose Release store carries it.
    pub(crate) fn set_end(&self, end: &End) {
        let code = match end {
            End::Closed => CLOSED,
            End::ProducerFailed => PRODUCER_FAILED,
            End::Poisoned(_) => POISONED,
            End::Stopped => STOPPED,
            End::UpstreamLeft { .. } | End::UpstreamFailed(_) | End::ProducerDied | End::Damaged => {
                unreachable!("ends a consumer or an observer, not the stream")
            }
        };
        self.end.store(code, Relaxed);
    }

    /// How the stream ended. For whoever has seen the cursor closed (Relaxed: that look ordered this one).
    pub(crate) fn end(&self) -> End {
        match self.end.load(Relaxed) {
            PRODUCER_FAILED => End::ProducerFailed,
            POISONED => End::Poisoned(self.failure().expect("a ring is poisoned by a failure")),
            CLOSED => End::Closed,
            STOPPED => End::Stopped,
            end => unreachable!("asked how an open ring ended: {end}"),
        }
    }
}
