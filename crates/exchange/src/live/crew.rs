//! The consumers of a run, each on its thread.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringbus::bus::{Audit, Bus, Driver, Record, Subscriber, SubscriptionWorker};
use ringbus::worker::{Done, Source, SpawnError, Worker, WorkerError};
use ringbus::{Progress, ReadFrom};

use super::PAYLOAD;
use super::error::RunError;
use super::settings::{RunSettings, THREADS};
use crate::consumers::{Auditor, BlockByBlock, BlockStore, Journal, Monitor, PositionKeeper};

/// How much of what the oracle's transactions caused can be asked for at the end.
const AUDIT_BYTES: usize = 64 << 20;

/// The subscriber on its thread.
type On<S> = Worker<Driver<S, PAYLOAD>>;

/// What it left behind.
pub(super) type Left<S> = Done<Driver<S, PAYLOAD>>;

/// The consumers, each on its thread.
pub(super) struct Crew<J> {
    journal: On<Journal<J>>,
    keeper: On<PositionKeeper>,
    store: On<BlockByBlock>,
    monitor: On<Monitor<PAYLOAD>>,
    auditor: On<Auditor>,
    journal_progress: Progress,
    audit: Audit,
    committed: Arc<AtomicU64>,
}

/// What the consumers left behind.
pub(super) struct Ended<J> {
    pub(super) journal: Left<Journal<J>>,
    pub(super) keeper: Left<PositionKeeper>,
    pub(super) store: Left<BlockByBlock>,
    pub(super) monitor: Left<Monitor<PAYLOAD>>,
    pub(super) auditor: Left<Auditor>,
    pub(super) audit: Audit,
}

impl<J: Write + Send + 'static> Crew<J> {
    /// Lets the consumers subscribe, then start. The core has not begun, so they all get everything.
    pub(super) fn spawn(bus: &Bus<PAYLOAD>, settings: &RunSettings, out: J) -> Result<Self, RunError> {
        let [_, journal, keeper, store, monitor, auditor] = THREADS;
        let wait = || settings.wait.strategy();
        // A longer batch would keep the others waiting for the journal, and the core for its slots.
        let limit = Journal::<J>::BATCH_LIMIT;
        let journal = bus.subscribe(journal).required().wait(wait()).limit(limit).join()?;
        let keeper = bus.subscribe(keeper).filter(PositionKeeper::filter()).required().wait(wait());
        let keeper = keeper.after(&[&journal]).join()?;
        let store = bus.subscribe(store).required().wait(wait()).after(&[&journal]).join()?;
        let auditor = bus.subscribe(auditor).filter(Auditor::filter()).required().wait(wait());
        let auditor = auditor.after(&[&journal]).join()?;
        let monitor = bus
            .subscribe(monitor)
            .optional()
            .wait(wait())
            .start(ReadFrom::Sequence(journal.joined_at()))
            .join()?;

        let core = settings.core();
        let journal_progress = journal.progress();
        let committed = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&committed);
        let blocks = BlockStore::new(&core)?
            .block_by_block()
            // Relaxed: a number to look at.
            .after_commit(move |block| told.store(block.block_height, Ordering::Relaxed));
        let log = Auditor::new(AUDIT_BYTES);
        let audit = log.audit();
        let spawner = Spawner { settings };
        Ok(Self {
            journal: spawner.spawn(1, journal.into_worker(Journal::new(out)))?,
            keeper: spawner.spawn(2, keeper.into_worker(PositionKeeper::new(&core)?))?,
            store: spawner.spawn(3, store.into_worker(blocks))?,
            monitor: spawner
                .spawn(4, monitor.into_worker(Monitor::new(settings.monitor_delay, bus.clone())))?,
            auditor: spawner.spawn(5, auditor.into_worker(log))?,
            journal_progress,
            audit,
            committed,
        })
    }

    /// How far the journal is.
    pub(super) fn journal_progress(&self) -> Progress {
        self.journal_progress.clone()
    }

    /// The height of the block that the store has committed last.
    pub(super) fn committed(&self) -> &AtomicU64 {
        &self.committed
    }

    /// Waits until all of them have ended, and returns the first failure if there is one.
    pub(super) fn join(self) -> Result<Ended<J>, WorkerError> {
        let Self { journal, keeper, store, monitor, auditor, audit, .. } = self;
        let (journal, keeper, store) = (journal.join(), keeper.join(), store.join());
        let (monitor, auditor) = (monitor.join(), auditor.join());
        Ok(Ended {
            journal: journal?,
            keeper: keeper?,
            store: store?,
            monitor: monitor?,
            auditor: auditor?,
            audit,
        })
    }
}

struct Spawner<'a> {
    settings: &'a RunSettings,
}

impl Spawner<'_> {
    /// Starts the thread that is the `place`th of [`THREADS`].
    fn spawn<C: Source<Event = Record<PAYLOAD>>, S: Subscriber>(
        &self,
        place: usize,
        worker: SubscriptionWorker<C, S, PAYLOAD>,
    ) -> Result<On<S>, SpawnError> {
        let worker = match self.settings.pin.get(place) {
            Some(&core) => worker.pin_to(core),
            None => worker,
        };
        worker.spawn()
    }
}
