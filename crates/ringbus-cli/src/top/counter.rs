//! Counts events by kind, on a thread of its own: an observer of the ring like any other, which the core does not know of.
//!
//! It looks a thousand times a second, so that it need not read at full speed; and what it cannot keep up with it says.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringbus::bus::{RecordObserver, RecordRef};
use ringbus::shared::{AttachError, ObserveError, RingFile};
use ringbus::{ReadFrom, Sequence};

use super::sample::KindCounts;

/// From one look to the next, where nothing is unread.
const BREATH: Duration = Duration::from_millis(1);

/// Counts until it is dropped, or nothing can come any more.
pub(crate) struct Counter {
    first: Sequence,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

/// Written by the thread alone; whoever looks may see numbers of neighbouring moments.
struct Counts {
    by_kind: Box<[AtomicU64]>,
    read: AtomicU64,
    missed: AtomicU64,
    is_over: AtomicBool,
}

impl Counter {
    /// Begins with the next event.
    pub(crate) fn start(file: &RingFile) -> Result<Self, AttachError> {
        // Where it was overrun it goes on with the newest: older ones would be overwritten before it has read them.
        let observer = RecordObserver::builder(file.path()).resume(ReadFrom::Newest).attach()?;
        let (first, counts) = (observer.position(), Arc::new(Counts::new()));
        let on_thread = Arc::clone(&counts);
        let thread = thread::spawn(move || on_thread.run(observer));
        Ok(Self { first, counts, thread: Some(thread) })
    }

    /// What was counted so far.
    pub(crate) fn counts(&self) -> KindCounts {
        let Counts { by_kind, read, missed, .. } = &*self.counts;
        // Acquire: what was counted as read is among the kinds, which are looked at after that.
        let (missed, read) = (missed.load(Relaxed), read.load(Acquire));
        let came = by_kind.iter().enumerate().map(|(kind, count)| (kind as u16, count.load(Relaxed)));
        let by_kind = came.filter(|(_, count)| *count > 0).collect();
        KindCounts { by_kind, read, missed, position: self.first + (read + missed) }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.counts.is_over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // (If it has panicked, that was said.)
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").field("counts", &self.counts()).finish()
    }
}

impl Counts {
    fn new() -> Self {
        Self {
            by_kind: (0..=u16::MAX).map(|_| AtomicU64::new(0)).collect(),
            read: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    fn run(&self, mut observer: RecordObserver) {
        while !self.is_over.load(Relaxed) {
            match observer.try_recv() {
                Ok(record) => self.count(&record),
                Err(ObserveError::Lagged { missed, .. }) => add(&self.missed, missed),
                Err(ObserveError::Empty) => thread::park_timeout(BREATH),
                // It ends, or something is wrong that will not get better.
                Err(_) => return,
            }
        }
    }

    fn count(&self, record: &RecordRef<'_>) {
        let slots = record.next_sequence().since(record.sequence());
        add(&self.by_kind[usize::from(record.kind().get())], 1);
        self.read.store(self.read.load(Relaxed) + slots, Release);
    }
}

/// For the one thread that writes.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed) + count, Relaxed);
}
