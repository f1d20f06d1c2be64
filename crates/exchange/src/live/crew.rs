//! The consumers of a run, each on its thread.

use std::io::Write;

use ringbus::worker::{Done, Handler, Source, SpawnError, Worker, WorkerBuilder, WorkerError};
use ringbus::{Progress, ReadFrom, Ring};

use super::error::RunError;
use super::settings::{RunSettings, THREADS};
use crate::consumers::{BlockStore, Journal, Monitor, PositionKeeper};
use crate::event::Event;

/// The consumers, each on its thread.
pub(super) struct Crew<J> {
    journal: Worker<Journal<J>>,
    keeper: Worker<PositionKeeper>,
    store: Worker<BlockStore>,
    monitor: Worker<Monitor>,
    journal_progress: Progress,
}

/// What the consumers left behind.
pub(super) struct Ended<J> {
    pub(super) journal: Done<Journal<J>>,
    pub(super) keeper: Done<PositionKeeper>,
    pub(super) store: Done<BlockStore>,
    pub(super) monitor: Done<Monitor>,
}

impl<J: Write + Send + 'static> Crew<J> {
    /// Lets the consumers join, then start, all at the same sequence.
    pub(super) fn spawn(ring: &Ring<Event>, settings: &RunSettings, out: J) -> Result<Self, RunError> {
        let [_, journal, keeper, store, monitor] = THREADS;
        let wait = || settings.wait.strategy();
        let mut journal = ring
            .required(journal)
            .wait(wait())
            // A longer batch would keep the others waiting for the journal, and the core for its slots.
            .batch_limit(Journal::<J>::BATCH_LIMIT)
            .join()?;
        let mut keeper = ring.required(keeper).wait(wait()).after(&[&journal]).join()?;
        let mut store = ring.required(store).wait(wait()).after(&[&journal]).join()?;
        let start = ring.start_together(&mut [&mut journal, &mut keeper, &mut store])?;
        let monitor = ring.optional(monitor).wait(wait()).start(ReadFrom::Sequence(start)).join()?;

        let core = settings.core();
        let journal_progress = journal.progress();
        let spawner = Spawner { settings };
        Ok(Self {
            journal: spawner.spawn(1, journal.into_worker(), Journal::new(out))?,
            keeper: spawner.spawn(2, keeper.into_worker(), PositionKeeper::new(&core)?)?,
            store: spawner.spawn(3, store.into_worker(), BlockStore::new(&core)?)?,
            monitor: spawner.spawn(
                4,
                monitor.into_worker(),
                Monitor::new(settings.monitor_delay, ring.clone()),
            )?,
            journal_progress,
        })
    }

    /// How far the journal is.
    pub(super) fn journal_progress(&self) -> Progress {
        self.journal_progress.clone()
    }

    /// Waits until all of them have ended, and returns the first failure if there is one.
    pub(super) fn join(self) -> Result<Ended<J>, WorkerError> {
        let Self { journal, keeper, store, monitor, .. } = self;
        let (journal, keeper, store, monitor) = (journal.join(), keeper.join(), store.join(), monitor.join());
        Ok(Ended { journal: journal?, keeper: keeper?, store: store?, monitor: monitor? })
    }
}

struct Spawner<'a> {
    settings: &'a RunSettings,
}

impl Spawner<'_> {
    /// Starts the thread that is the `place`th of [`THREADS`].
    fn spawn<C: Source<Event = Event>, H: Handler<Event>>(
        &self,
        place: usize,
        worker: WorkerBuilder<C>,
        handler: H,
    ) -> Result<Worker<H>, SpawnError> {
        let worker = match self.settings.pin.get(place) {
            Some(&core) => worker.pin_to(core),
            None => worker,
        };
        worker.spawn(handler)
    }
}
