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

/// The account of a place: of all its owners, one after the other.
#[derive(Debug)]
struct PlaceAccount {
    account: Account,
    /// How many owners it has had.
    owners: AtomicU64,
}

/// Whom the producer waits for: an owner of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Debtor {
    place: usize,
    /// Which of its owners.
    number: u64,
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
    by_place: Box<[PlaceAccount]>,
    refused: AtomicU64,
}

impl WaitAccounts {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            all: Account::new(),
            by_place: (0..places)
                .map(|_| PlaceAccount { account: Account::new(), owners: AtomicU64::new(0) })
                .collect(),
            refused: AtomicU64::new(0),
        }
    }

    /// Another owner takes `place`. Returns what its former owners have run up. For those who hold the lock of the table.
    pub(crate) fn new_owner(&self, place: usize) -> Waits {
        let PlaceAccount { account, owners } = &self.by_place[place];
        owners.store(owners.load(Relaxed) + 1, Relaxed);
        account.get()
    }

    /// The owner of `place` now.
    pub(crate) fn debtor(&self, place: usize) -> Debtor {
        Debtor { place, number: self.by_place[place].owners.load(Relaxed) }
    }

    /// A wait is over that began at `since`, when `debtor` was the slowest. One that has gone meanwhile is not charged, nor is its
    /// successor (but one that joins at this very moment may be).
    pub(crate) fn add(&self, debtor: Option<Debtor>, since: Instant) {
        let waited = since.elapsed();
        self.all.add(waited);
        if let Some(debtor) = debtor.filter(|debtor| self.debtor(debtor.place) == *debtor) {
            self.by_place[debtor.place].account.add(waited);
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
        self.by_place[place].account.get()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}
