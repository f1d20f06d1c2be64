//! The bare hand-off of a cache line from one core to another: two threads, one atomic. Both tell the processor that they spin: on
//! the machine of PERF.md a hand-off takes 32 ns so, and 46 without.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crossbeam_utils::CachePadded;

use crate::cores::{Side, pin};

/// A thread on the consumer's core that answers each odd number with the next, which is even.
pub(crate) struct Echo {
    line: Arc<CachePadded<AtomicU64>>,
    /// Odd.
    next: u64,
}

impl Echo {
    const END: u64 = u64::MAX - 1;

    pub(crate) fn start() -> Self {
        let line = Arc::new(CachePadded::new(AtomicU64::new(0)));
        let answering = Arc::clone(&line);
        thread::spawn(move || {
            pin(Side::Consumer);
            let mut next = 1;
            loop {
                // Acquire: pairs with the Release of `round_trip`, as it would where the line tells of others.
                let seen = answering.load(Ordering::Acquire);
                if seen == next {
                    // Release: pairs with the Acquire of `round_trip`, likewise.
                    answering.store(next + 1, Ordering::Release);
                    next += 2;
                } else if seen == Self::END {
                    break;
                } else {
                    spin_loop();
                }
            }
        });
        Self { line, next: 1 }
    }

    /// There and back.
    #[inline(always)]
    pub(crate) fn round_trip(&mut self) {
        // Release: pairs with the Acquire of the thread that answers.
        self.line.store(self.next, Ordering::Release);
        // Acquire: pairs with the Release of the answer.
        while self.line.load(Ordering::Acquire) != self.next + 1 {
            spin_loop();
        }
        self.next += 2;
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // Relaxed: it tells of nothing else.
        self.line.store(Self::END, Ordering::Relaxed);
    }
}
