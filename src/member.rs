//! What is known about a consumer, apart from its gate: for those who come after it, who control it, or who look on.
//!
//! One allocation for each consumer, kept for as long as anybody holds a handle on it; so a handle never speaks of another
//! consumer, even when the place in the table of gates has been taken over.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::error::Failure;
#[cfg(feature = "latency")]
use crate::latency::Histogram;
use crate::sync::{Acquire, AtomicU64, Mutex, Relaxed, Release, lock, proven};

/// What a consumer's control handles ask of it. It is honoured between two batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Run,
    Pause,
    Stop,
}

/// The last request. Relaxed: it orders nothing, and a look that comes too early is followed by another.
#[derive(Debug)]
pub(crate) struct Control(AtomicU64);

impl Control {
    const RUN: u64 = 0;
    const PAUSE: u64 = 1;
    const STOP: u64 = 2;

    fn new() -> Self {
        Self(AtomicU64::new(Self::RUN))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> Request {
        match self.0.load(Relaxed) {
            Self::RUN => Request::Run,
            Self::PAUSE => Request::Pause,
            _ => Request::Stop,
        }
    }

    /// A stop stands, whatever is asked later.
    pub(crate) fn ask(&self, request: Request) {
        match request {
            Request::Stop => self.0.store(Self::STOP, Relaxed),
            Request::Pause => drop(self.0.compare_exchange(Self::RUN, Self::PAUSE, Relaxed, Relaxed)),
            Request::Run => drop(self.0.compare_exchange(Self::PAUSE, Self::RUN, Relaxed, Relaxed)),
        }
    }
}

/// How a required consumer has gone, and where it stood then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Departure {
    pub(crate) position: u64,
    pub(crate) has_failed: bool,
}

/// A required consumer.
///
/// Pairs, by name:
///
/// - **depart/drain**: the store of the final position (Release) with the load of whoever comes after (Acquire). It has seen
///   what the leaver had seen: if that was the end of the ring, it does not mistake an orderly shutdown for a loss.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: Arc<str>,
    pub(crate) control: Control,
    /// The first sequence it gets. Changed only before it has read anything.
    joined_at: AtomicU64,
    /// Its final position once it has gone; the top bit says that it failed.
    departure: AtomicU64,
    failure: Mutex<Option<Arc<Failure>>>,
    pauses: Pauses,
    #[cfg(feature = "latency")]
    pub(crate) latency: Option<Mutex<Histogram<u64>>>,
}

impl Member {
    const STILL_THERE: u64 = u64::MAX;
    const FAILED: u64 = 1 << 63;

    pub(crate) fn new(name: Arc<str>, #[cfg(feature = "latency")] latency: Option<Histogram<u64>>) -> Self {
        Self {
            name,
            control: Control::new(),
            joined_at: AtomicU64::new(0),
            departure: AtomicU64::new(Self::STILL_THERE),
            failure: Mutex::new(None),
            pauses: Pauses::new(),
            #[cfg(feature = "latency")]
            latency: latency.map(Mutex::new),
        }
    }

    pub(crate) fn joined_at(&self) -> u64 {
        self.joined_at.load(Relaxed)
    }

    /// For its own consumer, before it reads; everybody else learns of the consumer later, through a lock.
    pub(crate) fn starts_at(&self, sequence: u64) {
        self.joined_at.store(sequence, Relaxed);
    }

    /// Leaves, at its final position. For its own consumer.
    pub(crate) fn depart(&self, position: u64) {
        // Release: pairs with `departure` (depart/drain).
        self.departure.store(position, proven!(Release, "departure-store-relaxed" => Relaxed));
    }

    /// Fails, at its final position. For its own consumer.
    pub(crate) fn fail(&self, failure: &Arc<Failure>) {
        *lock(&self.failure) = Some(Arc::clone(failure));
        // Relaxed, after the lock: whoever sees it takes the lock after us.
        self.departure.store(failure.position.get() | Self::FAILED, Relaxed);
    }

    pub(crate) fn failure(&self) -> Option<Arc<Failure>> {
        lock(&self.failure).clone()
    }

    /// Whether and where it has gone.
    #[inline(always)]
    pub(crate) fn departure(&self) -> Option<Departure> {
        // Acquire: pairs with `depart` (depart/drain).
        match self.departure.load(proven!(Acquire, "departure-load-relaxed" => Relaxed)) {
            Self::STILL_THERE => None,
            word => Some(Departure { position: word & !Self::FAILED, has_failed: word & Self::FAILED != 0 }),
        }
    }

    pub(crate) fn pauses(&self) -> &Pauses {
        &self.pauses
    }
}

/// The account of a consumer's pauses. Written by its own consumer, under the lock of the table of gates; read under that lock,
/// or after a look at the gate, which shows at least that a pause began.
#[derive(Debug)]
pub(crate) struct Pauses {
    let_pass: AtomicU64,
    first_began_at: AtomicU64,
    last_began_at: AtomicU64,
    last_ended_at: AtomicU64,
}

impl Pauses {
    const NEVER: u64 = u64::MAX;

    fn new() -> Self {
        Self {
            let_pass: AtomicU64::new(0),
            first_began_at: AtomicU64::new(Self::NEVER),
            last_began_at: AtomicU64::new(0),
            last_ended_at: AtomicU64::new(0),
        }
    }

    pub(crate) fn begin(&self, position: u64) {
        if self.first_began_at.load(Relaxed) == Self::NEVER {
            self.first_began_at.store(position, Relaxed);
        }
        self.last_began_at.store(position, Relaxed);
        self.last_ended_at.store(Self::NEVER, Relaxed);
    }

    /// Returns how many events the pause let pass.
    pub(crate) fn end(&self, position: u64) -> u64 {
        let let_pass = position - self.last_began_at();
        self.let_pass.store(self.let_pass() + let_pass, Relaxed);
        self.last_ended_at.store(position, Relaxed);
        let_pass
    }

    /// How many events all pauses that are over let pass.
    pub(crate) fn let_pass(&self) -> u64 {
        self.let_pass.load(Relaxed)
    }

    /// The position at which the last pause began.
    pub(crate) fn last_began_at(&self) -> u64 {
        self.last_began_at.load(Relaxed)
    }

    /// Whether `sequence` lies between the beginning of the first pause and the end of the last, so that it may not have
    /// been delivered: `None` for what comes after the beginning of a pause that is not over, of which nothing can be said.
    pub(crate) fn may_have_let_pass(&self, sequence: u64) -> Option<bool> {
        if sequence < self.first_began_at.load(Relaxed) {
            return Some(false);
        }
        match self.last_ended_at.load(Relaxed) {
            Self::NEVER if sequence < self.last_began_at() => Some(true),
            Self::NEVER => None,
            last_ended_at => Some(sequence < last_ended_at),
        }
    }
}

/// An optional consumer. What it counts is written by itself, on a line of its own.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) name: Arc<str>,
    pub(crate) control: Control,
    pub(crate) joined_at: u64,
    pub(crate) tally: CachePadded<Tally>,
}

/// The account of an optional consumer: its position is where it joined, and all three.
///
/// Relaxed: a stronger store would keep the reader's own position out of registers (benches/TRIED.md has the price). Whoever looks
/// on may see these numbers before it sees the cursor that they rest on, and takes the cursor to be at least there.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) delivered: Told,
    pub(crate) missed: Told,
    pub(crate) let_pass: Told,
    pub(crate) is_paused: Told,
}

/// A number that its one writer tells to whoever asks.
#[derive(Debug)]
pub(crate) struct Told(AtomicU64);

impl Told {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline(always)]
    pub(crate) fn set(&self, number: u64) {
        // Relaxed: it is a number and nothing more.
        self.0.store(number, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: as above.
        self.0.load(Relaxed)
    }
}

impl Listener {
    pub(crate) fn new(name: Arc<str>, joined_at: u64) -> Self {
        let tally = Tally {
            delivered: Told::new(),
            missed: Told::new(),
            let_pass: Told::new(),
            is_paused: Told::new(),
        };
        Self { name, control: Control::new(), joined_at, tally: CachePadded::new(tally) }
    }
}

/// The optional consumers that are there. The lock is taken by those that join or leave, and by those who look on.
#[derive(Debug)]
pub(crate) struct Listeners(Mutex<Vec<Arc<Listener>>>);

impl Listeners {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn add(&self, listener: &Arc<Listener>) {
        lock(&self.0).push(Arc::clone(listener));
    }

    pub(crate) fn remove(&self, listener: &Arc<Listener>) {
        lock(&self.0).retain(|other| !Arc::ptr_eq(other, listener));
    }

    /// While nobody looks on, so that several numbers change at once.
    pub(crate) fn locked(&self, change: impl FnOnce()) {
        let _list = lock(&self.0);
        change();
    }

    pub(crate) fn has(&self, listener: &Arc<Listener>) -> bool {
        lock(&self.0).iter().any(|other| Arc::ptr_eq(other, listener))
    }

    pub(crate) fn look_on(&self, see: impl FnMut(&Listener)) {
        lock(&self.0).iter().map(|listener| &**listener).for_each(see);
    }
}
