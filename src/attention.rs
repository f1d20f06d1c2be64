//! Who has failed, and how the stream ended.
//!
//! The producer looks at one word before each claim, on a line that is written only when a required consumer fails. (Who
//! must be woken will be told through the same word.) Why the stream ended stands beside it, written by the producer before
//! it closes the cursor.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::error::{End, Failure};
use crate::sync::{AtomicU64, Mutex, Relaxed, lock, proven};

const NOTHING: u64 = 0;
const FAILED: u64 = 1;

const OPEN: u64 = 0;
const CLOSED: u64 = 1;
const PRODUCER_FAILED: u64 = 2;
const POISONED: u64 = 3;

#[derive(Debug)]
pub(crate) struct Attention {
    word: CachePadded<AtomicU64>,
    /// The first failure, for good.
    failure: Mutex<Option<Arc<Failure>>>,
    /// How the stream ended. Written by the producer, before the cursor is closed.
    end: AtomicU64,
}

impl Attention {
    pub(crate) fn new() -> Self {
        Self {
            word: CachePadded::new(AtomicU64::new(NOTHING)),
            failure: Mutex::new(None),
            end: AtomicU64::new(OPEN),
        }
    }

    /// Whether anything needs the producer's attention. Relaxed: what there is to know is read under the lock in
    /// [`Attention::failure`], and a look that comes too early is followed by another.
    #[inline(always)]
    pub(crate) fn is_raised(&self) -> bool {
        proven!(self.word.load(Relaxed) != NOTHING, "failure-not-looked-at" => false)
    }

    /// Records that a required consumer has failed. The first failure stands.
    pub(crate) fn fail(&self, failure: Failure) {
        lock(&self.failure).get_or_insert_with(|| Arc::new(failure));
        // Relaxed, after the lock: a producer that sees it takes the lock after us, because taking it before would make its
        // load come before this store.
        self.word.store(FAILED, Relaxed);
    }

    pub(crate) fn failure(&self) -> Option<Arc<Failure>> {
        lock(&self.failure).clone()
    }

    /// Says how the stream ends. For the producer alone, before it closes the cursor, whose Release store carries it.
    pub(crate) fn set_end(&self, end: &End) {
        let code = match end {
            End::Closed => CLOSED,
            End::ProducerFailed => PRODUCER_FAILED,
            End::Poisoned(_) => POISONED,
        };
        self.end.store(code, Relaxed);
    }

    /// How the stream ended. For whoever has seen the cursor closed (Relaxed: that look ordered this one).
    pub(crate) fn end(&self) -> End {
        match self.end.load(Relaxed) {
            PRODUCER_FAILED => End::ProducerFailed,
            POISONED => End::Poisoned(self.failure().expect("a ring is poisoned by a failure")),
            CLOSED => End::Closed,
            end => unreachable!("asked how an open ring ended: {end}"),
        }
    }
}
