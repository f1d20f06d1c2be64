//! How often, how long and for whom the producer has waited for room. Written by the producer, and only when it waits.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Relaxed};

/// Waits for one consumer, or for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waits {
    /// How many times the producer had to wait.
    pub count: u64,
    /// How long these waits took together, from the first look that found no room.
    pub total: Duration,
}

impl Waits {
    pub(crate) fn since(self, before: Self) -> Self {
        Self { count: self.count - before.count, total: self.total - before.total }
    }
}

/// An account that one thread writes and others read at leisure; a reader may see one number before the other.
#[derive(Debug)]
struct Account {
    count: AtomicU64,
    nanos: AtomicU64,
}

impl Account {
    fn new() -> Self {
        Self { count: AtomicU64::new(0), nanos: AtomicU64::new(0) }
    }

    fn add(&self, waited: Duration) {
        self.nanos.store(self.nanos.load(Relaxed) + waited.as_nanos() as u64, Relaxed);
        self.count.store(self.count.load(Relaxed) + 1, Relaxed);
    }

    fn get(&self) -> Waits {
        Waits { count: self.count.load(Relaxed), total: Duration::from_nanos(self.nanos.load(Relaxed)) }
    }
}

/// The producer's waits.
#[derive(Debug)]
pub(crate) struct WaitAccounts {
    all: Account,
    /// By the place of whom the producer waited for: of all its owners, one after the other.
    by_place: Box<[Account]>,
    refused: AtomicU64,
}

impl WaitAccounts {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            all: Account::new(),
            by_place: (0..places).map(|_| Account::new()).collect(),
            refused: AtomicU64::new(0),
        }
    }

    /// A wait is over that began at `since`, when the owner of `place` was the slowest.
    pub(crate) fn add(&self, place: Option<usize>, since: Instant) {
        let waited = since.elapsed();
        self.all.add(waited);
        if let Some(place) = place {
            self.by_place[place].add(waited);
        }
    }

    /// A call that does not wait found no room.
    pub(crate) fn add_refused(&self) {
        self.refused.store(self.refused.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn all(&self) -> Waits {
        self.all.get()
    }

    pub(crate) fn of_place(&self, place: usize) -> Waits {
        self.by_place[place].get()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}
